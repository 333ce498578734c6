"""A house on PostgreSQL: what is not the same as on the embedded store. R1 and R8 of the catalogue."""

import contextlib
import os
import random
import shutil
import signal
import time

import pytest

from house import House, free_port
from load import Sender, booked
from messages import NOON, accrual, fresh, message
from postgres import PostgresServer
from test_crash import assert_points_agree
from wire import Closed

pytestmark = pytest.mark.about_postgres

PARTNERS = ("GRO", "TNK", "BOE")
TAKEOVER_SECONDS = 5
BACK_SECONDS = 10


@pytest.fixture(scope="module")
def make_postgres_house(make_house, postgres):
    return lambda: make_house(store=postgres.new_database())


@pytest.fixture
def standby_of(binary, tmp_path):
    """Starts standbys: the same house, in a copy of its folder, on ports of its own."""
    started = []

    def start(house, same_folder=False):
        other = House(binary, tmp_path / str(len(started)), store=house.store)
        if same_folder:
            other.data = house.data
            other.log.parent.mkdir(parents=True, exist_ok=True)
        else:
            shutil.copytree(house.data, other.data, ignore=shutil.ignore_patterns("control.sock"))
        other.contexts = dict(house.contexts)
        started.append(other)
        return other.start(wait=False)

    yield start
    for house in started:
        house.kill()


def wait_for_standby(house):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert house.process.poll() is None, house.log_tail()
        try:
            status, body = house.admin("/readyz")
            if status == 503 and b"standby" in body:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("it does not stand by: " + house.log_tail())


def senders_of(house, chance, members, count=2):
    senders = [Sender(house, partner, members, random.Random(chance.random()), lambda: NOON)
               for partner in PARTNERS * count]
    for sender in senders:
        sender.bears_unavailability = True
    return senders


def settle_accounts(house, senders):
    """Every acknowledged answer is still the answer; what had none gets one now."""
    for sender in senders:
        sender.bears_unavailability = False
        acknowledged = list(sender.answers)
        unknown = [name for name in sender.sent if name not in sender.answers]
        sender.resend(acknowledged)
        sender.resend(unknown)


def assert_nothing_lost_or_doubled(house, senders):
    found = house.verify()
    assert found["ok"], found
    assert found["messages"] == sum(len(each.answers) for each in senders)
    assert found["postings"] == len(booked(senders))
    assert_points_agree(house, senders)


def test_verify_says_that_it_could_not_look(make_postgres_house):
    house = make_postgres_house().make("GRO")
    settings = house.data / "pointhouse.toml"
    there = settings.read_text()
    database = house.store.rpartition("/")[2]
    for store, words in ((f"postgres://pointhouse@127.0.0.1:{free_port()}/{database}", "refused"),
                         (house.store + "_not_there", "does not exist"),
                         (house.store.replace(database, "postgres"), "holds no house")):
        assert house.store in there
        settings.write_text(there.replace(house.store, store))
        said = house.run("verify", status=3)
        assert "could not look: " in said.stdout and words in said.stdout and "NOT SOUND" not in said.stdout
        told = house.json("verify", status=3)
        assert told["ok"] is None and words in told["reason"]
    settings.write_text(there)
    assert house.verify()["ok"]


def test_verify_beside_a_serving_house_could_not_look(make_postgres_house, postgres):
    house = make_postgres_house().make("GRO").start()
    database = house.store.rpartition("/")[2]
    postgres.query("postgres", f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")  # as when all are taken
    said = house.json("verify", status=3)
    assert said["ok"] is None and "connect" in said["reason"], said
    postgres.query("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("m", 1)).status == 503  # and so it learns of it
    assert house.json("verify", status=3)["ok"] is None
    postgres.query("postgres", f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    house.wait_until_ready()
    assert house.verify()["ok"]


def test_damaged_books_are_derived_again(make_postgres_house, postgres):
    house = make_postgres_house().make("GRO").start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("m", 5)).status == 201
    house.stop()
    sound = house.verify("--from-scratch")
    for table in ("projection", "settlement_window", "house_line", "posting_2026_06"):
        postgres.query(house.store.rpartition("/")[2], f"DROP TABLE books.{table} CASCADE")
        house.verify(status=1)
        house.run("rebuild")
        assert house.verify("--from-scratch") == sound


def test_a_database_holds_one_house(make_postgres_house, make_house, postgres):
    house = make_postgres_house().make("GRO")
    second = make_house(store=house.store)
    done = second.run("init", "--store", house.store, status=1)
    assert "holds a house already" in done.stderr
    assert not second.data.exists()
    assert house.verify()["ok"]
    for wrong in ("mysql://there", "postgres://x\"y/z"):
        assert second.run("init", "--store", wrong, status=1).stderr
    unreachable = f"postgres://pointhouse@127.0.0.1:{free_port()}/none"
    assert "PostgreSQL" in second.run("init", "--store", unreachable, status=1).stderr
    assert not second.data.exists()


@pytest.mark.against_the_clock
def test_commands_on_a_house_that_does_not_serve(make_postgres_house):
    house = make_postgres_house().make("GRO", "TNK")
    began = time.monotonic()
    for _ in range(3):
        house.run("partner", "list")
    assert time.monotonic() - began < 6, "the lease is given back, not waited out"


@pytest.mark.against_the_clock
@pytest.mark.parametrize("same_folder", [False, True], ids=["a folder of its own", "the same folder"])
def test_a_standby_takes_over(make_postgres_house, standby_of, nightly, same_folder):
    """kill -9 of the house under load; the standby serves within 5 s, with everything acknowledged."""
    chance = random.Random(17)
    serving = make_postgres_house().make(*PARTNERS).start()
    members = [fresh("takeover") for _ in range(50)]
    everyone, slowest = [], 0
    for _ in range(10 if nightly else 2):
        for name in PARTNERS:
            serving.context(name)
        standby = standby_of(serving, same_folder)
        wait_for_standby(standby)
        senders = senders_of(serving, chance, members)
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.3, 1))
        assert standby.admin("/readyz")[0] == 503, "it waits as long as the other lives"
        serving.kill()
        killed = time.monotonic()
        for sender in senders:
            sender.stop()
        standby.wait_until_ready()
        slowest = max(slowest, time.monotonic() - killed)
        for sender in senders:
            sender.house = standby
        everyone += senders
        for sender in everyone:
            sender.house = standby
        settle_accounts(standby, senders)
        serving = standby
    print(f"{sum(len(each.sent) for each in everyone)} messages; "
          f"a standby was ready {slowest:.2f} s after the kill at the latest")
    assert_nothing_lost_or_doubled(serving, everyone)
    assert slowest <= TAKEOVER_SECONDS


@pytest.mark.against_the_clock
def test_a_standby_takes_over_at_once_from_a_house_that_stops(make_postgres_house, standby_of):
    house = make_postgres_house().make("GRO").start()
    standby = standby_of(house)
    wait_for_standby(standby)
    house.stop()
    began = time.monotonic()
    standby.wait_until_ready()
    assert time.monotonic() - began < 3
    standby.stop()


@pytest.mark.against_the_clock
def test_a_standby_can_be_stopped(make_postgres_house, standby_of):
    house = make_postgres_house().make("GRO").start()
    standby = standby_of(house)
    wait_for_standby(standby)
    assert standby.stop() == 0
    assert house.admin("/readyz")[0] == 200


@pytest.mark.against_the_clock
def test_a_house_that_was_only_slow_books_nothing_more(make_postgres_house, standby_of):
    """Two owners at once: the first stands still until the second has taken over, then goes on."""
    house = make_postgres_house().make("GRO").start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("slow", 10)).status == 201
        standby = standby_of(house)
        wait_for_standby(standby)
        os.kill(house.process.pid, signal.SIGSTOP)
        standby.wait_until_ready()
        with standby.connect("GRO") as other:
            assert other.post("/v1/accruals", accrual("slow", 5)).status == 201
        os.kill(house.process.pid, signal.SIGCONT)
        with contextlib.suppress(Closed, OSError):  # that it hangs up is as good
            assert gro.get("/v1/members/slow").status == 503
    wait_for_standby(house)
    assert standby.verify()["messages"] == 2


def test_every_stored_value_is_watched(make_postgres_house, postgres, nightly, seed):
    """One row of every column of every table that holds what the house knows, changed a little; by day of a third
    of them, others each time."""
    chance = random.Random(seed)
    house = make_postgres_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        members = [fresh("verify") for _ in range(12)]
        for member in members:
            assert gro.post("/v1/accruals", accrual(member, 500)).status == 201
        for member in members[:4]:
            spent = message(member=member, points=200)
            assert tnk.post("/v1/redemptions", spent).status == 201
            tnk.post("/v1/reversals", message(reverses=spent["message_id"], points=50))
            gro.post("/v1/clawbacks", message(member=member, points=400, reason="return"))
        tnk.post("/v1/accruals", accrual(members[0], 5, occurred_at="2026-07-01T00:00:00Z"))
    house.stop()
    assert house.verify("--from-scratch")["ok"]
    database = house.store.rpartition("/")[2]

    def query(sql):
        return postgres.query(database, sql)

    for schema, table, name in query(
            "SELECT n.nspname, c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'c'"
            " AND n.nspname IN ('journal', 'house', 'identities', 'books')"):
        query(f"ALTER TABLE {schema}.{table} DROP CONSTRAINT {name}")
    columns = query(
        "SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " AND n.nspname IN ('journal', 'house', 'identities', 'books') ORDER BY 1, 2, a.attnum")
    missed, tried = [], 0
    for schema, table, column, kind in columns:
        if column == "shard":
            continue  # a row of another shard is not of this house
        if not nightly and chance.randrange(3) > 0:
            continue
        count = int(query(f"SELECT count(*) FROM {schema}.{table}")[0][0])
        if count == 0:
            continue
        row = query(f"SELECT ctid, {column} IS NULL OR {column}::text IN ('', '\\x') FROM {schema}.{table}"
                    f" ORDER BY ctid LIMIT 1 OFFSET {count // 2}")[0]
        if row[1] == "t":
            continue
        query(f"DROP TABLE IF EXISTS public.kept; CREATE TABLE public.kept AS SELECT * FROM {schema}.{table}")
        changed = {"bytea": f"set_bit({column}, 8 * (length({column}) / 2) + 3,"
                            f" 1 - get_bit({column}, 8 * (length({column}) / 2) + 3))",
                   "text": f"overlay({column} placing CASE right({column}, 1) WHEN '1' THEN '2' ELSE '1' END"
                           f" from length({column}))"}.get(kind, f"{column} # 1")
        try:
            query("SET session_replication_role = replica;"  # behind the back of the triggers
                  f"UPDATE {schema}.{table} SET {column} = {changed} WHERE ctid = '{row[0]}'")
        except AssertionError as failure:
            assert "duplicate key" in str(failure), failure
            continue
        tried += 1
        done = house.run("verify", "--json", status=None, timeout=120)
        if done.returncode != 1 or not (done.stdout + done.stderr).strip():
            missed.append((schema, table, column, done.returncode))
        query(f"BEGIN; TRUNCATE {schema}.{table}; INSERT INTO {schema}.{table} SELECT * FROM public.kept; COMMIT")
    assert house.verify()["ok"], "put back"
    print(f"{tried} columns changed")
    assert tried >= (60 if nightly else 15)
    assert not missed, missed

    query("DELETE FROM journal.block WHERE first = (SELECT max(first) FROM journal.block)")
    assert house.run("verify", status=1).stdout
    refused = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                        "--clock", "messages", status=None, timeout=30)
    assert refused.returncode == 1, "a house must not start on a journal that lost its tail"


@pytest.mark.against_the_clock
def test_a_server_that_falls_is_no_end(make_house, nightly):
    """R2: kill -9 of a backend or of the whole PostgreSQL server, or an immediate stop, under load, again and
    again; the house serves on by itself."""
    server = PostgresServer()
    falls = {"backend": server.kill_backend, "server": server.kill, "stop": server.abort}
    house = None
    try:
        chance = random.Random(23)
        house = make_house(store=server.new_database()).make(*PARTNERS).start()
        members = [fresh("restart") for _ in range(50)]
        everyone, slowest = [], 0
        for number in range(100 if nightly else 20):
            kind = list(falls)[number % 3]
            senders = senders_of(house, chance, members, count=1)
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.05, 0.4))
            falls[kind]()
            if kind != "backend":
                time.sleep(chance.uniform(0, 0.2))
                server.start()
            began = time.monotonic()
            with house.connect("GRO") as gro:
                while gro.post("/v1/accruals", accrual(fresh("probe"), 1)).status != 201:
                    assert time.monotonic() - began < BACK_SECONDS, (kind, house.log_tail())
                    time.sleep(0.05)
            slowest = max(slowest, time.monotonic() - began)
            for sender in senders:
                sender.stop()
            everyone += senders
            settle_accounts(house, senders)
        print(f"{number + 1} falls, {sum(len(each.sent) for each in everyone)} messages; "
              f"back {slowest:.2f} s after the server at the latest")
        found = house.verify()
        assert found["ok"], found
        assert found["messages"] == sum(len(each.answers) for each in everyone) + number + 1
        house.stop()
        assert house.verify("--from-scratch")["ok"]
    finally:
        if house is not None:
            house.kill()
        server.remove()


@pytest.mark.against_the_clock
def test_promotion_of_a_standby_server(make_house, nightly):
    """R8: two real servers, synchronous replication; the primary is killed under load, the other promoted."""
    chance = random.Random(31)
    back = []
    for _ in range(20 if nightly else 3):
        primary = PostgresServer()
        replica = house = None
        try:
            store = primary.new_database()
            replica = PostgresServer(standby_of=primary)
            primary.query("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.query("postgres", "SELECT pg_reload_conf()")
            name = store.rpartition("/")[2]
            both = f"postgres://pointhouse@127.0.0.1:{primary.port},127.0.0.1:{replica.port}/{name}"
            house = make_house(store=both).make(*PARTNERS).start()
            members = [fresh("promotion") for _ in range(50)]
            senders = senders_of(house, chance, members)
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.3, 0.8))
            assert primary.query("postgres", "SELECT sync_state FROM pg_stat_replication") == [["sync"]]
            primary.kill()
            killed = time.monotonic()
            replica.promote()
            with house.connect("GRO") as gro:
                while gro.post("/v1/accruals", accrual(fresh("probe"), 1)).status != 201:
                    assert time.monotonic() - killed < 30, house.log_tail()
                    time.sleep(0.05)
                probes = 1
            back.append(time.monotonic() - killed)
            for sender in senders:
                sender.stop()
            settle_accounts(house, senders)
            found = house.verify()
            assert found["ok"], found
            unbooked = found["messages"] - sum(len(each.answers) for each in senders)
            assert unbooked == probes, "every message has one record, and no other has"
            house.stop()
            assert house.verify("--from-scratch")["ok"]
        finally:
            if house is not None:
                house.kill()
            if replica is not None:
                replica.remove()
            primary.remove()
    print(f"{len(back)} promotions; served again after {min(back):.2f} to {max(back):.2f} s")
    assert max(back) <= BACK_SECONDS

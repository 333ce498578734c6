"""Houses of several journals: what goes between them, and what a crash leaves in some of them only."""

import errno
import itertools
import json
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

from messages import NOON, accrual, fresh, message
from test_batches import send as send_batch
from test_disk import GONE, FailingDisk, failing_disk  # noqa: F401

SHARDS = 4


@pytest.fixture
def sharded(make_house):
    """Makes houses of four shards, whatever the run's houses have."""
    def make(*partners):
        house = make_house()
        house.shards = SHARDS
        return house.make(*partners)
    return make


def balances(house, members):
    with house.connect("GRO") as gro:
        return {name: gro.get(f"/v1/members/{name}").json["balance"] for name in members}


def shard_of(house, name):
    """By the order of enrolment: the fixture's members are numbered from 1."""
    return int(name.removeprefix("m")) % 256 % house.shards + 1


def test_how_many_shards(make_house):
    for wrong in ("0", "17", "-1", "two"):
        done = make_house().run("init", "--shards", wrong, status=None)
        assert done.returncode != 0 and "--shards" in done.stderr, done
    house = make_house()
    house.init("--shards", "16")
    if house.store == "sqlite":
        assert len(list((house.data / "ledger").glob("journal-*.db"))) == 16
    assert house.verify("--from-scratch")["ok"]


def test_points_go_between_any_two_shards(sharded):
    house = sharded("GRO", "TNK").start()
    members = [f"m{number}" for number in range(1, 9)]
    pairs = list(itertools.permutations(members, 2))
    with house.connect("GRO") as gro:
        for name in members:
            assert gro.post("/v1/accruals", accrual(name, 100)).status == 201
        sent = [message(member=sender, to_member=receiver, points=1) for sender, receiver in pairs]
        answers = [gro.post("/v1/transfers", body) for body in sent]
        assert [answer.status for answer in answers] == [201] * len(pairs)
        assert len({shard_of(house, name) for name in members}) == SHARDS
        for body, answer in zip(sent, answers):
            again = gro.post("/v1/transfers", body)
            assert again.body == answer.body
        # One batch, in which what was received is spent at once.
        chain = [message(type="accrual", member="m1", points=1_000, occurred_at=NOON)]
        chain += [message(type="transfer", member=f"m{number}", to_member=f"m{number + 1}", points=1_000)
                  for number in range(1, 8)]
        chain.append(message(type="redemption", member="m8", points=1_000))
        results = send_batch(gro, chain)
        assert [each["status"] for each in results] == [201] * len(chain), results
        assert {name: balance["available"] for name, balance in balances(house, members).items()} == (
            dict.fromkeys(members, 100))
        refused = gro.post("/v1/transfers", message(member="m1", to_member="m2", points=101))
        assert refused.code == "insufficient_points"
    assert house.verify("--from-scratch")["ok"]
    house.json("settle", "show", "2026-06")  # waits for the books
    assert house.books("SELECT debits - credits FROM trial_balance WHERE account = 'transit'") == [(0,)]
    kinds = dict(house.books("SELECT type, count(*) FROM posting GROUP BY type"))
    assert kinds["transfer"] - 1 == kinds["transfer_in"] == len(pairs) + 7


def test_cards_of_different_shards_become_one(sharded):
    house = sharded("GRO").start()
    members = [f"m{number}" for number in range(1, 6)]
    with house.connect("GRO") as gro, house.connect("operator:anna") as anna:
        first = {}
        for name in members:
            body = accrual(name, 100)
            first[name] = body["message_id"]
            assert gro.post("/v1/accruals", body).status == 201
        hold = gro.post("/v1/holds", message(member="m2", points=40, expires_in_seconds=86_400))
        for name in members[1:]:
            merged = anna.post(f"/v1/members/{name}/merge", {
                "message_id": fresh("merge"), "into": "m1", "reason": "one person"})
            assert merged.status == 201, merged
        assert balances(house, members)["m4"] == {"available": 460, "pending": 0, "held": 40, "debt": 0}
        # Messages of before find the one that goes on: a capture, a reversal, and the same again.
        captured = gro.post(f"/v1/holds/{hold.json['hold_id']}/capture", message(points=15))
        assert captured.status in (200, 201), captured
        assert gro.post("/v1/reversals", message(reverses=first["m5"], points=30)).status == 201
        assert balances(house, members)["m3"]["available"] == 455
        history = anna.get("/v1/members/m5/entries?limit=100").json["entries"]
        assert set(first.values()) <= {entry.get("message_id") for entry in history}, history
    assert house.verify("--from-scratch")["ok"]


def test_kills_between_shards(sharded, nightly, seed):
    """kill -9 while points go between shards: none is lost, doubled or on its way for ever."""
    chance = random.Random(seed)
    house = sharded("GRO", "TNK").start()
    members = [f"m{number}" for number in range(1, 13)]
    with house.connect("GRO") as gro:
        for name in members:
            assert gro.post("/v1/accruals", accrual(name, 1_000)).status == 201
    answered, waiting = {}, []

    def send(partner, stop, own):
        try:
            with house.connect(partner) as connection:
                while not stop.is_set():
                    sender, receiver = own.sample(members, 2)
                    body = message(member=sender, to_member=receiver, points=own.randint(1, 40))
                    waiting.append((partner, body))
                    answer = connection.post("/v1/transfers", body)
                    if answer.status == 201:
                        answered[body["message_id"]] = answer.body
        except GONE:
            pass

    for _ in range(60 if nightly else 8):
        stop = threading.Event()
        threads = [threading.Thread(target=send, args=(partner, stop, random.Random(chance.random())))
                   for partner in ("GRO", "TNK") * 3]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 0.5))
        house.kill()
        stop.set()
        for thread in threads:
            thread.join()
        house.start()
        assert sum(each["available"] for each in balances(house, members).values()) == 12_000
        with house.connect("GRO") as gro, house.connect("TNK") as tnk:
            for partner, body in waiting:
                answer = (gro if partner == "GRO" else tnk).post("/v1/transfers", body)
                assert answer.status in (201, 409), answer
                assert answered.get(body["message_id"], answer.body) == answer.body
        waiting.clear()
    assert sum(each["available"] for each in balances(house, members).values()) == 12_000
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.about_sqlite
def test_a_shard_whose_disk_fails(sharded, failing_disk, tmp_path):  # noqa: F811
    """Messages of all shards in one batch, and one shard cannot write: none was answered, none is lost."""
    house = sharded("GRO").start()
    members = [f"m{number}" for number in range(1, 41)]
    with house.connect("GRO") as gro:
        for name in members:
            assert gro.post("/v1/accruals", accrual(name, 100)).status == 201
    house.stop()
    for number in range(1, 13):
        disk = FailingDisk(failing_disk, tmp_path, house.data / "ledger" / f"journal-{number % SHARDS + 1}.db",
                           1 + number // SHARDS, errno.EIO, forever=False)
        disk.environment["FAULTS_UNDER"] = disk.environment["FAULTS_UNDER"].rstrip("/")
        disk.count.unlink(missing_ok=True)
        disk.armed.unlink(missing_ok=True)
        house.environment = disk.environment
        house.start()
        batch = [message(type="redemption", member=name, points=1) for name in members]
        with house.connect("GRO") as gro:
            disk.arm()
            failed = send_batch(gro, batch)
            for _ in range(50):
                results = send_batch(gro, batch)
                if all(each["status"] == 201 for each in results):
                    break
                time.sleep(0.1)
            assert [each["status"] for each in results] == [201] * len(members), (failed, results)
        house.stop()
        assert house.verify("--from-scratch")["ok"]
    house.environment = {}
    house.start()
    assert {each["available"] for each in balances(house, members).values()} == {100 - 12}
    house.json("settle", "show", "2026-06")
    unwritten = house.books("SELECT count(*) FROM posting WHERE type = 'unwritten'")[0][0]
    assert unwritten > 0, "no commit was durable in some shards only: the test proved nothing"


@pytest.mark.about_sqlite
def test_an_opening_that_reached_some_shards_only(sharded, failing_disk, tmp_path):  # noqa: F811
    """What members bring along lies in all shards, and one cannot write: the rest follows, and nothing twice."""
    members = [f"m{number}" for number in range(1, 17)]
    opening = {
        "as_of": "2026-06-01", "members": [{"member": name} for name in members], "blocks": [],
        "lots": [{"lot": f"L{lot}-{name}", "member": name, "issuer": "GRO", "points": 50, "state": "active",
                  "activity_at": "2026-05-01T10:00:00Z", "expires_on": "2028-05-31", "issue_price": "0.010000"}
                 for name in members for lot in (1, 2)],
        "balances_micro": {"cash:trust": 16_000_000, "deferred_revenue": -16_000_000}}
    file = tmp_path / "opening.json"
    file.write_text(json.dumps(opening))
    halfway = 0
    for number in range(1, 9):
        house = sharded("GRO")
        disk = FailingDisk(failing_disk, tmp_path, house.data / "ledger" / f"journal-{2 + number % 3}.db-wal",
                           number, errno.EIO, forever=False)
        disk.environment["FAULTS_UNDER"] = disk.environment["FAULTS_UNDER"].rstrip("/")
        disk.count.unlink(missing_ok=True)
        disk.arm()
        done = subprocess.run(
            [house.binary, "import", "opening", str(file), "--as-both", "--data", str(house.data)],
            capture_output=True, text=True, env=os.environ | disk.environment, timeout=60, check=False)
        disk.armed.unlink()
        house.start()
        # Where it failed before it was recorded, it is sent again.
        again = house.run("import", "opening", file, "--as-both", status=None)
        halfway += done.returncode != 0 and again.returncode != 0
        assert {name: balance["available"] for name, balance in balances(house, members).items()} == (
            dict.fromkeys(members, 100)), done
        house.stop()
        house.start()
        assert sum(each["available"] for each in balances(house, members).values()) == 1_600
        house.stop()
        assert house.verify("--from-scratch")["ok"]
    assert halfway, "no commit failed behind the record: the test proved nothing"


@pytest.mark.about_sqlite
def test_a_shard_from_before_is_missed(sharded, tmp_path):
    house = sharded("GRO").start()
    members = [f"m{number}" for number in range(1, 9)]

    def earn():
        with house.connect("GRO") as gro:
            for name in members:
                assert gro.post("/v1/accruals", accrual(name, 100)).status == 201

    earn()
    house.stop()
    shutil.copytree(house.data / "ledger", tmp_path / "before")
    house.start()
    earn()
    house.stop()
    shutil.copytree(house.data / "ledger", tmp_path / "sound")
    for shard in range(1, SHARDS + 1):
        for file in (house.data / "ledger").glob(f"journal-{shard}.db*"):
            file.unlink()
        shutil.copy(tmp_path / "before" / f"journal-{shard}.db", house.data / "ledger")
        done = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", status=1, timeout=60)
        assert "cannot be trusted" in done.stderr + done.stdout, done
        assert house.run("verify", status=1).stdout
        shutil.rmtree(house.data / "ledger")
        shutil.copytree(tmp_path / "sound", house.data / "ledger")
    (house.data / "ledger" / "journal-3.db").rename(house.data / "ledger" / "journal-2.db")
    done = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", status=1, timeout=60)
    assert "shard 2 is not its journal" in done.stderr + done.stdout, done

"""Who may work on a house, and what its commands do to one that serves."""

import os
import re
import shutil
import ssl
import subprocess
import threading
import time

import pytest

from messages import accrual, fresh
from wire import Connection


def served_certificate(house):
    """The server's certificate, as a new connection sees it."""
    return ssl.get_server_certificate(("127.0.0.1", house.port))


def test_a_folder_without_a_house_is_named(make_house, tmp_path):
    house = make_house()
    house.data = tmp_path / "nothing"
    done = house.run("partner", "list", status=1)
    assert "init" in done.stderr
    assert not house.data.exists(), "looking makes nothing"


@pytest.mark.parametrize("arguments, words", [
    (["--currency", "XYZ"], "XYZ"), (["--time-zone", "Mars/Base"], "Mars/Base"),
    (["--store", "mysql://localhost/house"], "postgres://"),
    (["--store", "postgres://127.0.0.1:1/house"], "127.0.0.1")])
def test_init_refuses_and_leaves_nothing(make_house, arguments, words):
    house = make_house()
    done = house.run("init", *arguments, status=1)
    assert words in done.stderr
    assert not house.data.exists()


@pytest.mark.parametrize("name", ["identity.key", "content.key", "fingerprint.key", "wire.key"])
def test_no_command_works_with_a_key_that_others_may_read(make_house, name):
    house = make_house().make("GRO")
    (house.data / "keys" / name).chmod(0o440)
    for command in (["partner", "list"], ["verify"], ["serve", "--listen", "127.0.0.1:0"]):
        done = house.run(*command, status=1)
        assert name in done.stderr + done.stdout


@pytest.mark.about_sqlite  # on PostgreSQL it stands by
def test_a_second_server_is_told_who_serves(house):
    done = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", status=1, timeout=30)
    assert str(house.process.pid) in done.stderr


def test_a_house_that_was_killed_is_free_again(make_house):
    house = make_house().make("GRO").start()
    house.kill()
    assert house.json("partner", "list")[0]["id"] == "GRO"
    house.start()
    assert house.json("partner", "list")[0]["id"] == "GRO"


@pytest.mark.parametrize("name", ["identity.key", "content.key", "fingerprint.key", "wire.key"])
def test_a_changed_byte_of_a_key_is_found(make_house, name):
    house = make_house().make("GRO")
    key = house.data / "keys" / name
    key.chmod(0o600)
    for place in (0, 3, key.stat().st_size - 1):
        sound = key.read_bytes()
        key.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1:])
        for command in (["verify"], ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]):
            done = house.run(*command, status=1)
            assert name in done.stderr + done.stdout
        key.write_bytes(sound)
    key.chmod(0o400)
    house.run("verify")


@pytest.mark.about_sqlite
def test_damage_to_the_pages_of_the_record_is_found(make_house):
    """The values read back all the same; the database itself knows better."""
    house = make_house().make("GRO")
    file = house.data / "house.db"
    damaged = bytearray(file.read_bytes())
    page = next(at for at in range(4096, len(damaged), 4096) if damaged[at] == 13)  # a leaf of a table
    damaged[page + 7] ^= 0xFF  # its count of fragmented bytes
    file.write_bytes(bytes(damaged))
    assert "record" in house.run("verify", status=1).stdout


def test_what_an_interrupted_init_left_is_called_so(make_house):
    house = make_house().make("GRO")
    (house.data / "pointhouse.toml").unlink()
    assert "interrupted init" in house.run("init", status=1).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_cannot_command_a_house(make_house):
    house = make_house().make("GRO").start()
    copied = shutil.copy(house.binary, house.data.parent / "pointhouse")
    for path in (*house.data.parents, house.data):
        if path.stat().st_uid == os.geteuid() and path.is_relative_to("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(
        [copied, "partner", "add", "EVIL", "--standard", "--data", str(house.data)],
        user=65534, group=65534, extra_groups=[], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done
    assert [each["id"] for each in house.json("partner", "list")] == ["GRO"]


def test_the_same_words_whether_it_serves_or_not(make_house):
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 100))
    commands = [["partner", "list"], ["partner", "show", "GRO"], ["cert", "list"], ["window", "list"],
                ["settle", "show", "2026-06"], ["settle", "show", "2026-06", "--json"], ["approve", "list"],
                ["export", "journal", "--format", "csv"], ["verify"]]
    serving = [house.run(*command).stdout for command in commands]
    house.stop()
    assert [house.run(*command).stdout for command in commands] == serving


def test_relative_paths_are_those_of_whoever_types(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 100))
    subprocess.run([house.binary, "export", "journal", "--format", "csv", "--out", "here.csv",
                    "--data", str(house.data)], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "here.csv").read_text() == house.run("export", "journal", "--format", "csv").stdout


def test_nothing_waits_for_approval(house):
    assert house.json("approve", "list") == []
    assert "nothing waits" in house.run("approve", "17", status=1).stderr


def test_a_command_line_is_refused_by_its_house_too(house):
    for arguments in (["partner", "list", "--nonsense"], ["window", "close", "--until"]):
        assert "--help" in house.run(*arguments, status=2).stderr


def test_the_clock_moves_forward_only(make_house):
    house = make_house().make("GRO")
    assert house.json("clock", "advance", "2026-06-15")["time"] == "2026-06-15T00:00:00Z"
    house.run("clock", "advance", "2026-06-14T23:59:59Z", status=1)
    house.start()
    with house.connect("GRO") as gro:
        assert gro.get("/v1/echo").json["time"].startswith("2026-06-15T00:00:00")
    assert house.json("clock", "advance", "2026-08-01T00:00:00+02:00")["time"] == "2026-07-31T22:00:00Z"
    states = [(each["id"], each["state"]) for each in house.json("window", "list")]
    assert states[-2:] == [("2026-06", "closed"), ("2026-07", "open")]
    house.run("clock", "advance", "tomorrow", status=1)


def test_the_system_s_clock_cannot_be_moved(make_house):
    house = make_house(clock="system").make("GRO").start()
    assert "--clock messages" in house.run("clock", "advance", "2099-01-01", status=1).stderr
    house.stop()
    house.run("clock", "advance", "2099-01-01", status=1)


def test_a_renewed_server_certificate_is_served_without_a_restart(make_house):
    house = make_house().make("GRO").start()
    before = served_certificate(house)
    with house.connect("GRO") as gro:
        assert house.json("cert", "rotate") == [], "nothing is due on the first day"
        renewed = house.json("cert", "rotate", "--all")
        assert {each["subject"] for each in renewed} == {"partner:GRO", "operator:anna", "house"}
        end = time.monotonic() + 5
        while served_certificate(house) == before and time.monotonic() < end:
            time.sleep(0.1)
        assert served_certificate(house) != before
        assert gro.get("/v1/echo").status == 200, "open connections go on"
    house.contexts.clear()
    with house.connect("GRO") as gro:
        assert gro.get("/v1/echo").status == 200


def test_a_revoked_server_certificate_is_replaced(make_house):
    house = make_house().make("GRO").start()
    before = served_certificate(house)
    house.run("cert", "revoke", "house")
    assert [each["subject"] for each in house.json("cert", "rotate")] == ["house"]
    assert house.json("cert", "rotate") == []
    end = time.monotonic() + 5
    while served_certificate(house) == before and time.monotonic() < end:
        time.sleep(0.1)
    assert served_certificate(house) != before


def test_one_serial_is_revoked_and_the_other_stays(make_house):
    house = make_house().make("GRO").start()
    first = house.context("GRO")
    [old] = [each for each in house.json("cert", "list") if each["subject"] == "partner:GRO"]
    house.run("cert", "issue", "GRO")
    house.contexts.clear()
    house.run("cert", "revoke", old["serial"])
    with house.connect("GRO") as gro:
        assert gro.get("/v1/echo").status == 200
    with Connection(house.port, first) as gro:
        assert gro.get("/v1/echo").status == 401
    house.run("cert", "revoke", "NOBODY", status=1)


def test_a_production_house_takes_no_terms_from_one_person(make_house):
    house = make_house(clock="system")
    house.run("init", "--production")
    for arguments in (["partner", "add", "GRO", "--standard"], ["cert", "issue", "GRO"]):
        house.run(*arguments, status=1)
    assert "--operator CERT" in house.run("partner", "add", "GRO", "--standard", status=1).stderr


@pytest.mark.against_the_clock
def test_long_commands_do_not_hold_up_messages(make_house, tmp_path):
    house = make_house().make("GRO").start()
    slowest, failures = 0.0, []
    stop = threading.Event()

    def load():
        nonlocal slowest
        try:
            with house.connect("GRO") as gro:
                while not stop.is_set():
                    began = time.monotonic()
                    answer = gro.post("/v1/accruals", accrual(fresh("member"), 1))
                    slowest = max(slowest, time.monotonic() - began)
                    if answer.status != 201:
                        failures.append(answer)
        except Exception as failure:  # the thread must not end unseen
            failures.append(failure)

    loader = threading.Thread(target=load)
    loader.start()
    try:
        for number in range(3):
            assert house.verify("--from-scratch")["ok"]
            house.run("rebuild")
            house.run("backup", "--out", tmp_path / str(number))
    finally:
        stop.set()
        loader.join()
    assert not failures, failures[0]
    assert slowest < 2, f"a message waited {slowest:.2f} s"


def test_metrics(house, gro):
    gro.post("/v1/accruals", accrual(fresh("member"), 5))
    status, body = house.admin("/metrics")
    assert status == 200
    figures = dict(re.findall(r"^([a-z_]+) ([0-9.e+-]+)$", body.decode(), re.M))
    assert float(figures["pointhouse_ledger_records_total"]) >= 1
    assert float(figures["pointhouse_ledger_commits_total"]) >= 1
    assert float(figures["process_resident_memory_bytes"]) > 1e6
    assert {"pointhouse_books_lag_records", "pointhouse_books_lag_seconds"} <= figures.keys()
    assert re.search(r"^pointhouse_gateway_\w+", body.decode(), re.M)
    for name in re.findall(r"^([a-z_]+)[ {]", body.decode(), re.M):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert f"# TYPE {name} " in body.decode() or f"# TYPE {base} " in body.decode(), name


def test_a_backup_holds_the_index_of_message_ids(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        for _ in range(50):
            gro.post("/v1/accruals", accrual(fresh("member"), 1))
    house.stop()  # seals the index
    house.run("backup", "--out", tmp_path / "backup")
    kept = {path.name for path in (house.data / "ledger" / "index").iterdir()}
    assert kept
    assert {path.name for path in (tmp_path / "backup" / "ledger" / "index").iterdir()} == kept
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "backup" / "keys").iterdir()}
    assert modes == {0o400}

"""The commands beside the wire: on a stopped house and on a serving one."""

import json
import subprocess
import threading

import pytest

from messages import accrual, fresh, message

COMMANDS = ["init", "serve", "partner", "cert", "replay", "clock", "window", "settle", "verify", "rebuild",
            "backup", "restore", "export", "bench"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(make_house, command):
    done = subprocess.run([make_house().binary, command, "--help"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 2


@pytest.mark.parametrize("arguments", [
    ["nonsense"], ["partner", "add"], ["settle", "show"], ["init", "--color", "red"], ["window", "open"]])
def test_a_wrong_command_line_is_refused(make_house, arguments):
    done = subprocess.run([make_house().binary, *arguments], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode not in (0, None) and done.returncode < 128
    assert done.stderr


def test_init_refuses_a_folder_that_holds_a_house(make_house):
    house = make_house().make("GRO")
    before = {path: path.read_bytes() for path in house.data.rglob("*.pem")}

    house.run("init", status=1)

    assert {path: path.read_bytes() for path in house.data.rglob("*.pem")} == before


def test_a_production_house_refuses_the_message_clock(make_house):
    house = make_house()
    house.run("init", "--production")
    done = house.run("serve", "--clock", "messages", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                     status=None, timeout=20)
    assert done.returncode == 1
    assert "production" in done.stderr
    house.run("clock", "advance", "2030-01-01T00:00:00Z", status=1)


def test_partners(make_house):
    house = make_house().make("GRO")

    house.run("partner", "add", "GRO", "--standard", status=1)
    house.run("partner", "add", "a b", "--standard", status=1)
    house.run("partner", "add", "TNK", "--standard")

    listed = house.json("partner", "list")
    assert [each.get("id", each.get("partner")) for each in listed] == ["GRO", "TNK"]
    assert "0.0095" in house.run("partner", "show", "GRO").stdout
    house.run("partner", "show", "NOPE", status=1)


def test_a_tariff_applies_from_its_date(make_house, tmp_path):
    house = make_house().make("GRO").start()
    tariff = tmp_path / "tariff.toml"
    tariff.write_text('[tariff]\nfrom = "2026-06-15"\nissue_price = "0.020000"\nservice_fee = "0.001000"\n'
                      'reimbursement = "0.009500"\nprefund_share = "1"\n')
    house.run("partner", "set-tariff", "GRO", tariff)
    with house.connect("GRO") as gro:
        for moment in ("2026-06-14T23:59:59Z", "2026-06-15T00:00:00Z"):
            assert gro.post("/v1/accruals", accrual("m", 1000, occurred_at=moment)).status == 201

    [document] = house.json("settle", "show", "2026-06")["documents"]
    assert document["net_minor"] == 1000 + 100 + 2000 + 100


def test_commands_work_on_a_serving_house(house, gro):
    gro.post("/v1/accruals", accrual(fresh("member"), 10))
    for arguments in (["partner", "list"], ["cert", "list"], ["window", "list"],
                      ["settle", "show", "2026-06"], ["verify"]):
        assert house.json(*arguments)
    house.run("partner", "add", "NEW", "--standard")
    house.run("cert", "issue", "NEW")
    with house.connect("NEW") as new:
        assert new.get("/v1/echo").json["partner"] == "NEW"


def test_backup_while_serving_and_restore(make_house, tmp_path):
    house = make_house().make("GRO").start()
    stop, began = threading.Event(), threading.Event()

    def load():
        with house.connect("GRO") as gro:
            while not stop.is_set():
                assert gro.post("/v1/accruals", accrual("m", 1)).status == 201
                began.set()

    loader = threading.Thread(target=load)
    loader.start()
    assert began.wait(20)
    house.run("backup", "--out", tmp_path / "backup")
    stop.set()
    loader.join()
    with house.connect("GRO") as gro:
        later = gro.get("/v1/members/m").json["balance"]["available"]

    restored = make_house()
    restored.restore(tmp_path / "backup")
    restored.contexts = dict(house.contexts)
    found = restored.verify("--from-scratch")
    assert found["ok"] and 0 < found["postings"] <= later
    restored.start()
    with restored.connect("GRO") as gro:
        assert gro.get("/v1/members/m").json["balance"]["available"] == found["postings"]
        assert gro.post("/v1/accruals", accrual("m", 1)).status == 201


def test_restore_refuses_a_damaged_backup(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        for _ in range(20):
            gro.post("/v1/accruals", accrual("m", 1))
    house.run("backup", "--out", tmp_path / "backup")
    copied = [path for path in (tmp_path / "backup").rglob("*") if path.suffix in (".db", ".rows")]
    for path in (path for path in copied if path.stat().st_size > 200):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        content[-100] ^= 0xFF
        path.chmod(0o600)
        path.write_bytes(bytes(content))

    restored = make_house()
    done = restored.restore(tmp_path / "backup", status=None)
    assert done.returncode == 1
    assert not (restored.data / "pointhouse.toml").exists(), "nothing half restored is left"


def test_rebuild_reproduces_the_books(house, gro, tnk):
    member = fresh("member")
    gro.post("/v1/accruals", accrual(member, 100))
    tnk.post("/v1/redemptions", message(member=member, points=60))
    before = house.json("settle", "show", "2026-06")

    house.run("rebuild")

    assert house.json("settle", "show", "2026-06") == before
    assert house.verify("--from-scratch")["ok"]


def test_bench_measures_something(make_house):
    for bench, option in (("ledger", "--members=0"), ("ledger", "--members=-1"), ("ledger", "--batch=0"),
                          ("ledger", "--warm=-1"), ("gateway", "--rounds=0"), ("gateway", "--seconds=0"),
                          ("gateway", "--connections=64,0"), ("gateway", "--rate=-1")):
        done = subprocess.run([make_house().binary, "bench", bench, option], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 2 and option.partition("=")[0] in done.stderr, (option, done)


def test_bench_ledger_prints_figures(make_house):
    done = subprocess.run(
        [make_house().binary, "bench", "ledger", "--members", "1000", "--small", "5000", "--postings", "20000",
         "--warm", "5000", "--measured", "20000", "--replayed", "10000", "--json"],
        capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows
    for row in rows:
        assert {"name", "value", "unit", "bound", "bound_name", "ratio", "parameters"} <= set(row)
        assert row["value"] > 0 or row["name"].startswith("ledger.sqlite.books_lag")

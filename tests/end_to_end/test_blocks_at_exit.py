"""A prepaid partner leaves: what no point took of its blocks goes back with a credit note, to the last millionth."""

import contextlib
import datetime
import json
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from messages import accrual, fresh, message
from test_block_invoices import TERMS, issued, tank  # noqa: F401
from test_operator_routes import COMPANY, both
from test_settlement import money

NOON = "2026-06-11T12:00:00Z"
AFTER = "2026-08-19T10:00:00Z"  # none of its accruals may come late any more
RELEASE = ("partner", "release", "TNK", "--evidence", "bank 7")


@pytest.fixture
def left(tank, tmp_path):  # noqa: F811
    """TNK bought 5,000 and 1,000 points, granted 5,000 and 333 of them, and left; June and July are billed."""
    tank.run("partner", "buy-block", "TNK", "--points", "5000")
    tank.run("partner", "buy-block", "TNK", "--points", "1000", "--price", "0.0105", "--fee", "0.0003")
    last = accrual("M1", 333, occurred_at=NOON)
    with tank.connect("TNK") as tnk:
        assert tnk.post("/v1/accruals", accrual("M1", 5000, occurred_at=NOON)).status == 201
        assert tnk.post("/v1/accruals", last).status == 201
    dry = tank.json("partner", "exit", "TNK", "--on", "2026-06-20", "--dry-run")
    rest = [row for row in dry["blocks"] if row["price_micro"]]
    assert [(row["price_micro"], row["fee_micro"]) for row in rest] == [
        (667 * Fraction("0.0105") * 10 ** 6, 667 * Fraction("0.0003") * 10 ** 6)]
    assert len(dry["blocks"]) == 2 and "partner release" in rest[0]["then"]
    [left_of_blocks] = [row["amount_micro"] for row in dry["exit"] if row["what"] == "left of its blocks"]
    assert left_of_blocks == sum(row["price_micro"] + row["fee_micro"] for row in dry["blocks"])
    tank.run("partner", "exit", "TNK", "--on", "2026-06-20")
    tank.run("clock", "advance", "2026-07-01T10:00:00Z")
    return tank, last["message_id"]


def settled(house, folder):
    documents = issued(house, "2026-06", folder)
    house.run("settle", "net", "2026-06")
    house.run("clock", "advance", AFTER)
    return documents


def moved(before, after):
    return {account: after.get(account, 0) - before.get(account, 0) for account in before.keys() | after.keys()
            if after.get(account, 0) != before.get(account, 0)}


def test_what_is_left_goes_back_and_nothing_stays(left, tmp_path):
    house, last = left
    documents = settled(house, tmp_path)
    [number] = [number for number, document in documents.items()
                if document["supply"] == "block_purchase" and document["net_minor"] == 10_80]
    before = money(house)
    done = house.json(*RELEASE)
    # 667 points: 7.0035 and 0.2001, each rounded once; VAT of blocks, 9 %, of 7.20.
    assert done == {"partner": "TNK", "released_minor": 0, "currency": "EUR", "blocks_by_hand_micro": 0, "blocks": [
        {"number": "CN-2026-000001", "corrects": number, "total_minor": 7_85}]}
    after = money(house)
    assert moved(before, after) == {
        "prepaid_block:TNK": 7_003_500, "prepaid_fee:TNK": 200_100, "vat:output": 650_000,
        "cash:trust": -7_000_000, "cash:operating": -850_000, "rounding": -3_600}
    assert not any(account.endswith(":TNK") for account in after), after
    with house.connect("TNK") as tnk:
        credit = tnk.get("/v1/documents/CN-2026-000001").json
        xml = tnk.get("/v1/documents/CN-2026-000001", {"Accept": "application/xml"}).body.decode()
        assert tnk.get("/v1/documents/CN-2026-000001", {"Accept": "application/pdf"}).body.startswith(b"%PDF")
    assert (credit["type_code"], credit["supply"], credit["corrects"]["number"]) == (381, "block_purchase", number)
    assert [(line["flow"], line["points"], line["net_minor"]) for line in credit["lines"]] == [
        ("price", 667, 7_00), ("fee", 667, 20)]
    assert ">7.85</cbc:PrepaidAmount>" in xml and ">0.00</cbc:PayableAmount>" in xml
    rows = {row["number"]: row for row in house.json("settle", "documents")}
    assert rows["CN-2026-000001"]["open_minor"] == rows[number]["open_minor"] == 0
    assert rows[number]["credited_minor"] == 7_85
    # It is in no net, and the block's own window still has its invoice.
    for window in ("2026-07", "2026-08"):
        house.run("clock", "advance", {"2026-07": "2026-08-19T11:00:00Z", "2026-08": "2026-09-01T10:00:00Z"}[window])
        house.run("settle", "invoices", window, "--out", tmp_path / window)
        assert house.json("settle", "net", window)["documents"] == []
    assert number in {row["number"] for row in house.json("settle", "documents", "2026-06")}
    assert "nothing is left of its blocks" in house.run(*RELEASE, status=1).stderr

    # Points that come back to the block later go back by the same command.
    with house.connect("TNK") as tnk:
        back = tnk.post("/v1/reversals", message(reverses=last, points=100, occurred_at="2026-09-01T09:00:00Z"))
        assert back.status == 201, back
    again = house.json(*RELEASE)
    assert [(row["corrects"], row["total_minor"]) for row in again["blocks"]] == [(number, 1_18)]  # 1.05, 0.03, VAT 0.10
    assert not any(account.startswith("prepaid") for account in money(house))
    coverage = house.json("report", "coverage")["coverage"][0]
    assert coverage["prepaid_blocks_micro"] == 0 and coverage["holds"] == "yes"
    assert house.verify("--from-scratch")["ok"]


def test_collateral_and_blocks_are_one_act_over_the_wire(left, tmp_path):
    house, _ = left
    house.run("settle", "collateral", "TNK", "50.00", "--evidence", "bank 1")
    settled(house, tmp_path)
    with contextlib.ExitStack() as stack:
        anna, tnk = (stack.enter_context(house.connect(name)) for name in ("operator:anna", "TNK"))
        sent = {"message_id": fresh("r"), "partner": "TNK", "evidence": "bank 7"}
        assert tnk.post("/v1/operator/partner/release", sent).status == 403
        done = anna.post("/v1/operator/partner/release", sent)
        assert (done.status, done.json["released_minor"]) == (200, 50_00), done
        assert [row["total_minor"] for row in done.json["blocks"]] == [7_85]
        assert anna.post("/v1/operator/partner/release", sent).json == done.json, "once, however often it is sent"
        assert anna.post("/v1/operator/partner/release", sent | {"message_id": fresh("r")}).code == "settlement_refused"
    assert not any(account.endswith(":TNK") for account in money(house))
    house.kill()
    house.start()
    assert not any(account.endswith(":TNK") for account in money(house))
    assert house.verify("--from-scratch")["ok"]


def test_not_before_its_invoice_and_the_late_window(left, tmp_path):
    house, _ = left
    assert "may come late" in house.run(*RELEASE, status=1).stderr
    house.run("clock", "advance", AFTER)
    assert "is not issued" in house.run(*RELEASE, status=1).stderr
    assert money(house)["prepaid_block:TNK"] == -7_003_500


def test_a_dry_run_after_it_says_so(left, tmp_path):
    house, _ = left
    settled(house, tmp_path)
    house.run(*RELEASE)
    shown = json.dumps(house.json("report", "exit", "TNK"))
    assert '"left of its blocks"' in shown
    [row] = [row for row in house.json("report", "exit", "TNK")["exit"] if row["what"] == "left of its blocks"]
    assert row["amount_micro"] == 0


def test_members_debt_that_comes_back_to_a_block_goes_back_with_it(tank, tmp_path):  # noqa: F811
    tank.run("partner", "buy-block", "TNK", "--points", "1000")
    sale = accrual("M9", 100, occurred_at=NOON)
    with tank.connect("TNK") as tnk, tank.connect("GRO") as gro:
        for connection, path, body in (
                (tnk, "accruals", sale), (gro, "redemptions", message(member="M9", points=100, occurred_at=NOON)),
                (tnk, "reversals", message(reverses=sale["message_id"], occurred_at=NOON)),  # it is spent: a debt
                (gro, "accruals", accrual("M9", 60, occurred_at=NOON))):  # of which this repays a part
            answer = connection.post(f"/v1/{path}", body)
            assert answer.status == 201, answer
        assert answer.json["balance"]["debt"] == 40
    prepaid = -sum(amount for account, amount in money(tank).items() if account.startswith("prepaid"))
    assert prepaid == 960 * 11_000
    dry = tank.json("partner", "exit", "TNK", "--on", "2026-06-20", "--dry-run")
    assert [row["price_micro"] + row["fee_micro"] for row in dry["blocks"]] == [prepaid]
    tank.run("partner", "exit", "TNK", "--on", "2026-06-20")
    tank.run("clock", "advance", "2026-07-01T10:00:00Z")
    settled(tank, tmp_path)
    [row] = tank.json(*RELEASE)["blocks"]
    assert row["total_minor"] == 11_51  # 10.56, and 9 % VAT of that
    assert not any(account.startswith("prepaid") for account in money(tank))
    assert tank.verify("--from-scratch")["ok"]


def test_in_production_two_people_give_a_block_back(make_house, tmp_path):
    library = tmp_path / "clock_shift.so"
    source = Path(__file__).with_name("clock_shift.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    (tmp_path / "terms.toml").write_text(TERMS)
    both(house, "partner", "add", "TNK", "--terms", tmp_path / "terms.toml")
    for party, number in (("house", "12345678"), ("TNK", "34567890")):
        (tmp_path / "company.toml").write_text(COMPANY.format(name=party, vat="NL123456782B90", registration=number))
        command = ("house", "set-company") if party == "house" else ("partner", "set-company", party)
        both(house, *command, tmp_path / "company.toml")
    both(house, "partner", "buy-block", "TNK", "--points", "1000")
    now = datetime.datetime.now(datetime.timezone.utc)
    both(house, "partner", "exit", "TNK", "--on", (now + datetime.timedelta(days=2)).strftime("%Y-%m-%d"))
    house.environment = {"LD_PRELOAD": str(library), "SHIFT_SECONDS": str(75 * 24 * 3600)}
    house.start()
    window = now.strftime("%Y-%m")
    both(house, "window", "close")
    house.run("window", "close", *anna)
    drafted = house.json("settle", "draft", window, *anna)
    house.run("approve", drafted["id"], *bob)
    house.run("settle", "issue", window, *anna)

    assert "--operator CERT" in house.run(*RELEASE, status=1).stderr
    before = money(house)
    assert "waits for another operator" in house.run(*RELEASE, *anna).stdout
    [waiting] = house.json("approve", "list")
    assert waiting["summary"] == "release 11.99 of blocks of TNK: bank 7"  # 10.00 and 1.00, VAT 9 %
    assert house.run("approve", waiting["id"], *anna, status=1).stderr
    assert money(house) == before
    house.run("approve", waiting["id"], *bob)
    assert money(house) == before, "permitted, not done"
    done = house.json(*RELEASE, *anna)
    assert [row["total_minor"] for row in done["blocks"]] == [11_99]
    assert "nothing is left" in house.run(*RELEASE, *anna, status=1).stderr, "a permission is used once"
    assert not any(account.startswith("prepaid") for account in money(house))
    assert house.verify("--from-scratch")["ok"]

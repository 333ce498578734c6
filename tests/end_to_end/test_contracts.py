"""What partners agree on and buy, and the state that a coalition brings along: from the command line to answers."""

import copy
import csv
import io
import json

import pytest

from messages import accrual, message

TERMS = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
credit_limit = "1.10"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"

[[partner]]
id = "TNK"
roles = ["issuer"]
billing = "prepaid"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  prefund_share = "1"

[[promotion]]
id = "double-fuel"
funders = { TNK = 4, GRO = 1 }
from = "2026-06-01"
to = "2026-06-30"
"""

OPENING = {
    "as_of": "2026-06-01",
    "members": [{"member": "M1"}, {"member": "M2"}],
    "lots": [{"lot": "L1", "member": "M1", "issuer": "GRO", "points": 1000, "state": "active",
              "activity_at": "2026-05-01T10:00:00Z", "expires_on": "2028-05-31", "issue_price": "0.010000"}],
    "blocks": [{"partner": "TNK", "points": 100, "price": "0.010000", "fee": "0.001000"}],
    "balances_micro": {"cash:trust": 11_000_000, "cash:operating": 100_000, "deferred_revenue": -10_000_000,
                       "prepaid_block:TNK": -1_000_000, "prepaid_fee:TNK": -100_000}}


@pytest.fixture
def house(make_house, tmp_path):
    house = make_house()
    house.run("init")
    terms = tmp_path / "terms.toml"
    terms.write_text(TERMS)
    for partner in ("GRO", "TNK"):
        house.run("partner", "add", partner, "--terms", terms)
        house.run("cert", "issue", partner)
    return house


def opening_file(folder, opening=None):
    file = folder / "opening.json"
    file.write_text(json.dumps(opening or OPENING))
    return file


def move_in(house, folder, opening=None):
    house.run("import", "opening", opening_file(folder, opening), "--as-both")


def test_a_promotion_in_every_funder_s_contract_is_in_force(house, tmp_path):
    assert [each["id"] for each in house.json("promotion", "list")] == ["double-fuel"]
    move_in(house, tmp_path)
    house.start()
    with house.connect("TNK") as fuel:
        shared = fuel.post("/v1/accruals", accrual("M1", 100, promotion="double-fuel"))
        assert shared.status == 201
        assert sorted((lot["issuer"], lot["points"]) for lot in shared.json["lots"]) == [
            ("TNK", 80), ("others", 20)]
        assert fuel.post("/v1/accruals", accrual("M1", 5, promotion="other")).code == "funding_not_agreed"
    assert house.verify()["ok"]


def test_a_promotion_waits_for_a_second_operator(house, tmp_path):
    file = tmp_path / "promotion.toml"
    file.write_text(TERMS[TERMS.index("[[promotion]]"):].replace("double-fuel", "triple-fuel"))
    house.run("promotion", "add", file)
    assert [each["id"] for each in house.json("promotion", "list")] == ["double-fuel"]
    [waiting] = house.json("approve", "list")
    assert waiting["kind"] == "promotion" and "triple-fuel" in waiting["summary"]
    refused = house.run("approve", waiting["id"], status=1)
    assert "another operator" in refused.stderr
    house.run("promotion", "approve", "triple-fuel", "--as-both")
    assert [each["id"] for each in house.json("promotion", "list")] == ["double-fuel", "triple-fuel"]
    assert house.json("approve", "list") == []
    house.run("promotion", "add", file, status=1)


def test_limits_are_exact_and_a_block_helps_out(house, tmp_path):
    move_in(house, tmp_path)
    house.start()
    with house.connect("GRO") as grocer, house.connect("TNK") as fuel:
        assert grocer.post("/v1/accruals", accrual("M2", 101)).code == "issuer_unfunded"
        assert grocer.post("/v1/accruals", accrual("M2", 100)).status == 201
        assert grocer.post("/v1/accruals", accrual("M2", 1)).code == "issuer_unfunded"
        assert fuel.post("/v1/accruals", accrual("M2", 101)).code == "issuer_unfunded"
        first = accrual("M2", 100)
        assert fuel.post("/v1/accruals", first).status == 201
        assert fuel.post("/v1/accruals", accrual("M2", 1)).code == "issuer_unfunded"
        back = message(reverses=first["message_id"], points=40)
        assert fuel.post("/v1/reversals", back).status == 201
        assert fuel.post("/v1/accruals", accrual("M2", 41)).code == "issuer_unfunded"
        house.run("partner", "buy-block", "TNK", "--points", "1000", "--price", "0.02")
        assert fuel.post("/v1/accruals", accrual("M2", 40)).status == 201
        assert fuel.post("/v1/accruals", accrual("M2", 1000)).status == 201
    house.kill()
    house.start()
    with house.connect("TNK") as fuel:
        assert fuel.post("/v1/accruals", accrual("M2", 1)).code == "issuer_unfunded"
    assert house.verify("--from-scratch")["ok"]


def test_an_opening_is_booked_once_approved(house, tmp_path):
    house.run("import", "opening", opening_file(tmp_path))
    assert house.verify()["messages"] == 0
    [waiting] = house.json("approve", "list")
    house.run("approve", waiting["id"], status=1)
    next((house.data / "proposals").iterdir()).unlink()
    gone = house.run("approve", waiting["id"], "--as-both", status=1)
    assert "import the same file once more" in gone.stderr
    house.run("import", "opening", opening_file(tmp_path, OPENING | {"as_of": "2026-06-02"}), status=1)
    house.run("import", "opening", opening_file(tmp_path))
    house.run("approve", waiting["id"], "--as-both")
    again = house.run("import", "opening", opening_file(tmp_path), status=1)
    assert "its opening already" in again.stderr
    assert not list((house.data / "proposals").iterdir()), "the members' names are not kept"

    shown = house.json("settle", "show", "2026-06")
    [grocer] = [row for row in shown["partners"] if row["partner"] == "GRO"]
    assert (grocer["opening"], grocer["issued"], grocer["closing"], grocer["net_minor"]) == (1000, 0, 1000, 0)
    assert shown["trial_balance"]["points"] == {"debits": 1000, "credits": 1000}
    assert shown["trial_balance"]["money_micro"]["EUR"] == {"debits": 11_100_000, "credits": 11_100_000}
    rows = list(csv.DictReader(io.StringIO(house.run("export", "journal", "--format", "csv").stdout)))
    assert {row["account"]: row["debit"] or "-" + row["credit"] for row in rows if row["unit"] == "EUR"} == {
        "cash:trust": "11.000000", "cash:operating": "0.100000", "deferred_revenue": "-10.000000",
        "prepaid_block:TNK": "-1.000000", "prepaid_fee:TNK": "-0.100000"}
    house.start()
    with house.connect("GRO") as grocer:
        assert grocer.get("/v1/members/M1").json["balance"]["available"] == 1000
        assert grocer.get("/v1/members/M2").json["balance"]["available"] == 0
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.parametrize(("spoil", "complaint"), [
    (lambda o: o["balances_micro"].update({"cash:trust": 1}), "debits and credits are not equal"),
    (lambda o: o["lots"][0].update(issuer="XXX"), "the house knows no partner XXX"),
    (lambda o: o["lots"][0].update(member="M9"), "its member is not listed"),
    (lambda o: o["lots"][0].update(points=999), "lots and blocks come to"),
    (lambda o: o["balances_micro"].update({"gold": 0}), "no money account gold"),
    (lambda o: o.update(note=1), "note is no key here")])
def test_an_opening_that_does_not_fit_is_refused(house, tmp_path, spoil, complaint):
    opening = copy.deepcopy(OPENING)
    spoil(opening)
    refused = house.run("import", "opening", opening_file(tmp_path, opening), "--as-both", status=1)
    assert complaint in refused.stderr
    assert house.json("approve", "list") == []


def test_a_block_that_cannot_be_is_refused(house):
    for arguments in (["GRO", "--points", "100"], ["TNK", "--points", "0"], ["TNK", "--points", "9"],
                      ["TNK", "--points", "100", "--price", "1e-2"], ["XXX", "--points", "100"]):
        house.run("partner", "buy-block", *arguments, status=1)

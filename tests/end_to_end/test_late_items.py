"""What comes late says of which month it is; what undoes something that was billed names the invoice."""

import csv
import json
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from messages import accrual, message
from test_documents_by_type import both
from test_protobuf import wire  # noqa: F401  the classes made of the published files

TERMS = """
[[partner]]
id = "{id}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.010000"
  service_fee = "0.001000"
  reimbursement = "0.009500"
  prefund_share = "1"
  [[partner.tariff]]
  from = "2026-07-01"
  issue_price = "0.020000"
  service_fee = "0.002000"
  reimbursement = "0.019000"
  prefund_share = "1"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
"""
JUNE, JULY = "2026-06-10T12:00:00Z", "2026-07-10T12:00:00Z"


@pytest.fixture
def house(make_house, tmp_path):
    house = make_house()
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    for name in ("GRO", "BOE"):
        (tmp_path / "terms.toml").write_text(TERMS.format(id=name))
        house.run("partner", "add", name, "--terms", tmp_path / "terms.toml")
        house.run("cert", "issue", name)
    return house.start()


def post(house, partner, path, body):
    with house.connect(partner) as connection:
        answer = connection.post(f"/v1/{path}", body)
        assert answer.status == 201, answer
    return body["message_id"]


def earn(house, partner, member, points, when):
    return post(house, partner, "accruals", accrual(member, points, occurred_at=when))


def spend(house, partner, member, points, when):
    return post(house, partner, "redemptions", message(member=member, points=points, occurred_at=when))


def undo(house, partner, of, when, **fields):
    return post(house, partner, "reversals", message(reverses=of, occurred_at=when, **fields))


def end(house, month):
    """The month is over, eight hours after its end."""
    house.run("clock", "advance", f"2026-{int(month[5:]) + 1:02}-01T08:00:00Z")


def issue(house, month, folder):
    """{(type, partner): (document, folder of its files)}"""
    written = house.json("settle", "invoices", month, "--out", folder)
    documents = [json.loads(open(path, encoding="utf-8").read()) for path in written if path.endswith(".json")]
    return {(each["supply"].partition("_")[0], each["seller" if each["buyer"]["id"] == "house" else "buyer"]["id"]): each
            for each in documents}


def lines_of(document):
    return {(line["flow"], line["tariff"]): line for line in document["lines"]}


def texts(folder, document, name):
    root = ElementTree.parse(folder / f"{document['number']}.xml").getroot()
    return [node.text for node in root.iter() if node.tag.rpartition("}")[2] == name]


def notes(folder, document):
    """Those of lines."""
    root = ElementTree.parse(folder / f"{document['number']}.xml").getroot()
    return [note.text for line in root if line.tag.endswith("Line") for note in line if note.tag.endswith("}Note")]


def references(folder, document):
    root = ElementTree.parse(folder / f"{document['number']}.xml").getroot()
    return [[leaf.text for leaf in node.iter() if not len(leaf)] for node in root
            if node.tag.endswith("}BillingReference")]


def test_a_late_accrual_says_its_month(house, tmp_path):
    earn(house, "GRO", "a", 100, JUNE)
    end(house, "2026-06")
    june = issue(house, "2026-06", tmp_path / "june")["issuance", "GRO"]
    assert all("earlier" not in line for line in june["lines"])
    earn(house, "GRO", "a", 1_000, JULY)
    # The last instant of June in Amsterdam, and the first of July.
    earn(house, "GRO", "a", 333, "2026-06-30T21:59:59.999999Z")
    earn(house, "GRO", "a", 1, "2026-06-30T22:00:00Z")
    end(house, "2026-07")
    shown = house.run("settle", "show", "2026-07", "--json").stdout
    assert house.run("settle", "show", "2026-07", "--json").stdout == shown
    [statement] = json.loads(shown)["documents"]
    document = issue(house, "2026-07", tmp_path / "july")["issuance", "GRO"]
    (old, new), late = sorted({line["tariff"] for line in document["lines"]}), {"price": 3_330_000, "fee": 333_000}
    for lines in (lines_of(statement), lines_of(document)):
        for flow, micro in late.items():
            line = lines[flow, old]
            assert (line["points"], line["exact_micro"]) == (333, micro), "at the tariff of its own day"
            assert line["earlier"] == [{"origin": "2026-06", "kind": "issued", "undoes": False, "points": 333,
                                        "amount_micro": micro}]
            assert lines[flow, new]["points"] == 1_001 and "earlier" not in lines[flow, new]
    assert lines_of(document)["price", old]["net_minor"] == 333 and lines_of(document)["fee", old]["net_minor"] == 33
    assert (document["net_minor"], document["total_minor"]) == (333 + 33 + 2002 + 200, 3107)

    assert notes(tmp_path / "july", document) == ["Of which 333 points of June 2026, late (issued)"] * 2
    assert references(tmp_path / "july", document) == [], "nothing is undone"
    rows = list(csv.DictReader(open(tmp_path / "july" / f"{document['number']}.csv", encoding="utf-8")))
    assert [(row["flow"], row["kind"], row["origin"], row["points"], row["exact"], row["corrects"])
            for row in rows if row["record"] == "late"] == [
        ("price", "issued", "2026-06", "333", "3.330000", ""), ("fee", "issued", "2026-06", "333", "0.333000", "")]
    page = subprocess.run(["pdftotext", "-layout", tmp_path / "july" / f"{document['number']}.pdf", "-"], check=True,
                          capture_output=True, text=True).stdout
    assert page.count("of which 333 points of June 2026, late (issued)") == 2
    assert house.verify("--from-scratch")["ok"]
    house.run("rebuild")
    assert issue(house, "2026-07", tmp_path / "again")["issuance", "GRO"] == document


def test_a_reversal_names_the_invoice(house, tmp_path, wire):  # noqa: F811
    earned, spent = earn(house, "GRO", "a", 1_000, JUNE), spend(house, "BOE", "a", 400, JUNE)
    end(house, "2026-06")
    june = issue(house, "2026-06", tmp_path / "june")
    spend(house, "BOE", "a", 200, JULY)
    undo(house, "BOE", spent, JULY, points=100)
    undo(house, "GRO", earned, JULY, points=300)
    # What is undone in its own month nets there, and names nothing.
    undo(house, "GRO", earn(house, "GRO", "a", 77, JULY), JULY)
    end(house, "2026-07")
    july = issue(house, "2026-07", tmp_path / "july")

    credit, billed = july["issuance", "GRO"], june["issuance", "GRO"]
    assert credit["type"] == "credit_note" and credit["corrects"] is None
    reference = {"number": billed["number"], "issued_on": billed["issued_on"]}
    lines = lines_of(credit)
    old = min(tariff for _, tariff in lines)
    assert lines["price", old]["points"] == 300 and lines["price", old]["net_minor"] == 300
    assert lines["price", old]["earlier"] == [{"origin": "2026-06", "kind": "clawed_back", "undoes": True,
                                               "points": 300, "amount_micro": 3_000_000, "billed_on": reference}]
    assert all("earlier" not in line for (_, tariff), line in lines.items() if tariff != old), "the 77 net"
    words = f"Of which 300 points of June 2026, billed on {billed['number']} (clawed back)"
    assert notes(tmp_path / "july", credit) == [words] * 2
    assert references(tmp_path / "july", credit) == [[billed["number"], billed["issued_on"]]]

    taken, billed = july["redemption", "BOE"], june["redemption", "BOE"]
    assert taken["type"] == "self_billed_invoice" and taken["net_minor"] == 380 - 95
    back = [line for line in taken["lines"] if "earlier" in line]
    assert [(part["origin"], part["kind"], part["points"], part["billed_on"]["number"])
            for line in back for part in line["earlier"]] == [("2026-06", "refunded", -100, billed["number"])]
    for partner, document in (("GRO", credit), ("BOE", taken)):
        with house.connect(partner) as connection:
            assert both(connection, f"/v1/documents/{document['number']}", wire.Document)["lines"] == document["lines"]
    assert references(tmp_path / "july", taken) == [[billed["number"], billed["issued_on"]]]
    assert notes(tmp_path / "july", taken) == [
        f"Of which −100 points of June 2026, billed on {billed['number']} (refunded)"]
    rows = list(csv.DictReader(open(tmp_path / "july" / f"{taken['number']}.csv", encoding="utf-8")))
    assert [(row["origin"], row["points"], row["corrects"]) for row in rows if row["record"] == "undone"] == [
        ("2026-06", "-100", billed["number"])]
    assert house.verify("--from-scratch")["ok"]


def test_what_is_not_billed_yet_names_its_month_alone(house, tmp_path):
    earned = earn(house, "GRO", "a", 1_000, JUNE)
    end(house, "2026-06")
    earn(house, "GRO", "b", 900, JULY)
    undo(house, "GRO", earned, JULY, points=300)
    end(house, "2026-07")
    house.run("settle", "draft", "2026-07", "--as-both")
    issue(house, "2026-06", tmp_path / "june")
    # June was billed since: the draft that two people approved is issued as they saw it.
    july = issue(house, "2026-07", tmp_path / "july")["issuance", "GRO"]
    parts = [part for line in july["lines"] for part in line.get("earlier", [])]
    assert [(part["origin"], part["points"], "billed_on" in part) for part in parts] == [("2026-06", -300, False)] * 2
    assert references(tmp_path / "july", july) == []


def test_a_debt_that_is_repaid_names_the_invoice_too(house, tmp_path):
    earned = earn(house, "GRO", "a", 100, JUNE)
    spend(house, "BOE", "a", 100, JUNE)
    end(house, "2026-06")
    june = issue(house, "2026-06", tmp_path / "june")["issuance", "GRO"]
    undo(house, "GRO", earned, JULY)  # spent: the member owes it, and the issuer waits
    end(house, "2026-07")
    assert ("issuance", "GRO") not in issue(house, "2026-07", tmp_path / "july")
    # Late, and it repays the debt: each side has its own month.
    earn(house, "BOE", "a", 60, "2026-07-20T12:00:00Z")
    end(house, "2026-08")
    august = issue(house, "2026-08", tmp_path / "august")
    parts = [part for line in august["issuance", "GRO"]["lines"] for part in line["earlier"]]
    assert [(part["origin"], part["kind"], part["undoes"], part["points"], part["billed_on"]["number"])
            for part in parts] == [("2026-06", "recovered", True, 60, june["number"])] * 2
    parts = [part for line in august["issuance", "BOE"]["lines"] for part in line["earlier"]]
    assert {(part["origin"], part["kind"], part["undoes"]) for part in parts} == {("2026-07", "issued", False)}


def test_a_late_reversal_of_a_late_accrual_nets(house, tmp_path):
    earn(house, "GRO", "a", 1, JUNE)
    end(house, "2026-06")
    issue(house, "2026-06", tmp_path / "june")
    late = earn(house, "GRO", "b", 500, "2026-06-20T12:00:00Z")
    undo(house, "GRO", late, "2026-06-21T12:00:00Z", points=200)
    end(house, "2026-07")
    july = issue(house, "2026-07", tmp_path / "july")["issuance", "GRO"]
    [price] = [line for line in july["lines"] if line["flow"] == "price"]
    assert (price["points"], price["net_minor"]) == (300, 300)
    assert [(part["kind"], part["points"], part["undoes"]) for part in price["earlier"]] == [
        ("issued", 500, False), ("clawed_back", -200, False)], "July booked both: nothing of June's invoice is undone"
    assert references(tmp_path / "july", july) == []

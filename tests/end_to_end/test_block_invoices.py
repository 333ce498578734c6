"""Blocks that a partner buys ahead are invoiced: paid when they were bought, at their own VAT, once."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from messages import accrual
from test_settlement import money

NOON = "2026-06-11T12:00:00Z"
TERMS = """
[[partner]]
id = "TNK"
roles = ["issuer"]
billing = "prepaid"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  prefund_share = "1"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee"]
  treatment = "taxed"
  rate_bp = 2100
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["block"]
  treatment = "taxed"
  rate_bp = 900
"""


@pytest.fixture
def tank(make_house, tmp_path):
    """A serving house of one prepaid partner and one postpaid, in June 2026."""
    house = make_house()
    house.init("--currency", "EUR")
    (tmp_path / "terms.toml").write_text(TERMS)
    house.run("partner", "add", "TNK", "--terms", tmp_path / "terms.toml")
    house.run("partner", "add", "GRO", "--standard")
    for name in ("TNK", "GRO", "operator:anna"):
        house.run("cert", "issue", name)
    house.start()
    house.run("clock", "advance", "2026-06-10T10:00:00Z")
    return house


def issued(house, window, folder):
    house.run("settle", "invoices", window, "--out", folder / window)
    return {path.stem: json.loads(path.read_text()) for path in sorted((folder / window).glob("*.json"))}


def blocks(documents):
    return {number: document for number, document in documents.items() if document["supply"] == "block_purchase"}


def test_a_block_is_invoiced_once_and_nothing_is_due(tank, tmp_path):
    tank.run("partner", "buy-block", "TNK", "--points", "5000")
    bought = money(tank)
    assert bought == {"cash:trust": 50_000_000, "cash:operating": 9_950_000, "prepaid_block:TNK": -50_000_000,
                      "prepaid_fee:TNK": -5_000_000, "vat:output": -4_950_000}
    with tank.connect("TNK") as connection, tank.connect("GRO") as other:
        assert connection.post("/v1/accruals", accrual("M1", 100, occurred_at=NOON)).status == 201
        assert other.post("/v1/accruals", accrual("M1", 1000, occurred_at=NOON)).status == 201
    tank.run("clock", "advance", "2026-07-01T10:00:00Z")
    tank.run("partner", "buy-block", "TNK", "--points", "1000", "--price", "0.02", "--fee", "0")

    june = issued(tank, "2026-06", tmp_path)
    assert sorted(june) == ["INV-2026-000001", "INV-2026-000002"]
    [(number, invoice)] = blocks(june).items()
    assert (invoice["net_minor"], invoice["vat_minor"], invoice["total_minor"]) == (55_00, 4_95, 59_95)
    assert [(line["flow"], line["points"], line["net_minor"], line["vat_rate_basis_points"])
            for line in invoice["lines"]] == [("price", 5000, 50_00, 900), ("fee", 5000, 5_00, 900)]
    assert invoice["from"] == invoice["to"] == invoice["due_on"] == "2026-06-10"
    xml = ElementTree.parse(tmp_path / "2026-06" / f"{number}.xml").getroot()
    total = next(node for node in xml if node.tag.endswith("LegalMonetaryTotal"))
    amounts = {node.tag.rpartition("}")[2]: node.text for node in total}
    assert (amounts["PrepaidAmount"], amounts["PayableAmount"]) == ("59.95", "0.00")
    assert (tmp_path / "2026-06" / f"{number}.pdf").read_bytes().startswith(b"%PDF")
    assert "ar:TNK" not in money(tank), "it was booked when it was bought"

    [row] = [row for row in tank.json("settle", "documents", "2026-06") if row["number"] == number]
    assert row["open_minor"] == 0
    assert "paid" in tank.run("settle", "credit", number, "--reason", "x", status=1).stderr
    assert "paid" in tank.run("dispute", "open", number, "--line", "1", "--amount", "1.00", "--reason", "PRI",
                              "--evidence", "x", status=1).stderr
    nets = tank.json("settle", "net", "2026-06")
    assert number not in nets["documents"] and [row["partner"] for row in nets["payments"]] == ["GRO"]
    with tank.connect("TNK") as connection:
        assert connection.get(f"/v1/documents/{number}").json["total_minor"] == 59_95

    tank.run("clock", "advance", "2026-08-01T10:00:00Z")
    [(later, invoice)] = blocks(issued(tank, "2026-07", tmp_path)).items()
    assert later == "INV-2026-000003"
    assert [(line["flow"], line["net_minor"]) for line in invoice["lines"]] == [("price", 20_00)]
    again = tmp_path / "again"
    assert issued(tank, "2026-06", again) == june, "settled again it is the same"
    assert tank.verify("--from-scratch")["ok"]


def test_a_block_without_a_row_bears_no_vat(make_house, tmp_path):
    house = make_house()
    house.init("--currency", "EUR")
    (tmp_path / "terms.toml").write_text(TERMS.replace('flows = ["block"]', 'flows = ["donation"]'))
    house.run("partner", "add", "TNK", "--terms", tmp_path / "terms.toml")
    house.run("cert", "issue", "operator:anna")
    house.start()
    house.run("clock", "advance", "2026-06-10T10:00:00Z")
    house.run("partner", "buy-block", "TNK", "--points", "100")
    house.run("clock", "advance", "2026-07-01T10:00:00Z")
    [invoice] = issued(house, "2026-06", tmp_path).values()
    assert (invoice["net_minor"], invoice["vat_minor"]) == (1_10, 0)
    assert invoice["lines"][0]["vat_category"] == "O"
    house.run("settle", "net", "2026-06")
    assert house.json("settle", "nets", "2026-06")["settled"], "there is nothing to pay"

"""Prices that hold their VAT: what is owed is points × price to the cent, and the VAT comes out of the house's margin."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from fractions import Fraction

import pytest
from test_close import checks_of
from test_documents_by_type import both, wire  # noqa: F401
from test_export import assert_beancount_agrees, assert_hledger_agrees
from test_settlement import money

from messages import accrual, message

TERMS = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
credit_limit = "220.00"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.010000"
  service_fee = "0.000700"
  reimbursement = "0.009500"
  prefund_share = "1/2"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
  price = "gross"
[[partner]]
id = "TNK"
roles = ["issuer", "redeemer"]
billing = "prepaid"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.010000"
  service_fee = "0.001000"
  reimbursement = "0.008000"
  prefund_share = "1"
  expiry = { months = 1, at = "day" }
  breakage = { operator = 1, issuer = 1 }
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "block", "breakage_shared"]
  treatment = "taxed"
  rate_bp = 900
  price = "gross"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
[[partner]]
id = "CHA"
roles = ["charity"]
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["donation"]
  treatment = "taxed"
  rate_bp = 2100
  price = "gross"
"""


def rounded(exact):
    whole = abs(exact) + Fraction(1, 2)
    return (1 if exact >= 0 else -1) * (whole.numerator // whole.denominator)


def expected(amounts, basis_points):
    """(net, VAT, owed) in cents of amounts in millionths whose price holds the VAT."""
    owed = sum(rounded(Fraction(amount, 10_000)) for amount in amounts)
    net = rounded(Fraction(owed * 10_000, 10_000 + basis_points))
    return net, rounded(Fraction(net * basis_points, 10_000)), owed


@pytest.fixture
def coalition(make_house, tmp_path):
    house = make_house()
    house.init("--currency", "EUR")
    terms = tmp_path / "terms.toml"
    terms.write_text(TERMS)
    for name in ("GRO", "TNK", "CHA"):
        house.run("partner", "add", name, "--terms", terms)
        house.run("cert", "issue", name)
    house.run("cert", "issue", "operator:anna")
    house.start()
    house.run("clock", "advance", "2026-06-05T10:00:00Z")
    return house


def issued(house, window, folder):
    house.run("settle", "invoices", window, "--out", folder)
    documents = {}
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        partner = document["payee"] if document["payer"] == "house" else document["payer"]
        documents[partner, document["supply"]] = document
    return documents


def figures(document):
    return document["net_minor"], document["vat_minor"], document["total_minor"]


def settle(house, window):
    for row in house.json("settle", "nets", window)["payments"]:
        house.run("settle", "paid", window, row["partner"], Decimal(row["open_minor"]).scaleb(-2), "--evidence", "bank")


def hard_closed(house, window):
    house.run("close", "soft", window)
    house.run("close", "hard", window)


def test_a_month_of_gross_prices(coalition, tmp_path, wire):
    house = coalition
    house.run("partner", "buy-block", "TNK", "--points", "5000")
    # 55.00 at 9 % are 50.46 and 4.54, of which 0.41 lies in the fee's 5.00.
    assert money(house) == {
        "cash:trust": 50_000_000, "cash:operating": 5_000_000, "prepaid_block:TNK": -50_000_000,
        "prepaid_fee:TNK": -5_000_000, "vat:output": -4_540_000, "revenue:service_fee": 410_000,
        "revenue:redemption_margin": 4_130_000}
    when = {"occurred_at": "2026-06-10T12:00:00Z"}
    with house.connect("GRO") as grocer, house.connect("TNK") as tank:
        assert grocer.post("/v1/accruals", accrual("a", 10_003) | when).status == 201
        assert tank.post("/v1/accruals", accrual("b", 1_001) | when).status == 201
        assert tank.post("/v1/redemptions", message(member="a", points=2_347) | when).status == 201
        assert grocer.post("/v1/redemptions", message(member="b", points=333) | when).status == 201
        assert grocer.post("/v1/donations", message(member="a", points=77, charity="CHA") | when).status == 201
        # The limit counts what is owed, with no VAT on top: 57.00, 12.12 spent, and 150.00 of 0.0057 a point.
        left = (220_000_000 - 10_003 * 5_700 - (2_347 + 77) * 5_000) // 5_700
        over = grocer.post("/v1/accruals", accrual("a", left + 1) | when)
        assert (over.status, over.json["code"]) == (422, "issuer_unfunded")
        assert grocer.post("/v1/accruals", accrual("c", left) | when).status == 201
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    shown = house.json("settle", "show", "2026-06")
    nets = {row["partner"]: row["net_minor"] for row in shown["partners"]}

    documents = issued(house, "2026-06", tmp_path / "june")
    points = 10_003 + left
    prices = [points * 5_000 + (2_347 + 77) * 5_000, points * 700]
    assert figures(documents["GRO", "issuance_statement"]) == expected(prices, 2100)
    assert figures(documents["GRO", "redemption_statement"]) == expected([333 * 9_500], 2100)
    assert figures(documents["CHA", "donation_statement"]) == expected([77 * 10_000], 2100)
    assert figures(documents["TNK", "block_purchase"]) == (50_46, 4_54, 55_00)
    net = rounded(Fraction(2_347 * 8_000, 10_000))
    assert figures(documents["TNK", "redemption_statement"]) == (
        net, rounded(Fraction(net * 21, 100)), net + rounded(Fraction(net * 21, 100))), "its price is net"
    assert nets["GRO"] == (documents["GRO", "redemption_statement"]["total_minor"]
                           - documents["GRO", "issuance_statement"]["total_minor"])

    for path in (tmp_path / "june").glob("*.xml"):
        document = json.loads(path.with_suffix(".json").read_text())
        totals = {node.tag.rpartition("}")[2]: Decimal(node.text)
                  for node in next(node for node in ElementTree.parse(path).getroot()
                                   if node.tag.endswith("LegalMonetaryTotal"))}
        owed = Decimal(document["total_minor"]).scaleb(-2)
        assert totals["PayableAmount"] == owed - totals.get("PrepaidAmount", 0)
        assert totals["TaxInclusiveAmount"] + totals.get("PayableRoundingAmount", 0) == owed
    # The VAT of the block and of what GRO bought came out of what the house earns, and the input VAT came back.
    books = money(house)
    within = [document for document in documents.values()
              if "gross_minor" in document["lines"][0] and document["supply"] != "block_purchase"]
    fee = sum(line["gross_minor"] - line["net_minor"] for document in within for line in document["lines"]
              if line["flow"] == "fee")
    assert books["revenue:service_fee"] == 410_000 + fee * 10_000 - points * 700 - 1_001 * 1_000
    assert checks_of(house, "2026-06")["billed"]["figures"]["difference_micro"] == 0

    invoice = documents["GRO", "issuance_statement"]["number"]
    with house.connect("GRO") as grocer:
        own = both(grocer, f"/v1/documents/{invoice}", wire.Document)
    assert sum(line["gross_minor"] for line in own["lines"]) == own["total_minor"] == own["vat"][0]["gross_minor"]
    credited = house.json("settle", "credit", invoice, "--line", "1", "--points", "333", "--reason", "sold twice")
    house.run("dispute", "open", invoice, "--line", "2", "--amount", "1.00", "--reason", "PRI", "--evidence", "till 4")
    assert checks_of(house, "2026-06")["disputes"]["figures"]["held_micro"] == 1_210_000
    house.run("dispute", "decide", "D-000001", "--agreed", "1.00", "--words", "agreed")
    rows = {row["number"]: row["total_minor"] for row in house.json("settle", "documents")}
    assert sorted(rows[number] for number in rows if number.startswith("CN")) == [1_21, rounded(Fraction(333, 2))]
    assert credited
    house.run("settle", "net", "2026-06")
    settle(house, "2026-06")
    checks = checks_of(house, "2026-06")
    for name in ("billed", "receivables", "payables", "trial_balance", "unexplained"):
        assert checks[name]["state"] == "done", checks[name]
    hard_closed(house, "2026-06")
    assert_hledger_agrees(house, tmp_path)
    assert_beancount_agrees(house, tmp_path)
    gl = tmp_path / "gl.journal"
    house.run("export", "gl", "--format", "hledger", "--window", "2026-06", "--out", gl)
    done = subprocess.run(["hledger", "-f", gl, "check", "--strict"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  \d+ [^\n]*[Mm]argin", gl.read_text(), re.MULTILINE)

    # TNK's points expire: its share of their price goes back with the VAT in it.
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    july = issued(house, "2026-07", tmp_path / "july")
    assert figures(july["TNK", "breakage_statement"]) == expected([(1_001 - 333) * 5_000], 900)
    house.run("settle", "net", "2026-07")
    settle(house, "2026-07")
    hard_closed(house, "2026-07")
    assert house.verify("--from-scratch")["ok"]
    assert_hledger_agrees(house, tmp_path)


def test_the_terms_say_it(coalition, tmp_path):
    rows = coalition.json("partner", "show", "TNK")["vat"]
    assert [row["price"] for row in rows] == ["gross", "net"]
    change = tmp_path / "vat.toml"
    change.write_text('[[vat]]\nfrom = "2026-07-01"\nflows = ["fee"]\ntreatment = "taxed"\nrate_bp = 900\n')
    assert coalition.run("partner", "set-vat", "TNK", change).stdout == "fee from 2026-07-01: taxed S 9.00 %\n"
    change.write_text(change.read_text().replace("07-01", "08-01") + 'price = "gross"\n')
    assert coalition.run("partner", "set-vat", "TNK", change).stdout == (
        "fee from 2026-08-01: taxed S 9.00 %, in the price\n")
    change.write_text('[[vat]]\nfrom = "2026-09-01"\nflows = ["fee"]\ntreatment = "exempt"\nprice = "gross"\n')
    assert "goes with taxed" in coalition.run("partner", "set-vat", "TNK", change, status=1).stderr
    coalition.stop()
    coalition.start()
    assert [row["price"] for row in coalition.json("partner", "show", "TNK")["vat"]] == ["gross", "net", "net", "gross"]

"""What a real house issues in two months, of every kind, in two currencies, before all judges: not a sample of its code."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

import recomputation

sys.path.append(str(Path(__file__).parents[2] / "end_to_end"))

from house import House  # noqa: E402
from messages import accrual, message  # noqa: E402

PARTNER = """
[[partner]]
id = "{id}"
roles = {roles}
billing = "{billing}"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.012346"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "{share}"
  [[partner.tariff]]
  from = "2026-06-15"
  issue_price = "0.013"
  service_fee = "0.001"
  reimbursement = "0.009"
  prefund_share = "{share}"
  [[partner.vat]]
  from = "2026-01-01"
  flows = {taxed}
  treatment = "taxed"
  rate_bp = 2100
  [partner.settlement]
  {settlement}
"""
ALL = '["price", "fee", "reimbursement", "block", "breakage_shared"]'
SHOPS = {
    "ALL": {"taxed": ALL},
    "MIX": {"taxed": '["fee"]'},  # its price is outside the scope: two documents
    "SWE": {"taxed": ALL, "settlement": 'currency = "SEK"'},
    "HAL": {"taxed": ALL, "share": "1/2"},
    "TNK": {"taxed": ALL, "billing": "prepaid"},
}
REST = {"roles": '["issuer", "redeemer"]', "billing": "postpaid", "share": "1", "settlement": ""}


def posted(house, partner, path, body):
    with house.connect(partner) as connection:
        answer = connection.post(f"/v1/{path}", body)
        assert answer.status == 201, answer
    return body["message_id"]


def made(house, folder):
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    for name, terms in SHOPS.items():
        path = folder / f"{name}.toml"
        path.write_text(PARTNER.format(id=name, **(REST | terms)))
        house.run("partner", "add", name, "--terms", path)
    (folder / "CHA.toml").write_text('[[partner]]\nid = "CHA"\nroles = ["charity"]\n')
    house.run("partner", "add", "CHA", "--terms", folder / "CHA.toml")
    terms = PARTNER.format(id="PRE", **(REST | SHOPS["TNK"] | {"roles": '["issuer"]'}))
    (folder / "PRE.toml").write_text("".join(line + "\n" for line in terms.splitlines() if "reimbursement =" not in line))
    house.run("partner", "add", "PRE", "--terms", folder / "PRE.toml")
    for name in (*SHOPS, "PRE", "CHA", "operator:anna"):
        house.run("cert", "issue", name)
    house.start()
    house.run("clock", "advance", "2026-06-01T08:00:00Z")
    house.run("partner", "buy-block", "TNK", "--points", "500000")
    house.run("partner", "buy-block", "PRE", "--points", "1000", "--price", "0.0105", "--fee", "0.0003")
    for waiting in house.json("approve", "list"):
        house.run("approve", waiting["id"], "--as-both")
    return house


def play_june(house):
    """Before and after the change of the tariffs; returns what July undoes."""
    earned, spent = {}, {}
    for day, points in (("2026-06-03", 12_343), ("2026-06-20", 7_777)):
        for shop in SHOPS:
            when = {"occurred_at": f"{day}T10:00:00Z"}
            earned[shop] = posted(house, shop, "accruals", accrual("M1", points, **when))
        for shop in SHOPS:
            when = {"occurred_at": f"{day}T12:00:00Z"}
            spent[shop] = posted(house, shop, "redemptions", accrual("M1", 1_001, **when))
    posted(house, "PRE", "accruals", accrual("M1", 333, occurred_at="2026-06-21T10:00:00Z"))
    posted(house, "ALL", "donations", accrual("M1", 333, charity="CHA", occurred_at="2026-06-21T10:00:00Z"))
    return earned, spent


def play_july(house, earned, spent):
    """More is undone than done; disputes end in a part of a line, some documents are credited in full, PRE leaves."""
    when = {"occurred_at": "2026-07-10T10:00:00Z"}
    for shop in SHOPS:
        posted(house, shop, "reversals", message(reverses=spent[shop], **when))
        posted(house, shop, "reversals", message(reverses=earned[shop], points=5_001, **when))
    for document in house.json("settle", "documents"):
        if document["type"] == "invoice" and document["buyer"] != "TNK" and document["total_minor"] > 100_00:
            house.run("dispute", "open", document["number"], "--line", "1", "--amount", "10.01", "--reason", "PRI",
                      "--evidence", "a letter")
        elif document["type"] == "self_billed_invoice" and document["seller"] in ("ALL", "SWE"):
            house.run("settle", "credit", document["number"], "--reason", "taken twice")
        if document["type"] == "self_billed_invoice":
            billed = "too_much" if document["seller"] == "HAL" else "too_little"
            house.run("dispute", "open", document["number"], "--line", "1", "--amount", "1.01", "--billed", billed,
                      "--reason", "QTY", "--evidence", "a letter")
    for dispute in house.json("dispute", "list"):
        agreed = "7.03" if dispute["net_minor"] > 7_03 else "0.77"
        house.run("dispute", "decide", dispute["dispute"], "--agreed", agreed, "--words", "so much")
    house.run("partner", "exit", "PRE", "--on", "2026-07-12")


def play_september(house):
    """What nobody drew of a block goes back, when nothing of its partner can come any more."""
    house.run("clock", "advance", "2026-09-15T08:00:00Z")
    house.run("partner", "release", "PRE", "--evidence", "bank 1")


@pytest.fixture(scope="module")
def issued(request, tmp_path_factory):
    """{number: document} and the folder with their files."""
    binary = Path(request.config.getoption("--documents-binary")).resolve().parents[2] / "ops" / "pointhouse"
    folder = tmp_path_factory.mktemp("house")
    house = House(binary, folder)
    try:
        made(house, folder)
        undone = play_june(house)
        house.run("clock", "advance", "2026-07-01T08:00:00Z")
        house.run("fx", "set", "2026-06-30", "EUR", "SEK", "11.2345")
        house.run("settle", "invoices", "2026-06", "--out", folder / "issued")
        play_july(house, *undone)
        house.run("clock", "advance", "2026-08-01T08:00:00Z")
        house.run("fx", "set", "2026-07-31", "EUR", "SEK", "11.3")
        house.run("settle", "invoices", "2026-07", "--out", folder / "issued")
        play_september(house)
        house.run("clock", "advance", "2026-10-01T08:00:00Z")
        for window in ("2026-08", "2026-09"):
            house.run("settle", "invoices", window, "--out", folder / "issued")
        assert house.verify("--from-scratch")["ok"]
        numbers = {row["number"] for row in house.json("settle", "documents")}
    finally:
        house.kill()
    documents = {path.stem: json.loads(path.read_text()) for path in (folder / "issued").glob("*.json")}
    assert set(documents) == numbers, "every document was written"
    return documents, folder / "issued"


@pytest.fixture(scope="module")
def invoices(issued):
    return sorted(issued[1].glob("*.xml"))


def wrong(findings):
    return {name: found for name, found in findings.items() if found}


def test_it_issued_every_kind(issued):
    documents = issued[0].values()
    kinds = Counter((document["type_code"], document["currency"]) for document in documents)
    assert set(kinds) == {(code, currency) for code in (261, 380, 381, 389) for currency in ("EUR", "SEK")} | {(0, "EUR")}
    assert {document["supply"] for document in documents} >= {"block_purchase", "issuance_statement"}, kinds
    of_mix = {document["lines"][0]["vat_category"] for document in documents
              if document["buyer"]["id"] == "MIX" and document["window"] == "2026-06"}
    assert of_mix == {"S", "O"}, "one document may not say both"
    crowns = [document for document in documents if document["currency"] == "SEK"]
    assert {document["accounting"]["currency"] for document in crowns if document["seller"]["id"] == "house"} == {"EUR"}
    assert any(document["corrects"] for document in crowns)
    undone = {(document["type_code"], document["currency"]) for document in documents for line in document["lines"]
              for part in line.get("earlier", []) if "billed_on" in part}
    assert undone >= {(code, currency) for code in (261, 381) for currency in ("EUR", "SEK")}, "July undoes June's"
    further = [document for document in documents if document["type_code"] == 389 and document["corrects"]]
    assert {document["currency"] for document in further} == {"EUR", "SEK"}, "billed too little before"
    assert [document["supply"] for document in documents if document["buyer"]["id"] == "PRE" and document["corrects"]] == [
        "block_purchase"]


def test_the_schema_accepts_them(schema, invoices):
    assert not wrong(schema.findings(invoices))


def test_en_16931_accepts_them(rules, invoices):
    assert not wrong(rules.en_16931(invoices))


def test_peppol_accepts_them(rules, invoices):
    assert not wrong(rules.peppol(invoices))


def test_our_recomputation_accepts_them(invoices):
    assert not wrong({path.name: recomputation.findings(path.read_bytes(), path.with_suffix(".json").read_text())
                      for path in invoices})

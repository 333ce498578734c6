"""When VAT becomes chargeable: at the end of the month, at the issue of the document, or with its payment."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from test_documents_by_type import both, wire  # noqa: F401

from messages import accrual, message

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
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee"]
  treatment = "taxed"
  rate_bp = 2100
  tax_point = "{point}"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
"""
HIGHER = """
[[vat]]
from = "2026-07-15"
flows = ["price", "fee", "reimbursement"]
treatment = "taxed"
rate_bp = 2500
"""


@pytest.fixture
def house(make_house, tmp_path):
    """June is over; its documents are not made yet."""
    house = make_house()
    house.init("--currency", "EUR")
    for name, point in (("GRO", "issue"), ("TNK", "payment")):
        (tmp_path / "terms.toml").write_text(TERMS.format(id=name, point=point))
        house.run("partner", "add", name, "--terms", tmp_path / "terms.toml")
        house.run("cert", "issue", name)
    house.start()
    when = {"occurred_at": "2026-06-10T12:00:00Z"}
    with house.connect("GRO") as grocer, house.connect("TNK") as tank:
        for partner in (grocer, tank):
            assert partner.post("/v1/accruals", accrual("a", 10_000) | when).status == 201
        assert tank.post("/v1/redemptions", message(member="a", points=2_000) | when).status == 201
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    return house


def rates(documents):
    return {document["number"]: document["vat"][0]["rate_basis_points"] for document in documents}


def texts(path, name):
    return [node.text for node in ElementTree.parse(path).getroot().iter() if node.tag.rpartition("}")[2] == name]


def raise_rate(house, folder):
    (folder / "vat.toml").write_text(HIGHER)
    for name in ("GRO", "TNK"):
        house.run("partner", "set-vat", name, folder / "vat.toml")


def test_the_day_of_the_issue_decides(house, tmp_path, wire):  # noqa: F811
    house.run("settle", "draft", "2026-06", "--as-both")
    raise_rate(house, tmp_path)
    house.run("clock", "advance", "2026-07-20T08:00:00Z")
    refused = house.run("settle", "issue", "2026-06", status=1).stderr
    assert "the VAT of 2026-06 is another on the day of its issue" in refused
    assert house.json("settle", "documents") == []

    house.run("settle", "draft", "2026-06", "--as-both")
    house.run("settle", "issue", "2026-06")
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "june")
    documents = [json.loads(path.read_text()) for path in sorted((tmp_path / "june").glob("*.json"))]
    # What was taken is supplied at the month's end, and taxed as then.
    assert rates(documents) == {"INV-2026-000001": 2500, "INV-2026-000002": 2500, "SB-TNK-2026-000001": 2100}
    assert {document["number"]: document["lines"][0].get("tax_point") for document in documents} == {
        "INV-2026-000001": "issue", "INV-2026-000002": "payment", "SB-TNK-2026-000001": None}
    assert {path.stem: (texts(path, "TaxPointDate"), texts(path, "DescriptionCode"))
            for path in (tmp_path / "june").glob("*.xml")} == {
        "INV-2026-000001": ([], ["3"]), "INV-2026-000002": ([], ["432"]),
        "SB-TNK-2026-000001": (["2026-06-30"], [])}
    assert texts(tmp_path / "june" / "INV-2026-000002.xml", "Note")[0] == "Cash accounting."
    with house.connect("GRO") as grocer:
        own = both(grocer, "/v1/documents/INV-2026-000001", wire.Document)
    assert own["vat"][0]["tax_point"] == "issue"

    credited = house.json("settle", "credit", "INV-2026-000001", "--line", "1", "--points", "100", "--reason", "twice")
    [credit] = [row for row in house.json("settle", "documents") if row["number"] == credited["number"]]
    assert credit["total_minor"] == 125
    before = house.json("settle", "show", "2026-06")
    house.run("clock", "advance", "2026-08-05T08:00:00Z")
    assert house.json("settle", "show", "2026-06") == before
    house.stop()
    house.start()
    assert house.json("settle", "show", "2026-06") == before
    # What is known of June later is taxed as its documents were.
    house.run("settle", "restate", "2026-06", "--out", tmp_path / "restated")
    restated = json.loads((tmp_path / "restated" / "2026-06-version-2.json").read_text())
    assert {(row["flow"], row["vat_rate_basis_points"]) for row in restated["lines"]} == {
        ("price", 2500), ("fee", 2500), ("reimbursement", 2100)}
    assert house.verify("--from-scratch")["ok"]


def test_a_draft_whose_rate_stays_is_issued_on_a_later_day(house, tmp_path):
    house.run("settle", "draft", "2026-06", "--as-both")
    raise_rate(house, tmp_path)
    house.run("clock", "advance", "2026-07-14T23:59:59Z")
    house.run("settle", "issue", "2026-06")
    assert {row["issued_on"] for row in house.json("settle", "documents")} == {"2026-07-14"}
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "june")
    documents = [json.loads(path.read_text()) for path in (tmp_path / "june").glob("*.json")]
    assert set(rates(documents).values()) == {2100}
    house.run("clock", "advance", "2026-07-20T08:00:00Z")
    shown = {document["number"]: document["vat_minor"] for document in house.json("settle", "show", "2026-06")["documents"]}
    assert shown == {document["number"]: document["vat_minor"] for document in documents}
    assert house.verify("--from-scratch")["ok"]


def test_a_tax_point_that_cannot_be_is_refused(house, tmp_path):
    file = tmp_path / "vat.toml"
    for row, reason in (('flows = ["fee"]\nrate_bp = 1\ntreatment = "taxed"\ntax_point = "order"', "none of period_end"),
                        ('flows = ["block"]\nrate_bp = 1\ntreatment = "taxed"\ntax_point = "issue"', "when it is paid"),
                        ('flows = ["fee"]\ntreatment = "out_of_scope"\ntax_point = "payment"', "out of scope there is none")):
        file.write_text(f'[[vat]]\nfrom = "2026-08-01"\n{row}\n')
        assert reason in house.run("partner", "set-vat", "GRO", file, status=1).stderr
    assert [row["tax_point"] for row in house.json("partner", "show", "GRO")["vat"]] == ["issue", "period_end"]

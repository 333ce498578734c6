"""Months that come to billions, and rates that come to more: settled, or refused before anything is recorded."""

import json

import pytest

from messages import accrual

TERMS = """
[[partner]]
id = "{id}"
roles = ["issuer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "{price}"
  service_fee = "0"
  prefund_share = "1"
  [partner.settlement]
  {settlement}
"""


def a_month(house, folder, currency, price, points, settlement=""):
    """One issuer's month, over and not settled yet."""
    terms = folder / "terms.toml"
    terms.write_text(TERMS.format(id="BIG", price=price, settlement=settlement))
    house.init("--currency", currency)
    house.run("partner", "add", "BIG", "--terms", terms)
    for name in ("BIG", "operator:anna"):
        house.run("cert", "issue", name)
    house.start()
    with house.connect("BIG") as big:
        for number, each in enumerate(points):
            sent = accrual(f"member-{number}", each, occurred_at="2026-06-10T10:00:00Z")
            assert big.post("/v1/accruals", sent).status == 201
    return house


def is_alive(house):
    """It answers, its record reads back, and it starts again."""
    house.json("approve", "list")
    house.json("close", "show", "2026-06")
    assert house.verify("--from-scratch")["ok"]
    house.stop()
    house.start()


@pytest.mark.parametrize(("currency", "price", "points"), [
    ("IDR", "10", [10 ** 9, 1]),              # ten thousand million and ten: half a million euros
    ("VND", "200", [10 ** 9] * 2),
    ("EUR", "1000", [500_000_000])])
def test_a_month_of_billions_is_settled(make_house, tmp_path, currency, price, points):
    house = a_month(make_house(), tmp_path, currency, price, points)
    house.run("clock", "advance", "2026-07-02T00:00:00Z")
    house.run("settle", "draft", "2026-06")
    written = house.json("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    [document] = [json.loads(open(path).read()) for path in written if path.endswith(".json")]
    minor = 1 if currency == "VND" else 100
    assert document["total_minor"] == sum(points) * int(price) * minor
    house.run("settle", "net", "2026-06")
    is_alive(house)


def test_a_rate_that_no_document_bears_is_refused(make_house, tmp_path):
    house = a_month(
        make_house(), tmp_path, "EUR", "1000", [500_000_000], settlement='currency = "IDR"')
    assert "at most 1000000000" in house.run(
        "fx", "set", "2026-06-30", "EUR", "IDR", "1000000000.000001", status=1).stderr
    house.run("fx", "set", "2026-06-30", "EUR", "IDR", "150000.5")
    house.run("clock", "advance", "2026-07-02T00:00:00Z")
    refused = house.run("settle", "draft", "2026-06", status=1).stderr
    assert "BIG" in refused and "IDR" in refused, refused
    is_alive(house)


def test_collateral_at_a_rate_that_is_the_wrong_way_round_is_refused(make_house, tmp_path):
    house = a_month(make_house(), tmp_path, "EUR", "1", [100])
    house.run("fx", "set", "2026-06-01", "EUR", "IDR", "0.000057")
    for amount in ("1000000000.00", "9000000000000.00"):
        house.run("settle", "collateral", "BIG", amount, "--currency", "IDR", "--evidence", "x", status=1)
    assert "too much" in house.run(
        "settle", "collateral", "BIG", "300000000000.00", "--evidence", "x", status=1).stderr
    assert not house.json("settle", "collateral")
    house.run("clock", "advance", "2026-07-02T00:00:00Z")
    house.run("settle", "show", "2026-06")
    is_alive(house)

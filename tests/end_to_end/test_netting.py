"""Netting: each method, another currency, limits, on the worked example of NETTING.md with the house between all."""

import csv
import io

import netting_example as example
import pytest

from test_settlement import money


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    """The example's month, issued; stopped, to be copied."""
    house = example.coalition(make_house(), tmp_path_factory.mktemp("example"), limits={"D": "2000.67", "E": "29998.97"})
    house.json("settle", "invoices", "2026-06", "--out", tmp_path_factory.mktemp("documents"))
    house.stop()
    return house


def nets_of(shown):
    nets = {}
    for row in shown["payments"]:
        nets[row["partner"]] = nets.get(row["partner"], 0) + row["net_minor"]
    return nets


def settle_all(house, window="2026-06"):
    """Pay-ins first, as the house wants them; returns what was paid in and out."""
    moved = {True: 0, False: 0}
    for row in sorted(house.json("settle", "nets", window)["payments"], key=lambda row: row["net_minor"]):
        due = row.get("paid_in", row)
        if due["open_minor"]:
            house.run("settle", "paid", window, row["partner"], example.decimal(due["open_minor"]), "--evidence", "a test")
        moved[due["open_minor"] < 0] += abs(due["open_minor"])
    return moved[True], moved[False]


@pytest.mark.parametrize("method", ["gross", "bilateral", "multilateral"])
def test_each_method_moves_what_it_says(copy_house, played, method):
    house = copy_house(played)
    shown = house.json("settle", "net", "2026-06", "--method", method)
    assert shown["method"] == method
    assert nets_of(shown) == example.NETS
    value = example.GROSS if method == "gross" else example.MULTILATERAL
    assert (shown["due_in_minor"], shown["due_out_minor"], shown["house_share_minor"]) == (value, value, 0)
    assert len(shown["payments"]) == (10 if method == "gross" else 5)
    references = [row["reference"] for row in shown["payments"]]
    assert len(set(references)) == len(references)

    statement = house.json("settle", "statement", "2026-06")
    assert statement["clearing_minor"] == 0
    parties = {party["party"]: party for party in statement["parties"]}
    assert {name: parties[name]["net_minor"] for name in example.NAMES} == example.NETS
    for name in example.NAMES:
        effects = [document["effect_minor"] for document in parties[name]["documents"]]
        owed_to = sum(row.get(name, 0) for row in example.OWED.values())
        assert sorted(effects) == [-sum(example.OWED[name].values()), owed_to]
        assert all(document["gross_minor"] == abs(document["effect_minor"]) for document in parties[name]["documents"])
    rows = list(csv.DictReader(io.StringIO(house.run("settle", "statement", "2026-06", "--csv").stdout)))
    assert sum(row["record"] == "document" for row in rows) == 2 * 10
    assert "clearing account 0.00" in house.run("settle", "statement", "2026-06").stdout

    waiting = house.run("settle", "payments", "2026-06", "--out", house.data / "early.xml", status=1)
    assert "wait for its pay-ins" in waiting.stderr
    assert settle_all(house) == (value, value)
    after = house.json("settle", "nets", "2026-06")
    assert after["settled"] and after["clearing_minor"] == 0
    assert (after["paid_in_minor"], after["paid_out_minor"]) == (value, value)
    assert {account: amount for account, amount in money(house).items()
            if account.partition(":")[0] in ("ar", "ap") or account == "cash:operating"} == {}
    assert house.verify("--from-scratch")["ok"]


def test_the_pay_outs_of_each_method_are_one_file(copy_house, played, tmp_path):
    house = copy_house(played)
    house.run("settle", "net", "2026-06", "--method", "gross")
    for row in house.json("settle", "nets", "2026-06")["payments"]:
        if row["net_minor"] < 0:
            house.run("settle", "paid", "2026-06", row["partner"], example.decimal(row["net_minor"]), "--evidence", "bank")
    house.run("settle", "payments", "2026-06", "--out", tmp_path / "payments.xml")
    order = (tmp_path / "payments.xml").read_text()
    assert "<NbOfTxs>5</NbOfTxs>" in order and "<CtrlSum>645002.45</CtrlSum>" in order
    assert "PH-2026-06-A-OUT" in order and "PH-2026-06-A-IN" not in order


def test_who_owes_more_than_its_limit_is_shown(copy_house, played):
    house = copy_house(played)
    shown = house.json("settle", "net", "2026-06")
    # D owes exactly its limit of 2,000.67, E a cent more than its own.
    assert shown["over_limit"] == [{"partner": "E", "net_debit_minor": 29_998_98, "limit_minor": 29_998_97}]
    assert "E owes 29998.98, more than its limit of 29998.97" in house.run("settle", "nets", "2026-06").stdout


def test_another_currency_at_a_recorded_rate(copy_house, played):
    house = copy_house(played)
    assert "fx set" in house.run("settle", "net", "2026-06", "--pay-in", "USD", status=1).stderr
    house.run("fx", "set", "2026-06-26", "EUR", "USD", "0.85")
    for wrong in (("2026-06-26", "EUR", "USD", "0.86"), ("2026-06-26", "USD", "EUR", "1.17"),
                  ("2026-06-31", "EUR", "USD", "1"), ("2026-06-27", "EUR", "EUR", "1"),
                  ("2026-06-27", "EUR", "USD", "0"), ("2026-06-27", "EUR", "USD", "-1"),
                  ("2026-06-27", "EUR", "XXX", "1"), ("2026-06-27", "EUR", "USD", "0.1234567")):
        assert house.run("fx", "set", *wrong, status=1).stderr
    assert "not come yet" in house.run("fx", "set", "2199-01-01", "EUR", "USD", "0.85", status=1).stderr
    assert [row["rate"] for row in house.json("fx", "list")] == ["0.850000"]
    refused = house.run("settle", "net", "2026-06", "--pay-in", "USD", "--method", "gross", status=1)
    assert "gross" in refused.stderr
    shown = house.json("settle", "net", "2026-06", "--pay-in", "USD")
    assert nets_of(shown) == example.NETS
    assert {row["partner"]: row["paid_in"]["net_minor"] for row in shown["payments"]} == example.IN_DOLLARS
    assert {row["paid_in"]["rate"] for row in shown["payments"]} == {"EUR-USD-2026-06-26"}

    too_much = house.run("settle", "paid", "2026-06", "D", "-2000.67", "--evidence", "euro", status=1)
    assert "-1700.57 left" in too_much.stderr
    house.run("settle", "paid", "2026-06", "D", "-0.57", "--evidence", "a part")
    assert settle_all(house) == (1_700_00 + 25_499_13, 27_199_70)
    assert house.json("settle", "nets", "2026-06")["settled"]
    books = money(house)
    assert {account: amount for account, amount in books.items() if account.partition(":")[0] in ("ar", "ap")} == {}
    # Each payment at 0.85, to the cent of the euro; what the claims were worth more or less is the difference.
    cash = sum(round_half_up(-amount * 100, 85) for name, amount in example.IN_DOLLARS.items() if name != "D")
    cash += round_half_up(57 * 100, 85) + round_half_up(1_700_00 * 100, 85)
    assert books.get("cash:operating", 0) == cash * 10_000
    assert books.get("exchange", 0) == -cash * 10_000
    assert house.verify("--from-scratch")["ok"]


def round_half_up(dividend, divisor):
    sign = -1 if dividend < 0 else 1
    return sign * ((2 * abs(dividend) + divisor) // (2 * divisor))


def test_netting_refuses_what_it_does_not_know(copy_house, played):
    house = copy_house(played)
    assert "gross, bilateral or multilateral" in house.run(
        "settle", "net", "2026-06", "--method", "daily", status=1).stderr
    assert "below zero" in house.run("settle", "net", "2026-06", "--minimum=-1", status=1).stderr
    assert "not netted yet" in house.run("settle", "statement", "2026-06", status=1).stderr
    house.run("settle", "net", "2026-06", "--minimum", "9999.74")
    left = nets_of(house.json("settle", "nets", "2026-06"))
    assert left == {name: net for name, net in example.NETS.items() if abs(net) >= 9_999_74}


def test_a_month_without_business_is_netted_in_words(make_house, tmp_path):
    house = make_house().make("GRO").start()
    house.run("clock", "advance", "2026-06-02T08:00:00Z")
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    house.run("settle", "invoices", "2026-06", "--out", tmp_path)
    assert house.run("settle", "net", "2026-06").stdout == "multilateral netting: nothing is to be paid\n"

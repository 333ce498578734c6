"""A partner does not pay: collateral, the next window, losses shared by contract; the figures of NETTING.md."""

import netting_example as example
import pytest

from test_netting import nets_of, settle_all
from test_settlement import money


@pytest.fixture(scope="module")
def make_played(make_house, tmp_path_factory):
    """Copies of the example's month, issued, for each set of partners that share losses."""
    made = {}

    def make(mutualised):
        if mutualised not in made:
            house = example.coalition(make_house(), tmp_path_factory.mktemp("example"), mutualised)
            house.json("settle", "invoices", "2026-06", "--out", tmp_path_factory.mktemp("documents"))
            house.stop()
            made[mutualised] = house
        return made[mutualised]

    return make


def subsidiary(house):
    return {account: amount for account, amount in money(house).items()
            if account.partition(":")[0] in ("ar", "ap", "collateral")}


def control_ties(house):
    [control] = house.json("report", "ageing")["control"]
    return control["difference_micro"] == 0


def next_month(house):
    """July, in which nothing happens, closed and issued."""
    house.start()
    house.run("clock", "advance", "2026-08-01T08:00:00Z")
    house.json("settle", "invoices", "2026-07", "--out", house.data / "july")
    return house.json("settle", "net", "2026-07")


def test_a_loss_is_shared_where_all_agreed(copy_house, make_played):
    house = copy_house(make_played("ABCDE"))
    house.run("settle", "net", "2026-06")
    assert "a reason" in house.run("settle", "default", "2026-06", "E", status=1).stderr
    preview = house.json("settle", "default", "2026-06", "E", "--reason", "insolvent", "--preview")
    assert {row["partner"]: row["share_minor"] for row in preview["loss_shares"]} == example.LOSSES
    assert nets_of(house.json("settle", "nets", "2026-06")) == example.NETS, "a preview records nothing"

    taken = house.json("settle", "default", "2026-06", "E", "--reason", "insolvent")
    assert taken == preview
    assert (taken["receivable_minor"], taken["house_bears_minor"], taken["collateral_minor"]) == (29_998_98, 0, 0)
    left = {name: net - example.LOSSES.get(name, 0) for name, net in example.NETS.items()} | {"E": 0}
    assert nets_of(house.json("settle", "nets", "2026-06")) == left
    assert "nothing to pay in" in house.run("settle", "default", "2026-06", "E", "--reason", "again", status=1).stderr
    assert "wait for its pay-ins" in house.run(
        "settle", "payments", "2026-06", "--out", house.data / "x.xml", status=1).stderr, "D is still to pay"

    assert settle_all(house) == (2_000_67, 2_000_67)
    assert money(house).get("cash:operating", 0) == 0
    assert subsidiary(house) == {"ar:E": 29_998_98 * 10_000} | {
        f"ap:{name}": -loss * 10_000 for name, loss in example.LOSSES.items()}
    july = next_month(house)
    assert nets_of(july) == {"E": -29_998_98} | example.LOSSES
    settle_all(house, "2026-07")
    assert subsidiary(house) == {}
    assert house.verify("--from-scratch")["ok"]


def test_without_such_contracts_the_house_bears_it(copy_house, make_played):
    house = copy_house(make_played(""))
    house.run("settle", "net", "2026-06")
    taken = house.json("settle", "default", "2026-06", "E", "--reason", "late")
    assert (taken["receivable_minor"], taken["house_bears_minor"], taken["loss_shares"]) == (29_998_98, 29_998_98, [])
    shown = house.json("settle", "nets", "2026-06")
    assert nets_of(shown) == example.NETS | {"E": 0}
    assert shown["house_share_minor"] == 29_998_98
    assert settle_all(house) == (2_000_67, 31_999_65)
    assert house.json("settle", "nets", "2026-06")["clearing_minor"] == 0
    assert money(house)["cash:operating"] == -29_998_98 * 10_000
    assert nets_of(next_month(house)) == {"E": -29_998_98}


def test_collateral_is_drawn_first_then_who_agreed_shares(copy_house, make_played):
    house = copy_house(make_played("AC"))
    for wrong, reason in ((("E", "0"), "collateral"), (("E", "-1"), "0.00 of collateral"), (("X", "1"), "X"),
                          (("E", "many"), "many"), (("E",), "how much")):
        refused = house.run("settle", "collateral", *wrong, "--evidence", "bank", status=1)
        assert reason in refused.stderr, refused
    assert "--evidence" in house.run("settle", "collateral", "E", "1", status=1).stderr
    house.run("settle", "collateral", "E", "15000.00", "--evidence", "bank 7")
    assert house.json("settle", "collateral") == [{"partner": "E", "held_minor": 15_000_00, "currency": "EUR"}]
    house.run("settle", "net", "2026-06")
    house.run("settle", "paid", "2026-06", "E", "-9998.98", "--evidence", "bank 8")
    taken = house.json("settle", "default", "2026-06", "E", "--reason", "insolvent")
    # 20,000.00 are missing. By positions of A, B and C: 1,562.47, 1,562.41 and 1,875.12 of 5,000.00; B did not agree.
    assert taken["collateral_minor"] == 15_000_00
    assert taken["loss_shares"] == [{"partner": "A", "share_minor": 1_562_47}, {"partner": "C", "share_minor": 1_875_12}]
    assert (taken["receivable_minor"], taken["house_bears_minor"]) == (5_000_00, 1_562_41)
    assert house.json("settle", "collateral") == []
    settle_all(house)
    assert subsidiary(house) == {"ar:E": 5_000_00 * 10_000, "ap:A": -1_562_47 * 10_000, "ap:C": -1_875_12 * 10_000}
    assert control_ties(house)
    assert nets_of(next_month(house)) == {"E": -5_000_00, "A": 1_562_47, "C": 1_875_12}
    assert house.verify("--from-scratch")["ok"]


def test_paid_gross_its_own_pay_out_comes_first(copy_house, make_played):
    house = copy_house(make_played(""))
    house.run("settle", "net", "2026-06", "--method", "gross")
    taken = house.json("settle", "default", "2026-06", "E", "--reason", "insolvent")
    owed, due = sum(example.OWED["E"].values()), sum(row.get("E", 0) for row in example.OWED.values())
    assert (taken["set_off_minor"], taken["receivable_minor"]) == (due, owed - due)
    house.run("settle", "paid", "2026-06", "E", "0.01", "--evidence", "x", status=1)
    settle_all(house)
    assert subsidiary(house) == {"ar:E": (owed - due) * 10_000}
    assert house.json("settle", "nets", "2026-06")["settled"]


def test_unwinding_leaves_everybody_else_as_they_were(copy_house, make_played):
    house = copy_house(make_played("ABCDE"))
    house.run("settle", "net", "2026-06")
    before = money(house)
    assert "a reason" in house.run("settle", "unwind", "2026-06", "E", status=1).stderr
    house.run("settle", "unwind", "2026-06", "E", "--reason", "a court says so")
    # The house is the other side of every document: nobody's net changes but the partner's own.
    assert nets_of(house.json("settle", "nets", "2026-06")) == example.NETS | {"E": 0}
    assert money(house) == before
    house.run("settle", "paid", "2026-06", "D", "-0.01", "--evidence", "x")
    assert "settled already" in house.run("settle", "unwind", "2026-06", "D", "--reason", "x", status=1).stderr
    assert nets_of(next_month(house)) == {"E": -29_998_98}
    assert house.verify("--from-scratch")["ok"]


def test_in_production_two_people_take_a_default(make_house, tmp_path):
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    (tmp_path / "terms.toml").write_text(example.terms())
    house.run("partner", "add", "E", "--terms", tmp_path / "terms.toml", *anna)
    house.run("approve", house.json("approve", "list")[0]["id"], *bob)

    brought = ("settle", "collateral", "E", "100.00", "--evidence", "bank 1")
    assert "--operator CERT" in house.run(*brought, status=1).stderr
    assert "waits for another operator" in house.run(*brought, *anna).stdout
    assert house.json("settle", "collateral") == []
    house.run("approve", house.json("approve", "list")[0]["id"], *bob)
    house.run(*brought, *anna)
    assert house.json("settle", "collateral")[0]["held_minor"] == 100_00
    assert money(house) == {"cash:operating": 100_000_000, "collateral:E": -100_000_000}
    for command in (("default", "2026-06", "E", "--reason", "x"), ("unwind", "2026-06", "E", "--reason", "x")):
        assert "--operator CERT" in house.run("settle", *command, status=1).stderr
        assert "not netted yet" in house.run("settle", *command, *anna, status=1).stderr

    (tmp_path / "settlement.toml").write_text('[settlement]\nmutualised = true\nnet_debit_limit = "5.00"\n')
    changing = ("partner", "set-settlement", "E", tmp_path / "settlement.toml")
    house.run(*changing, *anna)
    assert house.json("partner", "show", "E")["settlement"]["mutualised"] is False
    house.run("approve", house.json("approve", "list")[0]["id"], *bob)
    assert house.json("partner", "show", "E")["settlement"] == {
        "currency": "", "net_debit_limit": "5.000000", "mutualised": True}
    assert house.verify("--from-scratch")["ok"]

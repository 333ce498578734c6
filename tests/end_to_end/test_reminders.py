"""Who is late gets a letter, each level once; what is disputed or set off is not asked for."""

from datetime import date, timedelta

import pytest

from test_settlement import closed


def advance(house, day):
    house.run("clock", "advance", f"{day}T12:00:00Z")


@pytest.fixture
def late(make_house, tmp_path):
    """June, issued; due on 14 July 2026: GRO owes 5.43, BOE 0.67."""
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    return house


def reminded(house, folder, *arguments):
    shown = house.json("settle", "remind", "--out", folder, *arguments)
    return [(row["number"], row["partner"], row["level"], row["amount_minor"]) for row in shown["reminders"]]


GRO = "INV-2026-000001", "GRO"
BOE = "INV-2026-000002", "BOE"


def test_each_level_once_and_none_left_out(late, tmp_path):
    advance(late, "2026-07-20")
    assert reminded(late, tmp_path / "letters") == [], "six days late"
    assert not (tmp_path / "letters").exists(), "a folder for nobody"
    advance(late, "2026-07-21")
    dry = late.json("settle", "remind", "--dry-run")
    assert [row["level"] for row in dry["reminders"]] == [1, 1] and not dry["recorded"] and dry["files"] == []
    assert list(tmp_path.glob("reminder*")) == []
    assert reminded(late, tmp_path) == [(*GRO, 1, 543), (*BOE, 1, 67)]
    assert sorted(path.name for path in tmp_path.glob("reminder*")) == [
        f"reminder-2026-07-21-{partner}.{form}" for partner in ("BOE", "GRO") for form in ("pdf", "txt")]
    letter = (tmp_path / "reminder-2026-07-21-GRO.txt").read_text()
    assert "Please pay 5.43 EUR by 28 July 2026." in letter and "INV-2026-000001" in letter
    assert "Fee" not in letter
    assert (tmp_path / "reminder-2026-07-21-GRO.pdf").read_bytes().startswith(b"%PDF-")
    assert reminded(late, tmp_path) == [], "once"
    late.stop()
    late.start()
    assert reminded(late, tmp_path) == [], "once, also after a restart"
    advance(late, "2026-09-01")
    assert [level for _, _, level, _ in reminded(late, tmp_path)] == [2, 2], "none is left out"
    assert reminded(late, tmp_path) == [], "a week lies between"
    advance(late, "2026-09-08")
    assert [level for _, _, level, _ in reminded(late, tmp_path)] == [3, 3]
    advance(late, "2026-12-08")
    assert reminded(late, tmp_path) == [], "there is no fourth"
    assert late.verify("--from-scratch")["ok"]


def test_what_is_disputed_is_not_asked_for(late, tmp_path):
    advance(late, "2026-07-13")
    late.run("dispute", "open", *GRO[:1], "--line", "1", "--amount", "1.00", "--reason", "QTY", "--evidence", "till 4")
    advance(late, "2026-07-21")
    assert reminded(late, tmp_path) == [(*GRO, 1, 543 - 121), (*BOE, 1, 67)]


def test_what_a_net_sets_off_is_not_asked_for(late, tmp_path):
    late.run("settle", "net", "2026-06")
    advance(late, "2026-07-21")
    # GRO pays 1.40 of its 5.43; BOE gets money.
    assert reminded(late, tmp_path) == [(*GRO, 1, 140)]
    late.run("settle", "paid", "2026-06", "GRO", "-1.00", "--evidence", "bank")
    advance(late, "2026-08-04")
    assert reminded(late, tmp_path) == [(*GRO, 2, 40)]
    late.run("settle", "paid", "2026-06", "GRO", "-0.40", "--evidence", "bank")
    advance(late, "2026-08-25")
    assert reminded(late, tmp_path) == []


def test_days_that_are_named(late, tmp_path):
    advance(late, "2026-07-21")
    assert "still to come" in late.run(
        "settle", "remind", "--as-of", "2026-07-22", "--out", tmp_path, status=1).stderr
    assert "a day" in late.run("settle", "remind", "--as-of", "soon", "--out", tmp_path, status=1).stderr
    assert "--out DIR" in late.run("settle", "remind", status=1).stderr
    ahead = late.json("settle", "remind", "--dry-run", "--as-of", "2026-08-20")["reminders"]
    assert {(row["level"], row["days_late"]) for row in ahead} == {(1, 37)}
    assert reminded(late, tmp_path, "--as-of", "2026-07-20") == []
    rows = late.json("settle", "remind", "--as-of", "2026-07-21", "--out", tmp_path)["reminders"]
    assert {row["pay_by"] for row in rows} == {(date(2026, 7, 21) + timedelta(7)).isoformat()}

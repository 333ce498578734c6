"""The calendar, the soft and the hard close: what a finance team looks at, and what is shut for ever."""

import contextlib
import json
import re
import sqlite3
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import bank_statement
import june_2026 as june
import pytest

from messages import accrual, message
from test_operator_routes import later, production  # noqa: F401
from test_settlement import closed, money

CHECKS = ["cut_off", "earlier_windows", "documents", "billed", "sent", "bank_rows", "paid", "clearing", "disputes",
          "receivables", "payables", "trial_balance", "unexplained"]


def checks_of(house, window):
    return {row["check"]: row for row in house.json("close", "show", window)["checks"]}


def open_checks(house, window):
    return {name for name, row in checks_of(house, window).items() if row["state"] == "open"}


def settled(house, folder):
    """June issued and netted, its one pay-in and its pay-outs matched."""
    house.run("settle", "invoices", "2026-06", "--out", folder / "documents")
    house.run("settle", "net", "2026-06")
    pay_in, pay_out = folder / "in.xml", folder / "out.xml"
    pay_in.write_text(bank_statement.statement(1, 50_00, [{"minor": 140, "text": "PH-2026-06-GRO"}]))
    pay_out.write_text(bank_statement.statement(2, 51_40, [
        {"minor": -minor, "end_to_end": f"PH-2026-06-{partner}"}
        for partner, minor in (("BOE", 278), ("TNK", 242), ("CHA", 100))], day="2026-07-15"))
    for path in (pay_in, pay_out):
        house.run("bank", "import", path)
        house.run("bank", "match")
    return house


TINY = """
[[partner]]
id = "{id}"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "{price}"
  service_fee = "0.001000"
  reimbursement = "0.004000"
  prefund_share = "1"
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["fee", "reimbursement"]
  treatment = "taxed"
  rate_bp = 2100
[[partner]]
id = "CHA"
roles = ["charity"]
"""


def test_what_rounds_to_no_document_is_not_in_the_way(make_house, tmp_path):
    """A fee of 0.4 cents beside a price that bears no VAT; donations of three brands of a third of a cent each."""
    house = make_house()
    house.init()
    terms = tmp_path / "terms.toml"
    for name in ("ONE", "TWO", "SIX", "CHA"):
        terms.write_text(TINY.format(id=name if name != "CHA" else "ONE", price="0.003500" if name == "SIX" else "0.004000"))
        house.run("partner", "add", name, "--terms", terms)
        house.run("cert", "issue", name)
    house.start()
    when = "2026-06-10T12:00:00Z"
    for name in ("ONE", "TWO", "SIX"):
        with house.connect(name) as brand:
            assert brand.post("/v1/accruals", accrual(f"M-{name}", 4, occurred_at=when)).status == 201
            given = message(member=f"M-{name}", points=1, charity="CHA", occurred_at=when)
            assert brand.post("/v1/donations", given).status == 201
    with house.connect("TWO") as redeemer:
        assert redeemer.post("/v1/redemptions", accrual("M-ONE", 1, occurred_at=when)).status == 201
    house.run("clock", "advance", "2026-07-01")
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    assert {row["total_minor"] for row in house.json("settle", "documents")} == {1, 2}
    # Fees of 12 points, and what was given: 4 + 4 + 3.5; and what was spent: 4. All in thousandths.
    assert checks_of(house, "2026-06")["billed"]["figures"] == {
        "accrued_micro": 73_500, "billed_micro": 46_000, "too_small_micro": 27_500, "difference_micro": 0}
    house.run("settle", "net", "2026-06")
    for row in house.json("settle", "nets", "2026-06")["payments"]:
        house.run("settle", "paid", "2026-06", row["partner"], Decimal(row["net_minor"]).scaleb(-2), "--evidence", "bank")
    house.run("close", "soft", "2026-06")
    house.run("close", "hard", "2026-06")
    assert house.verify("--from-scratch")["ok"]


# The calendar.


def easter(year):
    """Gauss, with Lichtenberg's corrections; the house computes it another way."""
    a, k = year % 19, year // 100
    m = 15 + (3 * k + 3) // 4 - (8 * k + 13) // 25
    s = 2 - (3 * k + 3) // 4
    d = (19 * a + m) % 30
    r = (d + a // 11) // 29
    og = 21 + d - r
    sz = 7 - (year + year // 4 + s) % 7
    return date(year, 3, 1) + timedelta(days=og + 7 - (og - sz) % 7 - 1)


def is_business_day(day):
    sunday = easter(day.year)
    closed_on = {date(day.year, 1, 1), sunday - timedelta(2), sunday + timedelta(1), date(day.year, 5, 1),
                 date(day.year, 12, 25), date(day.year, 12, 26)}
    return day.weekday() < 5 and day not in closed_on


def following(day):
    while not is_business_day(day):
        day += timedelta(1)
    return day


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Pacific/Kiritimati", "UTC"])
def test_dates_are_those_of_another_computation(make_house, zone):
    house = make_house()
    house.init("--time-zone", zone)
    for year in (2024, 2026, 2027, 2028, 2036):
        shown = house.json("calendar", "show", "--year", year)
        assert shown["time_zone"] == zone
        assert [each["window"] for each in shown["windows"]] == [f"{year}-{month:02}" for month in range(1, 13)]
        for month, row in enumerate(shown["windows"], 1):
            first = date(year + month // 12, month % 12 + 1, 1)
            midnight = datetime(first.year, first.month, 1, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
            assert row["cut_off"] == midnight.strftime("%Y-%m-%dT%H:%M:%SZ")
            last = first - timedelta(1)
            assert row["billing_on"] == following(first).isoformat()
            assert row["due_on"] == row["pay_on"] == following(last + timedelta(14)).isoformat()
        assert len(shown["closing_days"]) == 6
        assert all(not is_business_day(date.fromisoformat(day)) for day in shown["closing_days"])


def test_clocks_change_within_a_year(make_house):
    """By hand: Amsterdam 29 March and 25 October 2026, New York 8 March and 1 November."""
    house = make_house()
    house.init("--time-zone", "Europe/Amsterdam")
    cuts = [row["cut_off"] for row in house.json("calendar", "show", "--year", 2026)["windows"]]
    assert cuts[1:3] == ["2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"]
    assert cuts[8:10] == ["2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"]
    house = make_house()
    house.init("--time-zone", "America/New_York")
    cuts = [row["cut_off"] for row in house.json("calendar", "show", "--year", 2026)["windows"]]
    assert cuts[1:3] == ["2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"]
    # The window of October ends at midnight between two clocks: they change two hours later.
    assert cuts[9:11] == ["2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"]
    assert [row["cut_off"] for row in house.json("calendar", "show", "--year", 2028)["windows"]][1] == (
        "2028-03-01T05:00:00Z")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Europe/Dublin", "Australia/Lord_Howe"])
def test_clocks_are_changed_after_2037_too(make_house, zone):
    """Time-zone files list changes until 2037 and end in a rule; Python has its own reader of it."""
    house = make_house()
    house.init("--time-zone", zone)
    for year in (2030, 2036, 2037, 2038, 2039, 2040, 2047, 2050, 2056, 2060):
        for month, row in enumerate(house.json("calendar", "show", "--year", year)["windows"], start=1):
            after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(zone))
            assert row["cut_off"] == after.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), (zone, year, month)


LATER = """[calendar]
from = "2026-07"
billing_days = 3
payment_days = 30
pay_days = 2
roll = "preceding"
"""


def test_terms_begin_with_a_window_and_stay(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    path = tmp_path / "calendar.toml"
    for wrong in (LATER.replace("2026-07", "2026-06"), LATER.replace("2026-07", "2026-05"), LATER.replace('"2026-07"', "7"),
                  LATER.replace("30", "61"), LATER.replace("= 3\n", "= 0\n"), LATER.replace("preceding", "backwards"),
                  LATER.replace("pay_days = 2", "pay_days = -1"), LATER.replace("pay_days = 2", 'pay_days = "2"'),
                  LATER + "more = 1\n", LATER + "[more]\n", "", "[calendar", "[calendar]\n", "calendar = 1\n"):
        path.write_text(wrong)
        refused = house.run("calendar", "set", path, status=1)
        assert refused.stderr and not refused.stdout, wrong
    house.run("calendar", "set", tmp_path / "none.toml", status=1)
    assert house.run("calendar", "show", "--year", "1969", status=None).returncode != 0
    assert house.json("calendar", "show", "--year", 2026)["terms"] == [
        {"from": "1970-01", "billing_days": 1, "payment_days": 14, "pay_days": 0, "objection_days": 14,
         "roll": "following"}]

    path.write_text(LATER)
    house.run("calendar", "set", path)
    assert "begins later" in house.run("calendar", "set", path, status=1).stderr
    rows = {row["window"]: row for row in house.json("calendar", "show", "--year", 2026)["windows"]}
    assert rows["2026-06"]["due_on"] == "2026-07-14"
    # 30 days after 31 July is a Sunday; two days more, and none of them business days, go back again.
    assert rows["2026-07"]["billing_on"] == "2026-08-03"
    assert (rows["2026-07"]["due_on"], rows["2026-07"]["pay_on"]) == ("2026-08-28", "2026-08-28")

    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M9", 500, occurred_at="2026-07-20T10:00:00Z")).status == 201
    house.run("clock", "advance", "2026-08-03T08:00:00Z")
    settled(house, tmp_path)
    house.run("settle", "invoices", "2026-07", "--out", tmp_path / "july")
    due = {row["number"]: row["due_on"] for row in house.json("settle", "documents")}
    assert {due[number] for number in due if "2026-06" in number} <= {"2026-07-14"}
    july = [row for row in house.json("settle", "documents", "2026-07")]
    assert july and {row["due_on"] for row in july} == {"2026-08-28"}
    assert house.verify("--from-scratch")["ok"]


def test_a_late_payment_file_is_for_a_business_day(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    house.run("settle", "paid", "2026-06", "GRO", "-1.40", "--evidence", "bank")
    house.run("clock", "advance", "2026-12-24T23:30:00Z")  # Christmas Day in Amsterdam
    house.run("settle", "payments", "2026-06", "--out", tmp_path / "payments.xml")
    assert re.search(r"<ReqdExctnDt>\s*<Dt>2026-12-28</Dt>", (tmp_path / "payments.xml").read_text())


# The close.


def test_june_is_closed_for_ever(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    assert list(checks_of(house, "2026-06")) == CHECKS
    assert open_checks(house, "2026-06") == {"documents", "billed", "sent", "paid", "clearing", "unexplained"}
    assert "not soft-closed" in house.run("close", "hard", "2026-06", status=1).stderr
    assert "window close" in house.run("close", "soft", "2026-07", status=1).stderr
    assert "no window" in house.run("close", "show", "2026-05", status=1).stderr
    assert house.run("close", "show", "June", status=1).stderr

    settled(house, tmp_path)
    checks = checks_of(house, "2026-06")
    assert open_checks(house, "2026-06") == {"sent", "self_billed"}
    assert checks["documents"]["figures"] == {"drafts": 6, "issued": 6}
    # JUNE-2026, journal: unbilled 4.488 + 0.55, accrued 3.325 + 2.85 + 1.00, breakage share 2.00.
    assert checks["billed"]["figures"] == {"accrued_micro": 14_213_000, "billed_micro": 14_213_000, "too_small_micro": 0,
                                           "difference_micro": 0}
    assert checks["clearing"]["figures"] == {
        "paid_in_micro": 1_400_000, "house_share_micro": 4_800_000, "paid_out_micro": 6_200_000, "difference_micro": 0}
    for row in house.json("settle", "documents", "2026-06"):
        house.run("settle", "sent", row["number"], "--to", "a desk")
        if row["object_by"]:
            house.run("settle", "answer", row["number"], "accepted")
    assert open_checks(house, "2026-06") == set()

    assert house.json("close", "soft", "2026-06") == {"window": "2026-06", "close": "soft"}
    assert "already" in house.run("close", "soft", "2026-06", status=1).stderr
    assert house.json("close", "reopen", "2026-06", "--reason", "a look")["close"] == "open"
    assert "not soft-closed" in house.run("close", "reopen", "2026-06", "--reason", "a look", status=1).stderr
    house.run("close", "soft", "2026-06")
    assert house.run("close", "reopen", "2026-06", status=None).returncode != 0, "no reason"
    shown = house.json("close", "hard", "2026-06")
    assert shown == {"window": "2026-06", "close": "hard"}
    assert [(each["id"], each["state"], each["close"]) for each in house.json("window", "list")] == [
        ("2026-06", "settled", "hard"), ("2026-07", "open", "open")]

    before = money(house)
    refusals = [("close", "reopen", "2026-06", "--reason", "please"), ("close", "hard", "2026-06"),
                ("close", "soft", "2026-06"), ("settle", "draft", "2026-06"), ("settle", "issue", "2026-06"),
                ("settle", "issue", "2026-06", "--reason", "please"), ("settle", "net", "2026-06"),
                ("settle", "net", "2026-06", "--reason", "please"), ("bank", "unmatch", "1", "--reason", "please")]
    for command in refusals:
        refused = house.run(*command, status=1)
        assert refused.stderr, command
    assert "for ever" in house.run(*refusals[0], status=1).stderr
    for command in refusals[3:8]:
        assert "hard-closed" in house.run(*command, status=1).stderr, command
    assert money(house) == before
    assert house.verify("--from-scratch")["ok"]
    house.stop()
    assert house.verify()["ok"]


def test_a_closed_window_gives_the_same_bytes(make_house, tmp_path):
    house = settled(closed(make_house(), tmp_path), tmp_path)
    house.run("close", "soft", "2026-06")
    house.run("close", "hard", "2026-06")

    def restated(folder):
        written = house.json("settle", "invoices", "2026-06", "--out", folder)
        texts = {path.rpartition("/")[2]: open(path, "rb").read() for path in written}
        for name, command in {
                "show": ("settle", "show", "2026-06", "--json"), "nets": ("settle", "nets", "2026-06", "--json"),
                "roll": ("report", "roll-forward", "--window", "2026-06", "--json"),
                "notice": ("report", "redemption-notice", "--window", "2026-06", "--json"),
                "gl": ("export", "gl", "--format", "hledger", "--window", "2026-06"),
                "beancount": ("export", "gl", "--format", "beancount", "--window", "2026-06")}.items():
            texts[name] = house.run(*command).stdout.encode()
        return texts

    first = restated(tmp_path / "first")
    # Life goes on: messages, a late accrual of June's, a correction, a new tariff's month.
    with house.connect("GRO") as gro, house.connect("BOE") as boe:
        assert gro.post("/v1/accruals", accrual("M1", 77, occurred_at="2026-07-16T09:00:00Z")).status == 201
        assert gro.post("/v1/accruals", accrual("M1", 5, occurred_at="2026-06-29T09:00:00Z")).status == 201
        assert boe.post("/v1/redemptions", message(
            member="M1", points=50, occurred_at="2026-07-17T09:00:00Z")).status == 201
    house.run("settle", "credit", "INV-2026-000002", "--reason", "an error")
    [correction] = [row for row in house.json("settle", "documents") if row["number"] == "CN-2026-000002"]
    assert correction["window"] == "2026-07", "what is wrong in June is corrected in July"
    house.run("clock", "advance", "2026-08-03T09:00:00Z")
    house.run("settle", "invoices", "2026-07", "--out", tmp_path / "july")
    house.stop()
    house.start()
    assert restated(tmp_path / "second") == first
    assert house.verify("--from-scratch")["ok"]


def test_after_a_soft_close_entries_need_a_reason(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    waiting = house.json("settle", "draft", "2026-06", "--as-both")
    assert waiting["approved"]
    house.run("close", "soft", "2026-06")
    before = money(house)
    assert "--reason" in house.run("settle", "issue", "2026-06", status=1).stderr
    assert "soft-closed" in house.run("settle", "invoices", "2026-06", "--out", tmp_path / "x", status=1).stderr
    assert money(house) == before and house.json("settle", "documents") == []
    assert house.json("settle", "issue", "2026-06", "--reason", "the tax office asked")["issued"] == 6
    assert "--reason" in house.run("settle", "net", "2026-06", status=1).stderr
    house.run("settle", "net", "2026-06", "--reason", "the same")
    # A cent is missing: to give it up is an entry of June's, to take the money is not.
    path = tmp_path / "short.xml"
    path.write_text(bank_statement.statement(1, 50_00, [{"minor": 139, "text": "PH-2026-06-GRO"}]))
    house.run("bank", "import", path)
    held = house.json("bank", "match", "--tolerance", "0.05")
    assert held["matches"] == [] and "--reason" in held["held_back"][0]["reason"]
    assert "write_off" not in money(house)
    assert len(house.json("bank", "match", "--tolerance", "0.05", "--reason", "a cent")["matches"]) == 1
    assert money(house)["write_off"] == 10_000
    assert house.verify("--from-scratch")["ok"]


def test_what_the_bank_returns_is_taken_after_a_hard_close(make_house, tmp_path):
    house = settled(closed(make_house(), tmp_path), tmp_path)
    house.run("close", "soft", "2026-06")
    house.run("close", "hard", "2026-06")
    [match, *_] = house.json("bank", "match")["matches"] or [None]
    assert match is None
    before = money(house)
    for row in json.loads(house.run("bank", "rows", "--json").stdout):
        assert row["open_minor"] == 0
    refused = [house.run("bank", "unmatch", entry, "--reason", "x", status=1).stderr for entry in range(1, 60)]
    assert sum("hard-closed" in each for each in refused) == 4, "one pay-in, three pay-outs"
    assert money(house) == before
    # BOE's account is gone: its money comes back, and is owed again. That is of the day on which it came.
    path = tmp_path / "back.xml"
    path.write_text(bank_statement.statement(
        3, 45_20, [{"minor": 278, "end_to_end": "PH-2026-06-BOE", "return_reason": "AC04"}], day="2026-07-20"))
    house.run("bank", "import", path)
    assert len(house.json("bank", "match")["matches"]) == 1
    assert money(house)["ap:BOE"] == -2_780_000
    assert house.verify("--from-scratch")["ok"]


def test_what_no_rule_matches_is_booked_by_hand(make_house, tmp_path):
    """A charge of the bank and a payment without a word would hold the close up for ever."""
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    path = tmp_path / "charges.xml"
    path.write_text(bank_statement.statement(
        1, 50_00, [{"minor": -15, "text": "charges"}, {"minor": 100, "text": "see you"}], day="2026-06-29"))
    house.run("bank", "import", path)
    assert house.json("bank", "match")["matches"] == []
    before = money(house)

    def refused(*arguments):
        return house.run("bank", *arguments, "--reason", "x", status=1).stderr

    assert "no account for this" in refused("write-off", 1, "cash:trust")
    assert "less that is open" in refused("write-off", 1, "bank_charges", "--amount=-0.16")
    assert "row 1 of the bank is paid out: its amounts are below zero" in refused(
        "write-off", 1, "bank_charges", "--amount", "0.15")
    assert "not zero" in refused("write-off", 1, "bank_charges", "--amount", "0")
    assert "row 3" in refused("write-off", 3, "bank_charges")
    assert "PH-2026-06-XXX is not open" in refused("assign", 2, "PH-2026-06-XXX")
    assert "less that is open" in refused("assign", 2, "PH-2026-06-GRO", "--amount", "1.01")
    assert "PH-2026-06-TNK is paid out" in refused("assign", 2, "PH-2026-06-TNK")
    for command in [("write-off", 1, "bank_charges"), ("assign", 2, "PH-2026-06-GRO"), ("unmatch", 1)]:
        assert "takes words" in house.run("bank", *command, "--reason", "  ", status=2).stderr
    assert money(house) == before

    charge = house.json("bank", "write-off", 1, "bank_charges", "--reason", "the bank's fee")
    assert money(house)["bank_charges"] == 150_000
    assert money(house)["cash:operating"] == before.get("cash:operating", 0) - 150_000
    assert "not open" in refused("write-off", 1, "bank_charges")
    house.run("bank", "assign", 2, "PH-2026-06-GRO", "--reason", "they said so on the phone")
    owing = {row["partner"]: row for row in house.json("settle", "nets", "2026-06")["payments"]}["GRO"]
    assert owing["net_minor"] == -140 and owing["settled_minor"] == -100
    assert house.json("bank", "rows", "--open") == []
    uses = [row["matches"] for row in house.json("bank", "rows")]
    assert uses[0] == [{"match": charge["id"], "amount_minor": -15, "written_off_to": "bank_charges"}]
    assert [(use["pays"], use["amount_minor"]) for use in uses[1]] == [("PH-2026-06-GRO", 100)]
    assert f"match {charge['id']}: -0.15 written off to bank_charges\n" in house.run("bank", "rows").stdout

    house.run("bank", "unmatch", charge["id"], "--reason", "it was not theirs")
    assert house.json("bank", "rows")[0]["matches"] == []
    assert "bank_charges" not in money(house)
    assert [row["row"] for row in house.json("bank", "rows", "--open")] == [1]
    house.run("bank", "write-off", 1, "write_off", "--reason", "nobody knows")
    assert money(house)["write_off"] == 150_000
    assert house.verify("--from-scratch")["ok"]


def test_what_stands_in_the_way(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("close", "soft", "2026-06")
    refused = house.run("close", "hard", "2026-06", status=1).stderr
    assert "paid, clearing" in refused and "sent" not in refused
    house.run("settle", "net", "2026-06", "--reason", "it was forgotten")
    assert "paid, clearing" in house.run("close", "hard", "2026-06", status=1).stderr
    # Money of June that nobody has found a place for.
    path = tmp_path / "june.xml"
    path.write_text(bank_statement.statement(1, 50_00, [{"minor": 12_34, "text": "whose?"}], day="2026-06-29"))
    house.run("bank", "import", path)
    row = checks_of(house, "2026-06")["bank_rows"]
    assert (row["state"], row["figures"]) == ("open", {"open_rows": 1, "open_micro": 12_340_000})
    assert "bank_rows" in house.run("close", "hard", "2026-06", status=1).stderr
    assert [each["close"] for each in house.json("window", "list")] == ["soft", "open"]
    # July cannot be closed before June.
    house.run("clock", "advance", "2026-08-03T08:00:00Z")
    house.run("close", "soft", "2026-07")
    assert checks_of(house, "2026-07")["earlier_windows"]["figures"] == {"not_closed": 1}
    assert "earlier_windows" in house.run("close", "hard", "2026-07", status=1).stderr


def test_both_figures_of_the_control_accounts_are_seen(make_house, tmp_path, request):
    """What documents come to, and the account in the ledger: as a person reads them, and by how much they differ."""
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")

    def tied():
        checks = checks_of(house, "2026-06")
        words = {line.split()[0]: " ".join(line.split()[1:])
                 for line in house.run("close", "show", "2026-06").stdout.splitlines()[1:]}
        return {name: (list(checks[name]["figures"].values()), words[name]) for name in ("receivables", "payables")}

    # JUNE-2026, invoices: GRO 5.43 and BOE 0.67; the house owes 4.03, 3.45, 1.00 and 2.42.
    accounts = money(house)
    assert sum(amount for account, amount in accounts.items() if account.startswith("ar:")) == 6_100_000
    assert tied() == {
        "receivables": ([6_100_000, 0, 6_100_000, 0],
                        "done documents 6.100000, brought_along 0.000000, ledger 6.100000, difference 0.000000"),
        "payables": ([10_900_000, 0, 10_900_000, 0],
                     "done documents 10.900000, brought_along 0.000000, ledger 10.900000, difference 0.000000")}

    house.stop()
    wrong = "UPDATE {}house_line SET amount_micro = amount_micro + 1230000 WHERE account = 'ar:BOE' AND amount_micro = 670000"
    if house.store == "sqlite":
        with contextlib.closing(sqlite3.connect(house.data / "books.db")) as books, books:
            assert books.execute(wrong.format("")).rowcount == 1
    else:
        request.getfixturevalue("postgres").query(house.store.rpartition("/")[2], wrong.format("books."))
    figures, words = tied()["receivables"]
    assert figures == [6_100_000, 0, 7_330_000, 1_230_000]
    assert words == "OPEN documents 6.100000, brought_along 0.000000, ledger 7.330000, difference 1.230000"
    assert tied()["payables"][1].startswith("done")
    house.run("close", "soft", "2026-06")
    assert "receivables" in house.run("close", "hard", "2026-06", status=1).stderr
    house.run("rebuild")
    assert tied()["receivables"][0] == [6_100_000, 0, 6_100_000, 0]


def test_a_disputed_part_does_not_hold_the_close_up(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("dispute", "open", "INV-2026-000001", "--line", "1", "--amount", "1.00", "--reason", "QTY",
              "--evidence", "till 4")
    house.run("settle", "net", "2026-06")
    checks = checks_of(house, "2026-06")
    assert checks["disputes"]["figures"] == {"open": 1, "held_micro": 1_210_000}
    assert not checks["disputes"]["blocks"]
    for name in ("receivables", "payables"):
        assert checks[name]["state"] == "done", checks[name]
    for row in house.json("settle", "nets", "2026-06")["payments"]:
        minor = row["open_minor"]
        house.run("settle", "paid", "2026-06", row["partner"], f"{'-' if minor < 0 else ''}{abs(minor) // 100}."
                  f"{abs(minor) % 100:02}", "--evidence", "bank")
        assert open_checks(house, "2026-06") <= {
            "sent", "paid", "clearing", "disputes", "self_billed", "unexplained"}
    house.run("close", "soft", "2026-06")
    house.run("close", "hard", "2026-06")
    assert "opened, to be acted on by 2026-07-15" in house.run("dispute", "list").stdout
    assert house.json("window", "list")[0]["in_next_net"] == []
    # What is agreed afterwards is a credit note of July's.
    house.run("dispute", "decide", "D-000001", "--agreed", "0.50", "--words", "half")
    [credit] = [row for row in house.json("settle", "documents") if row["number"] == "CN-2026-000002"]
    assert (credit["window"], credit["total_minor"]) == ("2026-07", 61)
    listed = house.run("dispute", "list").stdout
    assert "decided, credited by CN-2026-000002" in listed and " by 2026" not in listed
    [june, _] = house.json("window", "list")
    assert (june["state"], june["in_next_net"]) == ("settled", ["INV-2026-000001"]), "what is left of the disputed part"
    assert "hard-closed; to be paid with the next net: INV-2026-000001" in house.run("window", "list").stdout
    assert house.verify("--from-scratch")["ok"]


def test_an_empty_window_is_closed(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 10, occurred_at="2026-01-10T10:00:00Z"))
    house.run("clock", "advance", "2026-04-01T10:00:00Z")
    for window in ("2026-01", "2026-02", "2026-03"):
        house.run("settle", "invoices", window, "--out", tmp_path / window)
        house.run("settle", "net", window)
        for row in house.json("settle", "nets", window)["payments"]:
            assert (window, row["partner"], row["net_minor"]) == ("2026-01", "GRO", -13)
            house.run("settle", "paid", window, "GRO", "-0.13", "--evidence", "bank")
        house.run("close", "soft", window)
        house.run("close", "hard", window)
    assert [each["close"] for each in house.json("window", "list")] == ["hard"] * 3 + ["open"]
    assert house.verify()["ok"]


def test_a_calendar_takes_two_people(make_house, tmp_path):
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    path = tmp_path / "calendar.toml"
    path.write_text(LATER.replace("2026-07", "2190-01"))
    assert "--operator CERT" in house.run("calendar", "set", path, status=1).stderr
    assert "waits for another operator" in house.run("calendar", "set", path, *anna).stdout
    assert len(house.json("calendar", "show", "--year", 2190)["terms"]) == 1
    assert house.json("calendar", "show", "--year", 2190)["terms"][0]["from"] == "1970-01"
    [waiting] = house.json("approve", "list")
    assert waiting["summary"] == (
        "set the calendar from 2190-01: billed after 3, due after 30, paid 2 later, preceding")
    assert "another operator approves" in house.run("approve", waiting["id"], *anna, status=1).stderr
    house.run("approve", waiting["id"], *bob)
    house.run("calendar", "set", path, *anna)
    assert house.json("calendar", "show", "--year", 2190)["terms"][0]["from"] == "2190-01"


def test_two_people_close_a_production_house(production, tmp_path):
    """A window that ended, by the real clock: anna gives the commands, bob permits what takes two."""
    house, window = production
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))

    def waits(*command):
        """Anna asks; neither she nor bob's certificate on the command makes it happen; bob permits it."""
        assert "--operator CERT" in house.run(*command, status=1).stderr
        asked = house.run(*command, *anna)
        assert "waits for another operator" in asked.stdout
        [waiting] = [row for row in house.json("approve", "list") if row["kind"] == "settlement_act"]
        assert "another operator approves" in house.run("approve", waiting["id"], *anna, status=1).stderr
        assert "waits for another operator" in house.run(*command, *anna, status=1).stderr
        house.run("approve", waiting["id"], *bob)
        return waiting["summary"], house.run(*command, *anna)

    waits("window", "close")
    drafted = house.json("settle", "draft", window, *anna)
    house.run("approve", drafted["id"], *bob)
    house.run("close", "soft", window, *anna)
    assert "--reason" in house.run("settle", "issue", window, *anna, status=1).stderr
    assert house.json("settle", "documents") == []
    said, _ = waits("settle", "issue", window, "--reason", "late")
    assert said == f"issue {window} after the soft close of {window}: late"
    assert house.json("settle", "documents"), "issued"
    said, _ = waits("close", "reopen", window, "--reason", "the net is missing")
    assert said == f"reopen {window}: the net is missing"
    house.run("settle", "net", window, *anna)
    for row in sorted(house.json("settle", "nets", window)["payments"], key=lambda row: row["net_minor"]):
        minor = row["net_minor"]
        amount = f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02}"
        waits("settle", "paid", window, row["partner"], amount, "--evidence", "bank")
    house.run("close", "soft", window, *anna)
    assert open_checks(house, window) <= {"sent", "self_billed"}
    said, done = waits("close", "hard", window)
    assert said == f"close hard {window}" and "hard-closed" in done.stdout
    for command in (("settle", "net", window, "--reason", "x"), ("settle", "draft", window),
                    ("close", "reopen", window, "--reason", "x")):
        assert "hard-closed" in house.run(*command, *anna, status=1).stderr, command
    path = tmp_path / "estimate.toml"
    path.write_text('[[estimate]]\nissuer = "GRO"\nas_of = "2026-12-31"\nultimate_redemption_rate = "0.88"\n')
    said, _ = waits("estimate", "add", path)
    assert said == "estimate GRO 0.880000 as of 2026-12-31"
    assert [row["version"] for row in house.json("estimate", "list")] == [1]
    assert house.verify("--from-scratch")["ok"]

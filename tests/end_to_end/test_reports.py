"""Reports for finance and auditors: they tie to the ledger at any instant, and to the worked month."""

import csv
import io
import random
import subprocess
from datetime import date, timedelta

import days
import june_2026 as june
import openpyxl
import pytest
import random_months
from test_june_2026 import coalition, journal_rows, play
from test_random_months import coalition as random_coalition  # noqa: F401

from messages import accrual, message, purchase
from player import Player


@pytest.fixture(scope="module")
def played(make_house, tmp_path_factory):
    house = coalition(make_house(), tmp_path_factory.mktemp("june")).start()
    play(house, june.STEPS)
    return house


def report(house, name, *arguments):
    return house.json("report", name, *arguments)


def by(rows, key):
    return {row[key]: row for row in rows}


# Liability roll-forward.

FLOWS = ("opening", "issued", "redeemed", "donated", "clawed_back", "recovered", "expired", "closing")
OUT = ("redeemed", "donated", "clawed_back", "recovered", "expired")


def assert_rolls(shown):
    for row in shown["issuers"]:
        for unit in ("points", "liability_micro"):
            assert row[f"opening_{unit}"] + row[f"issued_{unit}"] - sum(row[f"{flow}_{unit}"] for flow in OUT) == (
                row[f"closing_{unit}"]), row
    [control] = shown["control"]
    assert control["difference_micro"] == 0


def test_june_rolls_forward(played):
    shown = report(played, "roll-forward", "--window", "2026-06")
    assert_rolls(shown)
    total = by(shown["issuers"], "issuer")["total"]
    assert [total[f"{flow}_points"] for flow in FLOWS] == [1_400, 794, 650, 100, 20, 180, 400, 844]
    assert total["closing_liability_micro"] == 8_440_000 == -june.CLOSE["money_micro"]["deferred_revenue"]
    for issuer, row in by(shown["issuers"], "issuer").items():
        if issuer != "total":
            assert row["closing_points"] == june.CLOSE["partners"][issuer]["closing"]
            assert row["issued_points"] == june.CLOSE["partners"][issuer]["issued"]
    assert total["closing_points"] == sum(june.CLOSE["members"].values())


def test_it_ties_to_the_ledger_at_any_record(played):
    """After every record, in points and money, as the exported journal has it."""
    rows = list(csv.DictReader(io.StringIO(played.run("export", "journal", "--format", "csv").stdout)))
    sequences = sorted({int(row["sequence"]) for row in rows})
    # The opening is one commit of several records: its money, then the lots of its members.
    opened = max(int(row["sequence"]) for row in rows if row["type"] == "opening")
    points, liability = {}, 0
    for sequence in sequences:
        for row in rows:
            if int(row["sequence"]) != sequence:
                continue
            sign, amount = (1, row["debit"]) if row["debit"] else (-1, row["credit"])
            if row["account"] == "deferred_revenue":
                liability -= sign * int(amount.replace(".", ""))
            if row["account"] in ("members:active", "members:pending", "members:held", "transit"):
                issuer = row["unit"].removeprefix("P.")
                points[issuer] = points.get(issuer, 0) - sign * int(amount)
        if sequence < opened:
            continue
        shown = report(played, "roll-forward", "--sequence", sequence)
        assert_rolls(shown)
        found = {row["issuer"]: row["closing_points"] for row in shown["issuers"]}
        assert found.pop("total") == sum(points.values())
        assert {issuer: count for issuer, count in found.items() if count} == {
            issuer: count for issuer, count in points.items() if count}
        assert by(shown["issuers"], "issuer")["total"]["closing_liability_micro"] == liability


def test_one_interval_follows_the_other(played):
    days = ["2026-06-08", "2026-06-16", "2026-06-22", "2026-06-30"]
    before = report(played, "roll-forward", "--at", "2026-06-01")
    for first, last in zip(["2026-06-02", "2026-06-09", "2026-06-17", "2026-06-23"], days, strict=True):
        shown = report(played, "roll-forward", "--from", first, "--at", last)
        assert_rolls(shown)
        closed = by(before["issuers"], "issuer")
        for issuer, row in by(shown["issuers"], "issuer").items():
            for unit in ("points", "liability_micro"):
                assert row[f"opening_{unit}"] == closed.get(issuer, {}).get(f"closing_{unit}", 0), (first, issuer)
        before = shown


def test_random_months_tie_to_the_oracle(random_coalition, seed):  # noqa: F811
    """Every kind of message; what is open then, and what stands for it, as the second clearing house has it."""
    oracle = random_months.fresh_oracle()
    stream = random_months.Stream(random.Random(seed), oracle, members=12, messages_a_month=400)
    with Player(random_coalition) as player:
        for _ in range(3_000):
            partner, path, body = step = stream.step()
            if partner is None:
                player.advance(body)
                oracle.advance(days.instant(body))
                continue
            answer = player.send(partner, path, body)
            if answer.status == 202:
                player.approve(answer, partner, path, body)
            stream.remember(step, oracle.decide(partner, path, body))
    shown = report(random_coalition, "roll-forward")
    assert_rolls(shown)
    rows = {row["issuer"]: row for row in shown["issuers"] if row["issuer"] != "total"}
    assert len(rows) > 2
    for issuer, row in rows.items():
        lots = [lot for lot in oracle.lots() if lot.issuer == issuer]
        assert row["closing_points"] == oracle.outstanding(issuer)
        assert row["closing_liability_micro"] == sum(lot.open * lot.prefunded for lot in lots)
        leaving = {each["what"]: each for each in report(random_coalition, "exit", issuer)["exit"]}
        assert leaving["open points"]["points"] == oracle.outstanding(issuer)
        assert leaving["member debt for its points"]["points"] == oracle.debt_of(issuer)
    notice = {}
    for row in report(random_coalition, "redemption-notice")["redemptions"]:
        key = row["issuer"], row["redeemer"]
        notice[key] = notice.get(key, 0) + row["points"]
    flows = {}
    for (_, issuer, redeemer), points in oracle.books.flows.items():
        flows[issuer, redeemer] = flows.get((issuer, redeemer), 0) + points
    assert {key: points for key, points in notice.items() if points} == {
        key: points for key, points in flows.items() if points}


# Coverage.


def test_coverage_after_every_entry(played):
    """Invariant 6, and what the journal says of each figure."""
    found, seen = {}, {}
    for event, book, _, account, amount in journal_rows(played):
        if book == "money":
            found[account] = found.get(account, 0) + amount
            seen[event] = dict(found)
    rows = list(csv.DictReader(io.StringIO(played.run("export", "journal", "--format", "csv").stdout)))
    sequence_of = {row["message_id"]: row["sequence"] for row in rows if row["message_id"]}
    for event in ("E1", "E3", "E4", "E5", "E6", "E7", "E11", "E12", "E13", "E14"):
        shown = report(played, "coverage", "--sequence", sequence_of[event])
        [whole] = shown["coverage"]
        accounts = seen[event]
        assert whole["trust_cash_micro"] == accounts["cash:trust"]
        assert whole["points_liability_micro"] == -accounts["deferred_revenue"]
        owed = {row["partner"]: row for row in shown["unsecured_partner_credit"]}
        for partner, row in owed.items():
            assert row["unbilled_micro"] == accounts[f"unbilled:{partner}"]
            assert row["issue_price_micro"] == accounts[f"unbilled:{partner}"] * 10 // 11
        assert whole["unsecured_credit_micro"] == sum(row["issue_price_micro"] for row in owed.values())
        assert whole["holds"] == "yes"


def test_june_s_gap_is_unsecured_credit(played):
    rows = list(csv.DictReader(io.StringIO(played.run("export", "journal", "--format", "csv").stdout)))
    [sequence] = {row["sequence"] for row in rows if row["message_id"] == "E5"}
    shown = report(played, "coverage", "--sequence", sequence)
    [whole] = shown["coverage"]
    assert (whole["trust_cash_micro"], whole["to_cover_micro"]) == (64_000_000, 70_580_000)
    assert whole["unsecured_credit_micro"] == 6_580_000
    assert whole["ratio_basis_points"] == 64_000_000 * 10_000 // 70_580_000
    assert {row["partner"]: row["issue_price_micro"] for row in shown["unsecured_partner_credit"]} == {
        "GRO": 4_080_000, "BOE": 2_500_000}


# Redemption notice.


def test_the_notice_is_by_month_and_rate(make_house):
    house = make_house().make("GRO", "TNK", "BOE").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk, house.connect("BOE") as boe:
        def bought(rate, points, month):
            lines = [{"sku": "x", "amount_minor": points * 100, "quantity": 1, "vat_rate": rate}]
            answer = gro.post("/v1/accruals", message(
                member="m", purchase=purchase(points * 100, lines=lines), occurred_at=f"2026-{month}-10T12:00:00Z"))
            assert answer.status == 201, answer
        bought(900, 100, "05")
        bought(2100, 200, "06")
        assert tnk.post("/v1/accruals", accrual("m", 50, occurred_at="2026-06-11T12:00:00Z")).status == 201
        spent = message(member="m", points=320, occurred_at="2026-07-01T12:00:00Z")
        assert boe.post("/v1/redemptions", spent).status == 201
        assert boe.post("/v1/reversals", message(reverses=spent["message_id"], points=60,
                                                 occurred_at="2026-07-02T12:00:00Z")).status == 201
        late = message(member="m", points=10, occurred_at="2026-08-02T12:00:00Z")
        assert tnk.post("/v1/redemptions", late).status == 201
    rows = [(row["issuer"], row["earned_in"], row["vat_rate_basis_points"], row["redeemer"], row["points"],
             row["issue_price_micro"], row["face_value_micro"])
            for row in report(house, "redemption-notice", "--window", "2026-07")["redemptions"]]
    # 320 are 100, 200 and 20 in draw order, with the rates of their purchase lines; the 60 came back last first.
    assert sorted(row for row in rows if row[4]) == [
        ("GRO", "2026-05", 900, "BOE", 100, 1_000_000, 1_000_000), ("GRO", "2026-06", 2100, "BOE", 160, 1_600_000, 1_600_000)]
    alone = report(house, "redemption-notice", "--window", "2026-07", "--partner", "TNK")["redemptions"]
    assert all(row["issuer"] == "TNK" for row in alone)
    everything = report(house, "redemption-notice")["redemptions"]
    assert sum(row["points"] for row in everything) == 270
    assert report(house, "redemption-notice", "--window", "2026-06")["redemptions"] == []


def test_a_basket_of_two_rates_is_mixed_in_the_notice(make_house):
    house = make_house().make("GRO", "BOE").start()
    baskets = {"M2": [900, 2100], "M1": [2100, 2100], "M0": [2100, None], "N": []}
    with house.connect("GRO") as gro, house.connect("BOE") as boe:
        for member, rates in baskets.items():
            lines = [{"sku": "x", "amount_minor": 5000, "quantity": 1} | ({"vat_rate": rate} if rate else {})
                     for rate in rates]
            fields = {"lines": lines} if lines else {}
            earned = gro.post("/v1/accruals", message(
                member=member, purchase=purchase(10000, **fields), occurred_at="2026-06-10T12:00:00Z"))
            assert earned.status == 201, earned
            spent = message(member=member, points=10 + len(rates), occurred_at="2026-06-11T12:00:00Z")
            assert boe.post("/v1/redemptions", spent).status == 201
    rows = report(house, "redemption-notice", "--window", "2026-06")["redemptions"]
    assert sorted((str(row["vat_rate_basis_points"]), row["points"]) for row in rows) == [
        ("2100", 12), ("None", 22), ("mixed", 12)]
    assert ",mixed," in house.run("report", "redemption-notice", "--window", "2026-06", "--csv").stdout
    assert house.verify("--from-scratch")["ok"]
    house.run("rebuild")
    assert report(house, "redemption-notice", "--window", "2026-06")["redemptions"] == rows


def test_june_s_notice_has_its_flows(played):
    found = {}
    for row in report(played, "redemption-notice", "--window", "2026-06")["redemptions"]:
        key = row["issuer"], row["redeemer"]
        found[key] = found.get(key, 0) + row["points"]
    assert sorted((*key, points) for key, points in found.items()) == sorted(
        tuple(flow) for flow in june.CLOSE["flows"])


# Breakage estimates.


@pytest.fixture(scope="module")
def sold(make_house):
    """100,000 points sold for 1,000.00, 40,000 redeemed in the first year and 23,000 in the second."""
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 100_000, occurred_at="2026-01-10T12:00:00Z"))
        for points, day in ((40_000, "2026-11-01"), (23_000, "2027-11-01")):
            assert gro.post("/v1/redemptions", message(
                member="m", points=points, occurred_at=f"{day}T12:00:00Z")).status == 201
    return house


ESTIMATES = """
[[estimate]]
issuer = "GRO"
as_of = "2026-12-31"
ultimate_redemption_rate = "0.88"

[[estimate]]
issuer = "GRO"
as_of = "2027-12-31"
ultimate_redemption_rate = "0.90"
"""


def test_the_ifrs_15_overlay(sold, tmp_path):
    path = tmp_path / "estimates.toml"
    path.write_text(ESTIMATES)
    first, second = report(sold, "breakage", "--estimates", path)["versions"]
    assert (first["points_sold"], first["points_redeemed"], first["consideration_micro"]) == (
        100_000, 40_000, 1_000_000_000)
    assert (first["revenue_minor"], second["revenue_minor"]) == (45_455, 24_545)
    assert (second["revenue_to_date_minor"], second["contract_liability_minor"]) == (70_000, 30_000)


@pytest.mark.parametrize("change", [('"0.88"', '"1.01"'), ('"0.88"', '"0"'), ('"0.88"', "0.88"), ("2026-12-31", "June"),
                                    ('"GRO"', '"NONE"'), ("as_of", "at"), ("[[estimate]]", "[estimate]"),
                                    ("2027-12-31", "2026-12-31")])
def test_what_is_no_estimate(sold, tmp_path, change):
    path = tmp_path / "estimates.toml"
    path.write_text(ESTIMATES.replace(*change))
    assert sold.run("report", "breakage", "--estimates", path, status=1).stderr


# Exit.


def test_a_partner_that_leaves(played):
    shown = {row["what"]: row for row in report(played, "exit", "TNK", "--at", "2026-06-30")["exit"]}
    assert (shown["open points"]["points"], shown["open points"]["amount_micro"]) == (40, 400_000)
    assert shown["left of its blocks"]["amount_micro"] == 48_640_000 + 4_864_000
    assert shown["owed to the partner"]["amount_micro"] == 2_000_000
    assert shown["owed by the partner"]["amount_micro"] == 0
    net = shown["net, before VAT that is not invoiced yet"]
    assert (net["amount_micro"], net["then"]) == (55_504_000, "the house pays")
    shown = {row["what"]: row for row in report(played, "exit", "BOE", "--at", "2026-06-21")["exit"]}
    assert shown["member debt for its points"]["points"] == 180
    assert played.run("report", "exit", "NONE", status=1).stderr


# VAT on what expired.


def test_june_s_expired_points_have_their_vat(played):
    """400 points of the fuel brand, half kept and half credited: what the credit note says, and what the ledger kept."""
    shown = report(played, "expiry-vat", "--window", "2026-06")["expired"]
    assert [(row["issuer"], row["part"], row["taxed"], row["vat_category"], row["vat_rate_basis_points"], row["points"],
             row["exact_micro"], row["net_micro"], row["vat_micro"], row["gross_micro"]) for row in shown] == [
        ("TNK", "retained", "with_the_price", "S", 2100, 400, 2_000_000, 2_000_000, 420_000, 2_420_000),
        ("TNK", "shared", "on_the_document", "S", 2100, 400, 2_000_000, 2_000_000, 420_000, 2_420_000)]
    [credit] = [each for each in played.json("settle", "show", "2026-06")["documents"]
                if any(line["flow"] == "breakage_shared" for line in each["lines"])]
    assert (credit["net_minor"], credit["vat_minor"]) == (200, 42)
    assert june.CLOSE["money_micro"]["revenue:breakage"] == -2_000_000
    assert report(played, "expiry-vat", "--partner", "TNK") == report(played, "expiry-vat")
    assert report(played, "expiry-vat", "--partner", "GRO")["expired"] == []
    assert report(played, "expiry-vat", "--at", "2026-06-29")["expired"] == []


# Forms.


@pytest.mark.parametrize("name", [["roll-forward", "--window", "2026-06"], ["coverage"], ["redemption-notice"],
                                  ["expiry-vat"], ["exit", "GRO"]])
def test_csv_xlsx_and_words_say_what_json_says(played, tmp_path, name):
    shown = report(played, *name)
    tables = {key: rows for key, rows in shown.items() if isinstance(rows, list) and rows}
    text = played.run("report", *name, "--csv").stdout
    for part, rows in zip(text.split("\n\n"), tables.values(), strict=False):
        read = list(csv.DictReader(io.StringIO(part)))
        assert len(read) == len(rows)
        for plain, row in zip(read, rows, strict=True):
            for key, value in row.items():
                cell = plain[key.removesuffix("_micro")]
                if key.endswith("_micro") and value is not None:
                    cell = int(cell.replace(".", ""))
                assert str(cell) == ("" if value is None else str(value)), key

    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    for path in (first, second):
        played.run("report", *name, "--xlsx", path)
    assert first.read_bytes() == second.read_bytes()
    book = openpyxl.load_workbook(first)
    for title, rows in tables.items():
        sheet = book[title]
        header, *read = sheet.iter_rows(values_only=True)
        for cells, row in zip(read, rows, strict=True):
            for column, (key, value) in zip(header, row.items(), strict=True):
                cell = cells[header.index(column)]
                if key.endswith("_micro") and value is not None:
                    cell = round(cell * 1_000_000)
                assert cell == value, (title, key)
    assert name[0].replace("-", "_") in played.run("report", *name).stdout


def test_what_is_typed_wrongly(played):
    for arguments in (["roll-forward", "--at", "soon"], ["roll-forward", "--window", "June"],
                      ["roll-forward", "--window", "2026-06", "--at", "2026-06-01"],
                      ["roll-forward", "--from", "2026-06-20", "--at", "2026-06-19"],
                      ["roll-forward", "--at", "2026-06-01", "--sequence", "3"], ["exit"]):
        assert played.run("report", *arguments, status=None).returncode != 0, arguments


# Aged receivables.


def assert_ages(house, *arguments):
    shown = report(house, "ageing", *arguments)
    [control] = shown["control"]
    assert control["difference_micro"] == 0, shown
    assert control["report_micro"] == sum(row["open_micro"] for row in shown["items"]) == sum(
        row["open_micro"] for row in shown["partners"])
    return {row["partner"]: row for row in shown["partners"]}


def test_receivables_age_and_tie_to_their_account(make_house, tmp_path):
    house = coalition(make_house(), tmp_path).start()
    play(house, june.STEPS)
    house.run("clock", "advance", "2026-07-01T12:00:00Z")
    assert report(house, "ageing")["items"] == []
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")

    partners = assert_ages(house)
    assert {name: row["not_due_micro"] for name, row in partners.items()} == {"GRO": 5_430_000, "BOE": 670_000}
    due = {row["partner"]: row["due_on"] for row in report(house, "ageing")["items"]}["GRO"]
    for days_later, bucket in ((1, "days_1_to_30"), (30, "days_1_to_30"), (31, "days_31_to_60"), (90, "days_61_to_90"),
                               (91, "over_90_days")):
        day = (date.fromisoformat(due) + timedelta(days=days_later)).isoformat()
        house.run("clock", "advance", f"{day}T12:00:00+02:00")
        row = assert_ages(house)["GRO"]
        assert {key: value for key, value in row.items() if value and key not in ("partner", "open_micro")} == {
            f"{bucket}_micro": 5_430_000}, day

    late = report(house, "ageing")["breaches"]
    assert [(row["owner"], row["days_over"], row["amount_micro"]) for row in late if row["what"] == "unpaid"] == [
        ("GRO", 91, 5_430_000), ("BOE", 91, 670_000)]
    unsent = [row for row in late if row["what"] == "not_sent"]
    assert {row["owner"] for row in unsent} == {"house"} and len(unsent) == 6
    house.run("settle", "sent", unsent[0]["id"], "--to", "a desk")
    assert len([row for row in report(house, "ageing")["breaches"] if row["what"] == "not_sent"]) == 5

    house.run("settle", "net", "2026-06")
    assert_ages(house)
    unpaid = [row for row in report(house, "ageing")["breaches"] if row["what"] == "unpaid"]
    assert [(row["owner"], row["amount_micro"]) for row in unpaid] == [("GRO", 1_400_000)], "its net"
    house.run("settle", "paid", "2026-06", "GRO", "-1.00", "--evidence", "bank")
    assert assert_ages(house)["GRO"]["open_micro"] == 400_000
    house.run("settle", "paid", "2026-06", "GRO", "-0.40", "--evidence", "bank")
    assert set(assert_ages(house)) == {"BOE"}
    house.run("settle", "paid", "2026-06", "BOE", "2.78", "--evidence", "bank")
    assert assert_ages(house) == {}
    # As it was.
    assert set(assert_ages(house, "--at", "2026-07-02")) == {"GRO", "BOE"}


# Estimates in the house's record.


def estimate(as_of, rate, issuer="GRO"):
    return f'[[estimate]]\nissuer = "{issuer}"\nas_of = "{as_of}"\nultimate_redemption_rate = "{rate}"\n'


def versions(house, *arguments):
    return [(row["version"], row["as_of"], row["revenue_minor"]) for row in report(
        house, "breakage", *arguments)["versions"]]


def test_estimates_are_recorded_and_never_lost(make_house, tmp_path):
    """100,000 points for 1,000.00: 40,000 redeemed by the first year's end, 63,000 by the second's."""
    house = make_house().make("GRO").start()
    path = tmp_path / "estimate.toml"

    def add(text, status=0):
        path.write_text(text)
        return house.run("estimate", "add", path, status=status)

    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 100_000, occurred_at="2026-01-10T12:00:00Z"))
        assert versions(house) == [] and house.json("estimate", "list") == []
        gro.post("/v1/redemptions", message(member="m", points=40_000, occurred_at="2026-11-01T12:00:00Z"))
        house.run("clock", "advance", "2027-01-05T12:00:00Z")
        add(estimate("2026-12-31", "0.80"))
        house.run("clock", "advance", "2027-01-09T12:00:00Z")
        add(estimate("2026-12-31", "0.88"))  # the first was a mistake
        gro.post("/v1/redemptions", message(member="m", points=23_000, occurred_at="2027-11-01T12:00:00Z"))
    house.run("clock", "advance", "2028-01-05T12:00:00Z")
    before = versions(house)
    add(estimate("2027-12-31", "0.90"))
    # JUNE-2026, IFRS 15 overlay.
    assert versions(house) == [(2, "2026-12-31", 45_455), (3, "2027-12-31", 24_545)]
    assert before == [(2, "2026-12-31", 45_455)]
    # As it was: with what was known then.
    assert versions(house, "--at", "2027-01-04") == []
    assert versions(house, "--at", "2027-01-07") == [(1, "2026-12-31", 50_000)]
    assert versions(house, "--at", "2027-06-30") == versions(house, "--at", "2027-12-31") == before
    assert versions(house, "--sequence", "1") == []

    for wrong in (estimate("2026-12-31", "0.85"), estimate("2027-12-31", "0.90"), estimate("2028-12-31", "0"),
                  estimate("2028-12-31", "1.1"), estimate("2028-12-31", "0.9", "NONE"), "",
                  estimate("2028-12-31", "0.9") + estimate("2028-11-30", "0.9")):
        assert add(wrong, status=1).stderr, wrong
    assert [row["version"] for row in house.json("estimate", "list")] == [1, 2, 3]
    path.write_text(estimate("2026-12-31", "0.50"))
    [tried] = report(house, "breakage", "--estimates", path)["versions"]
    assert (tried["version"], tried["revenue_minor"]) == (1, 80_000)
    house.stop()
    house.start()
    assert [row[0] for row in versions(house)] == [2, 3]
    assert house.verify()["ok"]


# Pages with a diagram.


def page_of(house, path, *arguments):
    """What a reader sees of a page; made twice, it has the same bytes."""
    pages = [path.with_suffix(f".{number}.pdf") for number in (1, 2)]
    for page in pages:
        assert house.run(*arguments, "--pdf", page).stdout == f"{page}\n"
    assert pages[0].read_bytes() == pages[1].read_bytes()
    return subprocess.run(
        ["pdftotext", "-layout", pages[0], "-"], check=True, capture_output=True, text=True).stdout


def in_words(micro):
    """An amount as pages write it: rounded half away from zero, thousands apart, a true minus."""
    minor = (2 * abs(micro) + 10_000) // 20_000
    return f"{'−' if micro < 0 and minor else ''}{minor // 100:,}.{minor % 100:02}"


def test_pages_say_what_json_says(played, tmp_path):
    rolled = report(played, "roll-forward", "--window", "2026-06")
    page = page_of(played, tmp_path / "roll", "report", "roll-forward", "--window", "2026-06")
    total = by(rolled["issuers"], "issuer")["total"]
    assert "Points liability, EUR" in page and "June 2026" in page
    for flow in ("opening", "issued", "closing"):
        assert page.count(in_words(total[f"{flow}_liability_micro"])) >= 2, "on the diagram and in the table"
    page = page_of(played, tmp_path / "window", "settle", "show", "2026-06")
    taken = {}
    for flow in played.json("settle", "show", "2026-06")["flows"]:
        taken[flow["redeemer"]] = taken.get(flow["redeemer"], 0) + flow["points"]
    assert taken and "Points taken, by who took them" in page
    for points in taken.values():
        assert f"{points:,}" in page


def test_a_page_of_nothing_has_no_diagram(played, tmp_path):
    page = page_of(played, tmp_path / "ageing", "report", "ageing", "--at", "2026-06-02")
    assert "Aged receivables" in page and "What partners owe, EUR" not in page
    for other in ("--json", "--csv"):
        played.run("report", "ageing", "--pdf", tmp_path / "x.pdf", other, status=2)
    played.run("report", "coverage", "--pdf", tmp_path / "x.pdf", status=2)
    assert not (tmp_path / "x.pdf").exists()

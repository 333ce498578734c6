"""A closed window keeps its bytes; what is known of it since is a further version, with the difference."""

import csv
import io
import json
import subprocess
from fractions import Fraction

import june_2026 as june
import pytest

from messages import accrual, message
from test_close import settled
from test_operator_routes import later, production  # noqa: F401
from test_settlement import closed, money

KEY = ("partner", "statement", "flow", "tariff")


@pytest.fixture
def issued(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    return house


def restate(house, window="2026-06", *arguments):
    return house.json("settle", "restate", window, *arguments)


def differences(shown):
    return {tuple(row[key] for key in KEY): row for row in shown["differences"]}


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def half_away(value):
    """To a whole number, halves away from zero."""
    size = (2 * abs(value) + 1) // 2
    return int(size if value >= 0 else -size)


def text_of(pdf):
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout


def test_nothing_differs_and_says_so(issued):
    before = issued.run("settle", "show", "2026-06", "--json").stdout
    shown = restate(issued)
    assert (shown["differences"], shown["restated"], shown["old_version"]) == ([], None, "1"), shown["points"]
    assert issued.run("settle", "restate", "2026-06").stdout == "2026-06 is as version 1 has it: no difference\n"
    assert issued.json("settle", "restatements", "2026-06") == []
    assert "never restated" in issued.run("settle", "restatements", "2026-06").stdout
    # What happens in July is of no concern to June.
    with issued.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 77, occurred_at="2026-07-02T09:00:00Z")).status == 201
    assert restate(issued)["restated"] is None
    assert issued.run("settle", "show", "2026-06", "--json").stdout == before


def test_the_difference_is_the_late_item(issued, tmp_path):
    before, books = issued.run("settle", "show", "2026-06", "--json").stdout, money(issued)
    with issued.connect("GRO") as gro, issued.connect("BOE") as boe:
        assert gro.post("/v1/accruals", accrual("M1", 77, occurred_at="2026-07-02T09:00:00Z")).status == 201
        # The last instant of June in Amsterdam, and the first of July.
        late = accrual("M1", 5, occurred_at="2026-06-30T21:59:59.999999Z")
        assert gro.post("/v1/accruals", late).status == 201
        assert boe.post("/v1/accruals", accrual("M1", 9, occurred_at="2026-06-30T22:00:00Z")).status == 201
    moved = money(issued)
    shown = restate(issued, "2026-06", "--out", tmp_path / "v2")
    assert shown["restated"] == 2 and (shown["old_version"], shown["new_version"]) == ("1", "2")
    first = json.loads((tmp_path / "v2" / "2026-06-version-1.json").read_text())
    lines = {tuple(row[key] for key in KEY): row for row in first["lines"]}
    found = differences(shown)
    assert {key[:3] for key in found} == {("GRO", "issuance_statement", flow) for flow in ("price", "fee")}
    for key, row in found.items():
        old = lines[key]
        price = Fraction(old["exact_micro"], old["points"])
        exact = old["exact_micro"] + 5 * price
        assert (row["old_points"], row["new_points"]) == (old["points"], old["points"] + 5)
        assert row["difference_exact_micro"] == 5 * price
        assert (row["old_net_minor"], row["new_net_minor"]) == (old["net_minor"], half_away(exact / 10_000))
    assert [(row["why"], row["posted_in"], row["points"], row["document"])
            for row in shown["causes"]] == [("late", "2026-07", 5, "")] * 2
    assert shown["points"] == [
        {"partner": "GRO", "figure": "issued", "old": shown["points"][0]["old"],
         "new": shown["points"][0]["old"] + 5, "difference": 5}]
    # Nothing was booked, and June is what it was.
    assert money(issued) == moved != books
    assert issued.run("settle", "show", "2026-06", "--json").stdout == before
    assert restate(issued)["restated"] is None, "it is known now"

    # The forms say the same.
    written = files(tmp_path / "v2")
    assert sorted(written) == ["2026-06-version-1.csv", "2026-06-version-1.json",
                               "2026-06-version-2-difference.csv", "2026-06-version-2-difference.json",
                               "2026-06-version-2-difference.pdf",
                               "2026-06-version-2.csv", "2026-06-version-2.json"]
    assert json.loads(written["2026-06-version-2-difference.json"])["differences"] == shown["differences"]
    table = written["2026-06-version-2-difference.csv"].decode().split("\n\n")[0]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [int(row["difference_net_minor"]) for row in rows] == [
        row["difference_net_minor"] for row in shown["differences"]]
    page = text_of(tmp_path / "v2" / "2026-06-version-2-difference.pdf")
    assert "posted in July 2026: +5 points, on no document yet" in page and "Nothing was booked" in page
    second = json.loads(written["2026-06-version-2.json"])
    for row in second["lines"]:
        key = tuple(row[each] for each in KEY)
        assert row["points"] == lines[key]["points"] + (5 if key in found else 0)
    assert issued.verify("--from-scratch")["ok"]


def test_version_1_is_what_the_documents_say(issued, tmp_path):
    with issued.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 5, occurred_at="2026-06-29T09:00:00Z")).status == 201
    restate(issued, "2026-06", "--out", tmp_path / "v2")
    first = json.loads((tmp_path / "v2" / "2026-06-version-1.json").read_text())
    billed = {}
    for document in issued.json("settle", "show", "2026-06")["documents"]:
        if document["type"] == "invoice" and document["payer"] == "GRO":
            for line in document["lines"]:
                billed[line["flow"], line["tariff"]] = line["net_minor"]
    assert {(row["flow"], row["tariff"]): row["net_minor"] for row in first["lines"]
            if (row["partner"], row["statement"]) == ("GRO", "issuance_statement")} == billed


def test_the_document_that_carries_it_is_named(issued, tmp_path):
    with issued.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 5, occurred_at="2026-06-29T09:00:00Z")).status == 201
    issued.run("clock", "advance", "2026-08-03T09:00:00Z")
    issued.run("settle", "invoices", "2026-07", "--out", tmp_path / "july")
    [invoice] = [row["number"] for row in issued.json("settle", "documents", "2026-07") if row["buyer"] == "GRO"]
    shown = restate(issued)
    assert {row["document"] for row in shown["causes"]} == {invoice}
    # July stays what it is: its invoice bills the item.
    assert restate(issued, "2026-07")["restated"] is None


def test_corrections_and_versions_for_ever(issued, tmp_path):
    with issued.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 5, occurred_at="2026-06-29T09:00:00Z")).status == 201
    restate(issued, "2026-06", "--out", tmp_path / "v2")
    issued.run("settle", "credit", "INV-2026-000002", "--reason", "an error")
    issued.run("dispute", "open", "INV-2026-000001", "--line", "1", "--amount", "1.00", "--reason", "QTY",
               "--evidence", "till 4")
    [dispute] = issued.json("dispute", "list")
    issued.run("dispute", "decide", dispute["dispute"], "--agreed", "0.60", "--words", "half of it")
    shown = restate(issued, "2026-06", "--out", tmp_path / "v3")
    assert shown["restated"] == 3
    credits = {row["number"]: row["total_minor"] for row in issued.json("settle", "documents")
               if row["type"] == "credit_note" and row["window"] == "2026-07"}
    assert len(credits) == 2 and {row["document"] for row in shown["causes"]} == set(credits)
    assert {row["why"] for row in shown["causes"]} == {"correction"}
    # What both took back, with VAT, is what the statements are less by.
    assert sum(row["difference_total_minor"] for row in shown["totals"]) == -sum(credits.values())
    [full] = [row for row in shown["totals"] if row["partner"] == "BOE"]
    assert (full["new_net_minor"], full["new_vat_minor"]) == (0, 0)

    listed = issued.json("settle", "restatements", "2026-06")
    assert [row["version"] for row in listed] == [2, 3]
    assert listed[0]["journal_through"] <= listed[1]["journal_through"]
    issued.stop()
    issued.start()
    for version in (2, 3):
        issued.json("settle", "restatements", "2026-06", "--version", version, "--out", tmp_path / f"again{version}")
        assert files(tmp_path / f"again{version}") == files(tmp_path / f"v{version}")
    assert files(tmp_path / "v2")["2026-06-version-2.json"] == files(tmp_path / "v3")["2026-06-version-2.json"]
    assert issued.verify("--from-scratch")["ok"]


def test_after_a_hard_close_too(make_house, tmp_path):
    house = settled(closed(make_house(), tmp_path), tmp_path)
    house.run("close", "soft", "2026-06")
    house.run("close", "hard", "2026-06")
    with house.connect("BOE") as boe:
        assert boe.post("/v1/accruals", accrual("M1", 40, occurred_at="2026-06-29T09:00:00Z")).status == 201
        assert boe.post("/v1/redemptions", message(
            member="M1", points=30, occurred_at="2026-06-29T10:00:00Z")).status == 201
    shown = restate(house)
    assert shown["restated"] == 2
    taken = [row for row in shown["differences"] if row["statement"] == "redemption_statement"]
    assert [row["difference_points"] for row in taken] == [30]
    assert house.verify("--from-scratch")["ok"], "a restatement is no entry of money"


@pytest.mark.parametrize(("arguments", "words"), [
    (("restate", "2026-07"), "2026-07 is not closed"),
    (("restate", "2031-01"), "no window 2031-01"),
    (("restate", "June"), "2026-06"),
    (("restatements", "2026-06", "--version", "1"), "has no version 1 with a difference"),
    (("restatements", "2026-06", "--version", "2"), "has no version 2"),
    (("restatements", "2026-06", "--out", "x"), "--version")])
def test_refusals(make_house, tmp_path, arguments, words):
    house = closed(make_house(), tmp_path)
    assert words in house.run("settle", *arguments, status=1).stderr


def test_an_operator_asks_in_production(production):  # noqa: F811
    house, window = production
    assert "--operator" in house.run("settle", "restate", window, status=1).stderr
    anna = house.certificate_folder("operator:anna") / "cert.pem"
    house.run("window", "close", "--operator", anna)
    for waiting in house.json("approve", "list"):
        house.run("approve", waiting["id"], "--operator", house.certificate_folder("operator:bob") / "cert.pem")
    house.run("window", "close", "--operator", anna)
    assert restate(house, window, "--operator", anna)["restated"] is None

"""The general ledger: what goes to hledger, beancount and DATEV is the trial balance, window by window."""

import re
import subprocess
import tomllib
from decimal import ROUND_HALF_UP, Decimal

import june_2026 as june
import pytest
from beancount import loader
from test_export import hledger_balances
from test_june_2026 import coalition, play

from messages import accrual, message

WINDOWS = ("2026-06", "2026-07", "2026-08")


@pytest.fixture(scope="module")
def june_house(make_house, tmp_path_factory):
    house = coalition(make_house(), tmp_path_factory.mktemp("june")).start()
    play(house, june.STEPS)
    house.run("clock", "advance", "2026-07-02T00:00:00Z")
    return house


@pytest.fixture(scope="module")
def traded(make_house):
    """Three closed months whose amounts are no whole cents."""
    house = make_house().make("GRO", "TNK", "a.b").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk, house.connect("a.b") as third:
        for number, month in enumerate(WINDOWS):
            for day in (3, 9):
                at = {"occurred_at": f"{month}-{day:02}T12:00:00Z"}
                gro.post("/v1/accruals", accrual("a", 10_003 + 7 * number) | at)
                tnk.post("/v1/accruals", accrual("b", 5_001 + number) | at)
                third.post("/v1/accruals", accrual("a", 17) | at)
                tnk.post("/v1/redemptions", message(member="a", points=1_237) | at)
                gro.post("/v1/redemptions", message(member="b", points=311) | at)
                gro.post("/v1/clawbacks", message(member="a", points=13, reason="return") | at)
    house.run("clock", "advance", "2026-09-02T00:00:00Z")
    return house


@pytest.fixture(params=["june_house", "traded"])
def house(request):
    return request.getfixturevalue(request.param)


def chart_of(house):
    return tomllib.loads(house.run("export", "chart").stdout)


def numbers_of(chart):
    """{house account without its partner: number}"""
    return {each["house"]: each["number"] for each in chart["account"]}


def number_of(account, numbers):
    """The account of the general ledger of a house account, of one partner's where it has its own."""
    return numbers.get(account) or numbers[account if account in numbers else account.rpartition(":")[0]]


def trial_balance(house, window, before=False):
    """{number: [debits, credits]} of the books, in micro-units."""
    numbers = numbers_of(chart_of(house))
    found = {}
    for account, debits, credits in house.books(
            "SELECT account, SUM(debits), SUM(credits) FROM trial_balance WHERE unit = 'money' AND "
            f"month {'<=' if before else '='} '{window}' GROUP BY account"):
        sums = found.setdefault(number_of(account, numbers), [0, 0])
        sums[0] += debits
        sums[1] += credits
    return found


def windows_of(house):
    return [each["id"] for each in house.json("window", "list") if each["state"] != "open"]


def export(house, form, window, folder, *more):
    path = folder / f"{form}-{window}"
    house.run("export", "gl", "--format", form, "--window", window, "--out", path, *more)
    return path


def micro(amount):
    assert amount * 1_000_000 == int(amount * 1_000_000)
    return int(amount * 1_000_000)


@pytest.mark.parametrize("by", ["window", "day", "posting"])
def test_hledger_agrees_with_the_trial_balance(house, tmp_path, by):
    for window in windows_of(house):
        path = export(house, "hledger", window, tmp_path, "--by", by)
        checked = subprocess.run(["hledger", "-f", path, "check", "--strict"],
                                 capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        found = {}
        for (account, _), amount in hledger_balances(path).items():
            found[account.split()[0]] = found.get(account.split()[0], 0) + amount
        expected = {number: debits - credits for number, (debits, credits) in trial_balance(house, window).items()}
        assert {key: value for key, value in found.items() if value} == {
            key: value for key, value in expected.items() if value}
        turnover = {}
        for number, amount in re.findall(r"^  (\d+) [^\n]*  (-?[\d.]+) EUR$", path.read_text(), re.MULTILINE):
            turnover.setdefault(number, [0, 0])[amount.startswith("-")] += abs(micro(Decimal(amount)))
        assert turnover == trial_balance(house, window) or by != "window"


@pytest.mark.parametrize("by", ["window", "day", "posting"])
def test_beancount_agrees_with_the_trial_balance(house, tmp_path, by):
    for window in windows_of(house):
        path = export(house, "beancount", window, tmp_path, "--by", by)
        checked = subprocess.run(["bean-check", path], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout[-2000:] + checked.stderr[-2000:]
        entries, errors, _ = loader.load_file(str(path))
        assert not errors
        found = {}
        for entry in entries:
            for posting in getattr(entry, "postings", []):
                number = re.search(r":(\d+)-", posting.account)[1]
                found[number] = found.get(number, 0) + micro(posting.units.number)
        expected = {number: debits - credits for number, (debits, credits) in trial_balance(house, window).items()}
        assert {key: value for key, value in found.items() if value} == {
            key: value for key, value in expected.items() if value}


def test_an_entry_a_day_or_a_posting(traded, tmp_path):
    counts = {by: len(re.findall(r"^2026-.. ?", export(traded, "hledger", "2026-06", tmp_path, "--by", by).read_text(),
                                 re.MULTILINE)) for by in ("window", "day", "posting")}
    assert counts == {"window": 1, "day": 2, "posting": 12}


@pytest.mark.parametrize("form", ["hledger", "beancount", "datev"])
def test_exported_again_it_has_the_same_bytes(house, tmp_path, form):
    for window in windows_of(house):
        first = export(house, form, window, tmp_path).read_bytes()
        house.run("rebuild")
        assert export(house, form, window, tmp_path).read_bytes() == first


# DATEV, by the patterns that its developer portal publishes.

HEADER = [r'"EXTF"', "700", "21", '"Buchungsstapel"', "13", r"20\d{15}", "", r'"\w{0,2}"', r'"\w{0,25}"', r'"\w{0,25}"',
          r"\d{4,7}", r"\d{1,5}", r"20\d\d(0[1-9]|1[0-2])[0-3]\d", "[4-8]", r"20\d{6}", r"20\d{6}", r'"[\w.\-/ ]{0,30}"',
          r'"([A-Z]{2}){0,2}"', "[12]?", r"(0|30|40|50|64)?", "[01]", r'"[A-Z]{3}"', "", r'""', "", "", r'"(\d{2})?"',
          "", "", r'""', r'"[\w ]{0,16}"']
ROW = {0: r"\d{1,10},\d{2}", 1: '"(S|H)"', 2: r'"[A-Z]{3}"', 6: r"\d{1,9}", 7: r"\d{1,9}", 9: r"\d{4}",
       10: r'"[\w$%\-/]{0,36}"', 13: r'".{0,60}"', 113: "[01]"}


def datev(path):
    """[(account, debit in cents)] of a file whose every field is as published."""
    raw = path.read_bytes()
    assert raw.endswith(b"\r\n") and raw.count(b"\n") == raw.count(b"\r\n")
    header, names, *rows = raw.decode("windows-1252").removesuffix("\r\n").split("\r\n")
    cells = header.split(";")
    assert len(cells) == len(HEADER)
    for number, (cell, pattern) in enumerate(zip(cells, HEADER, strict=True), 1):
        assert re.fullmatch(pattern, cell), (number, cell)
    names = names.split(";")
    assert (len(names), names[8], names[113], names[124]) == (125, "BU-Schlüssel", "Festschreibung", "Abw. Skontokonto")
    found = []
    for row in rows:
        fields = row.split(";")
        assert len(fields) == 125
        for place, field in enumerate(fields):
            assert re.fullmatch(ROW.get(place, ""), field), (place, field)
        assert fields[7] == "1590"
        cents = int(fields[0].replace(",", ""))
        assert cents > 0
        found.append((fields[6], cents if fields[1] == '"S"' else -cents))
    return found


def test_datev_has_the_balances_in_cents(house, tmp_path):
    posted = {}
    for window in windows_of(house):
        rows = datev(export(house, "datev", window, tmp_path))
        assert sum(cents for _, cents in rows) == 0
        assert len({number for number, _ in rows}) == len(rows)
        for number, cents in rows:
            posted[number] = posted.get(number, 0) + cents
        exact = {number: debits - credits
                 for number, (debits, credits) in trial_balance(house, window, before=True).items()}
        rounded = {number: int((Decimal(amount) / 10_000).quantize(Decimal(1), ROUND_HALF_UP))
                   for number, amount in exact.items()}
        rounded["2650"] = rounded.get("2650", 0) - sum(rounded.values())
        assert {key: cents for key, cents in posted.items() if cents} == {
            key: cents for key, cents in rounded.items() if cents}


def test_datev_says_which_window(traded, tmp_path):
    header = export(traded, "datev", "2026-07", tmp_path).read_text("windows-1252").split(";")
    assert (header[12], header[14], header[15]) == ("20260101", "20260701", "20260731")


# The chart is data.


def chart_text(house, *changes):
    text = house.run("export", "chart").stdout
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_another_chart(traded, tmp_path):
    chart = tmp_path / "chart.toml"
    chart.write_text(chart_text(traded, ('number = "1530"', 'number = "1539"')) + """
[[account]]
house = "unbilled:GRO"
number = "1531"
name = "Grocer"
type = "assets"
""")
    found = hledger_balances(export(traded, "hledger", "2026-06", tmp_path, "--chart", chart))
    names = {account for account, _ in found}
    assert "1531 Grocer" in names and "1539 Unbilled:TNK" in names and "1539 Unbilled:GRO" not in names
    [(account, amount)] = [(account, amount) for (account, _), amount in found.items() if account == "1531 Grocer"]
    [(expected,)] = traded.books("SELECT debits - credits FROM trial_balance WHERE account = 'unbilled:GRO' AND"
                                 " month = '2026-06'")
    assert amount == expected


@pytest.mark.parametrize(("change", "words"), [
    (('house = "rounding"', 'house = "roundings"'), "no account"),
    (('number = "1530"', 'number = "153a"'), "digits"),
    (('name = "Unbilled"', 'name = "Un  billed"'), "single blanks"),
    (('number = "1530"', 'number = "1400"'), "another account already"),
    (('name = "Unbilled"', 'names = "Unbilled"'), "line"),
    (('type = "income"', 'type = "revenue"'), "type is"),
    (("[datev]", "[date"), "line")])
def test_a_chart_that_is_none(traded, tmp_path, change, words):
    chart = tmp_path / "chart.toml"
    chart.write_text(chart_text(traded, change))
    done = traded.run("export", "gl", "--format", "hledger", "--window", "2026-06", "--chart", chart, status=1)
    assert words in done.stderr, done.stderr


@pytest.mark.parametrize("change", [('clearing = "1590"', 'clearing = "1400"'), ("account_digits = 4", "account_digits = 5"),
                                    ("consultant = 1001", "consultant = 1"), ("client = 1", "client = 0")])
def test_what_datev_does_not_take(traded, tmp_path, change):
    chart = tmp_path / "chart.toml"
    chart.write_text(chart_text(traded, change))
    traded.run("export", "gl", "--format", "datev", "--window", "2026-06", "--chart", chart, status=1)


def test_an_open_window_is_not_exported(traded):
    done = traded.run("export", "gl", "--format", "hledger", "--window", "2026-09", status=1)
    assert "not closed" in done.stderr

"""hledger and beancount, which know nothing of us, read the exported journal and agree."""

import csv
import io
import sqlite3
import subprocess
from decimal import Decimal

import pytest
from beancount import loader

from messages import accrual, message


@pytest.fixture(scope="module")
def traded(make_house):
    """A house with two months in which every kind of entry happened."""
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        earned = accrual("a", 10_000)
        gro.post("/v1/accruals", earned)
        tnk.post("/v1/accruals", accrual("a", 5_003, occurred_at="2026-06-10T12:00:01Z"))
        spent = message(member="a", points=12_345)
        tnk.post("/v1/redemptions", spent)
        tnk.post("/v1/reversals", message(reverses=spent["message_id"], points=1_111))
        gro.post("/v1/reversals", message(reverses=earned["message_id"], points=7_777))
        gro.post("/v1/accruals", accrual("a", 9_999, occurred_at="2026-07-01T00:00:00Z"))
        gro.post("/v1/clawbacks", message(
            member="a", points=20_000, reason="return", occurred_at="2026-07-02T00:00:00Z"))
    return house


@pytest.fixture(scope="module")
def replayed(make_house, shared_data):
    house = make_house()
    house.init()
    house.json("replay", shared_data / "slice_online_retail_2011q1.csv.gz", "--setup",
               "--redeem-at", "1000", timeout=600)
    return house


def export(house, form, folder):
    path = folder / f"journal.{form}"
    path.write_text(house.run("export", "journal", "--format", form).stdout)
    return path


def trial_balance(house):
    """{(account, unit): balance} of our books, over all windows: whole points, or micro-units."""
    with sqlite3.connect(f"file:{house.data}/books.db?mode=ro", uri=True) as books:
        rows = books.execute(
            "SELECT account, unit, sum(debits) - sum(credits) FROM trial_balance GROUP BY 1, 2").fetchall()
        sides = books.execute(
            "SELECT month, unit = 'money', sum(debits), sum(credits) FROM trial_balance GROUP BY 1, 2"
        ).fetchall()
    books.close()
    for month, is_money, debits, credits in sides:
        shown = house.json("settle", "show", month)["trial_balance"]
        shown = next(iter(shown["money_micro"].values())) if is_money else shown["points"]
        assert (shown["debits"], shown["credits"]) == (debits, credits), month
        assert debits == credits > 0
    return {(account, unit): balance for account, unit, balance in rows if balance}


def unscaled(text, unit):
    """A printed amount as whole points or micro-units, exactly."""
    number = Decimal(text.replace(",", "")) * (1 if unit.startswith("P.") else 1_000_000)
    assert number == int(number), text
    return int(number)


def hledger_balances(path):
    """{(account, unit): balance} of hledger's own report."""
    done = subprocess.run(["hledger", "-f", path, "balance", "--flat", "--no-total", "-O", "csv",
                           "--layout=bare"], capture_output=True, text=True, check=True)
    return {(row["account"], row["commodity"] if row["commodity"].startswith("P.") else "money"):
            unscaled(row["balance"], row["commodity"]) for row in csv.DictReader(io.StringIO(done.stdout))}


def beancount_balances(path):
    """{unit: sorted balances} of the accounts as beancount books them; it has other names for them."""
    entries, errors, _ = loader.load_file(str(path))
    assert not errors, errors[:3]
    balances = {}
    for entry in entries:
        for posting in getattr(entry, "postings", []):
            key = posting.account, posting.units.currency
            balances[key] = balances.get(key, 0) + posting.units.number
    found = {}
    for (_, currency), balance in balances.items():
        scale = 1_000_000 if currency in ("EUR", "GBP") else 1
        if balance:
            assert balance * scale == int(balance * scale)
            found.setdefault(scale, []).append(int(balance * scale))
    return {scale: sorted(each) for scale, each in found.items()}


def assert_hledger_agrees(house, folder):
    path = export(house, "hledger", folder)
    checked = subprocess.run(["hledger", "-f", path, "check", "--strict"],
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    found = {key: balance for key, balance in hledger_balances(path).items() if balance}
    assert found == trial_balance(house)


def assert_beancount_agrees(house, folder):
    path = export(house, "beancount", folder)
    checked = subprocess.run(["bean-check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-2000:] + checked.stderr[-2000:]
    ours = trial_balance(house)
    assert beancount_balances(path) == {
        1_000_000: sorted(balance for (_, unit), balance in ours.items() if unit == "money"),
        1: sorted(balance for (_, unit), balance in ours.items() if unit != "money")}


def test_hledger_reads_the_journal_and_agrees(traded, tmp_path):
    assert_hledger_agrees(traded, tmp_path)


def test_beancount_reads_the_journal_and_agrees(traded, tmp_path):
    assert_beancount_agrees(traded, tmp_path)


def test_outsiders_agree_on_a_replayed_slice(replayed, tmp_path):
    assert_hledger_agrees(replayed, tmp_path)
    assert_beancount_agrees(replayed, tmp_path)


def test_csv_has_every_posting_once(traded):
    rows = list(csv.DictReader(io.StringIO(traded.run("export", "journal", "--format", "csv").stdout)))
    assert rows
    assert all(None not in row and None not in row.values() for row in rows)


def test_one_closed_month_by_outsiders_too(traded, tmp_path):
    """Whatever is in the journal is in the books: an export after a rebuild has the same bytes."""
    before = export(traded, "hledger", tmp_path).read_bytes()
    traded.stop()
    traded.run("rebuild")
    assert export(traded, "hledger", tmp_path).read_bytes() == before
    traded.start()

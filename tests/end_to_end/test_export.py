"""hledger and beancount, which know nothing of us, read the exported journal and agree."""

import csv
import io
import re
import subprocess

import pytest

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
    house.run("init")
    house.json("replay", shared_data / "slice_online_retail_2011q1.csv.gz", "--setup",
               "--redeem-at", "1000", timeout=600)
    return house


def export(house, form, folder):
    path = folder / f"journal.{form}"
    path.write_text(house.run("export", "journal", "--format", form).stdout)
    return path


def trial_balances(house):
    """Debits of points, and of money in micro-units by currency, over all windows."""
    points, money = 0, {}
    for window in house.json("window", "list"):
        balance = house.json("settle", "show", window["id"])["trial_balance"]
        assert balance["points"]["debits"] == balance["points"]["credits"]
        points = balance["points"]["debits"]
        for currency, side in balance["money_micro"].items():
            assert side["debits"] == side["credits"]
            money[currency] = side["debits"]
    return points, money


def hledger_balances(path):
    """{(account, commodity): exact decimal text} from hledger's own report."""
    done = subprocess.run(["hledger", "-f", path, "balance", "--flat", "--no-total", "-O", "csv",
                           "--layout=tidy"], capture_output=True, text=True, check=False)
    if done.returncode:
        done = subprocess.run(["hledger", "-f", path, "balance", "--flat", "--no-total", "-O", "csv",
                               "--layout=bare"], capture_output=True, text=True, check=True)
    return {(row["account"], row["commodity"]): row.get("value", row.get("balance"))
            for row in csv.DictReader(io.StringIO(done.stdout))}


def assert_hledger_agrees(house, folder):
    path = export(house, "hledger", folder)
    checked = subprocess.run(["hledger", "-f", path, "check", "parseable", "autobalanced"],
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    balances = hledger_balances(path)
    assert balances
    sides = {}
    for (_, commodity), value in balances.items():
        number = int(round(float(value.replace(",", "")) * 1_000_000))
        sides.setdefault(commodity, [0, 0])[number < 0] += abs(number)
    for commodity, (debits, credits) in sides.items():
        assert debits == credits, (commodity, debits, credits)
    return sides


def assert_beancount_agrees(house, folder):
    path = export(house, "beancount", folder)
    checked = subprocess.run(["bean-check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-2000:] + checked.stderr[-2000:]
    assert not re.search(r"error", checked.stdout + checked.stderr, re.I)


def test_hledger_reads_the_journal_and_agrees(traded, tmp_path):
    sides = assert_hledger_agrees(traded, tmp_path)
    _, money = trial_balances(traded)
    assert sides["EUR"][0] == money["EUR"], (sides, money)


def test_beancount_reads_the_journal(traded, tmp_path):
    assert_beancount_agrees(traded, tmp_path)


def test_outsiders_agree_on_a_replayed_slice(replayed, tmp_path):
    sides = assert_hledger_agrees(replayed, tmp_path)
    _, money = trial_balances(replayed)
    assert sides["GBP"][0] == money["GBP"], (sides, money)
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

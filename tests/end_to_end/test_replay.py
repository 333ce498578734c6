"""Real purchases: what the house says of them equals what plain SQL and Python had computed before."""

import csv
import gzip
import subprocess
import time
from collections import defaultdict

import pytest

SLICES = ["slice_birmingham_2016q2", "slice_online_retail_2011q1"]
FULL = "online_retail"


def rows_of(path):
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path)
    with opened as file:
        return list(csv.DictReader(file))


def shown_by_window(house):
    return {window["id"]: house.json("settle", "show", window["id"])
            for window in house.json("window", "list")}


def assert_points_equal_truth(house, truth):
    """Earned and reversed, by partner and month (rule B1 and its returns)."""
    expected = {(row["month"], row["partner"]): (int(row["points_earned"]), int(row["points_reversed"]))
                for row in rows_of(truth)}
    found = {(window, row["partner"]): (row["issued"], row["clawed_back"])
             for window, shown in shown_by_window(house).items() for row in shown["partners"]
             if row["issued"] or row["clawed_back"]}
    assert found == {key: both for key, both in expected.items() if any(both)}


def assert_balances(house):
    for window, shown in shown_by_window(house).items():
        balance = shown["trial_balance"]
        assert balance["points"]["debits"] == balance["points"]["credits"] > 0, window
        for currency, side in balance["money_micro"].items():
            assert side["debits"] == side["credits"], (window, currency)
        assert sum(row["net_minor"] for row in shown["partners"]) == -sum(
            document["total_minor"] * (1 if document["payer"] in {
                row["partner"] for row in shown["partners"]} else -1)
            for document in shown["documents"])


def replay(house, file, *more, status=0):
    return house.json("replay", file, "--setup", *more, status=status, timeout=3_000)


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_by_the_base_rule(make_house, shared_data, name):
    house = make_house()
    house.init()
    first = replay(house, shared_data / f"{name}.csv.gz")
    assert_points_equal_truth(house, shared_data / "truth" / f"{name}_points_partner_month.csv")
    assert_balances(house)
    before = house.verify()
    assert before["ok"] and before["postings"] > 4_000

    second = replay(house, shared_data / f"{name}.csv.gz")

    assert house.verify() == before, "the second time books nothing"
    assert second["already_booked"] == second["messages"] == first["messages"]
    assert house.verify("--from-scratch")["ok"]


def assert_redemptions_equal_truth(house, truth, rule):
    """The issuer × redeemer × month matrix, and each partner's issued = redeemed + outstanding."""
    expected = {(row["month"], row["issuer"], row["acceptor"]): int(row["points"])
                for row in rows_of(truth.with_name(f"{truth.name}_{rule}_settlement.csv.gz"))}
    shown = shown_by_window(house)
    assert {(window, flow["issuer"], flow["redeemer"]): flow["points"]
            for window, figures in shown.items() for flow in figures["flows"] if flow["points"]} == expected
    sums = defaultdict(lambda: defaultdict(int))
    for window in sorted(shown):
        for row in shown[window]["partners"]:
            for figure in ("issued", "own_redeemed_anywhere", "redeemed_here"):
                sums[row["partner"]][figure] += row[figure]
            sums[row["partner"]]["outstanding"] = row["closing"]
    for row in rows_of(truth.with_name(f"{truth.name}_{rule}_partners.csv")):
        found = sums[row["partner"]]
        assert found["issued"] == int(row["issued"]), row
        assert found["own_redeemed_anywhere"] == int(row["own_points_redeemed_anywhere"]), row
        assert found["redeemed_here"] == int(row["redeemed_here"]), row
        assert found["outstanding"] == int(row["outstanding"]), row
        assert found["issued"] == found["own_redeemed_anywhere"] + found["outstanding"], row


@pytest.fixture(scope="module", params=SLICES)
def redeemed(request, make_house, shared_data):
    """A house in which a slice was replayed by R(1000)."""
    house = make_house()
    house.init()
    replay(house, shared_data / f"{request.param}.csv.gz", "--redeem-at", "1000")
    return request.param, house


def test_a_slice_by_rule_r1000(redeemed, shared_data):
    name, house = redeemed
    assert_redemptions_equal_truth(house, shared_data / "truth" / name, "r1000")
    assert_balances(house)
    assert house.verify()["ok"]


def test_a_replay_killed_in_the_middle_goes_on(make_house, shared_data):
    house = make_house()
    house.init()
    file = shared_data / f"{SLICES[1]}.csv.gz"
    killed = 0
    for seconds in (0.3, 0.5, 0.7, 1.0, 1.5):
        process = subprocess.Popen(
            [house.binary, "replay", str(file), "--data", str(house.data), "--setup"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        if process.poll() is None:
            killed += 1
        process.kill()
        process.wait()
    time.sleep(0.5)

    replay(house, file)

    assert killed, "every replay had ended before it was killed"
    assert_points_equal_truth(house, shared_data / "truth" / f"{SLICES[1]}_points_partner_month.csv")
    assert house.verify("--from-scratch")["ok"]


def test_the_full_shop(make_house, shared_data):
    house = make_house()
    house.init()
    began = time.monotonic()
    summary = replay(house, shared_data / f"{FULL}.csv.gz")
    print(f"{summary['messages']} messages in {time.monotonic() - began:.1f} s")
    assert_points_equal_truth(house, shared_data / "truth" / f"{FULL}_points_partner_month.csv")
    assert_balances(house)
    assert house.verify()["ok"]


def test_the_full_shop_by_rule_r2000(make_house, shared_data):
    house = make_house()
    house.init()
    replay(house, shared_data / f"{FULL}.csv.gz", "--redeem-at", "2000")
    assert_redemptions_equal_truth(house, shared_data / "truth" / FULL, "r2000")
    assert house.verify()["ok"]


SMALL = """occurred_at,member,partner,basket,amount_minor,currency,kind,channel,category
2026-04-01T10:00:00Z,m1,grocer,b1,1050,EUR,purchase,store,food
2026-04-01T10:00:00Z,m1,grocer,b1,2060,EUR,purchase,store,drink
2026-04-02T10:00:00Z,m2,fuel,b2,4999,EUR,purchase,store,fuel
2026-04-03T10:00:00Z,m1,grocer,b3,-1050,EUR,return,store,food
2026-05-01T10:00:00Z,m2,grocer,b4,500,EUR,purchase,web,food
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.csv"
    path.write_text(SMALL)
    return path


def test_a_small_file_by_hand(make_house, small):
    house = make_house()
    house.init()
    summary = replay(house, small)

    shown = shown_by_window(house)
    figures = {(window, row["partner"]): (row["issued"], row["clawed_back"])
               for window, each in shown.items() for row in each["partners"]}
    assert figures["2026-04", "grocer"] == (31, 10)
    assert figures["2026-04", "fuel"] == (49, 0)
    assert figures["2026-05", "grocer"] == (5, 0)
    assert summary["messages"] == 4 and summary["already_booked"] == 0
    assert replay(house, small)["already_booked"] == 4


@pytest.mark.parametrize("line", [
    "2026-04-01T10:00:00Z,m1,grocer,b1,10.50,EUR,purchase,store,food",
    "2026-04-01T10:00:00Z,m1,grocer,b1,-5,EUR,purchase,store,food",
    "yesterday,m1,grocer,b1,1050,EUR,purchase,store,food",
    "2026-04-01T10:00:00Z,m1,grocer,b1,1050,EUR,gift,store,food",
    "2026-04-01T10:00:00Z,m1,grocer,b1,1050,EUR"])
def test_a_file_not_in_the_form_is_refused_naming_the_line(make_house, small, line):
    small.write_text(SMALL + line + "\n")
    house = make_house()
    house.init()
    done = house.run("replay", small, "--setup", status=1)
    assert "line 7" in done.stderr, done.stderr


def test_a_replay_over_a_served_house(make_house, small):
    house = make_house().make("grocer", "fuel").start()
    done = subprocess.run(
        [house.binary, "replay", str(small), "--url", f"https://127.0.0.1:{house.port}",
         "--certs", str(house.data / "certs")], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert house.verify()["postings"] == 4

"""R1: kill -9 at random points under load. What was acknowledged stays, once; nothing else appears."""

import random
import time

import pytest

from load import Sender, booked
from messages import NOON, fresh

PARTNERS = ("GRO", "TNK", "BOE")
READY_SECONDS = 5


def assert_points_agree(house, senders):
    """The house's figures are the sums of the acknowledged answers, by partner and over the members."""
    figures = {partner: {"issued": 0, "redeemed_here": 0} for partner in PARTNERS}
    outstanding = 0
    for partner, route, answer in booked(senders):
        if route == "accruals":
            figures[partner]["issued"] += answer["points"]
            outstanding += answer["points"]
        elif route == "redemptions":
            figures[partner]["redeemed_here"] += answer["points"]
            outstanding -= answer["points"]
        else:  # reversals of accruals, clawbacks
            outstanding -= answer["points"]
    shown = house.json("settle", "show", "2026-06")
    for row in shown["partners"]:
        expected = figures[row["partner"]]
        assert {name: row[name] for name in expected} == expected, row
    with house.connect("GRO") as gro:
        balances = [gro.get(f"/v1/members/{member}").json["balance"]
                    for member in sorted({member for sender in senders for member in sender.members})]
    assert sum(each["available"] - each["debt"] for each in balances) == outstanding


@pytest.mark.against_the_clock
def test_kill_under_load(make_house, nightly, seed):
    chance = random.Random(seed)
    house = make_house().make(*PARTNERS).start()
    members = [fresh("crash") for _ in range(200)]
    everyone, slowest, unknown_outcomes = [], 0, 0

    for _ in range(200 if nightly else 20):
        senders = [Sender(house, partner, members, random.Random(chance.random()), lambda: NOON)
                   for partner in PARTNERS * 2]
        for sender in senders:
            sender.start()
        time.sleep(chance.uniform(0.02, 0.6))
        house.kill()
        for sender in senders:
            sender.stop()
        everyone += senders

        house.start(wait=False)
        slowest = max(slowest, house.wait_until_ready())
        for sender in senders:
            acknowledged = list(sender.answers)
            unknown = [name for name in sender.sent if name not in sender.answers]
            unknown_outcomes += len(unknown)
            sender.resend(acknowledged)
            sender.resend(unknown)

    found = house.verify()
    print(f"{sum(len(each.sent) for each in everyone)} messages, {unknown_outcomes} unknown outcomes, "
          f"ready again within {slowest:.2f} s")
    assert unknown_outcomes > 0, "no kill hit a message in flight: the test proved nothing"
    assert slowest <= READY_SECONDS
    assert found["ok"], found
    assert found["messages"] == sum(len(each.answers) for each in everyone)
    assert found["postings"] == len(booked(everyone))
    assert_points_agree(house, everyone)
    house.stop()
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.against_the_clock
def test_kill_while_starting(make_house):
    """Killed again and again before it is ready, a house still comes up with everything."""
    chance = random.Random(7)
    house = make_house().make("GRO").start()
    sender = Sender(house, "GRO", [fresh("crash") for _ in range(50)], chance, lambda: NOON)
    sender.start()
    time.sleep(1)
    house.kill()
    sender.stop()

    for _ in range(10):
        house.start(wait=False)
        time.sleep(chance.uniform(0, 0.15))
        house.kill()
    house.start()

    sender.resend(list(sender.answers))
    assert house.verify()["ok"]


def test_a_stop_under_load_loses_nothing(make_house):
    """SIGTERM: the house drains, ends with status 0, and everything acknowledged is there."""
    house = make_house().make("GRO", "TNK").start()
    members = [fresh("drain") for _ in range(50)]
    senders = [Sender(house, partner, members, random.Random(partner), lambda: NOON)
               for partner in ("GRO", "TNK")]
    for sender in senders:
        sender.start()
    time.sleep(0.5)
    house.stop()
    for sender in senders:
        sender.stop()
    house.start()
    for sender in senders:
        sender.resend(list(sender.answers))
    assert house.verify()["ok"]


@pytest.mark.about_sqlite
def test_two_processes_never_share_a_house(make_house):
    house = make_house().make("GRO").start()
    second = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                       status=None, timeout=20)
    assert second.returncode == 1
    assert house.admin("/readyz")[0] == 200

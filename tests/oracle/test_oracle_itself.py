"""The oracle is right about the sums that DESIGN §4 gives, one rule at a time."""

from fractions import Fraction

import days
import pytest
from oracle import Oracle
from terms import read_terms

NOON = "2026-06-10T12:00:00Z"
PARTNER = """
[[partner]]
id = "{name}"
roles = ["issuer", "redeemer"]
debt_bearer = "{bearer}"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "{price}"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "{share}"
  pending_days = {pending}
  expiry = {{ months = 1, at = "month_end" }}
  breakage = {{ operator = 1, issuer = 1 }}
"""
CHARITY = """
[[partner]]
id = "CHA"
roles = ["charity"]
"""


class Coalition:
    """GRO and TNK, which is a little dearer, and a charity."""

    def __init__(self, share="1", bearer="issuer", pending=0, **limits):
        text = "".join(PARTNER.format(name=name, price=price, share=share, bearer=bearer, pending=pending)
                       for name, price in (("GRO", "0.01"), ("TNK", "0.012")))
        self.oracle = Oracle(read_terms(text + CHARITY), days.instant("2026-06-01T00:00:00Z"), **limits)
        self.number = 0

    def say(self, partner, path, **body):
        """Sends; expects no refusal; returns (message id, answer)."""
        self.number += 1
        name = f"m{self.number}"
        outcome = self.oracle.decide(partner, path, {"message_id": name, "occurred_at": NOON} | body)
        assert outcome.code is None, outcome
        self.oracle.check()
        return name, outcome.said

    def money(self, account):
        return self.oracle.books.balance(account)


def test_a_debt_is_repaid_by_another_issuer_s_points():
    house = Coalition()
    earned, _ = house.say("GRO", "accruals", member="m", points=250)
    house.say("TNK", "redemptions", member="m", points=230)
    _, answer = house.say("GRO", "reversals", reverses=earned, points=200)
    assert answer["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 180}
    before = house.money("unbilled:GRO")
    _, answer = house.say("TNK", "accruals", member="m", points=300)
    assert answer["balance"] == {"available": 120, "pending": 0, "held": 0, "debt": 0}
    assert before - house.money("unbilled:GRO") == 180 * 11_000
    # TNK's points are worth 0.012: the margin keeps the 0.002 that GRO is not owed.
    assert -house.money("revenue:redemption_margin") == 230 * 500 + 180 * 2_000


@pytest.mark.parametrize("share", ["0", "1/2", "1"])
def test_the_liability_is_the_prefunded_part_of_what_is_open(share):
    house = Coalition(share)
    house.say("GRO", "accruals", member="m", points=1000)
    spent, _ = house.say("TNK", "redemptions", member="m", points=600)
    house.say("TNK", "reversals", reverses=spent, points=100)
    house.say("TNK", "donations", member="m", points=50, charity="CHA")
    assert house.oracle.outstanding("GRO") == 450
    assert -house.money("deferred_revenue") == 450 * 10_000 * Fraction(share)
    # Paid at issue for 1,000, the rest for the 550 that were used; the fee for all.
    assert house.money("unbilled:GRO") == 1000 * 1_000 + 10_000 * (
        1000 * Fraction(share) + 550 * (1 - Fraction(share)))


def test_a_refund_of_expired_points_expires_again_at_once():
    house = Coalition()
    house.say("GRO", "accruals", member="m", points=100)
    spent, _ = house.say("TNK", "redemptions", member="m", points=60)
    house.oracle.advance(days.instant("2026-08-01T00:00:00Z"))
    assert house.oracle.books.figures["2026-07", "GRO"]["expired"] == 40
    _, answer = house.say("TNK", "reversals", reverses=spent)
    assert answer["restored"] == [("GRO", 60)] and answer["balance"]["available"] == 0
    assert -house.money("revenue:breakage") == 100 * 5_000
    assert house.money("deferred_revenue") == 0


def test_a_clawback_of_expired_points_undoes_breakage():
    house = Coalition()
    earned, _ = house.say("GRO", "accruals", member="m", points=100)
    house.oracle.advance(days.instant("2026-08-01T00:00:00Z"))
    _, answer = house.say("GRO", "reversals", reverses=earned, points=30)
    assert answer["balance"]["debt"] == 0
    assert -house.money("revenue:breakage") == 70 * 5_000
    assert house.money("unbilled:GRO") == 70 * 11_000


def test_held_points_expire_when_they_are_released():
    house = Coalition()
    house.say("GRO", "accruals", member="m", points=100)
    hold, _ = house.say("TNK", "holds", member="m", points=80, expires_in_seconds=90 * 86_400)
    house.oracle.advance(days.instant("2026-08-01T00:00:00Z"))
    assert house.oracle.members["m"].balance() == {"available": 0, "pending": 0, "held": 80, "debt": 0}
    _, answer = house.say("TNK", f"holds/{hold}/capture", points=50)
    assert answer["drawn"] == [("GRO", 50)]
    assert answer["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert house.oracle.books.figures["2026-08", "GRO"]["expired"] == 30


def test_a_hold_ends_by_the_clock_and_repays_debt():
    house = Coalition()
    earned, _ = house.say("GRO", "accruals", member="m", points=100)
    house.say("TNK", "holds", member="m", points=100, expires_in_seconds=60)
    _, answer = house.say("GRO", "reversals", reverses=earned, points=40)
    assert answer["balance"] == {"available": 0, "pending": 0, "held": 100, "debt": 40}
    house.oracle.advance(days.instant("2026-06-10T12:01:00Z"))
    assert house.oracle.members["m"].balance() == {"available": 60, "pending": 0, "held": 0, "debt": 0}


def test_who_took_the_points_bears_the_debt_latest_first():
    house = Coalition(bearer="redeemer")
    earned, _ = house.say("GRO", "accruals", member="m", points=100)
    house.say("TNK", "redemptions", member="m", points=70)
    house.say("GRO", "redemptions", member="m", points=30)
    house.say("GRO", "reversals", reverses=earned, points=50)
    assert house.money("accrued_redemption:GRO") == 0
    assert -house.money("accrued_redemption:TNK") == 50 * 9_500
    assert house.money("unbilled:GRO") == 50 * 11_000


def test_pending_points_go_back_first_and_are_released_by_message():
    house = Coalition(pending=10)
    earned, answer = house.say("GRO", "accruals", member="m", points=100)
    assert answer["balance"] == {"available": 0, "pending": 100, "held": 0, "debt": 0}
    house.say("GRO", "reversals", reverses=earned, points=30)
    _, answer = house.say("GRO", f"accruals/{earned}/release")
    assert answer["balance"] == {"available": 70, "pending": 0, "held": 0, "debt": 0}


def test_a_merge_moves_lots_holds_and_debt():
    house = Coalition()
    earned, _ = house.say("GRO", "accruals", member="card", points=100)
    hold, _ = house.say("TNK", "holds", member="card", points=100, expires_in_seconds=600)
    house.say("GRO", "reversals", reverses=earned, points=40)
    house.say("TNK", "accruals", member="person", points=50)
    house.say("operator:anna", "members/card/merge", reason="registered", into="person")
    assert house.oracle.members["card"] is house.oracle.members["person"]
    assert house.oracle.members["card"].balance() == {
        "available": 10, "pending": 0, "held": 100, "debt": 0}
    _, answer = house.say("TNK", f"holds/{hold}/release")
    assert answer["balance"]["available"] == 110


def test_a_closed_member_forfeits_what_is_open():
    house = Coalition()
    house.say("GRO", "accruals", member="m", points=100)
    house.say("TNK", "holds", member="m", points=30, expires_in_seconds=600)
    house.say("operator:anna", "members/m/close", reason="asked to")
    assert house.oracle.members["m"].balance() == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert -house.money("revenue:breakage") == 100 * 5_000
    refused = house.oracle.decide("GRO", "accruals", {
        "message_id": "late", "occurred_at": NOON, "member": "m", "points": 1})
    assert refused.code == "member_closed"


def test_a_transfer_moves_no_money():
    house = Coalition()
    earned, _ = house.say("GRO", "accruals", member="a", points=100)
    house.say("TNK", "accruals", member="b", points=1)
    before = dict(house.oracle.books.balances)
    house.say("TNK", "transfers", member="a", to_member="b", points=60)
    after = house.oracle.books.balances
    assert all(after[key] == amount for key, amount in before.items() if key[0] == "money")
    # A later clawback meets the one who earned.
    _, answer = house.say("GRO", "reversals", reverses=earned)
    assert answer["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 60}


def folded(house, points=10):
    """The message ids of four accruals of one member, whose lots have become one."""
    names = [house.say("GRO", "accruals", member="m", points=points)[0] for _ in range(4)]
    assert [lot.active for lot in house.oracle.members["m"].drawn_first()] == [4 * points]
    return names


def test_a_return_takes_its_own_from_the_fold_as_far_as_it_is_there():
    house = Coalition(lots_max=3, folded_to=1)
    names = folded(house)
    _, answer = house.say("GRO", "reversals", reverses=names[1])
    assert (answer["clawed_back_own"], answer["debt"]) == (10, 0)
    house.say("TNK", "redemptions", member="m", points=25)
    _, answer = house.say("GRO", "reversals", reverses=names[0])
    assert (answer["clawed_back_own"], answer["debt"]) == (5, 5)


def test_no_return_takes_more_than_it_brought():
    house = Coalition(lots_max=3, folded_to=1)
    first, _ = house.say("GRO", "accruals", member="m", points=10)
    house.say("TNK", "redemptions", member="m", points=7)
    for _ in range(3):
        house.say("GRO", "accruals", member="m", points=10)
    _, answer = house.say("GRO", "reversals", reverses=first)
    assert (answer["clawed_back_own"], answer["debt"]) == (3, 0)  # the rest was repaid
    assert answer["balance"]["available"] == 23


def test_what_is_not_alike_does_not_fold():
    house = Coalition(lots_max=3, folded_to=1)
    for partner, when in (("GRO", "05-31"), ("TNK", "06-01"), ("GRO", "06-01"), ("TNK", "06-10"),
                          ("GRO", "06-10")):
        house.say(partner, "accruals", member="m", points=10, occurred_at=f"2026-{when}T12:00:00Z")
    lots = house.oracle.members["m"].drawn_first()
    assert [(lot.issuer, lot.active) for lot in lots] == [("GRO", 10), ("TNK", 20), ("GRO", 20)]


def test_a_fold_expires_once_and_a_return_undoes_its_own_breakage():
    house = Coalition(lots_max=3, folded_to=1)
    names = folded(house)
    house.oracle.advance(days.instant("2026-08-02T00:00:00Z"))
    assert house.oracle.books.points_balances()["expired"] == 40
    for name in names:
        _, answer = house.say("GRO", "reversals", reverses=name, occurred_at="2026-08-02T12:00:00Z")
        assert (answer["clawed_back_own"], answer["debt"]) == (10, 0)
    assert house.oracle.books.points_balances()["expired"] == 0

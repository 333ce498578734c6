"""The oracle plays the worked month and comes to its figures, row by row."""

import random

import days
import june_2026 as june
import pytest


def play(house, steps=june.STEPS):
    """Plays the steps to the oracle and compares each answer; `events` of the books are the steps'."""
    for step in steps:
        if "again" in step:
            first = june.step_named(step["again"])
            assert house.decide(first["partner"], first["path"], june.body_of(first)).replayed
            continue
        if "path" not in step:
            house.advance(days.instant(step["at"]))
            if "balance" in step:
                assert house.members[step["member"]].balance() == step["balance"], step["event"]
            continue
        house.advance(days.instant(step["at"]))
        outcome = house.decide(step["partner"], step["path"], june.body_of(step))
        assert (outcome.status, outcome.code) == (step["status"], step.get("code")), step["event"]
        house.check()
        yield step, outcome
    house.check()


def assert_answered(step, outcome):
    for name, expected in step.get("answer", {}).items():
        if name == "lots":
            assert outcome.said["lots"] == [
                (lot["issuer"], lot["points"], lot["state"], days.date.fromisoformat(lot["expires_on"]))
                for lot in expected]
        elif name in ("drawn", "restored"):
            assert outcome.said[name] == [(row["issuer"], row["points"]) for row in expected]
        elif name == "clawed_back":
            assert outcome.said["clawed_back_own"] == sum(row["points"] for row in expected)
        elif name == "expires_at":
            assert days.instant(outcome.said[name]) == days.instant(expected)
        elif name != "value":
            assert outcome.said[name] == expected, (step["event"], name)


def rows_of(house):
    """The journal as the worked month writes it: {(event, book): {account: amount}}."""
    names = {"maturity of E1": "E8", "maturity of E4": "E9", "maturity of E5": "E12b",
             "expiry of L0": "E15", "E6-hold": "E6"}
    rows = {}
    for event, books in house.books.events().items():
        for book, lines in books.items():
            row = rows.setdefault((names.get(event, event), book), {})
            for account, amount in lines.items():
                row[account] = row.get(account, 0) + amount
    rows = {key: {account: amount for account, amount in row.items() if amount}
            for key, row in rows.items()}
    return {key: row for key, row in rows.items() if row}


def golden_rows():
    rows = {}
    for row in june.JOURNAL:
        merged = rows.setdefault((row["event"], row["book"]), {})
        for side, sign in (("debit", 1), ("credit", -1)):
            for account, amount in row[side].items():
                merged[account] = merged.get(account, 0) + sign * amount
    return rows


def assert_june_closed(house):
    assert {lot.name: lot.open for lot in house.lots() if lot.open} == june.CLOSE["lots"]
    assert {name: member.total("active") for name, member in house.members.items()} == (
        june.CLOSE["members"])
    assert {name: blocks[0].left for name, blocks in house.blocks.items() if blocks} == (
        june.CLOSE["blocks"])
    assert house.books.roll_forward("2026-06") == june.CLOSE["partners"]
    assert sorted(house.books.flows_of("2026-06").items()) == sorted(
        ((issuer, redeemer), points) for issuer, redeemer, points in june.CLOSE["flows"])
    assert {account: amount for (unit, account), amount in house.books.balances.items()
            if unit == "money" and amount} == june.CLOSE["money_micro"]
    assert {account: amount for account, amount in house.books.points_balances().items() if amount} == (
        june.CLOSE["points"])


def test_the_month_answer_by_answer_and_row_by_row():
    house = june.fresh_oracle()
    for step, outcome in play(house):
        assert_answered(step, outcome)

    assert rows_of(house) == golden_rows()
    assert_june_closed(house)
    assert sorted((partner, document, *amounts) for (partner, document), amounts in
                  house.books.documents("2026-06").items()) == sorted(
        tuple(row) for row in june.CLOSE["documents_minor"])


def test_the_golden_journal_sums_to_the_totals_of_the_text():
    for book, total in (("points", june.CLOSE["totals"]["points"]),
                        ("money", june.CLOSE["totals"]["money_micro"])):
        for side in ("debit", "credit"):
            assert sum(sum(row[side].values()) for row in june.JOURNAL if row["book"] == book) == total
    assert len(june.JOURNAL) == 30


def test_any_order_that_respects_cause_closes_to_the_same_books(seed):
    chance = random.Random(seed)
    seen = set()
    for _ in range(1_000):
        house, order = june.fresh_oracle(), june.orders(chance)
        seen.add(tuple(step["event"] for step in order))
        for _ in play(house, [{name: value for name, value in step.items() if name != "balance"}
                              for step in order]):
            pass
        assert_june_closed(house)
    assert len(seen) > 100


@pytest.mark.parametrize("share", june.OTHER_SHARES)
def test_other_prefund_shares(share):
    house, expected = june.fresh_oracle(share), june.OTHER_SHARES[share]
    for step, outcome in play(house):
        assert_answered(step, outcome)

    assert sorted((partner, document, net) for (partner, document), (net, _, _) in
                  house.books.documents("2026-06").items()) == sorted(expected["documents_minor"])
    assert {partner: house.books.net_minor("2026-06", partner) for partner in house.terms.partners} == (
        expected["net_minor"])
    assert -house.books.balance("deferred_revenue") == expected["deferred"]
    assert -house.books.balance("revenue:breakage") == expected["breakage"]


@pytest.mark.parametrize("bearer", june.WITHOUT_E5)
def test_a_debt_that_nobody_repays(bearer):
    house = june.fresh_oracle(bearer=bearer)
    for _ in play(house, [{name: value for name, value in step.items() if name != "balance"}
                          for step in june.STEPS if step["event"] not in ("E5", "E12b")]):
        pass
    invoice, self_billed, operator = june.WITHOUT_E5[bearer]
    assert house.members["M2"].debt == 180
    assert (house.books.balance("unbilled:BOE"), -house.books.balance("accrued_redemption:GRO"),
            house.books.balance("debt_cost")) == (invoice, self_billed, operator)


def test_a_return_before_maturity_takes_pending_points_only():
    house = june.fresh_oracle()
    for _ in play(house, june.STEPS[:5]):
        pass
    step = june.step_named("E12") | {"at": "2026-06-18T10:00:00+02:00"}
    outcome = house.decide("BOE", "reversals", june.body_of(step))
    assert outcome.said["clawed_back_own"] == 200 and outcome.said["debt"] == 0
    assert outcome.said["balance"] == {"available": 120, "pending": 350, "held": 0, "debt": 0}


def test_refunds_are_capped_at_what_was_spent():
    house = june.fresh_oracle()
    for _ in play(house, june.STEPS[:9]):
        pass
    again = {"message_id": "E7b", "occurred_at": "2026-06-13T10:00:00Z", "reverses": "E6", "points": 400}
    assert house.decide("BOE", "reversals", again).code == "reversal_exceeds_original"
    assert house.decide("BOE", "reversals", again | {"message_id": "E7c", "points": 300}).status == 201


def test_a_hold_is_captured_once():
    house = june.fresh_oracle()
    for _ in play(house, june.STEPS[:8]):
        pass
    again = june.body_of(june.step_named("E6")) | {"message_id": "E6b"}
    assert house.decide("BOE", "holds/E6-hold/capture", again).code == "hold_not_open"


def test_a_late_message_after_sixty_days_is_refused():
    house = june.fresh_oracle()
    body = june.body_of(june.step_named("E13"))
    house.advance(days.instant("2026-07-29T23:59:59+02:00"))
    assert house.decide("TNK", "accruals", body | {"message_id": "in-time"}).status == 201
    house.advance(days.instant("2026-07-30T00:00:00+02:00"))
    assert house.decide("TNK", "accruals", body).code == "late_window_closed"


def test_a_short_block_refuses():
    house = june.fresh_oracle(block=30)
    body = june.body_of(june.step_named("E13"))
    assert house.decide("TNK", "accruals", body).code == "issuer_unfunded"
    thirty = {name: value for name, value in body.items() if name != "purchase"} | {
        "message_id": "exactly", "points": 30}
    assert house.decide("TNK", "accruals", thirty).status == 201

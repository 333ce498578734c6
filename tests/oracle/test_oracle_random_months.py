"""The oracle keeps its own invariants through random months."""

import random

import days
import random_months


def test_the_invariants_hold_after_every_message(seed):
    oracle = random_months.fresh_oracle()
    stream = random_months.Stream(random.Random(seed), oracle)
    outcomes = {}
    for _ in range(3_000):
        partner, path, body = step = stream.step()
        if partner is None:
            oracle.advance(days.instant(body))
            continue
        outcome = oracle.decide(partner, path, body)
        stream.remember(step, outcome)
        oracle.check()
        kind = path.rpartition("/")[2], outcome.code or outcome.status
        outcomes[kind] = outcomes.get(kind, 0) + 1
    print(outcomes)
    assert len(oracle.books.windows()) > 4
    assert {code for _, code in outcomes} >= {
        "insufficient_points", "message_id_reused", "reversal_exceeds_original", "late_window_closed",
        "issuer_unfunded", "funding_not_agreed", "role_not_allowed", "hold_not_open", "hold_unknown",
        "member_unknown", "message_unknown"}

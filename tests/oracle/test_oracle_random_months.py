"""The oracle keeps its own invariants through random months."""

import random

import days
import pytest
import random_months


REFUSALS = {
    "insufficient_points", "message_id_reused", "reversal_exceeds_original", "late_window_closed",
    "issuer_unfunded", "funding_not_agreed", "role_not_allowed", "hold_not_open", "hold_unknown",
    "member_unknown", "message_unknown"}
STEPS_MIN, STEPS_MAX = 3_000, 20_000  # the rarest refusal comes about once in a thousand


# As the design has them, and so few that lots fold all the time.
@pytest.mark.parametrize("limits", [{}, {"lots_max": 6, "folded_to": 3}], ids=["", "folding"])
def test_the_invariants_hold_after_every_message(seed, limits):
    oracle = random_months.fresh_oracle(**limits)
    stream = random_months.Stream(random.Random(seed), oracle)
    outcomes = {}
    for number in range(STEPS_MAX):
        if number >= STEPS_MIN and REFUSALS <= {code for _, code in outcomes}:
            break
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
    assert bool(oracle.folds) == bool(limits)
    assert REFUSALS <= {code for _, code in outcomes}

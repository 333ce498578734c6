"""The worked month of June 2026: its terms, its messages and what they come to (tests/golden/june-2026).

Written from the acceptance text. The steps are played to the oracle here, and to a real house by
tests/end_to_end/test_june_2026.py."""

import json
from pathlib import Path

import days
from oracle import Oracle
from terms import read_terms

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "june-2026"
TERMS = (GOLDEN / "terms.toml").read_text()
OPENING = json.loads((GOLDEN / "opening.json").read_text())
STEPS = json.loads((GOLDEN / "month.json").read_text())
JOURNAL = json.loads((GOLDEN / "journal.json").read_text())
CLOSE = json.loads((GOLDEN / "close.json").read_text())

TIMED = {"E8", "E9", "E12b", "E15"}

# Prefund share → invoice nets of price and fee; all statements; net positions; points liability.
OTHER_SHARES = {
    "1/2": {"documents_minor": [("GRO", "issuance", 547), ("BOE", "issuance", 55), ("TNK", "issuance", 130),
                                ("GRO", "redemption", 333), ("BOE", "redemption", 285),
                                ("CHA", "donation", 100), ("TNK", "breakage", 100)],
            "net_minor": {"GRO": -259, "BOE": 278, "TNK": -36, "CHA": 100},
            "deferred": 4_220_000, "breakage": 1_000_000},
    "0": {"documents_minor": [("GRO", "issuance", 645), ("BOE", "issuance", 55), ("TNK", "issuance", 110),
                              ("GRO", "redemption", 333), ("BOE", "redemption", 285),
                              ("CHA", "donation", 100)],
          "net_minor": {"GRO": -377, "BOE": 278, "TNK": -133, "CHA": 100},
          "deferred": 0, "breakage": 0}}

# Who bears the debt, when E5 never comes → price and fee of BOE's invoice, GRO's self-billed line,
# what the operator bears; all in micro-units.
WITHOUT_E5 = {"issuer": (2_530_000, 3_325_000, 0), "operator": (550_000, 3_325_000, 1_800_000),
              "redeemer": (550_000, 1_615_000, 0)}


def terms_with(share="1", bearer="issuer", late_window=None):
    """Below a share of 1 the fuel brand is billed afterwards."""
    text = TERMS.replace('prefund_share = "1"', f'prefund_share = "{share}"')
    text = text.replace('debt_bearer = "issuer"', f'debt_bearer = "{bearer}"')
    if share != "1":
        text = text.replace('billing = "prepaid"\non_short = "refuse"',
                            'billing = "postpaid"\ncredit_limit = "1000.00"')
    return text


def opening_with(share="1", block=5000):
    """The opening state under another prefund share or block: what is not owed is not in trust."""
    if share == "1" and block == 5000:
        return OPENING
    part = {"1": 2, "1/2": 1, "0": 0}[share]
    deferred = 7_000_000 * part
    price, fee = (block * 10_000, block * 1_000) if share == "1" else (0, 0)
    balances = {"cash:trust": deferred + price, "cash:operating": fee, "deferred_revenue": -deferred,
                "prepaid_block:TNK": -price, "prepaid_fee:TNK": -fee}
    return OPENING | {
        "blocks": [OPENING["blocks"][0] | {"points": block}] if share == "1" else [],
        "balances_micro": {account: amount for account, amount in balances.items() if amount}}


def body_of(step):
    """The message of a step; its id is the step's name."""
    body = {"message_id": step["event"], "occurred_at": step["at"]} | step["body"]
    if not step["path"].startswith(("holds/", "reversals")):
        body["member"] = step["member"]
    return body | {"occurred_at": days.text_of(days.instant(body["occurred_at"]))}


def step_named(name):
    return next(step for step in STEPS if step["event"] == name)


def fresh_oracle(share="1", bearer="issuer", block=5000):
    house = Oracle(read_terms(terms_with(share, bearer)), days.instant("2026-06-01T00:00:00+02:00"))
    house.open_with(opening_with(share, block))
    return house


def orders(chance):
    """A random order of the steps that respects cause: within a member the order of the table, and the
    clock never passes a timed event that another message of that member precedes. E10 is left out.
    The end of the month stays the end: what came after it would be in July."""
    left = {}
    for step in STEPS:
        if step["event"] not in ("E10", "E15"):
            left.setdefault(step["member"], []).append(step)
    order, clock = [], ""
    while any(left.values()):
        allowed = []
        for steps in left.values():
            if steps:
                after = max(clock, steps[0]["at"])
                if not any(other["event"] in TIMED and other["at"] <= after and others[0] is not other
                           for others in left.values() for other in others):
                    allowed.append(steps)
        steps = chance.choice(allowed)
        clock = max(clock, steps[0]["at"])
        order.append(steps.pop(0))
    return order + [step_named("E15")]

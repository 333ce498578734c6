"""Recomputes nettings, conversions and defaults with rationals: to the cent, in 2,000 random cases."""

import json
from collections import defaultdict
from fractions import Fraction

HOUSE = "0"


def rounded(exact):
    """Half away from zero."""
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def shared(total, weights):
    """Largest remainder; ties in the order given."""
    exact = [Fraction(abs(total) * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[:abs(total) - sum(parts)]:
        parts[place] += 1
    return [part if total >= 0 else -part for part in parts]


def nets_of(obligations):
    nets = defaultdict(int)
    for debtor, creditor, amount in obligations:
        nets[str(debtor)] -= amount
        nets[str(creditor)] += amount
    return dict(nets)


def effects_of(payments):
    return {party: net for party, net in nets_of(payments).items() if net}


def without_zeros(nets):
    return {party: net for party, net in nets.items() if net}


def greedy(nets):
    """The largest payer pays the largest receiver; ties by id."""
    payers = sorted(([-net, int(party)] for party, net in nets.items() if net < 0), key=lambda p: (-p[0], p[1]))
    takers = sorted(([net, int(party)] for party, net in nets.items() if net > 0), key=lambda p: (-p[0], p[1]))
    payments = []
    while payers and takers:
        amount = min(payers[0][0], takers[0][0])
        payments.append([payers[0][1], takers[0][1], amount])
        for side in (payers, takers):
            side[0][0] -= amount
            if not side[0][0]:
                side.pop(0)
            side.sort(key=lambda party: (-party[0], party[1]))
    return payments


def judge_netting(case):
    owed = defaultdict(int)
    for debtor, creditor, amount in case["obligations"]:
        if debtor != creditor:
            owed[debtor, creditor] += amount
    gross = [[*pair, amount] for pair, amount in sorted(owed.items()) if amount]
    assert case["gross"] == {"moved": sum(amount for *_, amount in gross), "payments": gross}

    bilateral = [[*pair, amount - owed.get(pair[::-1], 0)] for pair, amount in sorted(owed.items())]
    bilateral = [payment for payment in bilateral if payment[2] > 0]
    assert case["bilateral"] == {"moved": sum(amount for *_, amount in bilateral), "payments": bilateral}

    nets = nets_of(case["obligations"])
    assert case["nets"] == nets
    assert sum(nets.values()) == 0
    assert without_zeros(nets) == effects_of(bilateral), "the second of the three computations"

    moved = -sum(net for net in nets.values() if net < 0)
    house = [[int(party), 0, -net] if net < 0 else [0, int(party), net]
             for party, net in sorted(nets.items(), key=lambda each: int(each[0])) if net and party != HOUSE]
    assert case["house"] == {"moved": moved, "payments": house}
    assert case["direct"] == {"moved": moved, "payments": greedy(nets)}
    assert effects_of(case["direct"]["payments"]) == without_zeros(nets)
    assert len(case["direct"]["payments"]) <= max(len(without_zeros(nets)) - 1, 0)


def judge_exchange(case):
    rate = Fraction(*case["rate"])
    parties = sorted(case["nets"], key=int)
    alone = {party: rounded(case["nets"][party] * rate) for party in parties}
    receivers = [party for party in parties if case["nets"][party] > 0]
    paid = -sum(alone[party] for party in parties if case["nets"][party] < 0)
    expected = {party: alone[party] for party in parties if case["nets"][party] <= 0}
    if receivers:
        expected |= dict(zip(receivers, shared(paid, [case["nets"][party] for party in receivers])))
    assert case["converted"] == expected
    assert sum(case["converted"].values()) == 0
    assert case["exchange_result"] == sum(alone.values())


def judge_default(case):
    terms = case["default"]
    payer = str(terms["payer"])
    missing = -case["nets"].get(payer, 0) - terms["paid_in"]
    if case["nets"].get(payer, 0) >= 0 or missing <= 0:
        assert terms.get("refused") is True
        return
    drawn = min(missing, terms["collateral"])
    rest = missing - drawn
    receivers = [party for party in sorted(case["nets"], key=int) if case["nets"][party] > 0 and party != HOUSE]
    losses = {}
    if terms["mutualised"] and receivers and rest:
        weights = [case["nets"][party] for party in receivers]
        losses = without_zeros(dict(zip(receivers, shared(min(rest, sum(weights)), weights))))
    assert terms["collateral_drawn"] == drawn
    assert terms["receivable"] == rest
    assert terms["loss_shares"] == losses
    assert terms["house_bears"] == rest - sum(losses.values())

    nets = dict(case["nets"])
    nets[payer] += rest
    for party, loss in losses.items():
        nets[party] -= loss
    nets[HOUSE] = nets.get(HOUSE, 0) - terms["house_bears"]
    assert without_zeros(terms["nets"]) == without_zeros(nets)
    assert sum(terms["nets"].values()) == 0


def test_random_cases(judged_payments, seed):
    cases = judged_payments("cases", seed, 2_000).splitlines()
    assert len(cases) == 2_000
    for line in cases:
        case = json.loads(line)
        judge_netting(case)
        judge_exchange(case)
        judge_default(case)
        payer = case["default"]["payer"]
        assert case["unwound"] == nets_of(owed for owed in case["obligations"] if payer not in owed[:2])
        assert case["parts"] == shared(case["total"], case["weights"])


def test_the_judge_itself():
    """The printed example of netting, by hand."""
    nets = {"1": 999973, "2": 999930, "3": 1200062, "4": -200067, "5": -2999898}
    assert greedy(nets) == [[5, 3, 1200062], [5, 1, 999973], [5, 2, 799863], [4, 2, 200067]]
    assert shared(2999898, [999973, 999930, 1200062]) == [937453, 937413, 1125032]
    assert shared(2719970, [999973, 999930, 1200062]) == [849977, 849940, 1020053]
    assert rounded(Fraction(-5, 2)) == -3

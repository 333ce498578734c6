"""The oracle is right about the sums that DESIGN and the worked month give."""

from fractions import Fraction

from oracle import Oracle, Partner, Tariff

NOON = "2026-06-10T12:00:00Z"


def oracle(**tariffs):
    return Oracle([Partner(name, tariff) for name, tariff in tariffs.items()]
                  + [Partner("CHA", Tariff(), charity=True)])


def said(house, partner, route, **body):
    number = house.sequence
    outcome, answer = house.decide(
        partner, route, {"message_id": f"m{number}", "occurred_at": NOON} | body, "2026-06")
    assert outcome == "booked", answer
    return f"m{number}", answer


def test_debt_is_repaid_by_another_issuer_s_points():
    """E11 to E12b of the worked month: 180 of GRO's points settle the debt owed for BOE, worth 1.98."""
    house = oracle(GRO=Tariff(), BOE=Tariff())
    earned, _ = said(house, "BOE", "accruals", member="M2", points=250)
    said(house, "GRO", "redemptions", member="M2", points=230)
    before = house.owed["2026-06", "BOE"]
    _, answer = said(house, "BOE", "reversals", reverses=earned, points=200)
    assert answer["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 180}
    _, answer = said(house, "GRO", "accruals", member="M2", points=300)
    assert answer["balance"]["available"] == 120 and answer["balance"]["debt"] == 0
    twenty_clawed_back = 20 * 11_000
    assert before - house.owed["2026-06", "BOE"] - twenty_clawed_back == 1_980_000


def test_books_balance_at_every_prefund_share():
    for share in (Fraction(0), Fraction(1, 2), Fraction(1)):
        house = oracle(GRO=Tariff(prefund=share), TNK=Tariff(price=12_000, prefund=share))
        said(house, "GRO", "accruals", member="m", points=1000)
        spent, _ = said(house, "TNK", "redemptions", member="m", points=600)
        said(house, "TNK", "reversals", reverses=spent, points=100)
        said(house, "TNK", "donations", member="m", points=50, charity="CHA")
        open_points = house.outstanding("GRO")
        assert open_points == 450
        assert house.accounts["liability"] == open_points * 10_000 * share
        assert sum(house.owed.values()) == sum(house.accounts.values())

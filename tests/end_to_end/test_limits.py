"""The last points of a block or of a credit limit, for which several senders race: never one more, none left unused."""

import random
import threading
from fractions import Fraction

import pytest

from messages import accrual
from test_block_invoices import NOON, TERMS

CREDIT = TERMS.replace('billing = "prepaid"', 'billing = "postpaid"\ncredit_limit = "13.31"')
# Price and fee with 21 % VAT on both; the block is a number of points.
LIMITS = {"block": 1_000, "credit": Fraction("13.31") / (Fraction("0.011") * Fraction("1.21"))}


@pytest.mark.parametrize("limit", LIMITS)
def test_senders_race_for_the_last_points(make_house, tmp_path, limit, seed):
    chance = random.Random(seed)
    house = make_house()
    house.init("--currency", "EUR")
    (tmp_path / "terms.toml").write_text(TERMS if limit == "block" else CREDIT)
    house.run("partner", "add", "TNK", "--terms", tmp_path / "terms.toml")
    house.run("cert", "issue", "TNK")
    house.start()
    house.run("clock", "advance", "2026-06-10T10:00:00Z")
    if limit == "block":
        house.run("partner", "buy-block", "TNK", "--points", LIMITS["block"])
    taken, refused = [], []
    together = threading.Barrier(8)

    def send(own):
        with house.connect("TNK") as tnk:
            together.wait()
            for _ in range(40):
                points = own.choice((1, 2, 3, 5, 8, 13, 21))
                answer = tnk.post("/v1/accruals", accrual(f"M{own.randrange(30)}", points, occurred_at=NOON))
                assert answer.status == 201 or answer.code == "issuer_unfunded", answer
                (taken if answer.status == 201 else refused).append(points)

    threads = [threading.Thread(target=send, args=(random.Random(chance.random()),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) + len(refused) == 8 * 40
    assert 1 in refused, "the race never came to the last point"
    assert sum(taken) == LIMITS[limit] == 1_000
    with house.connect("TNK") as tnk:
        balances = [tnk.get(f"/v1/members/M{number}") for number in range(30)]
        assert sum(each.json["balance"]["available"] for each in balances if each.status == 200) == 1_000
    assert house.verify("--from-scratch")["ok"]

"""What the house refuses although the form is right: nothing is booked, and the refusal is frozen."""

import datetime
import json

import pytest

from messages import accrual, fresh, message, purchase

# A code, the path, and the message for a member who holds 100 points of GRO.
REFUSALS = {
    "more points than there are": (
        "insufficient_points", 422, "redemptions", lambda member: message(member=member, points=101)),
    "more value than there is": (
        "insufficient_points", 422, "redemptions",
        lambda member: message(member=member, value={"amount_minor": 101, "currency": "EUR"})),
    "all the points in the world": (
        "insufficient_points", 422, "redemptions",
        lambda member: message(member=member, points=1_000_000_000)),
    "value in another currency": (
        "currency_unsupported", 422, "redemptions",
        lambda member: message(member=member, value={"amount_minor": 10, "currency": "USD"})),
    "a purchase in another currency": (
        "currency_unsupported", 422, "accruals",
        lambda member: message(member=member, purchase=purchase(1000, "GBP"))),
    "a clawback in another currency": (
        "currency_unsupported", 422, "clawbacks",
        lambda member: message(member=member, purchase=purchase(1000, "GBP"), reason="r")),
    "a purchase that earns too much": (
        "points_out_of_range", 422, "accruals",
        lambda member: message(member=member, purchase=purchase(100_000_000_100))),
    "an accrual of long ago": (
        "late_window_closed", 422, "accruals",
        lambda member: accrual(member, 5, occurred_at="2026-01-01T00:00:00Z")),
    "a redemption of an unknown member": (
        "member_unknown", 404, "redemptions", lambda _: message(member=fresh("nobody"), points=1)),
    "a clawback of an unknown member": (
        "member_unknown", 404, "clawbacks",
        lambda _: message(member=fresh("nobody"), points=1, reason="r")),
    "a donation of an unknown member": (
        "member_unknown", 404, "donations",
        lambda _: message(member=fresh("nobody"), points=1, charity="CHA")),
    "a reversal of nothing known": (
        "message_unknown", 404, "reversals", lambda _: message(reverses=fresh("nothing"))),
}
FROZEN = (409, 422)


@pytest.mark.parametrize("code, status, route, make", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_books_nothing_and_is_frozen(gro, funded, books_nothing, code, status, route, make):
    member = funded(100)
    sent = make(member)
    with books_nothing(no_record=status not in FROZEN):
        first = gro.post(f"/v1/{route}", sent)
    with books_nothing(no_record=True):
        again = gro.post(f"/v1/{route}", sent)

    assert first.status == status, first
    assert first.code == code
    assert not first.replayed
    assert first.json["message_id"] == sent["message_id"]
    assert again.status == status
    assert again.replayed == (status in FROZEN)
    if status in FROZEN:
        assert again.body == first.body
    assert gro.get(f"/v1/members/{member}").json["balance"]["available"] == 100


def test_an_unknown_member_or_message_is_not_frozen(gro):
    """A 404 may be cured: the same message is decided afresh."""
    member = fresh("member")
    sent = message(member=member, points=5)
    assert gro.post("/v1/redemptions", sent).code == "member_unknown"
    gro.post("/v1/accruals", accrual(member, 5))

    assert gro.post("/v1/redemptions", sent).status == 201


def test_a_refusal_stays_when_its_reason_is_gone(gro, funded):
    member = funded(10)
    sent = message(member=member, points=20)
    assert gro.post("/v1/redemptions", sent).code == "insufficient_points"
    gro.post("/v1/accruals", accrual(member, 100))

    again = gro.post("/v1/redemptions", sent)
    assert again.code == "insufficient_points" and again.replayed
    assert gro.post("/v1/redemptions", message(member=member, points=20)).status == 201


@pytest.mark.parametrize("kind", ["accrual", "redemption"])
def test_a_reversal_beyond_the_original(gro, funded, books_nothing, kind):
    member = funded(1000)
    original = message(member=member, points=100)
    assert gro.post(f"/v1/{'accruals' if kind == 'accrual' else 'redemptions'}", original).status == 201
    assert gro.post("/v1/reversals", message(reverses=original["message_id"], points=60)).status == 201

    with books_nothing():
        beyond = gro.post("/v1/reversals", message(reverses=original["message_id"], points=41))
    rest = gro.post("/v1/reversals", message(reverses=original["message_id"], points=40))
    with books_nothing():
        spent = gro.post("/v1/reversals", message(reverses=original["message_id"], points=1))

    assert beyond.code == "reversal_exceeds_original"
    assert rest.status == 201
    assert spent.code == "reversal_exceeds_original"


def test_a_refused_message_cannot_be_reversed(gro, funded, books_nothing):
    refused = message(member=funded(1), points=2)
    gro.post("/v1/redemptions", refused)

    with books_nothing():
        answer = gro.post("/v1/reversals", message(reverses=refused["message_id"]))

    assert answer.status in (404, 422), answer


def test_a_reversal_of_a_reversal_is_refused(gro, funded, books_nothing):
    spent = message(member=funded(10), points=5)
    gro.post("/v1/redemptions", spent)
    undone = message(reverses=spent["message_id"])
    assert gro.post("/v1/reversals", undone).status == 201

    with books_nothing():
        answer = gro.post("/v1/reversals", message(reverses=undone["message_id"]))

    assert answer.status in (404, 422), answer


@pytest.fixture(scope="module")
def narrow(make_house, tmp_path_factory):
    """A house of one partner that only issues, one that only redeems, and a charity."""
    house = make_house().make("GRO")
    folder = tmp_path_factory.mktemp("terms")
    for name, roles, tariff in (
            ("ISS", ["issuer"], 'issue_price = "0.010000"\n  service_fee = "0.001000"\n'
                                '  prefund_share = "1"\n'),
            ("RED", ["redeemer"], 'reimbursement = "0.009500"\n')):
        terms = folder / f"{name}.toml"
        terms.write_text(
            f'[[partner]]\nid = "{name}"\nname = "{name}"\nroles = {roles}\nbilling = "postpaid"\n'
            f'  [[partner.tariff]]\n  from = "2026-01-01"\n  {tariff}'.replace("'", '"'))
        house.run("partner", "add", name, "--terms", terms)
        house.run("cert", "issue", name)
    return house.start()


def test_roles_bound_what_a_partner_may_send(narrow):
    with narrow.connect("GRO") as gro, narrow.connect("ISS") as issuer, narrow.connect("RED") as redeemer:
        gro.post("/v1/accruals", accrual("m", 100))
        before = narrow.verify()["postings"]

        assert issuer.post("/v1/redemptions", message(member="m", points=1)).code == "role_not_allowed"
        assert redeemer.post("/v1/accruals", accrual("m", 1)).code == "role_not_allowed"
        assert redeemer.post(
            "/v1/clawbacks", message(member="m", points=1, reason="r")).code == "role_not_allowed"
        assert narrow.verify()["postings"] == before

        assert issuer.post("/v1/accruals", accrual("m", 1)).status == 201
        assert redeemer.post("/v1/redemptions", message(member="m", points=1)).status == 201


@pytest.fixture(scope="module")
def timely(make_house):
    """A house on the machine's own clock."""
    return make_house("system").make("GRO", "TNK").start()


def test_a_message_of_the_future_is_refused(timely):
    def at(**difference):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**difference)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    with timely.connect("GRO") as gro:
        for occurred_at, taken in ((at(minutes=4), True), (at(minutes=6), False), (at(days=400), False),
                                   (at(days=20_000), False), (at(days=-59), True)):
            answer = gro.post("/v1/accruals", accrual("m", 1, occurred_at=occurred_at))
            assert answer.status == 201 if taken else answer.code == "occurred_in_future", answer
        old = gro.post("/v1/accruals", accrual("m", 1, occurred_at=at(days=-62)))
        assert old.code == "late_window_closed"
        burnt = gro.post("/v1/redemptions", message(member="m", points=1, occurred_at=at(days=-400)))
        assert burnt.status == 201, "old redemptions are never refused for their age"
        assert gro.get("/v1/members/m").json["balance"]["available"] == 1


def test_the_machine_s_clock_cannot_be_advanced(timely):
    timely.run("clock", "advance", "2050-01-01T00:00:00Z", status=1)


DEAR = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "1000"
  service_fee = "0"
  reimbursement = "1000"
  prefund_share = "1"
"""


LASTING = """
[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
  pending_days = {pending}
  expiry = {{ months = 1, at = "month_end" }}
"""


def test_points_that_nobody_could_ever_spend(make_house, tmp_path):
    """They would still be pending when their last day is over: the house takes no money for such."""
    house = make_house()
    house.init("--time-zone", "Europe/Amsterdam")
    file = tmp_path / "terms.toml"
    file.write_text(LASTING.format(pending=29))
    assert "pending_days: at most 28" in house.run("partner", "add", "GRO", "--terms", file, status=1).stderr
    file.write_text(LASTING.format(pending=14))
    house.run("partner", "add", "GRO", "--terms", file)
    house.run("cert", "issue", "GRO")
    house.start()
    with house.connect("GRO") as gro:
        # Of June: to the end of 31 July there, which is 22:00 here.
        too_late = accrual("m", 10, pending_until="2026-07-31T22:00:00Z")
        quoted = gro.post("/v1/quotes", too_late | {"type": "accrual"})
        assert (quoted.status, quoted.code) == (422, "limit_exceeded"), quoted
        refused = gro.post("/v1/accruals", too_late)
        assert (refused.status, refused.code, refused.replayed) == (422, "limit_exceeded", False), refused
        again = gro.post("/v1/accruals", too_late)
        assert (again.body, again.replayed) == (refused.body, True), "frozen as any refusal"
        assert gro.post("/v1/accruals", too_late | {"pending_until": "2026-07-01T00:00:00Z"}).code == "message_id_reused"
        in_time = accrual("m", 10, pending_until="2026-07-31T21:59:59.999999Z")
        quoted = gro.post("/v1/quotes", in_time | {"type": "accrual"})
        assert quoted.json["balance"]["pending"] == 10, quoted
        assert gro.post("/v1/accruals", in_time).json["lots"][0]["state"] == "pending"
        assert gro.get("/v1/members/m").json["balance"]["pending"] == 10
        house.run("clock", "advance", "2026-07-31T21:59:59.999999Z")
        assert gro.get("/v1/members/m").json["balance"]["available"] == 10, "for its last instant"
        house.run("clock", "advance", "2026-07-31T22:00:00Z")
        assert gro.get("/v1/members/m").json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert house.verify("--from-scratch")["ok"]


def test_no_partner_fills_the_books_until_they_break(make_house, tmp_path):
    """Sums of money are kept in 64 bits: what would go beyond is refused, and nobody else notices."""
    house = make_house().make("TNK")
    (tmp_path / "dear.toml").write_text(DEAR)
    house.run("partner", "add", "GRO", "--terms", tmp_path / "dear.toml")
    house.run("cert", "issue", "GRO")
    house.start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        assert gro.post("/v1/accruals", accrual("rich", 1_000_000_000)).code == "limit_exceeded"
        assert gro.post("/v1/accruals", accrual("rich", 500_000_000)).status == 201
        over = accrual("rich", 100_000_000)
        assert gro.post("/v1/quotes", over | {"type": "accrual"}).code == "limit_exceeded"
        assert gro.post("/v1/accruals", over).code == "limit_exceeded"
        again = gro.post("/v1/accruals", over)
        assert (again.code, again.replayed) == ("limit_exceeded", True)
        assert tnk.post("/v1/accruals", accrual("rich", 1_000_000_000)).status == 201
        assert gro.get("/v1/members/rich").json["balance"]["available"] == 1_500_000_000
    house.kill()
    house.start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("rich", 100_000_000)).code == "limit_exceeded"
    window = house.json("window", "list")[0]["id"]
    assert house.json("settle", "show", window)["trial_balance"]
    assert house.verify("--from-scratch")["ok"]
    # Nor do operators, by a block or an opening within the bounds of each figure.
    (tmp_path / "prepaid.toml").write_text(
        DEAR.replace('"GRO"', '"BOE"').replace("roles =", 'billing = "prepaid"\nroles ='))
    house.run("partner", "add", "BOE", "--terms", tmp_path / "prepaid.toml")
    much = ("--points", "1000000000000", "--price", "1000")
    assert "more than the books can hold" in house.run("partner", "buy-block", "BOE", *much, status=1).stderr
    (tmp_path / "opening.json").write_text(json.dumps({
        "as_of": "2026-06-01", "members": [], "lots": [], "blocks": [],
        "balances_micro": {"cash:trust": 2**63 - 1, "rounding": -(2**63 - 1)}}))
    opening = house.run("import", "opening", tmp_path / "opening.json", status=1)
    assert "more money than the books can hold" in opening.stderr
    assert house.process.poll() is None, "the house serves on"

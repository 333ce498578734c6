"""Every route's good answer, field by field, as the contract says."""

import json

import pytest

from messages import NOON, accrual, enrolment, fresh, message, purchase

ZERO = {"available": 0, "pending": 0, "held": 0, "debt": 0}


def balance(available, debt=0):
    return ZERO | {"available": available, "debt": debt}


def value(points):
    """What points are worth at the till: face value 0.01."""
    return {"amount_minor": points, "currency": "EUR"}


def rows(answer_rows):
    """(issuer, points) of allocation rows."""
    return [(row["issuer"], row["points"]) for row in answer_rows]


def test_accrual_of_points(gro):
    sent = accrual(fresh("member"), 84)

    answer = gro.post("/v1/accruals", sent)

    assert answer.status == 201, answer
    assert answer.headers["content-type"] == "application/json"
    assert not answer.replayed
    said = answer.json
    assert set(said) == {"posting_id", "message_id", "member", "points", "lots", "balance"}
    assert said["message_id"] == sent["message_id"]
    assert said["member"] == sent["member"]
    assert said["points"] == 84
    assert said["balance"] == balance(84)
    assert isinstance(said["posting_id"], str) and said["posting_id"]
    [lot] = said["lots"]
    assert lot["issuer"] == "GRO"
    assert lot["points"] == 84
    assert lot["state"] == "active"
    assert isinstance(lot["lot"], str) and lot["lot"]
    assert lot.get("expires_on") is None, "the standard tariff has no expiry"
    assert set(lot) <= {"lot", "issuer", "points", "state", "available_from", "expires_on"}


@pytest.mark.parametrize(
    "amount_minor, points", [(8450, 84), (100, 1), (99, 0), (0, 0), (199, 1), (10_000_000, 100_000)])
def test_accrual_of_a_purchase_earns_a_point_per_whole_euro(gro, amount_minor, points):
    sent = message(member=fresh("member"), purchase=purchase(amount_minor))

    said = gro.post("/v1/accruals", sent)

    assert said.status == 201, said
    assert said.json["points"] == points
    assert said.json["balance"] == balance(points)
    assert rows(said.json["lots"]) == ([("GRO", points)] if points else []), said


def test_accrual_of_a_purchase_with_all_fields(gro):
    lines = [
        {"sku": "4011", "category": "fruit", "amount_minor": 250, "quantity": 3, "tender": "card",
         "vat_rate": 900},
        {"sku": "9", "category": "wine", "amount_minor": 999, "quantity": 1}]
    sent = message(
        member=fresh("member"), reason="base",
        purchase=purchase(1249, channel="store", receipt="R-1", lines=lines))

    answer = gro.post("/v1/accruals", sent)

    assert answer.status == 201, answer
    assert answer.json["points"] == 12


def test_redemption_of_own_points(gro, funded):
    member = funded(100)
    sent = message(member=member, points=30, receipt="till 4")

    answer = gro.post("/v1/redemptions", sent)

    assert answer.status == 201, answer
    said = answer.json
    assert {"posting_id", "points", "value", "drawn", "balance"} <= set(said)
    assert said["points"] == 30
    assert said["value"] == value(30)
    assert said["balance"] == balance(70)
    assert rows(said["drawn"]) == [("GRO", 30)]


def test_redemption_by_value(gro, funded):
    answer = gro.post(
        "/v1/redemptions", message(member=funded(500), value={"amount_minor": 500, "currency": "EUR"}))

    assert answer.status == 201, answer
    assert answer.json["points"] == 500
    assert answer.json["value"] == value(500)
    assert answer.json["balance"] == ZERO


def test_a_partner_sees_its_own_lots_and_one_row_of_others(gro, tnk, funded, connect):
    member = funded(100)
    tnk.post("/v1/accruals", accrual(member, 40))
    connect("BOE").post("/v1/accruals", accrual(member, 25))
    sent = message(member=member, points=160)

    drawn = tnk.post("/v1/redemptions", sent).json["drawn"]

    own = [row for row in drawn if row["issuer"] == "TNK"]
    others = [row for row in drawn if row["issuer"] == "others"]
    assert rows(own) == [("TNK", 40)]
    assert [row["points"] for row in others] == [120]
    assert others[0].get("lot") is None
    assert len(drawn) == 2


def test_lots_are_drawn_in_the_order_of_activity(gro, funded):
    member = fresh("member")
    gro.post("/v1/accruals", accrual(member, 10, occurred_at="2026-06-02T00:00:00Z"))
    gro.post("/v1/accruals", accrual(member, 20, occurred_at="2026-06-01T00:00:00Z"))
    gro.post("/v1/accruals", accrual(member, 30, occurred_at="2026-06-03T00:00:00Z"))

    said = gro.post("/v1/redemptions", message(member=member, points=25)).json

    assert [row["points"] for row in said["drawn"]] == [20, 5]


def test_reversal_of_a_redemption_restores_the_lots(gro, tnk, funded):
    member = funded(100)
    tnk.post("/v1/accruals", accrual(member, 50, occurred_at="2026-06-10T12:00:01Z"))
    spent = message(member=member, points=120)
    assert gro.post("/v1/redemptions", spent).status == 201

    first = gro.post("/v1/reversals", message(reverses=spent["message_id"], points=30))
    rest = gro.post("/v1/reversals", message(reverses=spent["message_id"]))

    assert first.status == 201, first
    assert {"posting_id", "points", "restored", "debt", "balance"} <= set(first.json)
    assert first.json["points"] == 30
    assert first.json["debt"] == 0
    assert first.json["balance"] == balance(60)
    assert sorted(rows(first.json["restored"])) == [("GRO", 10), ("others", 20)], "latest drawn first"
    assert rest.json["points"] == 90
    assert rows(rest.json["restored"]) == [("GRO", 90)]
    assert rest.json["balance"] == balance(150)


def test_reversal_of_an_accrual_claws_its_lot_back(gro):
    sent = accrual(fresh("member"), 100)
    gro.post("/v1/accruals", sent)

    answer = gro.post("/v1/reversals", message(reverses=sent["message_id"], points=40))

    assert answer.status == 201, answer
    assert {"posting_id", "points", "clawed_back", "debt", "balance"} <= set(answer.json)
    assert answer.json["points"] == 40
    assert rows(answer.json["clawed_back"]) == [("GRO", 40)]
    assert answer.json["debt"] == 0
    assert answer.json["balance"] == balance(60)


def test_reversal_by_the_returned_purchase(gro):
    """Clawed back is what was earned less what the rest would earn: 10.50 less 0.70 earns 9."""
    sent = message(member=fresh("member"), purchase=purchase(1050))
    assert gro.post("/v1/accruals", sent).json["points"] == 10

    answers = [
        gro.post("/v1/reversals", message(reverses=sent["message_id"], purchase=purchase(amount)))
        for amount in (30, 40, 80, 900)]

    assert [answer.status for answer in answers] == [201] * 4, answers
    assert [answer.json["points"] for answer in answers] == [0, 1, 0, 9]
    assert answers[-1].json["balance"] == ZERO


def test_clawback_beyond_the_balance_becomes_debt_and_is_recovered(gro, tnk, funded):
    member = funded(100)
    assert gro.post("/v1/redemptions", message(member=member, points=80)).status == 201

    clawback = gro.post(
        "/v1/clawbacks", message(member=member, points=50, reason="a return without receipt"))
    accrued = tnk.post("/v1/accruals", accrual(member, 100))

    assert clawback.status == 201, clawback
    assert clawback.json["points"] == 50
    assert rows(clawback.json["clawed_back"]) == [("GRO", 20)]
    assert clawback.json["debt"] == 30
    assert clawback.json["balance"] == balance(0, debt=30)
    assert accrued.json["points"] == 100
    assert accrued.json["balance"] == balance(70)


def test_clawback_of_a_purchase(gro, funded):
    answer = gro.post(
        "/v1/clawbacks", message(member=funded(100), purchase=purchase(2599), reason="return"))

    assert answer.status == 201, answer
    assert answer.json["points"] == 25
    assert answer.json["balance"] == balance(75)


def test_clawback_takes_the_latest_own_lots_first(gro):
    member = fresh("member")
    for day, points in ((1, 10), (3, 30), (2, 20)):
        gro.post("/v1/accruals", accrual(member, points, occurred_at=f"2026-06-0{day}T00:00:00Z"))

    answer = gro.post("/v1/clawbacks", message(member=member, points=35, reason="return"))

    assert [row["points"] for row in answer.json["clawed_back"]] == [30, 5]


def test_enrolment(gro):
    member = fresh("member")

    answer = gro.post("/v1/members", enrolment(member))

    assert answer.status == 201, answer
    assert answer.json["member"] == member
    assert gro.get(f"/v1/members/{member}").json["balance"] == ZERO


def test_member(gro, funded):
    member = funded(123)

    answer = gro.get(f"/v1/members/{member}")

    assert answer.status == 200, answer
    assert set(answer.json) == {"member", "balance", "value", "expiring"}
    assert answer.json["member"] == member
    assert answer.json["balance"] == balance(123)
    assert answer.json["value"] == value(123)
    assert answer.json["expiring"] == []


def test_member_lookup_keeps_the_identifier_out_of_the_url(gro, funded):
    member = funded(7)

    answer = gro.post("/v1/members/lookup", {"member": member})

    assert answer.status == 200, answer
    assert answer.json == gro.get(f"/v1/members/{member}").json


def test_an_identifier_in_a_path_may_be_percent_encoded(gro):
    member = f"{fresh('anna')}+card@gro"
    gro.post("/v1/accruals", accrual(member, 5))

    answer = gro.get("/v1/members/" + member.replace("+", "%2B").replace("@", "%40"))

    assert answer.status == 200, answer
    assert answer.json["member"] == member


def test_entries_newest_first_in_pages(gro, tnk, funded):
    member = funded(100)
    own = [gro.post("/v1/redemptions", message(member=member, points=1)).json["posting_id"]
           for _ in range(7)]
    tnk.post("/v1/redemptions", message(member=member, points=1))

    pages, cursor = [], ""
    for _ in range(10):
        answer = gro.get(f"/v1/members/{member}/entries?limit=3{cursor}")
        assert answer.status == 200, answer
        pages.append(answer.json["entries"])
        if answer.json["next_cursor"] is None:
            break
        cursor = f"&cursor={answer.json['next_cursor']}"

    listed = [entry["posting_id"] for page in pages for entry in page]
    assert all(len(page) <= 3 for page in pages)
    assert len(listed) == 8, "seven redemptions and the accrual; another brand's are not shown"
    assert listed[:7] == own[::-1]


def test_message_returns_the_frozen_outcome(gro, funded):
    sent = message(member=funded(100), points=30)
    first = gro.post("/v1/redemptions", sent)

    answer = gro.get(f"/v1/messages/{sent['message_id']}")

    assert answer.status == 200, answer
    assert answer.json["status"] == 201
    assert first.json in answer.json.values()


def test_quote_books_nothing_and_says_what_would_happen(gro, funded, books_nothing):
    member = funded(100)
    with books_nothing(no_record=True):
        quoted = gro.post("/v1/quotes", message(type="redemption", member=member, points=30))
        refused = gro.post("/v1/quotes", message(type="redemption", member=member, points=101))

    assert quoted.status == 200, quoted
    assert quoted.json["points"] == 30
    assert quoted.json["balance"] == balance(70)
    assert refused.code == "insufficient_points"
    assert gro.get(f"/v1/members/{member}").json["balance"] == balance(100)


def test_position_moves_with_each_message(connect, gro, funded):
    before = connect("BOE").get("/v1/position")
    assert before.status == 200, before

    member = fresh("member")
    connect("BOE").post("/v1/accruals", accrual(member, 1000))
    connect("BOE").post("/v1/redemptions", message(member=member, points=300))
    after = connect("BOE").get("/v1/position").json

    moved = {key: after[key] - before.json[key]
             for key in after if isinstance(after[key], int) and not isinstance(after[key], bool)}
    assert moved["issued"] == 1000, (before.json, after)
    assert moved["redeemed_here"] == 300, (before.json, after)


def test_echo(gro):
    answer = gro.get("/v1/echo")

    assert answer.status == 200, answer
    assert set(answer.json) == {"partner", "time"}
    assert answer.json["partner"] == "GRO"
    assert answer.json["time"].endswith("Z")


def test_openapi_describes_every_route(gro):
    answer = gro.get("/openapi.json")

    assert answer.status == 200, answer
    description = json.loads(answer.body)
    assert description["openapi"].startswith("3.")
    assert {"/v1/accruals", "/v1/redemptions", "/v1/reversals", "/v1/clawbacks", "/v1/batches",
            "/v1/donations", "/v1/transfers", "/v1/holds", "/v1/holds/{hold_id}",
            "/v1/holds/{hold_id}/capture", "/v1/holds/{hold_id}/release",
            "/v1/accruals/{message_id}/release",
            "/v1/quotes", "/v1/members", "/v1/members/{member}", "/v1/members/{member}/entries",
            "/v1/messages/{message_id}", "/v1/position", "/v1/echo", "/v1/documents", "/v1/documents/{number}",
            "/v1/documents/{number}/answer", "/v1/statements/{window}", "/v1/disputes", "/v1/disputes/{dispute}",
            "/v1/disputes/{dispute}/answer",
            "/v1/disputes/{dispute}/escalate", "/v1/reconciliation/{period}"} <= set(description["paths"])


def test_a_parameter_that_a_path_does_not_name_is_refused(connect, gro, funded):
    member = funded(100)
    held = gro.post("/v1/holds", message(member=member, points=50, expires_in_seconds=600)).json["hold_id"]

    for refused in (gro.post(f"/v1/holds/{held}/capture?points=5", message()),
                    gro.post("/v1/accruals?points=5", accrual(member, 1)),
                    gro.get(f"/v1/holds/{held}?points=5"), gro.get(f"/v1/members/{member}?limit=1"),
                    gro.get("/v1/echo?x=1"), gro.get("/openapi.json?version=2")):
        assert (refused.status, refused.code) == (400, "malformed"), refused
    assert gro.get(f"/v1/holds/{held}").json["state"] == "open"
    for operations in json.loads(gro.get("/openapi.json").body)["paths"].values():
        assert all("400" in operation["responses"] for operation in operations.values())


def test_the_time_of_the_house_is_the_latest_accepted_message(make_house):
    house = make_house().make("GRO").start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 1, occurred_at="2026-03-01T10:00:00Z"))
        gro.post("/v1/accruals", accrual("m", 1, occurred_at="2026-02-01T10:00:00Z"))

        assert gro.get("/v1/echo").json["time"].startswith("2026-03-01T10:00:00")
        house.run("clock", "advance", "2026-03-02T00:00:00Z")
        assert gro.get("/v1/echo").json["time"].startswith("2026-03-02T00:00:00")
        house.run("clock", "advance", "2026-03-01T00:00:00Z", status=1)


def test_donation_to_a_charity(make_house, tmp_path):
    house = make_house().make("GRO")
    terms = tmp_path / "charity.toml"
    terms.write_text('[[partner]]\nid = "CHA"\nname = "Charity"\nroles = ["charity"]\n'
                     '  [[partner.vat]]\n  from = "2026-01-01"\n  flows = ["donation"]\n'
                     '  treatment = "out_of_scope"\n')
    house.run("partner", "add", "CHA", "--terms", terms)
    house.start()
    with house.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("m", 100))

        answer = gro.post("/v1/donations", message(member="m", points=60, charity="CHA"))
        refused = gro.post("/v1/donations", message(member="m", points=10, charity="GRO"))

        assert answer.status == 201, answer
        assert answer.json["points"] == 60
        assert rows(answer.json["drawn"]) == [("GRO", 60)]
        assert answer.json["balance"] == balance(40)
        assert refused.status == 422, refused
        assert refused.code == "role_not_allowed"


def test_admin_listener(house, gro):
    gro.post("/v1/accruals", accrual(fresh("member"), 1, occurred_at=NOON))

    assert house.admin("/healthz")[0] == 200
    assert house.admin("/readyz")[0] == 200
    status, metrics = house.admin("/metrics")
    assert status == 200
    assert b"pointhouse_" in metrics and b"# TYPE" in metrics
    assert house.admin("/v1/echo")[0] == 404

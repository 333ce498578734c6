"""The contract's table of requests, row by row, in both encodings. A message that was sent in one form is sent again in
the other: it is the same message, and its first answer says the same, field by field. Reads are asked twice."""

import json

import pytest

from messages import enrolment, fresh, message, purchase
from test_protobuf import wire  # noqa: F401  the classes made of the published files
from two_encodings import JSON, PROTOBUF, agree, fill

CHARITY = """
[[partner]]
id = "CHA"
name = "Charity"
roles = ["charity"]
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["donation"]
  treatment = "out_of_scope"
"""


@pytest.fixture(scope="module")
def house(make_house, tmp_path_factory):
    house = make_house().make("GRO", "TNK", "BOE")
    terms = tmp_path_factory.mktemp("terms") / "charity.toml"
    terms.write_text(CHARITY)
    house.run("partner", "add", "CHA", "--terms", terms)
    limit = terms.with_name("house.toml")
    limit.write_text("[house]\napproval_above_points = 500\n")
    house.run("house", "set-terms", limit, "--as-both")
    return house.start()


def agree_on_result(in_json, form):
    """Of a batch, and of GET /v1/messages/{message_id}: the answer stands under its kind in Protobuf."""
    assert (in_json["status"], in_json["replayed"]) == (form.status, form.replayed)
    kind = form.WhichOneof("outcome")
    assert (kind == "problem") == ("problem" in in_json)
    agree(in_json["problem" if kind == "problem" else "answer"], getattr(form, kind))


class Twice:
    """Sends what a caller says in both forms and gives back the JSON, once both agree."""

    def __init__(self, connection, wire):
        self.connection = connection
        self.wire = wire
        self.is_json_first = True

    def send(self, path, body, sent_as, answered_as, is_json):
        if is_json:
            return self.connection.post(path, body)
        form = fill(getattr(self.wire, sent_as)(), body)
        answer = self.connection.post(path, form.SerializeToString(), {"Content-Type": PROTOBUF})
        assert answer.headers["content-type"] == PROTOBUF, answer
        kind = self.wire.Problem if answer.status >= 400 else getattr(self.wire, answered_as)
        answer.form = kind.FromString(answer.body)
        return answer

    def post(self, path, body, sent_as, answered_as=None, status=201, is_kept=True):
        """`is_kept`: the house remembers what it said, so the second sending is a repetition."""
        order = (True, False) if self.is_json_first else (False, True)
        self.is_json_first = not self.is_json_first
        first, second = (self.send(path, body, sent_as, answered_as, is_json) for is_json in order)
        assert (first.status, second.status) == (status, status), (first, second)
        assert (first.replayed, second.replayed) == (False, is_kept), (first, second)
        in_json, in_protobuf = (first, second) if order[0] else (second, first)
        agree(in_json.json, in_protobuf.form)
        return in_json.json

    def get(self, path, answered_as, status=200):
        in_json = self.connection.get(path)
        in_protobuf = self.connection.get(path, {"Accept": PROTOBUF})
        assert (in_json.status, in_protobuf.status) == (status, status), (in_json, in_protobuf)
        assert in_protobuf.headers["content-type"] == PROTOBUF
        kind = self.wire.Problem if status >= 400 else getattr(self.wire, answered_as)
        agree(in_json.json, kind.FromString(in_protobuf.body))
        return in_json.json

    def outcome_of(self, sent):
        path = f"/v1/messages/{sent['message_id']}"
        in_json = self.connection.get(path).json
        form = self.wire.Result.FromString(self.connection.get(path, {"Accept": PROTOBUF}).body)
        agree_on_result(in_json, form)
        return in_json

    def refused(self, path, body, sent_as, status, code, is_kept=False):
        problem = self.post(path, body, sent_as, status=status, is_kept=is_kept)
        assert problem["code"] == code, problem
        return problem


@pytest.fixture
def gro(connect, wire):  # noqa: F811
    return Twice(connect("GRO"), wire)


@pytest.fixture
def tnk(connect, wire):  # noqa: F811
    return Twice(connect("TNK"), wire)


@pytest.fixture
def anna(connect, wire):  # noqa: F811
    return Twice(connect("operator:anna"), wire)


@pytest.fixture
def earned(gro, tnk):
    """A member with 1,000 points of GRO and 500 of TNK."""
    member = fresh("member")
    gro.post("/v1/accruals", message(member=member, points=1000), "Accrual", "AccrualAnswer")
    tnk.post("/v1/accruals", message(member=member, points=500), "Accrual", "AccrualAnswer")
    return member


BASKET = purchase(2468, channel="shop", receipt="r-1", lines=[
    {"sku": "s", "category": "bread", "amount_minor": 1234, "quantity": 2, "tender": "cash", "vat_rate": 900},
    {"sku": "t", "category": "tea", "amount_minor": 1234}])


@pytest.mark.parametrize("again", [0, 1])
@pytest.mark.parametrize("fields, points", [
    ({"points": 84}, 84), ({"purchase": BASKET}, 24), ({"purchase": purchase(99)}, 0),
    ({"points": 7, "reason": "été", "pending_until": "2026-06-20T00:00:00Z"}, 7)], ids=str)
def test_accruals(gro, fields, points, again):
    gro.is_json_first = bool(again)
    answer = gro.post("/v1/accruals", message(member=fresh("member")) | fields, "Accrual", "AccrualAnswer")
    assert answer["points"] == points
    assert len(answer["lots"]) == (points > 0)


@pytest.mark.parametrize("fields", [
    {"points": 1200}, {"value": {"amount_minor": 30, "currency": "EUR"}, "receipt": "r"}],
                         ids=str)
def test_redemptions_and_what_each_sees(gro, tnk, anna, earned, fields):
    sent = message(member=earned) | fields
    answer = gro.post("/v1/redemptions", sent, "Redemption", "RedemptionAnswer")
    assert sum(row["points"] for row in answer["drawn"]) == answer["points"]
    assert {row["issuer"] for row in answer["drawn"]} <= {"GRO", "others"}
    entries = anna.get(f"/v1/members/{earned}/entries", "EntriesAnswer")["entries"]
    assert len(entries) == 3
    tnk.get(f"/v1/members/{earned}/entries", "EntriesAnswer")


def test_holds(gro, earned):
    def hold(points):
        sent = message(member=earned, points=points, expires_in_seconds=3600)
        return gro.post("/v1/holds", sent, "Hold", "HoldAnswer")["hold_id"]

    kept, freed = hold(50), hold(60)
    assert gro.get(f"/v1/holds/{kept}", "HoldAnswer")["state"] == "open"
    gro.post(f"/v1/holds/{kept}/capture", message(points=20), "Capture", "RedemptionAnswer", status=200)
    gro.post(f"/v1/holds/{freed}/release", message(), "HoldRelease", "HoldAnswer", status=200)
    assert gro.get(f"/v1/holds/{kept}", "HoldAnswer")["captured"] == 20
    assert gro.get(f"/v1/holds/{freed}", "HoldAnswer")["state"] == "released"
    gro.refused(f"/v1/holds/{kept}/capture", message(points=1), "Capture", 409, "hold_not_open", is_kept=True)
    gro.get("/v1/holds/h_nobody", "HoldAnswer", status=404)


def test_pending_points_are_released(gro):
    sent = message(member=fresh("member"), points=9, pending_until="2026-12-01T00:00:00Z")
    gro.post("/v1/accruals", sent, "Accrual", "AccrualAnswer")
    path = f"/v1/accruals/{sent['message_id']}/release"
    answer = gro.post(path, message(), "AccrualRelease", "AccrualAnswer", status=200)
    assert answer["balance"]["available"] == 9


def test_reversals_and_clawbacks(gro, earned):
    spent = message(member=earned, points=40)
    gro.post("/v1/redemptions", spent, "Redemption", "RedemptionAnswer")
    back = gro.post("/v1/reversals", message(reverses=spent["message_id"], points=10), "Reversal", "ReversalAnswer")
    assert back["restored"]
    gro.post("/v1/reversals", message(reverses=spent["message_id"]), "Reversal", "ReversalAnswer")
    bought = message(member=earned, purchase=BASKET)
    gro.post("/v1/accruals", bought, "Accrual", "AccrualAnswer")
    returned = purchase(1234, lines=[{"sku": "t", "category": "tea", "amount_minor": 1234}])
    back = gro.post("/v1/reversals", message(reverses=bought["message_id"], purchase=returned), "Reversal",
                    "ReversalAnswer")
    assert back["clawed_back"]
    answer = gro.post("/v1/clawbacks", message(member=earned, purchase=purchase(500), reason="no receipt"), "Clawback",
                      "ReversalAnswer")
    assert answer["points"] == 5
    gro.post("/v1/clawbacks", message(member=earned, points=3, reason="no receipt"), "Clawback", "ReversalAnswer")
    gro.refused("/v1/reversals", message(reverses=spent["message_id"]), "Reversal", 422, "reversal_exceeds_original",
                is_kept=True)


def test_donations_and_transfers(gro, earned):
    given = gro.post("/v1/donations", message(member=earned, points=60, charity="CHA"), "Donation", "RedemptionAnswer")
    assert given["charity"] == "CHA"
    other = fresh("member")
    gro.post("/v1/members", enrolment(other), "Enrolment", "EnrolmentAnswer")
    gro.post("/v1/transfers", message(member=earned, points=70, to_member=other), "Transfer", "RedemptionAnswer")
    assert gro.get(f"/v1/members/{other}", "MemberAnswer")["balance"]["available"] == 70


def test_points_do_not_move_between_cards_of_one_member(gro, wire, earned):  # noqa: F811
    card = fresh("card")
    gro.post(f"/v1/members/{earned}/identifiers", {"message_id": fresh("i"), "kind": "card", "identifier": card},
             "Identification", "EnrolmentAnswer")
    for sender, receiver in ((earned, card), (card, earned)):
        body = message(member=sender, points=70, to_member=receiver)
        in_json = gro.connection.post("/v1/quotes", body | {"type": "transfer"})
        form = fill(wire.Message(), {"transfer": body})
        in_protobuf = gro.connection.post("/v1/quotes", form.SerializeToString(), {"Content-Type": PROTOBUF})
        assert (in_json.status, in_json.code, in_json.json["retry"]) == (422, "already_merged", "never")
        agree(in_json.json, wire.Problem.FromString(in_protobuf.body))
        gro.refused("/v1/transfers", body, "Transfer", 422, "already_merged", is_kept=True)


def test_members_and_their_identifiers(gro, earned):
    card, new = fresh("card"), fresh("card")
    body = {"message_id": fresh("i"), "kind": "card", "identifier": card}
    gro.post(f"/v1/members/{earned}/identifiers", body, "Identification", "EnrolmentAnswer")
    body = {"message_id": fresh("i"), "kind": "card", "identifier": new, "replaces": card}
    gro.post(f"/v1/members/{earned}/identifiers", body, "Identification", "EnrolmentAnswer")
    gro.post("/v1/members", enrolment(fresh("member")) | {"kind": "token", "identifier": fresh("token")}, "Enrolment",
             "EnrolmentAnswer")
    found = gro.post("/v1/members/lookup", {"member": new}, "MemberLookup", "MemberAnswer", status=200, is_kept=False)
    assert (found["member"], found["balance"]["available"]) == (new, 1500)
    gro.refused("/v1/members/lookup", {"member": card}, "MemberLookup", 404, "member_unknown")


def test_what_operators_do_with_members(gro, anna, earned):
    path = f"/v1/members/{earned}"
    anna.post(path + "/block", message(reason="lost"), "StatusChange", "EnrolmentAnswer")
    gro.refused("/v1/redemptions", message(member=earned, points=1), "Redemption", 422, "member_blocked", is_kept=True)
    anna.post(path + "/unblock", message(reason="found"), "StatusChange", "EnrolmentAnswer")
    goodwill = message(member=earned, points=500, funder="GRO", reason="goodwill")
    anna.post("/v1/adjustments", goodwill, "Adjustment", "AccrualAnswer")
    waiting = anna.post("/v1/adjustments", message(member=earned, points=501, funder="GRO", reason="goodwill"),
                        "Adjustment", "ProposalAnswer", status=202, is_kept=False)
    assert waiting["state"] == "waiting"
    other = fresh("member")
    gro.post("/v1/accruals", message(member=other, points=5), "Accrual", "AccrualAnswer")
    merged = anna.post(f"/v1/members/{other}/merge", message(reason="the same person", into=earned), "Merge",
                       "MergeAnswer")
    assert merged["points"] == 5
    anna.post(path + "/close", message(reason="asked for"), "StatusChange", "EnrolmentAnswer")
    anna.refused(f"/v1/members/{fresh('nobody')}/reinstate",
                 message(points=5, expires_on="2026-12-31", reason="asked for", funder="house"), "Reinstatement", 404,
                 "member_unknown")
    anna.outcome_of(goodwill)


def contents(member, other, hold, freed, pending, spent):
    """One message of each type that a batch and a quote take."""
    return {
        "accrual": message(member=member, purchase=BASKET),
        "redemption": message(member=member, points=2),
        "reversal": message(reverses=spent, points=1),
        "clawback": message(member=member, points=1, reason="r"),
        "donation": message(member=member, points=2, charity="CHA"),
        "enrolment": enrolment(fresh("member")),
        "hold": message(member=member, points=2, expires_in_seconds=60),
        "capture": message(hold_id=hold, points=1),
        "hold_release": message(hold_id=freed),
        "accrual_release": message(accrual=pending),
        "transfer": message(member=member, points=2, to_member=other),
        "identification": {"message_id": fresh("i"), "member": member, "kind": "phone", "identifier": fresh("phone")}}


@pytest.fixture
def every_type(gro, earned):
    other, spent = fresh("member"), message(member=earned, points=40)
    pending = message(member=earned, points=9, pending_until="2026-12-01T00:00:00Z")
    gro.post("/v1/redemptions", spent, "Redemption", "RedemptionAnswer")
    gro.post("/v1/accruals", pending, "Accrual", "AccrualAnswer")
    gro.post("/v1/members", enrolment(other), "Enrolment", "EnrolmentAnswer")
    holds = [gro.post("/v1/holds", message(member=earned, points=5, expires_in_seconds=3600), "Hold",
                      "HoldAnswer")["hold_id"] for _ in range(2)]
    return contents(earned, other, *holds, pending["message_id"], spent["message_id"])


ANSWERS = {"accrual": "AccrualAnswer", "redemption": "RedemptionAnswer", "reversal": "ReversalAnswer",
           "clawback": "ReversalAnswer", "donation": "RedemptionAnswer", "enrolment": "EnrolmentAnswer",
           "hold": "HoldAnswer", "capture": "RedemptionAnswer", "hold_release": "HoldAnswer",
           "accrual_release": "AccrualAnswer", "transfer": "RedemptionAnswer", "identification": "EnrolmentAnswer"}


def test_quotes_of_every_type(gro, wire, every_type):  # noqa: F811
    assert set(every_type) == set(wire.Message.DESCRIPTOR.fields_by_name) == set(ANSWERS)
    for kind, body in every_type.items():
        in_json = gro.connection.post("/v1/quotes", body | {"type": kind})
        form = fill(wire.Message(), {kind: body})
        in_protobuf = gro.connection.post("/v1/quotes", form.SerializeToString(), {"Content-Type": PROTOBUF})
        assert (in_json.status, in_protobuf.status) == (200, 200), (kind, in_json, in_protobuf)
        agree(in_json.json, getattr(wire, ANSWERS[kind]).FromString(in_protobuf.body))
    refused = message(member=every_type["hold"]["member"], points=10 ** 6)
    in_json = gro.connection.post("/v1/quotes", refused | {"type": "redemption"})
    form = fill(wire.Message(), {"redemption": refused})
    in_protobuf = gro.connection.post("/v1/quotes", form.SerializeToString(), {"Content-Type": PROTOBUF})
    assert in_json.code == "insufficient_points"
    agree(in_json.json, wire.Problem.FromString(in_protobuf.body))


@pytest.mark.parametrize("is_json_first", [True, False])
def test_a_batch_of_every_type(gro, wire, every_type, is_json_first):  # noqa: F811
    expected = {"accrual ": 400, "redemption ": 422, "capture": 200, "hold_release": 200, "accrual_release": 200}
    every_type = every_type | {"accrual ": message(member="no member", points=1),
                               "redemption ": message(member=every_type["hold"]["member"], points=10 ** 6)}
    lines = "\n".join(json.dumps(body | {"type": kind.strip()}) for kind, body in every_type.items()).encode()
    batch = fill(wire.Batch(), {"messages": [{kind.strip(): body} for kind, body in every_type.items()]})

    def as_json(accept=None):
        headers = {"Content-Type": "application/x-ndjson"} | ({"Accept": accept} if accept else {})
        return gro.connection.post("/v1/batches", lines, headers)

    def as_protobuf():
        return gro.connection.post("/v1/batches", batch.SerializeToString(), {"Content-Type": PROTOBUF})

    first = as_json() if is_json_first else as_protobuf()
    assert first.status == 200
    in_json, in_protobuf = as_json(), as_protobuf()
    assert in_json.headers["content-type"] == "application/x-ndjson"
    results = [json.loads(line) for line in in_json.body.splitlines()]
    forms = wire.BatchResult.FromString(in_protobuf.body).results
    assert len(results) == len(forms) == len(every_type)
    for (kind, body), result, form in zip(every_type.items(), results, forms):
        assert result["status"] == expected.get(kind, 201), (kind, result)
        agree_on_result(result, form)
        if result["status"] == 400:
            gro.get(f"/v1/messages/{body['message_id']}", "Result", status=404)
        else:
            assert gro.outcome_of(body)["status"] == result["status"]
    # One document, where it is asked for.
    assert as_json(JSON).json["results"] == results


def test_reads(gro, tnk, anna, earned):
    gro.get(f"/v1/members/{earned}", "MemberAnswer")
    gro.get(f"/v1/members/{fresh('nobody')}", "MemberAnswer", status=404)
    position = gro.get("/v1/position", "Position")
    assert (position["partner"], position["window"], position["currency"]) == ("GRO", "2026-06", "EUR")
    assert position["issued"] > 0
    assert anna.get("/v1/position?partner=TNK", "Position") == tnk.get("/v1/position", "Position")
    anna.get("/v1/position", "Position", status=400)
    gro.get("/v1/position?partner=TNK", "Position", status=400)
    assert gro.get("/v1/echo", "EchoAnswer")["partner"] == "GRO"
    assert anna.get("/v1/echo", "EchoAnswer")["operator"] == "anna"
    gro.get("/v1/messages/never-sent", "Result", status=404)
    gro.get("/v1/nowhere", "Problem", status=404)


def test_the_position_shows_one_s_own_last_message_in_both_forms(gro, wire):  # noqa: F811
    before = gro.get("/v1/position", "Position")
    gro.post("/v1/accruals", message(member=fresh("member"), points=77), "Accrual", "AccrualAnswer")
    after = wire.Position.FromString(gro.connection.get("/v1/position", {"Accept": PROTOBUF}).body)
    assert after.issued - before["issued"] == after.closing - before["closing"] == 77


def test_a_history_is_paged_alike(gro, wire, earned):  # noqa: F811
    for _ in range(7):
        gro.post("/v1/redemptions", message(member=earned, points=1), "Redemption", "RedemptionAnswer")
    listed, cursor, pages = [], "", 0
    while cursor is not None:
        page = gro.get(f"/v1/members/{earned}/entries?limit=3{cursor and '&cursor='}{cursor}", "EntriesAnswer")
        listed += [entry["posting_id"] for entry in page["entries"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (len(listed), len(set(listed)), pages) == (8, 8, 3)
    gro.get(f"/v1/members/{earned}/entries?limit=0", "EntriesAnswer", status=400)
    gro.get(f"/v1/members/{earned}/entries?cursor=x", "EntriesAnswer", status=400)


def test_problems(gro, tnk, anna, earned):
    sent = message(member=earned, points=1)
    gro.post("/v1/redemptions", sent, "Redemption", "RedemptionAnswer")
    problem = gro.refused("/v1/redemptions", sent | {"points": 2}, "Redemption", 422, "message_id_reused")
    assert problem["message_id"] == sent["message_id"]
    gro.refused("/v1/redemptions", message(member=earned, points=10 ** 6), "Redemption", 422, "insufficient_points",
                is_kept=True)
    gro.refused("/v1/redemptions", message(member=earned), "Redemption", 400, "malformed")
    gro.refused("/v1/redemptions", message(member=earned, points=1, value={"amount_minor": 1, "currency": "EUR"}),
                "Redemption", 400, "malformed")
    gro.refused("/v1/redemptions", message(member=earned, points=0), "Redemption", 422, "points_out_of_range",
                is_kept=True)
    gro.refused("/v1/redemptions", message(member=fresh("nobody"), points=1), "Redemption", 404, "member_unknown")
    tnk.refused("/v1/reversals", message(reverses=sent["message_id"]), "Reversal", 404, "message_unknown")
    anna.refused("/v1/redemptions", message(member=earned, points=1), "Redemption", 403, "forbidden")
    gro.refused("/v1/adjustments", message(member=earned, points=1, funder="GRO", reason="r"), "Adjustment", 403,
                "forbidden")


ACCEPTED = [
    ("application/json", JSON), ("application/x-protobuf", PROTOBUF), ("*/*", JSON), ("application/*", JSON),
    ("", JSON), (None, JSON), ("application/x-protobuf, application/json", PROTOBUF),
    ("application/json, application/x-protobuf", JSON), ("application/x-protobuf;q=0.2, application/json", JSON),
    ("application/json;q=0.2, application/x-protobuf;q=0.3", PROTOBUF), ("text/html, */*;q=0.1", JSON),
    ("*/*, application/json;q=0", PROTOBUF), ("APPLICATION/JSON;Q=0.5", JSON), ("application/problem+json", JSON)]


@pytest.mark.parametrize("accept, expected", ACCEPTED)
def test_accept_is_read_with_its_weights(gro, accept, expected):
    answer = gro.connection.get("/v1/position", {"Accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (200, expected), answer


@pytest.mark.parametrize("accept", ["text/html", "application/pdf", "application/json;q=0", "text/*", "*/*;q=0",
                                    "application/json;q=2"])
def test_what_is_not_there_is_406_and_nothing_is_done(gro, accept, books_nothing, earned):
    sent = message(member=earned, points=1)
    with books_nothing(no_record=True):
        for answer in (gro.connection.get("/v1/echo", {"Accept": accept}),
                       gro.connection.get("/v1/position", {"Accept": accept}),
                       gro.connection.post("/v1/redemptions", sent, {"Accept": accept})):
            assert (answer.status, answer.code) == (406, "not_acceptable"), answer
    assert gro.connection.post("/v1/redemptions", sent).status == 201, "the id is free, the connection good"


def test_a_problem_comes_in_the_encoding_that_is_read(gro, wire):  # noqa: F811
    for accept in (PROTOBUF, f"{PROTOBUF}, application/pdf;q=0.5"):
        answer = gro.connection.get("/openapi.json", {"Accept": accept})
        assert (answer.status, answer.headers["content-type"]) == (406, PROTOBUF)
        assert wire.Problem.FromString(answer.body).code == "not_acceptable"
    answer = gro.connection.get("/v1/documents/INV-1", {"Accept": f"application/pdf, {PROTOBUF};q=0.1"})
    assert answer.status == 404
    assert wire.Problem.FromString(answer.body).code == "document_unknown"
    assert gro.connection.get("/v1/documents/INV-1", {"Accept": "application/pdf"}).code == "document_unknown"


def test_every_answer_is_described_in_both_encodings(gro):
    """What /openapi.json names is what the house answers, for the routes that need no state."""
    paths = gro.connection.get("/openapi.json").json["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            if not path.startswith("/v1/") or path.startswith("/v1/operator/"):
                continue
            types = {kind for status, answer in operation["responses"].items() if status < "300"
                     for kind in answer["content"]}
            if "text/csv" not in types:
                assert {JSON, PROTOBUF} <= types, (method, path)
            if method == "post" and "text/csv" not in operation["requestBody"]["content"]:
                assert PROTOBUF in operation["requestBody"]["content"], path

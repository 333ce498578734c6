"""Cards, phones and tokens: several identifiers to one member, and what becomes of those replaced."""

import pytest

from messages import accrual, enrolment, fresh, message
from test_batches import send
from test_protobuf import post, proto_accrual, wire  # noqa: F401  fixtures


def identification(identifier, kind="card", **fields):
    return {"message_id": fresh("i"), "kind": kind, "identifier": identifier} | fields


def available(connection, member):
    return connection.get(f"/v1/members/{member}").json["balance"]["available"]


@pytest.fixture
def member(gro):
    name = fresh("member")
    assert gro.post("/v1/accruals", accrual(name, 100)).status == 201
    return name


def test_each_identifier_stands_for_the_member(gro, member):
    phone, token = fresh("phone"), fresh("token")
    body = identification(phone, "phone")

    answer = gro.post(f"/v1/members/{member}/identifiers", body)

    assert answer.status == 201
    assert answer.json == {"message_id": body["message_id"], "member": member,
                           "balance": {"available": 100, "pending": 0, "held": 0, "debt": 0}}
    assert gro.post(f"/v1/members/{phone}/identifiers", identification(token, "token")).status == 201
    assert gro.post("/v1/redemptions", message(member=token, points=30)).status == 201
    assert {available(gro, name) for name in (member, phone, token)} == {70}
    entries = gro.get(f"/v1/members/{token}/entries").json["entries"]
    assert [entry["type"] for entry in entries] == [
        "redemption", "identification", "identification", "accrual"]


def test_a_replaced_card_finds_nobody(gro, member):
    new = fresh("card")
    earned = accrual(member, 5)
    first = gro.post("/v1/accruals", earned)
    body = identification(new, replaces=member)
    target = f"/v1/members/{member}/identifiers"
    assert gro.post(target, body).status == 201

    for path, wrong in (("accruals", accrual(member, 1)), ("redemptions", message(member=member, points=1)),
                        (f"members/{member}/identifiers", identification(fresh("card")))):
        answer = gro.post(f"/v1/{path}", wrong)
        assert (answer.status, answer.code) == (404, "member_unknown"), path
    quoted = gro.post("/v1/quotes", accrual(member, 1) | {"type": "accrual"})
    assert (quoted.status, quoted.code) == (404, "member_unknown")
    assert gro.get(f"/v1/members/{member}").code == "member_unknown"
    assert available(gro, new) == 105
    assert gro.post(target, identification(new)).code == "member_unknown"
    # What was said under the old one is still answered.
    again = gro.post("/v1/accruals", earned)
    assert again.replayed and again.body == first.body
    assert gro.post(target, body).replayed
    assert gro.post(target, body | {"kind": "phone"}).code == "message_id_reused"
    assert gro.post(target, body | {"identifier": fresh("card")}).code == "message_id_reused"
    assert gro.post("/v1/reversals", message(reverses=earned["message_id"])).status == 201
    assert available(gro, new) == 100


def test_what_is_refused(gro, member):
    other = fresh("member")
    gro.post("/v1/members", enrolment(other))
    target = f"/v1/members/{member}/identifiers"

    answer = gro.post(target, identification(other))
    assert (answer.status, answer.code, answer.json["retry"]) == (422, "identifier_taken", "never")
    assert gro.post(target, identification(fresh("card"), replaces=other)).code == "member_unknown"
    assert gro.post(target, identification(fresh("card"), replaces=fresh("x"))).code == "member_unknown"
    assert gro.post(f"/v1/members/{fresh('x')}/identifiers",
                    identification(fresh("card"))).code == "member_unknown"
    card = fresh("card")
    for wrong in ({"kind": "watch"}, {"kind": None}, {"identifier": "a b"}, {"identifier": None},
                  {"replaces": ""}, {"replaces": card}, {"member": member}, {"points": 1}):
        body = identification(card) | wrong
        answer = gro.post(target, {name: value for name, value in body.items() if value is not None})
        assert (answer.status, answer.code) == (400, "malformed"), wrong
        assert answer.json["detail"].startswith(next(iter(wrong))), answer.json
    assert gro.get(f"/v1/members/{card}").status == 404


def test_an_enrolment_brings_a_card(gro):
    name, card = fresh("person"), fresh("card")
    body = enrolment(name) | {"kind": "card", "identifier": card}

    assert gro.post("/v1/members", body).status == 201
    assert gro.post("/v1/members", body).replayed
    assert gro.post("/v1/accruals", accrual(card, 9)).status == 201
    assert available(gro, name) == 9
    assert gro.post("/v1/members", enrolment(fresh("x")) | {"kind": "card"}).code == "malformed"
    assert gro.post("/v1/members", enrolment(fresh("x")) | {"identifier": card}).code == "malformed"
    taken = enrolment(fresh("x")) | {"kind": "card", "identifier": card}
    assert gro.post("/v1/members", taken).code == "identifier_taken"


def test_in_a_batch_and_as_a_quote(gro, member):
    card = fresh("card")
    body = identification(card) | {"member": member, "type": "identification"}

    quoted = gro.post("/v1/quotes", body)
    assert quoted.status == 200 and quoted.json["balance"]["available"] == 100
    assert gro.get(f"/v1/members/{card}").status == 404
    results = send(gro, [body, accrual(card, 1) | {"type": "accrual"}, body])
    assert [result["status"] for result in results] == [201, 201, 201]
    assert [result["replayed"] for result in results] == [False, False, True]
    assert available(gro, member) == 101
    outcome = gro.get(f"/v1/messages/{body['message_id']}").json
    assert outcome["answer"] == {"message_id": body["message_id"], "balance": quoted.json["balance"]}


def test_in_protobuf(gro, member, wire, post):  # noqa: F811
    card = fresh("card")
    sent = wire.Identification(message_id=fresh("i"), kind="card", identifier=card)

    answer, said = post(f"/v1/members/{member}/identifiers", sent, wire.EnrolmentAnswer)
    assert (answer.status, said.balance.available) == (201, 100)
    body = {"message_id": sent.message_id, "kind": "card", "identifier": card}
    assert gro.post(f"/v1/members/{member}/identifiers", body).replayed
    sent.kind = "watch"
    assert post(f"/v1/members/{member}/identifiers", sent)[1].code == "malformed"
    batch = wire.Batch(messages=[wire.Message(identification=wire.Identification(
        message_id=fresh("i"), member=card, kind="token", identifier=fresh("token"), replaces=card))])
    _, results = post("/v1/batches", batch, wire.BatchResult)
    assert results.results[0].status == 201
    assert gro.get(f"/v1/members/{card}").status == 404


def test_a_merge_in_protobuf(gro, operator, member, wire, post):  # noqa: F811
    other = fresh("member")
    assert gro.post("/v1/accruals", accrual(other, 1)).status == 201
    sent = wire.Merge(message_id=fresh("o"), reason="registered", into=other)

    answer, said = post(f"/v1/members/{member}/merge", sent, wire.MergeAnswer, operator)
    assert (answer.status, said.member, said.points, said.debt) == (201, member, 100, 0)
    assert said.posting_id
    body = {"message_id": sent.message_id, "reason": "registered", "into": other}
    again = operator.post(f"/v1/members/{member}/merge", body)
    assert again.replayed and again.json["points"] == 100
    assert operator.post(f"/v1/members/{member}/merge", body | {"reason": "no"}).code == (
        "message_id_reused")
    assert available(gro, member) == available(gro, other) == 101

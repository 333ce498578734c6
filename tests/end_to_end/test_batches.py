"""Batches: up to 10,000 messages as JSON lines; each stands alone and has its own result."""

import json

import pytest

from messages import accrual, enrolment, fresh, message

LINES = {"Content-Type": "application/x-ndjson"}


def lines_of(messages):
    return b"".join(
        (each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in messages)


def results_of(answer):
    """The results, whether as one JSON array, an object that holds it, or JSON lines."""
    assert answer.status == 200, answer
    if answer.headers["content-type"].startswith("application/x-ndjson"):
        return [json.loads(line) for line in answer.body.splitlines()]
    said = answer.json
    return said["results"] if isinstance(said, dict) else said


def send(connection, messages):
    return results_of(connection.post("/v1/batches", lines_of(messages), LINES))


def content(result):
    """What the result says beside its status, wherever it stands."""
    return json.dumps(result)


def test_a_batch_of_all_types_answers_in_order(gro):
    member = fresh("member")
    earned = accrual(member, 100, type="accrual")
    spent = message(type="redemption", member=member, points=40)
    batch = [
        earned,
        spent,
        message(type="reversal", reverses=spent["message_id"], points=10),
        message(type="reversal", reverses=earned["message_id"], points=20),
        message(type="clawback", member=member, points=5, reason="r"),
        enrolment(fresh("member")) | {"type": "enrolment"},
    ]

    results = send(gro, batch)

    assert [result["status"] for result in results] == [201] * 6, results
    assert not any(result["replayed"] for result in results)
    for sent, result in zip(batch[:2], results):
        assert sent["message_id"] in content(result)
    assert gro.get(f"/v1/members/{member}").json["balance"]["available"] == 100 - 40 + 10 - 20 - 5


def test_messages_of_a_batch_stand_alone(gro, tnk, funded):
    member = funded(10)
    foreign = accrual(fresh("member"), 5)
    tnk.post("/v1/accruals", foreign)
    reused = accrual(member, 1)
    gro.post("/v1/accruals", reused)
    name = fresh("m")

    results = send(gro, [
        message(type="redemption", member=member, points=5),
        message(type="redemption", member=member, points=500),
        message(type="redemption", member=fresh("nobody"), points=5),
        accrual(member, 7, type="accrual") | {"points": "7"},
        accrual(member, 7),
        b"{not json",
        message(type="reversal", reverses=foreign["message_id"]),
        reused | {"type": "accrual"},
        reused | {"type": "accrual", "points": 2},
        accrual(member, 3, type="accrual", message_id=name),
        accrual(member, 3, type="accrual", message_id=name),
        accrual(member, 4, type="accrual", message_id=name),
        message(type="nonsense", member=member, points=5),
        accrual(member, 1, type="accrual", color="red"),
        accrual(member, 2, type="accrual"),
    ])

    assert [result["status"] for result in results] == [
        201, 422, 404, 400, 400, 400, 404, 201, 422, 201, 201, 422, 400, 400, 201], results
    assert [result["replayed"] for result in results] == [
        False] * 7 + [True, False, False, True] + [False] * 4, results
    for index, code in ((1, "insufficient_points"), (2, "member_unknown"), (3, "malformed"),
                        (6, "message_unknown"), (8, "message_id_reused"), (11, "message_id_reused")):
        assert code in content(results[index])
    assert gro.get(f"/v1/members/{member}").json["balance"]["available"] == 10 + 1 - 5 + 3 + 2


def test_a_batch_again_books_nothing(gro, books_nothing):
    batch = [accrual(fresh("member"), 5, type="accrual") for _ in range(20)]
    batch.append(message(type="redemption", member=batch[0]["member"], points=50))
    first = send(gro, batch)

    with books_nothing(no_record=True):
        again = send(gro, batch)

    assert all(result["replayed"] for result in again)
    for one, other in zip(first, again):
        assert one | {"replayed": True} == other


def test_an_answer_is_the_same_alone_and_in_a_batch(gro, funded):
    sent = message(member=funded(100), points=60)
    alone = gro.post("/v1/redemptions", sent).json

    [batched] = send(gro, [sent | {"type": "redemption"}])

    assert batched["status"] == 201 and batched["replayed"]
    found = [value for value in batched.values() if isinstance(value, dict)] or [batched]
    assert all(found[0][name] == alone[name] for name in alone)


def test_ten_thousand_messages(gro):
    members = [fresh("bulk") for _ in range(100)]
    batch = [accrual(members[n % 100], 1, type="accrual") for n in range(10_000)]

    results = send(gro, batch)

    assert len(results) == 10_000
    assert {result["status"] for result in results} == {201}
    assert gro.get(f"/v1/members/{members[0]}").json["balance"]["available"] == 100


def test_one_message_too_many_refuses_the_whole(gro, books_nothing):
    batch = [accrual("bulk", 1, type="accrual", message_id=f"over-{n}") for n in range(10_001)]
    with books_nothing(no_record=True):
        answer = gro.post("/v1/batches", lines_of(batch), LINES)

    assert answer.status in (400, 413), answer
    assert answer.code in ("malformed", "too_large")


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_end_as_it_likes(gro, ending):
    body = lines_of([accrual(fresh("member"), 5, type="accrual") for _ in range(2)])[:-1] + ending

    assert len(results_of(gro.post("/v1/batches", body, LINES))) == 2


def test_json_is_no_batch(gro, books_nothing):
    with books_nothing(no_record=True):
        answer = gro.post("/v1/batches", [accrual("m", 5, type="accrual")])
    assert answer.status == 415, answer

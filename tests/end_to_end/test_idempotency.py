"""The same message again gets the first answer; the same id with other content gets 422."""

import concurrent.futures
import json
import random
import threading

import pytest

from messages import accrual, enrolment, fresh, message, purchase


def bodies(member, original):
    """One good message per route for a member with points, in an order in which they can be sent."""
    return [
        ("accruals", accrual(member, 50)),
        ("accruals", message(member=member, purchase=purchase(1999))),
        ("accruals", message(member=member, purchase=purchase(50))),
        ("redemptions", message(member=member, points=7)),
        ("clawbacks", message(member=member, points=3, reason="r")),
        ("reversals", message(reverses=original, points=5)),
        ("members", enrolment(fresh("member"))),
    ]


@pytest.fixture
def original(gro):
    """(member, message id) of an accrual of 1,000 points."""
    sent = accrual(fresh("member"), 1000)
    gro.post("/v1/accruals", sent)
    return sent["member"], sent["message_id"]


def test_the_same_message_again_gets_the_identical_answer(gro, original, books_nothing):
    sent = bodies(*original)
    first = [gro.post(f"/v1/{route}", body) for route, body in sent]
    assert [answer.status for answer in first] == [201] * len(sent), first

    with books_nothing(no_record=True):
        again = [gro.post(f"/v1/{route}", body) for route, body in sent]

    assert not any(answer.replayed for answer in first)
    assert all(answer.replayed for answer in again)
    assert [(answer.status, answer.body) for answer in again] == [
        (answer.status, answer.body) for answer in first]


def test_answers_survive_restarts(house, gro, original, connect):
    sent = bodies(*original)
    first = [gro.post(f"/v1/{route}", body) for route, body in sent]
    refused = message(member=original[0], points=10**9)
    refusal = gro.post("/v1/redemptions", refused)
    house.stop()
    house.start()
    gro = connect("GRO")

    again = [gro.post(f"/v1/{route}", body) for route, body in sent]
    refusal_again = gro.post("/v1/redemptions", refused)

    assert [answer.body for answer in again] == [answer.body for answer in first]
    assert all(answer.replayed for answer in again)
    assert refusal_again.body == refusal.body and refusal_again.replayed


def test_the_spelling_of_the_same_content_does_not_matter(gro):
    member, name = fresh("member"), fresh("m")
    spellings = [
        f'{{"message_id":"{name}","member":"{member}","occurred_at":"2026-06-10T12:00:00Z","points":5}}',
        f'{{ "points" : 5, "occurred_at":"2026-06-10T12:00:00.000000Z",'
        f' "member":"{member}", "message_id":"{name}" }}',
    ]
    first, second = (gro.post("/v1/accruals", spelling.encode()) for spelling in spellings)

    assert first.status == 201
    assert second.body == first.body and second.replayed


def test_the_same_id_with_other_content_is_refused(gro, original, books_nothing):
    member, _ = original
    sent = message(
        member=member, purchase=purchase(1000, receipt="R", channel="store"), reason="base")
    assert gro.post("/v1/accruals", sent).status == 201
    other_lines = purchase(1000, receipt="R", channel="store", lines=[{"sku": "1", "amount_minor": 1}])
    changes = [
        ("accruals", {"member": fresh("member")}),
        ("accruals", {"occurred_at": "2026-06-10T12:00:01Z"}),
        ("accruals", {"purchase": purchase(1001, receipt="R", channel="store")}),
        ("accruals", {"purchase": purchase(1000, receipt="S", channel="store")}),
        ("accruals", {"purchase": purchase(1000, receipt="R", channel="web")}),
        ("accruals", {"purchase": purchase(1000, "USD", receipt="R", channel="store")}),
        ("accruals", {"purchase": purchase(1000)}),
        ("accruals", {"purchase": other_lines}),
        ("accruals", {"reason": "bonus"}),
        ("clawbacks", {}),
    ]
    for route, change in changes:
        with books_nothing(no_record=True):
            answer = gro.post(f"/v1/{route}", sent | change)
        assert answer.status == 422, (route, change, answer)
        assert answer.code == "message_id_reused"
        assert not answer.replayed
    assert gro.post("/v1/accruals", sent).replayed, "the first outcome stands"


def test_an_id_is_unique_per_partner_only(gro, tnk):
    sent = accrual(fresh("member"), 10)

    assert gro.post("/v1/accruals", sent).status == 201
    other = tnk.post("/v1/accruals", sent)

    assert other.status == 201 and not other.replayed
    assert other.json["balance"]["available"] == 20


def test_a_malformed_message_does_not_claim_its_id(gro):
    sent = accrual(fresh("member"), 10)
    assert gro.post("/v1/accruals", sent | {"points": "10"}).status == 400

    assert gro.post("/v1/accruals", sent).status == 201


def test_duplicates_at_once_are_booked_once(house, connect):
    """Many connections send the same messages at the same time: one is booked, all get its answer."""
    threads, rounds = 8, 25
    member = fresh("member")
    sent = [accrual(member, 1) for _ in range(rounds)]
    barrier = threading.Barrier(threads)
    connections = [connect("GRO") for _ in range(threads)]

    def send_all(connection):
        answers = []
        for body in sent:
            barrier.wait(timeout=30)
            answers.append(connection.post("/v1/accruals", body))
        return answers

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        per_thread = list(pool.map(send_all, connections))

    for answers in zip(*per_thread):
        assert {answer.status for answer in answers} == {201}
        assert len({answer.body for answer in answers}) == 1
        assert sum(not answer.replayed for answer in answers) == 1
    assert connections[0].get(f"/v1/members/{member}").json["balance"]["available"] == rounds


def test_reused_ids_at_once_are_booked_once(connect):
    """The same id with different content at the same time: exactly one of them wins."""
    threads = 6
    connections = [connect("GRO") for _ in range(threads)]
    for _ in range(20):
        name, member = fresh("m"), fresh("member")
        barrier = threading.Barrier(threads)

        def send(numbered, name=name, member=member, barrier=barrier):
            number, connection = numbered
            barrier.wait(timeout=30)
            return connection.post(
                "/v1/accruals", accrual(member, number + 1, message_id=name))

        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(send, enumerate(connections)))

        assert sorted(answer.status for answer in answers) == [201] + [422] * (threads - 1)
        won = next(answer for answer in answers if answer.status == 201)
        assert connections[0].get(f"/v1/members/{member}").json["balance"]["available"] == \
            won.json["points"]


def test_duplicates_reordered_and_delayed_are_booked_once(house, connect, nightly, seed):
    """R11: every message one to five times, shuffled, over several connections."""
    chance = random.Random(seed)
    count = 100_000 if nightly else 4_000
    members = [fresh("dup") for _ in range(50)]
    sent = [accrual(chance.choice(members), chance.randint(1, 9)) for _ in range(count)]
    copies = [body for body in sent for _ in range(chance.randint(1, 5))]
    chance.shuffle(copies)

    def send_share(number):
        connection = connect_now[number]
        share = copies[number::len(connect_now)]
        answers = {}
        for start in range(0, len(share), 32):
            chunk = share[start:start + 32]
            connection.send(b"".join(
                connection.request_bytes("POST", "/v1/accruals", json.dumps(body).encode())
                for body in chunk))
            for body in chunk:
                answer = connection.read_answer()
                assert answer.status == 201, answer
                assert answers.setdefault(body["message_id"], answer.body) == answer.body
        return answers

    connect_now = [connect("GRO") for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(send_share, range(4)))

    first = {}
    for answers in shares:
        for name, body in answers.items():
            assert first.setdefault(name, body) == body
    expected = {member: 0 for member in members}
    for body in sent:
        expected[body["member"]] += body["points"]
    reader = connect("GRO")
    assert {member: reader.get(f"/v1/members/{member}").json["balance"]["available"]
            for member in members} == expected

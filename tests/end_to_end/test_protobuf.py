"""The same messages as Protobuf: the published .proto is all that a partner needs."""

import datetime
import importlib
import subprocess
import sys

import pytest

from house import REPOSITORY
from messages import NOON, accrual, fresh, message

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def micros(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000


@pytest.fixture(scope="session")
def wire(tmp_path_factory):
    """The Python modules that protoc makes of the published files, as one namespace."""
    folder = tmp_path_factory.mktemp("proto")
    root = REPOSITORY / "gateway" / "proto"
    files = sorted(path.relative_to(root) for path in root.rglob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={root}", f"--python_out={folder}", *map(str, files)],
                   check=True)
    sys.path.insert(0, str(folder))
    names = {}
    for path in files:
        module = importlib.import_module(".".join(path.with_suffix("").parts) + "_pb2")
        names |= {name: getattr(module, name) for name in module.DESCRIPTOR.message_types_by_name}
    return type("Wire", (), names)


@pytest.fixture
def post(gro, wire):
    """Posts a Protobuf message (or bytes) and parses the answer as `kind`, or as a Problem."""

    def send(target, body, kind=None, connection=None):
        data = body if isinstance(body, bytes) else body.SerializeToString()
        answer = (connection or gro).post(target, data, PROTOBUF)
        if answer.status >= 400:
            problem = wire.Problem.FromString(answer.body)
            assert problem.status == answer.status
            assert problem.code and problem.title and problem.retry in ("never", "same_id", "new_id")
            return answer, problem
        assert answer.headers["content-type"] == "application/x-protobuf"
        return answer, kind.FromString(answer.body)

    return send


@pytest.fixture
def proto_accrual(wire):
    def make(member, points, **fields):
        return wire.Accrual(**({"message_id": fresh("m"), "member": member, "points": points,
                                "occurred_at_micros": micros(NOON)} | fields))

    return make


def test_every_message_by_protobuf(gro, wire, post, proto_accrual):
    member = fresh("member")
    earned = proto_accrual(member, 100)
    spent = wire.Redemption(
        message_id=fresh("m"), member=member, occurred_at_micros=micros(NOON), points=40)

    answer, said = post("/v1/accruals", earned, wire.AccrualAnswer)
    assert answer.status == 201
    assert (said.message_id, said.member, said.points) == (earned.message_id, member, 100)
    assert [(lot.issuer, lot.points, lot.state) for lot in said.lots] == [("GRO", 100, "active")]
    assert said.balance.available == 100

    answer, said = post("/v1/redemptions", spent, wire.RedemptionAnswer)
    assert answer.status == 201
    assert [(row.issuer, row.points) for row in said.drawn] == [("GRO", 40)]
    assert (said.value.amount_minor, said.value.currency) == (40, "EUR")
    assert said.balance.available == 60

    answer, said = post("/v1/reversals", wire.Reversal(
        message_id=fresh("m"), occurred_at_micros=micros(NOON), reverses=spent.message_id),
        wire.ReversalAnswer)
    assert answer.status == 201
    assert [(row.issuer, row.points) for row in said.restored] == [("GRO", 40)]

    answer, said = post("/v1/clawbacks", wire.Clawback(
        message_id=fresh("m"), member=member, occurred_at_micros=micros(NOON), reason="r",
        purchase=wire.Purchase(amount_minor=12050, currency="EUR")), wire.ReversalAnswer)
    assert answer.status == 201
    assert (said.points, said.debt, said.balance.debt) == (120, 20, 20)

    other = fresh("member")
    answer, said = post("/v1/members", wire.Enrolment(message_id=fresh("m"), member=other),
                        wire.EnrolmentAnswer)
    assert answer.status == 201 and said.member == other
    assert gro.get(f"/v1/members/{member}").json["balance"]["debt"] == 20


def test_the_encoding_is_no_part_of_the_message(gro, post, wire, proto_accrual, books_nothing):
    sent = accrual(fresh("member"), 25)
    assert gro.post("/v1/accruals", sent).status == 201
    with books_nothing(no_record=True):
        answer, said = post("/v1/accruals", proto_accrual(
            sent["member"], 25, message_id=sent["message_id"]), wire.AccrualAnswer)
        other, problem = post("/v1/accruals", proto_accrual(
            sent["member"], 26, message_id=sent["message_id"]))

    assert answer.status == 201 and answer.replayed
    assert said.points == 25
    assert other.status == 422 and problem.code == "message_id_reused"


def test_json_may_be_asked_for(gro, proto_accrual):
    body = proto_accrual(fresh("member"), 5).SerializeToString()
    answer = gro.post("/v1/accruals", body, PROTOBUF | {"Accept": "application/json"})
    assert answer.json["points"] == 5


def test_reads_in_protobuf(gro, wire, proto_accrual, post):
    member = fresh("member")
    post("/v1/accruals", proto_accrual(member, 5), wire.AccrualAnswer)
    accept = {"Accept": "application/x-protobuf"}

    said = wire.MemberAnswer.FromString(gro.get(f"/v1/members/{member}", accept).body)
    assert (said.member, said.balance.available) == (member, 5)
    entries = wire.EntriesAnswer.FromString(gro.get(f"/v1/members/{member}/entries", accept).body)
    assert [entry.points for entry in entries.entries] == [5]
    assert wire.EchoAnswer.FromString(gro.get("/v1/echo", accept).body).partner == "GRO"
    missing = gro.get(f"/v1/members/{fresh('nobody')}", accept)
    assert wire.Problem.FromString(missing.body).code == "member_unknown"


def test_a_batch_with_mixed_results(wire, post, proto_accrual, gro):
    member = fresh("member")
    messages = [
        wire.Message(accrual=proto_accrual(member, 10)),
        wire.Message(redemption=wire.Redemption(
            message_id=fresh("m"), member=member, occurred_at_micros=micros(NOON), points=11)),
        wire.Message(accrual=proto_accrual("no member", 10)),
        wire.Message(),
        wire.Message(accrual=proto_accrual(member, 5)),
    ]
    messages.append(messages[0])

    answer, said = post("/v1/batches", wire.Batch(messages=messages), wire.BatchResult)

    assert answer.status == 200
    assert [result.status for result in said.results] == [201, 422, 400, 400, 201, 201]
    assert [result.replayed for result in said.results] == [False] * 5 + [True]
    assert said.results[1].problem.code == "insufficient_points"
    assert said.results[5].accrual == said.results[0].accrual
    assert gro.get(f"/v1/members/{member}").json["balance"]["available"] == 15


def test_a_batch_of_ten_thousand_and_one_too_many(wire, post, proto_accrual, books_nothing):
    member = fresh("member")
    batch = wire.Batch(messages=[wire.Message(accrual=proto_accrual(member, 1)) for _ in range(10_000)])
    _, said = post("/v1/batches", batch, wire.BatchResult)
    assert {result.status for result in said.results} == {201}

    batch.messages.append(wire.Message(accrual=proto_accrual(member, 1)))
    with books_nothing(no_record=True):
        answer, problem = post("/v1/batches", batch)
    assert answer.status in (400, 413) and problem.code in ("malformed", "too_large")


@pytest.mark.parametrize("fields", [
    {"message_id": ""}, {"message_id": "a b"}, {"message_id": "a" * 65}, {"member": ""},
    {"member": "a/b"}, {"occurred_at_micros": None}, {"points": None}, {"points": 0}, {"points": -5},
    {"points": 1_000_000_001}, {"points": 2**63 - 1}, {"occurred_at_micros": 2**63 - 1},
    {"occurred_at_micros": -(2**63)}], ids=str)
def test_a_wrong_value(post, proto_accrual, books_nothing, fields):
    body = proto_accrual(**({"member": fresh("member"), "points": 5} | fields))
    with books_nothing(no_record=not fields.get("points")):
        answer, problem = post("/v1/accruals", body)
    assert answer.status in (400, 422)
    assert problem.code in ("malformed", "points_out_of_range")


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def test_bytes_that_are_no_message(post, proto_accrual, books_nothing):
    good = proto_accrual(fresh("member"), 5).SerializeToString()
    bad = {
        "cut short": good[:-1],
        "noise": bytes(range(256)),
        "unknown field": good + b"\xf8\x07\x01",
        "unknown length-delimited field": good + b"\xfa\x07\x03abc",
        "wrong wire type": b"\x08\x05" + good,
        "group": good + b"\x0b\x0c",
        "field number zero": good + b"\x00\x00",
        "length beyond the end": good + b"\x32\xff\xff\xff\xff\x07abc",
        "varint without end": good + b"\x20" + b"\xff" * 11,
        "bad UTF-8": good + b"\x32\x02\xff\xfe",
        "a field twice": good + b"\x20\x06",
        "empty": b"",
        "JSON": b'{"message_id":"m"}',
    }
    for name, data in bad.items():
        with books_nothing(no_record=True):
            answer, problem = post("/v1/accruals", data)
        assert answer.status == 400, (name, answer)
        assert problem.code == "malformed", name


def test_a_bomb_of_empty_messages_is_refused(post, books_nothing, house):
    """A megabyte of empty items would unfold to a hundred; they are counted on the wire first."""
    with books_nothing(no_record=True):
        for target, data in (("/v1/batches", b"\x0a\x00" * 500_000),
                             ("/v1/accruals", b"\x2a" + varint(400_000) + b"\x2a\x00" * 200_000)):
            answer, _ = post(target, data)
            assert answer.status in (400, 413), answer
    assert house.admin("/readyz")[0] == 200


def test_a_quote(wire, post, proto_accrual, books_nothing):
    with books_nothing(no_record=True):
        answer, _ = post("/v1/quotes", wire.Message(accrual=proto_accrual(fresh("member"), 5)),
                         wire.AccrualAnswer)
    assert answer.status == 200


def test_numbers_in_json_and_protobuf_agree(gro, wire, post):
    """The frozen outcome of one message, read in both encodings."""
    member = fresh("member")
    gro.post("/v1/accruals", accrual(member, 100))
    spent = message(member=member, points=30)
    first = gro.post("/v1/redemptions", spent).json

    target = f"/v1/messages/{spent['message_id']}"
    result = wire.Result.FromString(gro.get(target, {"Accept": "application/x-protobuf"}).body)

    assert result.status == 201
    assert result.redemption.posting_id == first["posting_id"]
    assert result.redemption.points == first["points"]
    assert [(row.lot, row.points) for row in result.redemption.drawn] == [
        (row["lot"], row["points"]) for row in first["drawn"]]


@pytest.mark.parametrize("path", [
    "accruals", "redemptions", "reversals", "clawbacks", "donations", "transfers", "holds", "holds/h/capture",
    "holds/h/release", "accruals/m/release", "members", "members/m/identifiers", "members/lookup", "batches", "quotes",
    "members/m/block", "members/m/unblock", "members/m/close", "members/m/merge", "members/m/reinstate", "adjustments"])
def test_every_message_of_the_contract_may_be_protobuf(gro, wire, path):
    """Whoever may not send it, and whatever is wrong with it: the encoding is not."""
    answer = gro.post("/v1/" + path, b"\xff", {"Content-Type": "application/x-protobuf"})
    assert answer.status != 415, answer
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert wire.Problem.FromString(answer.body).status == answer.status

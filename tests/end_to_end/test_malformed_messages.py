"""Bodies that are no message. Each gets 400 `malformed` naming the field, and leaves no trace."""

import json

import pytest

from messages import NOON, accrual, fresh, message, purchase

ABSENT = object()


def changed(body, field, value):
    """The body with one field set to another value, or taken out. `a.b` reaches inside."""
    body = json.loads(json.dumps(body))
    *outer, last = field.split(".")
    inner = body
    for name in outer:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = value
    return body


@pytest.fixture
def refused(gro, books_nothing):
    """Sends a body that must be refused as malformed without a trace."""

    def send(target, body, names=None, codes=("malformed",)):
        with books_nothing(no_record=True):
            answer = gro.post(target, body)
        assert answer.status == 400 or answer.code in codes, answer
        assert answer.code in codes, answer
        if names:
            assert names in json.dumps(answer.json), f"{answer} does not name {names}"

    return send


def with_purchase(**fields):
    return message(member=fresh("member"), purchase=purchase(1000, **fields))


NOT_AN_OBJECT = {
    "empty": b"",
    "blank": b"   ",
    "no JSON": b"points=5",
    "array": b"[]",
    "null": b"null",
    "number": b"1",
    "string": b'"accrual"',
    "cut short": b'{"message_id":"m',
    "empty object": b"{}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "single quotes": b"{'message_id':'m'}",
    "comment": b"{} // comment",
    "NaN": b'{"points":NaN}',
}


@pytest.mark.parametrize("body", NOT_AN_OBJECT.values(), ids=NOT_AN_OBJECT)
def test_a_body_that_is_no_message(refused, body):
    refused("/v1/accruals", body)


@pytest.mark.parametrize("suffix", [b" x", b"{}", b",", b"}", b"\0"])
def test_something_after_the_message(refused, suffix):
    refused("/v1/accruals", json.dumps(accrual("member", 5)).encode() + suffix)


NO_UTF8 = {
    "lone continuation": b"\x80",
    "cut sequence": b"\xc3",
    "overlong slash": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "never used": b"\xff",
    "lone surrogate escaped": b"\\ud800",
    "raw control": b"\x01",
    "raw newline": b"\n",
    "unknown escape": b"\\x41",
}


@pytest.mark.parametrize("inside", NO_UTF8.values(), ids=NO_UTF8)
def test_text_that_is_no_utf8(refused, inside):
    body = json.dumps(accrual("member", 5, reason="@@")).encode().replace(b"@@", b"a" + inside + b"b")
    refused("/v1/accruals", body)


@pytest.mark.parametrize("body", [
    b'{"message_id":"%s","member":"d","occurred_at":"2026-06-10T12:00:00Z","points":5,"points":5}',
    b'{"message_id":"%s","member":"d","occurred_at":"2026-06-10T12:00:00Z","member":"e","points":5}',
    b'{"message_id":"%s","member":"d","occurred_at":"2026-06-10T12:00:00Z",'
    b'"purchase":{"amount_minor":100,"currency":"EUR","amount_minor":100}}',
    b'{"message_id":"%s","member":"d","occurred_at":"2026-06-10T12:00:00Z","points":5,"po\\u0069nts":5}',
])
def test_a_field_twice(refused, body):
    refused("/v1/accruals", body % fresh("twice").encode())


@pytest.mark.parametrize("field", ["color", "Points", "posting_id", "partner", "__proto__", ""])
def test_an_unknown_field(refused, field):
    refused("/v1/accruals", accrual("member", 5) | {field: 1}, names=field)


@pytest.mark.parametrize("field", ["purchase.color", "purchase.lines.0.color"])
def test_an_unknown_field_inside(refused, field):
    body = with_purchase(lines=[{"sku": "1", "amount_minor": 100}])
    refused("/v1/accruals", changed(body, field, 1), names="color")


def test_depth_is_bounded(refused):
    inner = 1
    for _ in range(9):
        inner = {"x": inner}
    refused("/v1/accruals", accrual("member", 5) | {"reason": inner})


WRONG_VALUES = {
    "message_id": [ABSENT, "", "a" * 65, "a b", "a/b", "é", "a\u0000", 5, None, [], {}, True],
    "member": [ABSENT, "", "a" * 65, "a b", "a/b", "é", "a%41", "a\n", 5, None, ["m"], {"id": "m"}],
    "occurred_at": [
        ABSENT, "", "now", "2026-06-10", "2026-06-10T12:00:00", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-06-10T24:00:01Z", "2026-06-10T12:60:00Z", "2026-6-10T12:00:00Z",
        "20260610T120000Z", "2026-06-10T12:00:00Zz", " 2026-06-10T12:00:00Z", "2026-06-10T12:00:00.Z",
        "-2026-06-10T12:00:00Z", "12026-06-10T12:00:00Z", "2026-06-10T12:00:00+25:00",
        1781092800, None, {}, []],
    "points": [ABSENT, "5", 5.5, True, None, [], {}, [5]],
}


@pytest.mark.parametrize(
    "field, value", [(field, value) for field, values in WRONG_VALUES.items() for value in values])
def test_a_wrong_value_in_an_accrual(refused, field, value):
    refused("/v1/accruals", changed(accrual("member", 5), field, value), names=field)


@pytest.mark.parametrize("literal", ["5.0", "5e0", "1e400", "0.1", "-0.5", "+5", "05", "0x5", "5_000"])
def test_points_that_are_no_plain_integer(refused, literal):
    body = json.dumps(accrual("member", 123456)).replace("123456", literal)
    refused("/v1/accruals", body.encode())


@pytest.mark.parametrize("route, fields", [
    ("accruals", {}), ("redemptions", {}), ("clawbacks", {"reason": "r"})])
@pytest.mark.parametrize("points", [
    0, -1, 1_000_000_001, 2**31 * 4, 2**63 - 1, 2**63, 2**64, 2**64 + 5, 10**30, -(2**63)])
def test_points_out_of_bounds(gro, books_nothing, funded, route, fields, points):
    """A refusal of the house, frozen like any other, unless the number is none that a message can have."""
    body = message(member=funded(10), points=points, **fields)
    code = "points_out_of_range" if -(2**63) <= points < 2**63 else "malformed"
    with books_nothing(no_record=code == "malformed"):
        first = gro.post(f"/v1/{route}", body)
    with books_nothing(no_record=True):
        again = gro.post(f"/v1/{route}", body)
        mended = gro.post(f"/v1/{route}", body | {"points": 5}) if code != "malformed" else None
    assert first.code == again.code == code, first
    assert again.replayed == (code != "malformed")
    assert mended is None or mended.code == "message_id_reused"


def test_both_points_and_purchase(refused):
    refused("/v1/accruals", with_purchase() | {"points": 10})


WRONG_PURCHASES = {
    "purchase": [[], "10.00", 1000, None, {}],
    "purchase.amount_minor": [ABSENT, -1, 10.5, "1000", None, 2**63, True],
    "purchase.currency": [ABSENT, "", "eur", "EURO", "E", 978, None, "EU\u00c4"],
    "purchase.channel": [5, None, []],
    "purchase.receipt": [5, None, {}],
    "purchase.lines": ["x", 1, None, {}, [1], [[]], [None]],
    "purchase.lines.0.amount_minor": [10.5, "10", None],
    "purchase.lines.0.quantity": [1.5, "1", None],
    "purchase.lines.0.sku": [1, None],
    "purchase.lines.0.vat_rate": ["21 %", 21.5, None],
}


@pytest.mark.parametrize(
    "field, value", [(field, value) for field, values in WRONG_PURCHASES.items() for value in values])
def test_a_wrong_value_in_a_purchase(refused, field, value):
    body = with_purchase(lines=[{"sku": "1", "amount_minor": 100, "quantity": 1, "vat_rate": 2100}])
    refused("/v1/accruals", changed(body, field, value))


OTHER_MESSAGES = {
    "redemptions": [
        {}, {"points": 5, "value": {"amount_minor": 5, "currency": "EUR"}}, {"purchase": {}},
        {"points": "5"}, {"value": 5}, {"value": {"amount_minor": 5}}, {"value": {"currency": "EUR"}},
        {"value": {"amount_minor": -5, "currency": "EUR"}}, {"points": 5, "reverses": "x"},
        {"value": {"amount_minor": 5, "currency": "EUR", "rate": 1}}, {"points": 5, "receipt": 7}],
    "clawbacks": [
        {}, {"points": 5, "purchase": {"amount_minor": 500, "currency": "EUR"}}, {"points": 5.5},
        {"points": 5, "reason": 7}, {"points": 5, "value": {"amount_minor": 5, "currency": "EUR"}}],
    "donations": [{"points": 5}, {"charity": "CHA"}, {"points": 5, "charity": 7}],
    "members": [{"points": 5}, {"occurred_at": NOON, "kind": 5}],
}


@pytest.mark.parametrize(
    "route, fields", [(route, fields) for route, all_ in OTHER_MESSAGES.items() for fields in all_])
def test_a_wrong_value_in_another_message(refused, funded, route, fields):
    refused(f"/v1/{route}", message(member=funded(100)) | fields)


@pytest.mark.parametrize("fields", [
    {"reverses": ABSENT}, {"reverses": ""}, {"reverses": "a b"}, {"reverses": "a" * 65},
    {"reverses": 7}, {"reverses": None}, {"member": "m"}, {"points": "1"}, {"points": 1.5},
    {"points": 1, "purchase": {"amount_minor": 100, "currency": "EUR"}}, {"message_id": ABSENT},
    {"occurred_at": ABSENT}])
def test_a_wrong_value_in_a_reversal(refused, gro, fields):
    original = accrual(fresh("member"), 100)
    gro.post("/v1/accruals", original)
    body = message(reverses=original["message_id"]) | fields
    refused("/v1/reversals", {name: value for name, value in body.items() if value is not ABSENT})


@pytest.mark.parametrize("body", [
    {}, {"member": ""}, {"member": "a b"}, {"member": 5}, {"member": "m", "more": 1}])
def test_a_wrong_lookup(refused, body):
    refused("/v1/members/lookup", body)


@pytest.mark.parametrize("fields", [
    {"type": ABSENT}, {"type": "accruals"}, {"type": "ACCRUAL"}, {"type": 1}, {"type": "cut"},
    {"type": "clock"}])
def test_a_quote_of_no_known_type(refused, fields):
    body = accrual("member", 5) | {"type": "accrual"} | fields
    refused("/v1/quotes", {name: value for name, value in body.items() if value is not ABSENT})


@pytest.mark.parametrize("occurred_at", [
    "2026-06-10T12:00:00Z", "2026-06-10T12:00:00.5Z", "2026-06-10T12:00:00.123456Z",
    "2024-02-29T23:59:59Z"])
def test_a_time_in_any_precision_up_to_microseconds_is_taken(gro, occurred_at):
    answer = gro.post("/v1/accruals", accrual(fresh("member"), 5, occurred_at=occurred_at))

    # 2024 is beyond the late window by now, which is a refusal of the house, not of the form.
    assert answer.status == 201 or answer.code == "late_window_closed", answer


@pytest.mark.parametrize("name", ["a", "A.b_c:d-e", "x" * 64])
def test_ids_at_their_bounds_are_taken(gro, name):
    sent = accrual(fresh("m") + "@x+y", 5)
    sent["message_id"] = name

    assert gro.post("/v1/accruals", sent).status == 201


@pytest.mark.parametrize("body", [
    b'{"message_id":"%s","member":"sp","occurred_at":"' + NOON.encode() + b'","points": 5 }',
    b'\r\n\t{ "points":5,"occurred_at":"' + NOON.encode() + b'","member":"sp","message_id":"%s"}\n',
    b'{"message_id":"%s","member":"\\u0073p","occurred_at":"' + NOON.encode() + b'","points":5}'])
def test_any_json_spelling_of_a_message_is_taken(gro, body):
    answer = gro.post("/v1/accruals", body % fresh("spelling").encode())

    assert answer.status == 201, answer
    assert answer.json["member"] == "sp"

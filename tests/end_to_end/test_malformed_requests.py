"""Requests that are no good HTTP. A guard stands before the body: one answer, then the connection ends."""

import json

import pytest

from messages import accrual, fresh
from wire import Closed, Connection


def body_of(points=5):
    return json.dumps(accrual(fresh("member"), points)).encode()


def raw(gro, lines, body=b""):
    """Request lines joined; `@` stands for the house's own host and port."""
    return "\r\n".join(lines).replace("@", gro.host).encode("latin-1") + b"\r\n\r\n" + body


def send_and_end(gro, data, statuses):
    """Expects exactly one answer of one of the statuses, and then the end of the connection."""
    gro.send(data)
    answer = gro.read_answer()
    assert answer.status in statuses, answer
    assert answer.code
    assert gro.is_closed(), f"the connection goes on after {answer}"
    return answer


MALFORMED = {
    "no Host": ["GET /v1/echo HTTP/1.1"],
    "two Hosts": ["GET /v1/echo HTTP/1.1", "Host: @", "Host: @"],
    "two different Hosts": ["GET /v1/echo HTTP/1.1", "Host: @", "Host: evil.example"],
    "foreign Host": ["GET /v1/echo HTTP/1.1", "Host: evil.example"],
    "empty Host": ["GET /v1/echo HTTP/1.1", "Host: "],
    "two hosts in one": ["GET /v1/echo HTTP/1.1", "Host: @, @"],
    "HTTP/1.2": ["GET /v1/echo HTTP/1.2", "Host: @"],
    "HTTP/2.0": ["GET /v1/echo HTTP/2.0", "Host: @"],
    "HTTP/0.9": ["GET /v1/echo"],
    "http/1.1": ["GET /v1/echo http/1.1", "Host: @"],
    "two spaces": ["GET  /v1/echo HTTP/1.1", "Host: @"],
    "no target": ["GET HTTP/1.1", "Host: @"],
    "tabs": ["GET\t/v1/echo\tHTTP/1.1", "Host: @"],
    "absolute target": ["GET https://@/v1/echo HTTP/1.1", "Host: @"],
    "asterisk target": ["GET * HTTP/1.1", "Host: @"],
    "dot segment": ["GET /v1/./echo HTTP/1.1", "Host: @"],
    "two dots": ["GET /v1/../v1/echo HTTP/1.1", "Host: @"],
    "encoded dots": ["GET /v1/%2e%2e/v1/echo HTTP/1.1", "Host: @"],
    "encoded NUL": ["GET /v1/members/a%00b HTTP/1.1", "Host: @"],
    "broken escape": ["GET /v1/members/a%4 HTTP/1.1", "Host: @"],
    "no escape": ["GET /v1/members/a%zz HTTP/1.1", "Host: @"],
    "Latin-1 target": ["GET /v1/members/\xe9 HTTP/1.1", "Host: @"],
    "fragment": ["GET /v1/echo#x HTTP/1.1", "Host: @"],
    "folded header": ["GET /v1/echo HTTP/1.1", "Host: @", "X-A: a", " b"],
    "space before colon": ["GET /v1/echo HTTP/1.1", "Host: @", "X-A : a"],
    "no colon": ["GET /v1/echo HTTP/1.1", "Host: @", "X-A"],
    "empty name": ["GET /v1/echo HTTP/1.1", "Host: @", ": a"],
    "name with parenthesis": ["GET /v1/echo HTTP/1.1", "Host: @", "X(A): a"],
    "NUL in a value": ["GET /v1/echo HTTP/1.1", "Host: @", "X-A: a\0b"],
    "CR in a value": ["GET /v1/echo HTTP/1.1", "Host: @", "X-A: a\rb"],
    "two Content-Lengths": ["POST /v1/accruals HTTP/1.1", "Host: @", "Content-Type: application/json",
                            "Content-Length: 5", "Content-Length: 5"],
    "two different Content-Lengths": ["POST /v1/accruals HTTP/1.1", "Host: @",
                                      "Content-Type: application/json", "Content-Length: 5",
                                      "Content-Length: 6"],
}
for _length in ("+5", "-1", "0x5", "5, 5", "5 5", "five", "", "5.0", "1e1"):
    MALFORMED[f"Content-Length {_length!r}"] = [
        "POST /v1/accruals HTTP/1.1", "Host: @", "Content-Type: application/json",
        f"Content-Length: {_length}"]


@pytest.mark.parametrize("lines", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_gets_400_and_the_end(gro, books_nothing, lines):
    """Another request waits behind it in the same write: it must never be answered."""
    with books_nothing(no_record=True):
        second = gro.request_bytes("POST", "/v1/accruals", body_of())
        answer = send_and_end(gro, raw(gro, lines) + second, {400})
    assert answer.code == "malformed"


@pytest.mark.parametrize("coding", [
    "chunked", "Chunked", "gzip", "identity", "xchunked", "chunked, identity", "gzip, chunked", "", "x"])
@pytest.mark.parametrize("length", [True, False], ids=["with length", "without length"])
def test_any_transfer_encoding_is_refused(gro, books_nothing, coding, length):
    body = body_of()
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    lines = ["POST /v1/accruals HTTP/1.1", "Host: @", "Content-Type: application/json",
             f"Transfer-Encoding: {coding}"] + ([f"Content-Length: {len(chunked)}"] if length else [])
    with books_nothing(no_record=True):
        answer = send_and_end(gro, raw(gro, lines, chunked), {411})
    assert answer.code == "length_required"


@pytest.mark.parametrize("lines", [
    ["Transfer-Encoding: xchunked", "Content-Length: {length}"],
    ["Transfer-Encoding: chunked, identity"],
    ["Content-Length: 0", "Content-Length: {length}"]], ids=str)
def test_the_body_of_one_request_is_never_the_next_request(gro, books_nothing, lines):
    """The classic smuggling shapes."""
    inner = gro.request_bytes("POST", "/v1/accruals", body_of())
    head = ["POST /v1/redemptions HTTP/1.1", "Host: @", "Content-Type: application/json"]
    head += [line.format(length=len(inner)) for line in lines]
    with books_nothing(no_record=True):
        send_and_end(gro, raw(gro, head, inner), {400, 411})


def test_a_body_without_length_is_refused(gro):
    lines = ["POST /v1/accruals HTTP/1.1", "Host: @", "Content-Type: application/json"]
    assert send_and_end(gro, raw(gro, lines, body_of()), {411}).code == "length_required"


@pytest.mark.parametrize("target, length, media_type", [
    ("/v1/accruals", 2**20 + 1, "application/json"),
    ("/v1/accruals", 2**63, "application/json"),
    ("/v1/accruals", 10**30, "application/json"),
    ("/v1/batches", 8 * 2**20 + 1, "application/x-ndjson")])
def test_a_body_too_large_is_refused_before_it_is_read(gro, target, length, media_type):
    lines = [f"POST {target} HTTP/1.1", "Host: @", f"Content-Type: {media_type}",
             f"Content-Length: {length}"]
    answer = send_and_end(gro, raw(gro, lines), {413} if length < 2**63 else {400, 413})
    assert answer.code in ("too_large", "malformed")


def test_a_body_of_the_greatest_length_is_read(gro):
    body = body_of()
    answer = gro.post("/v1/accruals", body + b" " * (2**20 - len(body)))
    assert answer.status == 201, answer


TOO_MUCH_HEADER = {
    "one long field": ["X-A: " + "a" * 4097],
    "many bytes": [f"X-{n}: " + "a" * 1000 for n in range(9)],
    "many fields": [f"X-{n}: a" for n in range(65)],
    "endless": [f"X-{n}: " + "a" * 1000 for n in range(200)],
}


@pytest.mark.parametrize("fields", TOO_MUCH_HEADER.values(), ids=TOO_MUCH_HEADER)
def test_a_header_too_large_is_refused(gro, fields):
    answer = send_and_end(
        gro, raw(gro, ["GET /v1/echo HTTP/1.1", "Host: @", *fields]), {400, 413, 431})
    assert answer.code in ("malformed", "too_large")


def test_a_target_too_long_is_refused(gro):
    send_and_end(gro, raw(gro, ["GET /v1/members/" + "a" * 2100 + " HTTP/1.1", "Host: @"]), {400, 413, 414})


WRONG_METHODS = {
    "/v1/accruals": ("POST", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]),
    "/v1/redemptions": ("POST", ["GET", "DELETE"]),
    "/v1/reversals": ("POST", ["GET"]),
    "/v1/clawbacks": ("POST", ["GET"]),
    "/v1/donations": ("POST", ["GET"]),
    "/v1/batches": ("POST", ["GET"]),
    "/v1/quotes": ("POST", ["GET"]),
    "/v1/members": ("POST", ["GET"]),
    "/v1/members/m": ("GET", ["POST", "DELETE", "PUT"]),
    "/v1/members/m/entries": ("GET", ["POST"]),
    "/v1/messages/m": ("GET", ["POST", "DELETE"]),
    "/v1/position": ("GET", ["POST"]),
    "/v1/documents": ("GET", ["POST"]),
    "/v1/documents/INV-2026-000001": ("GET", ["POST", "DELETE"]),
    "/v1/statements/2026-06": ("GET", ["POST"]),
    "/v1/documents/SB-GRO-2026-000001/answer": ("POST", ["GET"]),
    "/v1/disputes": ("POST", ["PUT", "DELETE", "PATCH"]),
    "/v1/disputes/D-000001": ("GET", ["POST", "DELETE"]),
    "/v1/disputes/D-000001/answer": ("POST", ["GET"]),
    "/v1/disputes/D-000001/escalate": ("POST", ["GET"]),
    "/v1/reconciliation/2026-06": ("GET", ["PUT", "DELETE"]),
    "/v1/operator/settle/draft": ("POST", ["GET", "DELETE"]),
    "/v1/operator/window/list": ("GET", ["POST"]),
    "/v1/echo": ("GET", ["POST", "TRACE", "BREW"]),
}


@pytest.mark.parametrize(
    "target, allowed, method",
    [(target, allowed, method) for target, (allowed, methods) in WRONG_METHODS.items()
     for method in methods])
def test_a_wrong_method_is_refused(gro, books_nothing, target, allowed, method):
    body = body_of() if method not in ("GET", "HEAD") else None
    with books_nothing(no_record=True):
        answer = gro.request(method, target, body)
    assert answer.status == 405, answer
    assert allowed in [each.strip() for each in answer.headers["allow"].split(",")]
    if method != "HEAD":
        assert answer.code == "method_not_allowed"


def test_the_answer_to_head_has_no_content_and_the_next_request_is_answered(gro):
    """RFC 9110 section 9.3.2: else the content would be read as the next answer's head."""
    line = b"".join(
        method + b" /v1/echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" for method in (b"HEAD", b"GET"))
    gro.send(line)
    refused = gro.read_answer(head_only=True)
    assert refused.status == 405 and int(refused.headers["content-length"]) > 0
    assert gro.read_answer().json["partner"] == "GRO"


@pytest.mark.parametrize("target", [
    "/", "/v1", "/v1/", "/v2/accruals", "/v1/accruals/", "/v1/accrual", "/V1/accruals", "//v1/accruals",
    "/v1/members/a/b/c", "/v1/members//entries", "/healthz", "/metrics"])
def test_an_unknown_route_is_404(gro, target):
    answer = gro.get(target)
    assert answer.status == 404, answer
    assert answer.code


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": None}, {"Content-Type": ""},
    {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/jsonp"},
    {"Content-Type": "application/x-ndjson"}, {"Content-Type": "text/json"},
    {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"}], ids=str)
def test_another_media_type_is_refused(gro, books_nothing, headers):
    with books_nothing(no_record=True):
        answer = gro.post("/v1/accruals", body_of(), headers)
    assert answer.status == 415, answer
    assert answer.code == "media_type_unsupported"


@pytest.mark.parametrize("media_type", [
    "application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_by_any_spelling_is_taken(gro, media_type):
    assert gro.post("/v1/accruals", body_of(), {"Content-Type": media_type}).status == 201


def test_an_upgrade_is_refused(gro):
    answer = gro.get("/v1/echo", {"Upgrade": "websocket", "Connection": "Upgrade"})
    assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999", "limit=1.5",
    "cursor=x", "cursor=%00", "cursor=!!", "limit=1&limit=2", "color=red"])
def test_a_wrong_query_is_refused(gro, funded, query):
    answer = gro.get(f"/v1/members/{funded(5)}/entries?{query}")
    assert answer.status == 400, answer
    assert answer.code == "malformed"


def test_http_1_0_is_answered_and_closed(gro):
    gro.send(raw(gro, ["GET /v1/echo HTTP/1.0", "Host: @"]))
    assert gro.read_answer().status == 200
    assert gro.is_closed()


def test_connection_close_is_honoured(gro):
    assert gro.get("/v1/echo", {"Connection": "close"}).status == 200
    assert gro.is_closed()


def test_pipelined_requests_are_answered_in_order(gro):
    sent = [accrual(fresh("pipelined"), points) for points in range(1, 65)]
    gro.send(b"".join(
        gro.request_bytes("POST", "/v1/accruals", json.dumps(each).encode()) for each in sent))

    answers = [gro.read_answer() for _ in sent]

    assert [answer.status for answer in answers] == [201] * 64
    assert [answer.json["message_id"] for answer in answers] == [each["message_id"] for each in sent]


def test_pipelined_reads_see_what_came_before_them(gro):
    member = fresh("member")
    gro.send(b"".join(
        gro.request_bytes("POST", "/v1/accruals", json.dumps(accrual(member, 10)).encode())
        + gro.request_bytes("GET", f"/v1/members/{member}") for _ in range(8)))

    answers = [gro.read_answer() for _ in range(16)]

    # One commit may take several of the requests at once, so a read may see more than its forerunners.
    seen = [answer.json["balance"]["available"] for answer in answers[1::2]]
    assert all(at_least <= points <= 80 for at_least, points in zip(range(10, 81, 10), seen)), seen
    assert seen == sorted(seen)


def test_good_requests_before_a_malformed_one_are_answered(gro):
    gro.send(gro.request_bytes("POST", "/v1/accruals", body_of()) + b"NONSENSE\r\n\r\n")
    assert gro.read_answer().status == 201
    assert gro.read_answer().status == 400
    assert gro.is_closed()


def test_a_request_in_single_bytes_is_answered(gro):
    for byte in gro.request_bytes("POST", "/v1/accruals", body_of()):
        gro.send(bytes([byte]))
    assert gro.read_answer().status == 201


def test_a_request_that_breaks_off_books_nothing(connect, books_nothing):
    gro = connect("GRO")
    with books_nothing(no_record=True):
        gro.send(gro.request_bytes("POST", "/v1/accruals", body_of())[:-1])
        gro.close()
        assert connect("GRO").get("/v1/echo").status == 200


def test_every_answer_has_a_request_id_of_its_own(gro):
    ids = {gro.get("/v1/echo").headers["request-id"] for _ in range(50)}
    assert len(ids) == 50


def test_plain_http_is_not_answered_as_http(house):
    with Connection(house.port) as plain:
        plain.send(b"GET /v1/echo HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises((Closed, AssertionError, ValueError, UnicodeDecodeError)):
            plain.read_answer()

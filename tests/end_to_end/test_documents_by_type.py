"""What partners read of settlement and contest of it, in every type that `Accept` can ask for: June 2026, issued and
netted."""

import pytest

from messages import fresh
from test_protobuf import wire  # noqa: F401  the classes made of the published files
from test_reconciliation import WINDOW, file_text, rows_of, traded  # noqa: F401
from test_settlement import closed
from two_encodings import JSON, PROTOBUF, agree, fill

XML, PDF, CSV = "application/xml", "application/pdf", "text/csv"
ALL = {"GRO", "TNK", "BOE"}


@pytest.fixture(scope="module")
def netted(make_house, tmp_path_factory):
    folder = tmp_path_factory.mktemp("netted")
    house = closed(make_house(), folder)
    house.run("settle", "invoices", "2026-06", "--out", folder / "documents")
    house.run("settle", "net", "2026-06")
    return house


@pytest.fixture
def speak(netted):
    opened = []

    def connect(name):
        opened.append(netted.connect(name))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.fixture
def anna(speak):
    return speak("operator:anna")


def documents_of(connection):
    return connection.get("/v1/documents").json["documents"]


def both(connection, path, kind):
    """The JSON of a read, once its Protobuf says the same."""
    in_json = connection.get(path)
    in_protobuf = connection.get(path, {"Accept": PROTOBUF})
    assert (in_json.status, in_protobuf.status) == (200, 200), (in_json, in_protobuf)
    assert in_json.headers["content-type"] == JSON
    assert in_protobuf.headers["content-type"] == PROTOBUF
    agree(in_json.json, kind.FromString(in_protobuf.body))
    return in_json.json


def test_every_document_in_both_encodings(anna, wire):  # noqa: F811
    listed = both(anna, "/v1/documents", wire.DocumentList)["documents"]
    assert {row["type"] for row in listed} >= {"invoice", "credit_note", "self_billed_invoice"}
    for row in listed:
        document = both(anna, f"/v1/documents/{row['number']}", wire.Document)
        assert document["number"] == row["number"]
        assert document["lines"]


def test_a_partner_s_list_and_net_in_both_encodings(speak, wire):  # noqa: F811
    for name in sorted(ALL):
        partner = speak(name)
        own = both(partner, "/v1/documents", wire.DocumentList)["documents"]
        [net] = both(partner, "/v1/statements/2026-06", wire.NetStatement)["partners"]
        assert net["partner"] == name
        assert {row["number"] for row in net["documents"]} == {row["number"] for row in own}
    everyone = both(speak("operator:anna"), "/v1/statements/2026-06", wire.NetStatement)["partners"]
    assert ALL <= {net["partner"] for net in everyone}


KINDS = {JSON: b"{", XML: b"<?xml", PDF: b"%PDF"}
PREFERRED = [
    (None, JSON), ("*/*", JSON), ("application/*", JSON), (PDF, PDF), (XML, XML), (f"{PDF};q=0.2, {JSON}", JSON),
    (f"{PDF};q=0.2, {JSON};q=0.1", PDF), (f"{JSON};q=0.3, {XML};q=0.9, {PDF};q=0.8", XML), (f"text/html, {PDF}", PDF),
    (f"{JSON};q=0, {PDF};q=0.001", PDF), (f"*/*;q=0.1, {XML};q=0.2", XML), (f"{PDF}, {XML}", PDF),
    (f"{XML}, {PDF}", XML),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XML)]


@pytest.mark.parametrize("accept, expected", PREFERRED)
def test_a_document_comes_as_it_is_wanted_most(speak, accept, expected):
    gro = speak("GRO")
    number = documents_of(gro)[0]["number"]
    answer = gro.get(f"/v1/documents/{number}", {"Accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (200, expected), answer
    assert answer.body.startswith(KINDS[expected])


def test_a_document_and_what_there_is_not_of_it(speak):
    gro, tnk = speak("GRO"), speak("TNK")
    number = documents_of(gro)[0]["number"]
    for accept in (CSV, "text/html", "image/*", f"{JSON};q=0", "application/pdf;q=0.0"):
        answer = gro.get(f"/v1/documents/{number}", {"Accept": accept})
        assert (answer.status, answer.code) == (406, "not_acceptable"), (accept, answer)
    # A foreign document is as absent as none, whatever is asked for.
    for accept in (None, JSON, XML, PDF):
        foreign = tnk.get(f"/v1/documents/{number}", {"Accept": accept})
        absent = tnk.get("/v1/documents/INV-2026-999999", {"Accept": accept})
        assert (foreign.status, foreign.code) == (404, "document_unknown")
        assert foreign.body == absent.body
    for path in ("/v1/documents", "/v1/statements/2026-06", "/v1/disputes"):
        for accept in (PDF, XML, CSV):
            assert gro.get(path, {"Accept": accept}).code == "not_acceptable", (path, accept)


def test_a_payment_statement_has_no_xml(anna):
    statements = [row["number"] for row in documents_of(anna) if row["type"] == "payment_statement"]
    if not statements:
        pytest.skip("June has no donation")
    path = f"/v1/documents/{statements[0]}"
    refused = anna.get(path, {"Accept": XML})
    assert (refused.status, refused.code) == (406, "not_acceptable"), refused
    for accept, expected in ((f"{XML}, {PDF};q=0.1", PDF), (f"{XML}, */*;q=0.1", JSON),
                             (f"{XML}, {PROTOBUF};q=0.5", PROTOBUF)):
        answer = anna.get(path, {"Accept": accept})
        assert (answer.status, answer.headers["content-type"]) == (200, expected), answer


@pytest.mark.parametrize("window", ["2026-05", "2031-01", "2026-13", "June", "2026", "2026-06-01", "2026-6"])
def test_a_window_that_is_none_is_404(speak, anna, window):
    for connection in (speak("GRO"), anna):
        answer = connection.get(f"/v1/statements/{window}")
        assert (answer.status, answer.code) == (404, "window_unknown"), answer


def test_a_window_that_is_not_netted_has_no_statement_yet(speak):
    gro = speak("GRO")
    gro.post("/v1/accruals", {"message_id": fresh("m"), "member": fresh("member"), "points": 1,
                              "occurred_at": "2026-07-01T09:00:00Z"})
    answer = gro.get("/v1/statements/2026-07")
    assert (answer.status, answer.code) == (404, "document_unknown"), answer


def dispute_about(number, **fields):
    return {"message_id": fresh("dispute"), "document": number, "line": 1, "net_minor": 1, "reason": "QTY",
            "evidence": "till 4, été"} | fields


def sent_in_protobuf(connection, path, form):
    return connection.post(path, form.SerializeToString(), {"Content-Type": PROTOBUF})


def test_a_dispute_in_protobuf_is_the_same_as_in_json(speak, anna, wire):  # noqa: F811
    gro = speak("GRO")
    number = next(row["number"] for row in documents_of(gro) if row["type"] == "invoice")
    for is_json_first in (True, False):
        body = dispute_about(number)
        form = fill(wire.DisputeOpening(), body)
        sendings = [lambda: gro.post("/v1/disputes", body),
                    lambda: sent_in_protobuf(gro, "/v1/disputes", form)]
        first, second = (each() for each in (sendings if is_json_first else sendings[::-1]))
        assert (first.status, first.replayed) == (201, False), first
        assert (second.status, second.replayed) == (201, True), second
        in_json, in_protobuf = (first, second) if is_json_first else (second, first)
        agree(in_json.json, wire.Dispute.FromString(in_protobuf.body))
        one = in_json.json["dispute"]

        reply = sent_in_protobuf(anna, f"/v1/disputes/{one}/answer", wire.DisputeWords(words="the journal has them"))
        assert reply.status == 200, reply
        assert wire.Dispute.FromString(reply.body).stage == "answered"
        insisting = wire.DisputeEscalation(message_id=fresh("dispute"), words="look again")
        escalated = sent_in_protobuf(gro, f"/v1/disputes/{one}/escalate", insisting)
        again = gro.post(f"/v1/disputes/{one}/escalate", {"message_id": insisting.message_id, "words": "look again"})
        assert (escalated.status, again.status, again.replayed) == (200, 200, True)
        agree(again.json, wire.Dispute.FromString(escalated.body))
        both(gro, f"/v1/disputes/{one}", wire.Dispute)
    both(gro, "/v1/disputes", wire.Disputes)
    both(anna, "/v1/disputes", wire.Disputes)


def test_an_answer_to_a_document_in_protobuf_is_the_same_as_in_json(speak, wire):  # noqa: F811
    gro = speak("GRO")
    number = next(row["number"] for row in documents_of(gro) if row["type"] == "self_billed_invoice")
    path = f"/v1/documents/{number}/answer"
    body = {"message_id": fresh("answer"), "answer": "queried", "reason": "which points, été?"}
    first = sent_in_protobuf(gro, path, fill(wire.DocumentAnswer(), body))
    again = gro.post(path, body)
    assert (first.status, first.replayed, again.status, again.replayed) == (200, False, 200, True), (first, again)
    agree(again.json, wire.AnsweredDocument.FromString(first.body))
    other = sent_in_protobuf(gro, path, fill(wire.DocumentAnswer(), body | {"reason": ""}))
    assert wire.Problem.FromString(other.body).code == "message_id_reused"
    for fields, code in (({"answer": ""}, "malformed"), ({"answer": "AP"}, "malformed"), ({"message_id": ""}, "malformed"),
                         ({"reason": "a\nb"}, "malformed"), ({"answer": "rejected", "reason": ""}, "settlement_refused")):
        form = fill(wire.DocumentAnswer(), body | {"message_id": fresh("answer")} | fields)
        problem = wire.Problem.FromString(sent_in_protobuf(gro, path, form).body)
        assert problem.code == code, (fields, problem)
    claim = dispute_about(number, billed="too_little")
    opened = sent_in_protobuf(gro, "/v1/disputes", fill(wire.DisputeOpening(), claim))
    assert opened.status == 201, opened
    agree(gro.post("/v1/disputes", claim).json, wire.Dispute.FromString(opened.body))
    both(gro, f"/v1/documents/{number}", wire.Document)
    both(gro, "/v1/documents", wire.DocumentList)


def test_a_dispute_that_is_wrong_is_wrong_in_protobuf_too(speak, wire):  # noqa: F811
    gro, tnk = speak("GRO"), speak("TNK")
    number = next(row["number"] for row in documents_of(gro) if row["type"] == "invoice")
    good = fill(wire.DisputeOpening(), dispute_about(number))
    wrong = [
        (gro, b"", 400, "malformed"), (gro, b"\xff", 400, "malformed"), (gro, b"{}", 400, "malformed"),
        (gro, good.SerializeToString() + b"\x78\x01", 400, "malformed"),
        (gro, good.SerializeToString() + b"\x18\x01", 400, "malformed"),
        (gro, good.SerializeToString()[:-1], 400, "malformed"),
        (tnk, good.SerializeToString(), 404, "document_unknown")]
    for fields, status, code in (
            ({"message_id": ""}, 400, "malformed"), ({"message_id": "a b"}, 400, "malformed"),
            ({"evidence": ""}, 400, "malformed"), ({"evidence": "a\nb"}, 400, "malformed"),
            ({"evidence": "x" * 1001}, 400, "malformed"), ({"line": 0}, 422, "dispute_refused"),
            ({"line": 99}, 422, "dispute_refused"), ({"net_minor": -(2 ** 63)}, 422, "dispute_refused"),
            ({"net_minor": 2 ** 63 - 1}, 422, "dispute_refused"), ({"reason": "XYZ"}, 422, "dispute_refused"),
            ({"document": "INV-2026-999999"}, 404, "document_unknown")):
        form = fill(wire.DisputeOpening(), dispute_about(number) | fields)
        wrong.append((gro, form.SerializeToString(), status, code))
    for name in ("line", "net_minor"):
        form = fill(wire.DisputeOpening(), dispute_about(number))
        form.ClearField(name)
        wrong.append((gro, form.SerializeToString(), 400, "malformed"))
    before = gro.get("/v1/disputes").body
    for connection, body, status, code in wrong:
        answer = connection.post("/v1/disputes", body, {"Content-Type": PROTOBUF})
        problem = wire.Problem.FromString(answer.body)
        assert (answer.status, problem.status, problem.code) == (status, status, code), (body, problem)
    assert gro.get("/v1/disputes").body == before
    assert gro.post("/v1/disputes", b"x", {"Content-Type": "text/csv"}).code == "media_type_unsupported"


def test_records_are_compared_in_both_encodings(traded, wire):  # noqa: F811
    rows = rows_of(traded)
    accruals = [row for row in rows if row["type"] == "accrual"]
    sent = [row for row in rows if row is not accruals[0]]
    accruals[1]["points"] += 1
    accruals[2]["member"] = "somebody"
    sent.append(dict(accruals[3]))
    sent.append(dict(accruals[4]) | {"message_id": "never-sent"})
    file, path = file_text(sent).encode(), f"/v1/reconciliation/{WINDOW}"
    with traded.connect("GRO") as gro:
        in_json = gro.post(path, file, {"Content-Type": CSV})
        in_protobuf = gro.post(path, file, {"Content-Type": CSV, "Accept": PROTOBUF})
        assert (in_json.status, in_protobuf.status) == (200, 200), in_protobuf
        assert len(in_json.json["breaks"]) == 5
        agree(in_json.json, wire.Reconciliation.FromString(in_protobuf.body))
        own = gro.get(path, {"Accept": "text/*"})
        assert (own.status, own.headers["content-type"]) == (200, CSV)
        assert gro.get(path, {"Accept": JSON}).code == "not_acceptable"
        refused = gro.get(path, {"Accept": PROTOBUF})
        assert wire.Problem.FromString(refused.body).code == "not_acceptable"
        day = gro.post(f"/v1/reconciliation/{WINDOW}-03", file, {"Content-Type": CSV, "Accept": PROTOBUF})
        assert wire.Problem.FromString(day.body).code == "malformed"
        assert gro.post(path, file, {"Content-Type": CSV, "Accept": CSV}).code == "not_acceptable"


@pytest.mark.parametrize("accept, expected", [
    (None, JSON), ("*/*", JSON), (CSV, CSV), (f"{CSV};q=0.5, {JSON};q=0.1", CSV), (f"{CSV};q=0.1, {JSON}", JSON),
    ("text/*", CSV), ("text/html", None), (PDF, None)])
def test_what_operators_read_is_negotiated_alike(anna, accept, expected):
    answer = anna.get("/v1/operator/report/coverage", {"Accept": accept})
    if expected:
        assert (answer.status, answer.headers["content-type"]) == (200, expected), answer
    else:
        assert (answer.status, answer.code) == (406, "not_acceptable"), answer

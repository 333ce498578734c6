"""What a partner does about settlement over the wire: it contests lines of its documents and compares records."""

import base64
import json

import pytest

from messages import fresh
from test_reconciliation import (  # noqa: F401
    WINDOW, breaks_of, file_text, reconcile, rows_of, totals, traded)
from test_settlement import closed

CSV = {"Content-Type": "text/csv"}


# Disputes.


@pytest.fixture(scope="module")
def billed(make_house, tmp_path_factory):
    """June 2026, closed, its documents issued."""
    folder = tmp_path_factory.mktemp("june")
    house = closed(make_house(), folder)
    house.run("settle", "invoices", "2026-06", "--out", folder / "documents")
    return house


@pytest.fixture
def speak(billed):
    """Opens connections to that house."""
    opened = []

    def connect(name):
        opened.append(billed.connect(name))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def invoice_of(connection):
    """The number and first line of the caller's own invoice."""
    [number] = [row["number"] for row in connection.get("/v1/documents").json["documents"]
                if row["type"] == "invoice"][:1]
    return number, connection.get(f"/v1/documents/{number}").json["lines"][0]


def dispute_about(document, net_minor=1, **fields):
    return {"message_id": fresh("dispute"), "document": document, "line": 1, "net_minor": net_minor,
            "reason": "QTY", "evidence": "till 4"} | fields


def test_a_dispute_is_opened_once_and_answered_the_same(speak):
    gro = speak("GRO")
    number, line = invoice_of(gro)
    sent = dispute_about(number, 3)

    first = gro.post("/v1/disputes", sent)
    again = gro.post("/v1/disputes", sent)
    reused = gro.post("/v1/disputes", sent | {"net_minor": 4})

    assert first.status == 201, first
    assert not first.replayed
    assert set(first.json) == {
        "dispute", "document", "line", "billed", "net_minor", "held_minor", "reason", "evidence", "stage", "words", "act_by",
        "urgent", "due_soon", "overdue", "agreed_minor", "credit"}
    assert first.json["stage"] == "opened" and first.json["net_minor"] == 3
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    assert (reused.status, reused.code) == (422, "message_id_reused")
    one = first.json["dispute"]
    assert gro.get(f"/v1/disputes/{one}").json == first.json
    assert [row["dispute"] for row in gro.get("/v1/disputes").json["disputes"]].count(one) == 1
    assert line["net_minor"] > 3


def test_another_partner_s_disputes_are_as_absent_as_none(speak):
    gro, tnk, anna = speak("GRO"), speak("TNK"), speak("operator:anna")
    number, _ = invoice_of(gro)
    one = gro.post("/v1/disputes", dispute_about(number)).json["dispute"]

    foreign = tnk.get(f"/v1/disputes/{one}")
    absent = tnk.get("/v1/disputes/D-999999")
    insisting = tnk.post(f"/v1/disputes/{one}/escalate", {"message_id": fresh("d"), "words": "mine"})
    contesting = tnk.post("/v1/disputes", dispute_about(number))
    nothing = tnk.post("/v1/disputes", dispute_about("INV-2026-999999"))

    assert foreign.code == absent.code == insisting.code == "dispute_unknown"
    assert foreign.status == absent.status == insisting.status == 404
    assert foreign.json == absent.json, "not a byte tells them apart"
    assert contesting.code == nothing.code == "document_unknown"
    assert contesting.json["detail"] == nothing.json["detail"]
    assert tnk.get("/v1/disputes").json["disputes"] == []
    assert one in [row["dispute"] for row in anna.get("/v1/disputes").json["disputes"]]
    assert anna.get(f"/v1/disputes/{one}").status == 200


def test_message_ids_of_two_partners_are_two(speak):
    gro, boe = speak("GRO"), speak("BOE")
    same = fresh("dispute")
    for partner in (gro, boe):
        number, _ = invoice_of(partner)
        answer = partner.post("/v1/disputes", dispute_about(number, message_id=same))
        assert (answer.status, answer.replayed) == (201, False), answer


MALFORMED = {
    "no message id": lambda sent: {key: sent[key] for key in sent if key != "message_id"},
    "no document": lambda sent: {key: sent[key] for key in sent if key != "document"},
    "no evidence": lambda sent: {key: sent[key] for key in sent if key != "evidence"},
    "an empty evidence": lambda sent: sent | {"evidence": ""},
    "a long evidence": lambda sent: sent | {"evidence": "x" * 1001},
    "control characters": lambda sent: sent | {"evidence": "a\nb"},
    "an odd message id": lambda sent: sent | {"message_id": "a b"},
    "an unknown field": lambda sent: sent | {"colour": "red"},
    "a text for a number": lambda sent: sent | {"net_minor": "3"},
    "a number for a text": lambda sent: sent | {"reason": 3},
    "a fraction": lambda sent: sent | {"net_minor": 0.5},
    "a number beyond 64 bits": lambda sent: sent | {"net_minor": 2 ** 63},
    "null": lambda sent: sent | {"line": None},
    "an object": lambda sent: sent | {"line": {"number": 1}},
    "an array": lambda sent: sent | {"line": [1]},
    "true": lambda sent: sent | {"line": True},
    "no object": lambda sent: [sent],
    "a text": lambda _: "dispute",
    "nothing": lambda _: {},
}
REFUSED = {
    "a line that is not there": {"line": 99}, "line 0": {"line": 0}, "a line below zero": {"line": -1},
    "no amount": {"net_minor": 0}, "an amount below zero": {"net_minor": -5},
    "more than the line": {"net_minor": 10 ** 15}, "the largest number": {"net_minor": 2 ** 63 - 1},
    "a reason that is none": {"reason": "XYZ"}, "a reason in small letters": {"reason": "qty"}}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_dispute_is_400_and_nothing_is_kept(speak, spoil):
    gro = speak("GRO")
    number, _ = invoice_of(gro)
    before = gro.get("/v1/disputes").body

    answer = gro.post("/v1/disputes", json.dumps(spoil(dispute_about(number))).encode())

    assert (answer.status, answer.code) == (400, "malformed"), answer
    assert gro.get("/v1/disputes").body == before


@pytest.mark.parametrize("body", [
    b"", b"{", b"{}x", b'{"message_id":"a","message_id":"b"}', b'{"message_id":"\xff"}', b"[" * 100, b"null", b"1"])
def test_what_is_no_json_is_400(speak, body):
    answer = speak("GRO").post("/v1/disputes", body)
    assert (answer.status, answer.code) == (400, "malformed"), answer


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_contested_is_refused_and_its_id_stays_free(speak, wrong):
    gro = speak("GRO")
    number, _ = invoice_of(gro)
    before = gro.get("/v1/disputes").body
    sent = dispute_about(number) | wrong

    answer = gro.post("/v1/disputes", sent)

    assert (answer.status, answer.code) == (422, "dispute_refused"), answer
    assert answer.json["message_id"] == sent["message_id"]
    assert gro.get("/v1/disputes").body == before
    assert gro.post("/v1/disputes", sent | {key: dispute_about(number)[key] for key in wrong}).status == 201


def test_no_amount_is_contested_twice(speak):
    boe = speak("BOE")
    number, line = invoice_of(boe)
    contested = sum(row["net_minor"] for row in boe.get("/v1/disputes").json["disputes"]
                    if row["document"] == number and row["line"] == 1)
    left = line["net_minor"] - contested
    assert left > 1
    assert boe.post("/v1/disputes", dispute_about(number, left + 1)).code == "dispute_refused"
    assert boe.post("/v1/disputes", dispute_about(number, left)).status == 201
    assert boe.post("/v1/disputes", dispute_about(number, 1)).code == "dispute_refused"


def test_a_credit_note_is_not_disputed(speak):
    tnk = speak("TNK")
    credit = [row["number"] for row in tnk.get("/v1/documents").json["documents"] if row["type"] == "credit_note"]
    assert credit
    assert tnk.post("/v1/disputes", dispute_about(credit[0])).code == "dispute_refused"


def test_media_types_methods_queries_and_roles(speak):
    gro, anna = speak("GRO"), speak("operator:anna")
    number, _ = invoice_of(gro)
    sent = dispute_about(number)
    protobuf = gro.post("/v1/disputes", b"x", {"Content-Type": "application/x-protobuf"})
    assert (protobuf.status, protobuf.headers["content-type"]) == (400, "application/x-protobuf")
    assert gro.post("/v1/disputes", b"x", CSV).code == "media_type_unsupported"
    for path, allow in (("/v1/disputes", "GET, POST"), ("/v1/disputes/D-000001", "GET"),
                        ("/v1/disputes/D-000001/answer", "POST"), ("/v1/disputes/D-000001/escalate", "POST"),
                        ("/v1/reconciliation/2026-06", "GET, POST")):
        answer = gro.request("DELETE", path)
        assert (answer.status, answer.headers["allow"]) == (405, allow), path
    assert gro.get("/v1/disputes?limit=5").code == "malformed"
    assert anna.post("/v1/disputes", sent).code == "forbidden"
    one = gro.post("/v1/disputes", sent).json["dispute"]
    assert gro.post(f"/v1/disputes/{one}/answer", {"words": "we agree"}).code == "forbidden"
    assert anna.post(f"/v1/disputes/{one}/escalate", {"message_id": "x", "words": "y"}).code == "forbidden"
    assert gro.post("/v1/disputes", b"{" + b" " * 2 ** 20 + b"}").status == 413


def test_a_dispute_from_its_opening_to_its_credit_note(speak, billed):
    gro, anna = speak("GRO"), speak("operator:anna")
    number, _ = invoice_of(gro)
    sent = dispute_about(number, 2)
    first = gro.post("/v1/disputes", sent)
    one = first.json["dispute"]
    insisting = {"message_id": fresh("dispute"), "words": "look again"}
    early = gro.post(f"/v1/disputes/{one}/escalate", insisting)
    assert (early.status, early.code) == (409, "dispute_not_open")
    assert anna.post("/v1/disputes/D-999999/answer", {"words": "no"}).code == "dispute_unknown"

    answered = anna.post(f"/v1/disputes/{one}/answer", {"words": "the journal has them"})
    assert (answered.status, answered.json["stage"], answered.json["words"]) == (
        200, "answered", "the journal has them")
    assert anna.post(f"/v1/disputes/{one}/answer", {"words": "again"}).code == "dispute_not_open"

    escalated = gro.post(f"/v1/disputes/{one}/escalate", insisting)
    assert (escalated.status, escalated.json["stage"]) == (200, "escalated"), escalated
    again = gro.post(f"/v1/disputes/{one}/escalate", insisting)
    assert (again.status, again.body, again.replayed) == (200, escalated.body, True)
    assert gro.post(f"/v1/disputes/{one}/escalate", insisting | {"words": "x"}).code == "message_id_reused"
    assert gro.post("/v1/disputes", sent | {"message_id": insisting["message_id"]}).code == "message_id_reused"
    twice = gro.post(f"/v1/disputes/{one}/escalate", {"message_id": fresh("dispute"), "words": "still"})
    assert twice.code == "dispute_not_open"

    documents = len(gro.get("/v1/documents").json["documents"])
    decided = anna.post("/v1/operator/dispute/decide", {
        "message_id": fresh("act"), "dispute": one, "agreed_minor": 1, "words": "half"})
    assert decided.status == 200, decided
    assert decided.json["credit"].startswith("CN-")
    assert len(gro.get("/v1/documents").json["documents"]) == documents + 1
    credit = gro.get(f"/v1/documents/{decided.json['credit']}").json
    assert credit["net_minor"] == -1 or credit["net_minor"] == 1
    shown = gro.get(f"/v1/disputes/{one}").json
    assert (shown["stage"], shown["agreed_minor"], shown["credit"]) == ("decided", 1, decided.json["credit"])

    # What was first answered is answered for ever, also by a house that has died in between.
    billed.kill()
    billed.start()
    with billed.connect("GRO") as after:
        replayed = after.post("/v1/disputes", sent)
        assert (replayed.status, replayed.body, replayed.replayed) == (201, first.body, True)
        replayed = after.post(f"/v1/disputes/{one}/escalate", insisting)
        assert (replayed.status, replayed.body, replayed.replayed) == (200, escalated.body, True)
    assert billed.verify("--from-scratch")["ok"]


def test_who_acts_too_late_has_lost(billed):
    with billed.connect("GRO") as boe, billed.connect("operator:anna") as anna:
        number = [row["number"] for row in boe.get("/v1/documents").json["documents"] if row["type"] == "invoice"][0]
        one = boe.post("/v1/disputes", dispute_about(number)).json["dispute"]
        assert anna.post(f"/v1/disputes/{one}/answer", {"words": "no"}).status == 200
        late = boe.post("/v1/disputes", dispute_about(number)).json["dispute"]
        last = boe.get(f"/v1/disputes/{one}").json["act_by"]
        year, month, day = map(int, last.split("-"))
        billed.run("clock", "advance", f"{year:04}-{month:02}-{day + 2:02}T12:00:00Z")
        escalated = boe.post(f"/v1/disputes/{one}/escalate", {"message_id": fresh("dispute"), "words": "late"})
        answered = anna.post(f"/v1/disputes/{late}/answer", {"words": "late"})
        assert (escalated.status, escalated.code) == (409, "dispute_not_open"), escalated
        assert (answered.status, answered.code) == (409, "dispute_not_open"), answered
        ended = anna.post("/v1/operator/dispute/lapse", {"message_id": fresh("act")})
        assert ended.status == 200, ended
        stages = {row["dispute"]: row["stage"] for row in boe.get("/v1/disputes").json["disputes"]}
        assert stages[one] == stages[late] == "decided"
        assert boe.get(f"/v1/disputes/{one}").json["agreed_minor"] == 0, "the house wins"
        assert boe.get(f"/v1/disputes/{late}").json["agreed_minor"] == 1, "the partner wins"


# Records.


def test_the_house_s_own_file_comes_down_and_can_go_up_again(traded, tmp_path):
    traded.run("reconcile", "GRO", "--window", WINDOW, "--out", tmp_path / "house.csv")
    with traded.connect("GRO") as gro, traded.connect("operator:anna") as anna:
        answer = gro.get(f"/v1/reconciliation/{WINDOW}")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/csv"), answer
        assert answer.body == (tmp_path / "house.csv").read_bytes()
        assert anna.get(f"/v1/reconciliation/{WINDOW}?partner=GRO").body == answer.body
        compared = gro.post(f"/v1/reconciliation/{WINDOW}", answer.body, CSV)
        assert compared.status == 200, compared
        assert (compared.json["ok"], compared.json["breaks"]) == (True, [])
        assert gro.post(f"/v1/reconciliation/{WINDOW}", answer.body, CSV).body == compared.body


def test_an_operator_compares_all_partners_at_once(traded, tmp_path):
    """What `reconcile --all` does with a folder, with the files one after the other in the body."""
    path = f"/v1/operator/reconcile?window={WINDOW}"
    traded.run("reconcile", "--all", "--window", WINDOW, "--out", tmp_path / "house")
    with traded.connect("operator:anna") as anna, traded.connect("GRO") as gro:
        assert gro.get(path).code == gro.post(path, b"x", CSV).code == "forbidden"
        written = {each["name"]: base64.b64decode(each["base64"], validate=True)
                   for each in anna.get(path).json["files"]}
        assert written == {each.name: each.read_bytes() for each in (tmp_path / "house").iterdir()}
        assert set(written) == {"GRO.csv", "TNK.csv"}
        both = b"".join(written.values())
        agreed = anna.post(path, both, CSV)
        assert (agreed.status, agreed.json["ok"]) == (200, True), agreed
        assert [row["partner"] for row in agreed.json["partners"]] == ["GRO", "TNK"]
        # The same answer as at the keyboard, from a folder and from one file.
        (tmp_path / "both.csv").write_bytes(both)
        for place in (tmp_path / "house", tmp_path / "both.csv"):
            assert traded.json("reconcile", "--all", place, "--window", WINDOW) == agreed.json
        # A difference is an answer, too, and a missing file is an exception, not agreement.
        alone = anna.post(path, written["GRO.csv"], CSV)
        assert (alone.status, alone.json["ok"]) == (200, False), alone
        [refused] = [row for row in alone.json["partners"] if row["partner"] == "TNK"]
        assert "fault" in refused, refused
        assert traded.json("reconcile", "--all", tmp_path / "both.csv", "--window", WINDOW) == agreed.json
        day = anna.post(path + f"&day={WINDOW}-03", both, CSV)
        assert (day.status, day.json["ok"]) == (200, False), "the files are of the month"
        for text, complaint in ((b"", "no file in it"), (b"D,x\n", "no header"), (both + both, "two files of"),
                                (written["GRO.csv"].replace(b",GRO,", b",NOBODY,"), "knows no partner"),
                                (b"H", "no header"), (b"H,", "knows no partner"), (b"H,\n\n", "knows no partner")):
            answer = anna.post(path, text, CSV)
            assert answer.code == "settlement_refused", (text, answer)
            assert complaint in answer.json["detail"], (text, answer)
        assert anna.get("/v1/operator/reconcile").code == "malformed"
        assert anna.get("/v1/operator/reconcile?window=2031-01").code == "settlement_refused"


def test_each_day_by_itself(traded):
    with traded.connect("GRO") as gro:
        for day in sorted({row["booked_on"] for row in rows_of(traded)}):
            rows = [row for row in rows_of(traded) if row["booked_on"] == day]
            answer = gro.post(f"/v1/reconciliation/{day}", file_text(rows, day=day).encode(), CSV)
            assert answer.status == 200, answer
            assert (answer.json["breaks"], answer.json["house"]) == ([], totals(rows))
            own = gro.get(f"/v1/reconciliation/{day}").body.decode()
            assert len(own.splitlines()) == len(rows) + 2


def test_each_difference_once_with_its_class(traded):
    rows = rows_of(traded)
    accruals = [row for row in rows if row["type"] == "accrual"]
    missing, changed, wrong, doubled = accruals[:4]
    sent = [row for row in rows if row is not missing]
    changed["points"] += 1
    wrong["member"] = "card4" if wrong["member"] != "card4" else "card3"
    sent.append(dict(doubled))
    sent.append(dict(doubled) | {"message_id": "never-sent"})
    seeded = sorted([("missing", missing["message_id"]), ("changed_amount", changed["message_id"]),
                     ("wrong_member", wrong["message_id"]), ("duplicate", doubled["message_id"]),
                     ("extra", "never-sent")])
    with traded.connect("GRO") as gro, traded.connect("operator:anna") as anna:
        answer = gro.post(f"/v1/reconciliation/{WINDOW}", file_text(sent).encode(), CSV)
        assert (answer.status, breaks_of(answer.json)) == (200, seeded), answer
        by_operator = anna.post(f"/v1/reconciliation/{WINDOW}?partner=GRO", file_text(sent).encode(), CSV)
        assert by_operator.json == answer.json
    assert b"card" not in b"".join(
        json.dumps(each["house"]).encode() for each in answer.json["breaks"]), "the house names no member"


def test_a_file_that_is_no_good_is_refused_as_a_whole(traded):
    rows = rows_of(traded)
    good = file_text(rows)
    spoiled = {
        "": "empty", "x": "line 1", file_text([]): "", good[:-10]: "", good.replace(",EUR", ",GBP", 1): "currency",
        file_text(rows, partner="TNK"): "partner", file_text(rows, window="2026-07"): "window",
        good.replace("D,", "E,", 1): "line 2", good + good: ""}
    with traded.connect("GRO") as gro:
        for text, where in spoiled.items():
            answer = gro.post(f"/v1/reconciliation/{WINDOW}", text.encode(), CSV)
            assert (answer.status, answer.code) == (400, "malformed"), (text[:60], answer)
            assert where in answer.json["detail"]
        binary = gro.post(f"/v1/reconciliation/{WINDOW}", bytes(range(256)), CSV)
        assert binary.code == "malformed"


def test_what_is_asked_wrongly(traded):
    file = file_text(rows_of(traded)).encode()
    with traded.connect("GRO") as gro, traded.connect("operator:anna") as anna:
        for period in ("2026", "June", "2026-13", "2026-06-31", "2026-6-1", "2026-06-01T00:00:00Z"):
            assert gro.get(f"/v1/reconciliation/{period}").code == "malformed", period
            assert gro.post(f"/v1/reconciliation/{period}", file, CSV).code == "malformed", period
        for period in ("2031-01", "2031-01-05"):
            assert gro.get(f"/v1/reconciliation/{period}").code == "window_unknown"
            assert gro.post(f"/v1/reconciliation/{period}", file, CSV).code == "window_unknown"
        assert gro.get(f"/v1/reconciliation/{WINDOW}?partner=TNK").code == "malformed"
        assert gro.get(f"/v1/reconciliation/{WINDOW}?day=1").code == "malformed"
        assert anna.get(f"/v1/reconciliation/{WINDOW}").code == "malformed"
        assert anna.get(f"/v1/reconciliation/{WINDOW}?partner=NONE").code == "malformed"
        for media_type in ("application/json", "text/plain", "application/x-protobuf", None):
            answer = gro.post(f"/v1/reconciliation/{WINDOW}", file, {"Content-Type": media_type})
            assert answer.status == 415, media_type
    with traded.connect("GRO") as gro:
        gro.send(gro.request_bytes("POST", f"/v1/reconciliation/{WINDOW}", None, {
            "Content-Type": "text/csv", "Content-Length": str(8 * 2 ** 20 + 1)}))
        assert gro.read_answer().code == "too_large"


def test_one_partner_s_files_keep_nobody_waiting(traded):
    """Many files at once: all are answered, or refused before any work, and messages go on meanwhile."""
    file = file_text(rows_of(traded)).encode()
    connections = [traded.connect("GRO") for _ in range(24)]
    for each in connections:
        each.send(each.request_bytes("POST", f"/v1/reconciliation/{WINDOW}", file, CSV))
    with traded.connect("operator:anna") as anna, traded.connect("TNK") as tnk:
        assert tnk.get("/v1/echo").status == 200
        answers = [each.read_answer() for each in connections]
        assert anna.get(f"/v1/reconciliation/{WINDOW}?partner=GRO").status == 200
    for each in connections:
        each.close()
    assert {answer.status for answer in answers} <= {200, 503}
    assert any(answer.status == 200 for answer in answers)
    assert len({answer.body for answer in answers if answer.status == 200}) == 1


def test_a_house_that_stops_ends_what_is_under_way(traded):
    file = file_text(rows_of(traded)).encode()
    connections = [traded.connect("GRO") for _ in range(4)]
    for each in connections:
        each.send(each.request_bytes("POST", f"/v1/reconciliation/{WINDOW}", file, CSV))
    assert traded.stop() == 0
    for each in connections:
        each.close()
    traded.start()

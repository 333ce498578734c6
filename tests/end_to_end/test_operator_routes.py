"""Every command of settlement as a request of an operator: who may, what is refused, and two people for what
takes two."""

import base64
import csv
import datetime
import io
import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import bank_statement
import pytest

from house import REPOSITORY
from messages import fresh, message
from test_june_2026 import coalition
from test_settlement import GOLDEN, as_rows, booked_entries, closed, money

XML = {"Content-Type": "application/xml"}
TOML = {"Content-Type": "application/toml"}
CSV = {"Content-Type": "text/csv"}
PEM = {"Content-Type": "application/x-pem-file"}
PNG = {"Content-Type": "image/png"}
JSON = {"Content-Type": "application/json"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPERATOR = "/v1/operator/"

# Every route, as the manual lists them.
READS = ["settle/show", "settle/documents", "settle/nets", "bank/rows", "dispute/list", "report/roll-forward",
         "report/coverage", "report/redemption-notice", "report/expiry-vat", "report/exit", "report/ageing", "export/gl", "export/chart",
         "window/list", "cert/list", "approve/list", "approve/show", "reconcile", "settle/statement", "settle/collateral", "fx/list", "partner/list",
         "partner/show", "house/show", "promotion/list", "report/breakage", "estimate/list", "close/show",
         "calendar/show", "settle/restatements", "settle/trace", "settle/billed"]
ACTS = ["settle/draft", "settle/issue", "settle/credit", "settle/sent", "settle/answer", "settle/net", "settle/paid",
        "settle/payments", "settle/release-trust", "bank/import", "bank/match", "bank/assign", "bank/write-off", "bank/unmatch", "dispute/open",
        "dispute/answer", "dispute/escalate", "dispute/decide", "dispute/lapse", "report/breakage", "export/gl",
        "window/close", "cert/revoke", "approve", "settle/default", "settle/unwind", "settle/collateral", "fx/set",
        "partner/add", "partner/set-tariff", "partner/set-vat", "partner/set-company", "partner/set-settlement", "partner/buy-block",
        "house/set-terms", "house/set-company", "promotion/add", "settle/invoices", "settle/remind", "estimate/add",
        "close/soft", "close/reopen", "close/hard", "calendar/set", "reconcile", "cert/issue", "import/opening", "settle/restate",
        "approve/reject", "partner/exit", "partner/release", "fx/withdraw", "calendar/withdraw", "estimate/withdraw",
        "house/set-logo", "house/withdraw-logo"]
# They change nothing, and are sent with POST for the file that they bring.
READING_ACTS = ["report/breakage", "export/gl", "reconcile"]
FILES = {"bank/import": XML, "reconcile": CSV, "cert/issue": PEM, "import/opening": JSON, "house/set-logo": PNG} | dict.fromkeys((
    "report/breakage", "export/gl", "partner/add", "partner/set-tariff", "partner/set-vat", "partner/set-company",
    "partner/set-settlement", "house/set-terms", "house/set-company", "promotion/add", "estimate/add",
    "calendar/set"), TOML)


@pytest.fixture(scope="module")
def june(make_house, tmp_path_factory):
    """June 2026, closed; nothing is drafted."""
    return closed(make_house(), tmp_path_factory.mktemp("june"))


@pytest.fixture
def speak(june):
    opened = []

    def connect(name):
        opened.append(june.connect(name))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def act(connection, path, headers=(), **fields):
    """A new act, unless the message id is given."""
    return connection.post(OPERATOR + path, {"message_id": fresh("act")} | fields, headers)


def bring(connection, path, body, headers, **parameters):
    """An act that brings a file: its parameters are in the query."""
    query = "&".join(f"{name}={value}" for name, value in ({"message_id": fresh("act")} | parameters).items())
    return connection.post(f"{OPERATOR}{path}?{query}", body, headers)


def test_the_description_has_every_route(speak):
    described = json.loads(speak("GRO").get("/openapi.json").body)
    found = {(method, path) for path, methods in described["paths"].items() for method in methods
             if path.startswith(OPERATOR)}
    assert found == {("get", OPERATOR + path) for path in READS} | {("post", OPERATOR + path) for path in ACTS}
    manual = (REPOSITORY / "ops/manual/finance/over-the-wire.md").read_text()
    assert [path for path in READS + ACTS if f"`{path}`" not in manual] == []
    operations = [operation["operationId"] for methods in described["paths"].values()
                  for operation in methods.values()]
    assert len(operations) == len(set(operations))
    draft = described["paths"]["/v1/operator/settle/draft"]["post"]
    schema = draft["requestBody"]["content"]["application/json"]["schema"]
    assert (list(schema["properties"]), schema["required"], schema["additionalProperties"]) == (
        ["message_id", "window"], ["message_id", "window"], False)
    assert list(described["paths"]["/v1/operator/bank/import"]["post"]["requestBody"]["content"]) == ["application/xml"]


@pytest.mark.parametrize("path", READS)
def test_partners_read_nothing_here(speak, path):
    answer = speak("GRO").get(OPERATOR + path)
    assert (answer.status, answer.code) == (403, "forbidden"), answer


@pytest.mark.parametrize("path", ACTS)
def test_partners_do_nothing_here(speak, june, path):
    answer = speak("GRO").post(OPERATOR + path, b"{}", FILES.get(path, {}))
    assert (answer.status, answer.code) == (403, "forbidden"), answer


@pytest.mark.parametrize("path", sorted(set(READS + ACTS)))
def test_methods_media_types_and_unknown_parameters(speak, path):
    anna = speak("operator:anna")
    allowed = [method for method, paths in (("GET", READS), ("POST", ACTS)) if path in paths]
    answer = anna.request("DELETE", OPERATOR + path)
    assert (answer.status, answer.headers["allow"]) == (405, ", ".join(allowed))
    if path in READS:
        assert anna.get(OPERATOR + path + "?colour=red").code == "malformed"
    if path in ACTS:
        assert anna.post(OPERATOR + path, b"x", {"Content-Type": "application/x-protobuf"}).status == 415
        assert anna.post(OPERATOR + path, b"x", {"Content-Type": "text/plain"}).status == 415
        if path in FILES:
            assert anna.post(OPERATOR + path + "?colour=red", b"x", FILES[path]).code == "malformed"
        else:
            assert anna.post(OPERATOR + path, {"colour": "red"}).code == "malformed"
            assert anna.post(OPERATOR + path, b"").code == "malformed"
            assert anna.post(OPERATOR + path + "?window=2026-06", {"window": "2026-06"}).code == "malformed"
    assert anna.get(OPERATOR + path + "/").status == 404


def sample_of(name, schema):
    """A value of the right form that means nothing."""
    if schema.get("$ref", "").endswith("/Day"):
        return "2026-06-14"
    if schema.get("$ref", "").endswith("/MessageId"):
        return fresh("act")
    known = {"format": "hledger", "by": "day", "at": "2026-06-14", "from": "2026-06-01", "method": "gross",
             "answer": "accepted", "year": 2026}
    return known.get(name) or {"boolean": True, "integer": 7}.get(
        schema.get("type"), "2026-06" if schema.get("pattern") else "NONE")


@pytest.mark.parametrize("full", [False, True], ids=["required", "all"])
@pytest.mark.parametrize("method, path", [("get", path) for path in READS] + [("post", path) for path in ACTS])
def test_every_route_is_a_line_that_its_command_understands(empty_house, full, method, path):
    operation = empty_house.description["paths"][OPERATOR + path][method]
    with empty_house.connect("operator:anna") as anna:
        excluded = {"sequence", "from", "at"} if path.startswith("report/") and full else set()
        if method == "post" and path not in FILES:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            fields = {name: sample_of(name, each) for name, each in schema["properties"].items()
                      if full or name in schema["required"]}
            answer = anna.post(OPERATOR + path, fields)
        else:
            query = "&".join(
                f"{each['name']}={str(sample_of(each['name'], each['schema'])).replace('True', 'true')}"
                for each in operation.get("parameters", [])
                if (full and each["name"] not in excluded) or each["required"])
            target = OPERATOR + path + (f"?{query}" if query else "")
            answer = (anna.get(target) if method == "get"
                      else anna.post(target, b"[nonsense", FILES[path]))
    assert answer.status in (200, 202) or answer.code in ("settlement_refused", "proposal_unknown"), answer


@pytest.fixture(scope="module")
def empty_house(make_house):
    house = make_house().make().start()
    with house.connect("operator:anna") as anna:
        house.description = json.loads(anna.get("/openapi.json").body)
    return house


def test_a_path_that_is_no_command(speak):
    anna = speak("operator:anna")
    for path in ("settle", "settle/", "serve", "init", "cert/rotate", "settle/draft/2026-06", "backup", "settle/DRAFT"):
        assert anna.get(OPERATOR + path).code == "route_unknown", path


WRONG = {
    "settle/draft": [{}, {"window": "June"}, {"window": 202606}, {"window": "2026-13"}, {"window": "2026-06-01"},
                     {"window": "2026-06", "as_both": True}, {"window": "--json"}, {"window": ""}],
    "settle/net": [{"window": "2026-06", "minimum_minor": "1"}, {"window": "2026-06", "minimum_minor": 1.5}],
    "settle/paid": [{"window": "2026-06", "partner": "GRO", "amount_minor": -140},
                    {"window": "2026-06", "partner": "GRO", "amount_minor": 2 ** 63, "evidence": "x"},
                    {"window": "2026-06", "partner": "", "amount_minor": -140, "evidence": "x"}],
    "settle/credit": [{"number": "INV-2026-000001"}, {"number": "INV-2026-000001", "reason": ""},
                      {"number": "INV-2026-000001", "reason": "a\nb"}],
    "bank/unmatch": [{"match": "1", "reason": "x"}, {"match": 1}, {"match": True, "reason": "x"}],
    "approve": [{}, {"proposal": "list"}, {"proposal": None}],
    "window/close": [{"until": "tomorrow"}, {"until": "2026-06-31"}],
    "dispute/open": [{"document": "INV-2026-000001", "line": "1", "net_minor": 1, "reason": "QTY", "evidence": "x"}],
}


@pytest.mark.parametrize("path, fields", [(path, fields) for path, all_of in WRONG.items() for fields in all_of])
def test_a_wrong_parameter_is_400_and_named(speak, path, fields):
    answer = act(speak("operator:anna"), path, **fields)
    assert (answer.status, answer.code) == (400, "malformed"), answer
    assert not answer.json["detail"].startswith("message_id"), answer


REFUSED = {
    "settle/draft": [{"window": "2026-07"}, {"window": "2031-01"}],
    "settle/issue": [{"window": "2026-06"}, {"window": "2031-01"}],
    "settle/credit": [{"number": "INV-2026-999999", "reason": "x"}, {"number": "--reason", "reason": "--number"}],
    "settle/sent": [{"number": "INV-2026-999999", "to": "--json"}],
    "settle/answer": [{"number": "INV-2026-999999", "answer": "accepted"}, {"number": "x", "answer": "maybe"}],
    "settle/paid": [{"window": "2026-06", "partner": "NONE", "amount_minor": 1, "evidence": "x"},
                    {"window": "2026-06", "partner": "GRO", "amount_minor": -(2 ** 63), "evidence": "x"}],
    "settle/release-trust": [{"amount_micro": 0}, {"amount_micro": -1}],
    "bank/unmatch": [{"match": 99, "reason": "x"}],
    "bank/assign": [{"row": 99, "reference": "PH-2026-06-GRO", "reason": "x"},
                    {"row": 0, "reference": "PH-2026-06-GRO", "reason": "x", "amount_minor": 1}],
    "bank/write-off": [{"row": 99, "account": "bank_charges", "reason": "x"},
                       {"row": 1, "account": "cash:trust", "reason": "x"}],
    "dispute/answer": [{"dispute": "D-000099", "words": "x"}],
    "dispute/escalate": [{"dispute": "D-000099", "words": "x"}],
    "dispute/decide": [{"dispute": "D-000099", "agreed_minor": 0, "words": "x"}],
    "dispute/open": [{"document": "INV-2026-999999", "line": 1, "net_minor": 1, "reason": "QTY", "evidence": "x"}],
    "cert/revoke": [{"name": "NOBODY"}],
    "window/close": [{"until": "2031-01-31"}],
}


@pytest.mark.parametrize("path, fields", [(path, fields) for path, all_of in REFUSED.items() for fields in all_of])
def test_a_refusal_says_why_and_changes_nothing(speak, june, path, fields):
    anna = speak("operator:anna")
    before = june.run("export", "journal", "--format", "csv").stdout
    answer = act(anna, path, **fields)
    assert (answer.status, answer.code) == (422, "settlement_refused"), answer
    detail = answer.json["detail"]
    assert detail and "\n" not in detail and "/tmp" not in detail and not detail.startswith("pointhouse:")
    assert june.run("export", "journal", "--format", "csv").stdout == before
    assert june.json("settle", "documents") == []


def test_texts_are_texts_whatever_is_in_them(make_house, tmp_path):
    """A value is never an option, a file or a word of another command."""
    house = coalition(make_house(), tmp_path).start()
    with house.connect("operator:anna") as anna:
        for words in ("--json", "--operator=x", "-", "--", '"a" \'b\'', "a=b", "[a,b]", "$HOME", "%20", "é€", "@file",
                      "/etc/passwd", "{}", "x" * 1000, " a ", "#"):
            for path, fields in (("settle/sent", {"number": words, "to": words}),
                                 ("cert/revoke", {"name": words}),
                                 ("dispute/answer", {"dispute": words, "words": words})):
                answer = act(anna, path, **fields)
                assert answer.code == "settlement_refused", (path, words, answer)
            refused = act(anna, "settle/sent", number=words)
            if len(words) < 100:
                assert words in refused.json["detail"], refused
        assert anna.get(OPERATOR + "report/exit?partner=%2D%2Djson").code == "settlement_refused"
        assert anna.get(OPERATOR + "report/exit?partner=%ff").code == "malformed"
        assert anna.get(OPERATOR + "export/gl?format=nonsense&window=2026-06").code == "malformed"


def test_june_over_the_wire_is_the_june_of_the_command_line(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob, house.connect("GRO") as gro:
        assert [row["state"] for row in anna.get(OPERATOR + "window/list").json] == ["closed", "open"]
        shown = anna.get(OPERATOR + "settle/show?window=2026-06")
        assert shown.body.decode() + "\n" == house.run("settle", "show", "2026-06", "--json").stdout

        # Who prepares does not approve: in a sandbox, too.
        waiting = act(anna, "settle/draft", window="2026-06")
        assert (waiting.status, waiting.json["state"]) == (202, "waiting"), waiting
        proposal = waiting.json["proposal"]
        assert act(anna, "settle/draft", window="2026-06").json == waiting.json
        early = act(anna, "settle/issue", window="2026-06")
        assert early.code == "settlement_refused" and "wait for approval" in early.json["detail"]
        [listed] = anna.get(OPERATOR + "approve/list").json
        assert (listed["id"], listed["prepared_by"], listed["kind"]) == (proposal, "anna", "documents")
        own = act(anna, "approve", proposal=proposal)
        assert (own.status, own.code) == (403, "forbidden"), own
        for nothing in (proposal + 1000, 0, -1, proposal - 1):
            unknown = act(bob, "approve", proposal=nothing)
            assert (unknown.status, unknown.code) == (404, "proposal_unknown"), unknown
        assert act(bob, "approve", proposal=proposal).json == {"id": proposal, "approved": True}
        assert act(bob, "approve", proposal=proposal).code == "proposal_unknown"

        assert act(anna, "settle/issue", window="2026-06").json == {"window": "2026-06", "issued": 6}
        assert act(anna, "settle/issue", window="2026-06").json["issued"] == 0
        sent_files = act(anna, "settle/invoices", window="2026-06").json
        written = [Path(each) for each in
                   house.json("settle", "invoices", "2026-06", "--out", tmp_path / "documents")]
        assert [(each["name"], base64.b64decode(each["base64"], validate=True)) for each in sent_files] == [
            (each.name, each.read_bytes()) for each in written]
        documents = anna.get(OPERATOR + "settle/documents").json
        assert len(documents) == 6
        assert anna.get(OPERATOR + "settle/documents?window=2026-05").json == []
        number = documents[0]["number"]
        assert anna.get(f"/v1/documents/{number}", {"Accept": "application/xml"}).body.startswith(b"<?xml")
        assert act(anna, "settle/sent", number=number, to="ap@gro.example").json["state"] == "sent"
        assert act(anna, "settle/answer", number=number, answer="accepted").json["state"] == "accepted"
        assert sorted(sorted(row.items()) for row in booked_entries(house)) == as_rows(GOLDEN["documents"])

        assert act(anna, "settle/payments", window="2026-05").status == 422
        netted = act(anna, "settle/net", window="2026-06", minimum_minor=0)
        assert {row["partner"]: row["net_minor"] for row in netted.json["payments"]} == GOLDEN["net_minor"]
        assert "netted already" in act(anna, "settle/net", window="2026-06").json["detail"]
        assert anna.get(OPERATOR + "settle/nets?window=2026-06").json == netted.json
        assert "pay-ins" in act(anna, "settle/payments", window="2026-06").json["detail"]

        pay_in = bank_statement.statement(1, 50_00, [{"minor": 140, "text": "PH-2026-06-GRO"}]).encode()
        assert bring(anna, "bank/import", b"<no/>", XML).code == "settlement_refused"
        assert bring(anna, "bank/import", pay_in, XML).json[0]["added"] == 1
        assert bring(anna, "bank/import", pay_in, XML).json[0]["repeated"]
        matched = act(anna, "bank/match", tolerance_minor=0).json
        assert len(matched["matches"]) == 1
        assert anna.get(OPERATOR + "bank/rows?open=true").json == []
        assert len(anna.get(OPERATOR + "bank/rows").json) == 1
        undone = act(anna, "bank/unmatch", match=matched["matches"][0]["id"], reason="wrong one")
        assert undone.json["reversed"], undone
        assert len(anna.get(OPERATOR + "bank/rows?open=true").json) == 1
        assert len(act(anna, "bank/match").json["matches"]) == 1

        paid = act(anna, "settle/payments", window="2026-06")
        assert (paid.status, paid.headers["content-type"]) == (200, "application/xml"), paid
        assert b"<NbOfTxs>3</NbOfTxs>" in paid.body and b"<CtrlSum>6.20</CtrlSum>" in paid.body
        ElementTree.fromstring(paid.body)
        assert "--reissue" in act(anna, "settle/payments", window="2026-06").json["detail"]
        again = act(anna, "settle/payments", window="2026-06", reissue="the bank lost it")
        assert again.body == paid.body
        for partner, net in GOLDEN["net_minor"].items():
            if net > 0:
                noted = act(anna, "settle/paid", window="2026-06", partner=partner, amount_minor=net, evidence="seen")
                assert noted.status == 200, noted
        assert anna.get(OPERATOR + "settle/nets?window=2026-06").json["settled"]
        assert act(anna, "settle/release-trust", amount_micro=6_920_000).json == {"released_micro": 6_920_000}
        assert money(house) == GOLDEN["closing_money_micro"]
        assert [net["net_minor"] for net in gro.get("/v1/statements/2026-06").json["partners"]] == [
            GOLDEN["net_minor"]["GRO"]]
        credited = act(anna, "settle/credit", number="INV-2026-000001", reason="sent twice")
        assert credited.json["corrects"] == "INV-2026-000001"
        assert house.verify("--from-scratch")["ok"]

        # What reports: as on the command line, to the byte.
        for name, arguments in (("roll-forward", ("--window", "2026-06")), ("coverage", ()),
                                ("redemption-notice", ("--partner", "GRO")), ("ageing", ("--at", "2026-07-20"))):
            query = "&".join(f"{option[2:]}={value}" for option, value in zip(arguments[::2], arguments[1::2]))
            path = f"{OPERATOR}report/{name}" + (f"?{query}" if query else "")
            answer = anna.get(path)
            assert answer.status == 200, answer
            assert answer.body.decode() + "\n" == house.run("report", name, *arguments, "--json").stdout
            table = anna.get(path, {"Accept": "text/csv"})
            assert table.headers["content-type"] == "text/csv"
            assert table.body.decode() == house.run("report", name, *arguments, "--csv").stdout
            assert list(csv.reader(io.StringIO(table.body.decode())))
            sheet = anna.get(path, {"Accept": XLSX})
            assert (sheet.headers["content-type"], sheet.body[:2]) == (XLSX, b"PK")
            page = anna.get(path, {"Accept": "application/pdf"})
            if name in ("roll-forward", "ageing"):
                assert page.headers["content-type"] == "application/pdf"
                house.run("report", name, *arguments, "--pdf", tmp_path / "page.pdf")
                assert page.body == (tmp_path / "page.pdf").read_bytes()
            else:
                assert page.headers["content-type"] != "application/pdf"
        page = anna.get(OPERATOR + "settle/show?window=2026-06", {"Accept": "application/pdf"})
        house.run("settle", "show", "2026-06", "--pdf", tmp_path / "window.pdf")
        assert page.body == (tmp_path / "window.pdf").read_bytes()
        assert anna.get(OPERATOR + "report/exit?partner=GRO").status == 200
        estimates = b'[[estimate]]\nissuer = "GRO"\nas_of = "2026-06-30"\nultimate_redemption_rate = "0.9"\n'
        estimated = anna.post(OPERATOR + "report/breakage", estimates, TOML)
        assert estimated.status in (200, 422), estimated
        assert anna.post(OPERATOR + "report/breakage", b"nonsense", TOML).code == "settlement_refused"

        chart = anna.get(OPERATOR + "export/chart")
        assert chart.headers["content-type"] == "application/toml"
        for ledger in ("hledger", "beancount", "datev"):
            usual = anna.get(f"{OPERATOR}export/gl?format={ledger}&window=2026-06")
            assert usual.status == 200, usual
            own = anna.post(f"{OPERATOR}export/gl?format={ledger}&window=2026-06", chart.body, TOML)
            assert own.body == usual.body
        assert anna.post(OPERATOR + "export/gl?format=hledger&window=2026-06", b"[x", TOML).code == "settlement_refused"
        assert anna.get(OPERATOR + "export/gl?format=hledger&window=2026-07").code == "settlement_refused"


def test_a_coalition_moves_in_over_the_wire(make_house, tmp_path):
    """The opening of June, prepared and approved by requests: the same books as from the command line."""
    at_keyboard = coalition(make_house(), tmp_path)
    house = make_house()
    house.init("--currency", "EUR", "--time-zone", "Europe/Amsterdam")
    for partner in ("GRO", "TNK", "BOE", "CHA"):
        house.run("partner", "add", partner, "--terms", tmp_path / "terms.toml")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    house.start()
    opening = (tmp_path / "opening.json").read_bytes()
    message_id = fresh("act")
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        assert bring(anna, "import/opening", b"[]", JSON).code == "settlement_refused"
        first = bring(anna, "import/opening", opening, JSON, message_id=message_id)
        assert first.status == 202, first
        again = bring(anna, "import/opening", opening, JSON, message_id=message_id)
        assert (again.status, again.json, again.replayed) == (202, first.json, True), again
        assert bring(anna, "import/opening", opening + b" ", JSON, message_id=message_id).code == "message_id_reused"
        assert act(anna, "approve", proposal=first.json["proposal"]).code == "forbidden"
        house.kill()
    house.start()
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        assert bring(anna, "import/opening", opening, JSON, message_id=message_id).replayed
        assert act(bob, "approve", proposal=first.json["proposal"]).status == 200
        after = bring(anna, "import/opening", opening, JSON, message_id=message_id)
        assert after.json == {"proposal": first.json["proposal"], "state": "approved"}, after
        assert bring(anna, "import/opening", opening, JSON).code == "settlement_refused"
    assert not list((house.data / "proposals").iterdir())
    assert money(house) == money(at_keyboard)
    assert house.verify("--from-scratch")["ok"]


def test_letters_to_who_is_late_come_in_the_answer(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("clock", "advance", "2026-08-20T12:00:00Z")
    with house.connect("operator:anna") as anna:
        looked = act(anna, "settle/remind", dry_run=True).json
        assert looked["reminders"] and looked["files"] == [] and looked["recorded"] is False
        ahead = act(anna, "settle/remind", as_of="2026-09-20")
        assert ahead.code == "settlement_refused" and "still to come" in ahead.json["detail"]
        written = act(anna, "settle/remind").json
        assert (written["reminders"], written["recorded"]) == (looked["reminders"], True)
        for each in written["files"]:
            letter = base64.b64decode(each["base64"], validate=True)
            assert letter.startswith(b"%PDF") == each["name"].endswith(".pdf")
            assert "/" not in each["name"]
        assert {each["name"].rpartition(".")[2] for each in written["files"]} == {"txt", "pdf"}
        assert act(anna, "settle/remind").json["files"] == [], "each level of a document once"


def test_many_at_once_and_a_stop(june):
    connections = [june.connect("operator:anna") for _ in range(40)]
    for each in connections:
        each.send(each.request_bytes("GET", OPERATOR + "report/roll-forward"))
    answers = [each.read_answer() for each in connections]
    assert {answer.status for answer in answers} <= {200, 503} and answers[0].status == 200
    assert all(answer.code == "overloaded" and answer.headers["retry-after"] for answer in answers
               if answer.status == 503)
    for each in connections:
        each.send(each.request_bytes("GET", OPERATOR + "settle/show?window=2026-06"))
    assert june.stop() == 0
    for each in connections:
        each.close()
    june.start()


# A production house.


COMPANY = """
[company]
name = "{name} B.V."
street = "Dam 1"
city = "Amsterdam"
postal_code = "1012 JS"
country = "NL"
vat_id = "{vat}"
registration = "{registration}"
endpoint_scheme = "0106"
endpoint = "{registration}"
iban = "NL91ABNA0417164300"
bic = "ABNANL2A"
email = "ap@{name}.example"
self_billing_agreed = "2020-01-01"
"""
TERMS = """
[[partner]]
id = "{id}"
name = "{id}"
roles = ["issuer", "redeemer"]
billing = "postpaid"
credit_limit = "1000000.00"
  [[partner.tariff]]
  from = "2020-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
"""


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """The environment of a house that lives on the fifth day of next month."""
    library = tmp_path_factory.mktemp("clock") / "clock_shift.so"
    source = os.path.join(os.path.dirname(__file__), "clock_shift.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"], check=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    to_next_month = (now.replace(day=1) + datetime.timedelta(days=32)).replace(day=5) - now
    return {"LD_PRELOAD": str(library), "SHIFT_SECONDS": str(int(to_next_month.total_seconds()))}


def both(house, *arguments):
    """A command that anna gives and bob approves; True when it took the two."""
    anna, bob = (house.certificate_folder(f"operator:{name}") / "cert.pem" for name in ("anna", "bob"))
    house.run(*arguments, "--operator", anna)
    for waiting in house.json("approve", "list"):
        house.run("approve", waiting["id"], "--operator", bob)


def issue_certificate(house, name):
    both(house, "cert", "issue", name)
    house.run("cert", "issue", name, "--operator", house.certificate_folder("operator:anna") / "cert.pem")


@pytest.fixture(scope="module")
def production(make_house, later, tmp_path_factory):
    """A production house in which a month has ended. (house, its window)"""
    return make_production(make_house, later, tmp_path_factory.mktemp("production"))


def make_production(make_house, later, folder):
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    issue_certificate(house, "operator:carl")
    companies = {"house": ("NL123456782B90", "12345678"), "GRO": ("NL123456782B90", "23456789"),
                 "TNK": ("NL123456782B90", "34567890")}
    for partner in ("GRO", "TNK"):
        (folder / "terms.toml").write_text(TERMS.format(id=partner))
        both(house, "partner", "add", partner, "--terms", folder / "terms.toml")
        issue_certificate(house, partner)
    for party, (vat, registration) in companies.items():
        (folder / "company.toml").write_text(COMPANY.format(name=party, vat=vat, registration=registration))
        command = ("house", "set-company") if party == "house" else ("partner", "set-company", party)
        both(house, *command, folder / "company.toml")
    house.start()
    now = datetime.datetime.now(datetime.timezone.utc)
    at = {"occurred_at": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        assert gro.post("/v1/accruals", message(member="m", points=10_000) | at).status == 201
        assert tnk.post("/v1/accruals", message(member="m", points=100) | at).status == 201
        assert tnk.post("/v1/redemptions", message(member="m", points=3000) | at).status == 201
    house.stop()
    house.environment = later
    return house.start(), now.strftime("%Y-%m")


class Pair:
    """Two operators of a house, one of whom asks and the other permits."""

    def __init__(self, anna, bob):
        self.anna, self.bob = anna, bob

    def takes_two(self, path, file=None, **fields):
        """The answer of an act that waits for bob, is refused to anna, and is done once. `file`: what it brings."""
        fields = {"message_id": fresh("act")} | fields

        def send(connection, **others):
            if file:
                return bring(connection, path, file, FILES[path], **(fields | others))
            return act(connection, path, **(fields | others))

        asked = send(self.anna)
        assert (asked.status, asked.json["state"], asked.replayed) == (202, "waiting", False), asked
        proposal = asked.json["proposal"]
        again = send(self.anna)
        assert (again.status, again.json, again.replayed) == (202, asked.json, True), "asked once"
        other = send(self.anna, message_id=fresh("act"))
        assert (other.status, other.json) == (202, asked.json), "the same act, whoever asks for it"
        own = act(self.anna, "approve", proposal=proposal)
        assert (own.status, own.code) == (403, "forbidden"), own
        refused = send(self.anna)
        assert refused.status == 202, "a refused approval carries nothing out"
        assert act(self.bob, "approve", proposal=proposal).status == 200
        assert act(self.bob, "approve", proposal=proposal).code == "proposal_unknown"
        done = send(self.anna)
        if done.status == 200:
            assert not done.replayed
            repeated = send(self.bob)
            assert (repeated.status, repeated.body, repeated.replayed) == (200, done.body, True), repeated
        return done

    def prepares(self, path, file=None, **fields):
        """What only prepares is in force once bob approved it, and is not sent again."""
        fields = {"message_id": fresh("act")} | fields

        def send(connection):
            if file:
                return bring(connection, path, file, FILES[path], **fields)
            return act(connection, path, **fields)

        asked = send(self.anna)
        assert (asked.status, asked.replayed) == (202, False), asked
        proposal = asked.json["proposal"]
        assert asked.json == {"proposal": proposal, "state": "waiting"}
        again = send(self.anna)
        assert (again.status, again.json, again.replayed) == (202, asked.json, True), again
        assert act(self.anna, "approve", proposal=proposal).code == "forbidden"
        assert send(self.anna).json == asked.json, "a refused approval puts nothing in force"
        assert act(self.bob, "approve", proposal=proposal).status == 200
        assert act(self.bob, "approve", proposal=proposal).code == "proposal_unknown"
        after = send(self.anna)
        assert (after.status, after.replayed) == (200, True), after
        assert after.json == {"proposal": proposal, "state": "approved"}


def test_what_takes_two_people_takes_two(production):
    house, window = production
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        pair = Pair(anna, bob)
        closed_window = pair.takes_two("window/close")
        assert [row["id"] for row in closed_window.json] == [window], closed_window
        assert act(anna, "window/close").json == []

        drafted = act(anna, "settle/draft", window=window)
        assert drafted.status == 202, drafted
        assert act(anna, "approve", proposal=drafted.json["proposal"]).code == "forbidden"
        assert act(anna, "settle/issue", window=window).code == "settlement_refused"
        assert act(bob, "approve", proposal=drafted.json["proposal"]).status == 200
        issued = act(anna, "settle/issue", window=window).json["issued"]
        assert issued >= 3
        numbers = {row["number"]: row for row in anna.get(OPERATOR + "settle/documents").json}
        invoice = next(number for number, row in numbers.items() if row["type"] == "invoice" and row["buyer"] == "TNK")

        with house.connect("TNK") as tnk:
            opened = tnk.post("/v1/disputes", {
                "message_id": "d-1", "document": invoice, "line": 1, "net_minor": 1, "reason": "QTY",
                "evidence": "till 4"})
            assert opened.status == 201, opened
        decided = pair.takes_two("dispute/decide", dispute=opened.json["dispute"], agreed_minor=1, words="agreed")
        assert decided.json["stage"] == "decided" and decided.json["credit"].startswith("CN-")

        nets = {row["partner"]: row["net_minor"]
                for row in act(anna, "settle/net", window=window).json["payments"]}
        assert nets["GRO"] < 0 < nets["TNK"]
        noted = pair.takes_two(
            "settle/paid", window=window, partner="GRO", amount_minor=nets["GRO"], evidence="seen by both")
        assert noted.status == 200, noted
        paid = pair.takes_two("settle/payments", window=window)
        assert (paid.status, paid.headers["content-type"]) == (200, "application/xml"), paid
        again = pair.takes_two("settle/payments", window=window)
        assert "--reissue" in again.json["detail"], again
        of_gro = next(number for number, row in numbers.items() if row["type"] == "invoice" and row["buyer"] == "GRO")
        credited = pair.takes_two("settle/credit", number=of_gro, reason="sent twice")
        assert credited.json["corrects"] == of_gro, credited
        # What points need stays in trust, whoever permits it.
        refused = act(anna, "settle/release-trust", amount_micro=9_000_000_000).json["detail"]
        free = round(float(refused.split()[0]) * 1_000_000)
        if free > 1:
            released = pair.takes_two("settle/release-trust", amount_micro=free - 1)
            assert released.json == {"released_micro": free - 1}
            # It was permitted once, and in these words.
            assert act(anna, "settle/release-trust", amount_micro=1).status == 202
        assert act(anna, "settle/release-trust", amount_micro=free + 1).code == "settlement_refused"
    assert house.verify("--from-scratch")["ok"]


def test_a_match_is_undone_by_two(production):
    house, window = production
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        nets = anna.get(OPERATOR + f"settle/nets?window={window}")
        assert nets.status == 200, "the test before this one netted the window"
        open_nets = [row for row in nets.json["payments"] if row["open_minor"] > 0]
        [row] = open_nets
        text = bank_statement.statement(1, 10_000_00, [
            {"minor": -row["open_minor"], "end_to_end": row["reference"]}])
        assert bring(anna, "bank/import", text.encode(), XML).status == 200
        [match] = act(anna, "bank/match").json["matches"]
        undone = Pair(anna, bob).takes_two("bank/unmatch", match=match["id"], reason="the wrong one")
        assert undone.json == {"id": match["id"], "reversed": True}

        # What a person books of the bank's rows, too: to a reference, and off.
        more = bank_statement.statement(2, 10_000_00 - row["open_minor"], [{"minor": -40, "text": "fee"}], day="2026-07-15")
        assert bring(anna, "bank/import", more.encode(), XML).status == 200
        paid, fee = anna.get(OPERATOR + "bank/rows").json
        assert fee["amount_minor"] == -40, fee
        pair = Pair(anna, bob)
        charged = pair.takes_two("bank/write-off", row=fee["row"], account="bank_charges", reason="the bank's")
        assert charged.status == 200, charged
        assigned = pair.takes_two("bank/assign", row=paid["row"], reference=row["reference"], reason="theirs after all")
        assert assigned.status == 200, assigned
    assert house.verify("--from-scratch")["ok"]


def test_what_is_missing_is_written_off_by_two(make_house, later, tmp_path):
    """How much may be missing is one person's word; that it is given up, two people's. By the route and at a terminal."""
    house, window = make_production(make_house, later, tmp_path)
    anna_s, bob_s = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    match = ("bank", "match", "--tolerance", "0.05")
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        pair = Pair(anna, bob)
        assert pair.takes_two("window/close").status == 200
        pair.prepares("settle/draft", window=window)
        assert act(anna, "settle/issue", window=window).json["issued"] >= 3
        [owed] = [row for row in act(anna, "settle/net", window=window).json["payments"] if row["net_minor"] < 0]
        text = bank_statement.statement(1, 10_000_00, [{"minor": -owed["net_minor"] - 1, "text": owed["reference"]}])
        assert bring(anna, "bank/import", text.encode(), XML).status == 200

        asked = act(anna, "bank/match", tolerance_minor=5).json
        [held] = asked["held_back"]
        assert asked["matches"] == [] and "waits for another operator" in held["reason"]
        assert act(bob, "bank/match", tolerance_minor=5).json["matches"] == [], "nor is it booked for who did not ask"
        [waiting] = anna.get(OPERATOR + "approve/list").json
        assert waiting["summary"].startswith(f"write 0.01 EUR of {owed['reference']} off, row ")
        assert waiting["summary"].endswith(", to write_off")
        assert act(anna, "approve", proposal=waiting["id"]).code == "forbidden"
        assert "another operator approves" in house.run("approve", waiting["id"], *anna_s, status=1).stderr
        alone = house.run(*match, *anna_s).stdout
        assert "0 matches booked" in alone and "held back: " in alone
        assert "--operator CERT" in house.run(*match, status=1).stderr
        assert "write_off" not in money(house) and len(house.json("approve", "list")) == 1
        assert act(bob, "approve", proposal=waiting["id"]).status == 200
        assert act(anna, "bank/match", tolerance_minor=5, account="bank_charges").json["matches"] == [], "not there"
        [elsewhere] = house.json("approve", "list")
        assert elsewhere["summary"].endswith(", to bank_charges")
        house.run("approve", "reject", elsewhere["id"], "--reason", "not there", *bob_s)
        [booked] = act(anna, "bank/match", tolerance_minor=5).json["matches"]
        assert money(house)["write_off"] == 10_000

        # It was permitted once.
        assert pair.takes_two("bank/unmatch", match=booked["id"], reason="it came after all").status == 200
        assert house.json(*match, *anna_s)["matches"] == []
        [waiting] = house.json("approve", "list")
        assert house.run("approve", waiting["id"], *anna_s, status=1).stderr
        house.run("approve", waiting["id"], *bob_s)
        assert len(house.json(*match, *anna_s)["matches"]) == 1
        assert money(house)["write_off"] == 10_000
        # What is paid to the cent takes one.
        [due] = [row for row in house.json("settle", "nets", window)["payments"] if row["net_minor"] > 0]
        paid = bank_statement.statement(2, 10_000_00 - owed["net_minor"] - 1, [
            {"minor": -due["open_minor"], "end_to_end": due["reference"]}], day="2026-07-15")
        assert bring(anna, "bank/import", paid.encode(), XML).status == 200
        assert len(act(anna, "bank/match").json["matches"]) == 1
    assert house.verify("--from-scratch")["ok"]


def test_a_certificate_is_revoked_by_two(production):
    house, _ = production
    alone = house.run("cert", "revoke", "operator:carl", status=1)
    assert "--operator CERT" in alone.stderr
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob, \
            house.connect("operator:carl") as carl:
        assert carl.get(OPERATOR + "cert/list").status == 200
        contract = TERMS.format(id="NEW").encode()
        prepared = bring(carl, "partner/add", contract, TOML, partner="NEW", message_id=fresh("act"))
        assert prepared.status == 202, prepared
        twice = bring(anna, "partner/add", contract, TOML, partner="NEW", message_id=fresh("act"))
        assert "waits for approval already" in twice.json["detail"], twice
        revoked = Pair(anna, bob).takes_two("cert/revoke", name="operator:carl")
        assert len(revoked.json["revoked"]) == 1
        assert carl.get(OPERATOR + "cert/list").code == "certificate_refused"
        assert act(anna, "cert/revoke", name="operator:carl").json == {"revoked": []}
        # What carl prepared goes with carl.
        proposal = prepared.json["proposal"]
        refused = act(bob, "approve", proposal=proposal)
        assert refused.status == 422 and "carl prepared it and has no certificate any more" in refused.json["detail"]
        assert "NEW" not in str(anna.get(OPERATOR + "partner/list").json)
        assert act(bob, "approve/reject", proposal=proposal, reason="revoked").status == 200
        Pair(anna, bob).prepares("partner/add", contract, partner="NEW")
        assert "NEW" in str(anna.get(OPERATOR + "partner/list").json)
    assert house.verify("--from-scratch")["ok"]


def test_an_amount_is_in_the_minor_units_in_which_it_is_paid(make_house, tmp_path):
    """A yen has no cents: 140 of its minor units are 140 yen, whatever the house counts in."""
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    with house.connect("operator:anna") as anna:
        rate = act(anna, "fx/set", day="2026-06-30", **{"from": "EUR", "to": "JPY"}, rate="160")
        assert rate.status == 200, rate
        netted = act(anna, "settle/net", window="2026-06", pay_in="JPY")
        assert netted.status == 200, netted
        rows = {row["partner"]: row for row in netted.json["payments"]}
        yen = {partner: row["paid_in"]["net_minor"] for partner, row in rows.items()}
        assert yen["GRO"] == -224, rows
        refused = act(anna, "settle/paid", window="2026-06", partner="GRO", amount_minor=-225, evidence="seen")
        assert refused.code == "settlement_refused", refused
        noted = act(anna, "settle/paid", window="2026-06", partner="GRO", amount_minor=-224, evidence="seen")
        assert noted.status == 200, noted
    assert house.verify("--from-scratch")["ok"]

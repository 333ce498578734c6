"""A redemption partner agrees to what the house writes in its name, objects to it in time, or says nothing."""

import json

import pytest

from messages import accrual, fresh
from test_settlement import closed, money

NUMBER = "SB-GRO-2026-000001"  # issued on 1 July: 3.33, VAT 0.70
LAST = "2026-07-15"


@pytest.fixture
def issued(make_house, tmp_path):
    house = closed(make_house(), tmp_path)  # on 1 July
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    return house


def row_of(house, number=NUMBER):
    [row] = [row for row in house.json("settle", "documents") if row["number"] == number]
    return row


def answered(connection, answer="accepted", number=NUMBER, **fields):
    return connection.post(f"/v1/documents/{number}/answer", {"message_id": fresh("a"), "answer": answer} | fields)


def contest(connection, net_minor, **fields):
    return connection.post("/v1/disputes", {
        "message_id": fresh("d"), "document": NUMBER, "line": 1, "net_minor": net_minor, "reason": "QTY",
        "evidence": "our till"} | fields)


def test_the_document_says_until_when_and_silence_is_acceptance(issued, tmp_path):
    written = json.loads((tmp_path / "documents" / f"{NUMBER}.json").read_text())
    assert (written["objection_days"], written["object_by"]) == (14, LAST)
    assert (tmp_path / "documents" / f"{NUMBER}.csv").read_text().splitlines()[1].endswith("," + LAST)
    assert "object_by" not in json.loads((tmp_path / "documents" / "INV-2026-000001.json").read_text())
    with issued.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("M1", 1, occurred_at="2026-07-15T21:59:59Z"))  # the last second in Amsterdam
        assert (row_of(issued)["answer"], row_of(issued)["object_by"]) == ("", LAST)
        assert "object by " + LAST in issued.run("settle", "documents").stdout
        gro.post("/v1/accruals", accrual("M1", 1, occurred_at="2026-07-15T22:00:00Z"))
        listed = {row["number"]: row for row in gro.get("/v1/documents").json["documents"]}
        row = row_of(issued)
        assert (row["state"], row["answer"]) == ("accepted", "lapsed")
        assert listed["INV-2026-000001"]["answer"] == "" and listed["INV-2026-000001"]["object_by"] is None
        listed = {row["number"]: row for row in gro.get("/v1/documents").json["documents"]}
        assert (listed[NUMBER]["state"], listed[NUMBER]["answer"], listed[NUMBER]["object_by"]) == (
            "accepted", "lapsed", LAST)
        for answer in ("accepted", "queried", "rejected"):
            late = answered(gro, answer, reason="late")
            assert (late.status, late.code) == (422, "settlement_refused"), late
        for billed in ("too_much", "too_little"):
            assert contest(gro, 1, billed=billed).code == "dispute_refused"
    assert "nobody objected" in issued.run("settle", "documents").stdout
    [check] = [each for each in issued.json("close", "show", "2026-06")["checks"] if each["check"] == "self_billed"]
    assert check["state"] == "done" and not check["blocks"]
    assert check["figures"]["lapsed"] == check["figures"]["documents"] > 1
    assert issued.verify("--from-scratch")["ok"]


def test_a_partner_answers_by_its_own_route(issued):
    with issued.connect("GRO") as gro, issued.connect("BOE") as boe, issued.connect("operator:anna") as anna:
        sent = {"message_id": fresh("a"), "answer": "queried", "reason": "which points?"}
        first = gro.post(f"/v1/documents/{NUMBER}/answer", sent)
        again = gro.post(f"/v1/documents/{NUMBER}/answer", sent)
        assert (first.status, first.json, first.replayed) == (
            200, {"number": NUMBER, "answer": "queried", "reason": "which points?"}, False), first
        assert (again.status, again.body, again.replayed) == (200, first.body, True)
        for other in ({"reason": "x"}, {"answer": "accepted"}):
            reused = gro.post(f"/v1/documents/{NUMBER}/answer", sent | other)
            assert (reused.status, reused.code) == (422, "message_id_reused")
        elsewhere = gro.post("/v1/documents/INV-2026-000001/answer", sent)
        assert elsewhere.code == "message_id_reused"
        assert contest(gro, 1, message_id=sent["message_id"]).code == "message_id_reused"
        assert row_of(issued)["answer"] == "queried"
        for wrong in ({"answer": "paid"}, {"answer": 1}, {"answer": ""}, {"reason": "a\nb"}, {"colour": "red"}):
            assert answered(gro, **({"answer": "accepted"} | wrong)).code == "malformed", wrong
        assert answered(gro, "rejected").code == "settlement_refused", "a reason is needed"
        assert answered(gro, "issued").code == "settlement_refused"
        for foreign in (answered(boe), answered(gro, number="SB-GRO-2026-999999")):
            assert (foreign.status, foreign.code) == (404, "document_unknown")
        assert answered(anna).code == "forbidden"
        assert answered(gro, number="INV-2026-000001").status == 200, "of an invoice as well"
        # The operator's command and route say the same of the same.
        issued.run("settle", "answer", NUMBER, "accepted")
        assert row_of(issued)["state"] == "accepted"
        by_route = anna.post("/v1/operator/settle/answer", {
            "message_id": fresh("act"), "number": "SB-BOE-2026-000001", "answer": "rejected", "reason": "not ours"})
        assert by_route.status == 200, by_route
        assert row_of(issued, "SB-BOE-2026-000001")["answer"] == "rejected"
        assert contest(gro, 1).code == "dispute_refused", "accepted is agreed"
    issued.run("clock", "advance", "2026-08-01T08:00:00Z")
    assert row_of(issued, "SB-BOE-2026-000001")["answer"] == "rejected", "an answer does not lapse"


def test_only_what_was_billed_too_much_is_held_back(issued):
    before = money(issued)
    with issued.connect("GRO") as gro, issued.connect("operator:anna") as anna:
        opened = contest(gro, 100)
        assert (opened.status, opened.json["billed"], opened.json["held_minor"]) == (201, "too_much", 121), opened
        row = row_of(issued)
        assert (row["disputed_minor"], row["open_minor"]) == (121, -(403 - 121))
        issued.run("settle", "net", "2026-06")
        [net] = [each for each in issued.json("settle", "nets", "2026-06")["payments"] if each["partner"] == "GRO"]
        assert net["net_minor"] == 403 - 121 - 543, "the rest settles"
        one = opened.json["dispute"]
        anna.post(f"/v1/disputes/{one}/answer", {"words": "the journal has them"})
        insisting = gro.post(f"/v1/disputes/{one}/escalate", {"message_id": fresh("d"), "words": "look again"})
        assert insisting.json["stage"] == "escalated"
    decided = issued.json("dispute", "decide", one, "--agreed", "0.50", "--words", "half")
    assert decided["credit"] == "SC-GRO-2026-000001"
    with issued.connect("GRO") as gro:
        credit = gro.get("/v1/documents/SC-GRO-2026-000001").json
    assert (credit["type_code"], credit["net_minor"], credit["vat_minor"]) == (261, 50, 11)
    assert credit["corrects"]["number"] == NUMBER
    moved = {account: amount for account, amount in money(issued).items() if amount != before.get(account)}
    assert moved["ap:GRO"] - before["ap:GRO"] == 610_000
    assert moved["write_off"] - before.get("write_off", 0) == -500_000
    assert issued.verify("--from-scratch")["ok"]


def test_what_was_billed_too_little_is_billed_by_a_further_document(issued):
    before = money(issued)
    with issued.connect("GRO") as gro:
        assert contest(gro, 1, billed="too_small").code == "malformed"
        assert contest(gro, 1, billed="too_little", document="INV-2026-000001").code == "dispute_refused"
        assert contest(gro, 334, billed="too_little").code == "dispute_refused", "at most the line again"
        opened = contest(gro, 200, billed="too_little")
        assert (opened.status, opened.json["billed"], opened.json["held_minor"]) == (201, "too_little", 0), opened
        assert row_of(issued)["open_minor"] == -403, "what is billed settles"
        decided = issued.json("dispute", "decide", opened.json["dispute"], "--agreed", "1.50", "--words", "found")
        assert decided["credit"] == "SB-GRO-2026-000002"
        further = gro.get("/v1/documents/SB-GRO-2026-000002").json
        assert (further["type_code"], further["net_minor"], further["vat_minor"], further["object_by"]) == (
            389, 150, 32, LAST)
        assert further["corrects"]["number"] == NUMBER
        assert b"SB-GRO-2026-000001" in gro.get("/v1/documents/SB-GRO-2026-000002", {"Accept": "application/xml"}).body
    assert row_of(issued)["credited_minor"] == 0
    assert row_of(issued, "SB-GRO-2026-000002")["open_minor"] == -182
    after = money(issued)
    assert after["ap:GRO"] - before["ap:GRO"] == -1_820_000
    assert after["write_off"] - before.get("write_off", 0) == 1_500_000
    assert after["vat:input"] - before["vat:input"] == 320_000
    assert issued.verify("--from-scratch")["ok"]


def test_the_period_is_the_agreement_s_else_the_house_s(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    company = tmp_path / "gro.toml"
    company.write_text("""[company]
name = "Grocer BV"
street = "Markt 1"
city = "Utrecht"
postal_code = "3511 AA"
country = "NL"
vat_id = "NL001234567B01"
registration = "12345678"
endpoint_scheme = "0106"
endpoint = "12345678"
self_billing_agreed = "2026-01-15"
self_billing_objection_days = "30"
""")
    for wrong in ("0", "366", "x", "-1", "1.5", "99999999999"):
        bad = tmp_path / "bad.toml"
        bad.write_text(company.read_text().replace('"30"', f'"{wrong}"'))
        assert "self_billing_objection_days" in house.run("partner", "set-company", "GRO", bad, status=1).stderr
    house.run("partner", "set-company", "GRO", company)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    rows = {row["number"]: row["object_by"] for row in house.json("settle", "documents")}
    assert rows[NUMBER] == "2026-07-31"
    assert rows["SB-BOE-2026-000001"] == LAST
    assert rows["INV-2026-000001"] is None
    calendar = tmp_path / "calendar.toml"
    calendar.write_text('[calendar]\nfrom = "2026-09"\nobjection_days = 0\n')
    assert "objection_days" in house.run("calendar", "set", calendar, status=1).stderr
    calendar.write_text('[calendar]\nfrom = "2026-09"\nobjection_days = 21\n')
    assert house.json("calendar", "set", calendar)["objection_days"] == 21


def test_a_house_that_slept_finds_what_lapsed(issued):
    issued.stop()
    issued.run("clock", "advance", "2026-08-20T12:00:00Z")
    row = row_of(issued)
    assert (row["state"], row["answer"]) == ("accepted", "lapsed")
    issued.start()
    assert row_of(issued)["answer"] == "lapsed"

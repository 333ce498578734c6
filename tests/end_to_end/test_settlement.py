"""June 2026 from its close to the last payment: documents, nets, the bank, the books, to the cent."""

import csv
import datetime
import io
import json
import random
import re
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import bank_statement
import june_2026 as june
import pytest

from test_june_2026 import coalition, micro, play

GOLDEN = json.loads((june.GOLDEN / "settlement.json").read_text())


def closed(house, folder, terms=june.TERMS, opening=None):
    house = coalition(house, folder, terms, opening).start()
    play(house, june.STEPS)
    house.run("clock", "advance", "2026-07-01T08:00:00Z")
    return house


def booked_entries(house):
    """[{account: micro}] of the house's own entries after the opening."""
    found = {}
    text = house.run("export", "journal", "--format", "csv").stdout
    for line in csv.DictReader(io.StringIO(text)):
        if line["type"] != "house_entry" or line["sequence"] == "1":
            continue
        row = found.setdefault(line["sequence"], {})
        row[line["account"]] = (micro(line["debit"]) if line["debit"] else 0) - (
            micro(line["credit"]) if line["credit"] else 0)
    return [dict(sorted(row.items())) for row in found.values()]


def as_rows(golden):
    return sorted(sorted(row.items()) for row in golden.values())


def money(house):
    found = {}
    for line in csv.DictReader(io.StringIO(house.run("export", "journal", "--format", "csv").stdout)):
        if line["unit"] == "EUR":
            found[line["account"]] = found.get(line["account"], 0) + (
                micro(line["debit"]) if line["debit"] else 0) - (micro(line["credit"]) if line["credit"] else 0)
    return {account: amount for account, amount in found.items() if amount}


def states_of(house):
    return {row["number"]: row["state"] for row in house.json("settle", "documents")}


def partner_of(document):
    return document["payee"] if document["payer"] == "house" else document["payer"]


def test_june_is_settled_to_the_cent(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    written = house.json("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    assert {path.rpartition(".")[2] for path in written} == {"xml", "pdf", "csv", "json"}

    documents = {}
    for path in written:
        if path.endswith(".json"):
            document = json.loads(open(path, encoding="utf-8").read())
            documents[f"{partner_of(document)} {document['type']}"] = document
    assert set(documents) == set(GOLDEN["invoices"])
    for name, expected in GOLDEN["invoices"].items():
        document = documents[name]
        assert (document["net_minor"], document["vat_minor"], document["total_minor"]) == (
            expected["net"], expected["vat"], expected["total"]), name
        points = max(line["points"] or sum(detail["points"] for detail in line["details"])
                     for line in document["lines"])
        assert points == expected["points"], name
    assert sorted(sorted(row.items()) for row in booked_entries(house)) == as_rows(GOLDEN["documents"])

    for path in written:
        if path.endswith(".xml"):
            root = ElementTree.parse(path).getroot()
            assert root.tag.rpartition("}")[2] in ("Invoice", "CreditNote")
    again = house.json("settle", "invoices", "2026-06", "--out", tmp_path / "again")
    for first, second in zip(written, again, strict=True):
        assert open(first, "rb").read() == open(second, "rb").read(), first
    shown = house.json("settle", "show", "2026-06")
    assert sorted(each["number"] for each in shown["documents"]) == sorted(
        each["number"] for each in documents.values())

    house.run("settle", "net", "2026-06")
    assert house.run("settle", "net", "2026-06", status=1).stderr.endswith("netted already\n")
    nets = house.json("settle", "nets", "2026-06")
    assert {row["partner"]: row["net_minor"] for row in nets["payments"]} == GOLDEN["net_minor"]
    early = house.run("settle", "payments", "2026-06", "--out", tmp_path / "early.xml", status=1)
    assert "wait for its pay-ins" in early.stderr
    assert not (tmp_path / "early.xml").exists()

    pay_in = tmp_path / "pay-in.xml"
    pay_in.write_text(bank_statement.statement(1, 50_00, [{"minor": 140, "text": "PH-2026-06-GRO"}]))
    assert house.json("bank", "import", pay_in)[0]["added"] == 1
    assert house.json("bank", "import", pay_in)[0]["repeated"]
    assert len(house.json("bank", "match")["matches"]) == 1
    assert {number for number, state in states_of(house).items() if state == "paid"} == {
        documents[name]["number"] for name in documents if name.startswith("GRO ")}
    house.run("settle", "payments", "2026-06", "--out", tmp_path / "payments.xml")
    order = (tmp_path / "payments.xml").read_text()
    assert "<NbOfTxs>3</NbOfTxs>" in order and "<CtrlSum>6.20</CtrlSum>" in order
    refused = house.run("settle", "payments", "2026-06", "--out", tmp_path / "twice.xml", status=1)
    assert "--reissue" in refused.stderr
    house.run("settle", "payments", "2026-06", "--out", tmp_path / "twice.xml", "--reissue", "the bank lost it")
    assert (tmp_path / "twice.xml").read_text() == order

    pay_out = tmp_path / "pay-out.xml"
    pay_out.write_text(bank_statement.statement(2, 51_40, [
        {"minor": -net, "end_to_end": f"PH-2026-06-{partner}"}
        for partner, net in GOLDEN["net_minor"].items() if net > 0], day="2026-07-15"))
    house.run("bank", "import", pay_out)
    assert len(house.json("bank", "match")["matches"]) == 3
    assert house.json("bank", "rows", "--open") == []
    assert house.json("settle", "nets", "2026-06")["settled"]
    assert states_of(house) == dict.fromkeys(states_of(house), "paid")
    assert [window["state"] for window in house.json("window", "list")] == ["settled", "open"]
    # JUNE-2026, invariant 6: what covers the points stays.
    assert "6.920000 of the trust account" in house.run("settle", "release-trust", "6.93", status=1).stderr
    house.run("settle", "release-trust", "6.92")
    assert "0.000000 of the trust account" in house.run("settle", "release-trust", "0.000001", status=1).stderr

    entries = booked_entries(house)
    assert len(entries) == GOLDEN["totals"]["rows"]
    assert sorted(sorted(row.items()) for row in entries) == sorted(
        as_rows(GOLDEN["documents"]) + as_rows(GOLDEN["payments"]))
    assert money(house) == GOLDEN["closing_money_micro"]
    assert house.verify("--from-scratch")["ok"]
    for partner, seen in (("GRO", 2), ("CHA", 1)):
        with house.connect(partner) as connection:
            own = connection.get("/v1/documents").json["documents"]
            assert [each["state"] for each in own] == ["paid"] * seen
            number = own[0]["number"]
            assert connection.get(f"/v1/documents/{number}").json["number"] == number
            foreign = next(each["number"] for each in documents.values() if partner_of(each) not in (partner,))
            assert connection.get(f"/v1/documents/{foreign}").code == "document_unknown"
            [net] = connection.get("/v1/statements/2026-06").json["partners"]
            assert (net["partner"], net["net_minor"]) == (partner, GOLDEN["net_minor"][partner])
            assert connection.get("/v1/statements/2026-05").code == "window_unknown"


def test_vat_on_the_service_fee_only(make_house, tmp_path):
    terms = june.TERMS
    for flows in ('"price", "fee", "reimbursement", "breakage_shared"', '"price", "fee", "block", "breakage_shared"'):
        terms = terms.replace(f"flows = [{flows}]", 'flows = ["fee"]')
    house = closed(make_house(), tmp_path, terms)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    nets = {row["partner"]: row["net_minor"] for row in house.json("settle", "nets", "2026-06")["payments"]}
    assert nets == GOLDEN["net_minor_fee_only"]
    kinds = {(document["type"], partner_of(document), document["total_minor"])
             for document in house.json("settle", "show", "2026-06")["documents"]}
    # Price is outside the scope of VAT, the fee is not: one invoice may not say both.
    assert {("invoice", "GRO", 408), ("invoice", "GRO", 50)} <= kinds, kinds
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.parametrize("share", june.OTHER_SHARES)
def test_other_prefund_shares(make_house, tmp_path, share):
    house = closed(make_house(), tmp_path, june.terms_with(share), june.opening_with(share))
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    nets = {row["partner"]: row["net_minor"] for row in house.json("settle", "nets", "2026-06")["payments"]}
    assert nets == {partner: net for partner, net in june.OTHER_SHARES[share]["net_minor"].items() if net}
    for partner, net in nets.items():
        sign = "-" if net < 0 else ""
        house.run("settle", "paid", "2026-06", partner, f"{sign}{abs(net) // 100}.{abs(net) % 100:02}",
                  "--evidence", "a test")
    left = {account: amount for account, amount in money(house).items()
            if account.partition(":")[0] in ("ar", "ap", "unbilled", "accrued_redemption", "accrued_breakage_share")}
    assert left == {}
    assert house.verify("--from-scratch")["ok"]


def test_an_open_window_and_a_second_person(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    assert "not closed" in house.run("settle", "draft", "2026-07", status=1).stderr
    assert "no drafts" in house.run("settle", "issue", "2026-06", status=1).stderr
    waiting = house.json("settle", "draft", "2026-06")
    assert waiting["approved"] is False
    assert house.json("settle", "draft", "2026-06")["id"] == waiting["id"]
    assert "wait for approval" in house.run("settle", "issue", "2026-06", status=1).stderr
    assert "another operator" in house.run("approve", waiting["id"], status=1).stderr
    house.run("approve", waiting["id"], "--as-both")
    assert house.json("settle", "issue", "2026-06")["issued"] == 6
    assert house.json("settle", "issue", "2026-06")["issued"] == 0
    credited = house.json("settle", "credit", "INV-2026-000001", "--reason", "sent twice")
    assert credited == {"number": "CN-2026-000002", "corrects": "INV-2026-000001", "total_minor": 543}
    assert "left to credit" in house.run("settle", "credit", "INV-2026-000001", "--reason", "x", status=1).stderr
    house.run("settle", "sent", "INV-2026-000002", "--to", "ap@boe.example")
    house.run("settle", "answer", "INV-2026-000002", "queried", "--reason", "which points?")
    states = states_of(house)
    assert states["INV-2026-000002"] == "queried" and states["INV-2026-000001"] == "credited"
    # Donations and shares of breakage are put right, too; a correction is not.
    assert house.json("settle", "credit", "PS-2026-000001", "--reason", "not this charity") == {
        "number": "PS-2026-000002", "corrects": "PS-2026-000001", "total_minor": -100}
    assert "0.00 left to credit" in house.run(
        "settle", "credit", "PS-2026-000001", "--reason", "x", status=1).stderr
    assert house.json("settle", "credit", "CN-2026-000001", "--reason", "not expired")["number"] == "INV-2026-000003"
    for correction in ("PS-2026-000002", "INV-2026-000003", "CN-2026-000002"):
        assert "a correction is not corrected" in house.run(
            "settle", "credit", correction, "--reason", "x", status=1).stderr
    house.run("settle", "net", "2026-06")
    assert {row["partner"]: row["net_minor"] for row in house.json("settle", "nets", "2026-06")["payments"]} == {
        "GRO": 403, "BOE": 278}
    # Nobody bills again what was credited: 4.488 of GRO's is lost, 1.00 and 2.00 are not spent.
    books = money(house)
    assert {account for account in books if account.partition(":")[0] in ("unbilled", "accrued_redemption")} == set()
    assert books["write_off"] == 4_488_000 - 1_000_000 - 2_000_000
    [coverage] = house.json("report", "coverage")["coverage"]
    assert (coverage["trust_cash_micro"], coverage["holds"]) == (64_000_000, "yes")
    assert house.verify("--from-scratch")["ok"]


def test_companies_stand_on_documents_and_a_wrong_iban_is_refused(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[company]\nname = "Grocer B.V."\niban = "NL00ABNA0417164300"\n')
    assert "check digits" in house.run("partner", "set-company", "GRO", wrong, status=1).stderr
    half = tmp_path / "half.toml"
    half.write_text('[company]\nname = "Grocer B.V."\niban = "NL91ABNA0417164300"\n')
    house.run("partner", "set-company", "GRO", half)
    # Who says something says all that the law asks for.
    refused = house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents", status=1)
    assert "set-company" in refused.stderr and "GRO" in refused.stderr
    assert house.json("settle", "documents") == []


def test_numbers_have_no_gaps_whoever_issues_and_whatever_is_killed(
        make_house, copy_house, tmp_path, nightly, seed):
    chance = random.Random(seed)
    prepared = closed(make_house(), tmp_path)
    prepared.run("settle", "draft", "2026-06", "--as-both")
    prepared.stop()
    killed_midway = 0
    for _ in range(50 if nightly else 5):
        house = copy_house(prepared).start()
        command = [house.binary, "settle", "issue", "2026-06", "--data", str(house.data)]
        issuing = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for _ in range(16)]
        time.sleep(chance.uniform(0, 0.2))
        house.kill()
        for each in issuing:
            each.wait(timeout=60)
        house.start()
        killed_midway += 0 < len(house.json("settle", "documents")) < 6
        house.run("settle", "issue", "2026-06")
        assert sorted(row["number"] for row in house.json("settle", "documents")) == [
            "CN-2026-000001", "INV-2026-000001", "INV-2026-000002", "PS-2026-000001",
            "SB-BOE-2026-000001", "SB-GRO-2026-000001"]
        assert sorted(sorted(row.items()) for row in booked_entries(house)) == as_rows(GOLDEN["documents"])
        assert house.verify()["ok"]
        house.stop()
    print(f"killed between two documents: {killed_midway}")


def test_drafts_that_are_turned_down_are_made_again(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    first = house.json("settle", "draft", "2026-06")
    [waiting] = house.json("approve", "list")
    assert waiting["kind"] == "documents" and waiting["content"]["window"] == "2026-06"
    house.run("approve", "reject", waiting["id"], "--reason", "the rate is not agreed yet")
    assert "no drafts" in house.run("settle", "issue", "2026-06", status=1).stderr
    assert house.json("approve", "list") == []
    again = house.json("settle", "draft", "2026-06", "--as-both")
    assert again["approved"] and not first["approved"]
    assert house.json("settle", "issue", "2026-06")["issued"] == 6
    assert house.verify("--from-scratch")["ok"]


def test_approved_documents_keep_the_details_that_were_approved(make_house, tmp_path):
    """A partner moves between the approval and the issue: the month is not in its way, and the next documents say it."""
    house = closed(make_house(), tmp_path)
    house.run("settle", "draft", "2026-06", "--as-both")
    moved = tmp_path / "moved.toml"
    moved.write_text('[company]\nname = "Grocer Elsewhere"\nstreet = "New Street 1"\ncity = "Riga"\npostal_code = "LV-1"\n'
                     'country = "LV"\nvat_id = "LV85178937370"\nendpoint_scheme = "0088"\nendpoint = "9525178937374"\n')
    house.run("partner", "set-company", "GRO", moved)
    assert house.json("settle", "issue", "2026-06")["issued"] == 6
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "issued")
    [invoice] = [document for path in (tmp_path / "issued").glob("INV-*.json")
                 for document in [json.loads(path.read_text())] if document["payer"] == "GRO"]
    assert invoice["buyer"]["street"] == "11 Sandbox Street"
    assert house.verify("--from-scratch")["ok"]


def test_an_import_says_what_of_the_balance_is_unexplained(make_house, tmp_path):
    """Equal rows of one day, without a reference of the bank: out of order, one is taken for the other, and that shows."""
    house = make_house()
    house.make()
    path = tmp_path / "statement.xml"

    def imported(number):
        path.write_text(re.sub(r"<AcctSvcrRef>[^<]*</AcctSvcrRef>", "",
                               bank_statement.statement(number, (number - 1) * 100, [{"minor": 100, "text": "fee"}])))
        [shown] = house.json("bank", "import", path)
        return shown["added"], shown["unexplained_minor"]

    assert imported(1) == (1, 0)
    assert imported(3) == (0, 200), "the second one is missing"
    assert imported(2) == (1, 100), "a row is missing"
    assert "1.00 EUR of its balance unexplained" in house.run("bank", "import", path).stdout


def test_in_a_production_house_two_people_move_money(make_house, tmp_path):
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    anna, bob = (("--operator", house.certificate_folder(f"operator:{name}") / "cert.pem") for name in ("anna", "bob"))
    opening = tmp_path / "opening.json"
    opening.write_text(json.dumps({
        "as_of": datetime.date.today().isoformat(), "members": [], "lots": [], "blocks": [],
        "balances_micro": {"cash:trust": 20_000_000, "revenue:service_fee": -20_000_000}}))
    house.run("import", "opening", opening, *anna)
    [waiting] = house.json("approve", "list")
    house.run("approve", waiting["id"], *bob)
    for too_much in ("20.000001", "21", "9000000000"):
        refused = house.run("settle", "release-trust", too_much, *anna, status=1)
        assert "20.000000 of the trust account" in refused.stderr, refused
    release = ("settle", "release-trust", "6.92")
    assert "--operator CERT" in house.run(*release, status=1).stderr
    assert "waits for another operator" in house.run(*release, *anna).stdout
    assert "waits for another operator" in house.run(*release, *anna, status=1).stderr
    [waiting] = house.json("approve", "list")
    assert (waiting["kind"], waiting["summary"]) == ("settlement_act", "release 6.920000 from trust")
    assert "another operator approves" in house.run("approve", waiting["id"], *anna, status=1).stderr
    house.run("approve", waiting["id"], *bob)
    # It permits this act, of this amount, and once.
    assert "waits for another operator" in house.run("settle", "release-trust", "6.93", *anna).stdout
    assert "released" in house.run(*release, *anna).stdout
    assert money(house) == {
        "cash:operating": 6_920_000, "cash:trust": 13_080_000, "revenue:service_fee": -20_000_000}
    assert "waits for another operator" in house.run(*release, *anna).stdout

"""What takes two people in a production house (SECURITY.md, section 3), each over the wire: who prepared it cannot approve
it, approved it is done once, and what nobody approved never is."""

import contextlib
import datetime
import json
import sqlite3
import subprocess

import pytest

from messages import fresh, message
from test_operator_routes import (  # noqa: F401
    COMPANY, OPERATOR, PEM, TERMS, Pair, act, both, bring, later, make_production, production)
from wire import Connection, client_context

TARIFF = b'''[tariff]
from = "2199-01-01"
issue_price = "0.02"
service_fee = "0"
reimbursement = "0.01"
prefund_share = "1"
'''


VAT = b'''[[vat]]
from = "2199-01-01"
flows = ["price", "fee"]
treatment = "taxed"
rate_bp = 1900
'''


@pytest.fixture
def pair(production):
    house, _ = production
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        yield Pair(anna, bob)


@pytest.fixture
def young(make_house):
    """A production house that nobody has joined, by the real clock. (house, its pair)"""
    house = make_house(clock="system")
    house.init("--production")
    for name in ("anna", "bob"):
        house.run("cert", "issue", f"operator:{name}")
    house.start()
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        yield house, Pair(anna, bob)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_and_request(folder, name, curve="prime256v1"):
    """(key file, certificate request in PEM), as a partner makes them at its own place."""
    key, request = folder / f"{name}.key", folder / f"{name}.csr"
    subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", key], check=True)
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=whatever/O=Somebody Else", "-out", request],
                   check=True)
    return key, request.read_bytes()


def test_a_partner_comes_in_by_two_people(young, tmp_path):
    """Activation, certificate and tariff; the key of the certificate never was on the wire."""
    house, pair = young
    key, request = key_and_request(tmp_path, "BOE")
    assert bring(pair.anna, "cert/issue", request, PEM, name="BOE").code == "settlement_refused"
    pair.prepares("partner/add", TERMS.format(id="BOE").encode(), partner="BOE")
    assert [row["id"] for row in pair.anna.get(OPERATOR + "partner/list").json] == ["BOE"]

    issued = pair.takes_two("cert/issue", request, name="BOE")
    assert issued.status == 200, issued
    assert sorted(issued.json) == ["certificate_pem", "not_after", "serial", "subject", "trust_pem"]
    assert issued.json["subject"] == "partner:BOE" and b"PRIVATE KEY" not in issued.body
    assert not (house.data / "certs" / "BOE").exists(), "the house keeps no key of it, nor makes one"
    certificate, trust = tmp_path / "BOE.pem", tmp_path / "trust.pem"
    certificate.write_text(issued.json["certificate_pem"])
    trust.write_text(issued.json["trust_pem"])
    with Connection(house.port, client_context(trust, certificate, key)) as boe:
        echo = boe.get("/v1/echo")
        assert echo.json.get("partner") == "BOE", echo
    [row] = [row for row in pair.anna.get(OPERATOR + "cert/list").json if row["serial"] == issued.json["serial"]]
    assert (row["subject"], row["state"]) == ("partner:BOE", "valid")
    # The permission is for that key: another one is another act.
    _, other = key_and_request(tmp_path, "other")
    assert bring(pair.anna, "cert/issue", other, PEM, name="BOE").status == 202

    pair.prepares("partner/set-tariff", TARIFF, partner="BOE")
    assert len(pair.anna.get(OPERATOR + "partner/show?partner=BOE").json["tariffs"]) == 2
    rows = len(pair.anna.get(OPERATOR + "partner/show?partner=BOE").json["vat"])
    pair.prepares("partner/set-vat", VAT, partner="BOE")
    assert len(pair.anna.get(OPERATOR + "partner/show?partner=BOE").json["vat"]) == rows + 1


def test_a_bad_request_for_a_certificate_is_refused(pair, tmp_path):
    _, request = key_and_request(tmp_path, "GRO")
    body = request.decode().splitlines()
    flipped = list(body[-3])
    flipped[5] = "A" if flipped[5] != "A" else "B"
    forged = "\n".join(body[:-3] + ["".join(flipped)] + body[-2:]).encode()
    for text, complaint in ((b"nonsense", "no certificate request"), (forged, ""), (request[:-40], ""),
                            (key_and_request(tmp_path, "large", "secp384r1")[1], "P-256"), (b"x" * 20_000, "too long")):
        refused = bring(pair.anna, "cert/issue", text, PEM, name="GRO")
        assert refused.code == "settlement_refused", refused
        assert complaint in refused.json["detail"], refused
        assert "/tmp" not in refused.json["detail"]
    assert bring(pair.anna, "cert/issue", request, PEM, name="house").code == "settlement_refused"
    assert bring(pair.anna, "cert/issue", request, PEM, name="NOBODY").code == "settlement_refused"
    assert bring(pair.anna, "cert/issue", request, PEM).code == "malformed"


def test_a_permission_that_was_turned_down_is_not_asked_for_again(pair):
    """The same request says that it was turned down, for ever; a new one asks anew."""
    request = {"message_id": fresh("act"), "partner": "GRO", "amount_minor": 7, "evidence": "slip"}
    asked = pair.anna.post(OPERATOR + "settle/collateral", request)
    assert asked.status == 202, asked
    proposal = asked.json["proposal"]
    assert act(pair.bob, "approve/reject", proposal=proposal, reason="not agreed").status == 200
    for _ in range(2):
        after = pair.anna.post(OPERATOR + "settle/collateral", request)
        assert (after.status, after.code) == (422, "proposal_rejected"), after
        assert after.json["detail"] == f"proposal {proposal} was turned down by bob: not agreed"
    assert pair.anna.get(OPERATOR + "approve/list").json == []
    shown = pair.anna.get(OPERATOR + f"approve/show?proposal={proposal}").json
    assert (shown["state"], shown["decided_by"], shown["reason"]) == ("rejected", "bob", "not agreed")
    anew = pair.anna.post(OPERATOR + "settle/collateral", request | {"message_id": fresh("act")})
    assert anew.status == 202 and anew.json["proposal"] != proposal, anew
    assert act(pair.bob, "approve/reject", proposal=anew.json["proposal"], reason="no").status == 200


def test_messages_about_members_take_two(production, pair):
    """A manual adjustment, and what terms ask for: merge and close; block does not ask."""
    house, _ = production
    with house.connect("GRO") as gro:
        for member in ("f1", "f2"):
            assert gro.post("/v1/accruals", message(member=member, points=100, occurred_at=now())).status == 201

    def waits(path, **fields):
        body = message(reason="asked for", occurred_at=now()) | fields
        asked = pair.anna.post(path, body)
        assert asked.status == 202, asked
        assert act(pair.anna, "approve", proposal=asked.json["proposal"]).code == "forbidden"
        assert pair.anna.post(path, body).json == asked.json
        assert act(pair.bob, "approve", proposal=asked.json["proposal"]).status == 200
        assert act(pair.bob, "approve", proposal=asked.json["proposal"]).code == "proposal_unknown"
        done = pair.anna.post(path, body)
        assert (done.status, done.replayed) == (201, True), done

    waits("/v1/adjustments", member="f1", points=5, funder="GRO")
    assert pair.anna.get("/v1/members/f1").json["balance"]["available"] == 105
    waits("/v1/members/f1/merge", into="f2")
    assert pair.anna.get("/v1/members/f2").json["balance"]["available"] == 205
    for kind in ("block", "unblock"):
        body = message(reason="asked for", occurred_at=now())
        assert pair.anna.post(f"/v1/members/f2/{kind}", body).status == 201
    waits("/v1/members/f2/close")


def test_terms_and_estimates_take_two(pair):
    pair.prepares("house/set-terms", b"[house]\nrefund_grace_days = 4\n")
    assert pair.anna.get(OPERATOR + "house/show").json["refund_grace_days"] == 4
    promotion = b'[[promotion]]\nid = "two"\nfrom = "2199-08-01"\nto = "2199-08-31"\nfunders = { GRO = 1, TNK = 1 }\n'
    pair.prepares("promotion/add", promotion)
    assert [row["id"] for row in pair.anna.get(OPERATOR + "promotion/list").json] == ["two"]
    added = pair.takes_two("estimate/add", b'[[estimate]]\nissuer = "GRO"\nas_of = "2026-12-31"\n'
                                           b'ultimate_redemption_rate = "0.88"\n')
    assert added.status == 200, added
    assert [row["version"] for row in pair.anna.get(OPERATOR + "estimate/list").json] == [1]
    dated = pair.takes_two("calendar/set", b'[calendar]\nfrom = "2190-01"\nbilling_days = 3\n'
                                           b'payment_days = 30\npay_days = 2\nroll = "following"\n')
    assert dated.status == 200, dated
    assert pair.anna.get(OPERATOR + "calendar/show?year=2190").json["terms"][0]["from"] == "2190-01"
    rate = pair.takes_two("fx/set", day="2026-06-30", **{"from": "EUR", "to": "SEK"}, rate="11.05")
    assert rate.status == 200, rate
    assert len(pair.anna.get(OPERATOR + "fx/list").json) == 1

    # A mistake is taken back by two, and stays in the lists.
    taken = pair.takes_two("estimate/withdraw", issuer="GRO", version=1, reason="a wrong day")
    assert [(row["version"], row["withdrawn"]) for row in taken.json] == [(1, "a wrong day")]
    taken = pair.takes_two("calendar/withdraw", window="2190-01", reason="a wrong year")
    assert taken.status == 200, taken
    shown = pair.anna.get(OPERATOR + "calendar/show?year=2190").json
    assert [(row["from"], row["reason"]) for row in shown["withdrawn"]] == [("2190-01", "a wrong year")]
    assert shown["terms"][0]["from"] == "1970-01"
    taken = pair.takes_two("fx/withdraw", id="EUR-SEK-2026-06-30", reason="a wrong rate")
    assert [row["withdrawn"] for row in taken.json] == ["a wrong rate"]
    for path, fields in (("estimate/withdraw", {"issuer": "GRO", "version": 1}),
                         ("calendar/withdraw", {"window": "2190-01"}), ("fx/withdraw", {"id": "EUR-SEK-2026-06-30"})):
        assert act(pair.anna, path, reason="once more", **fields).code == "settlement_refused"


def issued(pair, window):
    assert pair.takes_two("window/close").status == 200
    pair.prepares("settle/draft", window=window)
    assert act(pair.anna, "settle/issue", window=window).json["issued"] >= 3
    return {row["partner"]: row["net_minor"]
            for row in act(pair.anna, "settle/net", window=window).json["payments"]}


def test_a_default_and_an_unwinding_take_two(production, pair):
    house, window = production
    nets = issued(pair, window)
    assert nets["GRO"] < 0 < nets["TNK"]
    brought = pair.takes_two("settle/collateral", partner="GRO", amount_minor=100, evidence="slip")
    assert [(row["partner"], row["held_minor"]) for row in brought.json] == [("GRO", 100)]
    unwound = pair.takes_two("settle/unwind", window=window, partner="TNK", reason="it left")
    assert unwound.status == 200, unwound
    preview = act(pair.anna, "settle/default", window=window, partner="GRO", reason="insolvent", preview=True)
    assert preview.status == 200, preview
    assert pair.anna.get(OPERATOR + "settle/collateral").json[0]["held_minor"] == 100, "only looked"
    taken = pair.takes_two("settle/default", window=window, partner="GRO", reason="insolvent")
    assert taken.json == preview.json and taken.json["collateral_minor"] == 100, taken
    assert pair.anna.get(OPERATOR + "settle/collateral").json == []
    assert house.verify("--from-scratch")["ok"]


def test_a_close_is_reopened_and_locked_by_two(make_house, later, tmp_path):  # noqa: F811
    house, window = make_production(make_house, later, tmp_path)
    with house.connect("operator:anna") as anna, house.connect("operator:bob") as bob:
        pair = Pair(anna, bob)
        nets = issued(pair, window)
        for partner, minor in sorted(nets.items(), key=lambda net: net[1]):
            paid = pair.takes_two("settle/paid", window=window, partner=partner, amount_minor=minor, evidence="bank")
            assert paid.status == 200, paid
        assert act(anna, "close/soft", window=window).status == 200
        assert act(anna, "close/hard", window="2031-01").code == "settlement_refused"
        reopened = pair.takes_two("close/reopen", window=window, reason="a credit is missing")
        assert reopened.json == {"window": window, "close": "open"}, reopened
        assert act(anna, "close/soft", window=window).status == 200
        locked = pair.takes_two("close/hard", window=window)
        assert locked.json == {"window": window, "close": "hard"}, locked
        refused = act(anna, "settle/net", window=window, reason="too late")
        assert "hard-closed" in refused.json["detail"], refused
        assert act(anna, "close/reopen", window=window, reason="please").code == "settlement_refused"
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.about_sqlite
def test_the_record_says_who_asked_and_who_permitted(production, pair):
    """Every act that two people did names the proposal of one and the approval of another."""
    house, _ = production
    with contextlib.closing(sqlite3.connect(f"file:{house.data}/house.db?mode=ro", uri=True)) as record:
        rows = record.execute("SELECT sequence, kind, actor, content FROM house_record ORDER BY sequence").fetchall()
    entries = {sequence: (kind, actor, json.loads(content)) for sequence, kind, actor, content in rows}
    approvals = {content["proposal"]: actor for kind, actor, content in entries.values() if "proposal" in content}
    permitted = [content["permitted_by"] for _, _, content in entries.values() if "permitted_by" in content]
    assert permitted and len(permitted) == len(set(permitted)), "a permission is used once"
    for proposal, approver in approvals.items():
        assert entries[proposal][0] == "proposal_made" and entries[proposal][1] != approver
    assert set(permitted) <= set(approvals)
    answered = [content["request"]["id"] for kind, _, content in entries.values() if kind == "request_answered"]
    assert len(answered) == len(set(answered)) > 5, "one answer for each request"


def test_nobody_is_billed_in_its_name_who_did_not_agree(make_house, later, tmp_path):
    """TNK redeems, so that the house would write its invoice. Neither without its word nor before the day of it."""
    house, window = make_production(make_house, later, tmp_path)
    anna = ("--operator", house.certificate_folder("operator:anna") / "cert.pem")
    both(house, "window", "close")
    house.run("window", "close", *anna)
    company = COMPANY.format(name="TNK", vat="NL123456782B90", registration="34567890")
    for word, said in (("", "is empty"), ("2199-01-01", "is 2199-01-01")):
        (tmp_path / "company.toml").write_text(company.replace("2020-01-01", word))
        both(house, "partner", "set-company", "TNK", tmp_path / "company.toml")
        refused = house.run("settle", "draft", window, *anna, status=1).stderr
        assert "TNK has not agreed" in refused and said in refused, refused
    assert house.json("approve", "list") == []

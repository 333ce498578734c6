"""A partner computes its statements from what it sent and was answered, and finds the message that differs."""

import copy
import json
import random
import subprocess

import days
import june_2026 as june
import pytest
from test_june_2026 import coalition

from messages import accrual, message
from player import Player

TERMS = """
[house]
currency = "EUR"
time_zone = "UTC"

[[partner]]
id = "GRO"
roles = ["issuer", "redeemer"]
billing = "postpaid"
debt_bearer = "issuer"
  [[partner.tariff]]
  from = "2026-01-01"
  issue_price = "0.010000"
  service_fee = "0.001000"
  reimbursement = "0.009500"
  prefund_share = "1"
  pending_days = 0
  breakage = { operator = 1, issuer = 0 }
  [[partner.tariff]]
  from = "2026-06-11"
  issue_price = "0.012000"
  service_fee = "0.001000"
  reimbursement = "0.009100"
  prefund_share = "1"
  pending_days = 0
  breakage = { operator = 1, issuer = 0 }
  [[partner.vat]]
  from = "2026-01-01"
  flows = ["price", "fee", "reimbursement"]
  treatment = "taxed"
  category = "S"
  rate_bp = 2100
"""


class Logged:
    """Sends as one partner, and keeps what every partner has: what it sent, what came back, and when."""

    def __init__(self, send):
        self.send = send
        self.lines = []

    def __call__(self, kind, path, body, at):
        answer = self.send(path, body)
        self.lines.append({"type": kind, "answered_at": at, "message": body, "status": answer.status,
                           "answer": answer.json})
        return answer.json


@pytest.fixture(scope="module", params=['price = "net"', 'price = "gross"', 'price = "gross"\n  tax_point = "issue"'])
def traded(make_house, tmp_path_factory, request):
    """A month of GRO's with a change of tariff, returns, refunds and debts; the log of all of it."""
    folder = tmp_path_factory.mktemp("terms")
    house = make_house().make("TNK")
    (folder / "gro.toml").write_text(f"{TERMS}  {request.param}\n")
    house.run("partner", "add", "GRO", "--terms", folder / "gro.toml")
    house.run("cert", "issue", "GRO")
    house.start()
    house.terms = folder / "gro.toml"
    chance = random.Random(5)
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        log = Logged(lambda path, body: gro.post(path, body))
        for day in (20, 21):
            at = f"2026-05-{day}T12:00:00Z"
            house.before = message(member="m0", points=5_000 + day, occurred_at=at)
            log("accrual", "/v1/accruals", house.before, at)
        for number in range(40):
            at = f"2026-06-{1 + number // 2:02}T12:00:{number % 2 + 1:02}Z"
            member = f"m{chance.randrange(3)}"
            earned = message(member=member, points=1_000 + 37 * number, occurred_at=at)
            log("accrual", "/v1/accruals", earned, at)
            if number % 6 == 0:
                held = log("hold", "/v1/holds",
                           message(member=member, points=20, expires_in_seconds=60, occurred_at=at), at)
                part = {"points": 11 + number} if number < 9 else {}
                log("capture", f"/v1/holds/{held['hold_id']}/capture", message(occurred_at=at) | part, at)
            spent = message(member=member, points=300 + number, occurred_at=at)
            log("redemption", "/v1/redemptions", spent, at)
            tnk.post("/v1/accruals", accrual(member, 100, occurred_at=at))
            tnk.post("/v1/redemptions", message(member=member, points=50, occurred_at=at))
            if number % 4 == 0:
                log("reversal", "/v1/reversals",
                    message(reverses=spent["message_id"], points=7 + number, occurred_at=at), at)
            if number % 5 == 0:
                log("reversal", "/v1/reversals",
                    message(reverses=earned["message_id"], points=900, occurred_at=at), at)
        log("reversal", "/v1/reversals", message(reverses=house.before["message_id"], points=33, occurred_at=at), at)
        log("redemption", "/v1/redemptions", message(member="m0", points=10**9, occurred_at=at), at)
    assert log.lines[-1]["status"] == 422
    house.lines = log.lines
    house.invoice = house.json("settle", "show", "2026-06")
    house.run("reconcile", "GRO", "--window", "2026-06", "--out", folder / "house.csv")
    house.house_file = folder / "house.csv"
    return house


def replay(house, folder, lines, invoice=None, *more, partner="GRO", terms=None):
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "invoice.json").write_text(json.dumps(invoice or house.invoice))
    shown = house_alone(house, "replay-invoice", folder / "log.jsonl", "--partner", partner, "--window", "2026-06",
                        "--terms", terms or house.terms, "--invoice", folder / "invoice.json", *more)
    return shown


def house_alone(house, *arguments):
    """A command of a partner, who has no house: no --data."""
    done = subprocess.run([house.binary, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    shown = json.loads(done.stdout)
    assert done.returncode == (0 if shown["ok"] else 1)
    return shown


def differing(shown):
    return [(each["statement"], each["flow"], each["kind"], each["stated_points"] - each["log_points"],
             each["messages"]) for each in shown["figures"] if each["verdict"] == "differs"]


def booked(house, kind):
    return [line for line in house.lines if line["type"] == kind and line["status"] < 300
            and line["answered_at"].startswith("2026-06")]


def test_the_statements_follow_from_the_log(traded, tmp_path):
    shown = replay(traded, tmp_path, traded.lines)
    assert shown["ok"], (differing(shown), shown["arithmetic"])
    verdicts = {(each["flow"], each["kind"], each["price_micro"]): each["verdict"] for each in shown["figures"]}
    for flow, kind, prices in (("price", "issued", (10_000, 12_000)), ("price", "clawed_back", (10_000, 12_000)),
                               ("reimbursement", "redeemed", (9_500, 9_100)),
                               ("reimbursement", "refunded", (9_500, 9_100))):
        assert [verdicts[flow, kind, price] for price in prices] == ["equal", "equal"]


def test_message_by_message_too(traded, tmp_path):
    shown = replay(traded, tmp_path, traded.lines, None, "--house-file", traded.house_file)
    assert shown["ok"] and shown["messages"] == []


def test_a_repeated_message_counts_once(traded, tmp_path):
    again = [line for line in traded.lines for _ in range(2)]
    assert replay(traded, tmp_path, again)["ok"]


def test_a_message_that_was_not_billed_is_named(traded, tmp_path):
    for kind, statement in (("accrual", "issuance_statement"), ("redemption", "redemption_statement"),
                            ("capture", "redemption_statement")):
        line = copy.deepcopy(booked(traded, kind)[3])
        line["message"]["message_id"] = "not-billed"
        line["answer"]["points"] = 1_234_567
        for lot in line["answer"].get("lots", []):
            lot["points"] = 1_234_567
        shown = replay(traded, tmp_path, [*traded.lines, line])
        found = differing(shown)
        assert found and not shown["ok"]
        assert all(each[0] == statement and each[3:] == (-1_234_567, ["not-billed"]) for each in found)
        shown = replay(traded, tmp_path, [*traded.lines, line], None, "--house-file", traded.house_file)
        assert [(each["class"], each["message_id"]) for each in shown["messages"]] == [("extra", "not-billed")]


def test_a_message_that_is_not_in_the_log_is_named_by_the_house_s_file(traded, tmp_path):
    for kind in ("accrual", "redemption", "reversal", "capture"):
        gone = booked(traded, kind)[0]
        lines = [line for line in traded.lines if line is not gone]
        shown = replay(traded, tmp_path, lines, None, "--house-file", traded.house_file)
        assert not shown["ok"]
        assert [(each["class"], each["message_id"]) for each in shown["messages"]] == [
            ("missing", gone["message"]["message_id"])]
        assert differing(replay(traded, tmp_path, lines)) or kind == "reversal"


def test_a_changed_answer_is_named(traded, tmp_path):
    lines = copy.deepcopy(traded.lines)
    line = next(line for line in lines if line["type"] == "redemption")
    line["answer"]["points"] += 5
    shown = replay(traded, tmp_path, lines, None, "--house-file", traded.house_file)
    assert [(each["class"], each["message_id"], each["fields"]) for each in shown["messages"]] == [
        ("changed_amount", line["message"]["message_id"], ["points"])]
    assert [each[3] for each in differing(shown)] == [-5]


def figures_of(document, path=()):
    """Every number of a document."""
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        if isinstance(value, (dict, list)):
            yield from figures_of(value, (*path, key))
        elif isinstance(value, int) and not isinstance(value, bool):
            yield (*path, key)


def test_no_figure_of_a_statement_can_be_changed_unseen(traded, tmp_path):
    numbers = [number for number, document in enumerate(traded.invoice["documents"])
               if "GRO" in (document["payer"], document["payee"])]
    # What a document repeats for readers, and what names the house's own tariff.
    informative = {"tariff", "points", "price_micro", "rounding_micro", "payable_rounding_minor"}
    seen = 0
    for number in numbers:
        for path in figures_of(traded.invoice["documents"][number]):
            if path[-1] in informative and not {"details", "earlier"} & set(path):
                continue
            invoice = copy.deepcopy(traded.invoice)
            place = invoice["documents"][number]
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] += 1
            assert not replay(traded, tmp_path, traded.lines, invoice)["ok"], path
            seen += 1
    assert seen > 40


def test_what_is_of_an_earlier_month_follows_too(traded, tmp_path):
    """A return in June of what May booked, and nothing else."""
    parts = [(number, line, part) for number, document in enumerate(traded.invoice["documents"])
             if document["payer"] == "GRO" for line, each in enumerate(document["lines"])
             for part, _ in enumerate(each.get("earlier", []))]
    assert len(parts) == 2, "of the price and of the fee"
    for number, line, part in parts:
        for change in ({"origin": "2026-04"}, {"undoes": False}, {"kind": "issued"}, None):
            invoice = copy.deepcopy(traded.invoice)
            earlier = invoice["documents"][number]["lines"][line]["earlier"]
            if change:
                earlier[part] |= change
            else:
                del earlier[part]
            shown = replay(traded, tmp_path, traded.lines, invoice)
            assert not shown["ok"] and any("2026-05" in fault["figure"] for fault in shown["arithmetic"]), change


def test_issued_documents_follow_from_the_log_too(traded, tmp_path):
    """All of a window together, and each alone, as a partner reads it; what bills no message is said to be none."""
    house = traded
    house.run("clock", "advance", "2026-07-01")
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "issued")
    shown = replay(house, tmp_path, house.lines, house.json("settle", "show", "2026-06"))
    assert shown["ok"], (differing(shown), shown["arithmetic"])
    documents = [json.loads(path.read_text()) for path in sorted((tmp_path / "issued").glob("*.json"))]
    ours = [document for document in documents if "GRO" in (document["payer"], document["payee"])]
    assert {document["type"] for document in ours} == {"invoice", "self_billed_invoice"}
    for document in ours:
        shown = replay(house, tmp_path, house.lines, document)
        verdicts = {each["verdict"] for each in shown["figures"]}
        assert shown["ok"] and "equal" in verdicts <= {"equal", "as_stated"}, (differing(shown), document)
        kind = "accrual" if document["type"] == "invoice" else "redemption"
        gone = booked(house, kind)[0]
        shown = replay(house, tmp_path, [line for line in house.lines if line is not gone], document)
        assert [each for each in differing(shown) if each[3] > 0], kind
        turned = copy.deepcopy(document)
        turned["type"] = {"invoice": "credit_note", "self_billed_invoice": "self_billed_credit_note"}[turned["type"]]
        assert not replay(house, tmp_path, house.lines, turned)["ok"]

    house.run("settle", "credit", ours[0]["number"], "--reason", "twice")
    credits = [row["number"] for row in house.json("settle", "documents") if row["type"] == "credit_note"]
    with house.connect("GRO") as gro:
        credit = gro.get(f"/v1/documents/{credits[-1]}").json
    [others] = [document for document in documents if document["type"] == "invoice" and document not in ours]
    for document in (credit, others, ours[0] | {"window": "2026-07"}):
        (tmp_path / "other.json").write_text(json.dumps(document))
        done = subprocess.run(
            [house.binary, "replay-invoice", tmp_path / "log.jsonl", "--partner", "GRO", "--window", "2026-06", "--terms",
             house.terms, "--invoice", tmp_path / "other.json"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "bills no messages of GRO in 2026-06" in done.stderr, done


def test_june(make_house, tmp_path):
    """GRO's invoice has 24 points that a message of TNK's issued: its promotion explains them."""
    house = coalition(make_house(), tmp_path).start()
    logs = {}
    kinds = {"accruals": "accrual", "redemptions": "redemption", "reversals": "reversal", "holds": "hold",
             "donations": "donation"}
    with Player(house) as player:
        for step in june.STEPS:
            if "again" in step:
                continue
            if "path" not in step:
                player.advance(step["at"])
                continue
            if "occurred_at" in step["body"]:
                player.advance(step["at"])
            body = june.body_of(step)
            answer = player.send(step["partner"], step["path"], body)
            kind = "capture" if step["path"].endswith("/capture") else kinds[step["path"]]
            logs.setdefault(step["partner"], []).append(
                {"type": kind, "answered_at": days.text_of(days.instant(step["at"])), "message": body,
                 "status": answer.status, "answer": answer.json})
    house.invoice = house.json("settle", "show", "2026-06")
    house.terms = tmp_path / "terms.toml"
    for partner in ("GRO", "TNK", "BOE"):
        house.run("reconcile", partner, "--window", "2026-06", "--out", tmp_path / f"{partner}.csv")
        shown = replay(house, tmp_path, logs[partner], None, "--house-file", tmp_path / f"{partner}.csv",
                       partner=partner)
        assert shown["ok"], (partner, shown)
        verdicts = {(each["statement"], each["flow"], each["kind"]):
                    (each["verdict"], each["stated_points"], each["log_points"]) for each in shown["figures"]}
        if partner == "GRO":
            assert verdicts["issuance_statement", "price", "issued"] == ("of_others", 408, 384)
            assert verdicts["redemption_statement", "reimbursement", "redeemed"] == ("equal", 350, 350)
        if partner == "BOE":
            assert verdicts["issuance_statement", "price", "clawed_back"] == ("equal", -20, -20)
            assert verdicts["issuance_statement", "price", "recovered"] == ("as_stated", -180, 0)
            assert verdicts["redemption_statement", "reimbursement", "refunded"] == ("equal", -200, -200)


@pytest.mark.parametrize(("line", "where"), [
    ("{", "line 1"), ("[]", "line 1"), ('{"type":"accrual"}', "line 1, status"),
    ('{"type":"gift","status":201}', "line 1, type"),
    ('{"type":"accrual","status":201,"answered_at":"today","message":{"message_id":"a","member":"m",'
     '"occurred_at":"2026-06-01T00:00:00Z"},"answer":{"points":1}}', "line 1, answered_at")])
def test_a_log_that_is_none(traded, tmp_path, line, where):
    (tmp_path / "log.jsonl").write_text(line)
    (tmp_path / "invoice.json").write_text(json.dumps(traded.invoice))
    done = subprocess.run(
        [traded.binary, "replay-invoice", tmp_path / "log.jsonl", "--partner", "GRO", "--window", "2026-06", "--terms",
         traded.terms, "--invoice", tmp_path / "invoice.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and where in done.stderr

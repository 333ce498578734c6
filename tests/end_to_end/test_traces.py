"""From each line of a document to every entry behind it, and from an entry to its lines: nothing is left over."""

import csv
import io
import random
from collections import defaultdict

import days
import random_months
from test_random_months import coalition  # noqa: F401

from player import Player

MESSAGES = 1_500


def played(house, seed):
    """Three or four random months, then the clock moves past them; the windows that are over."""
    oracle = random_months.fresh_oracle()
    stream = random_months.Stream(random.Random(seed), oracle, members=12, messages_a_month=400)
    with Player(house) as player:
        for _ in range(MESSAGES):
            partner, path, body = step = stream.step()
            if partner is None:
                player.advance(body)
                oracle.advance(days.instant(body))
                continue
            answer = player.send(partner, path, body)
            if answer.status == 202:
                player.approve(answer, partner, path, body)
            stream.remember(step, oracle.decide(partner, path, body))
    last = house.json("window", "list")[-1]
    house.run("clock", "advance", last["to"])
    return [window["id"] for window in house.json("window", "list") if window["state"] == "closed"]


def moved(house, window):
    """{(record, entry): micro-units}: what an entry makes partners owe, by the books. Points of a block were paid."""
    blocks = {tariff for (tariff,) in house.books("SELECT tariff FROM tariff WHERE block_points > 0")}
    found = {}
    for record, entry, kind, tariff, debt_tariff, debt, issuer, other in house.books(
            "SELECT sequence, number, kind, tariff, debt_tariff, debt_kind, issuer_micro, counterparty_micro"
            f" FROM entry_{window.replace('-', '_')} WHERE issuer_micro <> 0 OR counterparty_micro <> 0"):
        if kind == 7 and debt == 0 and debt_tariff in blocks:
            other = 0
        found[record, entry] = (0 if tariff in blocks else issuer) - other
    return {key: amount for key, amount in found.items() if amount}


def micro(text):
    whole, _, parts = text.lstrip("-").partition(".")
    return (-1 if text.startswith("-") else 1) * (int(whole) * 10**6 + int(parts))


def sign(row):
    """A document's lines above zero: 1 where the partner owes them."""
    return {"invoice": 1, "credit_note": -1, "self_billed_invoice": -1, "self_billed_credit_note": 1,
            "payment_statement": -1}[row["type"]]


def test_every_entry_of_random_months_is_on_its_lines(coalition, seed, tmp_path):  # noqa: F811
    house, found, lines_of, compared = coalition, defaultdict(int), defaultdict(set), 0
    windows = played(house, seed)
    for window in windows:
        house.run("settle", "invoices", window, "--out", tmp_path / window)
    for row in house.json("settle", "documents"):
        number = row["number"]
        if row["type"] == "invoice" and house.run("settle", "trace", number, status=None).returncode:
            assert "over points bought ahead" in house.run("settle", "trace", number, status=1).stderr
            continue
        shown = house.json("settle", "trace", number)
        assert all(line["difference_micro"] in (0, None) for line in shown["lines"]), (seed, shown["lines"])
        [control] = shown["control"]
        assert control["difference_micro"] == 0, (seed, control)
        assert sum(line["entries"] for line in shown["lines"]) == len(shown["entries"])
        for entry in shown["entries"]:
            found[entry["record"], entry["entry"]] += sign(row) * entry["amount_micro"]
            lines_of[entry["record"]].add((number, entry["line"], entry["amount_micro"]))
        compared += len(shown["entries"])
    assert compared > MESSAGES / 2
    booked = {}
    for window in windows:
        booked |= moved(house, window)
    billed = {key: amount for key, amount in found.items() if amount}
    assert billed.items() <= booked.items(), seed
    # What comes to nothing is on no document: all that a line would have had.
    unbilled, left_out = {record for record, _ in booked.keys() - billed.keys()}, defaultdict(int)
    for record in unbilled:
        for row in house.json("settle", "billed", "--record", record)["entries"]:
            if not row["document"]:
                left_out[row["window"], row["billed_to"], row["flow"], row["tariff"]] += row["amount_micro"]
    assert not any(left_out.values()), (seed, left_out)
    assert bool(left_out) == bool(unbilled), seed

    # And back, by record and by message.
    chance = random.Random(seed)
    for record in chance.sample(sorted(lines_of), 12):
        shown = house.json("settle", "billed", "--record", record)["entries"]
        assert {row["document"] for row in shown} == {document for document, _, _ in lines_of[record]}
        assert {(row["document"], row["line"]) for row in shown} == {row[:2] for row in lines_of[record]}
        if shown[0]["message_id"] and shown[0]["partner"]:
            assert house.json("settle", "billed", "--partner", shown[0]["partner"], "--message",
                              shown[0]["message_id"])["entries"] == shown


def test_one_line_as_a_table(coalition, tmp_path):  # noqa: F811
    windows = played(coalition, 7)
    coalition.run("settle", "invoices", windows[0], "--out", tmp_path / "documents")
    [number, *_] = [row["number"] for row in coalition.json("settle", "documents") if row["type"] == "self_billed_invoice"]
    lines, _, entries = coalition.run("settle", "trace", number, "--line", "1", "--csv").stdout.split("\n\n")
    line, *_ = csv.DictReader(io.StringIO(lines))
    entries = list(csv.DictReader(io.StringIO(entries)))
    assert {entry["line"] for entry in entries} == {"1"} and len(entries) == int(line["entries"])
    assert sum(micro(entry["amount"]) for entry in entries) == micro(line["ledger"]) == micro(line["billed"])
    # A redeemer's line has points of every issuer: each is named by its record.
    assert all(entry["record"] and entry["kind"] in ("redeemed", "refunded", "recovered") for entry in entries)


def test_what_cannot_be_traced_says_why(coalition):  # noqa: F811
    assert "there is no document INV-1" in coalition.run("settle", "trace", "INV-1", status=1).stderr
    assert "either a --record" in coalition.run("settle", "billed", status=1).stderr
    assert coalition.json("settle", "billed", "--record", "999999")["entries"] == []
    assert "the house knows no message never of GRO" in coalition.run(
        "settle", "billed", "--partner", "GRO", "--message", "never", status=1).stderr

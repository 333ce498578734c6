"""A dispute on which nobody acts in time ends by itself, as its stage says; an act that comes later is refused."""

import json
import re
import time

import pytest

from messages import accrual
from test_settlement import closed, money

INVOICE = "INV-2026-000001"


@pytest.fixture
def issued(make_house, tmp_path):
    house = closed(make_house(), tmp_path)  # on 1 July
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("dispute", "open", INVOICE, "--line", "1", "--amount", "1.00", "--reason", "QTY", "--evidence", "till 4")
    return house


def dispute(house):
    [row] = house.json("dispute", "list")
    return row


def wait_until(found, seconds=10):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def gauges(house):
    text = house.admin("/metrics")[1].decode()
    return {name: int(value) for name, value in re.findall(r"^pointhouse_disputes_(\w+) (\d+)$", text, re.M)}


def test_messages_that_move_the_clock_end_it(issued):
    assert dispute(issued)["act_by"] == "2026-07-15"
    with issued.connect("GRO") as gro:
        gro.post("/v1/accruals", accrual("M1", 1, occurred_at="2026-07-15T21:59:59Z"))  # the last second in Amsterdam
        time.sleep(0.5)
        assert gauges(issued) == {"open": 1, "due_soon": 1}
        gro.post("/v1/accruals", accrual("M1", 1, occurred_at="2026-07-15T22:00:00Z"))
        # Nobody gives a command: the house does it.
        wait_until(lambda: gauges(issued)["open"] == 0)
        numbers = [row["number"] for row in gro.get("/v1/documents").json["documents"]]
    row = dispute(issued)
    assert (row["stage"], row["agreed_minor"], row["credit"]) == ("decided", 100, "CN-2026-000002")
    assert row["credit"] in numbers
    assert "dispute_lapsed" in issued.log.read_text()
    [credit] = [each for each in issued.json("settle", "documents") if each["number"] == row["credit"]]
    assert (credit["issued_on"], credit["total_minor"], credit["window"]) == ("2026-07-16", 121, "2026-07")
    assert issued.json("dispute", "lapse") == []
    assert issued.verify("--from-scratch")["ok"]


def test_it_is_told_before(issued):
    assert gauges(issued) == {"open": 1, "due_soon": 0}
    assert not dispute(issued)["due_soon"]
    issued.run("clock", "advance", "2026-07-11T12:00:00Z")
    assert not dispute(issued)["due_soon"], "four days"
    issued.run("clock", "advance", "2026-07-12T12:00:00Z")
    assert dispute(issued)["due_soon"] and dispute(issued)["urgent"]
    assert "due soon" in issued.run("dispute", "list").stdout
    assert "D-000001 is to be acted on by 2026-07-15" in issued.log.read_text()


def test_an_answer_turns_the_outcome(issued):
    issued.run("clock", "advance", "2026-07-15T12:00:00Z")
    issued.run("dispute", "answer", "D-000001", "--words", "the journal has them")
    before = money(issued)
    issued.run("clock", "advance", "2026-07-29T12:00:00Z")
    assert dispute(issued)["stage"] == "answered", "the last day"
    issued.run("clock", "advance", "2026-07-30T12:00:00Z")
    row = dispute(issued)
    assert (row["stage"], row["agreed_minor"], row["credit"]) == ("decided", 0, "")
    assert money(issued) == before
    for late in (("answer", "--words", "x"), ("escalate", "--words", "x"), ("decide", "--agreed", "0.50", "--words", "x")):
        assert "decided" in issued.run("dispute", late[0], "D-000001", *late[1:], status=1).stderr


def test_a_house_that_slept_ends_it_when_it_wakes(issued):
    issued.run("clock", "advance", "2026-07-15T12:00:00Z")
    issued.stop()
    issued.run("clock", "advance", "2026-08-20T12:00:00Z")
    assert dispute(issued)["stage"] == "decided"
    issued.start()
    assert dispute(issued)["agreed_minor"] == 100
    entries = [json.dumps(row) for row in issued.json("settle", "documents") if row["number"].startswith("CN")]
    assert len(entries) == 2, "one correcting document, once"

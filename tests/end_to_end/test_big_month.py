"""A month of many postings goes the whole way from its cut to its hard close on a house that serves: documents, nets, payments,
the bank, both directions of reconciliation for all partners. Prints what each step takes, and the memory of the house.

    /usr/bin/python3 -m pytest tests/end_to_end/test_big_month.py --messages 10000000     # 5 GB in $TMPDIR, removed at the end
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import bank_statement
import pytest

from messages import fresh
from test_batches import LINES

WINDOW = "2026-06"
BATCHES_MAX = 1_000
ROUNDS = 10  # of each member
SECONDS_MAX = 60  # from the cut to the hard close, for 10,000,000 postings of 200 partners
LAG_MAX = 100_000  # records that the books may lack while the month is sent: as in a house whose load they keep up with
ERRORS = {"P003": "missing", "P005": "changed_amount", "P010": "extra"}  # that partners' records have

pytestmark = pytest.mark.against_the_clock


class Steps:
    """Prints of each step: seconds by the clock on the wall, seconds of processor that the house took, its memory afterwards."""

    def __init__(self, house, capsys):
        self.house = house
        self.capsys = capsys
        self.seconds = self.processor_seconds = 0

    @contextlib.contextmanager
    def __call__(self, name):
        began, used = time.monotonic(), self.processor()
        yield
        took, used = time.monotonic() - began, self.processor() - used
        self.seconds += took
        self.processor_seconds += used
        self.say(f"{took:9.2f} s {used:9.2f} s  {self.memory()['VmRSS']:6} MiB  {name}")

    def say(self, line):
        with self.capsys.disabled():
            print(line, flush=True)

    def processor(self):
        fields = Path(f"/proc/{self.house.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """In MiB: VmRSS now, VmHWM at most so far."""
        lines = Path(f"/proc/{self.house.process.pid}/status").read_text().splitlines()
        return {name: int(line.split()[1]) // 1024 for line in lines for name in ("VmRSS", "VmHWM") if line.startswith(name)}


class PartnerFile:
    """A partner's own record, written while it sends. With an error in it, of which `breaks` is what must be found."""

    def __init__(self, folder, partner, error):
        self.partner = partner
        self.error = error
        self.breaks = []
        self.path = folder / f"{partner}.csv"
        self.hash = hashlib.sha256()
        self.count = self.points = 0
        self.path.write_text(f"H,pointhouse-reconciliation,1,partner,{partner},{WINDOW},,EUR\n")

    def add(self, rows):
        """`rows`: (message id, type, member, day, points)"""
        if self.error and not self.breaks:
            rows = self.spoilt(*rows)
        details = "".join(f"D,{name},{kind},{member},{day}T12:00:00Z,{day},{points},0\n"
                          for name, kind, member, day, points in rows).encode()
        self.hash.update(details)
        self.count += len(rows)
        self.points += sum(row[-1] for row in rows)
        with self.path.open("ab") as file:
            file.write(details)

    def spoilt(self, first, *others):
        self.breaks = [(self.error, "never-sent" if self.error == "extra" else first[0])]
        if self.error == "missing":
            return others
        if self.error == "extra":
            return (first, *others, ("never-sent", *first[1:]))
        return ((*first[:-1], first[-1] + 1), *others)

    def end(self):
        with self.path.open("a") as file:
            file.write(f"T,{self.count},{self.points},0,{self.hash.hexdigest()}\n")


def books_lag(house):
    for line in house.admin("/metrics")[1].decode().splitlines():
        if line.startswith("pointhouse_books_lag_records "):
            return int(line.split()[1])
    raise AssertionError("no lag of the books among the metrics")


def wait_until(is_so, seconds=600):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def play(house, files, count):
    """Each member earns in one round and spends in the next. Some partners only issue, some only redeem, some do both."""
    batches = min(BATCHES_MAX, count // 50)
    members, size, share = count // ROUNDS, count // batches, len(files) * 6 // 10
    turns = {"accrual": 0, "redemption": 0}
    for batch in range(batches):
        kind = ("accrual", "redemption")[batch * ROUNDS // batches % 2]
        turn = turns[kind] % share
        turns[kind] += 1
        record = files[turn if kind == "accrual" else -1 - turn]
        day = f"{WINDOW}-{1 + batch * 30 // batches:02}"
        rows = [(f"x{number}", kind, f"m{number % members}", day,
                 50 + number % 97 if kind == "accrual" else 1 + number % 50)
                for number in range(batch * size, (batch + 1) * size)]
        body = "".join(f'{{"type":"{kind}","message_id":"{name}","member":"{member}",'
                       f'"occurred_at":"{day}T12:00:00Z","points":{points}}}\n' for name, _, member, _, points in rows)
        with house.connect(record.partner) as connection:
            answer = connection.post("/v1/batches", body.encode(), LINES)
        assert answer.status == 200 and answer.body.count(b'"status":201') == size, answer
        record.add(rows)
        wait_until(lambda: books_lag(house) <= LAG_MAX)
    for record in files:
        record.end()


def pay(house, folder, number, opening, rows):
    """The bank's statement of it, imported and matched; returns the account's balance."""
    path = folder / f"statement-{number}.xml"
    path.write_text(bank_statement.statement(number, opening, rows, day="2026-07-14"))
    house.run("bank", "import", path)
    house.run("bank", "match")
    return opening + sum(row["minor"] for row in rows)


def close(house, step, folder, records):
    """From the cut to the hard close; returns what reconciling found."""
    with step("cut and drained"):
        house.run("clock", "advance", "2026-07-01T08:00:00Z")
        wait_until(lambda: house.json("window", "list")[0]["state"] == "closed")
    with step("books level"):
        wait_until(lambda: books_lag(house) == 0)
    with step("settle draft, approve"):
        house.run("settle", "draft", WINDOW)
        house.run("approve", house.json("approve", "list")[0]["id"], "--as-both")
    with step("settle issue"):
        house.run("settle", "issue", WINDOW)
    with step("settle invoices: UBL, PDF, CSV, JSON"):
        written = house.json("settle", "invoices", WINDOW, "--out", folder / "documents")
    documents = house.json("settle", "documents", WINDOW)
    assert {Path(path).suffix for path in written} == {".xml", ".pdf", ".csv", ".json"}
    with step(f"settle sent, {len(documents)} documents"):
        with house.connect("operator:anna") as anna:
            for row in documents:
                sent = anna.post("/v1/operator/settle/sent",
                                 {"message_id": fresh("sent"), "number": row["number"], "to": "a desk"})
                assert sent.status == 200, sent
    with step("settle net"):
        nets = house.json("settle", "net", WINDOW)["payments"]
    opening = sum(row["net_minor"] for row in nets if row["net_minor"] > 0)
    with step("pay-ins from the bank, matched"):
        balance = pay(house, folder, 1, opening, [
            {"minor": -row["net_minor"], "text": row["reference"]} for row in nets if row["net_minor"] < 0])
    with step("pay-outs, pain.001"):
        house.run("settle", "payments", WINDOW, "--out", folder / "payments.xml")
    with step("pay-outs from the bank, matched"):
        pay(house, folder, 2, balance, [
            {"minor": -row["net_minor"], "end_to_end": row["reference"]} for row in nets if row["net_minor"] > 0])
    with step("reconcile: the house's files"):
        house.run("reconcile", "--all", "--window", WINDOW, "--out", folder / "house-files")
    with step("reconcile: the partners' files"):
        done = house.run("reconcile", "--all", records, "--window", WINDOW, "--json", status=1)
    with step("close soft, close hard"):
        house.run("close", "soft", WINDOW)
        house.run("close", "hard", WINDOW)
    return json.loads(done.stdout)


def report(house, step, folder):
    """What is asked when the month is closed."""
    with step("report roll-forward"):
        house.run("report", "roll-forward", "--window", WINDOW)
    with step("report redemption-notice"):
        house.run("report", "redemption-notice", "--window", WINDOW)
    with step("settle restate"):
        house.run("settle", "restate", WINDOW)
    with step("export gl"):
        house.run("export", "gl", "--window", WINDOW, "--format", "hledger", "--out", folder / "gl.journal")


def test_a_big_month_is_closed(make_house, tmp_path, request, nightly, capsys):
    long = 10_000_000 if request.config.getoption("--store") == "sqlite" else 1_000_000
    count = request.config.getoption("--messages") or (long if nightly else 10_000)
    partners = [f"P{number:03}" for number in range(1, (200 if count >= 100_000 else 20) + 1)]
    house = make_house().make(*partners).start()
    records = tmp_path / "records"
    records.mkdir()
    files = [PartnerFile(records, partner, ERRORS.get(partner)) for partner in partners]
    closing, after = Steps(house, capsys), Steps(house, capsys)
    try:
        began = time.monotonic()
        play(house, files, count)
        closing.say(f"\n{count} postings, {len(partners)} partners, {count // ROUNDS} members: sent in "
                    f"{time.monotonic() - began:.0f} s; at the cut the books lack {books_lag(house)} records, "
                    f"the house has {closing.memory()['VmRSS']} MiB")
        shown = close(house, closing, tmp_path, records)
        closing.say(f"{closing.seconds:9.2f} s {closing.processor_seconds:9.2f} s  {closing.memory()['VmHWM']:6} MiB at most, "
                    "from the cut to here; then")
        report(house, after, tmp_path)
        found = {each["partner"]: sorted((row["class"], row["message_id"]) for row in each["breaks"])
                 for each in shown["partners"]}
        assert found == {record.partner: record.breaks for record in files}
        assert sum(each["house"]["count"] for each in shown["partners"]) == count
        assert house.json("window", "list")[0]["close"] == "hard"
        assert not house.json("settle", "restatements", WINDOW)
        assert house.verify()["ok"]
        if count == 10_000_000 and house.store == "sqlite":
            assert closing.seconds < SECONDS_MAX
    finally:
        house.kill()
        shutil.rmtree(house.data)
        shutil.rmtree(tmp_path)

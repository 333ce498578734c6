"""Seeds known errors into the statements of 300 random months: each is found, where it is, and nothing else."""

import json
import random
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest

from bank_writer import Writer, merged, random_month

SCHEMA = Path(__file__).resolve().parents[4] / "shared/xsd/iso20022/camt.053.001.08.xsd"


class Month:
    """Files in the order in which they are imported, and what is to be said about each."""

    def __init__(self, seed, folder):
        self.choose = random.Random(seed)
        self.writer = Writer(self.choose)
        self.statements = random_month(self.choose)
        self.folder = folder
        self.files = []
        self.expected = []

    def write(self, statement, expected, spoil=None):
        text = self.writer.file(statement)
        if spoil:
            spoilt = spoil(text)
            assert spoilt != text
            text = spoilt
        path = self.folder / f"{len(self.files)}.xml"
        path.write_text(text, encoding="utf-8")
        self.files.append(path)
        self.expected.append(expected)

    def write_good(self, statement):
        self.write(statement, {"added": sorted(statement.rows())})


def some_entry(month, statement):
    return month.choose.choice(statement.entries)


def clean(month, at):
    """Nothing is wrong."""
    for statement in month.statements:
        month.write_good(statement)
    return []


def changed_amount(month, at):
    """An entry has a cent more, its details and the balances have not."""
    def spoil(entry):
        entry.lie = entry.amount + (1 if entry.amount > 0 else -1)

    return spoilt_entry(month, at, spoil, ("differ from closing balance", "do not add up"))


def other_currency(month, at):
    def spoil(entry):
        entry.currency = "USD"

    return spoilt_entry(month, at, spoil, ('an amount in "USD"',))


def spoilt_entry(month, at, spoil, words):
    for place, statement in enumerate(month.statements):
        if place == at and statement.entries:
            spoilt = deepcopy(statement)
            spoil(some_entry(month, spoilt))
            spoilt.closing = statement.true_closing()
            month.write(spoilt, {"refused": words})
        else:
            month.write_good(statement)
    return gap_of(month, at) if month.statements[at].entries else []


def removed_entry(month, at):
    for place, statement in enumerate(month.statements):
        if place == at and statement.entries:
            spoilt = deepcopy(statement)
            spoilt.entries.remove(some_entry(month, spoilt))
            spoilt.closing = statement.true_closing()
            month.write(spoilt, {"refused": ("differ from closing balance",)})
        else:
            month.write_good(statement)
    return gap_of(month, at) if month.statements[at].entries else []


def cut_off(month, at):
    """The file ends in the middle."""
    for place, statement in enumerate(month.statements):
        if place == at:
            month.write(statement, {"refused": ("well-formed",)}, lambda text: text[:len(text) // 2])
        else:
            month.write_good(statement)
    return gap_of(month, at)


def gap_of(month, at):
    """A number in the middle is missing; the first and the last nobody can miss."""
    if at in (0, len(month.statements) - 1):
        return []
    return [[month.statements[at].number, month.statements[at].number, 0]]


def missing(month, at):
    for place, statement in enumerate(month.statements):
        if place != at:
            month.write_good(statement)
    return gap_of(month, at)


def twice(month, at):
    for place, statement in enumerate(month.statements):
        month.write_good(statement)
        if place == at:
            month.write(statement, {"repeated": True, "added": []})
    return []


def changed_afterwards(month, at):
    """The bank sends a number again, in itself consistent, with another row."""
    for place, statement in enumerate(month.statements):
        month.write_good(statement)
        if place == at:
            other = deepcopy(statement)
            other.opening += 7
            month.write(other, {"refused": ("is known with other balances or rows",)})
    return []


def overlapping(month, at):
    """Two statements once more as one: nothing of it is new."""
    at = min(at, len(month.statements) - 2)
    for place, statement in enumerate(month.statements):
        month.write_good(statement)
        if place == at + 1:
            month.write(merged(month.statements[at], statement), {"added": []})
    return []


def overlapping_ahead(month, at):
    """The first of two, then both as one: only the second's rows are new; then the second alone."""
    at = min(at, len(month.statements) - 2)
    for place, statement in enumerate(month.statements):
        if place == at + 1:
            month.write(merged(month.statements[at], statement), {"added": sorted(statement.rows())})
            month.write(statement, {"added": []})
        else:
            month.write_good(statement)
    return []


def shifted(month, at):
    """From a statement on all balances are higher by 3 cents: money from nowhere."""
    at = max(at, 1)
    for place, statement in enumerate(month.statements):
        if place >= at:
            statement.opening += 3
        month.write_good(statement)
    return [[0, 0, 3]]


KINDS = [clean, clean, changed_amount, other_currency, removed_entry, cut_off, missing, twice, changed_afterwards,
         overlapping, overlapping_ahead, shifted]


def is_as_expected(line, expected):
    refused = line.get("refused") or line.get("statements", [{}])[0].get("refused")
    if "refused" in expected:
        return refused is not None and any(words in refused for words in expected["refused"])
    return refused is None and len(line["statements"]) == 1 and \
        sorted(line["statements"][0]["added"]) == expected["added"] and \
        line["statements"][0]["repeated"] == expected.get("repeated", False)


@pytest.fixture(scope="module")
def months(seed, tmp_path_factory):
    made = []
    for number in range(300):
        folder = tmp_path_factory.mktemp("month")
        month = Month(seed * 1_000 + number, folder)
        kind = KINDS[number % len(KINDS)]
        gaps = kind(month, month.choose.randrange(len(month.statements)))
        made.append((kind, month, gaps))
    return made


def test_what_the_generator_writes_is_camt053(months):
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA} is not there")
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed (libxml2-utils)")
    files = [file for kind, month, _ in months if kind is not cut_off for file in month.files]
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_error_is_found_and_nothing_else(judged_payments, months):
    for kind, month, gaps in months:
        said = [json.loads(line) for line in judged_payments("import", *month.files).splitlines()]
        assert len(said) == len(month.expected)
        for line, expected in zip(said, month.expected):
            assert is_as_expected(line, expected), (kind.__name__, line, expected)
        taken = [line["statements"][0] for line in said if "gaps" in line.get("statements", [{}])[0]]
        assert taken[-1]["gaps"] == gaps, (kind.__name__, said[-1]["file"])
        if kind is not shifted and not gaps:
            assert taken[-1]["unexplained"] == 0, (kind.__name__, said[-1]["file"])

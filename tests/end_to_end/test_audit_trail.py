"""The house's own record: its chain as a stranger's script checks it, and what happens to who edits a row."""

import contextlib
import hashlib
import shutil
import sqlite3

import pytest

from house import House
from messages import accrual

pytestmark = pytest.mark.about_sqlite  # the file is opened by hand


def broken_at(file):
    """partners/HOUSE_RECORD.md, in a few lines: the first entry whose hash does not follow; none: all do."""
    previous, expected = bytes(32), 1
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = database.execute(
            "SELECT sequence, at, kind, actor, content, hash FROM house_record ORDER BY sequence").fetchall()
    for sequence, at, kind, actor, content, stored in rows:
        chain = hashlib.sha256(previous)
        for field in (str(sequence), str(at), kind, actor, content):
            data = field.encode()
            chain.update(f"{len(data)}:".encode() + data)
        previous = chain.digest()
        if sequence != expected or previous.hex() != stored:
            return sequence
        expected += 1
    return None


@pytest.fixture(scope="module")
def lived(make_house, tmp_path_factory):
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 100)).status == 201
    house.run("clock", "advance", "2026-07-02T00:00:00Z")
    house.stop()
    return house


def test_a_script_follows_the_chain(lived):
    assert broken_at(lived.data / "house.db") is None
    with contextlib.closing(sqlite3.connect(lived.data / "house.db")) as database:
        for statement in ("UPDATE house_record SET actor = 'x' WHERE sequence = 3",
                          "DELETE FROM house_record WHERE sequence = 3"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)
    assert lived.verify()["ok"]


@pytest.mark.parametrize("change, first_bad", [
    ("UPDATE house_record SET content = replace(content, '0', '1') WHERE sequence = 4", 4),
    ("UPDATE house_record SET actor = 'somebody' WHERE sequence = 5", 5),
    ("UPDATE house_record SET at = at + 1 WHERE sequence = 2", 2),
    ("DELETE FROM house_record WHERE sequence = 4", 5),
])
def test_who_edits_a_row_is_found_at_that_row(lived, tmp_path, change, first_bad):
    copy = House(lived.binary, tmp_path)
    shutil.copytree(lived.data, copy.data, ignore=shutil.ignore_patterns("control.sock"))
    with contextlib.closing(sqlite3.connect(copy.data / "house.db")) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute(change)
    assert broken_at(copy.data / "house.db") == first_bad
    done = copy.run("verify", status=1)
    named = 4 if change.startswith("DELETE") else first_bad  # the one that is missing
    assert f"house record, entry {named}: its chain is broken" in done.stdout, done

"""`verify` finds a changed byte of any stored value, a cut tail and missing files, and names them."""

import contextlib
import json
import os
import random
import shutil
import sqlite3

import pytest

from house import House
from messages import accrual, fresh, message

pytestmark = pytest.mark.about_sqlite  # test_postgres.py does the same to the other store


@pytest.fixture(scope="module")
def sound(make_house):
    """A stopped house with a closed month, several blocks, member rows, a sealed index and books."""
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        members = [fresh("verify") for _ in range(30)]
        for member in members:
            assert gro.post("/v1/accruals", accrual(member, 500)).status == 201
        for member in members[:10]:
            spent = message(member=member, points=200)
            assert tnk.post("/v1/redemptions", spent).status == 201
            tnk.post("/v1/reversals", message(reverses=spent["message_id"], points=50))
            gro.post("/v1/clawbacks", message(member=member, points=400, reason="return"))
        tnk.post("/v1/accruals", accrual(members[0], 5, occurred_at="2026-07-01T00:00:00Z"))
        tnk.post("/v1/redemptions", message(member=members[0], points=10**6))
    house.stop()
    found = house.verify()
    assert found["ok"] and found["postings"] >= 60, found
    assert house.verify("--from-scratch")["ok"]
    return house


@pytest.fixture
def copy(sound, tmp_path):
    """A copy of the sound house, to be damaged."""
    house = House(sound.binary, tmp_path)
    shutil.copytree(sound.data, house.data, ignore=shutil.ignore_patterns("control.sock"))
    return house


def assert_found(house, *words):
    """`verify` exits 1 and says what is wrong. Returns what it said."""
    done = house.run("verify", "--json", status=None, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 1, f"not found: exit {done.returncode}\n{said}"
    if done.stdout.strip().startswith("{"):
        assert json.loads(done.stdout)["ok"] is False
    assert any(word in said.lower() for word in words) if words else said.strip(), said
    return said


def databases(house):
    return sorted(path for path in house.data.rglob("*.db"))


def stored_values(house):
    """(database, table, column, row id) of one stored value per column, in the middle of its table."""
    for path in databases(house):
        with sqlite3.connect(path) as database:
            tables = [name for name, sql in database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table'")
                if not name.startswith("sqlite_") and sql]
            for table in tables:
                columns = [(row[1], bool(row[5])) for row in database.execute(
                    f"PRAGMA table_info({table})")]
                count = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                if count:
                    yield from ((path.relative_to(house.data), table, column, count // 2)
                                for column, _ in columns)
        database.close()


def changed(value, chance):
    """The value with one bit of one byte changed; the same type."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes) and value:
        place = chance.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1:]
    if isinstance(value, str) and value:
        place = chance.randrange(len(value))
        other = "0" if value[place] != "0" else "1"
        return value[:place] + other + value[place + 1:]
    return None


def test_every_stored_value_is_watched(sound, tmp_path, seed):
    """One row of every column of every table in every database, changed by one bit."""
    chance = random.Random(seed)
    missed, tried = [], 0
    for number, (path, table, column, row) in enumerate(stored_values(sound)):
        house = House(sound.binary, tmp_path / str(number))
        shutil.copytree(sound.data, house.data, ignore=shutil.ignore_patterns("control.sock"))
        with sqlite3.connect(house.data / path) as database:
            keys = ("rowid",)
            try:
                database.execute(f"SELECT rowid FROM {table} LIMIT 1")
            except sqlite3.OperationalError:  # WITHOUT ROWID: by its primary key
                keys = tuple(info[1] for info in database.execute(
                    f"PRAGMA table_info({table})") if info[5])
            # In one question and in order: an index would give another row for its key than for
            # its value, and the change might be none.
            names = ", ".join(keys)
            before, *values = database.execute(
                f"SELECT {column}, {names} FROM {table} ORDER BY {names}"
                f" LIMIT 1 OFFSET {row}").fetchone()
            after = changed(before, chance)
            if after is None:
                continue
            where = " AND ".join(f"{key} IS ?" for key in keys)
            database.execute("PRAGMA ignore_check_constraints = ON")
            for (trigger,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {trigger}")
            try:
                database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (after, *values))
            except sqlite3.IntegrityError:
                continue  # another row has that key
        database.close()
        tried += 1
        done = house.run("verify", "--json", status=None, timeout=120)
        if done.returncode != 1 or not (done.stdout + done.stderr).strip():
            missed.append((str(path), table, column, before, after, done.returncode))
        shutil.rmtree(house.data)
    assert tried >= 30, "hardly anything was stored"
    assert not missed, f"{len(missed)} of {tried} changes not found:\n" + "\n".join(map(str, missed))


def test_every_byte_of_the_index_is_watched(sound, tmp_path):
    chance = random.Random(11)
    runs = [path for path in (sound.data / "ledger").rglob("*")
            if path.is_file() and path.suffix not in (".db", ".db-wal", ".db-shm")]
    assert runs, "no index run was sealed by the stop"
    for path in runs:
        content = path.read_bytes()
        for number in range(12):
            place = chance.randrange(len(content))
            house = House(sound.binary, tmp_path / f"{path.name}-{number}")
            shutil.copytree(sound.data, house.data, ignore=shutil.ignore_patterns("control.sock"))
            damaged = house.data / path.relative_to(sound.data)
            damaged.chmod(0o600)
            damaged.write_bytes(
                content[:place] + bytes([content[place] ^ 1 << number % 8]) + content[place + 1:])
            assert_found(house)
            shutil.rmtree(house.data)


def journal_of(house):
    return next(path for path in databases(house) if path.name.startswith("journal"))


def block_table(database):
    """The table of blocks: (name, column of the bytes, column of the first sequence)."""
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
        if name.startswith("block"):
            content = next(column for column in columns if column in ("bytes", "content", "block", "data"))
            first = next(column for column in columns if "first" in column or "sequence" in column)
            return name, content, first
    raise AssertionError("no table of blocks")


def test_a_raw_byte_of_a_block_in_the_file(sound, tmp_path):
    """Behind SQLite's back, in the file itself; every block, at a random place."""
    chance = random.Random(13)
    with sqlite3.connect(journal_of(sound)) as database:
        name, content, _ = block_table(database)
        blocks = [bytes(row[0]) for row in database.execute(f"SELECT {content} FROM {name}")]
    database.close()
    raw = journal_of(sound).read_bytes()
    damaged = 0
    for number, block in enumerate(chance.sample(blocks, min(25, len(blocks)))):
        place = chance.randrange(max(1, len(block) - 24))
        where = raw.find(block[place:place + 24])
        if where < 0:
            continue  # split over two pages
        house = House(sound.binary, tmp_path / str(number))
        shutil.copytree(sound.data, house.data, ignore=shutil.ignore_patterns("control.sock"))
        with open(journal_of(house), "r+b") as file:
            file.seek(where)
            file.write(bytes([raw[where] ^ 0x10]))
        assert_found(house)
        shutil.rmtree(house.data)
        damaged += 1
    assert damaged >= 10


def test_a_truncated_journal(copy):
    with sqlite3.connect(journal_of(copy)) as database:
        name, _, first = block_table(database)
        database.execute(f"DELETE FROM {name} WHERE {first} = (SELECT max({first}) FROM {name})")
    database.close()
    assert_found(copy)
    refused = copy.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
                       "--clock", "messages", status=None, timeout=30)
    assert refused.returncode == 1, "a house must not start on a journal that lost its tail"


def test_a_journal_file_cut_short(copy):
    path = journal_of(copy)
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert_found(copy)


@pytest.mark.parametrize("pattern", ["journal*.db", "house.db", "identities.db", "head*"])
def test_a_missing_file(copy, pattern):
    found = [path for path in copy.data.rglob(pattern) if path.is_file()]
    assert found, f"no {pattern} in {sorted(copy.data.rglob('*'))}"
    for path in found:
        path.unlink()
    assert_found(copy)


def test_lost_books_are_derived_again(copy, sound):
    """Derived things may be thrown away."""
    before = sound.run("settle", "show", "2026-06", "--json").stdout
    (copy.data / "books.db").unlink()
    copy.run("rebuild")

    assert copy.run("settle", "show", "2026-06", "--json").stdout == before
    assert copy.verify("--from-scratch") == sound.verify("--from-scratch")


@pytest.mark.parametrize("damage", ["no database", "cut short", "a table less", "no mark"])
def test_damaged_books_are_derived_again(copy, sound, damage):
    books = copy.data / "books.db"
    if damage == "no database":
        books.write_bytes(b"no database" * 1000)
    elif damage == "cut short":
        os.truncate(books, books.stat().st_size // 2)
    else:
        with contextlib.closing(sqlite3.connect(books)) as database, database:
            database.execute("DROP TABLE house_line" if damage == "a table less" else "DELETE FROM projection")
    assert_found(copy, "books: ")
    copy.run("rebuild")

    assert copy.verify("--from-scratch") == sound.verify("--from-scratch")


def test_a_sound_house_stays_sound(sound):
    before = sound.verify()

    assert sound.verify() == before
    assert set(before) >= {"ok", "messages", "postings", "blocks", "head"}
    assert len(before["head"]) == 64
    assert "ok" in sound.run("verify").stdout.lower() or "sound" in sound.run("verify").stdout.lower()

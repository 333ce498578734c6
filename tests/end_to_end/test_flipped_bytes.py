"""R26: one flipped bit, anywhere in the files of a house or of its backup. It is found, and nothing is served
from it; or it lies where no value is, and then every value is what it was."""

import random
import shutil
import sqlite3

import pytest

from house import House
from messages import fresh, message


@pytest.fixture(scope="module")
def sound(make_house):
    house = make_house().make("GRO", "TNK").start()
    with house.connect("GRO") as gro, house.connect("TNK") as tnk:
        for _ in range(30):
            member = fresh("flip")
            assert gro.post("/v1/accruals", message(member=member, points=100)).status == 201
            spent = message(member=member, points=60)
            assert tnk.post("/v1/redemptions", spent).status == 201
            assert tnk.post("/v1/reversals", message(reverses=spent["message_id"], points=10)).status == 201
    house.stop()
    assert house.verify("--from-scratch")["ok"]
    return house


def flip(folder, chance, suffixes):
    """Flips a bit of a file drawn by size; returns the file and where."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and path.stat().st_size)
    [path] = chance.choices(files, [file.stat().st_size for file in files])
    content = bytearray(path.read_bytes())
    # Most of a small database is empty pages: four in five bits are taken where something is.
    places = [place for place, byte in enumerate(content) if byte] if chance.random() < 0.8 else range(len(content))
    place, bit = chance.choice(places), chance.randrange(8)
    content[place] ^= 1 << bit
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    return path.relative_to(folder), place, bit


def values_of(folder):
    """Every row that the databases of a folder hold; None where one cannot be read. The words in which SQLite
    keeps a table's form are no value."""
    values = {}
    for path in sorted(folder.rglob("*.db")):
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                database.text_factory = lambda text: text.decode(errors="replace")
                values[path.name] = [line for line in database.iterdump() if line.startswith("INSERT")]
        except sqlite3.Error:
            return None
        finally:
            database.close()
    return values


@pytest.mark.about_sqlite
def test_a_flipped_bit_of_the_house_is_found(sound, tmp_path, nightly, seed):
    chance, found, idle = random.Random(seed), 0, 0
    before = values_of(sound.data)
    for number in range(500 if nightly else 25):
        house = House(sound.binary, tmp_path / str(number))
        shutil.copytree(sound.data, house.data, ignore=shutil.ignore_patterns("control.sock"))
        where = flip(house.data, chance, (".db", ".run"))
        done = house.run("verify", "--json", status=None, timeout=120)
        if done.returncode == 0:
            idle += 1
            assert values_of(house.data) == before, f"not found: {where}"
        else:
            found += 1
            assert done.returncode == 1 and (done.stdout + done.stderr).strip(), (where, done)
            assert "\ufffd" not in done.stdout, (where, done)  # what is printed is text
        shutil.rmtree(house.data)
    print(f"{found} found, {idle} where no value is")
    assert found


def test_a_flipped_bit_of_a_backup_is_found(sound, make_house, tmp_path, nightly, seed):
    chance = random.Random(seed)
    sound.run("backup", "--out", tmp_path / "backup")
    restored = make_house()
    for number in range(500 if nightly else 15):
        damaged = tmp_path / str(number)
        shutil.copytree(tmp_path / "backup", damaged)
        where = flip(damaged, chance, (".db", ".rows", ".run"))
        done = restored.restore(damaged, status=None)
        assert done.returncode == 1, f"not found: {where}"
        assert not (restored.data / "pointhouse.toml").exists(), "nothing half restored is left"
        shutil.rmtree(damaged)
    restored.restore(tmp_path / "backup")
    assert restored.verify("--from-scratch")["ok"]

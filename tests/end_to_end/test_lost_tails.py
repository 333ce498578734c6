"""Files put back from before, or cut off: what each part of a house knows of the others finds it."""

import shutil

import pytest

from messages import accrual, message

pytestmark = pytest.mark.about_sqlite  # files of its own; PostgreSQL keeps all parts in one log


def earn(house, *members):
    with house.connect("GRO") as gro:
        for member in members:
            assert gro.post("/v1/accruals", accrual(member, 100)).status == 201


def refuses_to_serve(house):
    done = house.run("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", status=1, timeout=60)
    return done.stderr + done.stdout


def test_a_member_whose_identity_is_lost_is_nobody_else(make_house, tmp_path):
    house = make_house().make("GRO").start()
    earn(house, "OLD1")
    house.stop()
    shutil.copy(house.data / "identities.db", tmp_path / "before.db")
    house.start()
    earn(house, "OLD2", "OLD3")
    house.stop()
    sound = (house.data / "identities.db").read_bytes()
    shutil.copy(tmp_path / "before.db", house.data / "identities.db")
    for options in ([], ["--from-scratch"]):
        assert "identities" in house.run("verify", *options, status=1).stdout
    assert "end at member 1, and the journal knows member 3" in refuses_to_serve(house)
    (house.data / "identities.db").write_bytes(sound)
    house.start()
    earn(house, "NEW")
    with house.connect("GRO") as gro:
        assert gro.get("/v1/members/NEW").json["balance"]["available"] == 100
    assert house.verify("--from-scratch")["ok"]


def test_a_bit_of_the_log_of_identities_is_found(make_house):
    house = make_house().make("GRO").start()
    earn(house, *(f"M{number}" for number in range(20)))
    house.kill()
    log = house.data / "identities.db-wal"
    sound = log.read_bytes()
    assert len(sound) > 8192
    for place in (len(sound) // 2, len(sound) - 2000):
        log.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1:])
        for shared in house.data.glob("identities.db-shm"):
            shared.unlink()
        assert "identities" in refuses_to_serve(house)
        assert not house.run("verify", "--json", status=None).returncode == 0
        log.write_bytes(sound)


def test_a_journal_older_than_its_books_is_not_served(make_house, tmp_path):
    house = make_house().make("GRO").start()
    earn(house, "A")
    house.stop()
    shutil.copytree(house.data / "ledger", tmp_path / "before")
    house.start()
    earn(house, "A", "A", "A")
    house.stop()
    shutil.rmtree(house.data / "ledger")
    shutil.copytree(tmp_path / "before", house.data / "ledger")
    assert "the books contain record" in refuses_to_serve(house)
    house.run("verify", status=1)
    # Whoever accepts the loss says so.
    house.run("rebuild")
    house.start()
    earn(house, "A")
    with house.connect("GRO") as gro:
        assert gro.get("/v1/members/A").json["balance"]["available"] == 200
    assert house.verify("--from-scratch")["ok"]


def test_what_does_not_open_is_not_called_unsound(make_house):
    house = make_house().make("GRO")
    for name in ("house.db", "identities.db", "books.db"):
        file = house.data / name
        file.rename(house.data / "aside")
        file.mkdir()
        said = house.json("verify", status=3)
        assert said["ok"] is None and "open" in said["reason"], said
        assert house.run("verify", status=3).stdout.startswith("could not look: ")
        file.rmdir()
        (house.data / "aside").rename(file)
    assert house.verify()["ok"]


def test_the_end_of_the_house_s_record_is_missed(make_house, tmp_path):
    house = make_house().make("GRO", "BOE")
    house.start()
    earn(house, "A")
    house.stop()
    shutil.copy(house.data / "house.db", tmp_path / "before.db")
    house.run("cert", "revoke", "BOE")
    sound = (house.data / "house.db").read_bytes()
    shutil.copy(tmp_path / "before.db", house.data / "house.db")
    said = house.run("verify", status=1)
    assert "once reached" in said.stdout + said.stderr
    assert "once reached" in refuses_to_serve(house)
    (house.data / "house.db").write_bytes(sound)
    (house.data / "record" / "head").write_bytes(b"nothing of the kind")
    assert "damaged" in refuses_to_serve(house)
    shutil.rmtree(house.data / "record")  # as a backup comes back
    house.start()
    house.stop()
    assert (house.data / "record" / "head").exists()
    assert house.verify("--from-scratch")["ok"]


def test_a_house_west_of_greenwich_opens_its_windows_again(make_house):
    """Its clock begins in December 1969."""
    house = make_house()
    house.run("init", "--time-zone", "America/New_York")
    (house.data.parent / "prepaid.toml").write_text("""
[[partner]]
id = "TNK"
roles = ["issuer", "redeemer"]
billing = "prepaid"
  [[partner.tariff]]
  from = "1969-01-01"
  issue_price = "0.01"
  service_fee = "0.001"
  reimbursement = "0.0095"
  prefund_share = "1"
""".replace("1969-01-01", "1970-01-01"))
    house.run("partner", "add", "TNK", "--terms", house.data.parent / "prepaid.toml")
    house.run("cert", "issue", "TNK")
    house.run("partner", "buy-block", "TNK", "--points", "5000")
    house.start()
    with house.connect("TNK") as tnk:
        sent = message(member="M", points=5, occurred_at="2026-06-02T10:00:00Z")
        assert tnk.post("/v1/accruals", sent).status == 201
    house.stop()
    house.start()
    first = house.json("window", "list")[0]["id"]
    assert first == "1969-12"
    assert house.json("settle", "show", first)["window"]["id"] == first
    assert house.json("close", "show", first)["checks"]
    assert house.verify("--from-scratch")["ok"]

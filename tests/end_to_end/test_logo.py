"""The house's logo: what is issued has the one of its time, for ever; what is no picture is refused."""

import base64
import hashlib
import json
import random
import struct
import subprocess
import zlib

import pytest

from messages import accrual
from test_four_eyes import pair  # noqa: F401
from test_operator_routes import OPERATOR, PNG, act, bring, later, production  # noqa: F401
from test_reminders import advance
from test_settlement import closed

PDF = {"Accept": "application/pdf"}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, colour=b"\xc0\x10\x10", packed=None, header=b"\x08\x02\0\0\0"):
    """A PNG of one colour; `packed`: something else as its pixels."""
    pixels = zlib.compress((b"\0" + colour * width) * height, 9) if packed is None else packed
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">II", width, height) + header)
            + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


RED, BLUE = png(120, 40), png(50, 50, b"\x10\x10\xc0")


def picture_of(pdf):
    """(width, height) of the pictures on a document's pages, all the same; None: the drawn mark."""
    listed = subprocess.run(["pdfimages", "-list", "-"], input=pdf, capture_output=True, check=True)
    sizes = {tuple(map(int, row.split()[3:5])) for row in listed.stdout.decode().splitlines()[2:]}
    assert len(sizes) <= 1, sizes
    return next(iter(sizes), None)


def colour_of(pdf, x=60, y=63):
    """What stands there on the first page, in points."""
    page = subprocess.run(["pdftoppm", "-r", "72", "-l", "1", "-"], input=pdf, capture_output=True, check=True).stdout
    size, start = page.split(b"\n", 2)[1].split(), len(b"P6\n596 842\n255\n")
    at = start + 3 * (y * int(size[0]) + x)
    return page[at:at + 3]


def described(file):
    width, height = struct.unpack(">II", file[16:24])
    return {"size_bytes": len(file), "width_pixels": width, "height_pixels": height,
            "sha256": hashlib.sha256(file).hexdigest()}


def set_logo(house, folder, file):
    path = folder / "logo.png"
    path.write_bytes(file)
    return house.json("house", "set-logo", path)


def pdfs_of(house, name="operator:anna"):
    """Every document that is issued, as the wire gives it."""
    with house.connect(name) as connection:
        numbers = [row["number"] for row in connection.get("/v1/documents").json["documents"]]
        return {number: connection.get(f"/v1/documents/{number}", PDF).body for number in numbers}


def test_each_document_keeps_the_logo_of_its_issue(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    assert house.json("house", "show")["logo"] is None
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "before")
    written = {path.stem: path.read_bytes() for path in (tmp_path / "before").glob("*.pdf")}
    issued = pdfs_of(house)
    assert issued == written and len(issued) == 6
    assert {picture_of(pdf) for pdf in issued.values()} == {None}

    assert set_logo(house, tmp_path, RED)["logo"] == described(RED)
    assert house.json("house", "show")["logo"] == described(RED)
    assert hashlib.sha256(RED).hexdigest() in house.run("house", "show").stdout
    assert pdfs_of(house) == issued, "issued never changes"
    first = house.json("settle", "credit", "INV-2026-000001", "--reason", "sent twice")["number"]
    set_logo(house, tmp_path, BLUE)
    second = house.json("settle", "credit", "INV-2026-000002", "--reason", "sent twice")["number"]
    assert "in force already" in house.run("house", "set-logo", tmp_path / "logo.png", status=1).stderr
    assert house.json("house", "withdraw-logo", "--reason", "the old mark") == {
        "logo": None, "withdrawn": "the old mark"}
    assert house.json("house", "show")["logo"] is None
    assert "has none" in house.run("house", "withdraw-logo", "--reason", "again", status=1).stderr
    third = house.json("settle", "credit", "PS-2026-000001", "--reason", "not this charity")["number"]

    after = pdfs_of(house)
    assert {number: after[number] for number in issued} == issued
    assert [picture_of(after[number]) for number in (first, second, third)] == [(120, 40), (50, 50), None]
    assert colour_of(after[first]) == b"\xc0\x10\x10" and colour_of(after[second]) == b"\x10\x10\xc0"
    with house.connect("GRO") as gro:
        assert gro.get(f"/v1/documents/{first}", PDF).body == after[first]
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "again")
    assert {path.stem: path.read_bytes() for path in (tmp_path / "again").glob("*.pdf")} == written

    house.stop()
    house.start()
    assert pdfs_of(house) == after, "also after a restart"
    assert house.verify("--from-scratch")["ok"]
    house.run("backup", "--out", tmp_path / "backup")
    elsewhere = make_house()
    elsewhere.restore(tmp_path / "backup")
    elsewhere.start()
    assert pdfs_of(elsewhere) == after, "also in another place"
    assert elsewhere.json("house", "show")["logo"] is None
    assert elsewhere.verify("--from-scratch")["ok"]


def test_it_is_in_force_from_its_entry_on_not_from_its_day(make_house, tmp_path):
    """Drafts are approved, then a logo is set, all at one instant of the house's clock: what is issued afterwards
    has it."""
    house = closed(make_house(), tmp_path)
    waiting = house.json("settle", "draft", "2026-06")
    house.run("approve", waiting["id"], "--as-both")
    set_logo(house, tmp_path, RED)
    house.run("settle", "issue", "2026-06")
    set_logo(house, tmp_path, BLUE)
    assert {picture_of(pdf) for pdf in pdfs_of(house).values()} == {(120, 40)}


def printed(house, folder, *arguments):
    path = folder / "printed.pdf"
    house.run(*arguments, "--pdf", path)
    return path.read_bytes()


def test_what_was_printed_is_printed_again_with_the_same_bytes(make_house, tmp_path):
    house = closed(make_house(), tmp_path)
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    of_june = [("settle", "show", "2026-06"), ("report", "roll-forward", "--window", "2026-06"),
               ("report", "roll-forward", "--at", "2026-06-20"), ("report", "ageing", "--at", "2026-07-01")]
    before = [printed(house, tmp_path, *command) for command in of_june]
    set_logo(house, tmp_path, RED)
    assert [printed(house, tmp_path, *command) for command in of_june] == before, "closed without one"
    with house.connect("GRO") as gro:
        late = accrual("M1", 5, occurred_at="2026-06-29T09:00:00Z")
        assert gro.post("/v1/accruals", late).status == 201
    house.run("settle", "restate", "2026-06", "--out", tmp_path / "v2")
    difference = (tmp_path / "v2" / "2026-06-version-2-difference.pdf").read_bytes()
    assert picture_of(difference) == (120, 40)
    advance(house, "2026-07-22")
    house.run("settle", "remind", "--out", tmp_path)
    letter = (tmp_path / "reminder-2026-07-22-GRO.pdf").read_bytes()
    assert picture_of(letter) == (120, 40)
    advance(house, "2026-08-01")
    july = printed(house, tmp_path, "settle", "show", "2026-07")
    assert picture_of(july) == (120, 40), "closed with it"
    advance(house, "2026-08-10")
    ageing = printed(house, tmp_path, "report", "ageing", "--at", "2026-08-10")
    assert picture_of(ageing) is None, "a report is of an instant, a logo of an entry"

    set_logo(house, tmp_path, BLUE)
    assert printed(house, tmp_path, "settle", "show", "2026-07") == july
    assert picture_of(printed(house, tmp_path, "settle", "show", "2026-08")) == (50, 50), "still open"
    assert printed(house, tmp_path, "report", "ageing", "--at", "2026-08-10") == ageing
    assert [printed(house, tmp_path, *command) for command in of_june] == before
    house.run("settle", "restatements", "2026-06", "--version", 2, "--out", tmp_path / "again")
    assert (tmp_path / "again" / "2026-06-version-2-difference.pdf").read_bytes() == difference
    assert house.verify("--from-scratch")["ok"]


def damaged(file, place):
    return file[:place] + bytes([file[place] ^ 1]) + file[place + 1:]


NOISE = random.Random(1).randbytes(3000)
BAD = {
    "empty": (b"", "is empty"),
    "other": (b"GIF89a" + RED, "no PNG"),
    "text": (b"[company]\nname = 'x'\n", "no PNG"),
    "cut": (RED[:-20], "cut short"),
    "cut in its header": (RED[:20], "cut short"),
    "without its end": (RED[:-12], "cut short"),
    "damaged": (damaged(RED, 60), "a checksum"),
    "more behind it": (RED + b"x", "behind its end"),
    "too large": (RED[:-12] + chunk(b"teSt", bytes(65_536)) + RED[-12:], "more than 65536 bytes"),
    "too wide": (png(1001, 1), "1001 x 1 pixels; at most 1000 x 300"),
    "too high": (png(1, 301), "1 x 301 pixels"),
    "a bomb": (png(50_000, 50_000, packed=zlib.compress(bytes(60_000_000), 9)), "50000 x 50000 pixels"),
    "no pixels": (png(0, 7, packed=b""), "no pixels"),
    "a bomb in few pixels": (png(9, 7, packed=zlib.compress(bytes(60_000_000), 9)), "other pixels than"),
    "a bomb beside the picture": (RED[:-12] + chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(8_000_000), 9))
                                  + RED[-12:], "more than a picture"),
    "no picture": (png(9, 7, packed=b"nothing that was packed"), "other pixels than"),
    "too few rows": (png(9, 7, packed=zlib.compress(b"\0" * 40)), "other pixels than"),
    "unknown colours": (png(9, 7, header=b"\x08\x05\0\0\0"), "of a kind that there is not"),
    "no palette": (png(9, 7, b"\x01", header=b"\x08\x03\0\0\0"), "cannot be read"),
    "interlaced": (png(9, 7, header=b"\x08\x02\0\0\x01"), "is interlaced"),
    # Each row adds the same to the one above: a PNG packs that, a PDF packs the pixels.
    "too heavy": (png(1000, 300, packed=zlib.compress(b"\0" + NOISE + (b"\2" + NOISE) * 299, 9)),
                  "bytes of each PDF; at most 131072"),
}


@pytest.fixture(scope="module")
def sandbox(make_house):
    return make_house().make("GRO").start()


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_logo_is_refused_and_records_nothing(sandbox, tmp_path, name):
    file, complaint = BAD[name]
    path = tmp_path / "logo.png"
    path.write_bytes(file)
    refused = sandbox.run("house", "set-logo", path, status=1).stderr
    assert complaint in refused and "logo.png" in refused, refused
    with sandbox.connect("operator:anna") as anna:
        answer = bring(anna, "house/set-logo", file, PNG)
        assert answer.code == "settlement_refused" and complaint in answer.json["detail"], answer
    assert sandbox.json("house", "show")["logo"] is None
    assert "has none" in sandbox.run("house", "withdraw-logo", "--reason", "x", status=1).stderr


def test_no_file_and_no_end_of_one(sandbox, tmp_path):
    assert "cannot read" in sandbox.run("house", "set-logo", tmp_path / "nowhere.png", status=1).stderr
    assert "cannot read" in sandbox.run("house", "set-logo", tmp_path, status=1).stderr
    assert "more than 65536" in sandbox.run("house", "set-logo", "/dev/zero", status=1, timeout=20).stderr
    sandbox.run("house", "withdraw-logo", status=2)
    sandbox.run("house", "withdraw-logo", "--reason", " ", status=2)


def test_the_bounds_are_taken(make_house, tmp_path):
    house = make_house().make("GRO")
    largest = png(1000, 300)
    largest = largest[:-12] + chunk(b"tEXt", b"Comment\0" + b"x" * (65_536 - len(largest) - 20)) + largest[-12:]
    assert len(largest) == 65_536
    for file in (largest, png(1, 1), png(1000, 1), png(8, 3, b"\x07", header=b"\x08\0\0\0\0")):
        assert set_logo(house, tmp_path, file)["logo"] == described(file)
    assert house.verify("--from-scratch")["ok"]


def test_over_the_wire_it_is_done_once(make_house, tmp_path):
    house = make_house().make("GRO").start()
    with house.connect("operator:anna") as anna, house.connect("GRO") as gro:
        done = bring(anna, "house/set-logo", RED, PNG, message_id="logo-1")
        assert (done.status, done.json, done.replayed) == (200, {"logo": described(RED)}, False), done
        assert anna.get(OPERATOR + "house/show").json["logo"] == described(RED)
        again = bring(anna, "house/set-logo", RED, PNG, message_id="logo-1")
        assert (again.status, again.body, again.replayed) == (200, done.body, True), again
        assert bring(anna, "house/set-logo", BLUE, PNG, message_id="logo-1").code == "message_id_reused"
        assert bring(anna, "house/set-logo", RED, {"Content-Type": "application/pdf"}).status == 415
        assert bring(gro, "house/set-logo", BLUE, PNG).code == "forbidden"
        assert act(anna, "house/withdraw-logo").code == "malformed"
        gone = act(anna, "house/withdraw-logo", reason="no more")
        assert (gone.status, gone.json) == (200, {"logo": None, "withdrawn": "no more"}), gone
        # The first request is answered as it was; nothing is set again.
        assert bring(anna, "house/set-logo", RED, PNG, message_id="logo-1").body == done.body
        assert anna.get(OPERATOR + "house/show").json["logo"] is None


def test_in_a_production_house_it_takes_two(production, pair, tmp_path):  # noqa: F811
    house, _ = production
    large = RED[:-12] + chunk(b"tEXt", b"Comment\0" + b"x" * 60_000) + RED[-12:]
    (tmp_path / "logo.png").write_bytes(large)
    assert "--operator" in house.run("house", "set-logo", tmp_path / "logo.png", status=1).stderr
    assert bring(pair.anna, "house/set-logo", RED[:-1], PNG).code == "settlement_refused"
    assert house.json("approve", "list") == [], "what is refused does not wait"

    waiting = house.json("house", "set-logo", tmp_path / "logo.png", "--operator",
                         house.certificate_folder("operator:anna") / "cert.pem")
    bob = house.certificate_folder("operator:bob") / "cert.pem"
    shown = house.run("approve", "show", waiting["id"], "--operator", bob).stdout
    assert hashlib.sha256(large).hexdigest() in shown, "bob sees which one it is"
    assert "characters; --json has them" in shown and len(shown) < 2_000, "not the file itself"
    as_json = house.json("approve", "show", waiting["id"], "--operator", bob)
    assert base64.b64encode(large).decode() in json.dumps(as_json)
    assert house.json("house", "show")["logo"] is None, "it waits"
    house.run("approve", "reject", waiting["id"], "--reason", "not ours", "--operator", bob)
    assert house.json("house", "show")["logo"] is None

    pair.prepares("house/set-logo", large)
    assert house.json("house", "show")["logo"] == described(large)
    pair.prepares("house/withdraw-logo", reason="the old mark")
    assert house.json("house", "show")["logo"] is None
    assert house.verify()["ok"]

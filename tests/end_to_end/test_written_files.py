"""Where commands write: a file whole or not at all, a device as it is, and nothing done when nothing can be written."""

import os
import stat
import subprocess
import threading
from pathlib import Path

import bank_statement
import pytest

from messages import accrual
from test_settlement import closed


@pytest.fixture
def june(make_house, tmp_path):
    return closed(make_house(), tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """Makes a file system of so many bytes, in memory."""
    folder = tmp_path / "small"
    folder.mkdir()

    def make(size):
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode:
            pytest.skip("mounting a small disk is refused here")
        return folder

    yield make
    subprocess.run(["umount", "-l", folder], check=False, stderr=subprocess.DEVNULL)


def test_a_device_stays_a_device(june, tmp_path):
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    before = null.stat()
    for command in (("export", "journal", "--format", "csv", "--out", null),
                    ("export", "gl", "--format", "hledger", "--window", "2026-06", "--out", null),
                    ("settle", "show", "2026-06", "--pdf", null)):
        june.run(*command)
        after = null.lstat()
        assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino), command


def test_a_pipe_is_written_to_and_a_link_is_followed(june, tmp_path):
    pipe, file, link = tmp_path / "pipe", tmp_path / "file.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    june.run("export", "journal", "--format", "csv", "--out", pipe)
    reader.join(timeout=30)
    file.write_text("before")
    link.symlink_to(file)
    june.run("export", "journal", "--format", "csv", "--out", link)
    assert link.is_symlink() and file.read_bytes() == read[0]
    assert not list(tmp_path.glob("*.unfinished"))


def test_what_cannot_be_written_says_why(june, tmp_path):
    for command in (("export", "journal", "--format", "csv", "--out"),
                    ("export", "gl", "--format", "hledger", "--window", "2026-06", "--out"),
                    ("settle", "show", "2026-06", "--pdf")):
        missing = june.run(*command, tmp_path / "nowhere" / "x", status=1).stderr
        assert "nowhere/x: No such file or directory" in missing, missing
        folder = june.run(*command, tmp_path, status=1).stderr
        assert "it is a folder" in folder, folder


def test_invoices_on_a_full_disk_leave_no_parts(june, tmp_path, small_disk):
    whole = [Path(each) for each in june.json("settle", "invoices", "2026-06", "--out", tmp_path / "whole")]
    disk = small_disk(sum(each.stat().st_size for each in whole) // 2)
    refused = june.run("settle", "invoices", "2026-06", "--out", disk, status=1)
    assert refused.stderr.startswith(f"pointhouse: cannot write {disk}/") and "No space left" in refused.stderr
    written = {each.name for each in disk.iterdir()}
    assert written < {each.name for each in whole}, "no part of a file"
    for name in written:
        assert (disk / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), "what is there is whole"
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    assert len(june.json("settle", "invoices", "2026-06", "--out", disk)) == len(whole), "a rerun completes"
    assert {each.name: each.read_bytes() for each in disk.iterdir()} == {
        each.name: each.read_bytes() for each in whole}


def test_a_payment_file_that_cannot_be_written_did_not_leave_the_house(june, tmp_path):
    house = june
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    house.run("settle", "net", "2026-06")
    statement = tmp_path / "in.xml"
    statement.write_text(bank_statement.statement(1, 50_00, [{"minor": 140, "text": "PH-2026-06-GRO"}]))
    house.run("bank", "import", statement)
    house.run("bank", "match")
    payments = ("settle", "payments", "2026-06", "--out")
    refused = house.run(*payments, tmp_path / "nowhere" / "x.xml", status=1).stderr
    assert "No such file or directory" in refused, refused
    assert "it is a folder" in house.run(*payments, tmp_path, status=1).stderr
    assert house.json(*payments, tmp_path / "pay.xml")["payments"] == 3
    assert (tmp_path / "pay.xml").stat().st_mode & 0o777 == 0o600
    assert "--reissue" in house.run(*payments, tmp_path / "again.xml", status=1).stderr
    assert not (tmp_path / "again.xml").exists() and not list(tmp_path.glob("*.unfinished"))


def test_a_month_that_is_none_is_named(june):
    for window in ("9999-12", "1969-12", "2262-04"):
        for command in (("settle", "show", window), ("report", "roll-forward", "--window", window)):
            refused = june.run(*command, status=1).stderr
            assert f"the house has no window {window}" in refused, refused


def test_a_part_of_a_line_is_credited(june, tmp_path):
    house = june
    house.run("settle", "invoices", "2026-06", "--out", tmp_path / "documents")
    [invoice] = [row for row in house.json("settle", "documents") if row["number"] == "INV-2026-000001"]
    credit = ("settle", "credit", "INV-2026-000001", "--reason", "counted twice")
    for wrong in (("--points", "5"), ("--line", "1"), ("--line", "1", "--points", "5", "--amount", "0.01"),
                  ("--line", "99", "--amount", "0.01"), ("--line", "1", "--amount", "-0.01"),
                  ("--line", "1", "--amount", "999999")):
        assert house.run(*credit, *wrong, status=None).returncode != 0, wrong
    made = house.json(*credit, "--line", "1", "--amount", "0.50")
    assert made["corrects"] == "INV-2026-000001" and made["total_minor"] >= 50
    [after] = [row for row in house.json("settle", "documents") if row["number"] == "INV-2026-000001"]
    assert after["credited_minor"] == made["total_minor"] and after["total_minor"] == invoice["total_minor"]
    # No more than the line, all parts together.
    assert "more than the line" in house.run(
        *credit, "--line", "1", "--amount", f"{invoice['total_minor'] / 100:.2f}", status=1).stderr
    assert house.verify("--from-scratch")["ok"]


@pytest.mark.parametrize("sign", ["\uFFFF", "\uFFFE", "\u0085", "\u007F", "\uFDD0", "\U0001FFFE"])
def test_a_name_that_no_document_bears_is_refused(june, tmp_path, sign):
    terms = tmp_path / "company.toml"
    name = f"\\U{ord(sign):08X}"
    terms.write_text(f'[company]\nname = "A{name}B"\n')
    refused = june.run("partner", "set-company", "GRO", terms, status=1).stderr
    assert "printable" in refused, refused
    with june.connect("GRO") as gro:
        assert gro.post("/v1/accruals", accrual("M1", 5, occurred_at="2026-07-16T09:00:00Z")).status == 201
    assert june.run("settle", "credit", "INV-2026-000001", "--reason", f"a{sign}", status=None).returncode != 0


def test_a_backup_and_its_house_lie_apart(june, make_house, tmp_path):
    assert "within the house" in june.run("backup", "--out", june.data / "inside", status=1).stderr
    assert not (june.data / "inside").exists()
    june.run("backup", "--out", tmp_path / "backup")
    before = sorted(path for path in (tmp_path / "backup").rglob("*"))
    inside = make_house()
    inside.data = tmp_path / "backup" / "inside"
    assert "within the backup" in inside.restore(tmp_path / "backup", status=1).stderr
    assert sorted(path for path in (tmp_path / "backup").rglob("*")) == before


def test_a_second_certificate_makes_no_second_operator(make_house):
    house = make_house()
    house.init("--production")
    for name in ("anna", "anna", "anna", "bert"):
        house.run("cert", "issue", f"operator:{name}")
    house.run("cert", "issue", "operator:carl", status=1)

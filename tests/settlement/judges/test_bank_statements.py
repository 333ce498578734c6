"""Judges the sample bank statements from outside: the schema of ISO 20022, and balances added up anew."""

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "tests/golden/settlement/bank").glob("*.xml"))
SCHEMA = ROOT.parent / "shared/xsd/iso20022/camt.053.001.08.xsd"
NAMES = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}


def test_there_are_three_banks():
    assert len(FILES) >= 3


@pytest.mark.parametrize("path", FILES, ids=str)
def test_schema(path):
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA} is not there")
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed (libxml2-utils)")
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def signed(node):
    amount = Decimal(node.findtext("c:Amt", None, NAMES))
    return -amount if node.findtext("c:CdtDbtInd", None, NAMES) == "DBIT" else amount


@pytest.mark.parametrize("path", FILES, ids=str)
def test_balances_add_up(path):
    for statement in ElementTree.parse(path).getroot().iterfind("c:BkToCstmrStmt/c:Stmt", NAMES):
        booked = [balance for balance in statement.findall("c:Bal", NAMES)
                  if balance.findtext("c:Tp/c:CdOrPrtry/c:Cd", None, NAMES) in ("OPBD", "PRCD", "ITBD", "CLBD")]
        opening, closing = booked
        entries = [entry for entry in statement.findall("c:Ntry", NAMES)
                   if entry.findtext("c:Sts/c:Cd", None, NAMES) == "BOOK"]
        assert signed(opening) + sum(signed(entry) for entry in entries) == signed(closing)

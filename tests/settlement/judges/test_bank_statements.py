"""Judges the sample bank statements from outside: the schema of ISO 20022, and balances added up anew."""

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "tests/golden/settlement/bank").glob("*.xml"))
SCHEMAS = ROOT.parent / "shared/xsd/iso20022"


def version_of(path):
    return ElementTree.parse(path).getroot().tag[1:].partition("}")[0].rpartition(":")[2]


def test_there_are_three_banks():
    assert len(FILES) >= 3


# Of version 02 there is no schema beside the clone.
@pytest.mark.parametrize("path", [path for path in FILES if version_of(path) == "camt.053.001.08"], ids=str)
def test_schema(path):
    schema = SCHEMAS / f"{version_of(path)}.xsd"
    if not schema.exists():
        pytest.skip(f"{schema} is not there")
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed (libxml2-utils)")
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def signed(node, names):
    amount = Decimal(node.findtext("c:Amt", None, names))
    return -amount if node.findtext("c:CdtDbtInd", None, names) == "DBIT" else amount


@pytest.mark.parametrize("path", FILES, ids=str)
def test_balances_add_up(path):
    names = {"c": f"urn:iso:std:iso:20022:tech:xsd:{version_of(path)}"}
    status = "c:Sts" if version_of(path) == "camt.053.001.02" else "c:Sts/c:Cd"
    for statement in ElementTree.parse(path).getroot().iterfind("c:BkToCstmrStmt/c:Stmt", names):
        booked = [balance for balance in statement.findall("c:Bal", names)
                  if balance.findtext("c:Tp/c:CdOrPrtry/c:Cd", None, names) in ("OPBD", "PRCD", "ITBD", "CLBD")]
        opening, closing = booked
        entries = [entry for entry in statement.findall("c:Ntry", names)
                   if entry.findtext(status, None, names) == "BOOK"]
        assert signed(opening, names) + sum(signed(entry, names) for entry in entries) == signed(closing, names)

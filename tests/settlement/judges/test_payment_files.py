"""Judges payment files from outside: the schema of ISO 20022, the profile, and sums and check digits made anew."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = sorted((ROOT / "tests/golden/settlement/payments").glob("pain001-*.xml"))
SCHEMA = ROOT.parent / "shared/xsd/iso20022/pain.001.001.09.xsd"
NAMES = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture(scope="module")
def files(judged_payments, seed, tmp_path_factory):
    """The golden files, and 200 random ones."""
    folder = tmp_path_factory.mktemp("orders")
    judged_payments("orders", seed, 200, folder)
    written = sorted(folder.iterdir())
    assert len(GOLDEN) >= 2 and len(written) == 200
    return GOLDEN + written


def test_schema(files):
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA} is not there")
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed (libxml2-utils)")
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_control_sums(files):
    for path in files:
        message = ElementTree.parse(path).getroot().find("p:CstmrCdtTrfInitn", NAMES)
        amounts = []
        for block in message.findall("p:PmtInf", NAMES):
            own = block.findall("p:CdtTrfTxInf/p:Amt/p:InstdAmt", NAMES)
            [currency] = {amount.get("Ccy") for amount in own}
            assert all(("." not in amount.text) == (currency == "JPY") for amount in own)
            assert Decimal(block.findtext("p:CtrlSum", None, NAMES)) == sum(Decimal(amount.text) for amount in own)
            assert int(block.findtext("p:NbOfTxs", None, NAMES)) == len(own)
            amounts += [Decimal(amount.text) for amount in own]
        assert amounts
        assert Decimal(message.findtext("p:GrpHdr/p:CtrlSum", None, NAMES)) == sum(amounts)
        assert int(message.findtext("p:GrpHdr/p:NbOfTxs", None, NAMES)) == len(amounts)


def test_euro_go_by_sepa_and_other_currencies_do_not(files):
    found = set()
    for path in files:
        root = ElementTree.parse(path).getroot()
        [currency] = {amount.get("Ccy") for amount in root.iterfind(".//p:InstdAmt", NAMES)}
        found.add(currency)
        level = root.findtext(".//p:PmtTpInf/p:SvcLvl/p:Cd", None, NAMES)
        charges = root.findtext(".//p:ChrgBr", None, NAMES)
        account = root.findtext(".//p:DbtrAcct/p:Ccy", None, NAMES)
        if currency == "EUR":
            assert (level, charges, account) == ("SEPA", "SLEV", None)
            continue
        assert (level, charges, account) == (None, "SHAR", currency)
        transfers = root.findall(".//p:CdtTrfTxInf", NAMES)
        assert all(each.findtext("p:CdtrAgt/p:FinInstnId/p:BICFI", None, NAMES) for each in transfers)
        assert root.findtext(".//p:DbtrAgt/p:FinInstnId/p:BICFI", None, NAMES)
    assert found == {"EUR", "SEK", "JPY"}


def test_profile_of_the_sepa_credit_transfer(files):
    for path in files:
        root = ElementTree.parse(path).getroot()
        identifications = [node.text for node in root.iterfind(".//p:EndToEndId", NAMES)]
        assert len(set(identifications)) == len(identifications)
        for identification in identifications:
            assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]{1,35}", identification)
            assert not re.search(r"^/|//|/$", identification)

        for element in root.iter():
            if element.text and element.text.strip():
                assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]+", element.text), element.text
        for name in root.iterfind(".//p:Nm", NAMES):
            assert 1 <= len(name.text) <= 70
        for text in root.iterfind(".//p:Ustrd", NAMES):
            assert 1 <= len(text.text) <= 140
        for remittance in root.iterfind(".//p:RmtInf", NAMES):
            assert len(remittance) == 1, "one text or one reference"
        for iban in root.iterfind(".//p:IBAN", NAMES):
            assert int("".join(str(int(c, 36)) for c in iban.text[4:] + iban.text[:4])) % 97 == 1

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


def require_schema():
    if not SCHEMA.exists():
        pytest.skip(f"{SCHEMA} is not there")
    if not shutil.which("xmllint"):
        pytest.skip("xmllint is not installed (libxml2-utils)")


def test_schema(files):
    require_schema()
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def sums_agree(root):
    """Each block with its transfers, and the head with all."""
    message = root.find("p:CstmrCdtTrfInitn", NAMES)

    def agrees(totals, amounts):
        return (Decimal(totals.findtext("p:CtrlSum", None, NAMES)) == sum(amounts)
                and int(totals.findtext("p:NbOfTxs", None, NAMES)) == len(amounts))

    def amounts_of(block):
        return [Decimal(amount.text) for amount in block.findall("p:CdtTrfTxInf/p:Amt/p:InstdAmt", NAMES)]

    blocks = message.findall("p:PmtInf", NAMES)
    everything = [amount for block in blocks for amount in amounts_of(block)]
    return all(agrees(block, amounts_of(block)) for block in blocks) and agrees(message.find("p:GrpHdr", NAMES), everything)


def check_digits_agree(root):
    """Of accounts (ISO 13616) and of creditors' references (ISO 11649)."""
    checked = [each.text for name in ("IBAN", "Ref") for each in root.iterfind(f".//p:{name}", NAMES)]
    return all(int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1 for text in checked)


def currencies_agree(root):
    return {amount.get("Ccy") for amount in root.iterfind(".//p:InstdAmt", NAMES)} == {
        each.text for each in root.iterfind(".//p:DbtrAcct/p:Ccy", NAMES)}


def test_control_sums(files):
    for path in files:
        root = ElementTree.parse(path).getroot()
        own = root.findall(".//p:InstdAmt", NAMES)
        [currency] = {amount.get("Ccy") for amount in own}
        assert own and all(("." not in amount.text) == (currency == "JPY") for amount in own)
        assert sums_agree(root), path


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
        assert check_digits_agree(root)


# Who catches a changed figure of a payment file, wherever it stands in it. What nobody catches is compared with the
# nets that it pays in tests/settlement/payment_file_test.cpp, byte for byte.
CAUGHT_BY = {
    "sums": """
        GrpHdr/NbOfTxs GrpHdr/CtrlSum PmtInf/NbOfTxs PmtInf/CtrlSum PmtInf/CdtTrfTxInf/Amt/InstdAmt""",
    "check digits": """
        PmtInf/DbtrAcct/Id/IBAN PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN
        PmtInf/CdtTrfTxInf/RmtInf/Strd/CdtrRefInf/Ref""",
    "currencies": "PmtInf/DbtrAcct/Ccy PmtInf/CdtTrfTxInf/Amt/InstdAmt/@Ccy",
    "nobody": """
        GrpHdr/MsgId GrpHdr/CreDtTm PmtInf/PmtInfId PmtInf/ReqdExctnDt/Dt PmtInf/DbtrAgt/FinInstnId/BICFI
        PmtInf/CdtTrfTxInf/PmtId/EndToEndId PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI
        PmtInf/CdtTrfTxInf/RmtInf/Ustrd""",
}


def next_digit(text):
    """The same with its last digit one further."""
    return re.sub(r"[0-9](?=[^0-9]*$)", lambda digit: str((int(digit.group()) + 1) % 10), text)


def mutations(text):
    """[(path, the text with one figure changed: the next digit, another currency)]."""
    root = ElementTree.fromstring(text)
    parents = {child: parent for parent in root.iter() for child in parent}

    def path_of(leaf):
        names = []
        while parents[leaf] is not root:
            names.append(leaf.tag.partition("}")[2])
            leaf = parents[leaf]
        return "/".join(reversed(names))

    for leaf in [element for element in root.iter() if not len(element)]:
        before = leaf.text
        changed = "NOK" if leaf.tag.endswith("}Ccy") else next_digit(before)
        if changed != before:
            leaf.text = changed
            yield path_of(leaf), ElementTree.tostring(root)
            leaf.text = before
        for name, value in dict(leaf.attrib).items():
            leaf.set(name, "NOK")
            yield f"{path_of(leaf)}/@{name}", ElementTree.tostring(root)
            leaf.set(name, value)


def test_who_catches_a_changed_figure(tmp_path):
    require_schema()
    caught = {}
    for place, (path, text) in enumerate(mutations((GOLDEN[0].parent / "pain001-june-2026-sek.xml").read_text())):
        file = tmp_path / f"{place:03}.xml"
        file.write_bytes(text)
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, file], capture_output=True)
        root = ElementTree.fromstring(text)
        judges = {"schema": done.returncode == 0, "sums": sums_agree(root), "check digits": check_digits_agree(root),
                  "currencies": currencies_agree(root)}
        by = {judge for judge, agrees in judges.items() if not agrees}
        caught[path] = caught.get(path, by) & by
    found = {figure: " and ".join(sorted(by)) or "nobody" for figure, by in caught.items()}
    assert found == {figure: judges for judges, figures in CAUGHT_BY.items() for figure in figures.split()}

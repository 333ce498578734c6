"""Runs what others wrote about invoices: the schema of UBL 2.1, and the rules of EN 16931 and Peppol BIS.

The rules are Schematron compiled to XSLT, as OpenPeppol publishes them twice a year and phive-rules packs
them (pom.xml); Saxon applies them. Each judge takes a folder of XML files and says what it finds wrong
in each file: {file name: [rule, ...]}, with nothing for a file that it accepts.
"""

import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
from collections import defaultdict
from pathlib import Path

RELEASE = "2026.5"
EN_16931 = "CEN-EN16931-UBL"
PEPPOL_BILLING = "PEPPOL-EN16931-UBL"
PEPPOL_SELF_BILLING = "PEPPOL-EN16931-UBL-SB"

SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def is_self_billed(path):
    return b"poacc:selfbilling:3.0" in path.read_bytes()


class OfficialRules:
    """Brings rules and processor into `folder` once, and applies them."""

    def __init__(self, folder):
        self.folder = folder
        pom = Path(__file__).parent / "pom.xml"
        pinned = folder / "pom.xml"
        if not pinned.exists() or pinned.read_bytes() != pom.read_bytes():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            subprocess.run(["mvn", "--quiet", "--batch-mode", "--file", pom, "dependency:copy-dependencies",
                            f"-DoutputDirectory={folder}"], check=True)
            self._unpack()
            shutil.copy(pom, pinned)

    def _unpack(self):
        (archive,) = self.folder.glob("phive-rules-peppol-*.jar")
        with zipfile.ZipFile(archive) as rules:
            for name in (EN_16931, PEPPOL_BILLING, PEPPOL_SELF_BILLING):
                path = f"external/schematron/openpeppol/{RELEASE}/xslt/{name}.xslt"
                (self.folder / f"{name}.xslt").write_bytes(rules.read(path))

    def en_16931(self, files):
        return self._applied(EN_16931, files)

    def peppol(self, files):
        """Each file by the rules of its own profile."""
        files = list(files)
        return (self._applied(PEPPOL_BILLING, [file for file in files if not is_self_billed(file)]) |
                self._applied(PEPPOL_SELF_BILLING, [file for file in files if is_self_billed(file)]))

    def _applied(self, name, files):
        if not files:
            return {}
        with tempfile.TemporaryDirectory() as work:
            source, result = Path(work, "source"), Path(work, "result")
            source.mkdir()
            result.mkdir()
            for file in files:
                shutil.copy(file, source)
            subprocess.run(["java", "-cp", f"{self.folder}/*", "net.sf.saxon.Transform",
                            f"-xsl:{self.folder}/{name}.xslt", f"-s:{source}", f"-o:{result}"], check=True)
            return {file.name: self._findings(result / file.name) for file in files}

    @staticmethod
    def _findings(report):
        """Warnings count, too. A report that looked at nothing is no acceptance."""
        root = ElementTree.parse(report).getroot()
        assert len(root.findall(f"{SVRL}fired-rule")) > 20, f"{report.name}: the rules did not look at it"
        failed = root.findall(f"{SVRL}failed-assert") + root.findall(f"{SVRL}successful-report")
        return sorted({finding.get("id") for finding in failed})


class Schema:
    def __init__(self, folder):
        self.folder = folder

    def findings(self, files):
        by_kind = defaultdict(list)
        for file in files:
            is_credit_note = b"schema:xsd:CreditNote-2" in file.read_bytes()
            by_kind["CreditNote" if is_credit_note else "Invoice"].append(file)
        found = {}
        for kind, alike in by_kind.items():
            run = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", self.folder / f"UBL-{kind}-2.1.xsd",
                                  *alike], capture_output=True, text=True)
            for file in alike:
                said = [line for line in run.stderr.splitlines() if line.startswith(f"{file}")]
                found[file.name] = [] if f"{file} validates" in said else ["schema"]
        return found

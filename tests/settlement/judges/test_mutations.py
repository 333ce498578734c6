"""Judges that accept everything are none: one figure of a document changed at a time is caught, and by whom.

The official rules accept a line that is 0.02 wrong and VAT that is 0.99 wrong, know no party's address, and
never compare an invoice with what was settled. What only the recomputation catches stands in the table as it is.
"""

import re
from collections import defaultdict

import pytest

import recomputation
from mutations import mutations, unreadable

BASES = {
    "invoice": "june-1-all-2026-000001",
    "credit note": "june-1-all-2026-000004",
    "self-billed invoice": "june-1-all-2026-000002",
    "self-billed credit note": "june-1-all-2026-000002-credited",
    "part of a credit": "june-half-all-2026-000001-credited-in-part",
    "outside the scope of VAT": "june-1-fee-2026-000002",
    "with VAT in another currency": "june-1-all-2026-000001-accounted-in-czk",
}

# Who catches a changed figure of the invoice, wherever it stands in it. The recomputation catches all of them.
CAUGHT_BY = {
    "EN 16931 and Peppol": """
        TypeCode TaxTotal/TaxAmount/@currencyID""",
    "EN 16931": """
        TaxTotal/TaxAmount TaxTotal/TaxSubtotal/TaxAmount TaxTotal/TaxSubtotal/TaxCategory/ID
        TaxTotal/TaxSubtotal/TaxCategory/Percent LegalMonetaryTotal/LineExtensionAmount
        LegalMonetaryTotal/TaxExclusiveAmount LegalMonetaryTotal/TaxInclusiveAmount LegalMonetaryTotal/PayableAmount
        Line/LineExtensionAmount Line/Item/ClassifiedTaxCategory/ID""",
    "Peppol": """
        CustomizationID ProfileID PaymentMeans/PaymentMeansCode
        AccountingSupplierParty/Party/EndpointID AccountingSupplierParty/Party/EndpointID/@schemeID
        AccountingCustomerParty/Party/EndpointID AccountingCustomerParty/Party/EndpointID/@schemeID
        TaxTotal/TaxSubtotal/TaxableAmount/@currencyID TaxTotal/TaxSubtotal/TaxAmount/@currencyID
        LegalMonetaryTotal/LineExtensionAmount/@currencyID LegalMonetaryTotal/TaxExclusiveAmount/@currencyID
        LegalMonetaryTotal/TaxInclusiveAmount/@currencyID LegalMonetaryTotal/PayableAmount/@currencyID
        Line/LineExtensionAmount/@currencyID Line/Quantity/@unitCode
        Line/Price/PriceAmount/@currencyID Line/Price/BaseQuantity/@unitCode""",
    "nobody else": """
        ID IssueDate DueDate TaxPointDate InvoicePeriod/StartDate InvoicePeriod/EndDate
        AccountingSupplierParty/Party/PostalAddress/StreetName AccountingSupplierParty/Party/PostalAddress/PostalZone
        AccountingSupplierParty/Party/PartyTaxScheme/CompanyID AccountingSupplierParty/Party/PartyLegalEntity/CompanyID
        AccountingCustomerParty/Party/PostalAddress/StreetName AccountingCustomerParty/Party/PostalAddress/PostalZone
        AccountingCustomerParty/Party/PartyTaxScheme/CompanyID AccountingCustomerParty/Party/PartyLegalEntity/CompanyID
        PaymentMeans/PaymentID PaymentMeans/PayeeFinancialAccount/ID
        PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID PaymentTerms/Note
        TaxTotal/TaxSubtotal/TaxableAmount
        Line/ID Line/Quantity Line/Item/Description
        Line/Item/SellersItemIdentification/ID Line/Item/ClassifiedTaxCategory/Percent
        Line/Price/PriceAmount Line/Price/BaseQuantity""",
}

# What is caught otherwise in the other kinds of document, by the same names, and what they do not have.
CAUGHT_OTHERWISE = {
    "invoice": {},
    "credit note": {
        "EN 16931": "Line/Item/ClassifiedTaxCategory/Percent",
        "nobody else": "PaymentMeans/PaymentDueDate"},
    "self-billed invoice": {
        "EN 16931": "Line/Item/ClassifiedTaxCategory/Percent",
        "Peppol": "TypeCode",
        "nobody else": "TaxTotal/TaxSubtotal/TaxAmount/@currencyID"},
    "self-billed credit note": {
        "EN 16931": "Line/Item/ClassifiedTaxCategory/Percent",
        "Peppol": "TypeCode",
        "nobody else": """
            BillingReference/InvoiceDocumentReference/ID BillingReference/InvoiceDocumentReference/IssueDate
            PaymentMeans/PaymentDueDate TaxTotal/TaxSubtotal/TaxAmount/@currencyID"""},
    "part of a credit": {
        "EN 16931": "Line/Item/ClassifiedTaxCategory/Percent",
        "nobody else": """
            BillingReference/InvoiceDocumentReference/ID BillingReference/InvoiceDocumentReference/IssueDate
            PaymentMeans/PaymentDueDate Line/Quantity/@unitCode"""},
    "outside the scope of VAT": {
        "EN 16931 and Peppol": "TaxTotal/TaxSubtotal/TaxCategory/ID",
        "EN 16931": "TaxTotal/TaxSubtotal/TaxableAmount"},
    "with VAT in another currency": {
        "nobody else": "TaxTotal/TaxAmount"},
}
ABSENT = {
    "credit note": "DueDate",
    "self-billed credit note": "DueDate",
    "part of a credit": "DueDate Line/Price/BaseQuantity Line/Price/BaseQuantity/@unitCode",
    "outside the scope of VAT": """
        TaxPointDate TaxTotal/TaxSubtotal/TaxCategory/Percent Line/Item/ClassifiedTaxCategory/Percent
        AccountingSupplierParty/Party/PartyTaxScheme/CompanyID AccountingCustomerParty/Party/PartyTaxScheme/CompanyID""",
    "with VAT in another currency": """
        PaymentMeans/PaymentMeansCode PaymentMeans/PaymentID PaymentMeans/PayeeFinancialAccount/ID
        PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID""",
}


def figure_of(path):
    """Invoices and credit notes have the same figures under other names."""
    return re.sub(r"\b(Invoice|CreditNote)(?=Line|TypeCode)|\b(Invoiced|Credited)(?=Quantity)", "", path)


def by_figure(table):
    return {path: judges for judges, paths in table.items() for path in paths.split()}


class Mutated:
    """The mutations of all bases in one folder, so that each judge is started once."""

    def __init__(self, documents, folder, change):
        self.files, self.changed, self.recomputed = [], {}, {}
        for kind, base in BASES.items():
            document = (documents / f"{base}.json").read_text()
            for place, (path, xml) in enumerate(change((documents / f"{base}.xml").read_bytes())):
                file = folder / f"{base}-{place:03}.xml"
                file.write_bytes(xml)
                self.files.append(file)
                self.changed[file.name] = kind, path
                self.recomputed[file.name] = recomputation.findings(xml, document)


@pytest.fixture(scope="module")
def mutated(documents, tmp_path_factory):
    return Mutated(documents, tmp_path_factory.mktemp("mutated"), mutations)


@pytest.fixture(scope="module")
def official(mutated, rules):
    return {"EN 16931": rules.en_16931(mutated.files), "Peppol": rules.peppol(mutated.files)}


def test_the_recomputation_catches_every_changed_figure(mutated):
    missed = [mutated.changed[name] for name, found in mutated.recomputed.items() if not found]
    assert not missed and len(mutated.files) > 300


@pytest.mark.parametrize("kind", BASES)
def test_who_catches_what(kind, mutated, official):
    caught = defaultdict(set)
    for name, (of, path) in mutated.changed.items():
        if of == kind:
            judges = " and ".join(judge for judge, findings in official.items() if findings[name])
            caught[figure_of(path)].add(judges or "nobody else")
    # A figure that stands in several places is caught by those who catch it everywhere.
    found = {figure: by.pop() if len(by) == 1 else "nobody else" for figure, by in caught.items()}

    absent = ABSENT.get(kind, "").split()
    usual = {figure: judges for figure, judges in by_figure(CAUGHT_BY).items() if figure not in absent}
    assert found == usual | by_figure(CAUGHT_OTHERWISE[kind])


@pytest.mark.parametrize("kind", BASES)
def test_the_official_rules_catch_wrong_totals(kind, mutated, official):
    """Of every kind of document, not of invoices alone."""
    totals = {f"LegalMonetaryTotal/{total}" for total in
              ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount")}
    names = [name for name, (of, path) in mutated.changed.items() if of == kind and path in totals]

    assert len(names) == 4
    assert all(official["EN 16931"][name] for name in names)


def test_the_schema_catches_what_is_no_number_or_day(documents, schema, tmp_path):
    mutated = Mutated(documents, tmp_path, unreadable)

    assert all(schema.findings(mutated.files).values()) and len(mutated.files) > 100

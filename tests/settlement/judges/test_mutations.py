"""Judges that accept everything are none: one figure of an invoice changed at a time is caught, and by whom.

The official rules accept a line that is 0.02 wrong and VAT that is 0.99 wrong, know no party's address, and
never compare an invoice with what was settled. What only the recomputation catches stands in the table as it is.
"""

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
        InvoiceTypeCode TaxTotal/TaxAmount/@currencyID""",
    "EN 16931": """
        TaxTotal/TaxAmount TaxTotal/TaxSubtotal/TaxAmount TaxTotal/TaxSubtotal/TaxCategory/ID
        TaxTotal/TaxSubtotal/TaxCategory/Percent LegalMonetaryTotal/LineExtensionAmount
        LegalMonetaryTotal/TaxExclusiveAmount LegalMonetaryTotal/TaxInclusiveAmount LegalMonetaryTotal/PayableAmount
        InvoiceLine/LineExtensionAmount InvoiceLine/Item/ClassifiedTaxCategory/ID""",
    "Peppol": """
        CustomizationID ProfileID PaymentMeans/PaymentMeansCode
        AccountingSupplierParty/Party/EndpointID AccountingSupplierParty/Party/EndpointID/@schemeID
        AccountingCustomerParty/Party/EndpointID AccountingCustomerParty/Party/EndpointID/@schemeID
        TaxTotal/TaxSubtotal/TaxableAmount/@currencyID TaxTotal/TaxSubtotal/TaxAmount/@currencyID
        LegalMonetaryTotal/LineExtensionAmount/@currencyID LegalMonetaryTotal/TaxExclusiveAmount/@currencyID
        LegalMonetaryTotal/TaxInclusiveAmount/@currencyID LegalMonetaryTotal/PayableAmount/@currencyID
        InvoiceLine/LineExtensionAmount/@currencyID InvoiceLine/InvoicedQuantity/@unitCode
        InvoiceLine/Price/PriceAmount/@currencyID InvoiceLine/Price/BaseQuantity/@unitCode""",
    "nobody else": """
        ID IssueDate DueDate TaxPointDate InvoicePeriod/StartDate InvoicePeriod/EndDate
        AccountingSupplierParty/Party/PostalAddress/StreetName AccountingSupplierParty/Party/PostalAddress/PostalZone
        AccountingSupplierParty/Party/PartyTaxScheme/CompanyID AccountingSupplierParty/Party/PartyLegalEntity/CompanyID
        AccountingCustomerParty/Party/PostalAddress/StreetName AccountingCustomerParty/Party/PostalAddress/PostalZone
        AccountingCustomerParty/Party/PartyTaxScheme/CompanyID AccountingCustomerParty/Party/PartyLegalEntity/CompanyID
        PaymentMeans/PaymentID PaymentMeans/PayeeFinancialAccount/ID
        PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID PaymentTerms/Note
        TaxTotal/TaxSubtotal/TaxableAmount
        InvoiceLine/ID InvoiceLine/InvoicedQuantity InvoiceLine/Item/Description
        InvoiceLine/Item/SellersItemIdentification/ID InvoiceLine/Item/ClassifiedTaxCategory/Percent
        InvoiceLine/Price/PriceAmount InvoiceLine/Price/BaseQuantity""",
}


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


def test_who_catches_what(mutated, official):
    caught = defaultdict(set)
    for name, (kind, path) in mutated.changed.items():
        if kind == "invoice":
            judges = " and ".join(judge for judge, findings in official.items() if findings[name])
            caught[path].add(judges or "nobody else")
    # A figure that stands in several places is caught by those who catch it everywhere.
    found = {path: by.pop() if len(by) == 1 else "nobody else" for path, by in caught.items()}

    assert found == {path: judges for judges, paths in CAUGHT_BY.items() for path in paths.split()}


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

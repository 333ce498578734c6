"""The house's own judge: works every figure of an invoice out again, from the points and prices of its lines.

Official rules let an amount of VAT be wrong by up to 0.99, and a line by 0.02. This one lets nothing be wrong,
and also compares names, dates and accounts. It reads the document's JSON for points, prices and parties, and
computes with fractions; nothing is shared with the house's own code.
"""

import json
import xml.etree.ElementTree as ElementTree
from datetime import date
from fractions import Fraction
from itertools import groupby

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"

MINOR_DIGITS = {"JPY": 0}
EXEMPTIONS = {"E": (None, "Exempt from VAT"), "AE": ("VATEX-EU-AE", "Reverse charge"),
              "O": ("VATEX-EU-O", "Not subject to VAT")}
ITEM_NAMES = {"price": "Loyalty points, issue price", "fee": "Loyalty points, service fee",
              "reimbursement": "Loyalty points taken, reimbursement", "donation": "Loyalty points donated",
              "breakage_shared": "Loyalty points expired, issuer's share"}
DEEDS = {"issued": "issued", "redeemed": "redeemed", "refunded": "refunded", "donated": "donated",
         "clawed_back": "clawed back", "debt_incurred": "clawed back, owed by members",
         "recovered": "recovered from members' debt", "expiry_undone": "expired, clawed back since",
         "reinstated": "expired, reinstated since"}
SPENDING = {"redeemed", "refunded", "donated"}
SELF_BILLING = "Self-billing: issued by the buyer in the name and on behalf of the seller."
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December"]


def rounded(exact):
    """To a whole number, half away from zero."""
    whole = abs(exact) + Fraction(1, 2)
    return (1 if exact >= 0 else -1) * (whole.numerator // whole.denominator)


def decimal(count, digits):
    """`count` of 10**-digits, as text."""
    sign, text = "-" if count < 0 else "", str(abs(count)).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def grouped(text, places):
    """Commas between thousands, and no more zeros than `places` decimals have."""
    whole, _, decimals = text.partition(".")
    return f"{int(whole):,}.{decimals.rstrip('0').ljust(places, '0')}"


def day_in_words(day):
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def month_in_words(month):
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


class Recomputation:
    """What the XML of one document has to say, as [(path, attributes, text)] in the order of the file."""

    def __init__(self, document):
        self.document = document
        self.code = document["type_code"]
        self.is_credit = self.code in (261, 381)
        self.is_self_billed = self.code in (261, 389)
        self.digits = MINOR_DIGITS.get(document["currency"], 2)
        self.unit = Fraction(1, 10 ** self.digits)
        self.is_outside_scope = document["lines"][0]["vat_category"] == "O"
        self.is_prepaid = document["supply"] == "block_purchase"
        self.is_gross = "gross_minor" in document["lines"][0]
        self.nets = [self.net(line) for line in document["lines"]]
        if self.is_gross:
            self._take_tax_out()
        self.tax_point = document["lines"][0].get("tax_point", "period_end")
        self.leaves = []
        self._header()
        self._parties()
        self._payment()
        self._tax()
        self._totals()
        for number, line in enumerate(document["lines"], start=1):
            self._line(number, line)

    # The figures, each worked out from the lines' points and prices.

    def exact(self, line):
        if line["price_micro"] is None and not line["details"]:
            return Fraction(line["exact_micro"], 10 ** 6)  # part of a credit: an amount that people agreed on
        parts = line["details"] or [line]
        if "booked" not in self.document:
            return sum((Fraction(part["points"] * part["price_micro"], 10 ** 6) for part in parts), Fraction(0))
        return Fraction(self.converted(parts), 10 ** 6)

    def converted(self, parts):
        """In millionths, once from the sum in the house's currency. A price in a smaller unit gives the agreed one back."""
        rate = self.rate()
        if rate is None or rate < 1:
            return sum(part["amount_micro"] for part in parts)
        return rounded(rate * sum(part["points"] * rounded(part["price_micro"] / rate) for part in parts))

    def rate(self):
        """So many units of the document's currency are one of the accounting currency, as far as the document says."""
        accounting = self.document["accounting"]
        if not accounting:
            return None
        rate = Fraction(accounting["rate_millionths"], 10 ** 6)
        return rate if accounting.get("rate_is_inverse") else 1 / rate

    def net(self, line):
        """What the line's exact amount rounds to, in minor units: its net, or its gross where the price holds the tax.
        Parts of a credit are rounded on their running sum, so a part alone may be off by one."""
        net = rounded(self.exact(line) / self.unit)
        stated = line["gross_minor" if self.is_gross else "net_minor"]
        is_part = not line["details"]
        return stated if is_part and abs(stated - net) <= 1 else net

    @staticmethod
    def rate_of(line):
        return line["vat_category"], line["vat_rate_basis_points"]

    def _take_tax_out(self):
        """Of prices that hold the tax: the lines of a rate, one after the other, come to what of their sum is without."""
        self.gross = sum(self.nets)
        sums = {}
        for place, line in enumerate(self.document["lines"]):
            rate = self.rate_of(line)
            before = sums.get(rate, 0)
            sums[rate] = before + self.nets[place]
            self.nets[place] = self.without_tax(sums[rate], rate[1]) - self.without_tax(before, rate[1])

    @staticmethod
    def without_tax(gross, basis_points):
        return rounded(Fraction(gross * 10_000, 10_000 + basis_points))

    def vat(self):
        lines = sorted((self.rate_of(line), place) for place, line in enumerate(self.document["lines"]))
        for key, group in groupby(lines, key=lambda each: each[0]):
            net = sum(self.nets[place] for _, place in group)
            yield *key, net, rounded(Fraction(net * key[1], 10_000))

    # The leaves.

    def _add(self, path, text, **attributes):
        if text != "":
            self.leaves.append((path, attributes, text))

    def _amount(self, path, minor):
        self._add(path, decimal(minor, self.digits), currencyID=self.document["currency"])

    def _header(self):
        document = self.document
        profile = "selfbilling" if self.is_self_billed else "billing"
        has_date = self.tax_point == "period_end" and not self.is_outside_scope
        tax_point = document["to"] if has_date and document["to"] != document["issued_on"] else ""
        reason = document["reason"] if document["corrects"] else ""
        note = " ".join(filter(None, [SELF_BILLING if self.is_self_billed else "",
                                      "Cash accounting." if self.tax_point == "payment" else "", reason]))
        self._add("CustomizationID",
                  f"urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{profile}:3.0")
        self._add("ProfileID", f"urn:fdc:peppol.eu:2017:poacc:{profile}:01:1.0")
        self._add("ID", document["number"])
        self._add("IssueDate", document["issued_on"])
        if self.is_credit:
            self._add("TaxPointDate", tax_point)
            self._add("CreditNoteTypeCode", str(self.code))
            self._add("Note", note)
        else:
            self._add("DueDate", document["due_on"])
            self._add("InvoiceTypeCode", str(self.code))
            self._add("Note", note)
            self._add("TaxPointDate", tax_point)
        self._add("DocumentCurrencyCode", document["currency"])
        if document["accounting"]:
            self._add("TaxCurrencyCode", document["accounting"]["currency"])
        self._add("BuyerReference", document["buyer"]["id"])
        self._add("InvoicePeriod/StartDate", document["from"])
        self._add("InvoicePeriod/EndDate", document["to"])
        self._add("InvoicePeriod/DescriptionCode", {"issue": "3", "payment": "432"}.get(self.tax_point, ""))
        billed = {(part["billed_on"]["issued_on"], part["billed_on"]["number"])
                  for line in document["lines"] for part in line.get("earlier", []) if "billed_on" in part}
        if document["corrects"]:
            billed = {(document["corrects"]["issued_on"], document["corrects"]["number"])}
        for issued_on, number in sorted(billed):
            self._add("BillingReference/InvoiceDocumentReference/ID", number)
            self._add("BillingReference/InvoiceDocumentReference/IssueDate", issued_on)

    def _parties(self):
        for role, key in (("AccountingSupplierParty", "seller"), ("AccountingCustomerParty", "buyer")):
            party, path = self.document[key], f"{role}/Party"
            self._add(f"{path}/EndpointID", party["endpoint"], schemeID=party["endpoint_scheme"])
            self._add(f"{path}/PartyIdentification/ID", party["id"])
            self._add(f"{path}/PostalAddress/StreetName", party["street"])
            self._add(f"{path}/PostalAddress/CityName", party["city"])
            self._add(f"{path}/PostalAddress/PostalZone", party["postal_code"])
            self._add(f"{path}/PostalAddress/Country/IdentificationCode", party["country"])
            if party["vat_id"] and not self.is_outside_scope:
                self._add(f"{path}/PartyTaxScheme/CompanyID", party["vat_id"])
                self._add(f"{path}/PartyTaxScheme/TaxScheme/ID", "VAT")
            self._add(f"{path}/PartyLegalEntity/RegistrationName", party["name"])
            scheme = {8: "0106", 20: "0190"}.get(len(party["registration"])) if party["country"] == "NL" else None
            self._add(f"{path}/PartyLegalEntity/CompanyID", party["registration"],
                      **({"schemeID": scheme} if scheme else {}))
            self._add(f"{path}/Contact/ElectronicMail", party["email"])

    def _payment(self):
        payee = self.document["buyer" if self.is_credit else "seller"]
        if self.is_prepaid:
            words = "Paid back." if self.is_credit else "Paid when the points were bought."
            return self._add("PaymentTerms/Note", words)
        if payee["iban"]:
            self._add("PaymentMeans/PaymentMeansCode", "58" if self.document["currency"] == "EUR" else "30")
            if self.is_credit:
                self._add("PaymentMeans/PaymentDueDate", self.document["due_on"])
            self._add("PaymentMeans/PaymentID", self.document["number"])
            account = "PaymentMeans/PayeeFinancialAccount"
            self._add(f"{account}/ID", payee["iban"])
            self._add(f"{account}/Name", payee["name"])
            self._add(f"{account}/FinancialInstitutionBranch/ID", payee["bic"])
        due = day_in_words(date.fromisoformat(self.document["due_on"]))
        others = "other open documents" if self.document["corrects"] else \
            f"the other documents of {month_in_words(self.document['window'])}"
        return self._add("PaymentTerms/Note", f"Due {due}, net with {others}.")

    def _category(self, path, category, basis_points):
        self._add(f"{path}/ID", category)
        if category != "O":
            self._add(f"{path}/Percent", decimal(basis_points, 2))

    def _tax(self):
        vat = list(self.vat())
        tax = sum(one[3] for one in vat)
        self._amount("TaxTotal/TaxAmount", tax)
        for category, basis_points, net, tax_of_rate in vat:
            self._amount("TaxTotal/TaxSubtotal/TaxableAmount", net)
            self._amount("TaxTotal/TaxSubtotal/TaxAmount", tax_of_rate)
            path = "TaxTotal/TaxSubtotal/TaxCategory"
            self._category(path, category, basis_points)
            code, reason = EXEMPTIONS.get(category, (None, ""))
            self._add(f"{path}/TaxExemptionReasonCode", code or "")
            self._add(f"{path}/TaxExemptionReason", reason)
            self._add(f"{path}/TaxScheme/ID", "VAT")
        if self.document["accounting"]:
            accounting = self.document["accounting"]
            digits = MINOR_DIGITS.get(accounting["currency"], 2)
            exact = tax * self.unit / self.rate()
            self._add("TaxTotal/TaxAmount", decimal(rounded(exact * 10 ** digits), digits),
                      currencyID=accounting["currency"])

    def _totals(self):
        net = sum(self.nets)
        total = net + sum(vat[3] for vat in self.vat())
        owed = self.gross if self.is_gross else total
        self._amount("LegalMonetaryTotal/LineExtensionAmount", net)
        self._amount("LegalMonetaryTotal/TaxExclusiveAmount", net)
        self._amount("LegalMonetaryTotal/TaxInclusiveAmount", total)
        if self.is_prepaid:
            self._amount("LegalMonetaryTotal/PrepaidAmount", owed)
        if owed != total:
            self._amount("LegalMonetaryTotal/PayableRoundingAmount", owed - total)
        self._amount("LegalMonetaryTotal/PayableAmount", 0 if self.is_prepaid else owed)

    def _line(self, number, line):
        path = "CreditNoteLine" if self.is_credit else "InvoiceLine"
        net = self.nets[number - 1]
        is_points = line["price_micro"] is not None and \
            (line["points"] != 0 if self.is_gross else abs(net * self.unit - self.exact(line)) < Fraction(2, 100))
        quantity = line["points"] if is_points else (-1 if net < 0 else 1)
        self._add(f"{path}/ID", str(number))
        self._add(f"{path}/Note", self._note(line))
        self._add(f"{path}/{'Credited' if self.is_credit else 'Invoiced'}Quantity", str(quantity), unitCode="C62")
        self._amount(f"{path}/LineExtensionAmount", net)
        description = f"Tariff {line['tariff']}, {month_in_words(line['origin'])}"
        if self.is_gross:
            agreed = line["price_micro"]
            description += ", prices with VAT" if agreed is None else \
                f", {grouped(decimal(agreed, 3), 2)} per 1,000 with VAT"
        self.leaves.append((f"{path}/Item/Description", {}, (description, self._details(line))))
        self._add(f"{path}/Item/Name", ITEM_NAMES[line["flow"]])
        self._add(f"{path}/Item/SellersItemIdentification/ID", f"{line['flow']}-{line['tariff']}")
        self._category(f"{path}/Item/ClassifiedTaxCategory", line["vat_category"], line["vat_rate_basis_points"])
        self._add(f"{path}/Item/ClassifiedTaxCategory/TaxScheme/ID", "VAT")
        currency = self.document["currency"]
        if is_points and self.is_gross:
            # So exact that quantity × price is the line's net to the cent; the tax in it is not agreed on by the point.
            price = Fraction(net) * self.unit * 1000 / line["points"]
            places = max(6, len(str(abs(line["points"]))))
            text = grouped(decimal(rounded(price * 10 ** places), places), 2).replace(",", "")
            assert rounded(Fraction(text) * line["points"] / 1000 / self.unit) == net
            self._add(f"{path}/Price/PriceAmount", text, currencyID=currency)
            self._add(f"{path}/Price/BaseQuantity", "1000", unitCode="C62")
        elif is_points:
            # A millionth a point is a thousandth per 1,000 points.
            self._add(f"{path}/Price/PriceAmount", decimal(line["price_micro"], 3), currencyID=currency)
            self._add(f"{path}/Price/BaseQuantity", "1000", unitCode="C62")
        else:
            self._add(f"{path}/Price/PriceAmount", decimal(abs(net), self.digits), currencyID=currency)

    @staticmethod
    def _note(line):
        """What of a line happened in an earlier month, or undoes what one billed."""
        def words(part):
            why = "" if part["undoes"] else ", late"
            if "billed_on" in part:
                why = f", billed on {part['billed_on']['number']}"
            rest = ", rest of the price" if line["flow"] == "price" and part["kind"] in SPENDING else ""
            points = f"{part['points']:,}".replace("-", "−")
            return f"{points} points of {month_in_words(part['origin'])}{why} ({DEEDS[part['kind']]}{rest})"
        parts = line.get("earlier", [])
        assert all(part["origin"] < line["origin"] for part in parts)
        return "Of which " + "; ".join(map(words, parts)) if parts else ""

    @staticmethod
    def _details(line):
        """Points and price of each part of a line without one price, as the description has to name them."""
        if line["price_micro"] is not None:
            return []
        def price(detail):
            """With so many decimals that points × price comes to the amount, where the price of a point is rounded."""
            points, amount = detail["points"], detail["amount_micro"]
            places, micro = 3, Fraction(detail["price_micro"])
            if points and micro * points != amount:
                places, micro = max(6, len(str(abs(points)))), Fraction(amount, points)
            return grouped(decimal(rounded(micro * 10 ** (places - 3)), places), 2)
        return [(f"{detail['points']:,}".replace("-", "−"), price(detail)) for detail in line["details"]]


def leaves_of(xml):
    """Every element without children: [(path, attributes, text)]."""
    def walk(element, path):
        for child in element:
            name = child.tag.split("}")[1]
            if len(child):
                yield from walk(child, f"{path}{name}/")
            else:
                yield f"{path}{name}", dict(child.attrib), child.text or ""

    return list(walk(ElementTree.fromstring(xml), ""))


def is_description(text, expected):
    """A description begins as expected and, where a line has several prices, goes on with each part."""
    beginning, details = expected
    if not details:
        return text == beginning
    if not text.startswith(beginning + ": "):
        return False
    parts = text[len(beginning) + 2:].split("; ")
    return len(parts) == len(details) and all(
        part.startswith(f"{points} points ") and part.endswith(f" at {price} per 1,000")
        for part, (points, price) in zip(parts, details))


def findings(xml, document_json):
    """What is wrong with an XML, measured by its document's JSON: the paths, and nothing where all is right."""
    document = json.loads(document_json)
    expected = Recomputation(document).leaves
    found = leaves_of(xml)
    wrong = [] if len(found) == len(expected) else ["number of elements"]
    for (path, attributes, text), (wanted_path, wanted_attributes, wanted) in zip(found, expected):
        is_right = is_description(text, wanted) if isinstance(wanted, tuple) else text == wanted
        if path != wanted_path or attributes != wanted_attributes or not is_right:
            wrong.append(path)
    return sorted(set(wrong))

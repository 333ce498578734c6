"""Random months worked out again with fractions, from what happened to the documents, by DESIGN section 4."""

import json
from collections import defaultdict
from fractions import Fraction

import pytest

from recomputation import Recomputation, rounded

CHARITY = 4
UNIT = 10_000  # millionths in a cent


def charged(month, steps=None):
    """What happened, as {(partner, supply, tariff version, flow): millionths}, in the payer's sign."""
    sums = defaultdict(Fraction)
    tariffs = {version: tariff for version, tariff in enumerate(month["tariffs"], start=1)}

    def add(supply, version, flow, amount, partner=None):
        sums[partner or tariffs[version]["partner"], supply, version, flow] += amount

    for what, lot, other, points, *_ in steps or month["steps"]:
        issuer, second = tariffs[lot], tariffs[other]
        price, fee = issuer["issue_price_micro"], issuer["service_fee_micro"]
        share = Fraction(*issuer["prefund_share"])
        rest = (1 - share) * price * points
        if what in ("issue", "claw_back"):
            sign = 1 if what == "issue" else -1
            add("issuance", lot, "price", sign * share * price * points)
            add("issuance", lot, "fee", sign * fee * points)
        elif what in ("redeem", "refund"):
            sign = 1 if what == "redeem" else -1
            add("issuance", lot, "price", sign * rest)
            add("redemption", other, "reimbursement", sign * second["reimbursement_micro"] * points)
        elif what in ("donate", "refund_donation"):
            sign = 1 if what == "donate" else -1
            add("issuance", lot, "price", sign * rest)
            add("donation", lot, "donation", sign * price * points, CHARITY)
        elif what == "expire":
            shares = issuer["breakage_operator"] + issuer["breakage_issuer"]
            add("breakage", lot, "breakage_shared",
                share * price * points * Fraction(issuer["breakage_issuer"], shares))
        else:  # points of `lot` repay a debt for points of `other`, whose issuer gets price and fee back
            if what == "recover":
                add("issuance", lot, "price", rest)
            add("issuance", other, "price", -second["issue_price_micro"] * points)
            add("issuance", other, "fee", -second["service_fee_micro"] * points)
    return sums


def of_earlier_months(month):
    """What of it belongs to earlier months, as {(partner, supply, tariff version, flow): {(month, undoes): millionths}}.
    Of a recovery that is the debt's side."""
    parts = defaultdict(lambda: defaultdict(Fraction))
    for what, *rest, origin, undoes in month["steps"]:
        if origin and (what != "recover" or undoes):
            for key, amount in charged(month, [["recover_debt" if what == "recover" else what, *rest]]).items():
                parts[key][origin, undoes] += amount
    return parts


def expected(month):
    """{(partner, supply, outside the scope of VAT, price, tax point): (lines, VAT, total)}, in the payer's sign, and in
    cents."""
    rules, later = ({(rule["partner"], rule["flow"]): rule for rule in month["vat"] if rule["is_later"] == is_later}
                    for is_later in (False, True))
    lines = defaultdict(dict)
    for (partner, supply, version, flow), exact in charged(month).items():
        agreed = rules[partner, flow]
        point = agreed["tax_point"]
        # Rows of after the month tax what is issued after it, at the prices of the month.
        row = agreed if point == "period_end" else later.get((partner, flow), agreed)
        rate = row["category"], row["rate_basis_points"]
        price = agreed["price"] if rate[1] else "net"
        if rate[0] == "O":
            point = "period_end"
        lines[partner, supply, rate[0] == "O", price, point][version, flow] = rate, exact, rounded(exact / UNIT)
    documents = {}
    for key, of_document in lines.items():
        sums = defaultdict(int)
        for rate, _, amount in of_document.values():
            sums[rate] += amount
        nets = sums if key[3] == "net" else {
            rate: Recomputation.without_tax(gross, rate[1]) for rate, gross in sums.items()}
        vat = {rate: (net, rounded(Fraction(net * rate[1], 10_000))) for rate, net in nets.items()}
        if any(any(pair) for pair in vat.values()):
            owed = sum(map(sum, vat.values())) if key[3] == "net" else sum(sums.values())
            documents[key] = of_document, vat, owed
    return documents


KINDS = {  # by supply: what is above zero, and what is below
    "issuance": ("invoice", "credit_note"),
    "breakage": ("credit_note", "invoice"),
    "redemption": ("self_billed_invoice", "self_billed_credit_note"),
    "donation": ("self_billed_invoice", "self_billed_credit_note"),
}


def kind_of(supply, is_outside_scope, is_below_zero):
    if supply == "donation" and is_outside_scope:
        return "payment_statement"
    return KINDS[supply][is_below_zero]


def compare(month):
    """How many documents there were; each is as it has to be, to the cent, and none is missing or too many."""
    wanted, earlier = expected(month), of_earlier_months(month)
    for document in month["documents"]:
        supply = document["supply"].removesuffix("_statement")
        is_outside_scope = document["lines"][0]["vat_category"] == "O"
        price = "gross" if "gross_minor" in document["lines"][0] else "net"
        point = document["lines"][0].get("tax_point", "period_end")
        lines, vat, total = wanted.pop((document["partner_number"], supply, is_outside_scope, price, point))
        nothing_else = sum(net for net, _ in vat.values())
        is_below_zero = (total, nothing_else) < (0, 0)
        kind = kind_of(supply, is_outside_scope, is_below_zero)
        assert document["type"] == kind
        sign = -1 if is_below_zero and kind != "payment_statement" else 1
        shown = {(line["tariff"], line["flow"]):
                 ((line["vat_category"], line["vat_rate_basis_points"]),
                  sign * line["exact_micro"], sign * line["net_minor" if price == "net" else "gross_minor"])
                 for line in document["lines"]}
        assert sum(line["net_minor"] for line in document["lines"]) == document["net_minor"]
        for line in document["lines"]:
            parts = defaultdict(Fraction)
            for part in line.get("earlier", []):
                parts[part["origin"], part["undoes"]] += sign * part["amount_micro"]
            of_line = earlier[document["partner_number"], supply, line["tariff"], line["flow"]]
            assert parts | {} == {key: of_line[key] for key in parts}
            assert all(key in parts or amount == 0 for key, amount in of_line.items())
        assert shown == {key: line for key, line in lines.items() if key in shown}
        # A line on which nothing ever moved need not be there.
        assert all(exact == 0 for key, (_, exact, _) in lines.items() if key not in shown)
        shown_vat = {(one["category"], one["rate_basis_points"]): (sign * one["net_minor"], sign * one["vat_minor"])
                     for one in document["vat"]}
        assert shown_vat == {rate: pair for rate, pair in vat.items() if rate in shown_vat}
        assert document["total_minor"] == sign * total
    assert not wanted, "a document is missing"
    return len(month["documents"])


def test_documents_of_random_months(documents):
    months = [json.loads(line) for line in (documents / "months.jsonl").open()]
    compared = 0
    for month in months:
        try:
            compared += compare(month)
        except (AssertionError, KeyError) as fault:
            pytest.fail(f"month of seed {month['seed']}: {fault}")

    assert compared > 3 * len(months)
    shown = [document for month in months for document in month["documents"]]
    assert sum("gross_minor" in document["lines"][0] for document in shown) > len(months) / 2
    assert {document.get("payable_rounding_minor") for document in shown} >= {None, 1, -1}
    parts = [part for document in shown for line in document["lines"] for part in line.get("earlier", [])]
    assert {(part["undoes"], "billed_on" in part) for part in parts} == {(False, False), (True, True)}
    assert {document["lines"][0].get("tax_point") for document in shown} == {None, "issue", "payment"}

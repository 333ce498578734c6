"""Lives of a coalition, worked out again with fractions: from messages to the last cent of each account.

Each has three months with changes of tariffs, late items, credits, disputes and defaults, and a fourth in which all that
is left is paid. Some partners are invoiced in a currency of their own; in some lives contracts belong to programs and change
to others, and nothing owed under one is offset by what is owed under another. What is right is written here from DESIGN sections 4
and 5, NETTING and the finance manual."""

import json
from collections import defaultdict
from fractions import Fraction

import pytest

from recomputation import Recomputation, rounded
from test_months import KINDS, kind_of
from test_nettings import shared

CHARITY = 4
UNIT = 10_000  # millionths in a cent
HOUSE_SELLS = ("issuance", "breakage")
ACCRUED = {"issuance": "unbilled", "breakage": "accrued_breakage_share",
           "redemption": "accrued_redemption", "donation": "accrued_redemption"}
SERIES = {"invoice": "INV", "credit_note": "CN", "payment_statement": "PS",
          "self_billed_invoice": "SB", "self_billed_credit_note": "SC"}


def name_of(partner):
    return "CHA" if partner == CHARITY else f"P{partner}"


def sign_of(supply, kind):
    """Above zero: the partner owes what the document says."""
    return 1 if (supply in HOUSE_SELLS) != kind.endswith("credit_note") else -1


def digits_of(currency):
    return 0 if currency == "JPY" else 2


def unit_of(currency):
    """Millionths in a minor unit."""
    return 10 ** (6 - digits_of(currency))


def tax_on(net, basis_points):
    return rounded(Fraction(net * basis_points, 10_000))


def totals_of(lines, price):
    """({rate: (net, VAT)}, what is owed) of lines {key: (rate, exact, rounded amount)}; a gross price holds the VAT."""
    sums = defaultdict(int)
    for rate, _, amount in lines.values():
        sums[rate] += amount
    nets = sums if price == "net" else {
        rate: Recomputation.without_tax(gross, rate[1]) for rate, gross in sums.items()}
    vat = {rate: (net, tax_on(net, rate[1])) for rate, net in nets.items()}
    return vat, sum(map(sum, vat.values())) if price == "net" else sum(sums.values())


def worth(minor, currency, rate):
    """In cents of the euro, at so many units for one."""
    return rounded(Fraction(minor, 10 ** digits_of(currency)) / rate * 100)


class Document:
    """One that was issued, and what has happened to it."""

    def __init__(self, shown, exact):
        self.currency, self.booked = shown["currency"], shown.get("booked")
        self.number, self.partner, self.kind = shown["number"], shown["partner_number"], shown["type"]
        self.supply = shown["supply"].removesuffix("_statement")
        self.program = shown.get("program", "")
        self.window, self.total, self.tax = shown["window"], shown["total_minor"], shown["vat_minor"]
        self.is_gross = "gross_minor" in shown["lines"][0]
        self.lines = [{"net": line["net_minor"], "rate": line["vat_rate_basis_points"], "flow": line["flow"],
                       "gross": line.get("gross_minor"), "exact": line["exact_micro"],
                       "credited": 0, "credited_gross": 0} for line in shown["lines"]]
        self.exact = exact  # of all lines, in millionths
        self.owed = sign_of(self.supply, self.kind) * self.total
        self.is_set_off = False
        self.set_off = self.disputed = self.credited = 0
        self.netted = defaultdict(int)
        # In the books, of one in another currency.
        self.claim = sign_of(self.supply, self.kind) * self.booked["total_minor"] if self.booked else self.owed
        self.set_off_claim, self.claimed = 0, defaultdict(int)

    def open_claim(self):
        if not self.booked or self.is_set_off:
            return self.open()
        if self.disputed:
            return int(Fraction(self.claim * self.open(), self.owed))
        return self.claim + (self.set_off_claim if self.claim < 0 else -self.set_off_claim) - sum(self.claimed.values())

    def open(self):
        if self.is_set_off:
            return 0
        less = self.set_off + self.disputed
        return self.owed + (less if self.owed < 0 else -less) - sum(self.netted.values())


class Payment:
    def __init__(self, partner, documents):
        self.partner, self.documents, self.settled, self.claim_settled = partner, documents, 0, 0
        self.program = documents[-1].program
        self.is_foreign = documents[-1].booked is not None
        self.net = -sum(document.open() for document in documents)
        self.claim = -sum(document.open_claim() for document in documents)

    def left(self):
        return self.net - self.settled

    def waits(self, minimum):
        """Too little to be paid."""
        if self.net == 0:
            return False
        return abs(self.claim) < minimum or self.claim * self.net <= 0

    def settle(self, paid):
        """Returns what of the claim goes with it: in proportion, the last part takes the rest."""
        self.settled += paid
        claim = self.claim if self.settled == self.net else int(Fraction(self.claim * self.settled, self.net))
        claim, self.claim_settled = claim - self.claim_settled, claim
        return claim


class Life:
    def __init__(self, told):
        self.told = told
        self.rates = {(rule["partner"], rule["flow"]): (rule["category"], rule["rate_basis_points"])
                      for rule in told["vat"]}
        self.prices = {(rule["partner"], rule["flow"]): rule["price"] for rule in told["vat"]}
        self.tax_points = {(rule["partner"], rule["flow"]): rule["tax_point"] for rule in told["vat"]}
        self.events = iter(told["events"])
        self.tariffs, self.accruals, self.spent = {}, [], []
        self.currencies = {int(partner): currency for partner, currency in told["currencies"].items()}
        self.rates_of_exchange, self.month, self.program_of = {}, "", {}
        self.charges = defaultdict(Fraction)
        self.documents, self.series, self.disputes = {}, defaultdict(int), {}
        self.payments = []
        self.claims = defaultdict(int)  # what each owes; in the books it stands in `ar` and `ap`
        self.held, self.balances = defaultdict(int), defaultdict(int)

    def judge(self):
        for event in self.events:
            getattr(self, event["what"])(event)
        # Every entry sums to zero: what no other account has, the rates made.
        self.balances["exchange"] = -sum(self.balances.values())
        for account in [account for account, amount in self.balances.items() if not amount]:
            del self.balances[account]
        # Öre that are worth nothing, or a debt to one and a claim to the other, wait for more: they stand in ar and ap.
        told = dict(self.told["balances_micro"])
        for partner in self.currencies:
            waiting = [each for each in self.documents.values()
                       if each.partner == partner and (each.open() or each.open_claim())]
            for program in {each.program for each in waiting}:
                of_program = [each for each in waiting if each.program == program]
                assert Payment(partner, of_program).waits(0), "something is left"
            left = sum(told.pop(f"{side}:{name_of(partner)}", 0) for side in ("ar", "ap"))
            assert left == sum(each.open_claim() for each in waiting) * UNIT
            self.balances["exchange"] -= left
        for account in [account for account, amount in self.balances.items() if not amount]:
            del self.balances[account]
        assert told == dict(self.balances), "and nothing is left in ar or ap"
        assert not any(self.claims.values())
        self.are_paid()
        assert all(document.open() == 0 or document.booked for document in self.documents.values()), "something is left"

    def are_paid(self):
        assert not any(payment.left() for payment in self.payments), "a net is not paid to the end"

    def rate(self, event):
        self.rates_of_exchange[event["currency"], event["day"]] = Fraction(event["rate_micro"], 10 ** 6)

    def programs(self, event):
        self.program_of = {int(partner): program for partner, program in event["programs"].items()}

    def rate_until(self, currency, day):
        return self.rates_of_exchange[max(key for key in self.rates_of_exchange if key[0] == currency and key[1] <= day)]

    def rate_of_pay_day(self, partner):
        """None: it is paid in the house's currency."""
        year, number = self.month.split("-")
        currency = self.currencies.get(partner)
        return currency and self.rate_until(currency, f"{year}-{int(number) + 1:02}-14")

    # Messages.

    def tariff(self, event):
        self.tariffs[event["version"]] = event

    def in_force(self, partner, day):
        return max((tariff for tariff in self.tariffs.values() if tariff["partner"] == partner and tariff["from"] <= day),
                   key=lambda tariff: tariff["from"])

    def charge(self, supply, tariff, flow, amount, partner=None):
        self.charges[partner or tariff["partner"], supply, tariff["version"], flow] += amount

    def issue(self, tariff, points):
        share = Fraction(*tariff["prefund_share"])
        self.charge("issuance", tariff, "price", share * tariff["issue_price_micro"] * points)
        self.charge("issuance", tariff, "fee", tariff["service_fee_micro"] * points)

    def rest_due(self, tariff, points):
        share = Fraction(*tariff["prefund_share"])
        self.charge("issuance", tariff, "price", (1 - share) * tariff["issue_price_micro"] * points)

    def accrual(self, event):
        tariff = self.in_force(event["partner"], event["activity"])
        self.accruals.append(tariff)
        self.issue(tariff, event["points"])

    def spend(self, event, points):
        lot = self.accruals[event["accrual"]]
        self.rest_due(lot, points)
        if event["what"] == "donation":
            return self.charge("donation", lot, "donation", lot["issue_price_micro"] * points, CHARITY)
        redeemer = self.in_force(event["partner"], event["day"])
        return self.charge("redemption", redeemer, "reimbursement", redeemer["reimbursement_micro"] * points)

    def redemption(self, event):
        self.spent.append(event)
        self.spend(event, event["points"])

    donation = redemption

    def refund(self, event):
        # At the rates that the redemption froze: a further tariff begins later than any day before it.
        self.spend(self.spent[event["of"]], -event["points"])

    def clawback(self, event):
        self.issue(self.accruals[event["accrual"]], -event["points"])

    def expiry(self, event):
        lot = self.accruals[event["accrual"]]
        operator, issuer = lot["breakage"]
        amount = Fraction(*lot["prefund_share"]) * lot["issue_price_micro"] * event["points"]
        self.charge("breakage", lot, "breakage_shared", amount * Fraction(issuer, operator + issuer))

    def recovery(self, event):
        self.rest_due(self.accruals[event["accrual"]], event["points"])
        debt = self.accruals[event["debt_of"]]
        self.charge("issuance", debt, "price", -debt["issue_price_micro"] * event["points"])
        self.charge("issuance", debt, "fee", -debt["service_fee_micro"] * event["points"])

    # Documents.

    def next_issued(self):
        event = next(self.events)
        assert event["what"] == "issued"
        return event["documents"]

    def take(self, shown, exact):
        """Numbers have no gaps; what is issued is booked."""
        document = Document(shown, exact)
        series = SERIES[document.kind]
        if series in ("SB", "SC"):
            series += "-" + name_of(document.partner)
        self.series[series] += 1
        assert document.number == f"{series}-2026-{self.series[series]:06}"
        self.documents[document.number] = document
        name, sign = name_of(document.partner), sign_of(document.supply, document.kind)
        total, tax = document.total, document.tax
        if document.booked:
            total, tax, exact = (document.booked[key] for key in ("total_minor", "vat_minor", "exact_micro"))
        within = self.tax_in_prices(document, total, tax) if document.is_gross else {}
        net = (total - (0 if within else tax)) * UNIT
        if not document.booked:  # else it goes with payments, at their rates
            self.claims[document.partner] += sign * total * UNIT
        # What a correction takes back nobody bills again.
        self.balances["write_off" if shown["corrects"] else f"{ACCRUED[document.supply]}:{name}"] -= sign * exact
        for account, amount in within.items():
            self.balances["write_off" if shown["corrects"] else account] += sign * amount * UNIT
        self.balances["vat:output" if document.supply in HOUSE_SELLS else "vat:input"] -= sign * tax * UNIT
        if not document.booked:
            self.balances["rounding"] -= sign * (net - exact)
        return document

    @staticmethod
    def tax_in_prices(document, total, tax):
        """The books accrued the whole prices: their VAT comes out of what was earned by them."""
        fee = sum(line["gross"] - line["net"] for line in document.lines if line["flow"] == "fee")
        if document.booked:
            fee = rounded(Fraction(total * fee, document.total)) if document.total else 0
        return {"revenue:service_fee": fee, "revenue:redemption_margin": tax - fee}

    def converted(self, lines, partner, month, price):
        """The lines of a document in the currency of its partner, and what it is worth in the books."""
        currency = self.currencies[partner]
        rate = self.rate_until(currency, f"{month}-31")
        own = {}
        for key, (vat, exact, _) in lines.items():
            millionths = rounded(exact * rate)
            own[key] = vat, millionths, rounded(Fraction(millionths, unit_of(currency)))
        vat, total = totals_of(own, price)
        tax = sum(tax for _, tax in vat.values())
        booked = {"exact_micro": sum(exact for _, exact, _ in lines.values()),
                  "vat_minor": worth(tax, currency, rate), "total_minor": worth(total, currency, rate)}
        return own, vat, total, booked

    def expected(self):
        """{(partner, supply, outside the scope of VAT, price, tax point): ({(version, flow): (rate, exact, rounded)}, VAT,
        total)}."""
        lines = defaultdict(dict)
        for (partner, supply, version, flow), exact in self.charges.items():
            rate = self.rates[partner, flow]
            key = partner, supply, rate[0] == "O", self.prices[partner, flow], self.tax_points[partner, flow]
            lines[key][version, flow] = rate, exact, rounded(exact / UNIT)
        self.charges.clear()
        documents = {}
        for key, of_document in lines.items():
            vat, owed = totals_of(of_document, key[3])
            if any(any(pair) for pair in vat.values()):
                documents[key] = of_document, vat, owed
        return documents

    def close(self, event):
        wanted = self.expected()
        for shown in self.next_issued():
            supply = shown["supply"].removesuffix("_statement")
            is_outside = shown["lines"][0]["vat_category"] == "O"
            partner = shown["partner_number"]
            price = "gross" if "gross_minor" in shown["lines"][0] else "net"
            point = shown["lines"][0].get("tax_point", "period_end")
            lines, vat, total = wanted.pop((partner, supply, is_outside, price, point))
            is_below = (total, sum(net for net, _ in vat.values())) < (0, 0)
            assert shown["currency"] == self.currencies.get(partner, "EUR")
            assert shown.get("program", "") == self.program_of.get(partner, "")
            exact_sum, booked = sum(exact for _, exact, _ in lines.values()), None
            if partner in self.currencies:
                lines, vat, total, booked = self.converted(lines, partner, event["month"], price)
            kind = kind_of(supply, is_outside, is_below)
            sign = -1 if is_below and kind != "payment_statement" else 1
            assert (shown["type"], shown["window"]) == (kind, event["month"])
            seen = {(line["tariff"], line["flow"]):
                    ((line["vat_category"], line["vat_rate_basis_points"]),
                     sign * line["exact_micro"], sign * line["net_minor" if price == "net" else "gross_minor"])
                    for line in shown["lines"]}
            assert seen == {key: line for key, line in lines.items() if key in seen}
            assert all(exact == 0 for key, (_, exact, _) in lines.items() if key not in seen)
            assert shown["total_minor"] == sign * total
            assert shown["net_minor"] == sum(line["net_minor"] for line in shown["lines"])
            assert shown["net_minor"] == sign * sum(net for net, _ in vat.values())
            assert shown["vat_minor"] == sign * sum(tax for _, tax in vat.values())
            if booked:
                assert {key: shown["booked"][key] for key in booked} == {
                    key: sign * amount for key, amount in booked.items()}
            self.take(shown, sign * exact_sum)
        assert not wanted, "a document is missing"

    def take_credit(self, original, exact, net, tax, total):
        """A credit note takes what of its original is open, or stands in the next net alone."""
        [shown] = self.next_issued()
        direction = KINDS.get(original.supply)
        kind = direction[original.kind == direction[0]] if original.kind != "payment_statement" else original.kind
        assert shown["type"] == kind
        assert (shown["net_minor"], shown["vat_minor"], shown["total_minor"]) == (net, tax, total)
        assert shown["corrects"]["number"] == original.number
        if original.booked:
            # On the running sum: all credits together are worth what the original is.
            for key in ("exact_micro", "vat_minor", "total_minor"):
                before, after = (rounded(Fraction(original.booked[key] * part, original.total))
                                 for part in (original.credited, original.credited + total))
                assert shown["booked"][key] == after - before
        credit = self.take(shown, exact)
        assert credit.program == original.program
        taken_back = abs(credit.total)
        original.credited += taken_back
        assert original.credited <= abs(original.total)
        if abs(original.open()) >= taken_back:
            credit.is_set_off = True
            original.set_off += taken_back
            if credit.booked:
                original.set_off_claim += abs(credit.booked["total_minor"])

    def credit(self, event):
        original = self.documents[event["document"]]
        sign = -1 if original.kind == "payment_statement" else 1
        net = sum(line["net"] for line in original.lines)
        self.take_credit(original, sign * original.exact, sign * net, sign * original.tax, sign * original.total)

    def dispute(self, event):
        document = self.documents[event["document"]]
        line = document.lines[event["line"] - 1]
        held = event["net_minor"] + rounded(Fraction(event["net_minor"] * line["rate"], 10_000))
        held = min(held, abs(document.open()))
        document.disputed += held
        self.disputes[event["id"]] = document, line, held

    def decision(self, event):
        document, line, held = self.disputes[event["id"]]
        document.disputed -= held
        agreed = event["agreed_minor"]
        if agreed:
            # The last part of a line takes what rounding gave to it, or took from it.
            is_rest = line["credited"] + agreed == line["net"]
            unit = unit_of(document.currency)
            net, total = agreed, agreed + tax_on(agreed, line["rate"])
            if document.is_gross and is_rest:
                total = line["gross"] - line["credited_gross"]
                net = Recomputation.without_tax(total, line["rate"])
            amount, before = (total, "credited_gross") if document.is_gross else (agreed, "credited")
            exact = line["exact"] - line[before] * unit if is_rest else amount * unit
            line["credited"] += net
            line["credited_gross"] += total
            self.take_credit(document, exact, net, tax_on(net, line["rate"]), total)
        else:
            assert self.next_issued() == []

    def issued(self, event):
        assert event["documents"] == [], "a document that nobody asked for"

    # Money.

    def net(self, event):
        if self.month != event["month"]:
            self.are_paid()
            self.month, self.payments = event["month"], []
        sides = defaultdict(list)
        for document in self.documents.values():
            if (document.window <= event["month"] and document.program == event["program"]
                    and (document.open() or document.open_claim())):
                is_out = event["method"] == "gross" and (document.open() or document.owed) < 0
                sides[document.partner, is_out].append(document)
        netted = []
        for (partner, _), documents in sorted(sides.items()):
            payment = Payment(partner, documents)
            if payment.waits(event["minimum_minor"]):
                continue
            for document in documents:
                open_claim = document.open_claim()
                document.netted[event["month"]] += document.open()
                document.claimed[event["month"]] += open_claim
            netted.append(payment)
        assert event["payments"] == [[payment.partner, payment.net] for payment in netted]
        self.payments += netted

    def find(self, event, is_out):
        return next(payment for payment in self.payments if payment.program == event["program"]
                    and payment.partner == event["partner"] and (payment.net > 0) == is_out and payment.left())

    def paid(self, event):
        amount, partner = event["amount_minor"], event["partner"]
        payment = self.find(event, amount > 0)
        payment.settle(amount)
        assert abs(payment.settled) <= abs(payment.net)
        rate = self.rate_of_pay_day(partner)
        cash = worth(amount, self.currencies[partner], rate) if rate else amount
        self.balances["cash:operating"] -= cash * UNIT
        if not rate:
            self.claims[partner] += amount * UNIT

    def collateral(self, event):
        self.held[event["partner"]] += event["amount_minor"]
        self.balances["cash:operating"] += event["amount_minor"] * UNIT
        self.balances["collateral:" + name_of(event["partner"])] -= event["amount_minor"] * UNIT

    def reopen(self, payment, month, owed):
        """The newest documents first, those of the account in which the net stands before others. Returns what they were
        booked with."""
        is_due, claims = owed > 0, 0
        for is_first in (True, False):
            for document in reversed(payment.documents):
                taken = document.netted[month]
                if ((document.supply == "issuance") == is_due) != is_first or (taken > 0) != is_due or not owed:
                    continue
                part = min(taken, owed) if is_due else max(taken, owed)
                claim = document.claimed[month]
                if part != taken:
                    claim = int(Fraction(claim * part, taken))
                document.netted[month] -= part
                document.claimed[month] -= claim
                owed -= part
                claims += claim
        assert owed == 0
        return claims

    def loss_shares(self, payment, loss):
        """Who receives in the same program bears it where all agreed to; who is paid in another currency does not."""
        receivers = sorted((each for each in self.payments
                            if each.program == payment.program and each.partner != payment.partner
                            and each.left() > 0 and not each.is_foreign),
                           key=lambda each: each.partner)
        if not (self.told["mutualised"] and receivers and loss):
            return []
        weights = [each.left() for each in receivers]
        parts = shared(min(loss, sum(weights)), weights)
        return [(each, part) for each, part in zip(receivers, parts)
                if part and each.partner in self.told["mutualised"]]

    def default(self, event):
        month, partner = event["month"], event["partner"]
        payment = self.find(event, False)
        missing = -payment.left()
        own = [each for each in self.payments
               if (each.partner, each.program) == (partner, payment.program) and each.net > 0]
        set_off = set_off_claim = min(missing, sum(each.left() for each in own))
        for each in own[:1]:
            set_off_claim = each.settle(set_off) if set_off else 0
        held = self.held[partner]
        if payment.is_foreign:
            currency, rate = self.currencies[partner], self.rate_of_pay_day(partner)
            needed = worth(missing - set_off, currency, rate)
            drawn = min(held, needed)
            covered = missing - set_off if held >= needed else min(
                missing - set_off, rounded(Fraction(held, 100) * rate * 10 ** digits_of(currency)))
            covered = covered if drawn else 0
        else:
            drawn = covered = min(missing - set_off, held)
        rest = missing - set_off - covered
        payment.settled -= set_off + covered
        payment.net += rest
        claims = self.reopen(payment, month, rest)
        shares = self.loss_shares(payment, claims)
        assert [(each["partner"], each["share_minor"]) for each in event["loss_shares"]] == [
            (each.partner, part) for each, part in shares]
        assert {key: event[key] for key in ("set_off_minor", "collateral_minor", "receivable_minor", "house_bears_minor")} == {
            "set_off_minor": set_off_claim, "collateral_minor": drawn, "receivable_minor": claims,
            "house_bears_minor": claims - sum(part for _, part in shares)}
        if payment.is_foreign:
            assert {key: event["paid_in"][key] for key in ("set_off_minor", "collateral_minor", "receivable_minor")} == {
                "set_off_minor": set_off, "collateral_minor": covered, "receivable_minor": rest}

        self.held[partner] -= drawn
        self.balances["collateral:" + name_of(partner)] += drawn * UNIT
        if not payment.is_foreign:
            self.claims[partner] -= drawn * UNIT
        for each, part in shares:
            each.net -= part
            each.claim -= part
            self.reopen(each, month, -part)


def fault_of(told):
    """What is wrong with a life; nothing: an empty text."""
    try:
        Life(told).judge()
    except (AssertionError, KeyError, StopIteration) as fault:
        return f"life of seed {told['seed']}: {type(fault).__name__} {fault}"
    return ""


def late_items(told):
    month, late = "2026-06", 0
    for event in told["events"]:
        late += event["what"] == "accrual" and event["activity"] < month
        if event["what"] == "net":
            month = f"2026-{int(event['month'][5:]) + 1:02}"
    return late


def several_programs(told):
    """Whether a month has several nets, which somebody pays in."""
    months = [event["month"] for event in told["events"] if event["what"] == "net" and event["payments"]]
    return len(months) > len(set(months))


def test_lives(judged_lives, seed, request):
    count = 10_000 if request.config.getoption("--nightly") else 1_000
    seen = defaultdict(int)
    for line in judged_lives(seed, count):
        told = json.loads(line)
        fault = fault_of(told)
        if fault:
            pytest.fail(fault)
        for event in told["events"]:
            seen[event["what"]] += 1
            seen["default in another currency"] += "paid_in" in event
        seen["late item"] += late_items(told)
        seen["another currency"] += bool(told["currencies"])
        seen["several programs"] += several_programs(told)
        seen["gross price"] += any(rule["price"] == "gross" for rule in told["vat"])
    print(dict(seen))
    for what in ("tariff", "accrual", "late item", "refund", "recovery", "expiry", "dispute", "decision", "credit",
                 "default", "another currency", "several programs", "gross price"):
        assert seen[what] > count / 5, f"too few of {what} to say anything"


def changes(told):
    """The life told once more for each figure of each kind, one cent or point off; as texts."""
    def of(what, key):
        for event in told["events"]:
            if event["what"] == what and isinstance(event.get(key), int) and event[key]:
                yield event, key

    for what, key in (("accrual", "points"), ("redemption", "points"), ("refund", "points"), ("clawback", "points"),
                      ("tariff", "issue_price_micro"), ("dispute", "net_minor"), ("decision", "agreed_minor"),
                      ("paid", "amount_minor"), ("default", "receivable_minor"), ("default", "collateral_minor")):
        for event, name in of(what, key):
            event[name] += 1000 if what in ("accrual", "redemption", "refund", "clawback") else 1
            yield what, json.dumps(told)
            event[name] -= 1000 if what in ("accrual", "redemption", "refund", "clawback") else 1
            break
    for event in told["events"]:
        if event["what"] == "net" and event["payments"]:
            event["payments"][0][1] += 1
            yield "net", json.dumps(told)
            event["payments"][0][1] -= 1
            break
    for event in told["events"]:
        if event["what"] == "issued" and event["documents"]:
            event["documents"][0]["lines"][0]["net_minor"] += 1
            yield "document", json.dumps(told)
            break


def test_the_judge_sees_one_cent(judged_lives, seed):
    """It is no judge that finds everything right. A free point may be worth nothing, and a cent held back may not
    matter: so most, not all."""
    found, tried = defaultdict(int), defaultdict(int)
    for line in judged_lives(seed, 40):
        for what, changed in changes(json.loads(line)):
            tried[what] += 1
            found[what] += bool(fault_of(json.loads(changed)))
    print(dict(tried), dict(found))
    for what in ("paid", "net", "document", "default", "decision"):
        assert found[what] == tried[what] > 0, what
    assert all(found[what] for what in tried), "nothing is never looked at"

"""The books: entries that balance, what they sum to, and what a window comes to.

Every amount is an integer: whole points, or micro-units of money. A debit is above zero, a credit
below. Accounts have the names of the worked month."""

from collections import defaultdict, namedtuple
from datetime import date
from fractions import Fraction

Entry = namedtuple("Entry", "event window book issuer lines")  # book: "points" (of an issuer) or "money"

FIGURES = ("issued", "redeemed_here", "own_redeemed_anywhere", "refunded", "donated", "clawed_back",
           "recovered_given", "recovered_received", "expired")


def half_away_from_zero(number):
    return int(abs(number) + Fraction(1, 2)) * (1 if number >= 0 else -1)


class Books:
    def __init__(self, terms):
        self.terms = terms
        self.event = self.window = None
        self.keeps_entries = True
        self.entries = []
        self.balances = defaultdict(int)  # (issuer or "money", account) → debits less credits
        self.figures = defaultdict(lambda: defaultdict(int))  # (window, partner) → figure → points
        self.flows = defaultdict(int)   # (window, issuer, redeemer) → points net of refunds
        self.billed = defaultdict(int)  # (window, partner, flow, tariff) → micro owed to the house
        self.owed = defaultdict(int)    # (partner, flow) → the same over all windows

    # Writing.

    def post_points(self, issuer, *lines):
        self._post("points", issuer, lines)

    def post_money(self, *lines):
        self._post("money", "money", lines)

    def _post(self, book, unit, lines):
        assert sum(amount for _, amount in lines) == 0, (self.event, unit, lines)
        for account, amount in lines:
            self.balances[unit, account] += amount
        if self.keeps_entries and any(amount for _, amount in lines):
            self.entries.append(Entry(self.event, self.window, book, unit, tuple(lines)))

    def count(self, partner, figure, points):
        self.figures[self.window, partner][figure] += points

    def flow(self, issuer, redeemer, points):
        self.flows[self.window, issuer, redeemer] += points

    def bill(self, partner, flow, tariff, amount):
        """What the next statement of a partner says; above zero: the partner pays."""
        self.owed[partner, flow] += amount
        self.billed[self.window, partner, flow, tariff and tariff.starts] += amount

    # Reading.

    def balance(self, account):
        """Of money."""
        return self.balances["money", account]

    def points_balances(self):
        """account → balance over all issuers, credits above zero, as the worked month signs them."""
        balances = defaultdict(int)
        for (unit, account), amount in self.balances.items():
            if unit != "money":
                balances[account] -= amount
        return balances

    def windows(self):
        return sorted({window for window, _ in self.figures})

    def net_open(self, partner, before):
        """Open points less debt of a partner, at the end of the windows that are before one."""
        total = 0
        for (window, name), figures in self.figures.items():
            if name == partner and window < before:
                total += self._net_change(figures)
        return total

    @staticmethod
    def _net_change(figures):
        return (figures["imported"] + figures["issued"] - figures["own_redeemed_anywhere"]
                - figures["clawed_back"] - figures["expired"] - figures["recovered_given"]
                + figures["recovered_received"])

    def roll_forward(self, window):
        """partner → the figures that `settle show --json` prints of it."""
        shown = {}
        for partner in self.terms.partners:
            figures = self.figures[window, partner]
            opening = self.net_open(partner, window) + figures["imported"]
            debt = sum(each["debt"] for (month, name), each in self.figures.items()
                       if name == partner and month <= window)
            shown[partner] = {"opening": opening} | {name: figures[name] for name in FIGURES} | {
                "closing": opening + self._net_change(figures) - figures["imported"] + debt,
                "debt": debt, "net_minor": self.net_minor(window, partner)}
        return shown

    def flows_of(self, window):
        return {(issuer, redeemer): points
                for (month, issuer, redeemer), points in self.flows.items()
                if month == window and points}

    DOCUMENT_OF = {"price": "issuance", "fee": "issuance", "reimbursement": "redemption",
                   "donation": "donation", "breakage_shared": "breakage"}

    def documents(self, window):
        """(partner, document) → (net, VAT, total) in minor units, as a sum that the payer pays."""
        day = date.fromisoformat(f"{window}-28")
        lines = defaultdict(list)
        for (month, partner, flow, _), amount in self.billed.items():
            if month == window and amount:
                document = self.DOCUMENT_OF[flow]
                owed = amount if document == "issuance" else -amount
                rate = self.terms.partners[partner].vat_rate(flow, day)
                lines[partner, document].append((rate, half_away_from_zero(Fraction(owed, 10_000))))
        shown = {}
        for key, rows in lines.items():
            net = sum(amount for _, amount in rows)
            vat = sum(half_away_from_zero(
                Fraction(sum(amount for rate, amount in rows if rate == each) * each, 10_000))
                for each in {rate for rate, _ in rows})
            shown[key] = (net, vat, net + vat)
        return shown

    def net_minor(self, window, partner):
        """Above zero: the house pays the partner."""
        return sum(-total if document == "issuance" else total
                   for (name, document), (_, _, total) in self.documents(window).items()
                   if name == partner)

    def events(self):
        """event → book → account → debits less credits, netted, as the worked month writes its rows."""
        rows = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        for entry in self.entries:
            for account, amount in entry.lines:
                rows[entry.event][entry.book][account] += amount
        return {event: {book: {account: amount for account, amount in lines.items() if amount}
                        for book, lines in books.items()} for event, books in rows.items()}

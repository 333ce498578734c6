"""An independent clearing house: small, slow and plain, written from the design and not from the code.

It decides the same messages, one at a time, with lists and dictionaries, and keeps what a month comes
to. Points are integers; money is integers of micro-units. No expiry, no pending points, no holds."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

POINTS_MAX = 1_000_000_000


@dataclass
class Tariff:
    """Micro-units per point; `prefund` is the share x."""
    price: int = 10_000
    fee: int = 1_000
    reimbursement: int = 9_500
    prefund: Fraction = Fraction(1)

    @property
    def prefunded(self):
        amount = self.price * self.prefund
        assert amount.denominator == 1
        return int(amount)


@dataclass
class Partner:
    name: str
    tariff: Tariff
    debt_bearer: str = "issuer"  # or "house"
    charity: bool = False


@dataclass
class Lot:
    sequence: int
    issuer: str
    activity: str
    remaining: int


@dataclass
class Debt:
    sequence: int
    issuer: str
    kind: str  # issuer, house, excess
    points: int


@dataclass
class Member:
    lots: list = field(default_factory=list)
    debts: list = field(default_factory=list)
    issued: dict = field(default_factory=lambda: defaultdict(int))
    credited: dict = field(default_factory=lambda: defaultdict(int))

    @property
    def available(self):
        return sum(lot.remaining for lot in self.lots)

    @property
    def debt(self):
        return sum(debt.points for debt in self.debts)

    def in_draw_order(self):
        return sorted((lot for lot in self.lots if lot.remaining),
                      key=lambda lot: (lot.activity, lot.sequence))


@dataclass
class Booked:
    """What a reversal needs to know of the message it undoes."""
    route: str
    partner: str
    member: str
    points: int
    lot: Lot = None
    drawn: list = field(default_factory=list)  # (lot, points) in draw order
    redeemer: str = None
    amount_minor: int = None
    reversed: int = 0
    returned_minor: int = 0


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Oracle:
    """`decide` returns ("booked", answer) or ("refused", code)."""

    def __init__(self, partners):
        self.partners = {partner.name: partner for partner in partners}
        self.members = {}
        self.booked = {}   # (partner, message id) → Booked
        self.sequence = 0
        self.window = None
        self.figures = defaultdict(lambda: defaultdict(int))  # (window, partner) → name → points
        self.flows = defaultdict(int)                          # (window, issuer, redeemer) → points
        self.owed = defaultdict(int)                           # (window, partner) → micro owed to house
        self.accounts = defaultdict(int)                       # liability, fee, margin → micro
        self.moved = []                                        # of the last message: (kind, issuer, points)

    def decide(self, partner, route, body, window):
        self.window = window
        self.sequence += 1
        self.moved = []
        try:
            return "booked", getattr(self, route)(partner, body)
        except Refused as refusal:
            return "refused", refusal.code

    # Books.

    def count(self, partner, name, points):
        self.figures[self.window, partner][name] += points

    def money(self, owed=(), **accounts):
        """One balanced set: what partners owe the house, and the house's own accounts."""
        assert sum(amount for _, amount in owed) == sum(accounts.values()), (owed, accounts)
        for partner, amount in owed:
            self.owed[self.window, partner] += amount
        for account, amount in accounts.items():
            self.accounts[account] += amount

    def move(self, kind, issuer, points):
        self.moved.append((kind, issuer, points))

    def tariff(self, partner):
        return self.partners[partner].tariff

    # Messages.

    def known(self, name):
        if name not in self.members:
            raise Refused("member_unknown")
        return self.members[name]

    def answer(self, name, **said):
        member = self.members[name]
        return said | {"balance": {"available": member.available, "pending": 0, "held": 0,
                                   "debt": member.debt}}

    def accruals(self, partner, body):
        amount = body["purchase"]["amount_minor"] if "purchase" in body else None
        points = body["points"] if amount is None else amount // 100
        if points > POINTS_MAX:
            raise Refused("points_out_of_range")
        member = self.members.setdefault(body["member"], Member())
        lot = Lot(self.sequence, partner, body["occurred_at"], points)
        self.booked[partner, body["message_id"]] = Booked(
            "accruals", partner, body["member"], points, lot=lot, amount_minor=amount)
        if points:
            member.lots.append(lot)
            member.issued[partner] += points
            self.count(partner, "issued", points)
            self.move("issued", partner, points)
            tariff = self.tariff(partner)
            self.money([(partner, points * (tariff.prefunded + tariff.fee))],
                       liability=points * tariff.prefunded, fee=points * tariff.fee)
            self.repay(body["member"])
        return self.answer(body["member"], points=points)

    def spend(self, partner, body, to, kind):
        member = self.known(body["member"])
        points = body["points"] if "points" in body else body["value"]["amount_minor"]
        if points > member.available:
            raise Refused("insufficient_points")
        left, drawn = points, []
        for lot in member.in_draw_order():
            taken = min(left, lot.remaining)
            if taken:
                lot.remaining -= taken
                left -= taken
                drawn.append((lot, taken))
                self.use(lot, to, taken, kind)
        self.booked[partner, body["message_id"]] = Booked(
            kind, partner, body["member"], points, drawn=drawn, redeemer=to)
        return self.answer(
            body["member"], points=points, drawn=[(lot.issuer, taken) for lot, taken in drawn])

    def redemptions(self, partner, body):
        return self.spend(partner, body, partner, "redeemed")

    def donations(self, partner, body):
        self.known(body["member"])
        if not self.partners[body["charity"]].charity:
            raise Refused("role_not_allowed")
        return self.spend(partner, body, body["charity"], "donated")

    def use(self, lot, to, points, kind):
        """Points of a lot go to a redeemer or charity; with `refunded` they come back."""
        sign = -1 if kind == "refunded" else 1
        tariff = self.tariff(lot.issuer)
        charity = self.partners[to].charity
        paid = tariff.price if charity else self.tariff(to).reimbursement
        self.money([(lot.issuer, sign * points * (tariff.price - tariff.prefunded)),
                    (to, -sign * points * paid)],
                   liability=-sign * points * tariff.prefunded,
                   margin=sign * points * (tariff.price - paid))
        self.move(kind, lot.issuer, points)
        self.count(lot.issuer, "own_redeemed_anywhere", sign * points)
        self.flows[self.window, lot.issuer, to] += sign * points

    def reversals(self, partner, body):
        original = self.booked.get((partner, body["reverses"]))
        if original is None:
            raise Refused("message_unknown")
        left = original.points - original.reversed
        if "purchase" in body:
            if original.amount_minor is None:
                raise Refused("reversal_exceeds_original")
            returned = original.returned_minor + body["purchase"]["amount_minor"]
            if returned > original.amount_minor:
                raise Refused("reversal_exceeds_original")
            # Earned less what the rest would earn, less what was clawed back before.
            points = max(0, left - (original.amount_minor - returned) // 100)
        else:
            returned = original.returned_minor
            points = body.get("points", left)
        if points > left or (points <= 0 and "purchase" not in body):
            raise Refused("reversal_exceeds_original")
        original.reversed += points
        original.returned_minor = returned
        if original.route == "accruals":
            return self.claw_back(partner, original.member, points, [original.lot])
        return self.refund(original, points)

    def refund(self, original, points):
        """Restores the lots latest drawn first."""
        skip, left, restored = original.reversed - points, points, []
        for lot, taken in reversed(original.drawn):
            skipped = min(skip, taken)
            skip -= skipped
            back = min(left, taken - skipped)
            if back:
                left -= back
                lot.remaining += back
                restored.append((lot.issuer, back))
                self.use(lot, original.redeemer, back, "refunded")
        assert left == 0
        self.repay(original.member)
        return self.answer(original.member, points=points, restored=restored)

    def clawbacks(self, partner, body):
        member = self.known(body["member"])
        points = (body["points"] if "points" in body
                  else body["purchase"]["amount_minor"] // 100)
        if points > POINTS_MAX:
            raise Refused("points_out_of_range")
        latest_first = sorted((lot for lot in member.lots if lot.issuer == partner),
                              key=lambda lot: (lot.activity, lot.sequence), reverse=True)
        return self.claw_back(partner, body["member"], points, latest_first)

    def claw_back(self, partner, name, points, lots):
        """The issuer takes back and is credited what it issued to this member and has not had credited.
        What is beyond, after clawbacks that named no purchase, is owed to the house."""
        member = self.members[name]
        tariff = self.tariff(partner)
        creditable = min(points, member.issued[partner] - member.credited[partner])
        member.credited[partner] += creditable
        self.count(partner, "clawed_back", points)
        left = creditable
        for lot in lots:
            taken = min(left, lot.remaining)
            if taken:
                lot.remaining -= taken
                left -= taken
                self.move("clawed_back", partner, taken)
                self.money([(partner, -taken * (tariff.prefunded + tariff.fee))],
                           liability=-taken * tariff.prefunded, fee=-taken * tariff.fee)
        own = creditable - left
        bearer = self.partners[partner].debt_bearer
        for kind, part in ((bearer, left), ("excess", points - creditable)):
            if part:
                member.debts.append(Debt(self.sequence, partner, kind, part))
                self.count(partner, "debt", part)
                self.move("debt_incurred", partner, part)
                if kind == "house":
                    self.money([(partner, -part * (tariff.price + tariff.fee))],
                               fee=-part * tariff.fee, margin=-part * tariff.price)
        before = member.debt
        self.repay(name)
        return self.answer(name, points=points, clawed_back_own=own,
                           debt=points - own - (before - member.debt))

    def repay(self, name):
        """Available points repay the oldest debt first."""
        member = self.members[name]
        for lot in member.in_draw_order():
            while lot.remaining and member.debts:
                debt = member.debts[0]
                points = min(lot.remaining, debt.points)
                lot.remaining -= points
                debt.points -= points
                if not debt.points:
                    member.debts.pop(0)
                self.recover(lot, debt, points)

    def recover(self, lot, debt, points):
        from_lot, for_debt = self.tariff(lot.issuer), self.tariff(debt.issuer)
        owed = [(lot.issuer, points * (from_lot.price - from_lot.prefunded))]
        margin, fee = from_lot.price, 0
        if debt.kind == "issuer":
            owed.append((debt.issuer, -points * (for_debt.price + for_debt.fee)))
            margin, fee = from_lot.price - for_debt.price, -for_debt.fee
        self.money(owed, liability=-points * from_lot.prefunded, margin=points * margin, fee=points * fee)
        self.move("recovered", lot.issuer, points)
        self.count(lot.issuer, "recovered_given", points)
        self.count(debt.issuer, "recovered_received", points)
        self.count(debt.issuer, "debt", -points)

    # What it comes to.

    def outstanding(self, partner):
        return sum(lot.remaining for member in self.members.values() for lot in member.lots
                   if lot.issuer == partner)

    def debt_of(self, partner):
        return sum(debt.points for member in self.members.values() for debt in member.debts
                   if debt.issuer == partner)

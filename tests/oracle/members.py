"""What a member has: lots, holds, debts."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(eq=False)
class Take:
    """Points of one lot that went to a redeemer or charity, at what the house paid per point."""
    lot: "Lot"
    redeemer: str
    paid: int
    points: int
    charged: int = 0  # of them, what the redeemer bears as a debt


@dataclass(eq=False)
class Block:
    """Points that a partner bought ahead."""
    partner: str
    left: int
    price: int
    fee: int


@dataclass(eq=False)
class Lot:
    """Points of one accrual and one funder, with the prices that they keep. In each state, how many."""
    name: str
    member: "Member"
    issuer: str
    tariff: object
    price: int
    fee: int
    prefunded: int
    activity: datetime
    order: tuple               # (sequence of the message, position)
    expires_on: date           # the last day; None: never
    available_at: datetime     # when pending points mature
    block: Block = None        # where it was drawn; None: billed afterwards
    pending: int = 0
    active: int = 0            # available: held points are apart
    held: int = 0
    expired: int = 0
    takes: list = field(default_factory=list)  # in the order in which they happened

    @property
    def open(self):
        return self.pending + self.active + self.held

    @property
    def draw_order(self):
        return (self.expires_on or date.max, self.activity, self.order)


@dataclass(eq=False)
class Debt:
    """Points that the member owes for an issuer's. `bearer`: issuer, operator, redeemer, excess."""
    issuer: str
    tariff: object
    price: int
    fee: int
    block: Block
    bearer: str
    take: Take   # whose redeemer bears it
    points: int
    since: int = 0  # the message that made it


@dataclass(eq=False)
class Hold:
    member: "Member"
    partner: str
    allocations: list  # [(lot, points)] in draw order
    ends_at: datetime
    is_open: bool = True

    @property
    def points(self):
        return sum(points for _, points in self.allocations)


@dataclass(eq=False)
class Member:
    name: str
    lots: list = field(default_factory=list)
    debts: list = field(default_factory=list)   # oldest first
    holds: list = field(default_factory=list)
    issued: dict = field(default_factory=lambda: defaultdict(int))    # issuer → points
    credited: dict = field(default_factory=lambda: defaultdict(int))  # issuer → clawed back of them
    # [(number, accrual, lot, fold or None, points)], lots and accruals by order: what folded, and what
    # the return of an accrual took out of a lot.
    went: list = field(default_factory=list)
    expiries: list = field(default_factory=list)  # [[lot, points, when]] that have not come back
    state: str = "open"  # or blocked, closed
    merged_into: "Member" = None
    active_on: date = None  # of the last accrual or redemption, or of the first that was heard of it

    @property
    def surviving(self):
        """This member, or the one that it was merged into."""
        return self.merged_into.surviving if self.merged_into else self

    def parts_of(self, lot):
        """The lot, with parts of it that last longer, or that left and came back; in draw order."""
        return sorted((each for each in self.lots if each.order == lot.order),
                      key=lambda each: each.draw_order)

    def folds_of(self, lot):
        """[[parts of a fold, points]], newest first: a fold remembers nobody's points, so what is left of
        it is the lot's as far as it brought some along, and did not have them back."""
        own = {}
        for _, accrual, source, fold, points in sorted(self.went, key=lambda each: each[0]):
            if source != lot.order:
                if source not in own or accrual not in (None, lot.order):
                    continue
                points = min(points, own[source])
                own[source] -= points
            if fold:
                own[fold] = own.get(fold, 0) + points
        return [[sorted((each for each in self.lots if each.order == fold), key=lambda each: each.draw_order),
                 points] for fold, points in sorted(own.items(), reverse=True)]

    def undo_expiry(self, lot, points):
        """What comes back expired last."""
        for expiry in reversed(self.expiries):
            if expiry[0].order == lot.order:
                taken = min(points, expiry[1])
                expiry[1] -= taken
                points -= taken
        assert points == 0
        self.expiries = [expiry for expiry in self.expiries if expiry[1]]

    def total(self, state):
        return sum(getattr(lot, state) for lot in self.lots)

    @property
    def debt(self):
        return sum(debt.points for debt in self.debts)

    def balance(self):
        return {"available": self.total("active"), "pending": self.total("pending"),
                "held": self.total("held"), "debt": self.debt}

    def drawn_first(self):
        """Lots with available points, in draw order."""
        return sorted((lot for lot in self.lots if lot.active), key=lambda lot: lot.draw_order)

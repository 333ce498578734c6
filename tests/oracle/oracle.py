"""An independent clearing house: small, slow and plain, written from the design and the contract.

It decides the same messages, one at a time, with lists and dictionaries, and books them. `decide` gives
what the house should answer; the books are in `books`. Paths are those of the wire without `/v1/`; a
hold is named by the message id that opened it. Where the design leaves a choice to the house, the
docstring says which was taken."""

import json
from dataclasses import dataclass, field

import days
from books import Books
from clock import Clock
from earning import Earning
from folding import Folding
from membership import Membership
from movements import Movements
from refusals import Refused, status_of
from returning import Returning
from spending import Spending


@dataclass
class Outcome:
    status: int
    code: str = None      # of a refusal
    said: dict = field(default_factory=dict)
    replayed: bool = False


class Oracle(Clock, Earning, Spending, Returning, Membership, Folding):
    def __init__(self, terms, now, lots_max=1_024, folded_to=512):
        Clock.__init__(self, now)
        self.lots_max, self.folded_to = lots_max, folded_to
        self.folds = []      # the points of each that was made
        self.terms = terms
        self.books = Books(terms)
        self.move = Movements(terms, self.books)
        self.members = {}    # identifier → Member; a merged identifier is an alias
        self.replaced = set()  # identifiers that find nobody any more
        self.booked = {}     # (partner, message id) → Booked
        self.holds = {}      # (partner, message id) → Hold
        self.frozen = {}     # (partner, message id) → (content, Outcome)
        self.blocks = {name: [] for name in terms.partners}
        self.granted = {}    # promotion → points

    def decide(self, caller, path, body):
        """Idempotency first; then the message moves the clock, unless it is not accepted at all because
        what it names is not there (404); then it is judged."""
        content = json.dumps([path, body], sort_keys=True)
        key = caller, body["message_id"]
        if key in self.frozen:
            earlier, outcome = self.frozen[key]
            if earlier != content:
                return Outcome(422, "message_id_reused")
            return Outcome(outcome.status, outcome.code, outcome.said, replayed=True)
        if "occurred_at" in body and not self.is_about_nothing(caller, path, body):
            self.advance(days.instant(body["occurred_at"]))
        self.number += 1
        self.move.moved = []
        self.move.moment = self.now, self.number
        self.books.event = body["message_id"]
        self.books.window = self.window_of(self.now)
        outcome = self.judge(caller, path, body)
        self.fold_all()
        # What the ledger decided is final, what it never knew is not, nor what never came to wait.
        is_undecided = outcome.code is not None and self.waits_for_approval(path, body)
        if outcome.status not in (403, 404) and not is_undecided:
            self.frozen[key] = content, outcome
        return outcome

    def is_about_nothing(self, caller, path, body):
        room, *rest = path.split("/")
        if room == "holds" and rest:
            return (caller, rest[0]) not in self.holds
        if room == "reversals" or (room == "accruals" and rest):
            booked = self.booked.get((caller, rest[0] if rest else body["reverses"]))
            return booked is None or bool(rest and booked.kind != "accrual")
        names = {rest[0] if rest else body["member"], body.get("to_member"), body.get("into")} - {None}
        may_be_new = path in ("accruals", "members")
        return any(name in self.replaced or not (may_be_new or name in self.members) for name in names)

    def waits_for_approval(self, path, body):
        """Two people reinstate points; one may adjust up to a limit."""
        above = self.terms.approval_above_points
        is_large = above is not None and body.get("points", 0) > above
        return path.endswith("/reinstate") or (path == "adjustments" and is_large)

    def judge(self, caller, path, body):
        creating = {
            "accruals": self.accrue, "redemptions": self.redeem, "donations": self.donate,
            "holds": self.open_hold, "reversals": self.reverse, "clawbacks": self.claw_back,
            "transfers": self.transfer, "members": self.enrol, "adjustments": self.adjust}
        acting = {
            ("accruals", "release"): self.release_pending, ("holds", "capture"): self.capture,
            ("holds", "release"): self.release_hold}
        managing = {"block": self.block, "unblock": self.unblock, "close": self.close,
                    "merge": self.merge, "reinstate": self.reinstate}
        of_member = {"identifiers": self.identify}
        room, *rest = path.split("/")
        try:
            if not rest:
                return Outcome(201, said=creating[room](caller, body))
            name, verb = rest
            if room == "members" and verb in of_member:
                return Outcome(201, said=of_member[verb](name, body))
            if room == "members":
                return Outcome(201, said=managing[verb](name, body))
            return Outcome(200, said=acting[room, verb](caller, name, body))
        except Refused as refusal:
            return Outcome(status_of(refusal.code), refusal.code)

    def known(self, name):
        if name not in self.members or name in self.replaced:
            raise Refused("member_unknown")
        return self.members[name]

    def acting(self, name, partner=None, role=None):
        """A member that may transact, with a partner in a role: existence, then rights, then state."""
        member = self.known(name)
        if role:
            self.has_role(partner, role)
        if member.state != "open":
            raise Refused(f"member_{member.state}")
        return member

    def has_role(self, partner, role):
        if role not in self.terms.partners[partner].roles:
            raise Refused("role_not_allowed")

    def day(self, body):
        return days.local_day(days.instant(body["occurred_at"]), self.terms.zone)

    # What it comes to.

    def lots(self):
        return [lot for member in set(self.members.values()) for lot in member.lots]

    def outstanding(self, partner):
        return sum(lot.open for lot in self.lots() if lot.issuer == partner)

    def debt_of(self, partner):
        return sum(debt.points for member in set(self.members.values()) for debt in member.debts
                   if debt.issuer == partner)

    def check(self):
        """The invariants of the worked month."""
        sums = {}
        for (unit, _), amount in self.books.balances.items():
            sums[unit] = sums.get(unit, 0) + amount
        assert not any(sums.values()), sums
        assert -self.books.balance("deferred_revenue") == sum(
            lot.open * lot.prefunded for lot in self.lots())
        points = self.books.points_balances()
        for member in set(self.members.values()):
            for state in ("pending", "active", "held"):
                assert points[f"member:{member.name}:{state}"] == member.total(state), member.name
            assert -points[f"member:{member.name}:debt"] == member.debt
            assert not member.debt or not member.total("active"), member.name
            assert all(min(lot.pending, lot.active, lot.held, lot.expired) >= 0 for lot in member.lots)
        for row in self.books.roll_forward(self.window_of(self.now)).values():
            assert row["opening"] + row["issued"] - row["own_redeemed_anywhere"] - row["clawed_back"] - (
                row["expired"]) - row["recovered_given"] + row["recovered_received"] == (
                row["closing"] - row["debt"])

"""Random months: a seeded stream of every kind of message, with the house's time running through it.

The oracle's own state says what can be sent: which holds are open, what may be reversed. A step is
(partner, path, body), or (None, "clock", instant) to move the house's time."""

import copy
from datetime import timedelta
from pathlib import Path

import days
from oracle import Oracle
from terms import read_terms

TERMS_FILE = Path(__file__).with_name("random_months.toml")
BLOCKS = [(20_000, "0.010000", "0.001000"), (15_000, "0.009000", "0.000900")]
OPENING = {
    "as_of": "2026-01-01", "members": [], "lots": [],
    "blocks": [{"partner": "KIO", "points": points, "price": price, "fee": fee}
               for points, price, fee in BLOCKS],
    "balances_micro": {"cash:trust": 335_000_000, "cash:operating": 33_500_000,
                       "prepaid_block:KIO": -335_000_000, "prepaid_fee:KIO": -33_500_000}}
BEGINNING = "2026-01-01T08:00:00Z"

SIZES = [1, 2, 7, 50, 99, 250, 1_000, 2_500]
WEIGHTS = {
    "accrual": 30, "redemption": 18, "hold": 9, "capture": 7, "release": 2, "reversal": 16,
    "clawback": 6, "donation": 3, "transfer": 3, "pending_release": 3, "enrolment": 1, "again": 5,
    "reused": 2, "clock": 1, "identifier": 1, "merge": 1, "adjustment": 0.6, "reinstatement": 0.6}
OPERATOR = "operator:anna"


# Members that earn much and spend little, so that their lots fold.
COLLECTING = {
    "accrual": 70, "redemption": 0.5, "hold": 0.5, "capture": 0.5, "reversal": 7, "clawback": 0.2,
    "transfer": 0.2, "pending_release": 2, "again": 1, "clock": 0.05}


def fresh_oracle(**limits):
    house = Oracle(read_terms(TERMS_FILE.read_text()), days.instant(BEGINNING), **limits)
    house.books.keeps_entries = False
    house.open_with(OPENING)
    return house


class Stream:
    """`kinds` are names of WEIGHTS, or have weights of their own; `messages_a_month` sets how fast the house's time runs."""

    def __init__(self, chance, oracle, members=12, messages_a_month=400, kinds=WEIGHTS):
        self.chance, self.oracle = chance, oracle
        self.names = [f"member-{number}" for number in range(members)]
        self.sleepers = [f"sleeper-{number}" for number in range(members)]  # seldom heard of
        self.kinds = kinds if isinstance(kinds, dict) else {name: WEIGHTS[name] for name in kinds}
        self.pace = 30 * 86_400 // messages_a_month
        self.issuers = [partner.name for partner in oracle.terms.partners.values()
                        if "issuer" in partner.roles]
        self.redeemers = [partner.name for partner in oracle.terms.partners.values()
                          if "redeemer" in partner.roles]
        self.number = 0
        self.sent = []        # (partner, path, body), latest last
        self.undoable = {}    # partner → message ids
        self.holds = []       # (partner, message id)

    def step(self):
        while True:
            kind = self.chance.choices(list(self.kinds), self.kinds.values())[0]
            step = getattr(self, kind)()
            if step:
                return step

    def remember(self, step, outcome):
        """What came of a step, so that later ones can refer to it."""
        partner, path, body = step
        if partner is None or outcome.replayed or outcome.code == "message_id_reused":
            return
        if outcome.status not in (403, 404):
            self.sent = self.sent[-400:] + [step]
        if outcome.code:
            return
        if path in ("accruals", "redemptions", "donations") or path.endswith("/capture"):
            known = self.undoable.setdefault(partner, [])
            known.append(body["message_id"])
            del known[:-200]
        if path == "holds":
            self.holds = self.holds[-40:] + [(partner, body["message_id"])]

    # Parts of messages.

    def body(self, **fields):
        self.number += 1
        moment = self.oracle.now + timedelta(seconds=self.chance.randint(0, 2 * self.pace))
        return {"message_id": f"r-{self.number}", "occurred_at": days.text_of(moment)} | fields

    def late(self, body, days_max):
        moment = self.oracle.now - timedelta(seconds=self.chance.randint(0, days_max * 86_400))
        return body | {"occurred_at": days.text_of(moment)}

    def member(self):
        how = self.chance.random()
        if how < 0.05:
            return self.chance.choice(self.sleepers)
        return self.chance.choice(self.names) if how < 0.98 else f"nobody-{self.number}"

    def size(self):
        return self.chance.choice([*SIZES, self.chance.randint(1, 3_000)])

    def purchase(self, most=150_000):
        return {"amount_minor": self.chance.randint(0, most), "currency": "EUR"}

    # Kinds of messages.

    def accrual(self):
        partner = self.chance.choice(self.issuers)
        body = self.body(member=self.member())
        if self.chance.random() < 0.4:
            body["purchase"] = self.purchase()
        else:
            body["points"] = self.size()
        how = self.chance.random()
        if how < 0.12:
            body["promotion"] = self.chance.choice([*self.oracle.terms.promotions, "nobody-s"])
        elif how < 0.16:
            moment = self.oracle.now + timedelta(days=self.chance.randint(4, 70))
            body["pending_until"] = days.text_of(moment)
        elif how < 0.24:
            body = self.late(body, 66)
        return partner, "accruals", body

    def redemption(self):
        partner = self.chance.choice(self.redeemers if self.chance.random() < 0.99 else self.issuers)
        body = self.body(member=self.member())
        if self.chance.random() < 0.2:
            body["value"] = {"amount_minor": self.size(), "currency": "EUR"}
        else:
            body["points"] = self.size()
        return partner, "redemptions", self.late(body, 200) if self.chance.random() < 0.05 else body

    def donation(self):
        charity = "CHA" if self.chance.random() < 0.9 else "GRO"
        return (self.chance.choice(self.redeemers), "donations",
                self.body(member=self.member(), points=self.size(), charity=charity))

    def transfer(self):
        sender, receiver = self.chance.sample(self.names, 2)
        return (self.chance.choice(self.redeemers), "transfers",
                self.body(member=sender, to_member=receiver, points=self.size()))

    def hold(self):
        return (self.chance.choice(self.redeemers), "holds", self.body(
            member=self.member(), points=self.size(),
            expires_in_seconds=self.chance.choice([600, 86_400, 40 * 86_400])))

    def some_hold(self):
        if not self.holds:
            return None
        return self.chance.choice(self.holds[-6:] if self.chance.random() < 0.8 else self.holds)

    def capture(self):
        hold = self.some_hold()
        if hold is None:
            return None
        partner, name = hold
        body = self.body()
        held = self.oracle.holds[hold].points
        if held and self.chance.random() < 0.6:
            body["points"] = self.chance.randint(1, held)
        if self.chance.random() < 0.03:
            partner = self.chance.choice(self.redeemers)  # another brand's hold is not there
        return partner, f"holds/{name}/capture", body

    def release(self):
        hold = self.some_hold()
        return hold and (hold[0], f"holds/{hold[1]}/release", self.body())

    def pending_release(self):
        pending = [(partner, body["message_id"]) for partner, path, body in self.sent
                   if path == "accruals" and (partner, body["message_id"]) in self.oracle.booked
                   and any(lot.pending for lot, _ in
                           self.oracle.booked[partner, body["message_id"]].lots)]
        if not pending:
            return None
        partner, name = self.chance.choice(pending)
        # Dated now: a later time might let it mature first.
        return partner, f"accruals/{name}/release", self.late(self.body(), 0)

    def reversal(self):
        partner = self.chance.choice(sorted(self.oracle.terms.partners))
        known = self.undoable.get(partner)
        if not known:
            return None
        body = self.body(reverses=self.chance.choice(known) if self.chance.random() < 0.97 else "none")
        how = self.chance.random()
        if how < 0.5:
            body["points"] = self.size()
        elif how < 0.65:
            body["purchase"] = self.purchase(90_000)
        return partner, "reversals", body

    def clawback(self):
        body = self.body(member=self.member(), reason="return")
        if self.chance.random() < 0.4:
            body["purchase"] = self.purchase()
        else:
            body["points"] = self.size()
        return self.chance.choice(self.issuers), "clawbacks", body

    def adjustment(self):
        body = self.body(member=self.member(), points=self.size(), reason="goodwill",
                         funder=self.chance.choice([*self.issuers, "CHA"]))
        return OPERATOR, "adjustments", self.late(body, 0)

    def reinstatement(self):
        """Dated now, and for a member that has lost points: or nothing would come back."""
        lost = [name for name, member in self.oracle.members.items() if member.expiries]
        if not lost:
            return None
        name = self.chance.choice(lost)
        points = sum(points for _, points, _ in self.oracle.members[name].expiries)
        last = days.local_day(self.oracle.now, self.oracle.terms.zone) + timedelta(
            days=self.chance.choice([-2, 0, 20, 90]))
        body = self.body(points=self.chance.choice([1, max(1, points // 2), points, points + 1]),
                         expires_on=last.isoformat(), reason="asked for")
        if self.chance.random() < 0.4:
            body["funder"] = "house"
        return OPERATOR, f"members/{name}/reinstate", self.late(body, 0)

    def enrolment(self):
        body = self.body(member=f"member-{len(self.names)}")
        del body["occurred_at"]
        self.names.append(body["member"])
        return self.chance.choice(self.issuers), "members", body

    def identifier(self):
        """A further one, for a member that may have had none; sometimes in place of another."""
        taken = self.chance.random() < 0.1
        name = self.chance.choice(self.names) if taken else f"card-{self.number}"
        body = {"message_id": self.body()["message_id"], "kind": "card", "identifier": name}
        member = self.member()
        how = self.chance.random()
        if how < 0.5:
            # Names grow old: most of the replaced ones are not asked for again.
            body["replaces"] = member if how < 0.4 else self.member()
        if body.get("replaces") == name:  # that is no message
            del body["replaces"]
        if body.get("replaces") == member and member in self.names and self.chance.random() < 0.8:
            self.names.remove(member)
        if not taken:
            self.names.append(name)
        if self.chance.random() < 0.2:
            return self.chance.choice(self.issuers), "members", body | {"member": member}
        return self.chance.choice(self.issuers), f"members/{member}/identifiers", body

    def merge(self):
        """One in ten members leaves, one comes."""
        if self.chance.random() < 0.7:
            return None
        member, into = self.member(), self.member()
        if self.chance.random() < 0.5:
            self.names.append(f"member-{self.number}-new")
        body = self.body(reason="registered", into=into)
        return "operator:anna", f"members/{member}/merge", body

    def again(self):
        """The same message again: the first answer, whatever it was."""
        return self.sent and self.chance.choice(self.sent)

    def reused(self):
        """An id of before with other content."""
        if not self.sent:
            return None
        partner, path, body = copy.deepcopy(self.chance.choice(self.sent))
        for name in ("points", "expires_in_seconds"):
            if name in body and partner != OPERATOR:
                body[name] += 1
                return partner, path, body
        return None

    def clock(self):
        """Sometimes over the end of a month."""
        ahead = self.chance.choice([60, 3_600, 86_400, 86_400, 86_400, 9 * 86_400])
        return None, "clock", days.text_of(self.oracle.now + timedelta(seconds=ahead))

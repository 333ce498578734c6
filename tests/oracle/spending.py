"""Redemptions, donations, transfers, and holds that end in one."""

from dataclasses import replace
from datetime import timedelta

import days
from earning import Booked
from members import Hold
from refusals import Refused


class Spending:
    def draw(self, member, body):
        """[(lot, points)] of what is available, in draw order; at face value, a point a cent."""
        points = body["points"] if "points" in body else body["value"]["amount_minor"]
        if points > member.total("active"):
            raise Refused("insufficient_points")
        drawn = []
        for lot in member.drawn_first():
            taken = min(points, lot.active)
            if taken:
                drawn.append((lot, taken))
                points -= taken
        return drawn

    def redeem(self, caller, body):
        member = self.acting(body["member"], caller, "redeemer")
        return self.spend(caller, member, body, self.draw(member, body), "active", caller)

    def donate(self, caller, body):
        member = self.acting(body["member"], body["charity"], "charity")
        return self.spend(caller, member, body, self.draw(member, body), "active", body["charity"])

    def spend(self, caller, member, body, drawn, state, to):
        """A charity is paid each lot's own price, a redeemer what its tariff of the day says."""
        charity = "charity" in self.terms.partners[to].roles
        rate = None if charity else self.terms.partners[to].tariff(self.day(body)).reimbursement
        takes = [(self.move.use(lot, state, points, to, lot.price if charity else rate), points)
                 for lot, points in drawn]
        points = sum(points for _, points in takes)
        self.was_active(member)
        self.booked[caller, body["message_id"]] = Booked("use", caller, member, points, takes=takes)
        return {"points": points, "drawn": [(lot.issuer, points) for lot, points in drawn],
                "balance": member.balance()}

    def transfer(self, caller, body):
        """Lots go, or parts of them, with issuer, price and expiry; no money moves."""
        if self.known(body["member"]) is self.known(body["to_member"]):
            raise Refused("already_merged")
        member = self.acting(body["member"], caller, "redeemer")
        receiver = self.acting(body["to_member"])
        drawn, moved = self.draw(member, body), []
        for lot, points in drawn:
            part = replace(lot, member=receiver, pending=0, active=0, held=0, expired=0)
            receiver.lots.append(part)
            self.move.take_out(lot, "active", points, "transit")
            self.move.put_in(part, "active", points, "transit")
            self.watch(part)
            moved.append(part)
        self.was_active(member)
        self.was_active(receiver)
        self.made_available(receiver, moved)
        return {"points": sum(points for _, points in drawn),
                "drawn": [(lot.issuer, points) for lot, points in drawn], "balance": member.balance()}

    # Holds.

    def open_hold(self, caller, body):
        member = self.acting(body["member"], caller, "redeemer")
        drawn = self.draw(member, body)
        for lot, points in drawn:
            self.move.between(lot, "active", "held", points)
        hold = Hold(member, caller, drawn, self.now + timedelta(seconds=body["expires_in_seconds"]))
        member.holds.append(hold)
        self.holds[caller, body["message_id"]] = hold
        self.at(hold.ends_at, f"end of hold {body['message_id']}", lambda: self.end_hold(hold))
        return {"points": body["points"], "expires_at": days.text_of(hold.ends_at),
                "balance": member.balance()}

    def find_hold(self, caller, name):
        hold = self.holds.get((caller, name))
        if hold is None:
            raise Refused("hold_unknown")
        if not hold.is_open:
            raise Refused("hold_not_open")
        return hold

    def end_hold(self, hold):
        """What is still held is available again."""
        if not hold.is_open:
            return
        hold.is_open = False
        for lot, points in hold.allocations:
            self.move.between(lot, "held", "active", points)
        self.made_available(hold.member.surviving, [lot for lot, _ in hold.allocations])

    def capture(self, caller, name, body):
        """In draw order; the rest is released. Judged at the hold's time: what is held is not overdue."""
        hold = self.find_hold(caller, name)
        left = body.get("points", hold.points)
        if left > hold.points:
            raise Refused("insufficient_points")
        captured, rest = [], []
        for lot, held in hold.allocations:
            taken = min(left, held)
            left -= taken
            captured += [(lot, taken)] if taken else []
            rest += [(lot, held - taken)] if held > taken else []
        member = hold.member.surviving
        said = self.spend(caller, member, body, captured, "held", caller)
        hold.allocations = rest
        self.end_hold(hold)
        return said | {"balance": member.balance()}

    def release_hold(self, caller, name, body):
        hold = self.find_hold(caller, name)
        self.end_hold(hold)
        return {"points": hold.points, "balance": hold.member.surviving.balance()}

"""Reversals: refunds of what was spent, clawbacks of what was earned."""

from dataclasses import replace
from datetime import timedelta

import days
from members import Debt
from refusals import POINTS_MAX, Refused


class Returning:
    def reverse(self, caller, body):
        """The sum of all reversals is capped at the original."""
        original = self.booked.get((caller, body["reverses"]))
        if original is None:
            raise Refused("message_unknown")
        left, returned = original.points - original.reversed, original.returned_minor
        if "purchase" in body:
            returned += body["purchase"]["amount_minor"]
            if original.amount_minor is None or returned > original.amount_minor:
                raise Refused("reversal_exceeds_original")
            # Earned less what the rest would earn, less what was clawed back before.
            points = max(0, left - (original.amount_minor - returned) // 100)
        else:
            points = body.get("points", left)
        if points > left or (points == 0 and "purchase" not in body):
            raise Refused("reversal_exceeds_original")
        original.returned_minor = returned
        if original.kind == "use":
            original.reversed += points
            return self.refund(original, points)
        original.reversed += points
        return self.undo_accrual(original, points)

    def refund(self, original, points):
        """Into the same lots, latest drawn first, whatever their expiry."""
        skip, left, restored = original.reversed - points, points, []
        for take, taken in reversed(original.takes):
            skipped = min(skip, taken)
            skip -= skipped
            back = min(left, taken - skipped)
            if back:
                left -= back
                lot = self.lasting(take.lot)
                self.move.give_back(take, lot, back)
                restored.append((lot, back))
        assert left == 0
        member = original.member.surviving
        self.made_available(member, [lot for lot, _ in restored])
        return {"points": points, "restored": [(lot.issuer, back) for lot, back in restored],
                "debt": 0, "balance": member.balance()}

    def lasting(self, lot):
        """The lot; when its last day has passed, the part of it that lasts for the days of grace."""
        grace = self.terms.refund_grace_days
        if not grace or not self.is_overdue(lot):
            return lot
        return self.part_of(lot, days.local_day(self.now, self.terms.zone) + timedelta(days=grace))

    def part_of(self, lot, expires_on):
        """The same lot's points with another last day."""
        for part in lot.member.parts_of(lot):
            if part.expires_on == expires_on:
                return part
        part = replace(lot, expires_on=expires_on, pending=0, active=0, held=0, expired=0, takes=[])
        lot.member.lots.append(part)
        self.watch(part)
        return part

    def undo_accrual(self, original, points):
        """Its own lots, pending first, and its part of their folds; what expired of them; then whatever
        else the member has.
        Of several lots the last funded goes first. A part that left and came back is the lot's again.
        What a funder's contract does not let it be credited is forfeited."""
        member, skip, left, own = original.member.surviving, original.reversed - points, points, 0
        taken = 0
        for lot, granted in reversed(original.lots):
            skipped = min(skip, granted)
            skip -= skipped
            part = min(left, granted - skipped)
            left -= part
            part = self.allowed(member, lot.issuer, part)
            taken += part
            own += self.take_back(member, lot, member.parts_of(lot), part, ("pending", "active", "expired"),
                                  member.folds_of(lot))
        return self.clawed_back(member, taken, own)

    def claw_back(self, caller, body):
        """A return whose purchase is not named: this issuer's own lots, latest first."""
        member = self.known(body["member"])
        self.has_role(caller, "issuer")
        points = body["points"] if "points" in body else body["purchase"]["amount_minor"] // 100
        if points > POINTS_MAX:
            raise Refused("points_out_of_range")
        points = self.allowed(member, caller, points)
        lots = sorted(sorted((lot for lot in member.lots if lot.issuer == caller),
                             key=lambda lot: lot.draw_order),
                      key=lambda lot: (lot.activity, lot.order), reverse=True)
        at_prices_of_the_day = self.owed_at(caller, self.day(body))
        own = self.take_back(member, at_prices_of_the_day, lots, points, ("pending", "active"))
        return self.clawed_back(member, points, own)

    def allowed(self, member, issuer, points):
        """Where the contract allows no excess, it takes no points."""
        if self.terms.partners[issuer].excess_clawbacks:
            return points
        return min(points, member.issued[issuer] - member.credited[issuer])

    def owed_at(self, issuer, day):
        """What a debt is owed at when no purchase is named."""
        tariff = self.terms.partners[issuer].tariff(day)
        return Debt(issuer, tariff, tariff.price, tariff.fee, None, None, None, 0)

    def take_back(self, member, source, lots, points, states, folds=()):
        """Credits the issuer up to what it issued to this member and has not had credited; the excess
        is the operator's. A debt is owed at the prices of `source`. Returns what the lots gave."""
        issuer = source.issuer
        creditable = min(points, member.issued[issuer] - member.credited[issuer])
        member.credited[issuer] += creditable
        self.books.count(issuer, "clawed_back", points)
        left = creditable
        for state in states:
            for lot in lots:
                taken = min(left, getattr(lot, state))
                self.move.claw_back(lot, state, taken)
                left -= taken
            for fold in folds:
                for part in fold[0]:
                    taken = min(left, fold[1], getattr(part, state))
                    if taken:
                        self.move.claw_back(part, state, taken)
                        fold[1] -= taken
                        left -= taken
                        member.went.append((self.number, source.order, part.order, None, taken))
        folded = [part for parts, _ in reversed(folds) for part in parts]
        borne = self.borne(issuer, [*lots, *folded], left)
        if points > creditable:
            borne.append(("excess", points - creditable, None))
        for bearer, part, take in borne:
            self.move.incur(member, Debt(issuer, source.tariff, source.price, source.fee, source.block,
                                         bearer, take, part, self.number))
        return creditable - left

    def borne(self, issuer, lots, points):
        """[(bearer, points, take)] by the shares of the contract; points left over go to the largest
        remainders. Redeemers are those who took the lots' points, latest first; what nobody took is the
        issuer's."""
        if not points:
            return []
        bearers = ("issuer", "redeemer", "operator")
        shares = self.terms.partners[issuer].debt_bearer
        whole = sum(shares.values())
        parts = {who: points * shares.get(who, 0) // whole for who in bearers}
        by_remainder = sorted(bearers, key=lambda who: -(points * shares.get(who, 0) % whole))
        for who in by_remainder[:points - sum(parts.values())]:
            parts[who] += 1
        assert sum(parts.values()) == points
        borne, left = [], parts.pop("redeemer")
        for take in reversed([take for lot in lots for take in lot.takes]):
            part = min(left, take.points - take.charged)
            if part > 0:
                borne.append(("redeemer", part, take))
                left -= part
        parts["issuer"] += left
        return borne + [(who, part, None) for who, part in parts.items() if part]

    def clawed_back(self, member, points, own):
        owed = member.debt
        self.move.repay(member)
        return {"points": points, "clawed_back_own": own,
                "debt": points - own - (owed - member.debt), "balance": member.balance()}

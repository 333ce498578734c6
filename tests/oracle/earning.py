"""Accruals: who funds them, out of what, and when the points can be spent."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

import days
from members import Lot, Member
from refusals import POINTS_MAX, Refused


@dataclass
class Booked:
    """What a later message may undo."""
    kind: str  # accrual or use
    partner: str
    member: Member
    points: int
    lots: list = field(default_factory=list)   # [(lot, points)] of an accrual
    takes: list = field(default_factory=list)  # [(take, points)] of a redemption or donation
    amount_minor: int = None
    reversed: int = 0
    returned_minor: int = 0


class Earning:
    def accrue(self, caller, body):
        if body["member"] in self.replaced:
            raise Refused("member_unknown")
        self.has_role(caller, "issuer")
        member = self.members.get(body["member"])
        if member and member.state != "open":
            raise Refused(f"member_{member.state}")
        day = self.day(body)
        if (days.local_day(self.now, self.terms.zone) - day).days > self.terms.late_window_days:
            raise Refused("late_window_closed")
        amount = body["purchase"]["amount_minor"] if "purchase" in body else None
        points = body["points"] if amount is None else amount // 100
        if points > POINTS_MAX:
            raise Refused("points_out_of_range")
        parts = self.funded(caller, body, day, points)
        if member is None:
            member = self.members[body["member"]] = Member(body["member"])
        self.was_active(member)
        lots = self.grant(member, caller, body, day, parts)
        self.booked[caller, body["message_id"]] = Booked(
            "accrual", caller, member, points, lots=lots, amount_minor=amount)
        said = {"points": points, "lots": [
            (lot.issuer, points, "pending" if lot.pending else "active", lot.expires_on)
            for lot, points in lots]}
        self.made_available(member, [lot for lot, _ in lots])
        return said | {"balance": member.balance()}

    def funded(self, caller, body, day, points):
        """[(issuer, points, block or None)]: a part for each funder and block. If one is unfunded, all
        is refused."""
        shares = {caller: points}
        if "promotion" in body:
            shares = self.shared(caller, body, day, points)
        parts = []
        for issuer, part in shares.items():
            if part and self.terms.partners[issuer].prepaid:
                parts += self.from_blocks(issuer, part)
            elif part:
                self.within_limit(issuer, day, part)
                parts.append((issuer, part, None))
        if any(self.outwaits(caller, body, day, issuer) for issuer, _, _ in parts):
            raise Refused("limit_exceeded")
        if "promotion" in body:
            self.granted[body["promotion"]] = self.granted.get(body["promotion"], 0) + points
        return parts

    def shared(self, caller, body, day, points):
        promotion = self.terms.promotions.get(body["promotion"])
        if (promotion is None or caller not in promotion.funders
                or not promotion.first <= day <= promotion.last):
            raise Refused("funding_not_agreed")
        if promotion.cap and self.granted.get(promotion.name, 0) + points > promotion.cap:
            raise Refused("limit_exceeded")
        return self.split(promotion.funders, points, promotion.name, caller, body["message_id"])

    @staticmethod
    def split(funders, points, *drawn_by):
        """By integer shares. Points left over: the remainders lie end to end in the order of the
        funders; a hash picks a place on the line, and each step of all shares from there another."""
        whole = sum(funders.values())
        shares = {name: points * share // whole for name, share in funders.items()}
        line = [name for name, share in funders.items() for _ in range(points * share % whole)]
        digest = hashlib.sha256("\0".join(drawn_by).encode()).digest()
        for name in line[int.from_bytes(digest[:8], "big") % whole::whole]:
            shares[name] += 1
        assert sum(shares.values()) == points
        return shares

    def from_blocks(self, issuer, points):
        """The oldest with points left; when it is short, the contract refuses or takes the rest from the
        next, and two blocks give two lots."""
        parts, left = [], points
        for block in self.blocks[issuer]:
            taken = min(left, block.left)
            if taken:
                parts.append((issuer, taken, block))
                left -= taken
        if left or (len(parts) > 1 and self.terms.partners[issuer].on_short == "refuse"):
            raise Refused("issuer_unfunded")
        return parts

    def within_limit(self, issuer, day, points):
        """What is unbilled or billed and unpaid, VAT included, with this accrual."""
        partner = self.terms.partners[issuer]
        if partner.credit_limit is None:
            return
        tariff = partner.tariff(day)
        owed = {"price": points * tariff.prefunded + self.books.owed[issuer, "price"],
                "fee": points * tariff.fee + self.books.owed[issuer, "fee"]}
        today = days.local_day(self.now, self.terms.zone)
        if sum(Fraction(amount * (10_000 + partner.vat_rate(flow, today)), 10_000)
               for flow, amount in owed.items()) > partner.credit_limit:
            raise Refused("issuer_unfunded")

    def available_at(self, caller, body, day):
        """When points mature is a term of the partner that sends the message."""
        if "pending_until" in body:
            return days.instant(body["pending_until"])
        pending_days = self.terms.partners[caller].tariff(day).pending_days
        return days.midnight(day + timedelta(days=pending_days), self.terms.zone)

    def outwaits(self, caller, body, day, issuer):
        """Whether points would still wait when their last day is over."""
        expiry, matures = self.terms.partners[issuer].tariff(day).expiry, self.available_at(caller, body, day)
        return (expiry and matures > self.now
                and days.local_day(matures, self.terms.zone) > days.months_later(day, *expiry))

    def grant(self, member, caller, body, day, parts):
        """One lot for each part."""
        available_at = self.available_at(caller, body, day)
        lots = []
        for position, (issuer, points, block) in enumerate(parts):
            tariff = self.terms.partners[issuer].tariff(day)
            lot = Lot(
                name=body["message_id"] + ("abcdefgh"[position] if len(parts) > 1 else ""),
                member=member, issuer=issuer, tariff=tariff,
                price=block.price if block else tariff.price, fee=block.fee if block else tariff.fee,
                prefunded=block.price if block else tariff.prefunded,
                activity=days.instant(body["occurred_at"]), order=(self.number, position),
                expires_on=tariff.expiry and days.months_later(day, *tariff.expiry),
                available_at=available_at, block=block)
            member.lots.append(lot)
            self.move.issue(lot, "pending" if available_at > self.now else "active", points)
            self.watch(lot)
            lots.append((lot, points))
        return lots

    def release_pending(self, caller, name, body):
        booked = self.booked.get((caller, name))
        if booked is None or booked.kind != "accrual":
            raise Refused("message_unknown")
        member, lots = booked.member.surviving, [lot for lot, _ in booked.lots]
        points = sum(lot.pending for lot in lots)
        for lot in lots:
            self.move.between(lot, "pending", "active", lot.pending)
        self.made_available(member, lots)
        return {"points": points, "balance": member.balance()}

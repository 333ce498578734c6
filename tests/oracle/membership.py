"""Members that enrol, are blocked, merged, closed; and the state that a coalition moves in with."""

import days
from members import Block, Lot, Member
from refusals import Refused
from terms import micro


class Membership:
    def enrol(self, caller, body):
        """With an identifier it also does what `identify` does."""
        name = body["member"]
        if "identifier" in body and name in self.members:
            return self.identify(name, body)
        if name in self.replaced:
            raise Refused("member_unknown")
        member = self.members.get(name) or Member(name)
        if "identifier" in body:
            self.add_identifier(name, member, body)
        if name not in self.members:
            self.was_active(member)
        self.members[name] = member
        return {"balance": member.balance()}

    def identify(self, name, body):
        """One identifier more; what it replaces finds nobody any more, and is never another's."""
        identifier = body["identifier"]
        # Done before: to say it under another id changes nothing.
        done = (body.get("replaces") == name and identifier not in self.replaced
                and identifier in self.members and self.members[identifier] is self.members.get(name))
        member = self.members[name] if done else self.known(name)
        self.add_identifier(name, member, body)
        return {"balance": member.balance()}

    def add_identifier(self, name, member, body):
        identifier, replaced = body["identifier"], body.get("replaces")
        if replaced and self.members.get(replaced) is not member:
            raise Refused("member_unknown")
        if member.state != "open":
            raise Refused(f"member_{member.state}")
        if self.members.get(identifier, member) is not member:
            raise Refused("identifier_taken")
        self.members[name] = self.members[identifier] = member
        self.replaced.discard(identifier)
        if replaced:
            self.replaced.add(replaced)

    def block(self, name, body):
        self.known(name).state = "blocked"
        return {}

    def unblock(self, name, body):
        self.known(name).state = "open"
        return {}

    def close(self, name, body):
        """Open points are forfeited as if they had expired; a debt stays."""
        member = self.known(name)
        for hold in member.holds:
            self.end_hold(hold)
        for lot in member.lots:
            self.expire(lot)
        member.state = "closed"
        return {"balance": member.balance()}

    def adjust(self, caller, body):
        """Points that an issuer funds. What waits for a second operator is decided when it is approved."""
        if body["funder"] not in self.terms.partners:
            raise Refused("role_not_allowed")
        self.known(body["member"])
        said = self.accrue(body["funder"], body)
        del self.booked[body["funder"], body["message_id"]]  # the funder never sent it
        return said

    def reinstate(self, name, body):
        """Points that expired come back, latest expired first; funded by those who kept the breakage, or
        by the house. The months without activity begin anew."""
        member = self.acting(name)
        house_pays = body.get("funder") == "house"
        if "funder" in body and not house_pays:
            raise Refused("funding_not_agreed")
        expires_on, left = days.date.fromisoformat(body["expires_on"]), body["points"]
        if expires_on < self.today():
            raise Refused("late_window_closed")
        if left > sum(points for _, points, _ in member.expiries):
            raise Refused("insufficient_points")
        self.was_active(member)
        lots = []
        for lot, expired, _ in list(reversed(member.expiries)):
            taken = min(left, expired)
            left -= taken
            part = self.part_of(lot, expires_on)
            for one in member.parts_of(lot):
                points = min(taken, one.expired)
                taken -= points
                self.move.reinstate(one, part, points, house_pays)
            lots.append(part)
            if not left:
                break
        self.made_available(member, lots)
        return {"points": body["points"], "balance": member.balance()}

    def merge(self, name, body):
        """Lots, holds and debts go to the other member; the old identifier becomes its alias. The
        oldest debt is repaid first, whoever's it was."""
        source, target = self.known(name), self.known(body["into"])
        if source is target:
            raise Refused("already_merged")
        self.acting(name), self.acting(body["into"])
        moved = {"points": sum(lot.open for lot in source.lots), "debt": source.debt}
        for lot in source.lots:
            for state in ("pending", "active", "held"):
                points = getattr(lot, state)
                if points:
                    self.books.post_points(
                        lot.issuer, (self.move.account(source, state), points),
                        (self.move.account(target, state), -points))
            lot.member = target
        for debt in source.debts:
            self.books.post_points(
                debt.issuer, (self.move.account(target, "debt"), debt.points),
                (self.move.account(source, "debt"), -debt.points))
        for issuer in source.issued:
            target.issued[issuer] += source.issued[issuer]
            target.credited[issuer] += source.credited[issuer]
        target.lots += source.lots
        target.debts = sorted(target.debts + source.debts, key=lambda debt: debt.since)
        target.holds += source.holds
        source.lots, source.debts, source.holds = [], [], []
        target.went += source.went
        target.expiries = sorted(target.expiries + source.expiries, key=lambda expiry: expiry[2])
        source.expiries = []
        self.was_active(target)
        source.merged_into = target
        for alias in [alias for alias, member in self.members.items() if member is source]:
            self.members[alias] = target
        self.move.repay(target)
        return moved

    def open_with(self, opening):
        """`import opening`: lots with provenance, blocks, balances; in the form of the opening file."""
        self.books.event, self.books.window = "OPEN", opening["as_of"][:7]
        for each in opening["members"]:
            self.members[each["member"]] = Member(each["member"])
            self.was_active(self.members[each["member"]])
        for each in opening["lots"]:
            self.open_lot(each, days.date.fromisoformat(opening["as_of"]))
        for each in opening.get("blocks", []):
            self.blocks[each["partner"]].append(Block(
                each["partner"], each["points"], micro(each["price"]), micro(each["fee"])))
        self.books.post_money(*opening["balances_micro"].items())

    def open_lot(self, each, as_of):
        """A lot has the terms of its issuer's tariff on that day, at a price of its own."""
        self.number += 1
        issuer, points = each["issuer"], each["points"]
        activity = days.instant(each["activity_at"])
        tariff = self.terms.partners[issuer].tariff(as_of)
        price = micro(each["issue_price"])
        lot = Lot(
            name=each["lot"], member=self.members[each["member"]], issuer=issuer, tariff=tariff,
            price=price, fee=0, prefunded=int(price * tariff.prefund), activity=activity,
            order=(self.number, 0), expires_on=days.date.fromisoformat(each["expires_on"]),
            available_at=None)
        lot.member.lots.append(lot)
        self.move.put_in(lot, each["state"], points, f"issued:{issuer}")
        self.books.count(issuer, "imported", points)
        self.watch(lot)

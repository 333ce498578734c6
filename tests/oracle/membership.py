"""Members that enrol, are blocked, merged, closed; and the state that a coalition moves in with."""

import days
from members import Block, Lot, Member
from terms import micro


class Membership:
    def enrol(self, caller, body):
        member = self.members.setdefault(body["member"], Member(body["member"]))
        return {"balance": member.balance()}

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

    def merge(self, name, body):
        """Lots, holds and debts go to the other member; the old identifier becomes its alias."""
        source, target = self.known(name), self.acting(body["into"])
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
        target.debts += source.debts
        target.holds += source.holds
        source.lots, source.debts, source.holds = [], [], []
        source.merged_into = target
        for alias in [alias for alias, member in self.members.items() if member is source]:
            self.members[alias] = target
        self.move.repay(target)
        return {"balance": target.balance()}

    def open_with(self, opening):
        """`import opening`: lots with provenance, blocks, balances; in the form of the opening file."""
        self.books.event, self.books.window = "OPEN", opening["as_of"][:7]
        for each in opening["members"]:
            self.members[each["member"]] = Member(each["member"])
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

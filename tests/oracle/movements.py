"""What happens to points of one lot, in points and in money at once: the table of DESIGN §4.

Every function moves `points` of one lot and books both sides. Who may, and which lots, is decided
elsewhere. `moved` lists what an operator is shown of the message: (kind, issuer, points)."""

from members import Take


class Movements:
    def __init__(self, terms, books):
        self.terms = terms
        self.books = books
        self.moved = []
        self.moment = None  # (instant, number of the message, or 0 of what the clock brings about)

    # Money.

    def issuer_owes(self, source, price=0, fee=0):
        """By what the lot or debt was funded: taken from its block, or billed. Below zero: credited.
        Returns the lines that debit the issuer."""
        if source.block:
            return [(f"prepaid_block:{source.issuer}", price), (f"prepaid_fee:{source.issuer}", fee)]
        self.books.bill(source.issuer, "price", source.tariff, price)
        self.books.bill(source.issuer, "fee", source.tariff, fee)
        return [(f"unbilled:{source.issuer}", price + fee)]

    def house_owes(self, partner, flow, amount):
        """The line that credits a redeemer, a charity, or an issuer its share of breakage."""
        self.books.bill(partner, flow, None, -amount)
        account = "accrued_breakage_share" if flow == "breakage_shared" else "accrued_redemption"
        return (f"{account}:{partner}", -amount)

    # The states of points.

    def between(self, lot, source, target, points):
        """From one state of the lot to another; no money moves."""
        if not points:
            return
        setattr(lot, source, getattr(lot, source) - points)
        setattr(lot, target, getattr(lot, target) + points)
        assert getattr(lot, source) >= 0, (lot.name, source)
        self.books.post_points(lot.issuer, (self.account(lot.member, source), points),
                               (self.account(lot.member, target), -points))

    @staticmethod
    def account(member, state):
        return f"member:{member.name}:{state}"

    def take_out(self, lot, state, points, to):
        setattr(lot, state, getattr(lot, state) - points)
        assert getattr(lot, state) >= 0, (lot.name, state)
        self.books.post_points(lot.issuer, (self.account(lot.member, state), points), (to, -points))

    def put_in(self, lot, state, points, source):
        setattr(lot, state, getattr(lot, state) + points)
        self.books.post_points(lot.issuer, (source, points), (self.account(lot.member, state), -points))

    # Issue, redemption, refund.

    def issue(self, lot, state, points):
        self.put_in(lot, state, points, f"issued:{lot.issuer}")
        self.books.count(lot.issuer, "issued", points)
        lot.member.issued[lot.issuer] += points
        if lot.block:
            lot.block.left -= points
        self.books.post_money(
            *self.issuer_owes(lot, points * lot.prefunded, points * lot.fee),
            ("deferred_revenue", -points * lot.prefunded), ("revenue:service_fee", -points * lot.fee))
        self.moved.append(("issued", lot.issuer, points))

    def use(self, lot, state, points, redeemer, paid):
        """To a redeemer or charity; `paid` is what the house owes it per point."""
        charity = "charity" in self.terms.partners[redeemer].roles
        self.take_out(lot, state, points, f"redeemed:{redeemer}")
        take = Take(lot, redeemer, paid, points)
        lot.takes.append(take)
        self.used(take, points, charity)
        self.books.count(redeemer, "redeemed_here", points)
        self.moved.append(("donated" if charity else "redeemed", lot.issuer, points))
        return take

    def give_back(self, take, lot, points):
        self.put_in(lot, "active", points, f"redeemed:{take.redeemer}")
        take.points -= points
        self.used(take, -points, "charity" in self.terms.partners[take.redeemer].roles)
        self.books.count(take.redeemer, "refunded", points)
        self.moved.append(("refunded", lot.issuer, points))

    def used(self, take, points, charity):
        """The money and the figures of points used; below zero: refunded."""
        lot = take.lot
        self.books.post_money(
            *self.issuer_owes(lot, points * (lot.price - lot.prefunded)),
            ("deferred_revenue", points * lot.prefunded),
            self.house_owes(take.redeemer, "donation" if charity else "reimbursement",
                            points * take.paid),
            ("revenue:redemption_margin", -points * (lot.price - take.paid)))
        self.books.count(lot.issuer, "own_redeemed_anywhere", points)
        if charity:
            self.books.count(lot.issuer, "donated", points)
        self.books.flow(lot.issuer, take.redeemer, points)

    # Expiry.

    def expire(self, lot, state, points):
        if points:
            self.take_out(lot, state, points, "expired")
            lot.expired += points
            lot.member.expiries.append([lot, points, (*self.moment, lot.draw_order)])
            lot.member.expiries.sort(key=lambda expiry: expiry[2])
            self.break_up(lot, points)
            self.moved.append(("expired", lot.issuer, points))

    def break_up(self, lot, points):
        """Breakage: x · p is split by the shares of the lot's tariff. Below zero: undone."""
        amount = points * lot.prefunded
        shares = lot.tariff.breakage
        parts = {who: amount * share // sum(shares.values()) for who, share in shares.items()}
        assert sum(parts.values()) == amount, "a share of breakage is not whole"
        self.books.post_money(
            ("deferred_revenue", amount), ("revenue:breakage", -parts.get("operator", 0)),
            self.house_owes(lot.issuer, "breakage_shared", parts.get("issuer", 0)))
        self.books.count(lot.issuer, "expired", points)

    def reinstate(self, lot, into, points, house_pays):
        """Expired points come back into a part of their lot that lasts longer."""
        if not points:
            return
        lot.expired -= points
        lot.member.undo_expiry(lot, points)
        self.put_in(into, "active", points, "expired")
        amount = points * lot.prefunded
        if house_pays:
            self.books.post_money(("deferred_revenue", -amount), ("revenue:breakage", amount))
            self.books.count(lot.issuer, "expired", -points)
        else:
            self.break_up(lot, -points)
        self.moved.append(("reinstated", lot.issuer, points))

    # Clawback, debt, recovery.

    def claw_back(self, lot, state, points):
        """The issuer takes its points back out of a state of the lot, and is credited."""
        if not points:
            return
        if state == "expired":
            lot.expired -= points
            lot.member.undo_expiry(lot, points)
            self.break_up(lot, -points)
            self.books.post_points(lot.issuer, ("expired", points),
                                   (f"clawback:{lot.issuer}", -points))
        else:
            self.take_out(lot, state, points, f"clawback:{lot.issuer}")
        if lot.block:
            lot.block.left += points
        self.books.post_money(
            *self.issuer_owes(lot, -points * lot.prefunded, -points * lot.fee),
            ("deferred_revenue", points * lot.prefunded), ("revenue:service_fee", points * lot.fee))
        self.moved.append(("clawed_back", lot.issuer, points))

    def incur(self, member, debt):
        """Points that the issuer takes back and the member no longer has."""
        member.debts.append(debt)
        points = debt.points
        self.books.post_points(debt.issuer, (self.account(member, "debt"), points),
                               (f"clawback:{debt.issuer}", -points))
        self.books.count(debt.issuer, "debt", points)
        self.moved.append(("debt_incurred", debt.issuer, points))
        if debt.bearer in ("issuer", "excess"):
            return
        if debt.block:
            debt.block.left += points
        lines = [*self.issuer_owes(debt, -points * debt.price, -points * debt.fee),
                 ("revenue:service_fee", points * debt.fee)]
        if debt.bearer == "operator":
            lines.append(("debt_cost", points * debt.price))
        else:
            debt.take.charged += points
            lines.append(self.house_owes(debt.take.redeemer, "reimbursement", -points * debt.take.paid))
            lines.append(("revenue:redemption_margin", points * (debt.price - debt.take.paid)))
        self.books.post_money(*lines)

    def recover(self, member, lot, debt, points):
        """Available points of a lot repay a debt; whoever bore it is made whole."""
        self.take_out(lot, "active", points, f"recovery:{lot.issuer}")
        debt.points -= points
        self.books.post_points(debt.issuer, (f"recovery:{debt.issuer}", points),
                               (self.account(member, "debt"), -points))
        lines = [*self.issuer_owes(lot, points * (lot.price - lot.prefunded)),
                 ("deferred_revenue", points * lot.prefunded)]
        whole = debt.price
        if debt.bearer == "issuer":
            if debt.block:
                debt.block.left += points
            lines += self.issuer_owes(debt, -points * debt.price, -points * debt.fee)
            lines.append(("revenue:service_fee", points * debt.fee))
        elif debt.bearer == "operator":
            lines.append(("debt_cost", -points * debt.price))
        elif debt.bearer == "redeemer":
            lines.append(self.house_owes(debt.take.redeemer, "reimbursement", points * debt.price))
        else:
            whole = 0
        lines.append(("revenue:redemption_margin", -points * (lot.price - whole)))
        self.books.post_money(*lines)
        self.books.count(lot.issuer, "recovered_given", points)
        self.books.count(debt.issuer, "recovered_received", points)
        self.books.count(debt.issuer, "debt", -points)
        self.moved.append(("recovered", lot.issuer, points))

    def repay(self, member):
        """Whatever is available repays the oldest debt first."""
        for lot in member.drawn_first() if member.debts else ():
            while lot.active and member.debts:
                debt = member.debts[0]
                self.recover(member, lot, debt, min(lot.active, debt.points))
                if not debt.points:
                    member.debts.pop(0)

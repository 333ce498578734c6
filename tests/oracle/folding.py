"""Members with very many lots: their oldest become fewer."""

from dataclasses import replace

import days


class Folding:
    def fold_all(self):
        for member in set(self.members.values()):
            if len(member.lots) > self.lots_max:
                self.fold(member)

    def fold(self, member):
        """Beyond so many lots with available points the oldest, in draw order, join those of before
        them that are alike, until few enough are left. A fold is a lot of its own, as old as its first.
        No points and no money move."""
        parts = {}
        for lot in member.drawn_first():  # what left and came back is one lot with what stayed
            parts.setdefault((lot.order, lot.expires_on), []).append(lot)
        open_lots = list(parts.values())
        if len(open_lots) <= self.lots_max:
            return
        alike, left = {}, len(open_lots)
        for lot in open_lots:
            if left <= self.folded_to:
                break
            group = alike.setdefault(self.kind_of(lot[0]), [])
            left -= bool(group)
            group.append(lot)
        self.number += 1
        order = self.number
        for position, group in enumerate(group for group in alike.values() if len(group) > 1):
            lots = [part for lot in group for part in lot]
            fold = replace(lots[0], name=f"fold {order}.{position}", order=(order, position),
                           pending=0, active=sum(lot.active for lot in lots), held=0, expired=0, takes=[])
            for lot in lots:
                member.went.append((order, None, lot.order, fold.order, lot.active))
                lot.active = 0
            member.lots.append(fold)
            self.folds.append(fold.active)
            self.watch(fold)

    def kind_of(self, lot):
        month = days.local_day(lot.activity, self.terms.zone).strftime("%Y-%m")
        return (lot.issuer, id(lot.tariff), id(lot.block), lot.price, lot.fee, lot.expires_on, month)

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
        open_lots = member.drawn_first()
        if len(open_lots) <= self.lots_max:
            return
        alike, left = {}, len(open_lots)
        for lot in open_lots:
            if left <= self.folded_to:
                break
            group = alike.setdefault(self.kind_of(lot), [])
            left -= bool(group)
            group.append(lot)
        for position, group in enumerate(group for group in alike.values() if len(group) > 1):
            self.number += not position
            fold = replace(group[0], name=f"fold {self.number}.{position}", order=(self.number, position),
                           pending=0, active=sum(lot.active for lot in group), held=0, expired=0, takes=[])
            for lot in group:
                member.went.append((self.number, None, lot.order, fold.order, lot.active))
                lot.active = 0
            member.lots.append(fold)
            self.folds += 1
            self.watch(fold)

    def kind_of(self, lot):
        month = days.local_day(lot.activity, self.terms.zone).strftime("%Y-%m")
        return (lot.issuer, id(lot.tariff), id(lot.block), lot.price, lot.fee, lot.expires_on, month)

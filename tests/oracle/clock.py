"""The house's time, and what it brings about: maturity, expiry, the end of holds."""

import heapq
from datetime import timedelta

import days


class Clock:
    def __init__(self, now):
        self.now = now
        self.number = 0  # of messages and of what is due: their order
        self.due = []    # heap of (instant, what ends a day first, number, name, window, what to do)

    def window_of(self, moment):
        return days.local_day(moment, self.terms.zone).strftime("%Y-%m")

    def advance(self, moment):
        """All that is due until then happens, in the order of time, each in the window of its time."""
        while self.due and self.due[0][0] <= moment:
            at, _, _, self.books.event, self.books.window, happen = heapq.heappop(self.due)
            self.now = max(self.now, at)
            self.move.moment = at, 0
            happen()
            self.fold_all()
        self.now = max(self.now, moment)

    def at(self, moment, name, happen, ends=None):
        """Or, with the day that ends then: before all that happens as the next one begins."""
        self.number += 1
        window = ends.strftime("%Y-%m") if ends else self.window_of(moment)
        heapq.heappush(self.due, (moment, ends is None, self.number, name, window, happen))

    def watch(self, lot):
        """Expiry at the end of a day belongs to that day, maturity at its start to the new one."""
        if lot.pending:
            self.at(lot.available_at, f"maturity of {lot.name}", lambda: self.mature(lot))
        if lot.expires_on:
            self.at(self.end_of(lot), f"expiry of {lot.name}", lambda: self.expire(lot), lot.expires_on)

    def end_of(self, lot):
        return days.midnight(lot.expires_on + timedelta(days=1), self.terms.zone)

    def is_overdue(self, lot):
        return lot.expires_on is not None and self.end_of(lot) <= self.now

    # Months without activity: what counts is an accrual, a redemption, a donation, a capture.

    def lapses_on(self, member):
        months = self.terms.inactivity_months
        return days.months_later(member.active_on, months, "day") if months else None

    def has_lapsed(self, member):
        return bool(self.terms.inactivity_months) and self.lapses_on(member) < self.today()

    def today(self):
        return days.local_day(self.now, self.terms.zone)

    def was_active(self, member):
        member.active_on = self.today()
        last = self.lapses_on(member)
        if last:
            self.at(days.midnight(last + timedelta(days=1), self.terms.zone), f"lapse of {member.name}",
                    lambda: self.lapse(member), last)

    def lapse(self, member):
        """Unless it did something meanwhile, all that is available expires."""
        if self.has_lapsed(member):
            for lot in member.lots:
                self.move.expire(lot, "active", lot.active)

    def mature(self, lot):
        """All of the member's that mature at this instant: they repay debt in draw order."""
        lots = [each for each in lot.member.lots if each.pending and each.available_at <= self.now]
        for each in lots:
            self.move.between(each, "pending", "active", each.pending)
        self.made_available(lot.member, lots)

    def expire(self, lot):
        """Held points do not expire; their overdue part does when it is released."""
        for state in ("pending", "active"):
            self.move.expire(lot, state, getattr(lot, state))

    def made_available(self, member, lots):
        """What is overdue expires at once, and all of a member that has lapsed; the rest repays debt."""
        for lot in lots:
            if self.is_overdue(lot):
                self.expire(lot)
        if self.terms.inactivity_months:
            self.lapse(member)
        self.move.repay(member)

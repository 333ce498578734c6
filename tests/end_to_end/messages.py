"""Messages as the contract writes them, with ids and members that no other test has used."""

import itertools

NOON = "2026-06-10T12:00:00Z"

_numbers = itertools.count(1)


def fresh(prefix):
    """An id that has not been used before in this run."""
    return f"{prefix}-{next(_numbers)}"


def message(**fields):
    """A message body: a fresh id and noon unless the fields say otherwise."""
    return {"message_id": fresh("m"), "occurred_at": NOON} | fields


def accrual(member, points, **fields):
    return message(member=member, points=points, **fields)


def purchase(amount_minor, currency="EUR", **fields):
    return {"amount_minor": amount_minor, "currency": currency} | fields


def enrolment(member):
    """Has no time of its own: it moves no points."""
    return {"message_id": fresh("m"), "member": member}

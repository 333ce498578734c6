"""Local days of the house, and instants."""

from datetime import date, datetime, time, timedelta, timezone

UTC = timezone.utc


def instant(text):
    """An RFC 3339 time as the wire writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def text_of(moment):
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def midnight(day, zone):
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment, zone):
    return moment.astimezone(zone).date()


def months_later(day, months, at):
    """`at`: "month_end", or "day": the same day of that month, or its last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return last if at == "month_end" else last.replace(day=min(day.day, last.day))

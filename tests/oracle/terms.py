"""What partners agreed, read from the same terms files that the house reads. Money is in micro-units."""

import tomllib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

MICRO = 1_000_000


def whole(number):
    assert number == int(number), f"{number} is not whole"
    return int(number)


def micro(text):
    """"0.009500" → 9500."""
    return whole(Decimal(text) * MICRO)


@dataclass(frozen=True)
class Tariff:
    """Per point: what an issuer pays, what a redeemer gets. `breakage` and `prefund` are shares."""
    starts: date
    price: int
    fee: int
    reimbursement: int
    prefund: Fraction
    pending_days: int
    expiry: tuple  # (months, "month_end" or "day"), or None: never
    breakage: dict

    @property
    def prefunded(self):
        """x · p: what is paid at issue and owed to whoever takes the point."""
        return whole(self.price * self.prefund)


@dataclass(frozen=True)
class Promotion:
    name: str
    funders: dict  # partner → integer share, in the order of the contract
    first: date
    last: date
    cap: int  # points; 0: none


@dataclass
class Partner:
    name: str
    roles: tuple
    tariffs: list = field(default_factory=list)
    prepaid: bool = False
    credit_limit: int = None
    on_short: str = "refuse"
    debt_bearer: dict = None  # who → integer share
    excess_clawbacks: bool = True
    vat: list = field(default_factory=list)  # (from, flow, basis points)

    def tariff(self, day):
        """The one in force on a day; before the first, the first."""
        begun = [tariff for tariff in self.tariffs if tariff.starts <= day]
        return begun[-1] if begun else self.tariffs[0]

    def vat_rate(self, flow, day):
        rates = [rate for start, taxed, rate in self.vat if taxed == flow and start <= day]
        return rates[-1] if rates else 0


@dataclass
class Terms:
    zone: ZoneInfo
    late_window_days: int
    partners: dict
    promotions: dict
    refund_grace_days: int = 0
    inactivity_months: int = 0  # 0: none
    approval_above_points: int = None


def day_of(value):
    return date.fromisoformat(str(value))


def read_tariff(table):
    expiry = table.get("expiry")
    return Tariff(
        starts=day_of(table["from"]),
        price=micro(table.get("issue_price", "0")),
        fee=micro(table.get("service_fee", "0")),
        reimbursement=micro(table.get("reimbursement", "0")),
        prefund=Fraction(table.get("prefund_share", "1")),
        pending_days=table.get("pending_days", 0),
        expiry=(expiry["months"], expiry.get("at", "month_end")) if expiry else None,
        breakage=table.get("breakage", {"operator": 1}))


def read_partner(table):
    bearer = table.get("debt_bearer", "issuer")
    limit = table.get("credit_limit")
    return Partner(
        name=table["id"],
        roles=tuple(table["roles"]),
        tariffs=[read_tariff(each) for each in table.get("tariff", [])],
        prepaid=table.get("billing") == "prepaid",
        credit_limit=None if limit is None else micro(limit),
        on_short=table.get("on_short", "refuse"),
        debt_bearer=bearer if isinstance(bearer, dict) else {bearer: 1},
        excess_clawbacks=table.get("excess_clawbacks", True),
        vat=[(day_of(row["from"]), flow, row.get("rate_bp", 0))
             for row in table.get("vat", []) for flow in row["flows"]])


def read_terms(text):
    tables = tomllib.loads(text)
    house = tables.get("house", {})
    return Terms(
        zone=ZoneInfo(house.get("time_zone", "UTC")),
        late_window_days=house.get("late_window_days", 60),
        partners={table["id"]: read_partner(table) for table in tables["partner"]},
        promotions={table["id"]: Promotion(
            table["id"], table["funders"], day_of(table["from"]), day_of(table["to"]),
            table.get("cap_points", 0)) for table in tables.get("promotion", [])},
        refund_grace_days=house.get("refund_grace_days", 0),
        inactivity_months=house.get("inactivity_months", 0),
        approval_above_points=house.get("approval_above_points"))

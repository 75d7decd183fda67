"""How figures look in files: decimals in quotes, days as dates, counts as whole numbers.

The engine carries integers. What one of them means follows from its name in the state:

    pairs.binary.left   30000    "300.00"        rank.rank.since    19813   "2024-03-31"
    wallet              12345    "123.45"        rank.rank.missed   1       "1"
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from commissions.engine.plan import Plan
from commissions.engine.rounding import LARGEST
from commissions.simulation.table import EPOCH, FIGURE

Unit = Literal["volume", "money", "day", "count"]
HUNDREDTHS, MILLIONTHS = 2, 6
MONEY = ("due", "held", "limit", "pool", "reward", "wallet")
KNOWN = ("pairs", "metric", "rank", "run", "missed", "rest", "times", "once", *MONEY)


def decimal(units: int, places: int) -> Decimal:
    """An exact figure with its decimals: 12300 at two places is 123.00."""
    return Decimal(int(units)).scaleb(-places)


def rate(millionths: int) -> Decimal:
    """A rate without idle zeros, but with two decimals at least: 0.05, 0.125, 1.00."""
    exact = decimal(millionths, MILLIONTHS).normalize()
    return exact.quantize(Decimal("0.01")) if exact == exact.quantize(Decimal("0.01")) else exact


def day(days: int) -> str:
    return (EPOCH + timedelta(days=int(days))).isoformat()


def unit_of(name: str) -> Unit:
    """What the figures under a name of the state are."""
    head = name.partition(".")[0]
    if head in MONEY:
        return "money"
    if head == "rank" and name.endswith(".since"):
        return "day"
    return "volume" if head in ("metric", "pairs") else "count"


def written(name: str, figure: int, plan: Plan) -> str:
    """A figure of the state as it stands in a file."""
    match unit_of(name):
        case "day":
            return day(figure)
        case "count":
            return str(int(figure))
        case "money":
            return str(decimal(figure, plan.money.scale))
        case _:
            return str(decimal(figure, HUNDREDTHS))


def understood(name: str, text: object, plan: Plan) -> int:
    """The contrary of `written`. Raises ValueError for what does not say such a figure."""
    unit = unit_of(name)
    if not isinstance(text, str):
        raise ValueError("must be a text in quotes")
    if unit == "day":
        return (date.fromisoformat(text) - EPOCH).days
    places = {"count": 0, "money": plan.money.scale}.get(unit, HUNDREDTHS)
    if not FIGURE.fullmatch(text):
        raise ValueError("is no figure")
    number = Decimal(text).scaleb(places)
    if number != int(number):
        raise ValueError(f"must have no more than {places} decimals")
    if abs(number) > LARGEST:
        raise ValueError("is too large")
    return int(number)

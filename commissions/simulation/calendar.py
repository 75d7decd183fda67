"""Which period a day lies in: `--period week|month|quarter|all`.

month    2024-02-15 -> 2024-02      week (ISO, Monday to Sunday) -> 2024-W07
quarter  2024-02-15 -> 2024-Q1      all: everything is one period
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from commissions.simulation.table import EPOCH

Calendar = Literal["week", "month", "quarter", "all"]
CALENDARS: tuple[Calendar, ...] = ("month", "week", "quarter", "all")
MOST_PERIODS = 1_200


@dataclass(frozen=True, slots=True)
class Period:
    """`starts_on`, `ends_on`: first and last day."""

    code: str
    starts_on: int
    ends_on: int


def periods(calendar: Calendar, first: int, last: int) -> Iterator[Period]:
    """The periods from the one with the first day to the one with the last, without a gap."""
    if calendar == "all":
        yield Period("all", first, last)
        return
    period = period_of(calendar, first)
    yield period
    while period.ends_on < last:
        period = period_of(calendar, period.ends_on + 1)
        yield period


def period_of(calendar: Calendar, day: int) -> Period:
    when = EPOCH + timedelta(days=day)
    if calendar == "week":
        year, week, weekday = when.isocalendar()
        return Period(f"{year}-W{week:02}", day - weekday + 1, day - weekday + 7)
    if calendar == "quarter":
        quarter = (when.month - 1) // 3
        code, month, months = f"{when.year}-Q{quarter + 1}", quarter * 3 + 1, 3
    else:
        code, month, months = f"{when.year}-{when.month:02}", when.month, 1
    starts = date(when.year, month, 1)
    after = date(when.year + (month + months > 12), (month + months - 1) % 12 + 1, 1)
    return Period(code, (starts - EPOCH).days, (after - EPOCH).days - 1)

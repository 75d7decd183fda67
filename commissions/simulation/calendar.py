"""Which period a day lies in: `--period day|week|month|quarter|all`.

month    2024-02-15 -> 2024-02      week (ISO, Monday to Sunday) -> 2024-W07
quarter  2024-02-15 -> 2024-Q1      day  2024-02-15 -> 2024-02-15
all      everything is one period
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from commissions.simulation.table import EPOCH

Calendar = Literal["day", "week", "month", "quarter", "all"]
CALENDARS: tuple[Calendar, ...] = ("month", "day", "week", "quarter", "all")
DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92}
"""The most days a period has."""
MOST_PERIODS = 1_200


class TooManyPeriods(ValueError):
    """More periods than anybody means: one of the dates is wrong."""

    def __init__(self, first: int, last: int) -> None:
        days = " to ".join((EPOCH + timedelta(days=day)).isoformat() for day in (first, last))
        super().__init__(f"{days} are more than {MOST_PERIODS} periods: is a date wrong?")


@dataclass(frozen=True, slots=True)
class Period:
    """`starts_on`, `ends_on`: first and last day."""

    code: str
    starts_on: int
    ends_on: int


def periods(calendar: Calendar, first: int, last: int) -> Iterator[Period]:
    """The periods from the one with the first day to the one with the last, without a gap. Raises
    TooManyPeriods before the first of them."""
    if calendar == "all":
        yield Period("all", first, last)
        return
    if (last - first) // DAYS[calendar] > MOST_PERIODS:
        raise TooManyPeriods(first, last)
    period = period_of(calendar, first)
    yield period
    while period.ends_on < last:
        period = period_of(calendar, period.ends_on + 1)
        yield period


def period_of(calendar: Calendar, day: int) -> Period:
    when = EPOCH + timedelta(days=day)
    if calendar == "day":
        return Period(when.isoformat(), day, day)
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

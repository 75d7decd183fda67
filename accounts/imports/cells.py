"""From the text of a cell to a value. Each converter raises CellRefused with the reason."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from accounts.imports.errors import CellRefused

Converter = Callable[[str], Any]

TRUE = {"1", "true", "yes", "y"}
FALSE = {"0", "false", "no", "n"}
PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
MOST_DIGITS = 15
SMALLEST = Decimal("0.00000001")


def text_of(longest: int) -> Converter:
    def convert(cell: str) -> str:
        if len(cell) > longest:
            raise CellRefused(f"longer than {longest} characters")
        return cell

    return convert


def number_of(decimal: str = ".", thousands: str = "") -> Converter:
    """A number written with these marks: 1.234,50 with a comma and a full stop."""

    @lru_cache(20_000)
    def convert(cell: str) -> Decimal:
        plain = cell.replace(thousands, "") if thousands else cell
        if decimal != ".":
            plain = plain.replace(".", "x").replace(decimal, ".")
        if not PLAIN_NUMBER.fullmatch(plain):
            raise CellRefused("not a number")
        value = Decimal(plain)
        if value.adjusted() >= MOST_DIGITS or value != value.quantize(SMALLEST):
            raise CellRefused("a number of too many digits")
        return value

    return convert


def integer_of(decimal: str = ".", thousands: str = "") -> Converter:
    number = number_of(decimal, thousands)

    @lru_cache(20_000)
    def convert(cell: str) -> int:
        value = number(cell)
        if value != value.to_integral_value() or abs(value) > 2**31 - 1:
            raise CellRefused("not a whole number")
        return int(value)

    return convert


def date_of(formats: list[str]) -> Converter:
    @lru_cache(5_000)
    def convert(cell: str) -> date:
        return _parse(cell, formats).date()

    return convert


def moment_of(formats: list[str], zone: ZoneInfo) -> Converter:
    """A moment; without an offset it is the clock of the zone, and what the clock shows twice is
    the first of the two. An hour that the clock skips is read as if it had not."""

    @lru_cache(20_000)
    def convert(cell: str) -> datetime:
        moment = _parse(cell, formats)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return convert


def truth(cell: str) -> bool:
    word = cell.lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise CellRefused("neither yes nor no")


def _parse(cell: str, formats: list[str]) -> datetime:
    for pattern in formats:
        try:
            found = (
                datetime.fromisoformat(cell)
                if pattern == "iso"
                else datetime.strptime(cell, pattern)  # noqa: DTZ007 - the zone is the mapping's
            )
        except ValueError:
            continue
        if not 1900 <= found.year <= 2200:
            raise CellRefused("a year that cannot be meant")
        return found
    raise CellRefused("not a date in the expected form")

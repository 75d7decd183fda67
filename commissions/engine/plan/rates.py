"""How much a bonus pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.reading import Amount, Code, Rate


@dataclass(frozen=True, slots=True)
class ByStep:
    """One rate for each step, the same for everybody."""

    by: Literal["step"]
    table: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class ByRank:
    """A row of steps for each rank of a ladder; "none" is the row of those without one."""

    by: Literal["rank"]
    ladder: Code
    which: Literal["paid_as", "title", "highest"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class ByPackage:
    """A row of steps for each package: the earner's, or the smaller of earner's and source's."""

    by: Literal["package"]
    whose: Literal["earner", "smaller"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class ByKind:
    """A row of steps for each order kind."""

    by: Literal["kind"]
    table: Mapping[Code, tuple[Rate, ...]]


@dataclass(frozen=True, slots=True)
class Band:
    """From a figure on, up to the next band."""

    at: Amount
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class ByBand:
    """A row of steps by the band that the earner's metric lies in."""

    by: Literal["band"]
    metric: Code
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class ByFigure:
    """A row of steps by the band that a figure of the order line lies in: the larger the order, the
    more of it, or the larger the amount for it."""

    by: Literal["figure"]
    volume: Code
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Less:
    """The earner gets the difference to a rate below him, not the whole rate.

    paid_below: the highest rate already applied on the same walk; that of a step that was lost, the
    company's or held counts as applied. source: the source's own rate by the table at step 1.
    """

    than: Literal["paid_below", "source"]
    minimum: Annotated[Rate, "Paid at least, even where the difference is nothing; 0 for none."]
    source_minimum: Annotated[Rate, "The source's rate counts as at least this; 0 for none."] = 0


Rates = ByStep | ByRank | ByPackage | ByKind | ByBand | ByFigure

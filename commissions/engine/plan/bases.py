"""What a bonus is paid on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.reading import Amount, Code


@dataclass(frozen=True, slots=True)
class OfOrder:
    """Paid on each order line: one of its figures. The source is the seller."""

    of: Literal["order"]
    volume: Code
    smaller_package: Annotated[
        bool, "No more than the value of the smaller package of earner and source."
    ] = False
    at_most: Annotated[Amount | None, "No more than so much of a line; null: all of it."] = None
    above: Annotated[Amount, "Only what a line has above so much, up to `at_most`."] = 0


@dataclass(frozen=True, slots=True)
class OfMetric:
    """Paid on a figure of each member in the period. The source is that member."""

    of: Literal["metric"]
    metric: Code
    at_most: Annotated[Amount | None, "No more than so much of a member; null: all of it."] = None
    above: Annotated[
        Amount,
        "Only what a member has above so much, up to `at_most`: 30 % of what he sold above "
        "1000.00 up to 2000.00.",
    ] = 0
    each: Annotated[
        Amount | None, "An amount for each whole so much of it: for every 3 customers."
    ] = None


@dataclass(frozen=True, slots=True)
class Flat:
    """Paid as an amount: for each order line, or for each member in a period."""

    of: Literal["flat"]
    per: Literal["order", "member"]


@dataclass(frozen=True, slots=True)
class OfCommissions:
    """Paid on what others were paid. The source is who was paid, the line his line's."""

    of: Literal["commissions"]
    bonuses: Annotated[tuple[Code, ...], "May name this bonus too: then a match is matched again."]
    per: Annotated[Literal["line", "member"], "Each of his lines by itself, or their sum."]
    after_limits: Annotated[bool, "Whether limits on those bonuses were applied before."]

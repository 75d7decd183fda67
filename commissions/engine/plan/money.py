"""What exact figures become, and the figures of an order line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.reading import Amount, Between, Code, Rate
from commissions.engine.plan.terms import WHOLE, Rounding


@dataclass(frozen=True, slots=True)
class Money:
    """How exact figures become money."""

    scale: Annotated[int, Between(0, 6), "Decimal places of an amount; 2 for cents."]
    rounding: Annotated[Rounding, "Where a figure between two amounts goes."]
    granularity: Annotated[
        Literal["line", "member"],
        "line: each ledger line is rounded by itself. member: the sum of a member's lines of one "
        "bonus is rounded, and its lines share it so that they add up.",
    ]
    zero_amounts: Annotated[
        Literal["omit", "keep"], "Whether a line that rounds to nothing is written."
    ]


@dataclass(frozen=True, slots=True)
class Volume:
    """A figure of an order line: given with the order, or derived from figures before it.

    Derived: (`of` x `rate`, rounded) less the figures in `less`. A pool of 3.5 % of what the
    company leaves over is {"code": "pool", "of": "remainder", "rate": "0.035"}; the next figure
    that deducts it says {"of": "remainder", "less": ["pool"]}.
    """

    code: Annotated[Code, "The column of the order line, or the name of the derived figure."]
    of: Annotated[Code | None, "The figure it is derived from; left out: given."] = None
    rate: Annotated[Rate, "The share of `of`."] = WHOLE
    less: Annotated[tuple[Code, ...], "Figures deducted after the share."] = ()
    amounts: Annotated[
        Mapping[Code, Amount] | None,
        "Instead of a share: a fixed amount an order line of each kind; other kinds have none.",
    ] = None
    kinds: Annotated[tuple[Code, ...] | None, "Only on lines of these kinds, else zero."] = None

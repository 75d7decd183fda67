"""The figures of an order line: those it came with, and those derived from them step by step.

A derived figure is (`of` x `rate`, rounded to the hundredth by the plan's rounding) less the
figures in `less`. A price of 79.00 runs down half up like this:

    vendor     30 % of price          23.70        gross      price less vendor        55.30
    company    30 % of gross          16.59        remainder  gross less company       38.71
    pool       3.5 % of remainder      1.35 (1.35485)
    override   remainder less pool    37.36

Instead of a share a figure may be a fixed amount for each kind of order line. With `kinds` it is
zero on lines of other kinds. Refunds derive the same way with negative figures, and round like
their positive twins, so that a whole refund takes back exactly what the sale had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError
from commissions.engine.plan import WHOLE, Volume
from commissions.engine.rounding import LARGEST, MILLION, Int64s, divide, largest
from commissions.engine.snapshot import Lines

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts


def figure(volume: Volume, facts: Facts, part: str) -> Int64s:
    """The figure of each line of the part, `lines` or `refunds`."""
    lines = facts.part(part)
    found = whole_figure(volume, lines, facts, part)
    for code in volume.less:
        found = found - facts.volume(code, part)
    if volume.kinds is not None:
        found = np.where(of_kinds(lines, facts.plan.kinds, volume.kinds), found, 0)
    return found


def whole_figure(volume: Volume, lines: Lines, facts: Facts, part: str) -> Int64s:
    """The figure before deductions."""
    if volume.amounts is not None:
        fixed = [volume.amounts.get(kind, 0) for kind in facts.plan.kinds]
        by_kind = np.array(fixed, np.int64)[lines.kind]
        return by_kind if part == "lines" else -by_kind
    if volume.of is None:
        return lines.volume(volume.code)
    return share_of(facts.volume(volume.of, part), volume.rate, facts.plan.money.rounding)


def share_of(base: Int64s, rate: int, rounding: str) -> Int64s:
    """round(base x rate) in hundredths, the same rate for each line."""
    if rate == WHOLE:
        return base
    if largest(base) * rate > LARGEST:
        raise CapacityError(f"a figure of {largest(base)} hundredths is too large for its rate")
    return divide(base * rate, MILLION, rounding)


def of_kinds(lines: Lines, known: tuple[str, ...], kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    """For each line whether it is of one of the kinds."""
    wanted = np.array([kind in kinds for kind in known], np.bool_)
    return wanted[lines.kind]

"""Lines that name no order line, as rows, and what is left of them when they come out again.

    July's pool     Asha 50.00, Bela 50.00          worked out again     Asha 35.00, Bela 35.00
    less now        -15.00, -15.00

Lines of one key (bonus, level, rank, earner, source) count as one sum, which fills them in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commissions.engine.result import Block
from commissions.engine.rounding import Int64s


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines of a close that have no order line, in their order; Block's columns and bonus."""

    place: NDArray[np.int64]
    bonus: NDArray[np.int64]
    level: NDArray[np.int64]
    earner: NDArray[np.int64]
    source: NDArray[np.int64]
    rank_level: NDArray[np.int64]
    amount: Int64s

    @property
    def keys(self) -> tuple[Int64s, Int64s]:
        """What makes a line the same line in both calculations."""
        what = (self.bonus << 32) | (self.level << 16) | self.rank_level
        return what, (self.earner << 32) | (self.source + 1)


def rows_of(blocks: Sequence[Block]) -> Rows:
    """The lines without an order line; `place` counts all lines of the blocks."""
    found: dict[str, list[NDArray[np.int64]]] = {name: [np.empty(0, np.int64)] for name in ROWS}
    first = 0
    for block in blocks:
        hit = np.flatnonzero(block.line < 0)
        found["place"].append(first + hit)
        for name in ("bonus", "level"):
            found[name].append(np.full(len(hit), getattr(block, name), np.int64))
        for name in ("earner", "source", "rank_level", "amount"):
            found[name].append(getattr(block, name)[hit].astype(np.int64))
        first += len(block)
    return Rows(**{name: np.concatenate(parts) for name, parts in found.items()})


ROWS = tuple(Rows.__dataclass_fields__)


def less_now(rows: Rows, now: Rows) -> Int64s:
    """By how much each line is less now, opposite in sign. Lines with one key are filled in turn:
    of 30 and 20 are 40 left, so the second gives 10."""
    what, whose = (
        np.concatenate([one, other]) for one, other in zip(rows.keys, now.keys, strict=True)
    )
    order = np.lexsort((whose, what))
    new = np.append(True, (np.diff(what[order]) != 0) | (np.diff(whose[order]) != 0))
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new[: len(order)]) - 1
    mine, theirs = group[: len(rows.amount)], group[len(rows.amount) :]
    left = np.zeros(int(new.sum()), np.int64)
    np.add.at(left, theirs, now.amount)
    sign, whole = np.sign(rows.amount), np.abs(rows.amount)
    over = running_before(mine, whole)
    kept = np.clip(sign * left[mine] - over, 0, whole)
    less: Int64s = sign * (kept - whole)
    return less


def running_before(group: Int64s, values: Int64s) -> Int64s:
    """For each entry the sum of those before it in its group."""
    order = np.argsort(group, kind="stable")
    running = np.cumsum(values[order]) - values[order]
    first = np.searchsorted(group[order], group[order], "left")
    before = np.empty_like(values)
    before[order] = running - running[first]
    return before


def more(undone: Int64s, so_far: Int64s) -> Int64s:
    """What goes beyond what was undone before; what is once undone stays undone."""
    further: Int64s = np.sign(undone) * np.maximum(np.abs(undone) - np.abs(so_far), 0)
    return further

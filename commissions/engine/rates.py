"""How much a bonus offers: its table of rates as cells, and whose row everybody stands in.

    by      the row
    step    one for everybody
    rank    of the earner's rank; "none" is the row of those without one
    package of the earner's package, or of the smaller of his and the source's
    kind    of the order's kind
    band    of the highest band that the earner's metric reaches
    figure  of the highest band that a figure of the order line reaches

A row that is not there offers nothing, nor does a step beyond its end, unless such steps pay as the
last one in it.

    rank      step 1  step 2        a Bronze at step 2: 40000 millionths
    bronze    0.05    0.04          a Silver at step 3: 30000
    silver    0.05    0.04  0.03    a Bronze at step 3: 0

A table of amounts ("25.00") is held in hundredths: 2500.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commissions.engine.facts import Facts
from commissions.engine.plan import (
    NO_RANK,
    Band,
    Bonus,
    ByBand,
    ByFigure,
    ByKind,
    ByPackage,
    ByRank,
    ByStep,
)
from commissions.engine.rounding import Int64s
from commissions.engine.trees import Pointers

Figures = NDArray[np.int32] | NDArray[np.int64]
"""Shares in millionths are held in 32 bits, amounts in hundredths in 64."""

Rows = NDArray[np.int16]
Steps = NDArray[np.int16]
NO_ROW = -1
FIRST_ROW = 0
PER_HUNDREDTH = 10_000
LARGEST_RATE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Table:
    """`cells`: a row more and a column more than the plan has, both empty. `row`: N + 2, by member.

    `by`: whose row counts: the earner's, the smaller of earner's and source's, the order line's.
    """

    cells: Figures
    row: Rows
    by: str

    def at(
        self, step: int | Steps, earner: Pointers, source: Pointers, of_line: Rows | int
    ) -> Figures:
        """Millionths (or hundredths) that each earner is offered at a step on what the source did.
        `of_line`: the row that the order line decides on.

        `earner` and `source` may be N or N + 1, somebody beyond the members: he has no row.
        """
        rows = self.rows(earner, source, of_line)
        column = np.minimum(step, self.cells.shape[1]) - 1
        if isinstance(step, int):
            rates: Figures = self.cells[:, column][rows]
        else:
            rates = self.cells[rows, column]
        return rates

    def rows(self, earner: Pointers, source: Pointers, of_line: Rows | int) -> Rows:
        own = self.row[earner]
        if self.by == "smaller":
            return np.minimum(own, self.row[source])
        if self.by == "line":
            return np.where(own == NO_ROW, np.int16(NO_ROW), np.asarray(of_line, np.int16))
        return own

    def of_company(self, step: int, of_line: int) -> np.int32 | np.int64:
        """What a step offers that nobody is left for: known only where it asks for no earner."""
        column = min(step, self.cells.shape[1]) - 1
        row = {"step": FIRST_ROW, "line": of_line}.get(self.by, NO_ROW)
        found: np.int32 | np.int64 = self.cells[row, column]
        return found

    def cut(self, members: Pointers) -> Table:
        """For some members alone."""
        return Table(self.cells, with_nobody(self.row[members]), self.by)


def table_of(bonus: Bonus, facts: Facts) -> Table:
    """The bonus's rates in millionths, or its amounts in hundredths."""
    rates, by, size = bonus.rates, "earner", len(facts.snapshot.members)
    match rates:
        case ByStep():
            rows, row, by = [rates.table], np.zeros(size, np.int16), "step"
        case ByRank():
            codes = [NO_RANK, *(rank.code for rank in facts.plan.ladder(rates.ladder).ranks)]
            row = facts.ranks(rates.ladder).by(rates.which)
            rows = listed(codes, rates.table)
        case ByPackage():
            rows = listed([package.code for package in facts.plan.packages], rates.table)
            row, by = facts.package, rates.whose
        case ByKind():
            rows, by = listed(facts.plan.kinds, rates.table), "line"
            row = np.zeros(size, np.int16)
        case ByFigure():
            rows, by = [band.rates for band in rates.bands], "line"
            row = np.zeros(size, np.int16)
        case ByBand():
            rows, row = [band.rates for band in rates.bands], bands_of(rates, facts)
    return Table(cells_of(rows, bonus), with_nobody(row), by)


def with_nobody(row: Rows) -> Rows:
    """N + 2 rows: those of nobody, too."""
    return np.append(row, [NO_ROW, NO_ROW]).astype(np.int16)


def listed(codes: Sequence[str], table: Mapping[str, tuple[int, ...]]) -> list[tuple[int, ...]]:
    return [table.get(code, ()) for code in codes]


def bands_of(rates: ByBand, facts: Facts) -> Rows:
    """The place of the highest band that each member reaches, -1 below the first."""
    return reached(rates.bands, facts.metric(rates.metric))


def line_bands(rates: ByFigure, facts: Facts) -> Rows:
    """The same of each order line, and a last -1 for what stands on none."""
    return np.append(reached(rates.bands, facts.volume(rates.volume)), np.int16(NO_ROW))


def reached(bands: Sequence[Band], figures: Int64s) -> Rows:
    starts = np.array([band.at for band in bands], np.int64)
    return (np.searchsorted(starts, figures, side="right") - 1).astype(np.int16)


def by_line(bonus: Bonus) -> bool:
    """Whether the order line decides on the row."""
    return isinstance(bonus.rates, ByKind | ByFigure)


def cells_of(rows: Sequence[tuple[int, ...]], bonus: Bonus) -> Figures:
    rows = [bonus.whole_row(row) for row in rows]
    width = max((len(row) for row in rows), default=0)
    cells = np.zeros((len(rows) + 1, width + 1), np.int64)
    for place, row in enumerate(rows):
        cells[place, : len(row)] = row
    return in_unit(cells, bonus)


def in_unit(figures: Int64s, bonus: Bonus) -> Figures:
    """Figures of a table as the plan holds them: shares stay millionths, amounts get hundredths."""
    if bonus.unit == "amount":
        return figures // PER_HUNDREDTH
    return figures.astype(np.int32)

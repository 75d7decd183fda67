"""One walk along a chain of people, watched: who stands at which step, and where it is over.

A chain is a source (place 0) and his uplines, each under the next.

    E, D (active), C, B (active), A        compressed, two steps
    used: D 1, B 2        C is passed over        A: beyond the last step
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commissions.engine.awards import Items
from commissions.engine.generations import visits, walks_of
from commissions.engine.paths import SOURCE, Path, cursors, path_of
from commissions.engine.plan import PaysSource
from commissions.engine.rates import by_line
from commissions.engine.result import NOBODY
from commissions.engine.terms import Bools, Terms
from commissions.engine.trees import Pointers
from commissions.engine.walk import groups, pays_everyone

LAST_STEP, ENDED = "beyond_last_step", "ended"


@dataclass(frozen=True, slots=True)
class Trail:
    """`first`: place of the first person on the walk. `used`: by place the step he stands at.
    `ends`: the place where a stop or a block ends it; `blocks`: without paying him. `stands`:
    whether everybody on the walk stands at a step."""

    parent: Pointers
    row: int
    first: int
    used: dict[int, int]
    ends: int | None = None
    blocks: bool = False
    max_steps: int = 1
    max_distance: int | None = None
    stands: bool = False

    def is_blocked_at(self, place: int) -> bool:
        return self.blocks and place == self.ends

    def over(self, place: int) -> str | None:
        """Why the walk was over before it came to that place; None: it was not."""
        if self.ends is not None and place > self.ends:
            return ENDED
        if self.max_distance is not None and place > self.max_distance:
            return ENDED
        if place in self.used:
            return None
        last = max(self.used, default=place)
        if place > last and self.used.get(last) == self.max_steps:
            return LAST_STEP
        if self.is_blocked_at(place):
            return None
        return LAST_STEP if self.stands else None


def trail_of(terms: Terms, items: Items) -> Trail | None:
    """The way of one item on its chain; None if the bonus pays nothing for such an order."""
    row = int(items.row[0])
    if by_line(terms.bonus) and not terms.table.cells[row].any():
        return None
    parent = np.arange(1, len(terms) + 1, dtype=np.int32)
    parent[-1] = NOBODY
    if isinstance(terms.bonus.pays, PaysSource):
        return Trail(parent, row, first=0, used={0: 0})
    for start, row, group in groups(terms, items):
        path = path_of(terms, parent, start)
        first = 0 if start == SOURCE else 1
        ends, blocks = end_of(path, terms, first)
        return Trail(
            parent=parent,
            row=row,
            first=first,
            used=steps_used(path, start, group),
            ends=ends,
            blocks=blocks,
            max_steps=path.pays.max_steps,
            max_distance=path.pays.max_distance,
            stands=pays_everyone(path.pays),
        )
    return None


def steps_used(path: Path, start: str, items: Items) -> dict[int, int]:
    if pays_everyone(path.pays):
        walks = walks_of(path, items)
        return {int(walks.at[0]): int(level[0]) for _, level in visits(path, start, walks)}
    reached = {int(cursor[0]): step for step, cursor in cursors(path)}
    return {place: step for place, step in reached.items() if place < path.ended}


def end_of(path: Path, terms: Terms, first: int) -> tuple[int | None, bool]:
    """Where the walk ends for another reason than its steps, and whether without paying him."""
    refused: Bools = path.refused[: len(terms)]
    if not pays_everyone(path.pays):
        refused = refused & (terms.counts | terms.stops)
    places = np.flatnonzero(refused | terms.stops)
    places = places[places >= first]
    if not places.size:
        return None, False
    return int(places[0]), bool(refused[places[0]])

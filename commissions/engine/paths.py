"""The way up from each source: who is first on it, who is next, and where it is over.

Pointers have two places beyond the N members. A walk that has `ENDED`, by a stop or a block, stands
at N and stays there; one that has gone beyond the top (or further than `max_distance`) at N + 1.

        A            counts: A, B       cursors of E, starting with the next upline
        |
        B            step 1   B
        |            step 2   A
        C            step 3   beyond the top: N + 1
        |
        E            if the walk stops at B: step 1 B, step 2 N
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.plan import Bonus, Generations, PaysUpline
from commissions.engine.result import NOBODY
from commissions.engine.terms import Bools, Terms
from commissions.engine.trees import Pointers, nearest, with_top

SOURCE, UPLINE = "source", "upline"


@dataclass(frozen=True, slots=True)
class Path:
    """`first`: by source, the first person of his walk. `up`: by person, the next on any walk; who
    stops it has N above him. `halts`: who counts or stops. `refused`: who ends a walk without
    being paid when it halts at him. `passed`: whom compression passes over."""

    pays: PaysUpline
    parent: Pointers
    first: Pointers
    up: Pointers
    counts: Bools
    halts: Bools
    refused: Bools
    passed: Bools

    @property
    def ended(self) -> np.int32:
        return np.int32(len(self.parent))

    @property
    def top(self) -> np.int32:
        return np.int32(len(self.parent) + 1)


def pays_of(bonus: Bonus) -> PaysUpline:
    return cast(PaysUpline, bonus.pays)


def path_of(terms: Terms, parent: Pointers, start: str) -> Path:
    """The ways up a tree on a bonus's terms, from the source himself or from the next above him."""
    pays = pays_of(terms.bonus)
    size, nobody = len(parent), np.int32(NOBODY)
    links = np.append(np.where(terms.stops, np.int32(size), parent), nobody)
    up = with_top(links.astype(np.int32, copy=False))
    up[size] = size
    itself = np.arange(size + 2, dtype=np.int32)
    refused = terms.stops & (pays.stop is not None and not pays.stop.pays_him)
    if terms.bonus.eligibility.otherwise == "block":
        refused = refused | ~terms.eligible
    passed = ~terms.eligible & (terms.bonus.eligibility.otherwise == "compress")
    return Path(
        pays=pays,
        parent=parent,
        first=itself if start == SOURCE else with_top(np.append(parent, nobody)),
        up=up,
        counts=np.append(terms.counts, [False, False]),
        halts=np.append(terms.counts | terms.stops, [False, False]),
        refused=np.append(refused, [False, False]),
        passed=np.append(passed, [False, False]),
    )


def cursors(path: Path) -> Iterator[tuple[int, Pointers]]:
    """Step by step, N + 2 pointers: whom the step of each source's walk reaches.

    A boundary member who belongs to the next generation stands at step 2 when he is the first. A
    walk that ends at somebody ends there only if it looks as far: else it has passed the top.
    """
    above = np.append(path.parent, np.int32(NOBODY))
    reach = nearest(above, np.append(path.halts[:-2], True))
    is_end = path.refused | (path.halts & ~path.counts)
    following, reached = reach[path.up], reach[path.first]
    far = Distance(path)
    for step in range(first_step(path.pays), path.pays.max_steps + 1):
        reached = far.limited(reached)
        reached = np.where(is_end[reached], path.ended, reached)
        if is_over(path, reached):
            return
        yield step, reached
        reached = following[reached]


def is_over(path: Path, reached: Pointers) -> bool:
    """Whether nothing more can be paid on any walk."""
    if path.pays.unfilled == "company":
        return bool((reached == path.ended).all())
    return bool((reached >= path.ended).all())


def first_step(pays: PaysUpline) -> int:
    steps = pays.steps
    starts_next = isinstance(steps, Generations) and steps.boundary_belongs_to == "next_generation"
    return 2 if starts_next else 1


class Distance:
    """Keeps cursors within `max_distance` levels above their source."""

    def __init__(self, path: Path) -> None:
        self.most, self.top, self.size = path.pays.max_distance, path.top, len(path.parent)
        self.depth: NDArray[np.int32] = np.zeros(0, np.int32)
        if self.most is not None:
            self.depth = np.append(depths(path.parent), np.zeros(2, np.int32))

    def limited(self, reached: Pointers) -> Pointers:
        if self.most is None:
            return reached
        far = (reached < self.size) & (self.depth - self.depth[reached] > self.most)
        return np.where(far, np.int32(self.top), reached)


def depths(parent: Pointers) -> NDArray[np.int32]:
    """How many stand above each; 0 for a root."""
    up = with_top(parent)
    depth = (up < len(parent)).astype(np.int32)
    while (up < len(parent)).any():
        depth += depth[up]
        up = up[up]
    return depth[:-1]

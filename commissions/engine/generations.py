"""Generations in which everybody is paid: all within generation k, at the rate of generation k.

A generation ends with a boundary member. He is paid at the rate of the generation he closes, or at
that of the next one, as the bonus says.

    source E; above him D, C (boundary), B, A (boundary); rates 5 %, 3 %

    he closes it      D 5 %, C 5 %, B 3 %, A 3 %
    next generation   D 5 %, C 3 %, B 3 %; A would be in the third

The walks go up person by person, each with the number of its generation, until their steps are used
up. What the top leaves unfilled are the generations in which nobody stood but those whom
compression passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import Award, Destination, Items
from commissions.engine.grants import grants
from commissions.engine.paths import UPLINE, Path, first_step
from commissions.engine.rates import Steps
from commissions.engine.terms import Bools, Offer, Terms
from commissions.engine.trees import Pointers

Parts = Sequence[tuple[Destination, Bools]]


@dataclass(frozen=True, slots=True)
class Walks:
    """All walks of a bonus, one a source. `at`: whom each has reached, `generation`: which one he
    is in, `filled`: the last one in which somebody stood. `items`, and by item its `walk`."""

    source: Pointers
    at: Pointers
    generation: Steps
    filled: Steps
    items: Items
    walk: NDArray[np.intp]


def everyone(
    terms: Terms, path: Path, start: str, kind: int, items: Items, parts: Parts
) -> Iterator[Award]:
    """Awards by generation; within one those nearest to the source first."""
    walks = walks_of(path, items)
    by_level: dict[int, list[Award]] = defaultdict(list)
    for award in person_by_person(terms, path, start, kind, walks, parts):
        by_level[award.level].append(award)
    for level in sorted(by_level):
        yield from by_level[level]


def walks_of(path: Path, items: Items) -> Walks:
    source, walk = np.unique(items.source, return_inverse=True)
    return Walks(
        source=source,
        at=path.first[source],
        generation=np.ones(len(source), np.int16),
        filled=np.zeros(len(source), np.int16),
        items=items,
        walk=walk,
    )


def person_by_person(
    terms: Terms, path: Path, start: str, kind: int, walks: Walks, parts: Parts
) -> Iterator[Award]:
    """Awards in the order in which the walks come to people."""
    offer = Offer(terms, walks.source, kind)
    items, walk, place = walks.items, walks.walk, np.zeros(len(walks.source), np.intp)
    for going, level in visits(path, start, walks):
        kept = (walks.at < path.ended)[walk]
        items, walk = items.kept(kept), walk[kept]
        here, place[going] = walks.at[going], np.arange(len(going))
        rate = offer.at(level, here, going)
        yield from grants(terms, items, place[walk], here, rate, level, parts)
    if path.pays.unfilled == "company":
        yield from beyond(terms, path, walks, offer, parts)


def visits(path: Path, start: str, walks: Walks) -> Iterator[tuple[NDArray[np.intp], Steps]]:
    """Move by move the walks that still go on, now `at` somebody, and the generation he is in."""
    going = np.arange(len(walks.source))
    for distance in count(1 if start == UPLINE else 0):
        level = arrive(path, walks, going, distance)
        still = walks.at[going] < path.ended
        going, level = going[still], level[still]
        if not going.size:
            return
        yield going, level
        here = walks.at[going]
        walks.filled[going] = np.where(path.passed[here], walks.filled[going], level)
        walks.generation[going] += path.counts[here]
        walks.at[going] = path.up[here]


def arrive(path: Path, walks: Walks, going: NDArray[np.intp], distance: int) -> Steps:
    """The generations that the people reached are paid as; ends the walks that are over."""
    here, farthest = walks.at[going], path.pays.max_distance
    if farthest is not None and distance > farthest:
        here = np.where(here < path.ended, path.top, here)
    level = walks.generation[going]
    if first_step(path.pays) == 2:
        level = level + path.counts[here]
    is_used_up = (here < path.ended) & (level > path.pays.max_steps)
    walks.at[going] = np.where(path.refused[here] | is_used_up, path.ended, here)
    return level


def beyond(terms: Terms, path: Path, walks: Walks, offer: Offer, parts: Parts) -> Iterator[Award]:
    """The generations of walks that came to the top before anybody stood in them."""
    everywhere = np.arange(len(walks.source))
    for step in range(1, path.pays.max_steps + 1):
        is_empty = (walks.at == path.top) & (walks.filled < step)
        rate = np.where(is_empty, offer.at(step, walks.at, everywhere), 0)
        yield from grants(terms, walks.items, walks.walk, walks.at, rate, step, parts)

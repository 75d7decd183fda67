"""A snapshot as it would be if some people stood elsewhere.

Pointers are places in arrays that are in order of id, and nothing in the engine goes by the order
of members, so a move is one new pointer (and leg) for each change:

    place    0 Asha  1 Ben  2 Chloe  3 Dmitri          Dmitri under Ben
    sponsor   -1      0      1        2          ->     -1  0  1  1
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from commissions.engine import Snapshot
from commissions.engine.trees import Pointers
from commissions.services.arrays import Lookup
from commissions.services.facts import Cut, FactsRefused, numbers_of, read_placement
from genealogy.models.node import Tree
from genealogy.services.effects import Change, Changes, EffectsRefused

MOST_LEGS = 128


@dataclass(frozen=True)
class Moved:
    """The snapshot after the changes, and the pointers of the trees concerned, before and after."""

    snapshot: Snapshot
    before: dict[str, Pointers]
    after: dict[str, Pointers]

    def upline(self, change: Change, which: dict[str, Pointers]) -> list[int]:
        """Places of those above the moved person, nearest first."""
        pointers = which[change.tree]
        above, found = int(pointers[self.place(change.distributor_id)]), []
        while above >= 0:
            found.append(above)
            above = int(pointers[above])
        return found

    def place(self, distributor_id: int) -> int:
        return int(np.searchsorted(self.snapshot.members.id, distributor_id))


def moved(snapshot: Snapshot, changes: Changes, cut: Cut) -> Moved:
    """All changes at once. Raises EffectsRefused for what cannot be: a circle, a leg taken, or
    somebody who is not in the figures of the period."""
    refuse_nonsense(changes)
    members, lookup = snapshot.members, Lookup(snapshot.members.id)
    parents, leg = dict(members.parents), members.leg
    before: dict[str, Pointers] = {}
    after: dict[str, Pointers] = {}
    for tree, of_tree in by_tree(changes):
        legs: NDArray[np.signedinteger] = leg
        if tree in parents:
            before[tree] = parents[tree]
        else:  # the plan does not look at it
            before[tree], legs = placement(cut, lookup)
        after[tree], legs = rearranged(before[tree], legs, of_tree, lookup)
        refuse_circles(after[tree], of_tree, lookup)
        refuse_taken_legs(after[tree], legs, of_tree, lookup)
        if tree in parents:
            parents[tree], leg = after[tree], legs.astype(np.int8)
    return Moved(
        replace(snapshot, members=replace(members, parents=parents, leg=leg)), before, after
    )


def refuse_nonsense(changes: Changes) -> None:
    if not changes:
        raise EffectsRefused("Nothing is to be changed.")
    if len({(change.distributor_id, change.tree) for change in changes}) < len(changes):
        raise EffectsRefused("The same person is moved twice in one tree.")
    for change in changes:
        needs_leg = change.tree == Tree.PLACEMENT and change.new_parent_id is not None
        if needs_leg != (change.leg is not None):
            raise EffectsRefused("A place in the placement tree has a leg, and no other place.")
        if change.leg is not None and not 1 <= change.leg <= MOST_LEGS:
            raise EffectsRefused(f"Legs are counted from 1 to {MOST_LEGS}.")


def by_tree(changes: Changes) -> Iterator[tuple[str, list[Change]]]:
    for tree in Tree.values:
        if chosen := [change for change in changes if change.tree == tree]:
            yield tree, chosen


def placement(cut: Cut, lookup: Lookup) -> tuple[Pointers, NDArray[np.signedinteger]]:
    try:
        return read_placement(cut, lookup)
    except FactsRefused as refusal:
        raise EffectsRefused(str(refusal)) from refusal


def rearranged(
    parent: Pointers,
    leg: NDArray[np.signedinteger],
    changes: list[Change],
    lookup: Lookup,
) -> tuple[Pointers, NDArray[np.signedinteger]]:
    """Pointers and legs with the changes made; people count legs from 1, the engine from 0."""
    who = places([change.distributor_id for change in changes], lookup)
    wanted = [change.new_parent_id for change in changes]
    under = np.full(len(changes), -1, np.int32)
    has_parent = np.array([parent_id is not None for parent_id in wanted], np.bool_)
    under[has_parent] = places([pk for pk in wanted if pk is not None], lookup)
    parent = parent.copy()
    parent[who] = under
    if changes[0].tree == Tree.PLACEMENT:
        leg = leg.copy()
        leg[who] = [(change.leg or 0) - 1 for change in changes]
    return parent, leg


def places(ids: list[int], lookup: Lookup) -> Pointers:
    wanted = np.array(ids, np.int64)
    found = lookup(wanted)
    if (found < 0).any():
        names = numbers_of(wanted[found < 0][:5])
        raise EffectsRefused(f"{names} will not have joined by the end of the period.")
    return found


def refuse_taken_legs(
    parent: Pointers, leg: NDArray[np.signedinteger], changes: list[Change], lookup: Lookup
) -> None:
    for change in changes:
        if change.tree != Tree.PLACEMENT or change.new_parent_id is None:
            continue
        who, under = places([change.distributor_id, change.new_parent_id], lookup)
        there = np.flatnonzero((parent == under) & (leg == leg[who]))
        if taken := [place for place in there.tolist() if place != who]:
            names = numbers_of(lookup.ids[taken[:1]])
            raise EffectsRefused(f"Leg {change.leg} is taken by {names}.")


def refuse_circles(parent: Pointers, changes: list[Change], lookup: Lookup) -> None:
    for who in places([change.distributor_id for change in changes], lookup).tolist():
        above, seen = int(parent[who]), set[int]()
        while above >= 0 and above not in seen:
            if above == who:
                names = numbers_of(lookup.ids[[who]])
                raise EffectsRefused(f"{names} would stand below themselves.")
            seen.add(above)
            above = int(parent[above])

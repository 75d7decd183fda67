"""Trees as arrays of parent pointers: sums below and "the next upline who ...", for all at once.

Most works by pointer doubling: after one pass a pointer reaches 1 step up, after two 2, then 4, 8
... so that a chain of 5,000 takes 13 passes and a tree of a million with 40 levels takes 6. Nothing
here depends on the order of members; all sums are exact 64-bit integers.

        A (10)            sums:   A = 10 + 20 + 30 + 40 = 100     B = 20 + 40 = 60
       / \\                legs:   of A: 60 (B's) and 30 (C's)
   B (20) C (30)          levels: 1 to 1 of A = 50, 2 to 2 of A = 40
     |                    cut:    B breaks away: A = 10 + 30 = 40, B's own sum is still 60
   D (40)                 next upline of D who is active, when B is not: A
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CycleError
from commissions.engine.rounding import Int64s, refuse_sum_overflow

Pointers = NDArray[np.int32]
Bools = NDArray[np.bool_]


def with_top(parent: Pointers) -> Pointers:
    """N + 1 pointers without -1: N stands above every root, and above itself."""
    top = np.int32(len(parent))
    return np.append(np.where(parent < 0, top, parent), top).astype(np.int32, copy=False)


def refuse_cycles(parent: Pointers, ids: Int64s, tree: str) -> None:
    """Raises CycleError when somebody stands above himself."""
    size = len(parent)
    if (parent < np.arange(size, dtype=np.int32)).all():
        return
    up = with_top(parent)
    for _ in range(size.bit_length() + 1):
        up = up[up]
    lost = np.flatnonzero(up[:size] < size)
    if lost.size:
        raise CycleError(tree, [int(member) for member in ids[lost[:20]]])


def depths(parent: Pointers) -> Pointers:
    """How many stand above each member; 0 for a root."""
    size = len(parent)
    above = np.append((parent >= 0).astype(np.int32), np.int32(0))
    up = with_top(parent)
    while (up[:size] < size).any():
        above += above[up]
        up = up[up]
    return above[:size]


def cut(parent: Pointers, away: Bools) -> Pointers:
    """The tree with everybody who breaks away standing at the top of one of his own."""
    return np.where(away, np.int32(-1), parent)


def subtree_sums(parent: Pointers, values: Int64s, what: str) -> Int64s:
    """For each member: his own value and all values below him. Refuses sums beyond 64 bits.

    The slot above the roots collects what climbs out of the tree; nobody reads it.
    """
    refuse_sum_overflow(values, what)
    size = len(parent)
    sums = np.append(values, 0)
    up = with_top(parent)
    while (up[:size] < size).any():
        below = sums[:size].copy()
        np.add.at(sums, up[:size], below)
        up = up[up]
    return sums[:size]


def level_sums(parent: Pointers, values: Int64s, first: int, last: int, what: str) -> Int64s:
    """For each member: the values of those `first` to `last` steps below him."""
    refuse_sum_overflow(values, what)
    size = len(parent)
    sums = np.zeros(size + 1, np.int64)
    up = with_top(parent)
    below = np.flatnonzero(values)
    values, reach = values[below], up[below]
    for level in range(1, last + 1):
        if level >= first:
            np.add.at(sums, reach, values)
        reach = up[reach]
        if (reach == size).all():
            break
    return sums[:size]


def child_sums(parent: Pointers, values: Int64s) -> Int64s:
    """For each member: the values of his frontline, one for each leg. The caller knows they fit."""
    sums = np.zeros(len(parent), np.int64)
    child = np.flatnonzero(parent >= 0)
    np.add.at(sums, parent[child], values[child])
    return sums


def ranked_child_sums(parent: Pointers, values: Int64s, first: int, last: int | None) -> Int64s:
    """For each member: the values of his frontline, of which the largest is number 1, from the
    `first` to the `last`. The caller knows that they fit."""
    child = np.flatnonzero(parent >= 0)
    child = child[np.lexsort((-values[child], parent[child]))]
    heads = parent[child]
    number = np.arange(len(child)) - np.searchsorted(heads, heads, side="left") + 1
    wanted = (number >= first) & (number <= (last or len(parent)))
    sums = np.zeros(len(parent), np.int64)
    np.add.at(sums, heads[wanted], values[child[wanted]])
    return sums


def leg_heads(parent: Pointers, above: Pointers) -> Pointers:
    """For each member: the head of the leg of `above` that he stands in, -1 where he stands in none
    of his. Whoever is above him by so many levels is found by doubling."""
    size = len(parent)
    level = depths(parent)
    steps = np.where(above >= 0, level - level[above] - 1, -1)
    reach, up = np.arange(size, dtype=np.int32), with_top(parent)
    for bit in range(int(steps.max(initial=0)).bit_length()):
        further = (steps >= 0) & ((steps >> bit) & 1 == 1)
        reach = np.where(further, up[reach], reach)
        up = up[up]
    is_below = (steps >= 0) & (parent[reach] == above)
    return np.where(is_below, reach, np.int32(-1))


def legs_with(parent: Pointers, counts: Bools) -> Int64s:
    """For each member: how many of his legs have a head that counts."""
    heads = parent[counts & (parent >= 0)]
    return np.bincount(heads, minlength=len(parent)).astype(np.int64, copy=False)


def nearest(parent: Pointers, counts: Bools) -> Pointers:
    """N + 1 pointers: for each member himself if he counts, else his nearest upline who does, else
    N (the top)."""
    up = with_top(parent)
    size = np.int32(len(parent))
    itself = np.arange(size + 1, dtype=np.int32)
    reach = np.where(np.append(counts, True), itself, up)
    while True:
        further = reach[reach]
        if np.array_equal(further, reach):
            return reach
        reach = further

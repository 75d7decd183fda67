"""The arithmetic of the tree index: from parents to nested intervals, in arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class CycleFound(Exception):
    """Somebody stands, over some steps, under himself."""

    def __init__(self, members: Integers) -> None:
        self.members = members
        super().__init__(f"{len(members)} distributors stand in a circle or below one.")


@dataclass(frozen=True)
class Shape:
    """Of each member: distance from the root, subtree size, and place in a walk of the tree.

    `enter` and `leave` number the steps of that walk from 0 to 2n - 1, so a member's subtree is
    what lies between them: the chain A > B gives A (0, 3) and B (1, 2).
    """

    depth: Integers
    size: Integers
    enter: Integers
    leave: Integers


def shape_of(parent: Integers) -> Shape:
    """The shape of a forest given by each member's parent index, -1 for a root.

    Siblings keep the order of their indexes. Work is a few passes over the array and one short
    one per level, so a chain of thousands costs no more than a bush.
    """
    depth = depths_of(parent)
    levels = _levels(depth)
    size = np.ones(len(parent), dtype=np.int64)
    for level in reversed(levels[1:]):
        np.add.at(size, parent[level], size[level])
    before = _sizes_of_elder_siblings(parent, size)
    order = np.zeros(len(parent), dtype=np.int64)
    order[levels[0]] = before[levels[0]]
    for level in levels[1:]:
        order[level] = order[parent[level]] + 1 + before[level]
    enter = 2 * order - depth
    return Shape(depth, size, enter, enter + 2 * size - 1)


def depths_of(parent: Integers) -> Integers:
    """Steps up to the root, by doubling the step each round. Raises CycleFound."""
    count = len(parent)
    above = np.where(parent < 0, count, parent)
    above = np.append(above, count)
    depth = (above != count).astype(np.int64)
    for _ in range(max(count, 1).bit_length() + 1):
        if (above == count).all():
            found: Integers = depth[:count]
            return found
        depth = depth + depth[above]
        above = above[above]
    raise CycleFound(np.flatnonzero(above[:count] != count))


def _levels(depth: Integers) -> list[Integers]:
    order = np.argsort(depth, kind="stable")
    borders = np.cumsum(np.bincount(depth))[:-1]
    return np.split(order, borders)


def _sizes_of_elder_siblings(parent: Integers, size: Integers) -> Integers:
    """For each member, how many people stand in the lines of the siblings before him."""
    order = np.argsort(parent, kind="stable")
    running = np.cumsum(size[order]) - size[order]
    family = parent[order]
    first = np.flatnonzero(np.append(True, family[1:] != family[:-1]))
    start = np.repeat(running[first], np.diff(np.append(first, len(order))))
    result = np.empty(len(parent), dtype=np.int64)
    result[order] = running - start
    return result


def spread(shape: Shape, low: int, high: int) -> tuple[Integers, Integers]:
    """Labels from low to high, with the same room after each step of the walk."""
    step = (high - low) // (2 * len(shape.enter))
    return low + shape.enter * step, low + shape.leave * step

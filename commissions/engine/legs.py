"""What conditions ask of legs. A leg is one child of a member in a tree with all below him.

With a leg cap no leg counts for more than a share, of the figure asked for or of the member's own
total. The member's own volume is in no leg; the cap limits it too where the plan says so.

    20,000.00 asked, one leg with 19,000.00, 80 % of the requirement: counted 16,000.00
    legs of 60.00 and 60.00, 40 % of the own total of 120.00: counted 48.00 + 48.00 = 96.00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError, EngineError
from commissions.engine.plan import (
    AtLeast,
    Group,
    LegCap,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
)
from commissions.engine.rounding import LARGEST, MILLION, Int64s, largest
from commissions.engine.trees import child_sums, leg_heads, legs_with, subtree_sums

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts


def counted_with_cap(asked: AtLeast, cap: LegCap, facts: Facts) -> Int64s:
    """The group's figure of each member with every leg limited."""
    total = facts.metric(asked.metric)
    parent, legs, own = legs_and_own(asked.metric, total, facts)
    most = most_of_a_leg(asked, cap, total)
    child = np.flatnonzero(parent >= 0)
    limited = np.zeros(len(total), np.int64)
    limited[child] = np.minimum(legs[child], most[parent[child]])
    return child_sums(parent, limited) + (np.minimum(own, most) if cap.own_too else own)


def legs_and_own(
    code: str, total: Int64s, facts: Facts
) -> tuple[NDArray[np.int32], Int64s, Int64s]:
    """The tree, the figure of the leg that each member heads, and what a member has besides legs.

    A leg whose head breaks away is none. Over several periods a leg has what its head has by the
    same metric; what a member got from people who have since left his tree is then his own.
    """
    metric = facts.plan.metric(code)
    scope = metric.scope
    if not isinstance(scope, Group):
        raise EngineError(f"a leg cap needs a group's figure, and {code} is none")
    parent = facts.cut_tree(scope)
    if scope.include_self:
        legs = total
    elif metric.window == "period":
        legs = total + facts.by_person(code)
    else:
        raise EngineError(f"a leg cap over several periods needs own volume included in {code}")
    return parent, legs, total - child_sums(parent, legs)


def most_of_a_leg(asked: AtLeast, cap: LegCap, total: Int64s) -> Int64s:
    """Of each member: what a leg may count for, rounded down to the hundredth."""
    if cap.of == "requirement":
        return np.full(len(total), asked.figure * cap.share // MILLION, np.int64)
    if largest(total) * cap.share > LARGEST:
        raise CapacityError(f"a group of {largest(total)} hundredths is too large for its leg cap")
    return np.maximum(total, 0) * cap.share // MILLION


def legs_with_volume(asked: LegsWithVolume, facts: Facts) -> Int64s:
    """Of each member: how many legs have enough volume, head and downline together."""
    parent = facts.parent(asked.tree)
    return legs_with(parent, facts.whole_volume(asked.volume, asked.tree) >= asked.figure)


def legs_with_members(asked: LegsWithMembers, levels: NDArray[np.int16], facts: Facts) -> Int64s:
    """Of each member: how many legs have enough people of the rank or above, given all levels."""
    parent = facts.parent(asked.tree)
    level = facts.plan.ladder(asked.ladder).level(asked.rank)
    holds = (levels >= level).astype(np.int64)
    return legs_with(parent, subtree_sums(parent, holds, "members of a rank") >= asked.members)


def legs_with_recruits(asked: LegsWithRecruits, facts: Facts) -> Int64s:
    """Of each member: how many legs have enough of his own recruits in them."""
    parent = facts.parent(asked.tree)
    heads = leg_heads(parent, facts.parent(asked.by))
    found = heads[(heads >= 0) & facts.meets(asked.where)]
    return legs_with(parent, np.bincount(found, minlength=len(parent)) >= asked.recruits)

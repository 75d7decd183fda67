"""Everybody's standing in a period: volumes, activity, legs, rank.

PV is the sum of one's own lines of the order classes that the plan counts, less refunds of earlier
sales. GV adds everything below in the plan's group tree. A rung of the ladder asks for own PV, GV
and a number of legs (first-level subtrees) of a least volume each.

With the seed ladder, 320.00 PV and 2,600.00 GV meet Gold (300 and 2,500). 320.00 PV and 900.00 GV
meet only Bronze (100 and 0): Silver asks for 1,000 GV, and with `climb` each_rank no higher rung
can be reached past one that is not met.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from commissions.engine.plan import ORDER_CLASSES, Ladder, Plan
from commissions.engine.result import Standings
from commissions.engine.rounding import Int64s, refuse_sum_overflow
from commissions.engine.snapshot import Lines, Snapshot
from commissions.engine.trees import Pointers, subtree_sums


def stand(snapshot: Snapshot, plan: Plan) -> Standings:
    """Volumes, legs and ranks of all members; the group tree must be free of circles."""
    parent = snapshot.members.parent(plan.volumes.group_tree)
    pv = personal(snapshot, plan, "pv")
    legs = subtree_sums(parent, pv, "group volume")
    group = legs if plan.volumes.group_includes_own else legs - pv
    rank = qualify(plan.ladder, pv, group, legs, parent)
    return Standings(
        pv=pv,
        cv=personal(snapshot, plan, "cv"),
        gv=group,
        legs=legs_with(parent, legs > 0),
        active=pv >= plan.activity_min_pv,
        rank_level=rank,
        highest_level=np.maximum(rank, snapshot.members.highest_level),
    )


def personal(snapshot: Snapshot, plan: Plan, volume: str) -> Int64s:
    """Own volume of each member over the order classes that count, refunds deducted."""
    total = np.zeros(len(snapshot.members), np.int64)
    for lines in (snapshot.lines, snapshot.refunds):
        amounts: Int64s = getattr(lines, volume)
        refuse_sum_overflow(amounts, f"personal {volume}")
        sellers = lines.seller
        if not (counted := counts_as_volume(lines, plan)).all():
            sellers, amounts = sellers[counted], amounts[counted]
        np.add.at(total, sellers, amounts)
    return total


def counts_as_volume(lines: Lines, plan: Plan) -> NDArray[np.bool_]:
    by_class = np.array([code in plan.volumes.personal for code in ORDER_CLASSES])
    return by_class[lines.order_class]


def legs_with(parent: Pointers, fulfilled: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many legs of each member have a head that fulfils something."""
    heads = parent[fulfilled & (parent >= 0)]
    return np.bincount(heads, minlength=len(parent)).astype(np.int32)


def qualify(
    ladder: Ladder, pv: Int64s, group: Int64s, legs: Int64s, parent: Pointers
) -> NDArray[np.int16]:
    """The rank level each member qualifies for. `legs`: whole subtree volume at each leg's head."""
    level = np.zeros(len(pv), np.int16)
    for rank in ladder.ranks:
        met = (pv >= rank.min_personal_pv) & (group >= rank.min_group_pv)
        if rank.min_legs:
            met &= legs_with(parent, legs >= rank.min_leg_volume) >= rank.min_legs
        if ladder.climb == "each_rank":
            met &= level == rank.level - 1
        level[met] = rank.level
    return level

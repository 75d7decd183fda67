"""The calculation: a pure function from a snapshot and a plan to standings and ledger lines.

The order is fixed: volumes, ranks, then the bonuses of the asked trigger in the order of the plan.
Each bonus is one file: `walk` (unilevel, compression, partner), `retail`, `rank_bonus`.

At `payment` a few just paid lines come with just the people they can concern (for each seller as
many uplines as the bonuses of that trigger walk); nobody's rank is computed. At `period_close` the
snapshot is the whole company.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from commissions.engine import rank_bonus, retail, walk
from commissions.engine.errors import StandingsError
from commissions.engine.plan import PERIOD_CLOSE, Bonus, Money, Plan
from commissions.engine.ranks import stand
from commissions.engine.result import Block, Result, Standings
from commissions.engine.rounding import exact_sum
from commissions.engine.snapshot import Snapshot
from commissions.engine.trees import refuse_cycles

ENGINE_VERSION = "1.0"


def calculate(
    snapshot: Snapshot,
    plan: Plan,
    trigger: str = PERIOD_CLOSE,
    standings: Standings | None = None,
) -> Result:
    """Everything the plan pays on this trigger. Same input, same bytes.

    `standings`: taken as facts when given (one entry a member), else computed at the close and left
    out at payment. Raises CycleError, CapacityError, StandingsError.
    """
    bonuses = plan.triggered_by(trigger)
    closing = trigger == PERIOD_CLOSE
    for tree in sorted(trees_used(plan, bonuses, closing)):
        refuse_cycles(snapshot.members.parent(tree), snapshot.members.id, tree)
    if standings is None and closing:
        standings = stand(snapshot, plan)
    if standings is None and any(bonus.needs_standings for bonus in bonuses):
        raise StandingsError("a bonus of this trigger asks for ranks or activity")
    known = unranked(len(snapshot.members)) if standings is None else standings
    ledger = {bonus.code: list(pay(bonus, snapshot, plan, known)) for bonus in bonuses}
    return Result(
        engine_version=ENGINE_VERSION,
        plan_hash=plan.content_hash,
        trigger=trigger,
        standings=standings,
        ledger=tuple(block for blocks in ledger.values() for block in blocks),
        totals={
            code: sum(exact_sum(block.amount) for block in blocks)
            for code, blocks in ledger.items()
        },
        member_count=len(snapshot.members),
    )


def trees_used(plan: Plan, bonuses: tuple[Bonus, ...], closing: bool) -> set[str]:
    walked = {bonus.selector.tree for bonus in bonuses if bonus.selector.who == "walk"}
    return walked | {plan.volumes.group_tree} if closing else walked


def pay(bonus: Bonus, snapshot: Snapshot, plan: Plan, standings: Standings) -> Iterator[Block]:
    """The bonus's blocks that hold anything, without the zero amounts a plan does not want."""
    for block in select(bonus, snapshot, plan, standings):
        if plan.money.zero_amounts == "omit" and not block.amount.all():
            block = block.kept(block.amount != 0)
        if len(block):
            yield block


def select(bonus: Bonus, snapshot: Snapshot, plan: Plan, standings: Standings) -> Iterator[Block]:
    money: Money = plan.money
    if bonus.selector.who == "walk":
        return walk.pay(snapshot, money, bonus, standings)
    if bonus.selector.who == "seller":
        return retail.pay(snapshot, money, bonus, standings)
    return rank_bonus.pay(snapshot, plan.ladder.ranks, bonus, standings)


def unranked(members: int) -> Standings:
    """Standings of people nothing is asked of."""
    volume, level = np.zeros(members, np.int64), np.zeros(members, np.int16)
    legs, active = np.zeros(members, np.int32), np.zeros(members, np.bool_)
    return Standings(volume, volume, volume, legs, active, level, level)

"""Why somebody was paid, or not: the calculation itself, watched on one order line.

`trace` cuts the snapshot down to the seller and his uplines, takes everybody's standing as a fact,
and lets the walk of `walk.py` run on that chain: the same skip reasons, cursors and rates that made
the ledger make the story, so the two can't disagree.

    E's order, 100.00 CV, Unilevel
    1  D  Bronze   step 1   paid     5 % of 100.00 = 5.00
    2  C           skipped  inactive: 20.00 PV of 50.00
    3  B  Bronze   step 2   paid     4 % of 100.00 = 4.00

`rank_facts` does the same for ranks: each requirement, what is there, what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from commissions.engine.calculate import select, unranked
from commissions.engine.plan import SELLER, STARTS, Bonus, Plan, Rank
from commissions.engine.result import Block, Standings
from commissions.engine.rounding import MILLION
from commissions.engine.snapshot import Lines, Members, Snapshot
from commissions.engine.trees import Pointers
from commissions.engine.walk import Reason, barred, cursors, earning_lines, skipped

PAID, SKIPPED, LOST, BEYOND = "paid", "skipped", "lost", "beyond"


@dataclass(frozen=True, slots=True)
class Step:
    """One person in turn. `member`: index in the snapshot; `distance`: physical level, 0 = seller.

    outcome  paid     `step`, `base`, `rate`, `amount` are the ledger line's (`step` = its level)
             skipped  passed over, no step used up
             lost     the step is used up, nothing is paid
             beyond   all steps were used up below; the story ends here
    reason: of walk.Reason, in lower case. `facts`: what it rests on, hundredths or levels by name.
    `raw`: the exact amount in hundredths before rounding; a paid `amount` may round to 0.
    """

    member: int
    distance: int
    outcome: str
    reason: str
    facts: Mapping[str, int]
    rank_level: int
    step: int
    base: int = 0
    rate: int = 0
    raw: Decimal = Decimal(0)
    rounding: str = ""
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """An order line's seller (index 0) and his uplines, with all that the walk knows of them."""

    path: list[int]
    snapshot: Snapshot
    standings: Standings
    plan: Plan
    bonus: Bonus
    start: str


def trace(
    snapshot: Snapshot, standings: Standings | None, plan: Plan, bonus_code: str, line: int
) -> list[Step]:
    """From the seller's side upward, whom the bonus paid for this order line and whom not.

    The snapshot may be the whole company or just the seller's uplines with that line. `standings`
    has one entry a member of it; None for a bonus paid at payment. An order line that the bonus
    does not pay for gives an empty list. Raises KeyError for a bonus the plan does not have,
    ValueError for one that has no order lines (a rank bonus: see `rank_facts`).
    """
    bonus = plan.bonus(bonus_code)
    if bonus.selector.who == "self":
        raise ValueError(f"{bonus_code} is not paid for order lines")
    path = upline_path(snapshot, bonus, line)
    known = unranked(len(snapshot.members)) if standings is None else standings
    small = chain_snapshot(snapshot, path, line)
    starts = [start for start in STARTS if earning_lines(bonus, small.lines, start).size]
    if not starts:
        return []
    chain = Chain(path, small, known.take(np.array(path, np.intp)), plan, bonus, starts[0])
    return story(chain)


def upline_path(snapshot: Snapshot, bonus: Bonus, line: int) -> list[int]:
    """The seller and, for a walk, all uplines in its tree, nearest first."""
    path = [int(snapshot.lines.seller[line])]
    if bonus.selector.who == "walk":
        parent = snapshot.members.parent(bonus.selector.tree)
        while (upline := int(parent[path[-1]])) >= 0:
            path.append(upline)
    return path


def chain_snapshot(snapshot: Snapshot, path: list[int], line: int) -> Snapshot:
    """The people of the path, each under the next in whichever tree, and the one order line."""
    index, whole = np.array(path, np.intp), snapshot.members
    parent: Pointers = np.arange(1, len(path) + 1, dtype=np.int32)
    parent[-1] = -1
    members = Members(whole.id[index], parent, parent, whole.highest_level[index])
    sold = snapshot.lines
    one = slice(line, line + 1)
    lines = Lines(
        id=sold.id[one],
        seller=np.zeros(1, np.int32),
        order_class=sold.order_class[one],
        pv=sold.pv[one],
        cv=sold.cv[one],
        margin=sold.margin[one],
    )
    return Snapshot(members, lines, Lines.none())


def story(chain: Chain) -> list[Step]:
    """One step a person, up to the first one for whom no step is left."""
    written = list(select(chain.bonus, chain.snapshot, chain.plan, chain.standings))
    paid = {int(block.earner[0]): block for block in written if len(block)}
    used = steps_used(chain)
    skip = skipped(chain.bonus, chain.standings)
    last = max(used) if len(used) == chain.bonus.selector.max_steps else len(chain.path)
    steps = []
    for place in range(0 if chain.start == SELLER else 1, len(chain.path)):
        if place in paid:
            steps.append(paid_step(chain, place, paid[place]))
        elif place in used:
            steps.append(lost_step(chain, place, used[place]))
        elif place < last:
            steps.append(unpaid(chain, place, SKIPPED, Reason(skip[place]), 0))
        else:
            steps.append(unpaid(chain, place, BEYOND, Reason.BEYOND_LAST_STEP, 0))
            break
    return steps


def steps_used(chain: Chain) -> dict[int, int]:
    """Place in the chain -> the step that the walk counts there."""
    if chain.bonus.selector.who == "seller":
        return {0: 0}
    parent = chain.snapshot.members.sponsor
    skip = skipped(chain.bonus, chain.standings)
    reached = cursors(parent, skip, chain.start, chain.bonus.selector.max_steps)
    landed = {int(cursor[0]): step for step, cursor in reached}
    landed.pop(len(chain.path), None)
    return landed


def paid_step(chain: Chain, place: int, block: Block) -> Step:
    base, rate = int(block.base[0]), int(block.rate[0])
    return Step(
        member=chain.path[place],
        distance=place,
        outcome=PAID,
        reason=Reason.NONE.name.lower(),
        facts={},
        rank_level=int(block.rank_level[0]),
        step=block.level,
        base=base,
        rate=rate,
        raw=Decimal(base * rate) / MILLION,
        rounding=chain.plan.money.rounding,
        amount=int(block.amount[0]),
    )


def lost_step(chain: Chain, place: int, step: int) -> Step:
    bar = Reason(barred(chain.bonus, chain.standings)[place])
    return unpaid(chain, place, LOST, Reason.NO_RATE if bar is Reason.NONE else bar, step)


def unpaid(chain: Chain, place: int, outcome: str, reason: Reason, step: int) -> Step:
    return Step(
        member=chain.path[place],
        distance=place,
        outcome=outcome,
        reason=reason.name.lower(),
        facts=facts_of(chain, place, outcome, reason),
        rank_level=int(chain.standings.rank_level[place]),
        step=step,
    )


def facts_of(chain: Chain, place: int, outcome: str, reason: Reason) -> dict[str, int]:
    """The figures a reason rests on."""
    if reason is Reason.INACTIVE:
        return {
            "pv": int(chain.standings.pv[place]),
            "pv_needed": chain.plan.activity_min_pv,
        }
    if reason is Reason.BELOW_RANK:
        steps = chain.bonus.selector.steps
        skipping = outcome == SKIPPED and steps is not None
        needed = steps.skip_below_level if skipping and steps else chain.bonus.eligibility.min_level
        return {"level": int(chain.standings.rank_level[place]), "level_needed": needed}
    if reason is Reason.BEYOND_LAST_STEP:
        return {"max_steps": chain.bonus.selector.max_steps}
    return {}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition of a rank. `name`: personal_pv, group_pv (hundredths) or legs (a count)."""

    name: str
    needed: int
    actual: int

    @property
    def shortfall(self) -> int:
        return max(0, self.needed - self.actual)


@dataclass(frozen=True, slots=True)
class RankFacts:
    """A rank, its conditions, and whether they are all met (by themselves, without lower ranks)."""

    rank: Rank
    requirements: tuple[Requirement, ...]

    @property
    def met(self) -> bool:
        return not any(requirement.shortfall for requirement in self.requirements)


def rank_facts(plan: Plan, *, pv: int, gv: int, leg_volumes: Sequence[int]) -> list[RankFacts]:
    """Each rank of the ladder from the lowest up, held against one distributor's figures.

    `leg_volumes`: the whole subtree volume of each first-level leg in the group tree (the GV of the
    person at its head, plus his own PV where the plan leaves that out of GV). A condition that asks
    for nothing is left out: Bronze with 100.00 PV and no GV has one requirement.
    """
    return [RankFacts(rank, requirements(rank, pv, gv, leg_volumes)) for rank in plan.ladder.ranks]


def requirements(
    rank: Rank, pv: int, gv: int, leg_volumes: Sequence[int]
) -> tuple[Requirement, ...]:
    legs = sum(volume >= rank.min_leg_volume for volume in leg_volumes)
    asked = (
        Requirement("personal_pv", rank.min_personal_pv, pv),
        Requirement("group_pv", rank.min_group_pv, gv),
        Requirement("legs", rank.min_legs, legs),
    )
    return tuple(r for r in asked if r.needed or r.shortfall)

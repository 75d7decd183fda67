"""What must be known before what: metrics, activity and ladders ask for one another.

Most of it runs one way: PV, then GV, then ranks. Some of it comes back to itself and can still be
worked out, because it only looks further down a tree: a group's volume without those who break
away, where breaking away is a rank that asks for group volume; a rank that asks for two legs with
somebody of the same rank. Such parts form a knot and are settled together, from the bottom up
(`facts.py`).

    metric gv   until rank leader (below)      ladder rank: leader asks for gv of 5,000
    knot of ("metric", "gv"): both

What comes back to itself without going down a level says nothing: a member counts when his count is
three, and his count is three when he counts. `circles` names those; such a plan is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from commissions.engine.plan import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Group,
    HasRank,
    IsActive,
    Ladder,
    Legs,
    LegsWithMembers,
    LegsWithRecruits,
    Levels,
    Metric,
    Not,
    Plan,
)

Node = tuple[str, str]
Need = tuple[Node, bool]
"""What is needed, and whether only of people further down a tree."""

METRIC, ACTIVE, LADDER = "metric", "active", "ladder"


def knots(plan: Plan) -> Mapping[Node, tuple[Node, ...]]:
    """For each part that depends on itself all those in the same knot, in the order to work in."""
    needs = graph(plan)
    behind = {node: reached(node, needs) for node in needs}
    return {
        node: tuple(other for other in behind[node] if node in behind[other])
        for node in behind
        if node in behind[node]
    }


def circles(plan: Plan) -> list[Node]:
    """The parts that depend on themselves without going down a level."""
    level: dict[Node, list[Need]] = {
        node: [(need, below) for need, below in needed if not below]
        for node, needed in graph(plan).items()
    }
    return [node for node in level if node in reached(node, level)]


def reached(start: Node, needs: Mapping[Node, list[Need]]) -> tuple[Node, ...]:
    """Everything the part asks for, directly or not, in the order of the graph."""
    found: set[Node] = set()
    ahead = [start]
    while ahead:
        for need, _ in needs.get(ahead.pop(), []):
            if need not in found:
                found.add(need)
                ahead.append(need)
    return tuple(node for node in needs if node in found)


def graph(plan: Plan) -> dict[Node, list[Need]]:
    """What each part asks for itself: metrics first, then activity, then ladders."""
    needs: dict[Node, list[Need]] = {
        (METRIC, metric.code): list(metric_needs(metric)) for metric in plan.metrics
    }
    needs[ACTIVE, ""] = list(condition_needs(plan.activity))
    for ladder in plan.ladders:
        needs[LADDER, ladder.code] = list(ladder_needs(ladder))
    return needs


def metric_needs(metric: Metric) -> Iterator[Need]:
    for code in metric.parts or ():
        yield (METRIC, code), False
    scope = metric.scope
    others = isinstance(scope, Levels | Legs) or (
        isinstance(scope, Group) and not scope.include_self
    )
    for need, below in condition_needs(metric.where):
        yield need, below or others
    if isinstance(scope, Group):
        for need, _ in condition_needs(scope.until):
            yield need, True


def ladder_needs(ladder: Ladder) -> Iterator[Need]:
    """A rank that asks the member himself for a lower rank of its ladder is climbed in order."""
    if ladder.source == "given":
        return
    for level, rank in enumerate(ladder.ranks, start=1):
        for part in leaves(rank.when):
            if not is_climbed(part, ladder, level):
                yield from condition_needs(part)


def is_climbed(part: Condition, ladder: Ladder, level: int) -> bool:
    """Whether this rank's question is answered by the rungs below it, or by what was carried in."""
    if not isinstance(part, HasRank) or part.ladder != ladder.code:
        return False
    return part.which != "paid_as" or ladder.level(part.rank) < level


def condition_needs(condition: Condition | None) -> Iterator[Need]:
    for part in leaves(condition):
        if isinstance(part, AtLeast):
            yield (METRIC, part.metric), False
        elif isinstance(part, IsActive):
            yield (ACTIVE, ""), False
        elif isinstance(part, HasRank):
            yield (LADDER, part.ladder), False
        elif isinstance(part, LegsWithMembers):
            yield (LADDER, part.ladder), True
        elif isinstance(part, LegsWithRecruits):
            for need, _ in condition_needs(part.where):
                yield need, True


def leaves(condition: Condition | None) -> Iterator[Condition]:
    """The single questions a condition is made of."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.of:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.of)
    elif condition is not None:
        yield condition

"""Whether what a condition asks can be told from the figures that are stored of somebody.

A standing stores PV, CV, GV and legs, activity, and the ranks of the first ladder. A plan's metric
is told by them only where it measures just that. Who meets a condition that asks for anything else
(other metrics, legs of a size, whose recruit one is) is known where a run measured it beside them,
or where the company is read. Packages, marks and given ranks are always known: they are recorded by
themselves.
"""

from collections.abc import Collection
from dataclasses import replace

from commissions.engine import Plan
from commissions.engine.figures import is_of_many
from commissions.engine.plan import (
    SPONSOR,
    AtLeast,
    Condition,
    FallsAtOnce,
    Group,
    HasRank,
    IsActive,
    Ladder,
    Levels,
    Metric,
    Own,
    parts,
)
from commissions.engine.plan.dependencies import ACTIVE, LADDER, METRIC, graph, reached

STORED = ("pv", "cv", "gv", "legs")
PROJECTED = ("pv", "gv")
"""Figures of the period under way that are kept on every distributor."""
TREES = ("sponsor", "enroller", "placement")
NO_LADDER = Ladder("", "computed", "each_rank", FallsAtOnce("falls_at_once"), ())


def seen(plan: Plan) -> Ladder:
    """The ladder that people see, the plan's first; one without ranks where the plan has none."""
    return plan.ladders[0] if plan.ladders else NO_LADDER


def meant(plan: Plan) -> tuple[str, ...]:
    """The codes among STORED whose metrics measure what pages mean by them.

    pv, cv  of the own orders in the period        gv    pv of the whole line in the sponsor tree
    legs    how many of those one sponsored have a line with volume
    """
    found = {metric.code: metric for metric in plan.metrics}
    return tuple(code for code in STORED if code in found and is_meant(found[code]))


def is_meant(metric: Metric) -> bool:
    scope = metric.scope
    if metric.code == "legs":
        return (
            metric.what == "members"
            and metric.where is not None
            and metric.window == "period"
            and isinstance(scope, Levels)
            and (scope.tree, scope.first, scope.last) == (SPONSOR, 1, 1)
        )
    volume = "pv" if metric.code == "gv" else metric.code
    is_sum = metric.what == "volume" and metric.volume == volume
    is_of_all = metric.where is None and metric.orders is None
    if not (is_sum and is_of_all and metric.window == "period"):
        return False
    if metric.code != "gv":
        return isinstance(scope, Own)
    return isinstance(scope, Group) and scope.tree == SPONSOR and scope.until is None


def is_known(condition: Condition | None, plan: Plan, metrics: Collection[str] = STORED) -> bool:
    """Whether nothing but these metrics, activity and the ranks that people see is asked for."""
    return all(_is_known(part, plan, metrics) for _, part in parts(condition))


def for_ranks(plan: Plan) -> Plan:
    """The plan without what the ranks that people see, and activity, do not rest on."""
    starts = [(ACTIVE, ""), *((METRIC, code) for code in meant(plan))]
    starts += [(LADDER, ladder.code) for ladder in plan.ladders[:1]]
    needs = graph(plan)
    asked = {*starts, *(node for start in starts for node in reached(start, needs))}
    return replace(
        plan,
        bonuses=(),
        limits=(),
        matrix=None,
        ladders=tuple(each for each in plan.ladders if (LADDER, each.code) in asked),
        metrics=tuple(each for each in plan.metrics if (METRIC, each.code) in asked),
    )


def _is_known(part: object, plan: Plan, metrics: Collection[str]) -> bool:
    if isinstance(part, HasRank):
        is_given = plan.ladder(part.ladder).source == "given"
        return part.ladder == seen(plan).code or (is_given and part.which != "highest")
    if isinstance(part, IsActive) and metrics is not STORED:
        return is_known(plan.activity, plan, metrics)
    if isinstance(part, AtLeast) and (part.metric not in metrics or part.metric not in meant(plan)):
        return False
    return not is_of_many(part)

"""Whether what a condition asks can be told from the figures that are stored of somebody.

A standing stores PV, CV, GV and legs, activity, and the ranks of the first ladder. Who meets a
condition that asks for anything else (other metrics, legs of a size, whose recruit one is) is known
where a run measured it beside them, or where the company is read.
"""

from collections.abc import Collection
from dataclasses import replace

from commissions.engine import Plan
from commissions.engine.figures import is_of_many
from commissions.engine.plan import AtLeast, Condition, HasRank, IsActive, parts
from commissions.engine.plan.dependencies import ACTIVE, LADDER, METRIC, graph, reached

STORED = ("pv", "cv", "gv", "legs")
PROJECTED = ("pv", "gv")
"""Figures of the period under way that are kept on every distributor."""
TREES = ("sponsor", "enroller", "placement")


def is_known(condition: Condition | None, plan: Plan, metrics: Collection[str] = STORED) -> bool:
    """Whether nothing but these metrics, activity and the ranks that people see is asked for."""
    return all(_is_known(part, plan, metrics) for _, part in parts(condition))


def for_ranks(plan: Plan) -> Plan:
    """The plan without what the ranks that people see, and activity, do not rest on."""
    starts = [(LADDER, plan.ladders[0].code), (ACTIVE, ""), *((METRIC, code) for code in STORED)]
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
        return bool(plan.ladders) and part.ladder == plan.ladders[0].code
    if isinstance(part, IsActive) and metrics is not STORED:
        return is_known(plan.activity, plan, metrics)
    if isinstance(part, AtLeast) and part.metric not in metrics:
        return False
    return not is_of_many(part)

"""Whether what a plan asks can be told from the figures that are stored of somebody.

A standing stores PV, CV, GV and legs, activity, and the ranks of the first ladder. What asks for
anything else (other metrics, legs of a size, who joined when among others) is worked out from the
whole company again.
"""

from collections.abc import Collection
from typing import Any

from commissions.engine import Plan
from commissions.engine.plan import (
    Always,
    AtLeast,
    Bonus,
    ByBand,
    ByRank,
    Company,
    Condition,
    HasRank,
    IsActive,
    LegsWithMembers,
    LegsWithVolume,
    MetricShares,
    OfMetric,
    PaysPairs,
    PaysPool,
    PaysSource,
    PaysUpline,
    RankShares,
    Recruit,
    parts,
)
from commissions.engine.plan.dependencies import LADDER, METRIC, graph, reached

STORED = ("pv", "cv", "gv", "legs")
TREES = ("sponsor", "enroller", "placement")


def is_known(condition: Condition | None, plan: Plan, metrics: Collection[str] = STORED) -> bool:
    """Whether nothing but these metrics, activity and the ranks that people see is asked for."""
    return all(_is_known(part, plan, metrics) for _, part in parts(condition))


def is_told_by_standings(bonus: Any, plan: Plan) -> bool:
    """Whether stored standings say all that a bonus goes by, besides the order line itself."""
    return all(_is_known(part, plan, STORED) for _, part in parts(bonus))


def is_told_by_line(plan: Plan) -> bool:
    """Whether the ranks that people see rest on oneself and the people below alone."""
    asked = reached((LADDER, plan.ladders[0].code), graph(plan))
    return not any(
        isinstance(metric.scope, Company)
        for metric in plan.metrics
        if (METRIC, metric.code) in asked
    )


def is_told_by_sale(bonus: Bonus) -> bool:
    """Whether the order line alone decides: nothing is paid once, late or in parts."""
    occurrence = bonus.occurrence
    is_always = isinstance(occurrence, Always) and occurrence.after_periods == 1
    is_alone = isinstance(bonus.pays, PaysSource | PaysUpline)
    return is_always and is_alone and bonus.instalments == 1


def _is_known(part: Any, plan: Plan, metrics: Collection[str]) -> bool:
    if isinstance(part, AtLeast):
        return part.metric in metrics and part.leg_cap is None
    if isinstance(part, ByBand | OfMetric | MetricShares):
        return part.metric in metrics
    if isinstance(part, HasRank | ByRank | RankShares):
        return bool(plan.ladders) and part.ladder == plan.ladders[0].code
    if isinstance(part, IsActive) and metrics is not STORED:
        return is_known(plan.activity, plan, metrics)
    return not isinstance(part, LegsWithVolume | LegsWithMembers | Recruit | PaysPairs | PaysPool)

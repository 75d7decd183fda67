"""What a bonus may depend on at payment: see `checking`.

A commission at payment is final when the order is paid, in the middle of the period, with nobody
there but the seller and his uplines. Known are the order, packages, marks, given ranks and when
people joined; nobody's figures of the period are, nor what depends on them:

    $.bonuses[0].eligibility.when: can't matter at payment: who is active is not known, as a metric
    is a figure of the whole period
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from commissions.engine.errors import Fault
from commissions.engine.plan import (
    Always,
    AtLeast,
    Bonus,
    ByBand,
    ByRank,
    Flat,
    HasRank,
    IsActive,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    OfCommissions,
    OfMetric,
    OnceEver,
    OncePerRank,
    PaysPairs,
    PaysPool,
    Plan,
    RankShares,
    Recruit,
    parts,
)

PERIOD_ONLY: dict[type, str] = {
    OfMetric: "a metric is a figure of the whole period",
    PaysPairs: "pairs are matched when the period's volume is known",
    PaysPool: "a pool is shared when the period's sum is known",
    ByBand: "a metric is a figure of the whole period",
    OnceEver: "what was paid once is looked up at the close",
    OncePerRank: "ranks are reached at the close",
    AtLeast: "a metric is a figure of the whole period",
    LegsWithVolume: "volumes of legs are figures of the whole period",
    LegsWithMembers: "the whole downline is not there",
    LegsWithRecruits: "the whole downline is not there",
    Recruit: "the sponsor's other recruits are not there",
}


def check_payment(path: str, bonus: Bonus, plan: Plan) -> Iterator[Fault]:
    for where, part in parts(bonus, path):
        reason = period_only(part, plan)
        if reason:
            yield Fault(where, f"can't matter at payment: {reason}")
    if isinstance(bonus.base, OfCommissions) and bonus.base.after_limits:
        where = f"{path}.base.after_limits"
        yield Fault(where, "can't matter at payment: limits wait for the close")
    if bonus.instalments > 1:
        yield Fault(f"{path}.instalments", "are paid one a period, not at payment")
    if bonus.eligibility.otherwise == "held":
        where = f"{path}.eligibility.otherwise"
        yield Fault(where, "what is held is looked after at the close, not at payment")


def period_only(part: Any, plan: Plan) -> str:
    """Why this part of a bonus is only known at the close; empty for one that is known before."""
    if isinstance(part, HasRank | ByRank | RankShares):
        computed = {ladder.code for ladder in plan.ladders if ladder.source == "computed"}
        return "this ladder's ranks are worked out at the close" if part.ladder in computed else ""
    if isinstance(part, IsActive):
        others = (item for _, item in parts(plan.activity) if not isinstance(item, IsActive))
        asked = [period_only(item, plan) for item in others]
        return f"who is active is not known, as {'; '.join(filter(None, asked))}" * any(asked)
    if isinstance(part, Flat) and part.per == "member":
        return "an amount a member is paid for the whole period"
    if isinstance(part, Always) and (part.after_periods > 1 or part.rest_periods):
        return "periods in a row are counted at the close"
    if isinstance(part, Always) and part.most_times is not None:
        return "periods in which it was paid are counted at the close"
    return PERIOD_ONLY.get(type(part), "")

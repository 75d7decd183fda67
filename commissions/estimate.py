"""What the close would bring if it were now.

A distributor's volumes, rank and commissions at the close mostly rest on the people below and their
sales, so the engine is given just those, at the moment somebody looks; what refunds take back of
the lines of earlier periods' sales is read beside it. Where it rests on everybody (the placement
tree, pools, limits of the company, sums of earlier periods that refunds undo) a small company is
worked out whole at that moment; of a large one, and for lines too large for a page, the last
estimate tells (`services/estimates.py`). Each is an estimate: orders and refunds still come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np

from commissions.engine import PERIOD_CLOSE, EngineError, Plan, Result, calculate
from commissions.models import Bonus, CommissionPeriod, Estimate
from commissions.services.arrays import Array
from commissions.services.calculation import work_out
from commissions.services.facts import Cut, FactsRefused, read_snapshot
from commissions.services.own_line import (
    cut_now,
    is_small_company,
    knowable,
    read_line,
    rests_on_company,
    undoes_sums,
)
from commissions.services.reversals import reversed_at_close
from commissions.standing import hundredths
from genealogy.models import Distributor
from mlmcrm.money import ZERO


@dataclass(frozen=True)
class Expected:
    """Amounts by the name of the bonus, in the order of the plan, and their sum.

    `worked_out_at`: when, if that was not just now. `rewards`: what would be given besides money,
    how many of what; only where it was worked out just now.
    """

    parts: list[tuple[str, Decimal]]
    worked_out_at: datetime | None = None
    rewards: list[tuple[str, Decimal]] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.parts), ZERO)


def estimate_close(
    distributor: Distributor, period: CommissionPeriod, plan: Plan
) -> Expected | None:
    """What the bonuses of the close would pay a distributor now; None where nobody knows yet."""
    kept = Estimate.objects.filter(period=period).first()
    cut = cut_now(period)
    if rests_on_company(plan) or undoes_sums(cut):
        if is_small_company(cut):
            return from_everybody(distributor, cut, plan)
        if kept is not None:
            return from_kept(kept, distributor, plan)
    snapshot = read_line(distributor, period, plan)
    if snapshot is None:
        return from_kept(kept, distributor, plan) if kept else None
    known = knowable(plan)
    result = calculate(snapshot, known, PERIOD_CLOSE)
    own = int(np.searchsorted(snapshot.members.id, distributor.pk))
    undone = reversed_at_close(cut, plan, distributor.pk)
    parts = parts_of(known, earned_by(own, result, known), taken_back(distributor, undone))
    return Expected(parts, rewards=given_to(own, result, known))


def from_everybody(distributor: Distributor, cut: Cut, plan: Plan) -> Expected | None:
    """By a calculation of the whole company; None while its facts make none."""
    try:
        outcome = work_out(cut, read_snapshot(cut, plan), plan)
    except (EngineError, FactsRefused):
        return None
    own, result = int(np.searchsorted(outcome.snapshot.members.id, distributor.pk)), outcome.result
    parts = parts_of(plan, earned_by(own, result, plan), taken_back(distributor, outcome.reversed))
    return Expected(parts, rewards=given_to(own, result, plan))


def taken_back(
    distributor: Distributor, undone: Mapping[str, Array]
) -> dict[tuple[str, str], Decimal]:
    """By code and name of bonus: what the period's refunds undo of his lines of earlier sales."""
    mine = undone["distributor_id"] == distributor.pk
    undone = {name: undone[name][mine] for name in ("bonus_id", "amount")}
    ids = np.unique(undone["bonus_id"]).tolist()
    found: dict[tuple[str, str], Decimal] = {}
    for pk, *named in Bonus.objects.filter(pk__in=ids).values_list("pk", "code", "name"):
        amount = hundredths(int(undone["amount"][undone["bonus_id"] == pk].sum()))
        found[named[0], named[1]] = found.get((named[0], named[1]), ZERO) + amount
    return found


def from_kept(kept: Estimate, distributor: Distributor, plan: Plan) -> Expected:
    found: dict[tuple[str, str], Decimal] = {}
    rows = kept.amounts.filter(distributor=distributor).order_by("bonus_id")
    for code, name, amount in rows.values_list("bonus__code", "bonus__name", "amount"):
        found[code, name] = found.get((code, name), ZERO) + amount
    return Expected(parts_of(plan, found), kept.known_at)


def earned_by(own: int, result: Result, plan: Plan) -> dict[tuple[str, str], Decimal]:
    """By code and name of bonus what somebody gets."""
    found: dict[tuple[str, str], Decimal] = {}
    for block in result.ledger:
        programme = plan.programmes[block.bonus]
        amount = hundredths(int(block.amount[block.earner == own].sum()))
        key = programme.code, programme.name
        found[key] = found.get(key, ZERO) + amount
    return found


def given_to(own: int, result: Result, plan: Plan) -> list[tuple[str, Decimal]]:
    """What somebody would be given besides money, in the order of the plan."""
    found: dict[str, Decimal] = {}
    for block in result.rewards:
        reward = plan.bonuses[block.bonus].reward
        count = hundredths(int(block.amount[block.earner == own].sum()))
        if reward is not None and count:
            found[reward.name] = found.get(reward.name, ZERO) + count
    return list(found.items())


def parts_of(plan: Plan, *found: Mapping[tuple[str, str], Decimal]) -> list[tuple[str, Decimal]]:
    """Each bonus of the close with what somebody gets of it, in the order of the plan, then those
    that the plan has no more; what is not of the close, and limits, only where there is anything.
    """
    amounts: dict[str, Decimal] = {}
    names = {programme.code: programme.name for programme in plan.programmes}
    for part in found:
        for (code, name), amount in part.items():
            amounts[code] = amounts.get(code, ZERO) + amount
            names.setdefault(code, name)
    at_close = {bonus.code for bonus in plan.triggered_by(PERIOD_CLOSE)}
    return [
        (name, amounts.get(code, ZERO))
        for code, name in names.items()
        if amounts.get(code) or code in at_close
    ]

"""What the close would bring if it were now: the engine itself, run on one's own line.

A distributor's volumes, rank and commissions at the close rest on the people below and their sales,
so the engine is given just those. It is an estimate: orders and refunds still come, and refunds of
sales of earlier periods are taken off only at the close.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from commissions.engine import PERIOD_CLOSE, Plan, Result, calculate
from commissions.engine.plan import Bonus
from commissions.models import CommissionPeriod
from commissions.services.own_line import read_line
from commissions.standing import hundredths
from genealogy.models import Distributor


@dataclass(frozen=True)
class Estimate:
    """Amounts by the name of the bonus, in the order of the plan, and their sum."""

    parts: list[tuple[str, Decimal]]

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.parts), Decimal("0.00"))


def estimate_close(
    distributor: Distributor, period: CommissionPeriod, plan: Plan
) -> Estimate | None:
    """What the bonuses of the close would pay a distributor now; None for a very large line."""
    snapshot = read_line(distributor, period, plan)
    if snapshot is None:
        return None
    known = knowable(plan)
    result = calculate(snapshot, known, PERIOD_CLOSE)
    own = int(np.searchsorted(snapshot.members.id, distributor.pk))
    return Estimate(parts_of(result, known, own))


def knowable(plan: Plan) -> Plan:
    """The plan without what only the whole company's figures decide: pools and its own limits."""
    return replace(
        plan,
        bonuses=tuple(bonus for bonus in plan.bonuses if bonus.pays.who not in ("pool", "company")),
        limits=tuple(limit for limit in plan.limits if limit.scope != "company"),
    )


def parts_of(result: Result, plan: Plan, own: int) -> list[tuple[str, Decimal]]:
    """Each bonus of the close with what somebody gets of it; a limit only where it cuts him."""
    earned = dict.fromkeys(range(len(plan.programmes)), 0)
    for block in result.ledger:
        earned[block.bonus] += int(block.amount[block.earner == own].sum())
    return [
        (programme.name, hundredths(earned[place]))
        for place, programme in enumerate(plan.programmes)
        if earned[place] or (isinstance(programme, Bonus) and programme.trigger == PERIOD_CLOSE)
    ]

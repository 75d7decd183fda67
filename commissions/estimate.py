"""What the close would bring if it were now.

A distributor's volumes, rank and commissions at the close mostly rest on the people below and their
sales, so the engine is given just those, at the moment somebody looks. What rests on everybody
(pools, limits of the company) and lines too large for a page are read from the company's last
estimate (`services/estimates.py`). Either is an estimate: orders and refunds still come.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from commissions.engine import PERIOD_CLOSE, Plan, Result, calculate
from commissions.engine.plan import Bonus
from commissions.models import CommissionPeriod, Estimate
from commissions.services.own_line import knowable, read_line, rests_on_company
from commissions.standing import hundredths
from genealogy.models import Distributor
from mlmcrm.money import ZERO


@dataclass(frozen=True)
class Expected:
    """Amounts by the name of the bonus, in the order of the plan, and their sum.

    `worked_out_at`: when, if that was not just now.
    """

    parts: list[tuple[str, Decimal]]
    worked_out_at: datetime | None = None

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.parts), ZERO)


def estimate_close(
    distributor: Distributor, period: CommissionPeriod, plan: Plan
) -> Expected | None:
    """What the bonuses of the close would pay a distributor now; None where nobody knows yet."""
    kept = Estimate.objects.filter(period=period).first()
    if kept is not None and rests_on_company(plan):
        return from_kept(kept, distributor, plan)
    snapshot = read_line(distributor, period, plan)
    if snapshot is None:
        return from_kept(kept, distributor, plan) if kept else None
    known = knowable(plan)
    result = calculate(snapshot, known, PERIOD_CLOSE)
    own = int(np.searchsorted(snapshot.members.id, distributor.pk))
    return Expected(parts_of(result, known, own))


def from_kept(kept: Estimate, distributor: Distributor, plan: Plan) -> Expected:
    rows = kept.amounts.filter(distributor=distributor).values_list("bonus__code", "amount")
    found = dict(rows)
    parts = [
        (programme.name, found.get(programme.code, ZERO))
        for programme in plan.programmes
        if programme.code in found
        or (isinstance(programme, Bonus) and programme.trigger == PERIOD_CLOSE)
    ]
    return Expected(parts, kept.known_at)


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

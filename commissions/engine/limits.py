"""The payout ceiling: what the named bonuses pay together stays within a share of the volume.

With a ceiling of 45 % and 10,000.00 CV sold in the period (refunds deducted), partner commission,
unilevel and rank bonus together may come to 4,500.00. It is a conservation rule, not a scaling: a
plan that breaks it is not paid out, and the difference is named.

Bonuses of both triggers count, so the check is made over the period's totals by bonus code, not
over one result: `check_ceiling(plan, {**paid_at_payment, **result.totals}, standings)`.
"""

from __future__ import annotations

from collections.abc import Mapping

from commissions.engine.plan import Plan
from commissions.engine.result import LimitCheck, Standings
from commissions.engine.rounding import MILLION, exact_sum


def check_ceiling(plan: Plan, totals: Mapping[str, int], standings: Standings) -> LimitCheck | None:
    """What is allowed and what is paid, in hundredths; None for a plan without a ceiling.

    `totals` may leave out bonuses (they count 0) and name others (they don't count). Reversals made
    in the period belong into them, with their sign.
    """
    if plan.ceiling is None:
        return None
    volume = exact_sum(standings.cv if plan.ceiling.of == "cv" else standings.pv)
    return LimitCheck(
        volume=volume,
        allowed=max(0, volume) * plan.ceiling.share // MILLION,
        paid=sum(totals.get(code, 0) for code in plan.ceiling.bonuses),
    )

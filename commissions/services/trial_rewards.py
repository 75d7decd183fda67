"""What a plan that is tried would have given besides money, beside what was given."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Sum

from commissions.engine import Plan, Result
from commissions.models import CommissionPeriod, Reward

Given = Counter[str]
"""How many, in hundredths, by the code of the bonus."""


def given_in(result: Result, plan: Plan) -> Given:
    """What a close would give in all."""
    found: Given = Counter()
    for block in result.rewards:
        found[plan.programmes[block.bonus].code] += int(block.amount.sum())
    return found


def reward_rows(
    periods: list[CommissionPeriod], given: Iterable[Given], plan: Plan
) -> list[dict[str, str]]:
    """Each bonus that gave or would have given something, in the plan's order, then those it has
    no more."""
    rows = Reward.objects.final().filter(period__in=periods).order_by()
    before: dict[str, Decimal] = {}
    names: dict[str, str] = {}
    for bonus in plan.rewards:
        names[bonus.code] = f"{bonus.name}: {bonus.reward.name if bonus.reward else ''}"
    for code, name, what, count in rows.values_list("bonus__code", "bonus__name", "name").annotate(
        total=Sum("count")
    ):
        before[code] = before.get(code, Decimal(0)) + count
        names.setdefault(code, f"{name}: {what}")
    after: Given = Counter()
    for each in given:
        after.update(each)
    return [
        {
            "code": code,
            "name": name,
            "before": str(before.get(code, Decimal("0.00"))),
            "after": str(Decimal(after[code]).scaleb(-2)),
        }
        for code, name in names.items()
        if code in before or after[code]
    ]

"""A distributor's money at a glance: earned, held, on its way."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum

from accounts.charts import Series
from commissions.earnings import PeriodTotal, period_totals
from commissions.models import CommissionPeriod, Payout
from commissions.services.payout_rules import Wallet, wallet_of
from genealogy.models import Distributor
from mlmcrm.money import ZERO

CHARTED = 12
UNDER_WAY = ("requested", "approved", "processing")


@dataclass(frozen=True)
class Money:
    """The figures of the dashboard. `last` is the newest period that is final."""

    currency: str
    now: PeriodTotal | None
    last: PeriodTotal | None
    waiting: list[PeriodTotal]
    lifetime: Decimal
    wallet: Wallet
    payouts: int
    payouts_amount: Decimal
    chart: list[Series]


def money_of(distributor: Distributor, under_way: CommissionPeriod | None) -> Money:
    """Four statements, whatever the number of lines."""
    totals = period_totals(distributor)
    now = next((row for row in totals if under_way and row.period.pk == under_way.pk), None)
    payouts = Payout.objects.filter(distributor=distributor, status__in=UNDER_WAY)
    sums = payouts.aggregate(count=Count("pk"), amount=Sum("amount"))
    return Money(
        currency=now.period.currency if now else settings.COMPANY_CURRENCY,
        now=now,
        last=next((row for row in totals if row.is_final), None),
        waiting=[row for row in totals if not (row.is_final or row.is_open)],
        lifetime=sum((row.total for row in totals), ZERO),
        wallet=wallet_of(distributor),
        payouts=sums["count"],
        payouts_amount=sums["amount"] or ZERO,
        chart=_chart(totals),
    )


def _chart(totals: list[PeriodTotal]) -> list[Series]:
    """The last twelve periods with lines, oldest first, in two parts."""
    shown = [row for row in totals if row.lines][:CHARTED][::-1]
    if not shown:
        return []
    labels = [f"{row.period.starts_on:%b %Y}" for row in shown]
    return [
        Series("At payment", list(zip(labels, (row.at_payment for row in shown), strict=True))),
        Series("At close", list(zip(labels, (row.at_close for row in shown), strict=True))),
    ]

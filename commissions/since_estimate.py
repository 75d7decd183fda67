"""Between the last estimate of a period and what its close brought: the way, cause by cause."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from commissions.models import (
    CommissionPeriod,
    CommissionRun,
    Estimate,
    EstimatedAmount,
    EstimateDifference,
)
from genealogy.models import Distributor
from mlmcrm.money import ZERO


@dataclass(frozen=True)
class Share:
    """What one cause did, and to how many people."""

    cause: int
    amount: Decimal
    people: int = 1

    @property
    def name(self) -> str:
        return str(EstimateDifference.Cause(self.cause).label)


@dataclass(frozen=True)
class SinceEstimate:
    """Estimated, changed by each cause, brought by the close."""

    known_at: datetime
    estimated: Decimal
    causes: list[Share]

    @property
    def brought(self) -> Decimal:
        return self.estimated + sum((share.amount for share in self.causes), ZERO)


def of_run(run: CommissionRun) -> SinceEstimate | None:
    """As a run stored it for everybody together; None where there was no estimate."""
    stored: dict[str, Any] | None = run.totals.get("since_estimate")
    if stored is None:
        return None
    return SinceEstimate(
        known_at=datetime.fromisoformat(stored["known_at"]),
        estimated=Decimal(stored["estimated"]),
        causes=[
            Share(row["cause"], Decimal(row["amount"]), row["people"]) for row in stored["causes"]
        ],
    )


def of_distributor(distributor: Distributor, period: CommissionPeriod) -> SinceEstimate | None:
    """For one distributor, once the period is final; None where nothing was compared."""
    if period.status != CommissionPeriod.Status.FINALIZED:
        return None
    run = period.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE)
    if run.totals.get("since_estimate") is None:
        return None
    kept = Estimate.objects.get(period=period)
    mine = EstimatedAmount.objects.filter(estimate=kept, distributor=distributor)
    rows = (
        EstimateDifference.objects.filter(run=run, distributor=distributor)
        .values_list("cause")
        .annotate(total=Sum("amount"))
        .order_by("cause")
    )
    return SinceEstimate(
        known_at=kept.known_at,
        estimated=mine.aggregate(total=Sum("amount"))["total"] or ZERO,
        causes=[Share(cause, total) for cause, total in rows],
    )

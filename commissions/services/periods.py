"""Closing the books of a period: all that counts is claimed, frozen and hashed."""

from django.db import OperationalError, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts import audit
from accounts.events import publish, told_together
from accounts.models import User
from commerce.models import VolumeCutoff
from commissions.models import CommissionPeriod, CommissionRun
from commissions.models.period import PERIOD_EDGES, RUN_EDGES
from commissions.services import facts, projections
from commissions.services.claims import claim_rest, claim_volume, lock_claims, unclaimed_count
from commissions.services.opening import (
    ONE_DAY,
    PeriodRefused,
    be_patient,
    days_after,
    fix_plan,
    open_days,
    open_period,
    payment_run,
    period_of,
    stop_the_clock,
)
from commissions.services.plan_reading import loaded
from mlmcrm.transitions import TransitionRefused, advance

__all__ = ["PeriodRefused", "close_period", "open_period"]

Status = CommissionPeriod.Status


def close_period(*, period: CommissionPeriod, actor: User) -> CommissionPeriod:
    """Close the books of a period: nothing recorded later can count in it.

    Settles what is due at payment, moves the books to the day after, opens the next period, and
    freezes cut-off, plan version and the hash of all that counts. Publishes period.closed.
    Raises PeriodRefused, also while an earlier period is not final.
    """
    _refuse_unless_open(period)
    claim_volume()
    try:
        settled = _close(period, actor)
    except (facts.FactsRefused, TransitionRefused) as error:
        raise PeriodRefused(str(error)) from error
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise PeriodRefused("Orders are being recorded right now; try again soon.") from error
        raise
    if settled:
        projections.refresh()
    else:
        projections.refresh_current_month()
    return period


def _refuse_unless_open(period: CommissionPeriod) -> None:
    if period.status != Status.OPEN:
        raise PeriodRefused(f"{period.name} is {period.get_status_display().lower()}, not open.")


@transaction.atomic
@told_together()
def _close(period: CommissionPeriod, actor: User) -> int:
    """Close in one transaction; returns how many entries were still to be settled in it."""
    be_patient("30s")
    lock_claims()
    known_at = stop_the_clock()
    period.refresh_from_db(from_queryset=CommissionPeriod.objects.select_for_update(no_key=True))
    _refuse_unless_open(period)  # somebody else may have closed it while this one waited
    settled = claim_rest()
    if left := unclaimed_count(period):
        raise PeriodRefused(f"{left} volume entries of {period.name} could not be claimed yet.")
    version = fix_plan(period)
    snapshot = facts.read_snapshot(facts.cut_of(period, known_at), loaded(version))
    advance(
        period,
        Status.CLOSED,
        PERIOD_EDGES,
        cutoff_at=known_at,
        closed_at=timezone.now(),
        closed_by=actor,
        plan_version=version,
        input_hash=snapshot.content_hash(),
    )
    advance(payment_run(period), CommissionRun.Status.DONE, RUN_EDGES, finished_at=timezone.now())
    VolumeCutoff.objects.filter(pk=1, open_from__lte=period.ends_on).update(
        open_from=period.ends_on + ONE_DAY
    )
    if period_of(period.ends_on + ONE_DAY) is None:
        open_days(days_after(period), actor)
    audit.record(
        actor=actor, action="period.closed", target=period, after={"input": period.input_hash}
    )
    publish("period.closed", staff=True, ref=period.code, period=period.name)
    return settled

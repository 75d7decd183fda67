"""Opening a period: its days, its payment run, and the table for what is paid at once."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts import audit
from accounts.models import User
from commerce.models import VolumeCutoff
from commissions.models import CommissionPeriod, CommissionRun, PlanVersion
from commissions.services import plans
from commissions.services.ledger_tables import attach_payment_table
from mlmcrm.locks import require_transaction

logger = structlog.get_logger(__name__)

Frequency = CommissionPeriod.Frequency
ONE_DAY = timedelta(days=1)


class PeriodRefused(Exception):
    """The period cannot be opened, closed or moved on; the message says why."""


@dataclass(frozen=True)
class Days:
    """The days of a period and what it is called."""

    starts_on: date
    ends_on: date
    code: str
    name: str
    frequency: str


def month_of(day: date) -> Days:
    last = calendar.monthrange(day.year, day.month)[1]
    return Days(
        day.replace(day=1), day.replace(day=last), f"{day:%Y-%m}", f"{day:%B %Y}", Frequency.MONTHLY
    )


@transaction.atomic
def open_period(
    *,
    starts_on: date,
    ends_on: date,
    code: str,
    name: str = "",
    frequency: str = Frequency.MONTHLY,
    actor: User | None = None,
) -> CommissionPeriod:
    """Open a period with its payment run and the partition for that run's lines.

    The plan version is set at once when one is active. A hole before it is allowed and logged;
    entries that count in the hole stay unclaimed. Raises PeriodRefused for days that are closed
    or belong to another period.
    """
    if starts_on < VolumeCutoff.objects.get(pk=1).open_from:
        raise PeriodRefused(f"The books of {starts_on} are closed; nothing can count there.")
    try:
        with transaction.atomic():
            period = CommissionPeriod.objects.create(
                code=code,
                name=name or code,
                frequency=frequency,
                starts_on=starts_on,
                ends_on=ends_on,
                currency=settings.COMPANY_CURRENCY,
                plan_version=plans.version_for(starts_on),
            )
    except IntegrityError as error:
        raise PeriodRefused(f"{code} shares its code or some days with another period.") from error
    run = CommissionRun.objects.create(
        period=period,
        number=0,
        kind=CommissionRun.Kind.PAYMENT,
        plan_version=period.plan_version,
        started_by=actor,
    )
    attach_payment_table(run)
    audit.record(actor=actor, action="period.opened", target=period)
    for first, last in holes():
        logger.warning("no period for some days", first=str(first), last=str(last))
    return period


def holes() -> list[tuple[date, date]]:
    """Days between periods that belong to none."""
    days = list(CommissionPeriod.objects.order_by("starts_on").values_list("starts_on", "ends_on"))
    return [
        (ended + ONE_DAY, begins - ONE_DAY)
        for (_, ended), (begins, _) in pairwise(days)
        if begins - ended > ONE_DAY
    ]


def period_of(day: date) -> CommissionPeriod | None:
    return CommissionPeriod.objects.filter(starts_on__lte=day, ends_on__gte=day).first()


def period_for(day: date) -> CommissionPeriod:
    """The period of a day; the month is opened when there is none. Raises PeriodRefused."""
    return period_of(day) or open_days(month_of(day))


def open_days(days: Days, actor: User | None = None) -> CommissionPeriod:
    """Open the free part of some days: what a neighbour covers already is left to it."""
    neighbours = CommissionPeriod.objects.filter(
        ends_on__gte=days.starts_on, starts_on__lte=days.ends_on
    ).order_by("starts_on")
    starts_on, ends_on = days.starts_on, days.ends_on
    for other in neighbours:
        if other.starts_on <= starts_on:
            starts_on = other.ends_on + ONE_DAY
        else:
            ends_on = min(ends_on, other.starts_on - ONE_DAY)
    return open_period(
        starts_on=starts_on,
        ends_on=ends_on,
        code=days.code,
        name=days.name,
        frequency=days.frequency,
        actor=actor,
    )


def first_open_day() -> date | None:
    """The day after the last period that is closed: what lies before is final."""
    closed = CommissionPeriod.objects.exclude(status=CommissionPeriod.Status.OPEN)
    last = closed.order_by("-ends_on").values_list("ends_on", flat=True).first()
    return last + ONE_DAY if last else None


def payment_run(period: CommissionPeriod) -> CommissionRun:
    return CommissionRun.objects.get(period=period, kind=CommissionRun.Kind.PAYMENT)


def fix_plan(period: CommissionPeriod) -> PlanVersion:
    """The version the period pays by, from its first commission on. Raises PeriodRefused."""
    if period.plan_version is None:
        version = plans.version_for(period.starts_on)
        if version is None:
            raise PeriodRefused(f"No plan version is active on {period.starts_on}.")
        period.plan_version = version
        period.save(update_fields=["plan_version"])
        CommissionRun.objects.filter(
            period=period, kind=CommissionRun.Kind.PAYMENT, plan_version=None
        ).update(plan_version=version)
    return period.plan_version


def days_after(period: CommissionPeriod) -> Days:
    first = period.ends_on + ONE_DAY
    if period.frequency == Frequency.MONTHLY:
        month = month_of(first)
        return Days(first, month.ends_on, month.code, month.name, Frequency.MONTHLY)
    last = first if period.frequency == Frequency.DAILY else first + timedelta(days=6)
    name = f"{first:%d %B %Y}" if first == last else f"{first:%d %b} to {last:%d %b %Y}"
    return Days(first, last, f"{first}", name, period.frequency)


def be_patient(patience: str) -> None:
    """Wait for each lock up to a time ("30s") from here to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, true)", [patience])


def stop_the_clock() -> datetime:
    """Wait for whoever records volume, moves people or says what they hold, keep them out, and
    read the time.

    They stay out until the transaction ends. The clock comes early in the order of locks
    (docs/architecture.md). Raises OperationalError where they take too long.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("select 1 from commerce_volumecutoff where id = 1 for update")
        cursor.execute(
            "lock table genealogy_distributorposition, genealogy_distributorattribute in share mode"
        )
        cursor.execute("select clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment

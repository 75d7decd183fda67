"""What an open period would bring if it were closed now, and why its close brought something else.

    record(period)                   # the whole company worked out, kept as rows
    compare(run, outcome)            # at the close, from those rows to the run's, cause by cause

An estimate is a close that is not written: the same facts, the same engine. It notes which facts
those were, so that the close can go from them to its own in steps: the period before, then people,
what they hold, sales, refunds, the plan. After each step that has news the engine computes again,
and what changes is that news' doing. Ben's 40.00 estimated and 37.00 closed are +5.00 by orders,
-8.00 by refunds; the steps add up to the difference, to the cent, for each distributor and bonus.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import numpy as np
import structlog
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from numpy.typing import NDArray

from commissions.engine import EngineError
from commissions.models import (
    CommissionPeriod,
    CommissionRun,
    Estimate,
    EstimateDifference,
    PlanVersion,
)
from commissions.services import estimate_news, facts
from commissions.services.arrays import Array, Lookup, copy_rows, read_columns, slices
from commissions.services.attributes import has_changed
from commissions.services.calculation import Outcome, decimal_text, work_out
from commissions.services.opening import be_patient, payment_run, stop_the_clock
from commissions.services.plan_reading import loaded
from commissions.services.plans import bonus_ids, version_for
from commissions.services.projections import current_period, last_final_run
from mlmcrm.locks import try_advisory_lock
from mlmcrm.money import ZERO

logger = structlog.get_logger(__name__)

Cause = EstimateDifference.Cause
Amounts = dict[int, NDArray[np.int64]]
"""Hundredths by the bonus's id, one entry a member of the period."""

LEAST_PAUSE = timedelta(seconds=60)
PAUSE_FOR_ITS_TIME = 50
"""An estimate that takes a second is worked out again after fifty at the earliest."""


@dataclass(frozen=True)
class Mark:
    """The moment and the last volume entry up to which facts are in."""

    known_at: datetime
    last_entry: int


def keep_up() -> Estimate | None:
    """Work the period under way out again if there is news and the last time is long enough ago."""
    period = current_period()
    if period is None:
        return None
    last = Estimate.objects.filter(period=period).first()
    if last is not None:
        pause = max(LEAST_PAUSE, timedelta(seconds=float(last.seconds) * PAUSE_FOR_ITS_TIME))
        if timezone.now() < last.known_at + pause or not has_news(last):
            return None
    return record(period)


def has_news(last: Estimate) -> bool:
    """Whether anything came that the estimate has not seen."""
    run, version = last_final_run(), version_for(last.period.starts_on)
    if (run and run.pk) != last.carried_run_id or version != last.version:
        return True
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [last.last_entry, last.known_at])
        (found,) = cursor.fetchone()
    return bool(found) or has_changed(loaded(last.version), since=last.known_at)


_NEWS = """
select exists (select 1 from commerce_volumeentry where id > %s)
    or exists (select 1 from genealogy_distributorposition where recorded_at > %s)
"""


def record(period: CommissionPeriod) -> Estimate | None:
    """Work an open period out and keep what everybody would get, in place of the last estimate.

    None without a plan, or while the facts make no sense for a calculation: the close will say so.
    Safe to run twice; of two at a time one does it.
    """
    version = version_for(period.starts_on)
    if version is None:
        return None
    try:
        return _record(period, version, take_mark())
    except (EngineError, facts.FactsRefused) as refusal:
        logger.info("no estimate", period=period.code, reason=str(refusal))
        return None


@transaction.atomic
def take_mark() -> Mark:
    """Wait for whoever is recording just now, so that nothing up to the mark comes later."""
    be_patient("2s")
    known_at = stop_the_clock()
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(max(id), 0) from commerce_volumeentry")
        (last_entry,) = cursor.fetchone()
    return Mark(known_at, last_entry)


@transaction.atomic
def _record(period: CommissionPeriod, version: PlanVersion, mark: Mark) -> Estimate | None:
    if not try_advisory_lock("commissions.estimate"):
        return None
    since, carried = monotonic(), last_final_run()
    outcome = at(cut_at(mark, period, carried), version)
    if not still_open(period):
        return None
    taken = Decimal(monotonic() - since).quantize(Decimal("0.001"))
    estimate, _ = Estimate.objects.update_or_create(
        period=period,
        defaults={
            "version": version,
            "known_at": mark.known_at,
            "last_entry": mark.last_entry,
            "carried_run": carried,
            "seconds": taken,
        },
    )
    members = outcome.snapshot.members.id
    store(estimate, members, amounts_of(outcome, version, Lookup(members)))
    estimate_news.note_changed(period, loaded(version))
    return estimate


def cut_at(mark: Mark, period: CommissionPeriod, carried: CommissionRun | None) -> facts.Cut:
    """An open period cut at a mark, carried on from a final run."""
    return facts.Cut(
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        known_at=mark.known_at,
        carried_run=carried.pk if carried else None,
        payment_run=payment_run(period).pk,
        sales_until=mark.last_entry,
        refunds_until=mark.last_entry,
    )


def still_open(period: CommissionPeriod) -> bool:
    """Whether nobody has closed the period; nobody can until the transaction ends."""
    periods = CommissionPeriod.objects.select_for_update(no_key=True)
    return periods.filter(pk=period.pk, status=CommissionPeriod.Status.OPEN).first() is not None


def at(cut: facts.Cut, version: PlanVersion) -> Outcome:
    """What comes out of these facts by this plan."""
    plan = loaded(version)
    return work_out(cut, facts.read_snapshot(cut, plan), plan)


def amounts_of(outcome: Outcome, version: PlanVersion, lookup: Lookup) -> Amounts:
    """What everybody gets of each bonus of a close, what refunds take back deducted."""
    amounts: Amounts = {}
    places = lookup(outcome.snapshot.members.id)
    ids = bonus_ids(version)
    for block in outcome.result.ledger:
        add(amounts, lookup, ids[block.bonus], places[block.earner], block.amount)
    undone = outcome.reversed
    for bonus in np.unique(undone["bonus_id"]).tolist():
        mine = undone["bonus_id"] == bonus
        earner = lookup(undone["distributor_id"][mine])
        add(amounts, lookup, bonus, earner, undone["amount"][mine])
    return amounts


def add(amounts: Amounts, lookup: Lookup, bonus: int, places: Array, values: Array) -> None:
    found = amounts.setdefault(bonus, np.zeros(lookup.ids.size, np.int64))
    np.add.at(found, places, values)


def changes(old: Amounts, new: Amounts) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """For each bonus in either, by how much everybody's amount changes."""
    for bonus in sorted(old.keys() | new.keys()):
        yield bonus, np.asarray(new.get(bonus, 0)) - np.asarray(old.get(bonus, 0))


# Keeping


def stored(estimate: Estimate, lookup: Lookup) -> Amounts:
    rows = read_columns(
        "select distributor_id as id, bonus_id as bonus, amount "
        "from commissions_estimatedamount where estimate_id = %(estimate)s",
        {"estimate": estimate.pk},
        id="i8",
        bonus="i8",
        amount="i8",
    )
    amounts: Amounts = {}
    for bonus in np.unique(rows["bonus"]).tolist():
        mine = rows["bonus"] == bonus
        add(amounts, lookup, bonus, lookup(rows["id"][mine]), rows["amount"][mine])
    return amounts


def store(estimate: Estimate, members: NDArray[np.int64], amounts: Amounts) -> None:
    """Write what changed since the last estimate, and only that."""
    lookup = Lookup(members)
    before = stored(estimate, lookup)
    kinds = {"distributor_id": "i8", "bonus_id": "i8", "amount": "i8"}
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists pg_temp.moved")
        cursor.execute(
            "create temporary table moved (distributor_id bigint, bonus_id bigint, amount bigint) "
            "on commit drop"
        )
        for bonus, change in changes(before, amounts):
            places = np.flatnonzero(change)
            values = amounts[bonus][places] if bonus in amounts else np.zeros(places.size, np.int64)
            copy_rows("pg_temp.moved", kinds, pieces(members[places], bonus, values))
        for statement in (_REMOVE, _PUT):
            cursor.execute(statement, {"estimate": estimate.pk})


_REMOVE = """
delete from commissions_estimatedamount a using pg_temp.moved m
where a.estimate_id = %(estimate)s and a.distributor_id = m.distributor_id
  and a.bonus_id = m.bonus_id and m.amount = 0
"""
_PUT = """
insert into commissions_estimatedamount (estimate_id, distributor_id, bonus_id, amount)
select %(estimate)s, distributor_id, bonus_id, amount from pg_temp.moved where amount <> 0
on conflict (estimate_id, distributor_id, bonus_id) do update set amount = excluded.amount
"""


def pieces(
    members: NDArray[np.int64], bonus: int, values: NDArray[np.int64], **more: int
) -> Iterator[tuple[int, dict[str, Array | int | None]]]:
    for part in slices(members.size):
        yield (
            len(members[part]),
            {
                "distributor_id": members[part],
                "bonus_id": bonus,
                "amount": values[part],
                **more,
            },
        )


# Explaining

Step = tuple[EstimateDifference.Cause, Amounts]


def differences(estimate: Estimate, period: CommissionPeriod, outcome: Outcome) -> Iterator[Step]:
    """From an estimate of a period to what its close computed, cause by cause."""
    lookup = Lookup(outcome.snapshot.members.id)
    reached = stored(estimate, lookup)
    for cause, cut, version in stages(estimate, period):
        then = amounts_of(at(cut, version), version, lookup)
        yield cause, dict(changes(reached, then))
        reached = then
    final = amounts_of(outcome, period.frozen_plan, lookup)
    yield last_cause(estimate, period), dict(changes(reached, final))


def last_cause(estimate: Estimate, period: CommissionPeriod) -> EstimateDifference.Cause:
    """What the step to the final figures is due to."""
    if estimate.version_id != period.frozen_plan.pk:
        return Cause.PLAN
    news = news_of(estimate, period)
    return news[-1] if news else Cause.PAYMENT


def stages(
    estimate: Estimate, period: CommissionPeriod
) -> Iterator[tuple[EstimateDifference.Cause, facts.Cut, PlanVersion]]:
    """The facts after each kind of news but the last, which leads to the final ones.

    People come before sales, so that whoever sells has joined.
    """
    final = facts.cut_of(period)
    until = estimate.last_entry
    steps = {
        Cause.CARRIED: replace(
            final, known_at=estimate.known_at, sales_until=until, refunds_until=until
        ),
        Cause.TREE: replace(
            final, attributes_at=estimate.known_at, sales_until=until, refunds_until=until
        ),
        Cause.ATTRIBUTES: replace(final, sales_until=until, refunds_until=until),
        Cause.SALES: replace(final, refunds_until=until),
        Cause.REFUNDS: final,
    }
    news = news_of(estimate, period)
    another_plan = estimate.version_id != period.frozen_plan.pk
    for cause in news if another_plan else news[:-1]:
        yield cause, steps[cause], estimate.version


def news_of(estimate: Estimate, period: CommissionPeriod) -> list[EstimateDifference.Cause]:
    """Which facts of the period came after the estimate, in the order in which they are told."""
    final = facts.cut_of(period)
    with connection.cursor() as cursor:
        cursor.execute(
            _WHICH,
            {**final.params, "last_entry": estimate.last_entry, "estimated_at": estimate.known_at},
        )
        tree, sales, refunds = cursor.fetchone()
    found = {
        Cause.CARRIED: final.carried_run != estimate.carried_run_id,
        Cause.TREE: tree,
        Cause.ATTRIBUTES: has_changed(
            loaded(estimate.version), since=estimate.known_at, until=final.known_at
        ),
        Cause.SALES: sales,
        Cause.REFUNDS: refunds,
    }
    return [cause for cause, is_new in found.items() if is_new]


_WHICH = """
select exists (select 1 from genealogy_distributorposition
               where valid_from <= %(ends_on)s and recorded_at <= %(known_at)s
                 and (recorded_at > %(estimated_at)s or superseded_at > %(estimated_at)s)),
       exists (select 1 from commerce_volumeentry where id > %(last_entry)s and kind = 'sale'
               and counts_on between %(starts_on)s and %(ends_on)s),
       exists (select 1 from commerce_volumeentry where id > %(last_entry)s and kind = 'refund'
               and counts_on between %(starts_on)s and %(ends_on)s)
"""
KINDS = {
    "run_id": "i8",
    "distributor_id": "i8",
    "bonus_id": "i8",
    "cause": "i2",
    "amount": "i8",
}


def write_differences(
    run: CommissionRun, members: NDArray[np.int64], steps: Iterable[Step]
) -> list[dict[str, int | str]]:
    """One row for whoever a cause concerns; returns sums and people by cause."""
    sums: list[dict[str, int | str]] = []
    for cause, amounts in steps:
        people = np.zeros(members.size, np.bool_)
        for bonus, change in amounts.items():
            places = np.flatnonzero(change)
            people[places] = True
            rows = pieces(members[places], bonus, change[places], run_id=run.pk, cause=cause.value)
            copy_rows("commissions_estimatedifference", KINDS, rows)
        if people.any():
            amount = decimal_text(sum(int(change.sum()) for change in amounts.values()))
            sums.append({"cause": cause.value, "amount": amount, "people": int(people.sum())})
    return sums


def compare(run: CommissionRun, outcome: Outcome) -> dict[str, Any] | None:
    """List what makes a run differ from the last estimate of its period, and sum it up.

    None without an estimate, or where the facts between it and the close make no calculation: a
    close does not fail for want of an explanation. Costs a calculation for each cause that has
    news, none when nothing came after the estimate.
    """
    estimate = Estimate.objects.filter(period=run.period).select_related("version").first()
    if estimate is None:
        return None
    try:
        steps = list(differences(estimate, run.period, outcome))
    except (EngineError, facts.FactsRefused) as refusal:
        logger.warning("differences not explained", period=run.period.code, reason=str(refusal))
        return None
    total = estimate.amounts.aggregate(total=Sum("amount"))["total"] or ZERO
    return {
        "known_at": estimate.known_at.isoformat(),
        "estimated": str(total),
        "causes": write_differences(run, outcome.snapshot.members.id, steps),
    }


def drop_differences(run: CommissionRun) -> None:
    """Throw away those of a superseded run."""
    EstimateDifference.objects.filter(run=run).delete()

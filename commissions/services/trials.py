"""Trying a plan version on past periods: in the background, with progress, paying nobody.

    trial = start_trial(version=draft, first=april, last=october, actor=user)
    carry_out(trial.pk)          # by the task, as often as it takes
    cancel_trial(trial=trial, actor=user)

A trial commits whole or leaves nothing behind, so one that was interrupted begins again.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import structlog
from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone
from numpy.typing import NDArray
from redis import RedisError

from accounts import audit
from accounts.models import User
from commissions.engine import EngineError, Plan
from commissions.known import seen
from commissions.models import CommissionPeriod, CommissionRun, PlanTrial, PlanVersion, TrialEarning
from commissions.models.trial import TRIAL_EDGES
from commissions.services.arrays import Lookup, copy_rows, read_columns, slices
from commissions.services.carried import moved_levels
from commissions.services.facts import FactsRefused
from commissions.services.plan_reading import loaded
from commissions.services.trial_periods import Worked, work_through
from commissions.services.trial_rewards import reward_rows
from mlmcrm.locks import try_advisory_lock
from mlmcrm.transitions import TransitionRefused, advance

logger = structlog.get_logger(__name__)

Status = PlanTrial.Status
Int64s = NDArray[np.int64]
TASK = "commissions.tasks.carry_out_trial"
MOST_ATTEMPTS = 3
MOST_PERIODS = 36
KEEP_SECONDS = 3600
STEPS = (0, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)
"""Where the classes of the distribution begin, in whole units of money."""


class TrialRefused(Exception):
    """The version cannot be tried on these periods; the message says why."""


class _Stopped(Exception):
    """Somebody cancelled the trial while it was under way."""


@transaction.atomic
def start_trial(
    *, version: PlanVersion, first: CommissionPeriod, last: CommissionPeriod, actor: User
) -> PlanTrial:
    """Order a trial; the task goes out when this commits. Raises TrialRefused."""
    periods = list(periods_between(first, last))
    if not periods:
        raise TrialRefused("The last period lies before the first.")
    if len(periods) > MOST_PERIODS:
        raise TrialRefused(f"A trial covers {MOST_PERIODS} periods at most.")
    for period in periods:
        if period.status != CommissionPeriod.Status.FINALIZED:
            raise TrialRefused(f"{period.name} is not final: a trial needs what was really paid.")
    trial = PlanTrial.objects.create(
        version=version,
        definition_hash=version.definition_hash,
        first_period=periods[0],
        last_period=periods[-1],
        period_count=len(periods),
        started_by=actor,
    )
    audit.record(
        actor=actor,
        action="plan_trial.started",
        target=trial,
        after={"version": str(version), "first": first.code, "last": last.code},
    )
    transaction.on_commit(lambda: send(trial.pk), robust=True)
    return trial


def periods_between(first: CommissionPeriod, last: CommissionPeriod) -> Any:
    """The periods from the first to the last by their days."""
    return CommissionPeriod.objects.filter(
        starts_on__gte=first.starts_on, starts_on__lte=last.starts_on
    ).order_by("starts_on")


def send(trial_id: int) -> None:
    current_app.send_task(TASK, args=[trial_id])


@transaction.atomic
def cancel_trial(*, trial: PlanTrial, actor: User) -> PlanTrial:
    """Stop it before its next period. Raises TrialRefused when it has ended."""
    try:
        advance(trial, Status.CANCELLED, TRIAL_EDGES, finished_at=timezone.now())
    except TransitionRefused as refused:
        raise TrialRefused(f"{trial} has ended.") from refused
    audit.record(actor=actor, action="plan_trial.cancelled", target=trial)
    return trial


def carry_out(trial_id: int) -> PlanTrial | None:
    """Work a trial out; None where there is nothing to do or somebody else is at it.

    A plan that cannot be calculated on the facts makes the trial `failed`, with the reason. A
    broken database connection is raised: the sweep tries again.
    """
    if not _count_attempt(trial_id):
        return None
    try:
        return _carry_out(trial_id)
    except _Stopped:
        return None
    except OperationalError:
        raise
    except (EngineError, FactsRefused, TrialRefused) as refusal:
        _fail(trial_id, str(refusal))
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        logger.exception("trial broke", trial=trial_id)
        _fail(trial_id, f"The trial broke ({type(error).__name__}); the error log says where.")
    return None


@transaction.atomic
def _count_attempt(trial_id: int) -> bool:
    """Note the attempt before it can crash; False when there is nothing to do."""
    if not try_advisory_lock(lock_name(trial_id)):
        return False
    trial = PlanTrial.objects.get(pk=trial_id)
    if not trial.is_under_way:
        return False
    if trial.status == Status.QUEUED:
        advance(trial, Status.RUNNING, TRIAL_EDGES)
    if trial.attempts >= MOST_ATTEMPTS:
        _fail(trial_id, f"The trial was interrupted {trial.attempts} times.")
        return False
    trial.attempts += 1
    trial.save(update_fields=["attempts"])
    return True


def lock_name(trial_id: int) -> str:
    return f"commissions.trial.{trial_id}"


@transaction.atomic
def _carry_out(trial_id: int) -> PlanTrial | None:
    if not try_advisory_lock(lock_name(trial_id)):
        return None
    related = ("version", "first_period", "last_period")
    trial = PlanTrial.objects.select_related(*related).get(pk=trial_id)
    if trial.version.definition_hash != trial.definition_hash:
        raise TrialRefused("The draft was written anew since the trial was ordered; try it again.")
    periods = list(periods_between(trial.first_period, trial.last_period))
    plan = loaded(trial.version)
    worked = list(_told(trial, work_through(periods, plan)))
    report, rows = compare(periods, worked, plan)
    _store(trial, rows)
    try:
        advance(trial, Status.DONE, TRIAL_EDGES, finished_at=timezone.now(), report=report)
    except TransitionRefused as refused:
        raise _Stopped from refused
    return trial


def _told(trial: PlanTrial, steps: Iterator[Worked]) -> Iterator[Worked]:
    """Each period, once it is told how far the trial is; ends where somebody cancelled."""
    for place, worked in enumerate(steps, 1):
        if not PlanTrial.objects.filter(pk=trial.pk, status=Status.RUNNING).exists():
            raise _Stopped
        tell_done(trial.pk, place)
        yield worked


def tell_done(trial_id: int, periods: int) -> None:
    """Outside the transaction; losing it costs a progress bar."""
    try:
        cache.set(_key(trial_id), periods, KEEP_SECONDS)
    except RedisError:
        logger.info("progress not told", trial=trial_id)


def periods_done(trial: PlanTrial) -> int:
    """How many periods of a trial under way are worked out."""
    try:
        return int(cache.get(_key(trial.pk)) or 0)
    except RedisError:
        return 0


def _key(trial_id: int) -> str:
    return f"commissions.trial.{trial_id}"


@transaction.atomic
def _fail(trial_id: int, reason: str) -> None:
    trial = PlanTrial.objects.get(pk=trial_id)
    if trial.is_under_way:
        advance(trial, Status.FAILED, TRIAL_EDGES, finished_at=timezone.now(), error=reason)


def waiting_trials() -> list[int]:
    """Trials that are ordered and not done."""
    rows = PlanTrial.objects.filter(status__in=[Status.QUEUED, Status.RUNNING])
    return list(rows.order_by("pk").values_list("pk", flat=True))


# Comparing


def compare(
    periods: list[CommissionPeriod], worked: list[Worked], plan: Plan
) -> tuple[dict[str, Any], dict[str, Int64s]]:
    """The report, and a row for each distributor for whom something differs."""
    ids = worked[-1].ids
    before, after = paid_by_distributor(periods, ids), np.zeros(ids.size, np.int64)
    for step in worked:
        np.add.at(after, Lookup(ids)(step.ids), step.earned)
    change = after - before
    rank_before, rank_after = ranks_in(periods[-1], ids, plan), worked[-1].rank.astype(np.int64)
    volume = sum(step.volume for step in worked)
    report = {
        "before": text(before.sum()),
        "after": text(after.sum()),
        "volume": text(volume),
        "periods": [period_row(step) for step in worked],
        "bonuses": bonus_rows(periods, worked, plan),
        "rewards": reward_rows(periods, (step.given for step in worked), plan),
        "winners": side(change, change > 0),
        "losers": side(change, change < 0),
        "unchanged": int((change == 0).sum()),
        "ranks": rank_rows(rank_before, rank_after, plan),
        "promoted": int((rank_after > rank_before).sum()),
        "demoted": int((rank_after < rank_before).sum()),
        "distribution": distribution(change),
    }
    differs = (change != 0) | (rank_before != rank_after)
    rows = {
        "distributor_id": ids[differs],
        "before": before[differs],
        "after": after[differs],
        "change": change[differs],
        "rank_before": rank_before[differs],
        "rank_after": rank_after[differs],
    }
    return report, rows


def text(hundredths: Any) -> str:
    return str(Decimal(int(hundredths)).scaleb(-2))


def paid_by_distributor(periods: list[CommissionPeriod], ids: Int64s) -> Int64s:
    """What the books say each earned in the periods, corrections included."""
    rows = read_columns(
        "select distributor_id as id, sum(amount) as amount from commissions_ledgerentry "
        "where run_id = any(%(runs)s) group by 1",
        {"runs": runs_of(periods)},
        id="i8",
        amount="i8",
    )
    paid = np.zeros(ids.size, np.int64)
    paid[Lookup(ids)(rows["id"])] = rows["amount"]
    return paid


def runs_of(periods: list[CommissionPeriod]) -> list[int]:
    """The runs whose lines are in the books: at payment, and the close that became final."""
    runs = CommissionRun.objects.filter(period__in=periods)
    return list(runs.exclude(status=CommissionRun.Status.SUPERSEDED).values_list("pk", flat=True))


def ranks_in(period: CommissionPeriod, ids: Int64s, plan: Plan) -> Int64s:
    """The paid-as level each really had in a period, as a level of the plan that is tried."""
    run = period.runs.get(kind=CommissionRun.Kind.CLOSE, status=CommissionRun.Status.DONE)
    rows = read_columns(
        "select distributor_id as id, rank_level as level from commissions_standing "
        "where run_id = %(run)s",
        {"run": run.pk},
        id="i8",
        level="i2",
    )
    levels = np.zeros(ids.size, np.int64)
    place = Lookup(ids)(rows["id"])
    moved = moved_levels(seen(loaded(period.frozen_plan)), seen(plan))
    levels[place[place >= 0]] = moved[rows["level"][place >= 0]]
    return levels


def period_row(step: Worked) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(amount), 0) from commissions_ledgerentry where run_id = any(%s)",
            [runs_of([step.period])],
        )
        paid = cursor.fetchone()[0]
    return {
        "code": step.period.code,
        "name": step.period.name,
        "before": text(paid),
        "after": text(step.earned.sum()),
        "volume": text(step.volume),
    }


def bonus_rows(
    periods: list[CommissionPeriod], worked: list[Worked], plan: Plan
) -> list[dict[str, str]]:
    """Each bonus that paid or would have paid, in the plan's order, then those it has no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select b.code, min(b.name), sum(l.amount) from commissions_ledgerentry l "
            "join commissions_bonus b on b.id = l.bonus_id "
            "where l.run_id = any(%s) group by 1 order by 1",
            [runs_of(periods)],
        )
        paid = {code: (name, int(amount)) for code, name, amount in cursor.fetchall()}
    after: Counter[str] = Counter()
    for step in worked:
        after.update(step.totals)
    names = {programme.code: programme.name for programme in plan.programmes}
    names |= {code: name for code, (name, _) in paid.items() if code not in names}
    return [
        {
            "code": code,
            "name": name,
            "before": text(paid.get(code, ("", 0))[1]),
            "after": text(after[code]),
        }
        for code, name in names.items()
        if code in paid or after[code]
    ]


def side(change: Int64s, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    return {"count": int(chosen.sum()), "sum": text(change[chosen].sum())}


def rank_rows(before: Int64s, after: Int64s, plan: Plan) -> list[dict[str, Any]]:
    """How many stood at each rank in the last period, really and by this plan; none first."""
    names = ["", *(rank.name for rank in seen(plan).ranks)]
    was, would = (np.bincount(levels, minlength=len(names)).tolist() for levels in (before, after))
    return [
        {"name": name, "before": was[level], "after": would[level]}
        for level, name in enumerate(names)
        if len(names) > 1
    ]


def distribution(change: Int64s) -> list[dict[str, Any]]:
    """How many lose and gain how much, from the largest loss to the largest gain."""
    edges = [step * 100 for step in STEPS[1:]]
    sizes = np.searchsorted(edges, np.abs(change), side="right")
    rows = []
    for sign in (-1, 1):
        chosen = np.bincount(sizes[np.sign(change) == sign], minlength=len(STEPS)).tolist()
        rows += [
            {"from": STEPS[place], "sign": sign, "count": count}
            for place, count in enumerate(chosen)
        ][::sign]
    return rows


KINDS = {
    "trial_id": "i8", "distributor_id": "i8", "before": "i8", "after": "i8", "change": "i8",
    "rank_before": "i2", "rank_after": "i2",
}  # fmt: skip


def _store(trial: PlanTrial, rows: dict[str, Int64s]) -> None:
    def pieces() -> Iterator[tuple[int, dict[str, Any]]]:
        for part in slices(rows["change"].size):
            piece = {name: column[part] for name, column in rows.items()}
            yield len(piece["change"]), piece | {"trial_id": trial.pk}

    copy_rows(TrialEarning._meta.db_table, KINDS, pieces())

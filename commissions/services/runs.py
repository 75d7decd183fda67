"""Calculating a closed period: one transaction from reading to the mark `done`.

    start_run(period=period, actor=user)     # a row; the task is sent when it commits
    calculate(run.pk)                        # by the task, as often as it takes

A run commits whole or leaves nothing behind, so after any crash it starts again from the beginning.
The row decides what there is to do, the lock that one does it at a time; the queue is only a hint.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import structlog
from celery import current_app
from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from accounts import audit
from accounts.events import publish
from accounts.models import User
from commissions.engine import ENGINE_VERSION, EngineError, Snapshot
from commissions.models import CommissionPeriod, CommissionRun
from commissions.models.period import PERIOD_EDGES, RUN_EDGES
from commissions.services import facts
from commissions.services.calculation import Outcome, read_facts, work_out_closed
from commissions.services.carried import drop_state
from commissions.services.estimates import compare, drop_differences
from commissions.services.ledger_tables import drop_tables
from commissions.services.measured import drop_measured
from commissions.services.opening import PeriodRefused
from commissions.services.plan_reading import loaded
from commissions.services.progress import Phases
from commissions.services.reward_rows import drop_rewards
from commissions.services.totals import totals_of, warnings_of
from commissions.services.writing import RunRefused, is_large, write, write_people
from mlmcrm.beside import Beside, may_work_beside
from mlmcrm.locks import try_advisory_lock
from mlmcrm.transitions import TransitionRefused, advance

logger = structlog.get_logger(__name__)

Status = CommissionPeriod.Status
RunStatus = CommissionRun.Status
TASK = "commissions.tasks.calculate_run"
MOST_ATTEMPTS = 5


@transaction.atomic
def start_run(*, period: CommissionPeriod, actor: User | None) -> CommissionRun:
    """Order a calculation of a closed period; one that was done before is superseded.

    The task goes out when this commits. Raises PeriodRefused in any other state.
    """
    period = CommissionPeriod.objects.select_for_update(no_key=True).get(pk=period.pk)
    try:
        advance(period, Status.CALCULATING, PERIOD_EDGES, calculation_started_at=timezone.now())
    except TransitionRefused as error:
        raise PeriodRefused(str(error)) from error
    for earlier in period.runs.filter(kind=CommissionRun.Kind.CLOSE, status=RunStatus.DONE):
        advance(earlier, RunStatus.SUPERSEDED, RUN_EDGES)
        drop_tables(earlier)
        drop_state(earlier)
        drop_measured(earlier)
        drop_rewards(earlier)
        drop_differences(earlier)
    newest = period.runs.order_by("-number").values_list("number", flat=True).first() or 0
    run = CommissionRun.objects.create(
        period=period,
        number=newest + 1,
        kind=CommissionRun.Kind.CLOSE,
        plan_version=period.plan_version,
        engine_version=ENGINE_VERSION,
        started_by=actor,
    )
    audit.record(
        actor=actor, action="period.calculation_started", target=period, after={"run": run.number}
    )
    transaction.on_commit(lambda: send(run.pk), robust=True)
    return run


def send(run_id: int) -> None:
    current_app.send_task(TASK, args=[run_id])


def calculate(run_id: int) -> CommissionRun | None:
    """Carry out a started run; None when it is not started or somebody else is at it.

    A calculation that does not hold, or the fifth that breaks, makes the run `failed` and the
    period `closed` again, with the reason in `error`. A broken database connection is raised: the
    sweep tries again.
    """
    two_sessions = may_work_beside()
    if not _count_attempt(run_id):
        return None
    try:
        return _calculate(run_id, two_sessions)
    except (RunRefused, EngineError, facts.FactsRefused) as refusal:
        fail(run_id, str(refusal))
    except OperationalError:
        raise
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        logger.exception("run broke", run=run_id)
        fail(run_id, f"The calculation broke ({type(error).__name__}); the error log says where.")
    return None


@transaction.atomic
def _count_attempt(run_id: int) -> bool:
    """Note the attempt before it can crash; False when there is nothing to do."""
    if not try_advisory_lock(lock_name(run_id)):
        return False
    run = CommissionRun.objects.filter(pk=run_id, status=RunStatus.STARTED).first()
    if run is None:
        return False
    if run.attempts >= MOST_ATTEMPTS:
        fail(run_id, f"The calculation was interrupted {run.attempts} times.")
        return False
    run.attempts += 1
    run.save(update_fields=["attempts"])
    return True


def lock_name(run_id: int) -> str:
    return f"commissions.run.{run_id}"


@transaction.atomic
def _calculate(run_id: int, two_sessions: bool) -> CommissionRun | None:
    if not try_advisory_lock(lock_name(run_id)):
        return None
    run = CommissionRun.objects.select_related("period", "plan_version").get(pk=run_id)
    if run.status != RunStatus.STARTED:
        return None
    phases = Phases(run_id)
    phases.begin("read")
    snapshot = read_facts(run.period, two_sessions=two_sessions)
    with Beside(when=two_sessions and is_large(snapshot)) as beside:
        outcome = work_out_and_write(run, snapshot, phases, beside)
    since_estimate = compare(run, outcome)
    store(run, outcome, phases, since_estimate)
    return run


def work_out_and_write(
    run: CommissionRun, snapshot: Snapshot, phases: Phases, beside: Beside
) -> Outcome:
    """The standings are written as soon as they are known. Raises RunRefused, EngineError."""
    phases.begin("compute")
    plan = loaded(run.period.frozen_plan)
    begun: list[Callable[[], None]] = []
    outcome = work_out_closed(
        run.period,
        snapshot,
        lambda known: begun.append(beside.do(write_people, run, known, snapshot, plan)),
    )
    if outcome.input_hash != run.period.input_hash:
        raise RunRefused(
            f"The facts of {run.period.name} hash to {outcome.input_hash[:12]}, but "
            f"{run.period.input_hash[:12]} was frozen when the period was closed."
        )
    with ThreadPoolExecutor(max_workers=1) as aside:
        hashing = aside.submit(lambda: outcome.result_hash)
        write(run, outcome, phases, begun[0], beside)
        hashing.result()
    return outcome


def store(
    run: CommissionRun, outcome: Outcome, phases: Phases, since_estimate: dict[str, Any] | None
) -> None:
    """Mark run and period, both in the transaction that wrote the lines."""
    totals = totals_of(run, outcome, phases.seconds) | {"since_estimate": since_estimate}
    total = Decimal(outcome.total).scaleb(-2)
    now = timezone.now()
    advance(
        run,
        RunStatus.DONE,
        RUN_EDGES,
        finished_at=now,
        input_hash=outcome.input_hash,
        result_hash=outcome.result_hash,
        member_count=len(outcome.standings),
        line_count=outcome.line_count,
        total_amount=total,
        totals=totals,
        warnings=warnings_of(outcome),
        measured=CommissionRun.Measured.KEPT,
    )
    advance(
        run.period,
        Status.CALCULATED,
        PERIOD_EDGES,
        calculation_completed_at=now,
        total_pv=Decimal(totals["pv"]),
        total_commissions=Decimal(totals["paid"]),
    )
    publish(
        "period.calculated",
        staff=True,
        ref=run.period.code,
        period=run.period.name,
        amount=Decimal(totals["paid"]),
        currency=run.period.currency,
    )


@transaction.atomic
def fail(run_id: int, reason: str) -> None:
    """Give a started run up: the period is closed again and staff hear why."""
    run = CommissionRun.objects.select_related("period").get(pk=run_id)
    drop_tables(run)
    advance(run, RunStatus.FAILED, RUN_EDGES, finished_at=timezone.now(), error=reason)
    advance(run.period, Status.CLOSED, PERIOD_EDGES)
    audit.record(actor=None, action="period.calculation_failed", target=run.period, reason=reason)
    publish("period.failed", staff=True, ref=run.period.code, period=run.period.name, reason=reason)


def waiting_runs() -> list[int]:
    """Runs that are started and not done, whether somebody is at them or not."""
    started = CommissionRun.objects.filter(kind=CommissionRun.Kind.CLOSE, status=RunStatus.STARTED)
    return list(started.order_by("pk").values_list("pk", flat=True))

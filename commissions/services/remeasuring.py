"""Measuring afterwards what a run had not kept: for runs that were made before anything was kept.

The period is worked out again as a replay does it. Only what gives the run's own result is kept; a
run of another version of the engine, or one that comes out different now, has lost it.
"""

import structlog
from django.db import transaction

from commissions.engine import ENGINE_VERSION, EngineError
from commissions.models import CommissionRun
from commissions.services.calculation import Outcome, read_facts, work_out_closed
from commissions.services.facts import FactsRefused
from commissions.services.ledger_tables import index_sales
from commissions.services.measured import found_by_sale, keeps_anything, write_measured
from commissions.services.plan_reading import loaded
from commissions.services.plans import bonus_ids
from mlmcrm.locks import try_advisory_lock

logger = structlog.get_logger(__name__)

Measured = CommissionRun.Measured


def catch_up() -> CommissionRun | None:
    """Measure the newest run that is done and has nothing kept; None when there is no more to do.

    Safe to run twice; of two at a time one does it. A run by a plan that asks for nothing beside
    the standings is only marked.
    """
    for run in waiting():
        if keeps_anything(loaded(run.period.frozen_plan)):
            return measure(run.pk)
        CommissionRun.objects.filter(pk=run.pk).update(measured=Measured.KEPT)
    return None


def waiting() -> list[CommissionRun]:
    done = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        measured=Measured.NOT_YET,
    )
    return list(done.select_related("period__plan_version").order_by("-period__starts_on"))


@transaction.atomic
def measure(run_id: int) -> CommissionRun | None:
    """Work a run out again and keep what it measured; None when somebody else is at it."""
    if not try_advisory_lock(f"commissions.measure.{run_id}"):
        return None
    runs = CommissionRun.objects.select_related("period__plan_version")
    run = runs.filter(pk=run_id, measured=Measured.NOT_YET).first()
    if run is None:
        return None
    outcome = same_again(run)
    if outcome is None:
        run.measured = Measured.LOST
    else:
        bonuses = found_by_sale(outcome.plan, bonus_ids(run.period.frozen_plan))
        write_measured(run, outcome.result, outcome.plan, outcome.snapshot.members.id)
        if bonuses:
            index_sales(run.ledger_table, bonuses)
        run.measured = Measured.KEPT
    run.save(update_fields=["measured"])
    logger.info("run measured", run=run.pk, measured=run.measured)
    return run


def same_again(run: CommissionRun) -> Outcome | None:
    """What the run came to, worked out again; None where it does not come out the same."""
    if run.engine_version != ENGINE_VERSION:
        return None
    try:
        outcome = work_out_closed(run.period, read_facts(run.period))
    except (EngineError, FactsRefused) as refusal:
        logger.warning("run cannot be measured", run=run.pk, reason=str(refusal))
        return None
    return outcome if outcome.result_hash == run.result_hash else None

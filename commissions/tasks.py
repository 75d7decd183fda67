"""Thin tasks: each is a hint that a row wants work, and may come late, twice or not at all."""

from celery import shared_task
from django.db import OperationalError
from structlog import get_logger

from commissions.services import (
    estimate_news,
    estimates,
    move_orders,
    projections,
    remeasuring,
    runs,
    team_figures,
    trials,
)
from commissions.services.claims import claim_volume as claim
from genealogy.services import effects

logger = get_logger(__name__)


@shared_task(name="commissions.tasks.claim_volume")
def claim_volume() -> None:
    """After each paid or refunded order; who waits too long for the claimer leaves it to him."""
    try:
        claim()
        estimate_news.tell()
    except OperationalError as error:
        logger.info("claim left to the sweep", reason=type(error.__cause__).__name__)


@shared_task(name="commissions.tasks.sweep_claims")
def sweep_claims() -> None:
    """Claims and tells what a lost task left, and turns the projections over with the month."""
    claim_volume()
    projections.refresh_with_the_month()


@shared_task(name="commissions.tasks.sweep_estimates")
def sweep_estimates() -> None:
    """Works out what the period under way would bring; waits its turn when the books are busy."""
    try:
        estimates.keep_up()
        estimate_news.tell()
    except OperationalError as error:
        logger.info("estimate left to the next sweep", reason=type(error.__cause__).__name__)


@shared_task(name="commissions.tasks.calculate_run")
def calculate_run(run_id: int) -> None:
    runs.calculate(run_id)


@shared_task(name="commissions.tasks.sweep_runs")
def sweep_runs() -> None:
    """Starts again what a crash interrupted; a run somebody works at is left alone."""
    for run_id in runs.waiting_runs():
        runs.calculate(run_id)


@shared_task(name="commissions.tasks.sweep_measured")
def sweep_measured() -> None:
    """Measures one run that was made before anything was kept, for the stories of its lines."""
    remeasuring.catch_up()


@shared_task(name="commissions.tasks.carry_out_trial")
def carry_out_trial(trial_id: int) -> None:
    trials.carry_out(trial_id)


@shared_task(name="commissions.tasks.sweep_trials")
def sweep_trials() -> None:
    """Starts again what a crash interrupted; a trial somebody works at is left alone."""
    for trial_id in trials.waiting_trials():
        trials.carry_out(trial_id)


@shared_task(name="commissions.tasks.work_out_move")
def work_out_move(reference: str) -> None:
    """After a move of a large company was asked for; waits its turn when the books are busy."""
    try:
        move_orders.carry_out(reference)
    except OperationalError as error:
        logger.info("move left to the sweep", reason=type(error.__cause__).__name__)


@shared_task(name="commissions.tasks.sweep_moves")
def sweep_moves() -> None:
    """Works out what a lost task left; an order somebody works at is left alone."""
    for reference in effects.waiting(move_orders.CODE):
        work_out_move(reference)


@shared_task(name="commissions.tasks.measure_teams")
def measure_teams() -> None:
    """After each change of a team, and in a sweep for what else its figures come from."""
    team_figures.measure()

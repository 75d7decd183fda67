"""Moves whose effects are worked out by a task: ordered, with progress, kept with the move.

    effects.order("17")            # genealogy, with the row of the move
    carry_out("17")                # the task, as often as it takes
    progress_of("17")              # Progress(done=1, of=3, label="Calculating as it is")

Only the keeper writes, and what it keeps is the same however often it is worked out.
"""

from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, transaction
from redis import RedisError

from commissions.move_report import MoveReport
from commissions.services import estimates
from commissions.services.move_effects import STEPS, effects_of
from commissions.services.touched import touched_of
from genealogy.models import Distributor
from genealogy.services import effects
from genealogy.services.effects import Changes, Effects, EffectsRefused, Progress, Source
from mlmcrm.locks import try_advisory_lock

logger = structlog.get_logger(__name__)

CODE = "commissions"
TASK = "commissions.tasks.work_out_move"
MOST_ATTEMPTS = 3
KEEP_SECONDS = 3600


def fits_request() -> bool:
    """Whether the company is small enough for a page to wait for two calculations."""
    at_once = settings.MOVE_EFFECTS_AT_ONCE
    return Distributor.objects.order_by()[: at_once + 1].count() <= at_once


def work_out(changes: Changes) -> Effects:
    """What the changes would do, as JSON. Raises EffectsRefused, also while the books are busy."""
    try:
        return effects_of(changes).as_json()
    except OperationalError as error:
        raise EffectsRefused("The books are busy just now; ask again in a moment.") from error


def send(reference: str) -> None:
    current_app.send_task(TASK, args=[reference])


def carry_out(reference: str) -> bool:
    """Work an order out and hand it to its keeper; False where there is nothing to do or somebody
    else is at it.

    What cannot be worked out is kept as `refused`, with the reason. Raises OperationalError while
    the books are busy: the sweep tries again.
    """
    changes = effects.changes_of(reference)
    if changes is None:
        return False
    mark = estimates.take_mark()
    with transaction.atomic():
        if not try_advisory_lock(f"{CODE}.move_effects.{reference}"):
            return False
        found: Effects = {}
        if count_attempt(reference) > MOST_ATTEMPTS:
            found["refused"] = f"The calculation was interrupted {MOST_ATTEMPTS} times."
        else:
            found = answer(reference, changes, mark)
        effects.keep(reference, CODE, found)
    forget(reference)
    return True


def answer(reference: str, changes: Changes, mark: estimates.Mark) -> Effects:
    try:
        report = effects_of(changes, mark=mark, begin=lambda step: tell(reference, step))
    except EffectsRefused as refusal:
        return {"refused": str(refusal)}
    return report.as_json()


def read(stored: Effects) -> Any:
    """What was kept, for the template: a MoveReport, or the reason why there is none."""
    return stored if "refused" in stored else MoveReport.from_json(stored)


# How far it is, told outside the transaction; losing it costs a progress bar


def tell(reference: str, step: int) -> None:
    try:
        cache.set(_key(reference), step, KEEP_SECONDS)
    except RedisError:
        logger.info("progress not told", move=reference)


def progress_of(reference: str) -> Progress | None:
    """The step an order is at; None when nobody is at it."""
    try:
        step = cache.get(_key(reference))
    except RedisError:
        return None
    return None if step is None else Progress(step, len(STEPS), STEPS[step])


def count_attempt(reference: str) -> int:
    """The how-manieth attempt this is, noted before it can crash."""
    key = f"{_key(reference)}.attempts"
    try:
        cache.add(key, 0, KEEP_SECONDS)
        return int(cache.incr(key))
    except (RedisError, ValueError):
        return 1


def forget(reference: str) -> None:
    try:
        cache.delete_many([_key(reference), f"{_key(reference)}.attempts"])
    except RedisError:
        logger.info("progress not told", move=reference)


def _key(reference: str) -> str:
    return f"{CODE}.move_effects.{reference}"


SOURCE = Source(
    code=CODE,
    template="commissions/_move_effects.html",
    fits_request=fits_request,
    work_out=work_out,
    send=send,
    progress=progress_of,
    read=read,
    touches=touched_of,
)

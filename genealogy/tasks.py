from celery import shared_task

from genealogy.services import moves


@shared_task(name="genealogy.tasks.do_due_moves")
def do_due_moves() -> None:
    moves.do_due_moves()

from celery import shared_task

from genealogy.services import moves, placement


@shared_task(name="genealogy.tasks.do_due_moves")
def do_due_moves() -> None:
    moves.do_due_moves()


@shared_task(name="genealogy.tasks.place_waiting")
def place_waiting() -> None:
    placement.place_waiting()

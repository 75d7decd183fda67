"""Thin tasks: each is a hint that a row wants work, and may come late, twice or not at all."""

from celery import shared_task

from genealogy.services import enrolment_links, enrolments, exports, moves, placement


@shared_task(name="genealogy.tasks.do_due_moves")
def do_due_moves() -> None:
    moves.do_due_moves()


@shared_task(name="genealogy.tasks.place_waiting")
def place_waiting() -> None:
    placement.place_waiting()


@shared_task(name="genealogy.tasks.make_export")
def make_export(export_id: int) -> None:
    exports.make_export(export_id)


@shared_task(name="genealogy.tasks.sweep_exports")
def sweep_exports() -> None:
    """Makes what a crash interrupted, and deletes files whose time is over."""
    for export_id in exports.waiting_exports():
        exports.make_export(export_id)
    exports.delete_old_files()


@shared_task(name="genealogy.tasks.send_enrolment_message")
def send_enrolment_message(enrolment_id: int) -> None:
    enrolment_links.send_message(enrolment_id)


@shared_task(name="genealogy.tasks.sweep_enrolments")
def sweep_enrolments() -> None:
    """Ends what was left for too long, and sends the messages that were not sent."""
    enrolments.expire_enrolments()
    enrolment_links.send_waiting_messages()

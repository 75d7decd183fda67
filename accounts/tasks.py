from celery import shared_task

from accounts.services import delivery, imports


@shared_task(name="accounts.tasks.sweep_events")
def sweep_events() -> None:
    delivery.poke_forgotten()


@shared_task(name="accounts.tasks.prune_events")
def prune_events() -> None:
    delivery.prune_events()


@shared_task(name="accounts.tasks.run_import")
def run_import(job_id: int) -> None:
    imports.run_job(job_id)


@shared_task(name="accounts.tasks.sweep_imports")
def sweep_imports() -> None:
    imports.send_waiting()

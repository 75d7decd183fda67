from celery import shared_task

from accounts.services import delivery


@shared_task(name="accounts.tasks.sweep_events")
def sweep_events() -> None:
    delivery.poke_forgotten()


@shared_task(name="accounts.tasks.prune_events")
def prune_events() -> None:
    delivery.prune_events()

"""The kernel: settings, urls, processes, and what every app stands on (money, locks, seals)."""

from mlmcrm.celery import app as celery_app

__all__ = ["celery_app"]

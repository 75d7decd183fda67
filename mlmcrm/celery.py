"""The task queue. A task is a hint that a row wants work: the row is the truth, a sweep heals."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")

app = Celery("mlmcrm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Celery leaves logging alone once something listens here; Django has set it up already."""

"""Healing and tidying the event log: pokes that a crash lost, and events nobody needs any more."""

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.event_types import EVENTS
from accounts.events import poke
from accounts.models import Event

GRACE = timedelta(seconds=2)
RETENTION = timedelta(days=90)
FLEETING_RETENTION = timedelta(days=1)
BATCH = 1000


def poke_forgotten() -> int:
    """Poke the streams of events that nobody announced. Several at once share the work."""
    total = 0
    while count := _poke_batch():
        total += count
    return total


@transaction.atomic
def _poke_batch() -> int:
    forgotten = Event.objects.filter(
        poked_at__isnull=True, created_at__lt=timezone.now() - GRACE
    ).order_by("created_at", "pk")
    rows = list(
        forgotten.select_for_update(skip_locked=True, of=("self",), no_key=True).values_list(
            "pk", "stream_id"
        )[:BATCH]
    )
    if rows:
        poke([stream for _, stream in rows], [pk for pk, _ in rows])
    return len(rows)


def prune_events() -> int:
    """Delete events older than ninety days, fleeting ones after a day; those that stand in a list
    of notifications stay.

    A client whose cursor lies before the gap is told to start anew.
    """
    fleeting = [name for name, kind in EVENTS.items() if kind.is_fleeting]
    now, total = timezone.now(), 0
    for chosen, kept_for in ((_OLD, RETENTION), (_FLEETING, FLEETING_RETENTION)):
        while count := _prune_batch(chosen, {"before": now - kept_for, "names": fleeting}):
            total += count
    return total


def _prune_batch(chosen: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"delete from accounts_event where id in ({chosen})", {**params, "batch": BATCH}
        )
        return int(cursor.rowcount)


_OLD = """
  select e.id from accounts_event e
  where e.created_at < %(before)s and e.poked_at is not null
    and not exists (select 1 from accounts_notification n where n.event_id = e.id)
  order by e.id limit %(batch)s for update skip locked
"""
# By the index on names, whatever else the log holds.
_FLEETING = """
  select e.id from accounts_event e
  where e.name = any(%(names)s) and e.created_at < %(before)s and e.poked_at is not null
  limit %(batch)s for update skip locked
"""

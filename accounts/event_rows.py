"""Publishing to as many people as a query names, without a step in Python for each of them."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from accounts.event_types import EVENTS
from accounts.events import (
    HOLD_STREAMS,
    INSERT_EVENTS,
    POKES_AT_COMMIT,
    poke_after_commit,
    send_reactions,
)


def hold_listeners(query: str, params: Mapping[str, Any]) -> None:
    """Hold the streams of whoever a query names (user_id), and the staff's: before the first of
    several `publish_rows` in one transaction, so that they come in any order."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_STREAMS.format(keys=_LISTENERS.format(query=query)), params)


_LISTENERS = """
(select 'staff' union select 'user:' || user_id from ({query}) asked where user_id is not null)
"""


def publish_rows(name: str, query: str, params: Mapping[str, Any]) -> None:
    """Publish one kind of event to whoever a query names, as `publish_many` does.

    Its columns: user_id, once each, ref, and facts (jsonb; amounts as text). Must be called inside
    the transaction that makes it happen. Raises KeyError when the words miss a fact.
    """
    kind = EVENTS[name]
    send_reactions(name)
    values = {
        **params,
        "name": name,
        "notify": kind.notify,
        "needs": sorted(kind.needs),
        "most": POKES_AT_COMMIT,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS.format(input=_ASKED_FOR.format(query=query)) + _FIRST, values)
        written = cursor.fetchall()
    if any(lacking for _, _, lacking in written):
        raise KeyError(f"{name} is published without {', '.join(sorted(kind.needs))}.")
    if written:
        poke_after_commit([stream for _, stream, _ in written], [pk for pk, _, _ in written])


_ASKED_FOR = """
(select 'user:' || user_id as stream, user_id, ref, facts, 1 as place from ({query}) asked) t
"""
# Those that are poked at once, and how many of all lack a fact.
_FIRST = """
select id, stream_id, (select count(*) from input where not facts ?& %(needs)s)
from written order by id limit %(most)s
"""

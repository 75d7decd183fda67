"""What happened, who hears of it, and in which words.

`publish` writes Event rows in the caller's transaction, one per stream, each with the next number
of its stream. After the commit it pokes the stream's listeners, who then read from their own
cursor; a sweep pokes again for what a crash swallowed. Nothing but the stream's name travels over
the channel layer. `react` lets an app further down send a Celery task after an event: a hint that
the task's own sweep makes up for when it is lost.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from celery import current_app
from channels.layers import get_channel_layer
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.event_types import EVENTS, STAFF_PERMISSIONS, EventType
from accounts.models import Event
from mlmcrm.locks import require_transaction
from mlmcrm.money import format_money

logger = structlog.get_logger(__name__)

STAFF = "staff"
# More streams than this are left to the sweep, so that no commit waits for a hundred thousand.
POKES_AT_COMMIT = 500
POKES_AT_ONCE = 50
POKE_SECONDS = 3.0


_REACTIONS: dict[str, list[str]] = defaultdict(list)


def react(name: str, task_name: str) -> None:
    """Send the Celery task after each commit that published the event. Called in `ready()`."""
    if task_name not in _REACTIONS[name]:
        _REACTIONS[name].append(task_name)


@dataclass(frozen=True)
class Message:
    """One event for one stream: a user's own (`user`) or the staff's (None)."""

    user: int | None
    ref: str
    facts: Mapping[str, Any]

    @property
    def stream(self) -> str:
        return STAFF if self.user is None else user_stream(self.user)


def user_stream(user_id: int) -> str:
    return f"user:{user_id}"


def publish(
    name: str,
    *,
    users: Iterable[Any] = (),
    staff: bool = False,
    ref: str = "",
    **facts: Any,
) -> None:
    """Tell the users, and the staff if asked, that something happened.

    Must be called inside the transaction that makes it happen. Amounts go in as Decimal.
    """
    ids = [getattr(user, "pk", user) for user in users if user is not None]
    audience: list[int | None] = [*dict.fromkeys(ids), *([None] if staff else [])]
    publish_many(name, [Message(user, ref, facts) for user in audience])


def publish_many(name: str, messages: list[Message]) -> None:
    """Publish one kind of event to many streams by a few set-based statements.

    Raises KeyError when the registry does not know the event or its words miss a fact.
    """
    kind = EVENTS[name]
    for message in messages:
        if missing := kind.needs - message.facts.keys():
            raise KeyError(f"{name} is published without {', '.join(sorted(missing))}.")
    send_reactions(name)
    if messages and _together.get():
        transaction.on_commit(_Told(name, messages))
    elif messages:
        _write(name, messages)


@contextmanager
def told_together() -> Iterator[None]:
    """Write what is published within at the end, and hold its streams in one order before.

    Around a service that publishes more than once or goes on to lock afterwards, inside its
    transaction: streams are the last in the order of locks (docs/architecture.md). What a
    savepoint within takes back is not told. Within another one it does nothing.
    """
    require_transaction()
    if _together.get():
        yield
        return
    known = len(connection.run_on_commit)
    token = _together.set(True)
    try:
        yield
    finally:
        _together.reset(token)
    # Django forgets with a savepoint what was to happen on commit.
    told = [deed for _, deed, _ in connection.run_on_commit[known:] if isinstance(deed, _Told)]
    if len(told) > 1:
        streams = {message.stream for deed in told for message in deed.messages}
        with connection.cursor() as cursor:
            cursor.execute(HOLD_STREAMS.format(keys="unnest(%s::text[])"), [list(streams)])
    for deed in told:
        _write(deed.name, deed.messages)


_together: ContextVar[bool] = ContextVar("told_together", default=False)


@dataclass(frozen=True)
class _Told:
    """Messages that wait for the end of `told_together`; written by then, there is nothing to do
    on commit."""

    name: str
    messages: list[Message]

    def __call__(self) -> None: ...


# In the order in which INSERT_EVENTS takes them.
HOLD_STREAMS = """
insert into accounts_eventstream as s (key, seq)
select key, 0 from {keys} as t(key) order by key
on conflict (key) do update set seq = s.seq
"""


def _write(name: str, messages: list[Message]) -> None:
    kind = EVENTS[name]
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_EVENTS.format(input=_GIVEN) + "select id, stream_id from written",
            {
                "name": name,
                "notify": kind.notify,
                "streams": [message.stream for message in messages],
                "users": [message.user for message in messages],
                "refs": [message.ref for message in messages],
                "facts": [json.dumps(message.facts, default=str) for message in messages],
            },
        )
        written = cursor.fetchall()
    streams = list(dict.fromkeys(message.stream for message in messages))[:POKES_AT_COMMIT]
    poked = set(streams)
    ids = [event_id for event_id, stream in written if stream in poked]
    poke_after_commit(streams, ids)


def send_reactions(name: str) -> None:
    for task_name in _REACTIONS[name]:
        _after_commit(current_app.send_task, task_name)


_GIVEN = """
unnest(%(streams)s::text[], %(users)s::bigint[], %(refs)s::text[], %(facts)s::jsonb[])
  with ordinality as t(stream, user_id, ref, facts, place)
"""
# What stands in `input` as stream, user_id, ref, facts and place becomes events and notifications.
INSERT_EVENTS = """
with input as (
  select *, row_number() over (partition by stream order by place) as nth,
         count(*) over (partition by stream) as of_stream
  from {input}
), bumped as (
  insert into accounts_eventstream as s (key, seq)
  select stream, count(*) from input group by stream order by stream
  on conflict (key) do update set seq = s.seq + excluded.seq
  returning s.key, s.seq
), written as (
  insert into accounts_event (stream_id, seq, name, ref, facts, created_at)
  select b.key, b.seq - i.of_stream + i.nth, %(name)s, i.ref, i.facts, now()
  from input i join bumped b on b.key = i.stream
  order by i.place
  returning id, stream_id
), told as (
  insert into accounts_notification (user_id, event_id, created_at)
  select substr(stream_id, 6)::bigint, id, now() from written
  where %(notify)s and stream_id like 'user:%%'
)
"""


def poke_after_commit(streams: Iterable[str], event_ids: Iterable[int] = ()) -> None:
    """Poke once the surrounding transaction is committed, at once when there is none."""
    _after_commit(poke, list(streams), list(event_ids))


def _after_commit(hint: Callable[..., Any], *args: Any) -> None:
    """A hint that gets lost is made up for by a sweep; it never harms what is committed."""

    def send() -> None:
        try:
            hint(*args)
        except Exception as error:
            logger.warning("hint_lost", hint=hint.__name__, error=type(error).__name__)

    transaction.on_commit(send)


def poke(streams: Iterable[str], event_ids: Iterable[int] = ()) -> None:
    """Wake the listeners of the streams, then note that these events were announced."""
    _run(_send_pokes, list(dict.fromkeys(streams)))
    if ids := list(event_ids):
        Event.objects.filter(pk__in=ids).update(poked_at=timezone.now())


async def _send_pokes(streams: list[str]) -> None:
    send = get_channel_layer().group_send
    async with asyncio.timeout(POKE_SECONDS + len(streams) / 1000):
        for start in range(0, len(streams), POKES_AT_ONCE):
            await asyncio.gather(
                *(
                    send(group_of(stream), {"type": "poke", "stream": stream})
                    for stream in streams[start : start + POKES_AT_ONCE]
                )
            )


def _run(coroutine_function: Any, *args: Any) -> None:
    """Runs it to its end, from a thread with or without an event loop of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        async_to_sync(coroutine_function)(*args)
        return
    with ThreadPoolExecutor(1) as beside:
        beside.submit(async_to_sync(coroutine_function), *args).result()


def group_of(stream: str) -> str:
    """The channels group of a stream: `user:7` is `stream.user.7`."""
    return "stream." + stream.replace(":", ".")


class _Facts(dict[str, Any]):
    """An event older than its wording may miss a fact; it is shown with a dash, never refused."""

    def __missing__(self, key: str) -> str:
        return "\u2013"


def words(event: Event) -> dict[str, str]:
    """Title, body and address of an event, as they are shown to people."""
    kind = EVENTS.get(event.name) or EventType(event.name, notify=False)
    to_staff = event.stream_id == STAFF
    facts = _Facts(event.facts)
    if "amount" in facts and "currency" in facts:
        facts["money"] = format_money(Decimal(facts["amount"]), facts["currency"])
    url = kind.staff_url if to_staff else kind.url
    return {
        "title": ((to_staff and kind.staff_title) or kind.title).format_map(facts),
        "body": "" if to_staff and kind.staff_title else kind.body.format_map(facts),
        "url": _address(url),
    }


def _address(name: str) -> str:
    try:
        return reverse(name) if name else ""
    except NoReverseMatch:
        return ""


def makes_notification(event: Event) -> bool:
    """Whether the event stands in somebody's list of notifications."""
    kind = EVENTS.get(event.name)
    return kind is not None and kind.notify and event.stream_id != STAFF


def may_hear(event: Event, permissions: frozenset[str]) -> bool:
    """Own streams are heard whole; of the staff's, what the permissions allow to see."""
    if event.stream_id != STAFF:
        return True
    return STAFF_PERMISSIONS.get(event.name.partition(".")[0]) in permissions

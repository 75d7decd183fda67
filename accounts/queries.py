"""Reads: who listens, where his streams stand and what is new; who agreed to a text."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.events import STAFF, makes_notification, may_hear, user_stream, words
from accounts.models import Consent, ConsentText, Event, EventStream, Notification, User

BATCH = 200
SIGNED_OUT = 4401
RIGHTS_CHANGED = 4403


class NotListening(Exception):
    """The session may not hear anything: 4401 it is over, 4403 the person's rights changed."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


@dataclass(frozen=True)
class Listener:
    """One signed-in session that listens, with the marks by which it stays valid."""

    user_id: int
    session_key: str
    session_hash: str
    authz_version: int
    streams: tuple[str, ...]
    permissions: frozenset[str]


@dataclass
class Reading:
    """What a listener has not heard yet, and where his streams stand after it."""

    cursor: dict[str, int]
    messages: list[dict[str, Any]] = field(default_factory=list)
    is_reset: bool = False
    has_more: bool = False


def streams_of(user: User) -> tuple[str, ...]:
    return (user_stream(user.pk), STAFF) if user.is_staff else (user_stream(user.pk),)


def start_cursor(user: User) -> dict[str, int]:
    """Where the user's streams stand now. Read it before the page's data, never after."""
    return stream_heads(streams_of(user))


def stream_heads(streams: tuple[str, ...]) -> dict[str, int]:
    heads = dict.fromkeys(streams, 0)
    heads.update(EventStream.objects.filter(key__in=streams).values_list("key", "seq"))
    return heads


def listener_of(session_key: str | None) -> Listener:
    """The listener behind a session key. Raises NotListening."""
    session = Session.objects.filter(
        session_key=session_key or "", expire_date__gt=timezone.now()
    ).first()
    signed_in = session.get_decoded() if session else {}
    user = User.objects.filter(pk=signed_in.get(SESSION_KEY, 0)).first()
    if user is None:
        raise NotListening(SIGNED_OUT)
    listener = Listener(
        user_id=user.pk,
        session_key=session_key or "",
        session_hash=signed_in.get(HASH_SESSION_KEY, ""),
        authz_version=user.authz_version,
        streams=streams_of(user),
        permissions=user.role_permissions,
    )
    _check(listener, user)
    return listener


def require_valid(listener: Listener) -> None:
    """Raise NotListening unless session, password, status and rights are what they were."""
    session = Session.objects.filter(
        session_key=listener.session_key, expire_date__gt=timezone.now()
    )
    user = User.objects.filter(Exists(session), pk=listener.user_id).first()
    if user is None:
        raise NotListening(SIGNED_OUT)
    _check(listener, user)


def _check(listener: Listener, user: User) -> None:
    if user.status != User.Status.ACTIVE or user.authz_version != listener.authz_version:
        raise NotListening(RIGHTS_CHANGED)
    if not constant_time_compare(listener.session_hash, user.get_session_auth_hash()):
        raise NotListening(SIGNED_OUT)


def read_events(
    streams: tuple[str, ...], permissions: frozenset[str], cursor: dict[str, int]
) -> Reading:
    """The next events after the cursor, in order; a stream the cursor does not name starts now.

    The numbers of a stream have no gaps. Where one is missing it was trimmed, and a cursor ahead
    of its stream belongs to another database: both are a reset, never a silent loss.
    """
    heads = stream_heads(streams)
    reading = Reading(cursor={stream: cursor.get(stream, heads[stream]) for stream in streams})
    for stream, seen in list(reading.cursor.items()):
        if seen == heads[stream]:
            continue
        rows = list(Event.objects.after(stream, seen)[:BATCH]) if seen < heads[stream] else []
        if not rows or [row.seq for row in rows] != list(range(seen + 1, seen + 1 + len(rows))):
            return Reading(cursor=heads, is_reset=True)
        reading.messages += [as_message(row) for row in rows if may_hear(row, permissions)]
        reading.cursor[stream] = rows[-1].seq
        reading.has_more |= len(rows) == BATCH
    return reading


def as_message(event: Event) -> dict[str, Any]:
    """An event as a client gets it: words and a reference, no more."""
    return {
        "type": "event",
        "stream": event.stream_id,
        "seq": event.seq,
        "name": event.name,
        "notify": makes_notification(event),
        "ref": event.ref,
        "at": event.created_at.isoformat(),
        **words(event),
    }


def notifications_of(user: User) -> QuerySet[Notification]:
    return Notification.objects.visible_to(user).select_related("event")


def agreed_to(text: ConsentText) -> int:
    """How many people's newest answer of its purpose is a yes to this text."""
    newest = Consent.objects.filter(text__purpose=text.purpose).newest()
    return Consent.objects.filter(pk__in=newest.values("pk"), text=text, is_given=True).count()

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
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from string import Formatter
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from celery import current_app
from channels.layers import get_channel_layer
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Event
from mlmcrm.money import format_money

logger = structlog.get_logger(__name__)

STAFF = "staff"
# More streams than this are left to the sweep, so that no commit waits for a hundred thousand.
POKES_AT_COMMIT = 500
POKES_AT_ONCE = 50
POKE_SECONDS = 3.0


@dataclass(frozen=True)
class EventType:
    """`title` and `body` are filled from the facts; `{money}` is amount and currency together.

    `staff_title` and `staff_url` are what the staff read instead, where the words differ. An event
    that is fleeting only makes open pages ask again, and is kept for a day.
    """

    title: str
    body: str = ""
    url: str = ""
    notify: bool = True
    is_fleeting: bool = False
    staff_title: str = ""
    staff_url: str = ""

    @cached_property
    def needs(self) -> frozenset[str]:
        """The facts its words speak of."""
        texts = f"{self.title} {self.body} {self.staff_title}"
        names = {name for _, name, _, _ in Formatter().parse(texts) if name}
        return frozenset(
            names - {"money"} | ({"amount", "currency"} if "money" in names else set())
        )


EVENTS: dict[str, EventType] = {
    "user.suspended": EventType(
        "Your account is suspended", "{reason}", staff_title="{person} is suspended"
    ),
    "user.reactivated": EventType(
        "Your account is active again", staff_title="{person} is active again"
    ),
    "user.role_changed": EventType(
        "Your role is now {role}", staff_title="{person} has the role {role} now"
    ),
    "order.paid": EventType("Order {order} is paid", "{money}", notify=False),
    "order.refunded": EventType(
        "Order {order} was refunded", "{money} went back to the customer.", notify=False
    ),
    "commission.earned": EventType(
        "You earned {money}", "{bonus} on order {order}.", "commissions:earnings"
    ),
    "commission.reversed": EventType(
        "{money} was taken back", "Order {order} was refunded.", "commissions:earnings"
    ),
    "commission.estimated": EventType(
        "Your estimated commissions changed", notify=False, is_fleeting=True
    ),
    "commission.approved": EventType(
        "Your commission for {period} is final: {money}",
        "It is in your wallet now.",
        "commissions:earnings",
    ),
    "commission.paid": EventType(
        "{money} was paid to you", "Payout {payout}.", "commissions:payouts", notify=False
    ),
    "payout.requested": EventType(
        "Payout {payout} is requested", "{money} is set aside.", "commissions:payouts"
    ),
    "payout.approved": EventType("Payout {payout} is approved", "{money}", "commissions:payouts"),
    "payout.processing": EventType(
        "Payout {payout} is on its way", "{money} goes to {method}.", "commissions:payouts"
    ),
    "payout.completed": EventType(
        "Payout {payout} has been paid", "{money} arrived at {method}.", "commissions:payouts"
    ),
    "payout.failed": EventType(
        "Payout {payout} failed",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout.returned": EventType(
        "Payout {payout} came back",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout.cancelled": EventType(
        "Payout {payout} was cancelled",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout_method.changed": EventType(
        "Your payout method was changed",
        "Payouts go to {method} now. If that was not you, tell support at once.",
        "commissions:payout_methods",
    ),
    "payout_batch.changed": EventType(
        "Batch {batch} was {deed}", "{money} in all.", "", notify=False
    ),
    "kyc.submitted": EventType(
        "Your {document} was received",
        "You will hear from us when it has been checked.",
        "compliance:identity",
        staff_title="{document} of {person} waits for review",
        staff_url="admin:compliance_kycdocument_changelist",
    ),
    "kyc.verified": EventType(
        "Your identity is verified",
        "You can ask for payouts now.",
        "compliance:identity",
        staff_title="{document} of {person} is verified",
    ),
    "kyc.rejected": EventType(
        "Your {document} was not accepted",
        "{reason}",
        "compliance:identity",
        staff_title="{document} of {person} was not accepted",
    ),
    "kyc.expired": EventType(
        "Your {document} has expired",
        "Please send a valid one.",
        "compliance:identity",
        staff_title="{document} of {person} has expired",
    ),
    "referral.created": EventType(
        "{person} joined with your code",
        "The referral is completed by a first paid order.",
        "genealogy:referrals",
        staff_title="{person} joined with the code of {referrer}",
    ),
    "referral.activated": EventType(
        "Your referral of {person} is completed",
        "The first order is paid.",
        "genealogy:referrals",
        staff_title="The referral of {person} by {referrer} is completed",
    ),
    "referral.cancelled": EventType(
        "Your referral of {person} was cancelled",
        "{reason}",
        "genealogy:referrals",
        staff_title="The referral of {person} by {referrer} was cancelled",
    ),
    "team.created": EventType("The team {team} is founded", "", "genealogy:teams"),
    "team.updated": EventType("Your team {team} was changed", "{what}", "genealogy:teams"),
    "team.member_added": EventType("{person} is in the team {team} now", "", "genealogy:teams"),
    "team.member_removed": EventType("{person} left the team {team}", "", "genealogy:teams"),
    "level.promoted": EventType(
        "You reached {rank}", "Paid as {rank} for {period}.", "commissions:ranks"
    ),
    "level.demoted": EventType("Your paid-as rank is {rank}", "For {period}.", "commissions:ranks"),
    "period.closed": EventType("{period} is closed", notify=False),
    "period.calculated": EventType("{period} is calculated", "{money} in total.", notify=False),
    "period.failed": EventType("The calculation of {period} failed", "{reason}", notify=False),
    "period.approved": EventType("{period} is approved", notify=False),
    "period.finalized": EventType("{period} is final", "{money} in total.", notify=False),
    "distributor.moved": EventType(
        "Your sponsor is now {sponsor}",
        "From {day} on.",
        "genealogy:list",
        staff_title="{person} stands under {sponsor} from {day} on",
    ),
    "distributor.placed": EventType(
        "{person} has a place in the placement tree", "Leg {leg} of {above}.", "genealogy:drawn"
    ),
    "distributor.terminated": EventType(
        "Your membership has ended",
        "What you earned until now is still paid.",
        staff_title="{person} has left the company",
    ),
    "export.finished": EventType("Your export is ready", "{outcome}", "genealogy:exports"),
    "export.failed": EventType("Your export failed", "{reason}", "genealogy:exports"),
    "import.finished": EventType("{file} is imported", "{outcome}", notify=False),
}

# Which of the staff hear of what: those who may see the thing itself.
STAFF_PERMISSIONS = {
    "user": "accounts.view_user",
    "order": "commerce.view_order",
    "commission": "commissions.view_ledgerentry",
    "payout": "commissions.view_payout",
    "payout_method": "commissions.view_payoutmethod",
    "payout_batch": "commissions.view_payoutbatch",
    "kyc": "compliance.view_kycdocument",
    "referral": "genealogy.view_referral",
    "team": "genealogy.view_team",
    "level": "genealogy.view_distributor",
    "distributor": "genealogy.view_distributor",
    "period": "commissions.view_commissionperiod",
    "import": "accounts.view_importjob",
}

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
    if not messages:
        return
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

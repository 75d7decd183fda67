"""The live connection: tells a signed-in person what happened, from his cursor on, in order.

Nothing is pushed through the channel layer but a poke. A poke, or the consumer's own sweep when
pokes are lost, makes it read the event log; before every read it asks whether the session still
holds. One reading at a time, and a poke that arrives meanwhile causes another.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from redis.exceptions import RedisError

from accounts.events import group_of
from accounts.forms import readable_cursor
from accounts.queries import (
    Listener,
    NotListening,
    Reading,
    listener_of,
    read_events,
    require_valid,
)

logger = structlog.get_logger(__name__)
T = TypeVar("T")

RESUME_SECONDS = 5.0
SWEEP_SECONDS = 20.0
SEND_SECONDS = 10.0
RETRY_SECONDS = 1.0
SOCKETS_PER_USER = 10
LONGEST_MESSAGE = 64 * 1024
TOO_BIG, UNREADABLE, BROKEN, TOO_MANY = 1009, 4400, 1011, 4429

# The ORM's own thread is one for all sockets of the process; these are ours.
database = ThreadPoolExecutor(max_workers=8, thread_name_prefix="events")
open_sockets: Counter[int] = Counter()


async def ask(query: Callable[..., T], *args: Any) -> T:
    """Runs the query in a thread of its own and gives the connection back."""

    def run() -> T:
        try:
            return query(*args)
        finally:
            connections.close_all()

    return await sync_to_async(run, thread_sensitive=False, executor=database)()


def catch_up(listener: Listener, cursor: dict[str, int]) -> Reading:
    require_valid(listener)
    return read_events(listener.streams, listener.permissions, cursor)


class EventsConsumer(AsyncWebsocketConsumer):
    listener: Listener | None = None
    delivery: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.wake = asyncio.Event()
        self.resume: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.delivery:
                self.delivery.cancel()
            self._leave()

    async def connect(self) -> None:
        await self.accept()
        try:
            listener = await ask(listener_of, session_key(self.scope))
        except NotListening as refused:
            await self.close(code=refused.code)
            return
        if open_sockets[listener.user_id] >= SOCKETS_PER_USER:
            await self.close(code=TOO_MANY)
            return
        self.listener = listener
        open_sockets[listener.user_id] += 1
        for stream in listener.streams:
            await self.channel_layer.group_add(group_of(stream), self.channel_name)
        self.delivery = asyncio.create_task(self._deliver(listener))

    async def disconnect(self, code: int) -> None:
        if self.delivery:
            self.delivery.cancel()
        streams = self.listener.streams if self.listener else ()
        self._leave()
        for stream in streams:
            with suppress(OSError, RedisError):
                await self.channel_layer.group_discard(group_of(stream), self.channel_name)

    def _leave(self) -> None:
        """Frees the place among the user's sockets, once."""
        if self.listener:
            open_sockets.subtract([self.listener.user_id])
            if not open_sockets[self.listener.user_id]:
                del open_sockets[self.listener.user_id]
        self.listener = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > LONGEST_MESSAGE:
            await self.close(code=TOO_BIG)
            return
        try:
            message = json.loads(text_data)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            await self.close(code=UNREADABLE)
            return
        if kind == "ping":
            await self._tell({"type": "pong"})
        elif kind == "resume" and not self.resume.done():
            self.resume.set_result(readable_cursor(message.get("cursor")))

    async def poke(self, message: dict[str, Any]) -> None:
        """Somebody published to one of our streams, or our rights have changed."""
        self.wake.set()

    async def _deliver(self, listener: Listener) -> None:
        """Catches up, then again after each poke, and at least every twenty seconds or so."""
        try:
            cursor = await self._first_cursor()
            cursor = await self._drain(listener, cursor)
            await self._tell({"type": "caught_up"})
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), jittered(SWEEP_SECONDS))
                cursor = await self._drain(listener, cursor)
        except NotListening as over:
            await self._tell({"type": "bye"})
            await self.close(code=over.code)
        except TimeoutError:
            await self.close(code=BROKEN)
        except Exception:
            logger.exception("event_delivery_broke", user_id=listener.user_id)
            await self.close(code=BROKEN)

    async def _first_cursor(self) -> dict[str, int]:
        """What the client has seen, by its resume message; without one it hears from now on."""
        try:
            return await asyncio.wait_for(asyncio.shield(self.resume), RESUME_SECONDS)
        except TimeoutError:
            self.resume.cancel()
            return {}

    async def _drain(self, listener: Listener, cursor: dict[str, int]) -> dict[str, int]:
        """Sends all there is after the cursor; a database that is away is asked again."""
        has_more = True
        while has_more:
            self.wake.clear()
            try:
                reading = await ask(catch_up, listener, cursor)
            except (DatabaseError, InterfaceError):
                logger.warning("event_log_unreachable", exc_info=True)
                await asyncio.sleep(jittered(RETRY_SECONDS))
                continue
            if reading.is_reset:
                await self._tell({"type": "reset", "cursor": reading.cursor})
            for message in reading.messages:
                await self._tell(message)
            cursor, has_more = reading.cursor, reading.has_more
        return cursor

    async def _tell(self, message: dict[str, Any]) -> None:
        """Sends, and gives up on a client that does not take what it is sent."""
        async with asyncio.timeout(SEND_SECONDS):
            await self.send(text_data=json.dumps(message))


def jittered(seconds: float) -> float:
    """A fifth more or less, so that sockets opened together do not ask together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


def session_key(scope: dict[str, Any]) -> str | None:
    key: str | None = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
    return key


def same_origin_only(application: Any) -> Any:
    """Refuses a socket (403) that a page of another site, or no page at all, wants to open."""
    denier = WebsocketDenier.as_asgi()

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        chosen = application if comes_from_us(dict(scope["headers"])) else denier
        return await chosen(scope, receive, send)

    return guarded


def comes_from_us(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if not origin or not host:
        return False
    return urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS

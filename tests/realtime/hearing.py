"""Sockets on the real channel layer, opened and heard the way a browser does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import transaction
from django.test import Client

from accounts import events
from accounts.models import User
from mlmcrm.asgi import application

HOST = b"portal.example"
ORIGIN = b"https://portal.example"
SECONDS = 2.0


def database(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """The function in the thread that holds the test's connection."""
    return sync_to_async(function, thread_sensitive=True)


def make_user(email: str, role: str = "distributor", **fields: Any) -> User:
    return User.objects.create_user(email, "a long passphrase", role=role, **fields)


def sign_in(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def tell(user: User | None, number: int, *, is_poked: bool = True) -> None:
    """One event for the user, or for the staff; without its poke when a crash swallowed that."""
    facts = {"order": f"O-{number}", "amount": "1.00", "currency": "GBP"}
    with transaction.atomic():
        users = [user] if user else []
        events.publish("order.paid", users=users, staff=user is None, ref=f"O-{number}", **facts)
        if not is_poked:
            transaction.get_connection().run_on_commit.clear()


class Ear(ApplicationCommunicator):
    """A browser's socket, without the browser."""

    def __init__(self, session: str = "", *, origin: bytes | None = ORIGIN) -> None:
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}".encode()
        headers = [(b"host", HOST), (b"cookie", cookie)]
        if origin is not None:
            headers.append((b"origin", origin))
        scope = {"type": "websocket", "path": "/ws/events/", "headers": headers, "subprotocols": []}
        super().__init__(application, scope)

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(SECONDS))["type"] == "websocket.accept"

    async def open(self, cursor: dict[str, int] | None = None) -> "Ear":
        assert await self.connect()
        if cursor is not None:
            await self.say({"type": "resume", "cursor": cursor})
        return self

    async def say(self, message: dict[str, Any] | str) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        await self.send_input({"type": "websocket.receive", "text": text})

    async def close(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(SECONDS)

    async def hear(self, timeout: float = SECONDS) -> dict[str, Any]:
        output = await self.receive_output(timeout)
        if output["type"] == "websocket.close":
            return {"type": "close", "code": output["code"]}
        return json.loads(output["text"])

    async def hear_until(self, kind: str, timeout: float = SECONDS) -> list[dict[str, Any]]:
        heard = [await self.hear(timeout)]
        while heard[-1]["type"] != kind:
            heard.append(await self.hear(timeout))
        return heard


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages if message["type"] == "event"]

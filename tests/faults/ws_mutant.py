"""The consumer that must fail: it forwards what comes over the channel layer and reads no log."""

import json
from typing import Any

from mlmcrm.asgi import http_application

# isort: split
# What follows needs Django set up.
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.urls import path

from accounts.consumers import EventsConsumer, Listener


class PayloadConsumer(EventsConsumer):
    async def payload(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message["payload"]))

    async def _deliver(self, listener: Listener) -> None:
        await self._tell({"type": "caught_up"})


application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": CookieMiddleware(URLRouter([path("ws/events/", PayloadConsumer.as_asgi())])),
    }
)

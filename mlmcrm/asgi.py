"""HTTP and WebSocket in one ASGI application."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")
os.environ.setdefault("MLMCRM_PROCESS", "web")

from django.core.asgi import get_asgi_application

http_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.urls import path

from accounts.consumers import EventsConsumer, same_origin_only

websocket_urlpatterns = [path("ws/events/", EventsConsumer.as_asgi())]

# What is loaded by now stays; looking through it for garbage takes a tenth of a second at times.
gc.collect()
gc.freeze()

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": same_origin_only(CookieMiddleware(URLRouter(websocket_urlpatterns))),
    }
)

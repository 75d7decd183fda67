"""What stands around every request: its log line, what no request may hold, static files, health,
the failure pages."""

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseFileResponse, WhiteNoiseMiddleware

logger = structlog.get_logger("mlmcrm.requests")
slow_logger = structlog.get_logger("mlmcrm.slow")

CHUNK = 64 * 1024
SECRET_ARGUMENTS = {"token", "key"}


class RequestLog:
    """Gives each request an id, returns it in X-Request-ID and writes one line per answer.

    The address, the browser and the session are bound for the audit record alone: the log
    processors never let them through to a file.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self.is_async:
            return self._async_call(request)
        started = self._begin(request)
        try:
            response: HttpResponse = self.get_response(request)
            return self._finish(request, response, started)
        finally:
            structlog.contextvars.clear_contextvars()

    async def _async_call(self, request: HttpRequest) -> HttpResponse:
        started = self._begin(request)
        try:
            response: HttpResponse = await self.get_response(request)
            return self._finish(request, response, started)
        finally:
            structlog.contextvars.clear_contextvars()

    def _begin(self, request: HttpRequest) -> float:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request_id=request.request_id,  # type: ignore[attr-defined]
            ip=client_address(request),
            agent=request.headers.get("User-Agent", "")[:300],
            session=request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""),
        )
        return time.perf_counter()

    def _finish(self, request: HttpRequest, response: HttpResponse, started: float) -> HttpResponse:
        seconds = time.perf_counter() - started
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        facts = {
            "method": request.method,
            "path": path_of(request),
            "status": response.status_code,
            "milliseconds": round(seconds * 1000),
            "user_id": signed_in_user_id(request),
        }
        if seconds > settings.SLOW_REQUEST_SECONDS:
            slow_logger.warning("slow_request", slow=True, **facts)
        if response.status_code >= 500:
            logger.error("request", **facts)
        elif not isinstance(response, WhiteNoiseFileResponse):
            logger.info("request", **facts)
        return response


def path_of(request: HttpRequest) -> str:
    """The path as the log keeps it: a link that is a secret is not written out."""
    match = request.resolver_match
    arguments = match.kwargs if match else {}
    path = request.path
    for name in SECRET_ARGUMENTS & arguments.keys():
        path = path.replace(str(arguments[name]), "***")
    return path


def client_address(request: HttpRequest) -> str:
    """The caller's address: behind N trusted proxies, the Nth from the right of what they add."""
    proxies: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    if proxies:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        if len(forwarded) >= proxies:
            return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def signed_in_user_id(request: HttpRequest) -> int | None:
    """The user's key if the request looked at its user; looking costs a query otherwise."""
    user = getattr(request, "_cached_user", None)
    return None if user is None else user.pk


class RefuseNul(MiddlewareMixin):
    """400 for an address or a form with the sign NUL: no text of the database can hold it, so that
    every view that looks for it, or keeps it, would break."""

    def process_view(self, request: HttpRequest, *view: object) -> None:
        if any("\0" in text for text in texts_of(request)):
            raise BadRequest("The request holds the sign NUL.")


def texts_of(request: HttpRequest) -> Iterator[str]:
    """What the address and the form of a request say; files are left to those who read them."""
    yield request.path_info
    for given in (request.GET, request.POST):
        for name, values in given.lists():
            yield name
            yield from values


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise that hands ASGI an asynchronous body, as the server wants it."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = WhiteNoiseMiddleware.serve(static_file, request)
        if hasattr(request, "scope") and isinstance(response, WhiteNoiseFileResponse):
            response.streaming_content = as_async(response.streaming_content)
        return response


async def as_async(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, Redis and migrations are as this release wants them."""
    state = {name: succeeds(check) for name, check in READINESS.items()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def succeeds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:
        logger.exception("not_ready")
        return False


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def redis_answers() -> bool:
    cache.set("readyz", "ok", 5)
    return bool(cache.get("readyz") == "ok")


def migrations_are_applied() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


READINESS = {
    "database": database_answers,
    "redis": redis_answers,
    "migrations": migrations_are_applied,
}


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """The 500 page, which names the request id of the error log. It asks the database nothing."""
    return HttpResponse(render_to_string("500.html", {"request": request}), status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403.html", {"form_expired": True}, status=403)

"""Where the reader's event streams stood before the page looked at its data."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.queries import start_cursor


class LiveCursor:
    """Notes the cursor before the view runs: what is committed while the page is made is replayed.

    Only for whole pages; fragments and posts open no connection.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> None:
        is_page = request.method == "GET" and request.headers.get("HX-Request") != "true"
        user: Any = getattr(request, "user", None)
        if is_page and "text/html" in request.headers.get("Accept", "") and user.is_authenticated:
            request.live_cursor = start_cursor(user)  # type: ignore[attr-defined]

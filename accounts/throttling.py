"""How often one address may ask for a page that needs no sign-in."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mlmcrm.encryption import blind_index
from mlmcrm.web import client_address


def at_most(times: int, *, seconds: int) -> Callable[..., Any]:
    """A view that one address may ask for so many times in each window; then it gets 429.

    Counted in the cache under a keyed digest of the address, which is written nowhere else.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            asker = blind_index(client_address(request), purpose=f"throttle|{view.__name__}")
            if count_in_window(f"throttle.{asker}", seconds=seconds) > times:
                response = render(request, "429.html", status=429)
                response["Retry-After"] = str(seconds - int(time.time()) % seconds)
                return response
            return view(request, *args, **kwargs)

        return counted

    return decorate


def count_in_window(key: str, *, seconds: int) -> int:
    """How often this key was counted in the present window, this time included."""
    key = f"{key}.{int(time.time()) // seconds}"
    cache.add(key, 0, timeout=seconds * 2)
    try:
        return int(cache.incr(key))
    except ValueError:  # the cache was emptied between the two
        return 1

"""Deeds that wait for each other, step by step: each on a connection of its own.

    with deeds() as begin, transaction.atomic():
        Distributor.objects.select_for_update().get(pk=ben.pk)
        moved = begin(lambda: asked(cast, "ben", "stella"))      # comes back when it waits
        left = begin(lambda: leave(cast.chloe))                  # or is done
    assert moved.result() ...

A deed that PostgreSQL ends to break a circle raises OperationalError from its result.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.db import connection

Deed = Callable[[], Any]


@contextmanager
def deeds() -> Iterator[Callable[[Deed], "Future[Any]"]]:
    """`begin(deed)` starts a deed and returns its future once it is done or waits for a lock."""
    with ThreadPoolExecutor() as pool:

        def begin(deed: Deed) -> "Future[Any]":
            session: Future[int] = Future()
            begun = pool.submit(on_a_connection, lambda: _named(session, deed))
            until = monotonic() + 10
            while not begun.done() and not _waits(session.result(10)):
                assert monotonic() < until, "It neither ends nor waits for a lock."
                sleep(0.01)
            return begun

        yield begin


def on_a_connection(deed: Deed) -> Any:
    """Do it in a thread, on a connection of its own that is closed after it."""
    try:
        return deed()
    finally:
        connection.close()


def _named(session: "Future[int]", deed: Deed) -> Any:
    session.set_result(_one("select pg_backend_pid()"))
    return deed()


def _waits(session: int) -> bool:
    return bool(_one("select cardinality(pg_blocking_pids(%s)) > 0", session))


def _one(query: str, *params: object) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchone()[0]

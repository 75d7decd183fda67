"""Work beside the thread at hand, in a database session of its own and transactions of its own.

PostgreSQL gives one session one core. Where there are two, two sessions write or read twice as
much. Nothing the first has not committed is seen by the second, and the second commits by itself:
what it writes must mean nothing until the first commits.

    with Beside(when=count > 40_000) as beside:
        sales = beside.do(read_sales, period)
        people = read_people(period)
        combine(people, sales())
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import connection, transaction

Result = TypeVar("Result")


def may_work_beside() -> bool:
    """Whether two sessions are wanted, and the second would see all that this one does: not from
    within a transaction, of which nothing is committed yet."""
    return settings.CLOSE_SESSIONS > 1 and not connection.in_atomic_block


class Beside:
    """One thread with one session that takes one piece of work after the other, each in a
    transaction. Leaving waits for it.

    `when` it is not worth it, the work is done at the call, in the session at hand.
    """

    def __init__(self, *, when: bool) -> None:
        self.thread = ThreadPoolExecutor(max_workers=1) if when else None
        self.newest: Future[Any] | None = None

    @property
    def is_apart(self) -> bool:
        return self.thread is not None

    @property
    def is_busy(self) -> bool:
        """Whether it has not come to the end of its work yet."""
        return self.newest is not None and not self.newest.done()

    def __enter__(self) -> Self:
        if self.thread is not None:
            keep_to_one_core()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.thread is not None:
            self.thread.submit(lambda: connection.close())  # that of its own thread
            self.thread.shutdown()

    def do(
        self, work: Callable[..., Result], *args: object, **named: object
    ) -> Callable[[], Result]:
        """Begin; what it returns gives the result, or raises what the work raised."""
        if self.thread is None:
            result = work(*args, **named)
            return lambda: result
        begun = self.thread.submit(in_own_transaction, work, *args, **named)
        self.newest = begun
        return begun.result


def in_own_transaction(work: Callable[..., Result], /, *args: object, **named: object) -> Result:
    """Django gives each thread a connection of its own; it lasts as long as the thread."""
    with transaction.atomic():
        keep_to_one_core()
        return work(*args, **named)


def keep_to_one_core() -> None:
    """For the rest of the transaction: workers of a query would take the other session's core."""
    with connection.cursor() as cursor:
        cursor.execute("set local max_parallel_workers_per_gather = 0")
        cursor.execute("set local max_parallel_maintenance_workers = 0")

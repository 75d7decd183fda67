"""Milliseconds of calls, and of what the database did for them, held against bars."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

TOLD = re.compile(r"duration: (\d+\.\d+) ms")


@dataclass
class Timer:
    """Of each call: the time that the server says it took for every statement of it, and the whole.

    The server counts what it does of each message: reading, planning and doing a statement, with
    its triggers. With `checked`, what else a commit would check is done and counted too; how long a
    disk takes to say that it has a commit is its own affair. The whole is with Python, the way to
    the server, and its telling how long it took.
    """

    checked: bool = False
    whole: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def time(self, call: Callable[[], object]) -> None:
        from django.db import connection

        told: list[str] = []

        def hear(notice: Any) -> None:
            told.append(notice.message_primary)

        connection.ensure_connection()
        session = connection.connection
        session.execute("set client_min_messages = log")
        session.execute("set log_min_messages = fatal")
        session.execute("set log_min_duration_statement = 0")
        session.add_notice_handler(hear)
        since = perf_counter()
        call()
        if self.checked:
            session.execute("set constraints all immediate")
        self.whole.append((perf_counter() - since) * 1000)
        session.remove_notice_handler(hear)
        session.execute("set log_min_duration_statement = -1")
        self.database.append(sum(float(said[1]) for said in map(TOLD.match, told) if said))


def timed(calls: Iterable[Callable[[], object]]) -> Timer:
    """A call is made once before its time is taken, so that what it reads is in memory."""
    timer = Timer()
    for call in calls:
        call()
        timer.time(call)
    return timer


def once(calls: Iterable[Callable[[], object]]) -> Timer:
    """Calls that change something, each in a transaction."""
    from django.db import transaction

    timer = Timer(checked=True)
    for call in calls:
        with transaction.atomic():
            timer.time(call)
    return timer


@dataclass
class Report:
    """A table of medians beside bars."""

    bars: dict[str, float]
    is_within: bool = True

    def head(self) -> None:
        print(f"\n{'':32}{'database':>10}{'whole':>10}{'closure':>10}{'bar':>8}")

    def show(self, name: str, timer: Timer, closure: Timer | None = None) -> None:
        ours, whole = statistics.median(timer.database), statistics.median(timer.whole)
        rival = f"{statistics.median(closure.database):10.3f}" if closure else f"{'':10}"
        self.line(name, f"{ours:10.3f}{whole:10.3f}{rival}", ours)

    def line(self, name: str, figures: str, value: float) -> None:
        bar = self.bars.get(name)
        if bar is None:
            print(f"{name:32}{figures}", flush=True)
            return
        verdict = "within" if value <= bar else "BEYOND"
        self.is_within &= value <= bar
        print(f"{name:32}{figures}{bar:8g}  {verdict}", flush=True)

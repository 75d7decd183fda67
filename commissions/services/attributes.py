"""Packages, given ranks, marks of the people of a period, and who has left, as the engine asks.

What a plan asks of these decides what is read: a plan that asks nothing reads no row of them. They
are taken as of one day, known at one moment: the period's last day and its cut-off at a close, the
day of the sale and the moment of its claim at payment. One statement, whatever the company's size.
Codes that the plan does not have say nothing to it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection

from commissions.engine import PAYMENT, Plan
from commissions.engine.plan import (
    ByPackage,
    HasFlag,
    HasLeft,
    HasPackage,
    Ladder,
    OfOrder,
    parts,
)
from commissions.engine.snapshot import LEFT
from commissions.services.arrays import Lookup, read_columns

NOW = "infinity"
"""Known up to this moment, whatever the clock says."""

Attributes = dict[str, Any]
"""Of the arrays of a snapshot's members: `package`, `flags`, `given`; those that are asked for."""


@dataclass(frozen=True)
class Wanted:
    """What a plan asks of people besides their orders and places."""

    packages: tuple[str, ...]
    ladders: tuple[Ladder, ...]
    marks: tuple[str, ...]
    asks_who_left: bool = False

    def __bool__(self) -> bool:
        return bool(self.packages or self.ladders or self.flags)

    @property
    def flags(self) -> tuple[str, ...]:
        """The marks, and that of having left."""
        return (*self.marks, LEFT) if self.asks_who_left else self.marks

    @property
    def params(self) -> dict[str, list[Any]]:
        """Which rows say what: `slot` 0 is the package, then come the ladders, then the marks."""
        rows: list[tuple[str, str, str, int, int]] = [
            ("package", "", code, 0, place) for place, code in enumerate(self.packages)
        ]
        for slot, ladder in enumerate(self.ladders, 1):
            rows += [
                ("rank", ladder.code, rank.code, slot, level)
                for level, rank in enumerate(ladder.ranks, 1)
            ]
        first = 1 + len(self.ladders)
        rows += [
            ("status", "", "left", first + place, 1)
            if code == LEFT
            else ("mark", "", code, first + place, 1)
            for place, code in enumerate(self.flags)
        ]
        names = ("kinds", "ladders", "codes", "slots", "figures")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def wanted_by(plan: Plan) -> Wanted:
    found = [part for _, part in parts(plan)]
    asks_packages = any(
        isinstance(part, HasPackage | ByPackage)
        or (isinstance(part, OfOrder) and part.smaller_package)
        for part in found
    )
    return Wanted(
        packages=tuple(package.code for package in plan.packages) if asks_packages else (),
        ladders=tuple(ladder for ladder in plan.ladders if ladder.source == "given"),
        marks=tuple(sorted({part.flag for part in found if isinstance(part, HasFlag)})),
        asks_who_left=any(isinstance(part, HasLeft) for part in found),
    )


def wanted_at_payment(plan: Plan) -> Wanted:
    """Nothing where nothing is paid at payment."""
    return wanted_by(plan) if plan.triggered_by(PAYMENT) else Wanted((), (), ())


def read_attributes(
    plan: Plan,
    lookup: Lookup,
    *,
    on: date,
    known_at: datetime | str = NOW,
    people: Collection[int] | None = None,
) -> Attributes:
    """What the members hold on a day, as columns of a snapshot; empty for a plan that asks nothing.

    `people`: only these are read; left out: everybody.
    """
    wanted = wanted_by(plan)
    if not wanted:
        return {}
    whose = None if people is None else list(people)
    params = wanted.params | {"on": on, "known_at": known_at, "people": whose}
    query = _HELD if people is None else f"{_HELD} and a.distributor_id = any(%(people)s)"
    rows = read_columns(query, params, id="i8", slot="i2", figure="i2")
    place = lookup(rows["id"])
    slots = 1 + len(wanted.ladders) + len(wanted.flags)
    held = np.zeros((slots, lookup.ids.size), np.int16)
    held[0] = -1
    known = place >= 0
    held[rows["slot"][known], place[known]] = rows["figure"][known]
    return as_columns(wanted, held)


def as_columns(wanted: Wanted, held: np.ndarray[Any, np.dtype[np.int16]]) -> Attributes:
    """By slot, then member: the package's place in the plan or -1; levels; 1 for a mark."""
    found: Attributes = {}
    if wanted.packages:
        found["package"] = held[0]
    if wanted.ladders:
        codes = (ladder.code for ladder in wanted.ladders)
        found["given"] = dict(zip(codes, held[1:], strict=False))
    if wanted.flags:
        marks = held[1 + len(wanted.ladders) :]
        found["flags"] = {code: row == 1 for code, row in zip(wanted.flags, marks, strict=True)}
    return found


_WANTED = """
genealogy_distributorattribute a
join unnest(%(kinds)s::text[], %(ladders)s::text[], %(codes)s::text[], %(slots)s::int[],
            %(figures)s::int[]) as w(kind, ladder, code, slot, figure)
  on a.kind = w.kind and a.ladder = w.ladder and a.code = w.code
"""
_KNOWN = """
a.recorded_at <= %(known_at)s::timestamptz
  and (a.superseded_at is null or a.superseded_at > %(known_at)s::timestamptz)
"""
_HELD = f"""
select a.distributor_id as id, w.slot, w.figure from {_WANTED}
where a.valid_from <= %(on)s and (a.valid_to is null or a.valid_to > %(on)s) and {_KNOWN}
"""


def next_change(plan: Plan, *, after: date, known_at: datetime) -> date | None:
    """The first day after this one on which anybody holds something else; None if there is none."""
    wanted = wanted_at_payment(plan)
    if not wanted:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, wanted.params | {"after": after, "known_at": known_at})
        day: date | None = cursor.fetchone()[0]
    return day


_NEXT = f"""
select min(day) from {_WANTED},
  lateral (values (a.valid_from), (a.valid_to)) as turns(day)
where day > %(after)s and {_KNOWN}
"""


def keep_still() -> None:
    """Wait for whoever is recording what people hold, and keep others from it to the end of the
    transaction."""
    with connection.cursor() as cursor:
        cursor.execute("lock table genealogy_distributorattribute in share mode")


def has_changed(plan: Plan, *, since: datetime, until: datetime | str = NOW) -> bool:
    """Whether anything that the plan asks for became known, or known otherwise, in between."""
    wanted = wanted_by(plan)
    if not wanted:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, wanted.params | {"since": since, "until": until})
        (found,) = cursor.fetchone()
    return bool(found)


_CHANGED = f"""
select exists (
  select 1 from {_WANTED}, lateral (values (a.recorded_at), (a.superseded_at)) as told(moment)
  where moment > %(since)s and moment <= %(until)s::timestamptz)
"""

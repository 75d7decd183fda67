"""Figures of a line: who is new, who is active on which level, which leg is strong, how it grew."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from genealogy.models import GenealogyNode
from genealogy.queries.drawing import legs_in_use, name_of_leg

DEEPEST = 12
MOST_LEGS = 10
MONTHS = 24


@dataclass(frozen=True)
class Generation:
    """A level below somebody: how many stand on it, how many of them have PV this period.

    The last one that is shown may stand for all that lie deeper.
    """

    level: int
    people: int
    active: int
    is_deeper: bool = False

    @property
    def label(self) -> str:
        return f"Level {self.level}" + (" and deeper" if self.is_deeper else "")


@dataclass(frozen=True)
class Leg:
    """A line below somebody with its volume of the open period; without a number, all the rest."""

    name: str
    number: str
    people: int
    volume: Decimal
    place: str = ""


@dataclass(frozen=True)
class Month:
    """How many people stood in a line at the end of a month, by who stands in it today."""

    first_day: date
    people: int


@dataclass(frozen=True)
class Figures:
    """All that the page of figures shows of a line, the person on top not counted."""

    new_this_week: int
    new_last_week: int
    week_starts_on: date
    generations: list[Generation]
    sponsor_legs: list[Leg]
    placement_legs: list[Leg]
    growth: list[Month]

    @property
    def people(self) -> int:
        return sum(generation.people for generation in self.generations)

    @property
    def active(self) -> int:
        return sum(generation.active for generation in self.generations)


def figures_of(root: GenealogyNode, placement: GenealogyNode | None, today: date) -> Figures:
    """The figures of the line below a sponsor node. A fixed number of statements; weeks begin on
    Monday."""
    monday = today - timedelta(days=today.weekday())
    joined = _joined_by_month(root, today)
    new, before = _new_people(root, monday)
    return Figures(
        new_this_week=new,
        new_last_week=before,
        week_starts_on=monday,
        generations=generations(root),
        sponsor_legs=sponsor_legs(root),
        placement_legs=placement_legs(placement) if placement else [],
        growth=joined,
    )


_BY_LEVEL = """
select n.depth, count(*), count(*) filter (where d.current_month_pv > 0)
from genealogy_genealogynode n join genealogy_distributor d on d.id = n.distributor_id
where n.tree = 'sponsor' and n.lft > %s and n.lft <= %s
group by n.depth order by n.depth
"""


def generations(root: GenealogyNode, deepest: int = DEEPEST) -> list[Generation]:
    """How many people stand on each level below a root, by one range scan."""
    found = _rows(_BY_LEVEL, root.lft, root.rgt)
    rows = [Generation(depth - root.depth, people, active) for depth, people, active in found]
    if len(rows) <= deepest:
        return rows
    rest = rows[deepest - 1 :]
    people, active = sum(row.people for row in rest), sum(row.active for row in rest)
    return [*rows[: deepest - 1], Generation(deepest, people, active, is_deeper=True)]


_SPONSOR_LEGS = """
select d.display_name, d.number, n.size, d.current_month_gv,
       count(*) over (), sum(n.size) over (), sum(d.current_month_gv) over ()
from genealogy_distributor d
join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = 'sponsor'
where d.sponsor_id = %s order by d.current_month_gv desc, d.id limit %s
"""


def sponsor_legs(root: GenealogyNode, most: int = MOST_LEGS) -> list[Leg]:
    """The directs by the volume of their lines, strongest first; of many, the rest as one leg."""
    found = _rows(_SPONSOR_LEGS, root.distributor_id, most)
    legs = [Leg(name, number, people, _hundredths(gv)) for name, number, people, gv, *_ in found]
    if not found or found[0][4] <= most:
        return legs
    count, people, volume = found[0][4:]
    return [
        *legs,
        Leg(
            f"{count - most} more",
            "",
            int(people) - sum(leg.people for leg in legs),
            _hundredths(volume) - sum((leg.volume for leg in legs), Decimal()),
        ),
    ]


_PLACEMENT_LEGS = """
select c.display_name, c.number, top.size, coalesce(sum(d.current_month_pv), 0), c.leg
from genealogy_distributor c
join genealogy_genealogynode top on top.distributor_id = c.id and top.tree = 'placement'
join genealogy_genealogynode n
  on n.tree = 'placement' and n.lft >= top.lft and n.lft <= top.rgt
join genealogy_distributor d on d.id = n.distributor_id
where c.placement_parent_id = %s
group by c.id, top.size order by c.leg limit %s
"""


def placement_legs(root: GenealogyNode, most: int = MOST_LEGS) -> list[Leg]:
    """The legs below a placement node in their order, each with the PV of all who stand in it."""
    found = _rows(_PLACEMENT_LEGS, root.distributor_id, most)
    width = legs_in_use()
    return [
        Leg(name, number, people, _hundredths(pv), name_of_leg(leg, width))
        for name, number, people, pv, leg in found
    ]


_NEW = """
select count(*) filter (where d.joined_on >= %s), count(*) filter (where d.joined_on < %s)
from genealogy_distributor d join genealogy_genealogynode n on n.distributor_id = d.id
where n.tree = 'sponsor' and n.lft > %s and n.lft <= %s and d.joined_on >= %s
"""


def _new_people(root: GenealogyNode, monday: date) -> tuple[int, int]:
    """Who joined since Monday, and in the week before."""
    before = monday - timedelta(days=7)
    ((new, last),) = _rows(_NEW, monday, monday, root.lft, root.rgt, before)
    return new, last


_JOINED = """
select greatest(date_trunc('month', d.joined_on)::date, %s), count(*)
from genealogy_genealogynode n join genealogy_distributor d on d.id = n.distributor_id
where n.tree = 'sponsor' and n.lft > %s and n.lft <= %s and d.joined_on <= %s
group by 1 order by 1
"""


def _joined_by_month(root: GenealogyNode, today: date) -> list[Month]:
    """The last two years, or as many months as there is anything to say of."""
    earliest = _months_before(today, MONTHS - 1)
    return months_of(dict(_rows(_JOINED, earliest, root.lft, root.rgt, today)), today)


def months_of(joined: dict[date, int], today: date) -> list[Month]:
    """How a line grew, from how many joined in each month: the last two years of it at most."""
    if not joined:
        return []
    growth, people, month = [], 0, min(joined)
    while month <= today:
        people += joined.get(month, 0)
        growth.append(Month(month, people))
        month = _months_before(month, -1)
    return growth[-MONTHS:]


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months earlier."""
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)


def _hundredths(value: Decimal | int) -> Decimal:
    return Decimal(value).scaleb(-2)


def _rows(query: str, *values: object) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())

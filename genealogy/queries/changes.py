"""How a tree of another day differs from today's index, and how large lines were on it.

The index knows today. What is different on a day are those who stood under somebody else then:
whoever was moved since, and whoever came since. Cut today's tree above each of them and it falls
into pieces that were the same on that day; hang each piece where it hung, and the tree of the day
is there without being read:

    today        Ben (1..6)                     on the day   Ben (1..6), less Chloe's piece
                  ├ Chloe (2..4)  moved since                 └ (Nia came since: not there)
                  │  └ Dmitri                   Stella
                  └ Nia (5)       came since     └ Chloe's piece, of two people

So it takes one statement over those who changed, however large the tree is, and afterwards the size
of any line is two look-ups in sorted lists.
"""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import accumulate
from typing import Any

from django.db import connection
from django.utils import timezone

from genealogy.models.node import Tree
from genealogy.queries.explorer import PARENT


@dataclass(frozen=True)
class Day:
    """A day with all that took effect on it, and the moment at which it was believed so; None is
    what is known today."""

    on: date
    known_at: datetime | None = None

    @property
    def query(self) -> str:
        """As it stands in an address, times in the reader's zone: on=2026-09-30&known=…T10:00."""
        known = f"{timezone.localtime(self.known_at):%Y-%m-%dT%H:%M}" if self.known_at else ""
        return f"on={self.on:%Y-%m-%d}" + (f"&known={known}" if known else "")

    @property
    def suffix(self) -> str:
        return f"&{self.query}"

    def facts(self, tree: str, **more: Any) -> dict[str, Any]:
        """The parameters of the conditions below, and more."""
        return {"tree": tree, "on": self.on, "known": self.known_at, **more}

    def begun(self, row: str = "p", tree: str = "%(tree)s") -> str:
        """That a position (a row of its table, in plain SQL) had begun by the day."""
        return f"{row}.tree = {tree} and {row}.valid_from <= %(on)s and {self._believed(row)}"

    def held(self, row: str = "p") -> str:
        """That it was the last one that had: the condition of PositionQuerySet.as_of."""
        return f"""{self.begun(row)} and not exists (
          select from genealogy_distributorposition next
          where next.distributor_id = {row}.distributor_id
            and next.valid_from > {row}.valid_from and {self.begun("next")})"""

    def place_of(self, who: str, tree: str = "%(tree)s") -> str:
        """The position that one person held, to join sideways: a look at an index."""
        return f"""lateral (
          select p.id, p.parent_id, p.leg from genealogy_distributorposition p
          where p.distributor_id = {who} and {self.begun("p", tree)}
          order by p.valid_from desc limit 1)"""

    def changed(self) -> str:
        """Who stands elsewhere today, or may: whoever has a position that began later, and with a
        moment whoever was written about since."""
        learnt = "or recorded_at > %(known)s or superseded_at > %(known)s" if self.known_at else ""
        return f"""
          select distinct distributor_id as id from genealogy_distributorposition
          where tree = %(tree)s and (superseded_at is null and valid_from > %(on)s {learnt})"""

    def _believed(self, row: str) -> str:
        if self.known_at is None:
            return f"{row}.superseded_at is null"
        stood = f"{row}.superseded_at is null or {row}.superseded_at > %(known)s"
        return f"{row}.recorded_at <= %(known)s and ({stood})"


@dataclass(frozen=True)
class Piece:
    """A piece of the tree that hung elsewhere on the day: its top, whose label is None where he has
    no place in the tree today, its labels and people as they are today, and where it hung."""

    top: int
    lft: int | None
    rgt: int
    size: int
    depth: int
    parent: int | None
    parent_lft: int | None
    parent_depth: int


@dataclass(frozen=True)
class Stretch:
    """Labels of today that belonged to a line on the day; depth + `deeper` was the level in it."""

    low: int
    high: int
    deeper: int


Spot = int | tuple[int] | None
"""A piece by its place in the list, somebody without a label by his id, or the whole tree."""

_CHANGES = """
with changed as materialized ({changed}
), held as materialized (
  select changed.id, p.parent_id from changed cross join {place} p
  where exists (
    select from genealogy_distributorposition p
    where p.distributor_id = changed.id and {begun})
), maybe_above as materialized (
  select distinct b.parent_id as id from genealogy_distributorposition b
  where {begun_below} and b.parent_id in (select id from changed) and %(tree)s = 'placement'
), there as materialized (
  select id, parent_id from held where parent_id is not null or %(tree)s = 'sponsor'
  union all
  select id, null from maybe_above
  where id not in (select id from held where parent_id is not null) and exists (
    select from genealogy_distributorposition b where b.parent_id = maybe_above.id and {held_below})
)
select (
  select array_agg(n.lft order by n.lft) from genealogy_genealogynode n
  where n.tree = %(tree)s
    and n.distributor_id in (select id from changed except select id from there)
), (
  select jsonb_agg(jsonb_build_array(
    there.id, n.lft, coalesce(n.rgt, 0), coalesce(n.size, 1), coalesce(n.depth, 0),
    there.parent_id, above.lft, coalesce(above.depth, 0)) order by n.lft)
  from there
  join lateral (
    select {parent}_id as parent_id from genealogy_distributor where id = there.id limit 1
  ) today on today.parent_id is distinct from there.parent_id
  left join lateral (
    select * from genealogy_genealogynode
    where distributor_id = there.id and tree = %(tree)s limit 1
  ) n on true
  left join lateral (
    select * from genealogy_genealogynode
    where distributor_id = there.parent_id and tree = %(tree)s limit 1
  ) above on true
)
"""


class Changes:
    """What was different in a tree on a day. One statement, the first time it is asked."""

    def __init__(self, tree: str, day: Day) -> None:
        self.tree = Tree(tree)
        self.day = day

    @cached_property
    def _found(self) -> tuple[list[int], list[Piece]]:
        query = _CHANGES.format(
            changed=self.day.changed(),
            place=self.day.place_of("changed.id"),
            begun=self.day.begun(),
            begun_below=self.day.begun("b"),
            held_below=self.day.held("b"),
            parent=PARENT[self.tree],
        )
        with connection.cursor() as cursor:
            cursor.execute(query, self.day.facts(self.tree))
            absent, pieces = cursor.fetchone()
        return absent or [], [Piece(*row) for row in json.loads(pieces or "[]")]

    @property
    def absent(self) -> list[int]:
        """The labels of those who are in today's tree and were not on the day, sorted."""
        return self._found[0]

    def absent_within(self, stretch: Stretch) -> list[int]:
        first, last = bisect_left(self.absent, stretch.low), bisect_right(self.absent, stretch.high)
        return self.absent[first:last]

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces with a label, in the order of their labels."""
        return [piece for piece in self._found[1] if piece.lft is not None]

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.lft for piece in self.pieces if piece.lft is not None]

    @cached_property
    def _around(self) -> list[int | None]:
        """For each piece the one it lies within today."""
        around: list[int | None] = []
        open_: list[int] = []
        for place in range(len(self.pieces)):
            while open_ and self.pieces[open_[-1]].rgt < self._starts[place]:
                open_.pop()
            around.append(open_[-1] if open_ else None)
            open_.append(place)
        return around

    def _spot(self, lft: int | None, distributor_id: int) -> Spot:
        """The piece that somebody belongs to."""
        if lft is None:
            return (distributor_id,)
        place: int | None = bisect_right(self._starts, lft) - 1
        while place is not None and place >= 0 and self.pieces[place].rgt < lft:
            place = self._around[place]
        return place if place is not None and place >= 0 else None

    # Sizes

    @cached_property
    def _own(self) -> list[int]:
        """People in each piece, without what lies in pieces within it."""
        own = [self._there(piece.lft, piece.rgt, piece.size) for piece in self.pieces]
        for place, around in reversed(list(enumerate(self._around))):
            if around is not None:
                own[around] -= self._there_of(place)
        return own

    def _there_of(self, place: int) -> int:
        piece = self.pieces[place]
        return self._there(piece.lft, piece.rgt, piece.size)

    def _there(self, lft: int | None, rgt: int, size: int) -> int:
        """How many of today's line had come by the day."""
        if lft is None:
            return size
        return size - (bisect_right(self.absent, rgt) - bisect_left(self.absent, lft))

    @cached_property
    def _hung(self) -> dict[Spot, list[Piece]]:
        """The pieces that hung on each piece on the day."""
        hung: dict[Spot, list[Piece]] = defaultdict(list)
        for piece in self._found[1]:
            if piece.parent is not None:
                hung[self._spot(piece.parent_lft, piece.parent)].append(piece)
        return hung

    @cached_property
    def _place_of(self) -> dict[int, int]:
        return {piece.top: place for place, piece in enumerate(self.pieces)}

    def _spot_of(self, piece: Piece) -> Spot:
        return (piece.top,) if piece.lft is None else self._place_of[piece.top]

    @cached_property
    def _whole(self) -> dict[int, int]:
        """How many people stood in the line of each piece's top on the day, himself counted.

        Those that hung on a piece are summed before it: a tree has no circle.
        """
        whole: dict[int, int] = {}
        waiting = list(self._found[1])
        while waiting:
            piece = waiting.pop()
            if piece.top in whole:
                continue
            spot = self._spot_of(piece)
            below = self._hung.get(spot, [])
            if missing := [other for other in below if other.top not in whole]:
                waiting += [piece, *missing]
                continue
            own = self._own[spot] if isinstance(spot, int) else 1
            whole[piece.top] = own + sum(whole[other.top] for other in below)
        return whole

    @cached_property
    def _sums(self) -> tuple[list[int], list[int], list[int]]:
        """Running sums: of people in pieces and of what hung on them, by label of the piece; of
        what hung, by label of where it hung (`_landed`)."""
        hung = [
            sum(self._whole[other.top] for other in self._hung.get(place, []))
            for place in range(len(self.pieces))
        ]
        landed = [people for _, people in self._landed]
        return _running(self._own), _running(hung), _running(landed)

    @cached_property
    def _landed(self) -> list[tuple[int, int]]:
        return sorted(
            (piece.parent_lft, self._whole[piece.top])
            for piece in self._found[1]
            if piece.parent_lft is not None
        )

    def size(self, distributor_id: int, label: tuple[int, int, int] | None) -> int:
        """How many stood in somebody's line on the day, himself counted.

        `label` is (lft, rgt, size) of today, None for somebody without a place today. He himself
        was there on the day.
        """
        if label is None:
            below = self._hung.get((distributor_id,), [])
            return 1 + sum(self._whole[piece.top] for piece in below)
        lft, rgt, today = label
        people, hung, landed = self._sums
        first, last = bisect_right(self._starts, lft), bisect_right(self._starts, rgt)
        low = bisect_left(self._landed, (lft,))
        high = bisect_left(self._landed, (rgt + 1,))
        return (
            self._there(lft, rgt, today)
            - (people[last] - people[first])
            + (landed[high] - landed[low])
            - (hung[last] - hung[first])
        )

    # A whole line

    def stretches(self, label: tuple[int, int], depth: int) -> list[Stretch]:
        """The labels of today that somebody's line of the day had, him included at level 0.

        Those who came since lie in between; see `absent_within`.
        """
        found: list[Stretch] = []
        waiting = [(label[0], label[1], -depth)]
        while waiting:
            low, high, deeper = waiting.pop()
            ranges = list(self._without_pieces(low, high))
            found += [Stretch(first, last, deeper) for first, last in ranges]
            for piece in self._hung_within(low, high, ranges):
                level = piece.parent_depth + deeper + 1
                waiting.append((piece.lft or 0, piece.rgt, level - piece.depth))
        return found

    def _without_pieces(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        place = bisect_right(self._starts, low)
        while place < len(self._starts) and self._starts[place] <= high:
            if low < self._starts[place]:
                yield low, self._starts[place] - 1
            low = self.pieces[place].rgt + 1
            place = bisect_left(self._starts, low)
        if low <= high:
            yield low, high

    def _hung_within(
        self, low: int, high: int, ranges: Iterable[tuple[int, int]]
    ) -> Iterator[Piece]:
        for first, last in ranges:
            begin = bisect_left(self._hung_by_label, first, key=lambda piece: piece.parent_lft)
            for piece in self._hung_by_label[begin:]:
                if (piece.parent_lft or 0) > last:
                    break
                yield piece

    @cached_property
    def _hung_by_label(self) -> list[Piece]:
        labelled = [piece for piece in self.pieces if piece.parent_lft is not None]
        return sorted(labelled, key=lambda piece: piece.parent_lft or 0)


def _running(values: Iterable[int]) -> list[int]:
    return [0, *accumulate(values)]

"""Whole lines of the sponsor tree as they were on another day: levels, growth, legs, a search."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.queries.drawing import legs_in_use, name_of_leg
from genealogy.queries.figures import DEEPEST, MOST_LEGS, Month, months_of
from genealogy.queries.past import PastTree
from genealogy.queries.search import LIKE_A_NUMBER, MOST_RESULTS

Bar = tuple[str, int]
"""A bar of a chart: its label and how many people."""
Reduced = Callable[[Iterable[int]], set[int]]
"""Those of some people of whom only name and number may be shown."""


def people_by_level(tree: PastTree, root: GenealogyNode) -> list[Bar]:
    """How many people stood on each level below a root on the day; the last may be all deeper."""
    return _bars(_of_line(tree, root, "n.depth + s.deeper, count(*)", "group by 1", ""))


def levels_and_growth(tree: PastTree, root: GenealogyNode) -> tuple[list[Bar], list[Month]]:
    """The same, and how many there were at the end of each month up to the day, by who stood in
    the line on it. One statement."""
    what = "n.depth + s.deeper, d.joined_on, count(*)"
    found = _of_line(tree, root, what, "group by grouping sets (1, 2)")
    joined: Counter[date] = Counter()
    for _, day, people in found:
        if day:
            joined[day.replace(day=1)] += people
    levels = [(level, people) for level, _, people in found if level is not None]
    return _bars(levels), months_of(joined, tree.day.on)


def _bars(levels: Iterable[tuple[int, int]]) -> list[Bar]:
    found = sorted(levels)
    bars = [(f"Level {level}", people) for level, people in found]
    if len(bars) <= DEEPEST:
        return bars
    rest = sum(people for _, people in bars[DEEPEST - 1 :])
    return [*bars[: DEEPEST - 1], (f"Level {DEEPEST} and deeper", rest)]


def legs(
    tree: PastTree, root_id: int, reduced: Reduced = lambda ids: set(), most: int = MOST_LEGS
) -> list[Bar]:
    """The lines below somebody by their people, the largest first and the rest as one; in the
    placement tree by their places. Who is reduced is not named beside a figure."""
    rows = tree.positions.filter(parent=root_id).values_list("distributor_id", "leg")
    places = dict(rows)
    sizes = tree.sizes(places)
    if tree.tree == Tree.PLACEMENT:
        kept = sorted(places, key=lambda pk: places[pk] or 0)[:most]
    else:
        kept = sorted(places, key=lambda pk: (-sizes[pk], pk))[:most]
    names = dict(Distributor.objects.filter(pk__in=kept).values_list("pk", "display_name"))
    names |= dict.fromkeys(reduced(kept), "Not in your line any more")
    width = 0
    if tree.tree == Tree.PLACEMENT:
        width = max([legs_in_use(), *(leg or 0 for leg in places.values())])
    bars = [(_titled(names[pk], places[pk], width), sizes[pk]) for pk in kept]
    if len(places) > len(kept):
        rest = sum(sizes.values()) - sum(people for _, people in bars)
        bars.append((f"{len(places) - len(kept)} more", rest))
    return bars


def _titled(name: str, leg: int | None, width: int) -> str:
    return f"{name_of_leg(leg, width)}: {name}" if leg else name


def search(tree: PastTree, top: GenealogyNode | None, words: str) -> list[GenealogyNode]:
    """Up to twenty people who stood in a line on the day (anywhere for None), by number or name."""
    if number := LIKE_A_NUMBER.fullmatch(words):
        numbers = [words.upper(), f"D-{int(number[1]):06d}"]
        ids = _in_line(tree, top, Distributor.objects.filter(number__in=numbers))
    elif top is None:
        ids = _in_line(tree, None, Distributor.objects.filter(display_name__icontains=words))
    else:
        pattern = "%" + words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        end = f"and d.display_name ilike %(pattern)s limit {MOST_RESULTS}"
        ids = [row[0] for row in _of_line(tree, top, "d.id", end, with_root=True, pattern=pattern)]
    depths = {pk: len(way) for pk, way in tree.uplines(ids).items()}
    found = tree.nodes({pk: depths.get(pk, 0) for pk in ids}).values()
    return sorted(found, key=lambda node: (node.depth, node.distributor_id))


def _in_line(tree: PastTree, top: GenealogyNode | None, people: QuerySet[Distributor]) -> list[int]:
    there = tree.positions.filter(distributor__in=people).values_list("distributor_id", flat=True)
    ids = list(there[:MOST_RESULTS])
    if top is None:
        return ids
    ways = tree.uplines(ids)
    return [pk for pk in ids if top.distributor_id in (pk, *ways.get(pk, []))]


def _of_line(
    tree: PastTree,
    root: GenealogyNode,
    what: str,
    end: str,
    people: str = "join genealogy_distributor d on d.id = n.distributor_id",
    *,
    with_root: bool = False,
    **more: Any,
) -> list[Any]:
    """Rows of a query over everybody below a root of the day."""
    label = GenealogyNode.objects.get(tree=tree.tree, distributor=root.distributor_id)
    stretches = tree.changes.stretches((label.lft, label.rgt), label.depth)
    absent = (label for stretch in stretches for label in tree.changes.absent_within(stretch))
    facts = {
        "tree": tree.tree,
        "low": [stretch.low for stretch in stretches],
        "high": [stretch.high for stretch in stretches],
        "deeper": [stretch.deeper for stretch in stretches],
        "absent": f"{{{','.join(map(str, absent))}}}",  # a list of thousands takes long to adapt
        "root": None if with_root else root.distributor_id,
        **more,
    }
    query = _LINE.format(what=what, people=people, end=end)
    with connection.cursor() as cursor:
        cursor.execute(query, facts)
        return cursor.fetchall()


_LINE = """
select {what}
from unnest(%(low)s::bigint[], %(high)s::bigint[], %(deeper)s::int[]) as s(low, high, deeper)
join genealogy_genealogynode n on n.tree = %(tree)s and n.lft between s.low and s.high
{people}
where n.distributor_id is distinct from %(root)s::bigint
  and not exists (select from unnest(%(absent)s::bigint[]) as absent where absent = n.lft)
{end}
"""

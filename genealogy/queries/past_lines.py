"""Whole lines of the sponsor tree as they were on another day: levels, growth, legs, a search."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from genealogy.models import Distributor, GenealogyNode
from genealogy.queries.drawing import legs_in_use, name_of_leg
from genealogy.queries.figures import DEEPEST, MOST_LEGS, Month, months_of
from genealogy.queries.past import PastTree
from genealogy.queries.search import LIKE_A_NUMBER, MOST_RESULTS

Bar = tuple[str, int]
"""A bar of a chart: its label and how many people."""
Reduced = Callable[[Iterable[int]], set[int]]
"""Those of some people of whom only name and number may be shown."""


def people_by_level(tree: PastTree, root: GenealogyNode, deepest: int = DEEPEST) -> list[Bar]:
    """How many people stood on each level below a root on the day; the last may be all deeper."""
    found = _of_line(tree, root, "n.depth + s.deeper, count(*)", "group by 1 order by 1", "")
    bars = [(f"Level {level}", people) for level, people in found]
    if len(bars) <= deepest:
        return bars
    rest = sum(people for _, people in bars[deepest - 1 :])
    return [*bars[: deepest - 1], (f"Level {deepest} and deeper", rest)]


def growth(tree: PastTree, root: GenealogyNode) -> list[Month]:
    """People at the end of each month up to the day, by who stood in the line on it."""
    what = "date_trunc('month', d.joined_on)::date, count(*)"
    found: list[tuple[date, int]] = _of_line(tree, root, what, "group by 1 order by 1")
    return months_of(dict(found), tree.day.on)


def legs(
    tree: PastTree, root_id: int, reduced: Reduced = lambda ids: set(), most: int = MOST_LEGS
) -> list[Bar]:
    """The lines below somebody by their people, the largest first and the rest as one; in the
    placement tree by their places. Who is reduced is not named beside a figure."""
    rows = tree.positions.filter(parent=root_id).values_list("distributor_id", "leg")
    places = dict(rows)
    sizes = tree.sizes(places)
    if tree.tree == "placement":
        kept = sorted(places, key=lambda pk: places[pk] or 0)[:most]
    else:
        kept = sorted(places, key=lambda pk: (-sizes[pk], pk))[:most]
    names = dict(Distributor.objects.filter(pk__in=kept).values_list("pk", "display_name"))
    names |= dict.fromkeys(reduced(kept), "Not in your line any more")
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
    facts = {
        "tree": tree.tree,
        "low": [stretch.low for stretch in stretches],
        "high": [stretch.high for stretch in stretches],
        "deeper": [stretch.deeper for stretch in stretches],
        "absent": tree.changes.absent,
        "root": None if with_root else root.distributor_id,
        **more,
    }
    with connection.cursor() as cursor:
        query = _LINE.replace("{what}", what).replace("{people}", people).replace("{end}", end)
        cursor.execute(query, facts)
        return cursor.fetchall()


_LINE = """
select {what}
from unnest(%(low)s::bigint[], %(high)s::bigint[], %(deeper)s::int[]) as s(low, high, deeper)
join genealogy_genealogynode n on n.tree = %(tree)s and n.lft between s.low and s.high
{people}
where n.lft <> all(%(absent)s::bigint[]) and n.distributor_id is distinct from %(root)s::bigint
{end}
"""

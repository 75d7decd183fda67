"""Reads of the sponsor tree, each a fixed number of statements whatever the size of the line."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import F, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree

PAGE = 50
MOST_RESULTS = 20
CRUMBS = 6
DRAWN_CHILDREN = (8, 4, 3, 3)
"""How many children are drawn of the root, of its children, and so on; the rest is "+N more"."""


@dataclass
class Row:
    """One line of the list: a node, how deep it is indented, and its place among its siblings."""

    node: GenealogyNode
    level: int
    position: int
    siblings: int
    is_open: bool = False
    is_wanted: bool = False

    @property
    def distributor(self) -> Distributor:
        return self.node.distributor

    @property
    def downline(self) -> int:
        return self.node.size - 1


@dataclass
class More:
    """Where a list of children goes on: after whom, how many are shown, of how many."""

    parent: str
    after: str
    shown: int
    total: int
    level: int
    skip: str = ""

    @property
    def parent_level(self) -> int:
        return self.level - 1


@dataclass
class DrawnNode:
    """A node of the drawn tree with the children that are drawn, and how many are not."""

    node: GenealogyNode
    children: list["DrawnNode"] = field(default_factory=list)
    hidden: int = 0


def sponsor_nodes() -> QuerySet[GenealogyNode]:
    """Nodes of the sponsor tree with all that a row shows."""
    return GenealogyNode.objects.filter(tree=Tree.SPONSOR).select_related(
        "distributor__rank", "distributor__paid_as_rank"
    )


def children_page(
    parent: Distributor, level: int, after: str = "", shown: int = 0, skip: str = ""
) -> list[Row | More]:
    """The next fifty directs of a distributor in order of enrolment, and where it goes on."""
    nodes = sponsor_nodes().filter(distributor__sponsor=parent).order_by("distributor_id")
    if after:
        last = Distributor.objects.filter(number=after).values("pk")
        nodes = nodes.filter(distributor_id__gt=Subquery(last))
    if skip:
        nodes = nodes.exclude(distributor__number=skip)
    found = list(nodes[: PAGE + 1])
    total = parent.direct_referral_count
    rows: list[Row | More] = [
        Row(node, level, shown + place, total) for place, node in enumerate(found[:PAGE], 1)
    ]
    if len(found) > PAGE:
        last_number = found[PAGE - 1].distributor.number
        rows.append(More(parent.number, last_number, shown + PAGE, total, level, skip))
    return rows


def continued(root: GenealogyNode, after: str, shown: int) -> list[Row | More]:
    """A root and its further directs: where the list goes on for those without script."""
    return [
        Row(root, 1, 1, 1, is_open=True),
        *children_page(root.distributor, level=2, after=after, shown=shown),
    ]


def opened(root: GenealogyNode, wanted: GenealogyNode) -> list[Row | More]:
    """The list from a root down to somebody in its line, every generation on the way opened."""
    path = [root.distributor_id, *upline_ids(wanted.distributor_id, root.distributor_id)]
    if wanted.pk != root.pk:
        path.append(wanted.distributor_id)
    by_parent: dict[int | None, list[GenealogyNode]] = defaultdict(list)
    for node in _children_of(path):
        by_parent[node.distributor.sponsor_id].append(node)
    rows: list[Row | More] = [Row(root, 1, 1, 1, root.size > 1, root.pk == wanted.pk)]
    _unfold(rows, by_parent, path, wanted.distributor_id)
    return rows


def _children_of(path: list[int]) -> QuerySet[GenealogyNode]:
    """The first fifty children of each person on the path, and the path itself."""
    ranked = sponsor_nodes().filter(distributor__sponsor__in=path)
    ranked = ranked.annotate(
        place=Window(
            RowNumber(), partition_by=F("distributor__sponsor_id"), order_by="distributor_id"
        )
    )
    return ranked.filter(Q(place__lte=PAGE) | Q(distributor_id__in=path)).order_by("distributor_id")


def _unfold(
    rows: list[Row | More],
    by_parent: dict[int | None, list[GenealogyNode]],
    path: list[int],
    wanted: int,
) -> None:
    """Put the children of each person on the path beneath that person's row, deepest last."""
    totals = dict(
        Distributor.objects.filter(pk__in=path).values_list("pk", "direct_referral_count")
    )
    place = 0
    for depth, parent in enumerate(path):
        found = by_parent[parent]
        total = max(totals.get(parent, 0), len(found))
        block = [
            Row(
                node,
                depth + 2,
                position,
                total,
                is_open=node.distributor_id in path and node.size > 1,
                is_wanted=node.distributor_id == wanted,
            )
            for position, node in enumerate(found, 1)
        ]
        rows[place + 1 : place + 1] = [*block, *_rest(rows[place], found, total, depth + 2)]
        following = path[depth + 1] if depth + 1 < len(path) else None
        place = next(
            (i for i, row in enumerate(rows) if _is(row, following)),
            place,
        )


def _is(row: Row | More, distributor_id: int | None) -> bool:
    return isinstance(row, Row) and row.node.distributor_id == distributor_id


def _rest(parent: Row | More, found: list[GenealogyNode], total: int, level: int) -> list[More]:
    if len(found) < PAGE or not isinstance(parent, Row):
        return []
    last, pinned = found[PAGE - 1], found[PAGE:]
    if total <= len(found):
        return []
    skip = pinned[0].distributor.number if pinned else ""
    number = parent.distributor.number
    return [More(number, last.distributor.number, len(found), total, level, skip)]


_UPLINE = """
with recursive up as (
  select d.id, d.sponsor_id, 0 as n from genealogy_distributor d where d.id = %s
  union all
  select d.id, d.sponsor_id, up.n + 1 from up
  join genealogy_distributor d on d.id = up.sponsor_id
  where up.id <> coalesce(%s, 0)
)
select id from up where n > 0 order by n desc
"""


def upline_ids(distributor_id: int, top_id: int | None) -> list[int]:
    """Everybody above, nearest last, from just below `top_id` (from the very top for None)."""
    with connection.cursor() as cursor:
        cursor.execute(_UPLINE, [distributor_id, top_id])
        ids = [row[0] for row in cursor.fetchall()]
    return ids[1:] if top_id is not None and ids and ids[0] == top_id else ids


@dataclass
class Crumb:
    distributor: Distributor | None
    hidden: int = 0


def crumbs(node: GenealogyNode, top: GenealogyNode | None) -> list[Crumb]:
    """The way down to a node; of a long way the first and the last steps, the middle counted."""
    ids = upline_ids(node.distributor_id, top.distributor_id if top else None)
    if top is not None and top.pk != node.pk:
        ids = [top.distributor_id, *ids]
    kept = ids if len(ids) <= CRUMBS else [ids[0], *ids[1 - CRUMBS :]]
    people = Distributor.objects.only("number", "display_name").in_bulk(kept)
    trail = [Crumb(people[pk]) for pk in kept]
    if len(kept) < len(ids):
        trail.insert(1, Crumb(None, len(ids) - len(kept)))
    return trail


def search(top: GenealogyNode | None, words: str) -> list[GenealogyNode]:
    """Up to twenty people of a line (of the whole tree for None) by number or name."""
    nodes = sponsor_nodes().select_related("distributor__sponsor")
    if top is not None:
        nodes = nodes.filter(lft__range=(top.lft, top.rgt))
    wanted = Q(distributor__display_name__icontains=words)
    if any(letter.isdigit() for letter in words):
        digits = "".join(letter for letter in words if letter.isdigit())
        wanted = Q(distributor__number__iexact=words) | Q(
            distributor__number=f"D-{int(digits):06d}"
        )
    # Any twenty will do when there are more: an order would make the database read them all.
    found = nodes.filter(wanted).order_by()[:MOST_RESULTS]
    return sorted(found, key=lambda node: (node.depth, node.distributor_id))


_DRAWN = """
with recursive t as (
  select n.id as node_id, n.distributor_id, null::bigint as parent_id, 0 as level,
         0::bigint as place
  from genealogy_genealogynode n where n.id = %(root)s
  union all
  select c.node_id, c.distributor_id, t.distributor_id, t.level + 1, c.place
  from t cross join lateral (
    select n.id as node_id, d.id as distributor_id,
           row_number() over (order by n.size desc, d.id) as place
    from genealogy_distributor d
    join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = 'sponsor'
    where d.sponsor_id = t.distributor_id
    order by n.size desc, d.id
    limit (%(limits)s::int[])[t.level + 1]
  ) c
  where t.level < %(depth)s
)
select node_id, distributor_id, parent_id from t order by level, parent_id, place
"""


def drawn(root: GenealogyNode, depth: int) -> DrawnNode:
    """The largest lines below a root, cut to what can be drawn: children counted, not fetched."""
    with connection.cursor() as cursor:
        limits = list(DRAWN_CHILDREN)
        cursor.execute(_DRAWN, {"root": root.pk, "depth": depth, "limits": limits})
        found = cursor.fetchall()
    nodes = sponsor_nodes().in_bulk([node_id for node_id, _, _ in found])
    by_distributor: dict[int, DrawnNode] = {}
    for node_id, distributor_id, parent_id in found:
        drawn_node = DrawnNode(nodes[node_id])
        by_distributor[distributor_id] = drawn_node
        if parent_id is not None:
            by_distributor[parent_id].children.append(drawn_node)
    _count_hidden(list(by_distributor.values()))
    return by_distributor[root.distributor_id]


def _count_hidden(nodes: list[DrawnNode]) -> None:
    for drawn_node in nodes:
        directs = drawn_node.node.distributor.direct_referral_count
        drawn_node.hidden = max(0, directs - len(drawn_node.children))


@dataclass
class Generation:
    level: int
    people: int


def generations(root: GenealogyNode, deepest: int = 12) -> list[Generation]:
    """How many people stand on each level below a root, by one range scan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select depth, count(*) from genealogy_genealogynode "
            "where tree = 'sponsor' and lft > %s and lft <= %s group by depth order by depth",
            [root.lft, root.rgt],
        )
        found = cursor.fetchall()
    rows = [Generation(depth - root.depth, people) for depth, people in found]
    if len(rows) > deepest:
        rest = sum(row.people for row in rows[deepest - 1 :])
        rows = [*rows[: deepest - 1], Generation(deepest, rest)]
    return rows


def top_nodes(limit: int = PAGE) -> list[GenealogyNode]:
    """Those without a sponsor, largest lines first: where staff begin."""
    nodes = sponsor_nodes().filter(distributor__sponsor__isnull=True)
    return list(nodes.order_by("-size", "distributor_id")[:limit])

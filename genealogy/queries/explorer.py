"""The list that opens line by line: whose children are shown, and the way down to somebody."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import QuerySet, Subquery

from accounts.services.consents import Contact
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree

PAGE = 50
CRUMBS = 6
MOST_GENERATIONS = 25
"""How many generations a list opens below its beginning; who is deeper has it begin lower."""
UNSEEN = Contact()
"""What a row shows of somebody's contact until it is asked what the reader may see."""
SHOWN = [
    *("tree", "distributor_id", "lft", "rgt", "depth", "size"),
    *(
        f"distributor__{name}"
        for name in (
            "number", "display_name", "status", "joined_on", "user_id", "sponsor_id",
            "placement_parent_id",
            "paid_as_rank_id", "highest_rank_id", "direct_referral_count",
            "current_month_pv", "current_month_gv", "personal_pv", "group_pv",
        )
    ),
]  # fmt: skip
"""What a row shows of a node and its person."""
PARENT = {Tree.SPONSOR: "sponsor", Tree.PLACEMENT: "placement_parent"}


@dataclass
class Row:
    """One line of the list: a node, how deep it is indented, and its place among its siblings.

    Of who `is_reduced` only name and number are shown.
    """

    node: GenealogyNode
    level: int
    position: int
    siblings: int
    is_open: bool = False
    is_wanted: bool = False
    contact: Contact = UNSEEN
    is_reduced: bool = False

    @property
    def distributor(self) -> Distributor:
        return self.node.distributor

    @property
    def downline(self) -> int:
        return self.node.size - 1

    @property
    def distance(self) -> int:
        """How far below the person the list begins with."""
        return self.level - 1


@dataclass
class More:
    """Where a list of children goes on: after whom, how many are shown, of how many.

    `skip` names those of the rest who are shown already, because the way down leads over them.
    """

    parent: str
    after: str
    shown: int
    total: int
    level: int
    skip: list[str] = field(default_factory=list)

    @property
    def parent_level(self) -> int:
        return self.level - 1


Rows = list[Row | More]


def nodes_of(tree: str) -> QuerySet[GenealogyNode]:
    """Nodes of a tree with all that a row shows.

    The few ranks come in statements of their own: joined, they are most of the planning.
    """
    nodes = GenealogyNode.objects.filter(tree=tree).select_related("distributor")
    return nodes.only(*SHOWN).prefetch_related(
        "distributor__paid_as_rank", "distributor__highest_rank"
    )


def sponsor_nodes() -> QuerySet[GenealogyNode]:
    return nodes_of(Tree.SPONSOR)


def children_page(
    parent: Distributor, level: int, after: str = "", shown: int = 0, skip: Iterable[str] = ()
) -> Rows:
    """The next fifty directs of a distributor in order of enrolment, and where it goes on."""
    nodes = sponsor_nodes().filter(distributor__sponsor=parent).order_by("distributor_id")
    if after:
        last = Distributor.objects.filter(number=after).values("pk")
        nodes = nodes.filter(distributor_id__gt=Subquery(last))
    if skipped := list(skip):
        nodes = nodes.exclude(distributor__number__in=skipped)
    found = list(nodes[: PAGE + 1])
    total = parent.direct_referral_count
    rows: Rows = [
        Row(node, level, shown + place, total) for place, node in enumerate(found[:PAGE], 1)
    ]
    if len(found) > PAGE:
        last_number = found[PAGE - 1].distributor.number
        rows.append(More(parent.number, last_number, shown + PAGE, total, level, skipped))
    return rows


def continued(root: GenealogyNode, after: str, shown: int) -> Rows:
    """A root and its further directs: where the list goes on for those without script."""
    return [
        Row(root, 1, 1, 1, is_open=True),
        *children_page(root.distributor, level=2, after=after, shown=shown),
    ]


def opened(
    root: GenealogyNode, opens: Iterable[GenealogyNode] = (), at: GenealogyNode | None = None
) -> Rows:
    """The list from a root down, opened at the root, at these nodes and on the ways to them.

    `at` is somebody who is looked for: the way to him is opened, and his row marked.
    """
    opens = list(opens)
    leaves = [node.distributor_id for node in opens]
    ways = _ids_above([*leaves, *([at.distributor_id] if at else [])], root.distributor_id)
    shown = {root.distributor_id, *ways, *leaves}
    by_parent: dict[int | None, list[GenealogyNode]] = defaultdict(list)
    for node in _children_of(shown, at):
        by_parent[node.distributor.sponsor_id].append(node)
    rows: Rows = []
    unfold(rows, Row(root, 1, 1, 1), by_parent, shown, at)
    return rows


_FIRST_CHILDREN = """
select c.id from unnest(%(parents)s::bigint[]) as p(id) cross join lateral (
  select d.id from genealogy_distributor d where d.sponsor_id = p.id order by d.id limit %(page)s
) c
union
select id from genealogy_distributor where id = any(%(wanted)s) and sponsor_id = any(%(parents)s)
"""


def _children_of(parents: Iterable[int], at: GenealogyNode | None) -> QuerySet[GenealogyNode]:
    """The first fifty children of each, and those further ones over whom a way leads."""
    ids = list(parents)
    wanted = [*ids, *([at.distributor_id] if at else [])]
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_CHILDREN, {"parents": ids, "wanted": wanted, "page": PAGE})
        children = [row[0] for row in cursor.fetchall()]
    return sponsor_nodes().filter(distributor_id__in=children).order_by("distributor_id")


def unfold(
    rows: Rows,
    row: Row,
    by_parent: dict[int | None, list[GenealogyNode]],
    shown: set[int],
    at: GenealogyNode | None,
) -> None:
    """Put a row down and, where it is open, its children beneath it, each in the same way."""
    row.is_wanted = at is not None and row.node.distributor_id == at.distributor_id
    row.is_open = row.node.distributor_id in shown and row.node.size > 1
    rows.append(row)
    if not row.is_open:
        return
    found = by_parent[row.node.distributor_id]
    total = max(row.distributor.direct_referral_count, len(found))
    for position, node in enumerate(found, 1):
        unfold(rows, Row(node, row.level + 1, position, total), by_parent, shown, at)
    if total > len(found) >= PAGE:
        last, pinned = found[PAGE - 1], found[PAGE:]
        skip = [node.distributor.number for node in pinned]
        number = row.distributor.number
        rows.append(More(number, last.distributor.number, len(found), total, row.level + 1, skip))


_ABOVE = """
with recursive up as (
  select d.id, d.sponsor_id from genealogy_distributor d where d.id = any(%(ids)s)
  union
  select d.id, d.sponsor_id from up
  join genealogy_distributor d on d.id = up.sponsor_id
  where up.id <> %(top)s
)
select distinct sponsor_id from up where id <> %(top)s and sponsor_id is not null
"""


def _ids_above(ids: list[int], top_id: int) -> list[int]:
    """Everybody on the ways from these people up to the top of the list, in no order."""
    with connection.cursor() as cursor:
        cursor.execute(_ABOVE, {"ids": ids, "top": top_id})
        return [row[0] for row in cursor.fetchall()]


def is_near(node: GenealogyNode, root: GenealogyNode) -> bool:
    """Whether a node lies below a root, and not so deep that the list would not end."""
    return root.lft <= node.lft <= root.rgt and node.depth - root.depth <= MOST_GENERATIONS


def beginning_above(node: GenealogyNode, root: GenealogyNode) -> str:
    """The number of somebody on the way, from whom a list is short enough; "" if `root` is."""
    if is_near(node, root):
        return ""
    ids = upline_ids(node.distributor_id, root.distributor_id)
    near = Distributor.objects.filter(pk=ids[-CRUMBS]).values_list("number", flat=True)
    return near[0]


_UPLINE = """
with recursive up as (
  select d.id, d.{parent}_id as parent_id, 0 as n
  from genealogy_distributor d where d.id = %(id)s
  union all
  select d.id, d.{parent}_id, up.n + 1 from up
  join genealogy_distributor d on d.id = up.parent_id
  where up.id <> coalesce(%(top)s, 0)
)
select id from up where n > 0 order by n desc
"""


def upline_ids(distributor_id: int, top_id: int | None, tree: str = Tree.SPONSOR) -> list[int]:
    """Everybody above, nearest last, from just below `top_id` (from the very top for None)."""
    with connection.cursor() as cursor:
        query = _UPLINE.replace("{parent}", PARENT[Tree(tree)])
        cursor.execute(query, {"id": distributor_id, "top": top_id})
        ids = [row[0] for row in cursor.fetchall()]
    return ids[1:] if top_id is not None and ids and ids[0] == top_id else ids


@dataclass
class Crumb:
    distributor: Distributor | None
    hidden: int = 0


def crumbs(node: GenealogyNode, top: GenealogyNode | None) -> list[Crumb]:
    """The way down to a node in its tree; the first and the last steps, the middle counted."""
    ids = upline_ids(node.distributor_id, top.distributor_id if top else None, node.tree)
    if top is not None and top.pk != node.pk:
        ids = [top.distributor_id, *ids]
    kept = ids if len(ids) <= CRUMBS else [ids[0], *ids[1 - CRUMBS :]]
    people = Distributor.objects.only("number", "display_name").in_bulk(kept)
    trail = [Crumb(people[pk]) for pk in kept]
    if len(kept) < len(ids):
        trail.insert(1, Crumb(None, len(ids) - len(kept)))
    return trail


def top_nodes(tree: str = Tree.SPONSOR, limit: int = PAGE) -> list[GenealogyNode]:
    """Those with nobody above in a tree, largest lines first: where staff begin."""
    above = {f"distributor__{PARENT[Tree(tree)]}__isnull": True}
    return list(nodes_of(tree).filter(**above).order_by("-size", "distributor_id")[:limit])

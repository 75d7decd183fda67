"""A tree changed: a leaf added, a line moved to another parent, a line rolled up over somebody.

Each is told to the index after the parents (the adjacency on Distributor) were written, in the same
transaction. A tree has one writer at a time, whoever holds its lock: what a change reads of the
tree stays true until it commits, and no two of them can wait for each other. Who changes both trees
takes the sponsor tree first.

Labels are sparse 64-bit numbers. What comes in gets room at the end of its parent's interval; when
that is gone, the smallest line above with room is labelled anew, and if none has any, the tree.
"""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F

from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.services.open_places import refresh_upwards
from genealogy.services.tree_index import (
    LIMIT,
    PARENT_COLUMN,
    lock_tree,
    rebuild_tree,
    relabel_line,
)

SLICE = 16
"""What comes in takes this part of the room that is left."""
ROOM = 2**20
"""Labels for each end of an interval that a line must have to be worth labelling anew."""
NARROWEST = 64
"""Labels for each end of an interval below which a moved line gets better room than it finds."""


@dataclass(frozen=True)
class Gap:
    """Labels that are free, both ends left out, and the depth of whoever comes in there."""

    low: int
    high: int
    depth: int

    @property
    def room(self) -> int:
        return max(self.high - self.low - 1, 0)


@transaction.atomic(savepoint=False)
def insert_node(distributor: Distributor, tree: str = Tree.SPONSOR) -> GenealogyNode:
    """Put a distributor, already saved with his parent, into the index as a new leaf.

    Takes the room for the node and counts it in everybody above. Somebody who gets the first place
    under him in the placement tree becomes a top of it.
    """
    lock_tree(tree)
    parent = _parent_of(distributor, tree)
    gap = _gap_under(parent, tree)
    width = max(gap.room // SLICE, 1)
    node = GenealogyNode(
        distributor=distributor,
        tree=tree,
        lft=gap.low + 1,
        rgt=gap.low + width,
        depth=gap.depth,
        size=1,
    )
    if gap.room < 1:
        node.lft = node.rgt = -distributor.pk  # nobody's label, until there is room
    node.save(force_insert=True)
    _count({_id(parent): 1}, tree)
    if gap.room < 1 and not _make_room(parent, tree, node):
        rebuild_tree(tree)
    if tree == Tree.PLACEMENT:
        refresh_upwards(distributor.pk)
        refresh_upwards(_id(parent))
    return node


@transaction.atomic(savepoint=False)
def move_node(distributor: Distributor, tree: str, *, from_parent_id: int | None) -> None:
    """Bring the index in line with a distributor's new parent, with everybody below him.

    The parent is saved already, is another than before and stands outside of the line that moves.
    """
    lock_tree(tree)
    parent = _parent_of(distributor, tree)
    node = GenealogyNode.objects.get(distributor=distributor, tree=tree)
    _count({from_parent_id: -node.size, _id(parent): node.size}, tree)
    gap = _gap_under(parent, tree)
    ends = 2 * node.size
    if gap.room // SLICE > node.rgt - node.lft:
        _shift(node, gap)
    elif gap.room // 2 >= ends * NARROWEST:
        _spread_anew(node, gap)
    elif not _make_room(parent, tree, node):
        rebuild_tree(tree)
    if tree == Tree.PLACEMENT:
        refresh_upwards(from_parent_id)
        refresh_upwards(_id(parent))
        _drop_alone([distributor.pk, from_parent_id])


def _drop_alone(distributor_ids: list[int | None]) -> None:
    """Somebody with nobody above or below has no place in the placement tree."""
    alone = GenealogyNode.objects.filter(tree=Tree.PLACEMENT, depth=0, size=1)
    alone.filter(distributor__in=[pk for pk in distributor_ids if pk]).delete()


@transaction.atomic(savepoint=False)
def roll_up_node(distributor: Distributor, tree: str) -> None:
    """Lift everybody below a distributor by one level, after his directs got his own parent.

    Their labels lie within his parent's interval as they are: only his own interval ends before
    them, and each of them stands one level higher.
    """
    lock_tree(tree)
    node = GenealogyNode.objects.get(distributor=distributor, tree=tree)
    with connection.cursor() as cursor:
        cursor.execute(
            "update genealogy_genealogynode set depth = depth - 1 "
            "where tree = %s and lft > %s and lft <= %s",
            [tree, node.lft, node.rgt],
        )
    node.rgt, node.size = node.lft, 1
    node.save(update_fields=["rgt", "size"])


def _parent_of(distributor: Distributor, tree: str) -> GenealogyNode | None:
    parent_id = getattr(distributor, PARENT_COLUMN[Tree(tree)])
    if parent_id is None:
        return None
    node = GenealogyNode.objects.filter(distributor_id=parent_id, tree=tree).first()
    return node or insert_node(Distributor.objects.get(pk=parent_id), tree)


def _id(node: GenealogyNode | None) -> int | None:
    return node.distributor_id if node else None


def _gap_under(parent: GenealogyNode | None, tree: str) -> Gap:
    """The room behind the youngest child of a parent; behind the last top for None."""
    depth = parent.depth + 1 if parent else 0
    nodes = GenealogyNode.objects.filter(tree=tree, depth=depth)
    if parent:
        nodes = nodes.filter(lft__gt=parent.lft, lft__lte=parent.rgt)
    last = nodes.order_by("-lft").values_list("rgt", flat=True).first()
    low = last if last is not None else (parent.lft if parent else 0)
    return Gap(low, (parent.rgt if parent else LIMIT) + 1, depth)


def _count(people: dict[int | None, int], tree: str) -> None:
    """Add people, by the distributor under whom they come or go, to everybody from there up."""
    starts = [start for start in people if start is not None]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.replace("{parent}", PARENT_COLUMN[Tree(tree)]),
            {"starts": starts, "people": [people[start] for start in starts], "tree": tree},
        )
    if tree == Tree.SPONSOR:
        _count_directs({start: 1 if people[start] > 0 else -1 for start in starts})


_COUNT = """
with recursive up(id, parent, people) as (
  select d.id, d.{parent}, c.people
  from unnest(%(starts)s::bigint[], %(people)s::int[]) as c(start, people)
  join genealogy_distributor d on d.id = c.start
  union all
  select d.id, d.{parent}, up.people from up join genealogy_distributor d on d.id = up.parent
), change as (
  select id, sum(people)::int as people from up group by id having sum(people) <> 0
)
update genealogy_genealogynode n set size = n.size + change.people
from change where n.distributor_id = change.id and n.tree = %(tree)s
"""


def _count_directs(change: dict[int, int]) -> None:
    with connection.cursor() as cursor:
        for distributor_id in sorted(change):
            cursor.execute(
                "update genealogy_distributor set direct_referral_count = "
                "direct_referral_count + %s where id = %s",
                [change[distributor_id], distributor_id],
            )


def _shift(node: GenealogyNode, gap: Gap) -> None:
    """Move a line's labels as they are to the beginning of a gap that is wide enough."""
    line = GenealogyNode.objects.filter(tree=node.tree, lft__range=(node.lft, node.rgt))
    by, deeper = gap.low + 1 - node.lft, gap.depth - node.depth
    line.update(
        lft=F("lft") + by,
        rgt=F("rgt") + by,
        depth=F("depth") + deeper,
        open_depth=F("open_depth") + deeper,
    )


def _spread_anew(node: GenealogyNode, gap: Gap) -> None:
    """Give a line new labels, in the order of the old ones, over half of a gap."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SPREAD,
            {"low": gap.low, "step": gap.room // 2 // (2 * node.size)}
            | {"deeper": gap.depth - node.depth}
            | {"tree": node.tree, "lft": node.lft, "rgt": node.rgt},
        )


_SPREAD = """
with line as (
  select id, lft, rgt from genealogy_genealogynode
  where tree = %(tree)s and lft between %(lft)s and %(rgt)s
), ends as (
  select id, row_number() over (order by at, is_end, case when is_end then -lft else lft end) as n
  from (select id, lft, lft as at, false as is_end from line
        union all select id, lft, rgt, true from line) both_ends
), fresh as (
  select id, %(low)s + min(n) * %(step)s as lft, %(low)s + max(n) * %(step)s as rgt
  from ends group by id
)
update genealogy_genealogynode n set lft = fresh.lft, rgt = fresh.rgt, depth = depth + %(deeper)s,
  open_depth = open_depth + %(deeper)s
from fresh where n.id = fresh.id
"""


def _make_room(parent: GenealogyNode | None, tree: str, incoming: GenealogyNode) -> bool:
    """Label the smallest line with room anew, with what comes in; False when none has room."""
    if parent is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            _ROOMY.replace("{parent}", PARENT_COLUMN[Tree(tree)]),
            {"start": parent.distributor_id, "tree": tree, "room": ROOM},
        )
        found = cursor.fetchone()
    if found is None:
        return False
    relabel_line(GenealogyNode.objects.get(pk=found[0]), incoming)
    return True


# Whoever comes in is counted in the sizes already.
_ROOMY = """
with recursive up(id, parent, n) as (
  select id, {parent}, 0 from genealogy_distributor where id = %(start)s
  union all
  select d.id, d.{parent}, up.n + 1 from up join genealogy_distributor d on d.id = up.parent
)
select node.id from up
join genealogy_genealogynode node on node.distributor_id = up.id and node.tree = %(tree)s
where (node.rgt - node.lft) / %(room)s >= 2 * node.size
order by up.n limit 1
"""

"""A tree changed: a leaf added, a line moved to another parent, a line rolled up over somebody.

Each is told to the index after the parents (the adjacency on Distributor) were written, in the same
transaction. A tree has one writer at a time, whoever holds its lock: what a change reads of the
tree stays true until it commits, and no two of them can wait for each other.

Labels are sparse 64-bit numbers. What comes in gets room at the end of its parent's interval; when
that is gone, the smallest line above with room is labelled anew, and if none has any, the tree.
"""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F

from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.services.locks import lock_trees
from genealogy.services.open_places import refresh_upwards
from genealogy.services.tree_index import (
    LIMIT,
    PARENT_COLUMN,
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
def insert_node(distributor: Distributor, tree: str = Tree.SPONSOR) -> None:
    """Put a distributor, already saved with his parent, into the index as a new leaf.

    Takes the room for the node and counts it in everybody above. Somebody who gets the first place
    under him in the placement tree becomes a top of it.
    """
    lock_trees(tree)
    parent_id = getattr(distributor, PARENT_COLUMN[Tree(tree)])
    room = _add_leaf(distributor.pk, tree, parent_id)
    if room is None:
        insert_node(Distributor.objects.get(pk=parent_id), tree)
        room = _add_leaf(distributor.pk, tree, parent_id)
    if not room and not _make_room(parent_id, tree, distributor.pk):
        rebuild_tree(tree)
    if tree == Tree.PLACEMENT:
        refresh_upwards(distributor.pk)
        refresh_upwards(parent_id)


def _add_leaf(distributor_id: int, tree: str, parent_id: int | None) -> int | None:
    """The labels there were to choose from; with none, the leaf waits to be labelled anew.

    None, and nothing is done, while the parent has no node.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select genealogy_add_leaf(%s, %s, %s, %s, %s)",
            [tree, distributor_id, parent_id, SLICE, LIMIT],
        )
        (room,) = cursor.fetchone()
    return room  # type: ignore[no-any-return]


@transaction.atomic(savepoint=False)
def move_node(distributor: Distributor, tree: str, *, from_parent_id: int | None) -> None:
    """Bring the index in line with a distributor's new parent, with everybody below him.

    The parent is saved already, is another than before and stands outside of the line that moves.
    """
    lock_trees(tree)
    parent_id = getattr(distributor, PARENT_COLUMN[Tree(tree)])
    if parent_id is not None and not _has_node(parent_id, tree):
        insert_node(Distributor.objects.get(pk=parent_id), tree)
    node = GenealogyNode.objects.get(distributor=distributor, tree=tree)
    gap = _gap_under(parent_id, tree)
    _count({from_parent_id: -node.size, parent_id: node.size}, tree)
    ends = 2 * node.size
    if gap.room // SLICE > node.rgt - node.lft:
        _shift(node, gap)
    elif gap.room // 2 >= ends * NARROWEST:
        _spread_anew(node, gap)
    elif not _make_room(parent_id, tree, distributor.pk):
        rebuild_tree(tree)
    if tree == Tree.PLACEMENT:
        refresh_upwards(from_parent_id)
        refresh_upwards(parent_id)
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
    lock_trees(tree)
    node = GenealogyNode.objects.get(distributor=distributor, tree=tree)
    with connection.cursor() as cursor:
        cursor.execute(
            "update genealogy_genealogynode set depth = depth - 1 "
            "where tree = %s and lft > %s and lft <= %s",
            [tree, node.lft, node.rgt],
        )
    node.rgt, node.size = node.lft, 1
    node.save(update_fields=["rgt", "size"])


def _has_node(distributor_id: int, tree: str) -> bool:
    return GenealogyNode.objects.filter(distributor=distributor_id, tree=tree).exists()


def _gap_under(parent_id: int | None, tree: str) -> Gap:
    """The room behind the youngest child of a parent; behind the last top for None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select low, high, level from genealogy_gap_under(%s, %s, %s)", [tree, parent_id, LIMIT]
        )
        return Gap(*cursor.fetchone())


def _count(people: dict[int | None, int], tree: str) -> None:
    """Add people, by the distributor under whom they come or go, to everybody from there up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select genealogy_count(%s, %s::bigint[], %s::int[])",
            [tree, list(people), list(people.values())],
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
            {"low": gap.low, "step": gap.room // 2 // (2 * node.size), "deeper": gap.depth}
            | {"tree": node.tree, "lft": node.lft, "rgt": node.rgt, "depth": node.depth},
        )


# A walk through the line takes two steps for each person, one in and one out: whoever is the n-th
# to be come to, so many levels down, is entered at step 2n less his level. Nobody else writes here.
_SPREAD = """
update genealogy_genealogynode n set
  lft = %(low)s + (walk.enters + 1) * %(step)s,
  rgt = %(low)s + (walk.enters + 2 * n.size) * %(step)s,
  depth = n.depth + %(deeper)s - %(depth)s,
  open_depth = n.open_depth + %(deeper)s - %(depth)s
from (
  select ctid, 2 * (row_number() over (order by lft) - 1) - (depth - %(depth)s) as enters
  from genealogy_genealogynode where tree = %(tree)s and lft between %(lft)s and %(rgt)s
) walk where n.ctid = walk.ctid
"""


def _make_room(parent_id: int | None, tree: str, incoming_id: int) -> bool:
    """Label the smallest line with room anew, with what comes in; False when none has room."""
    if parent_id is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            _ROOMY.replace("{parent}", PARENT_COLUMN[Tree(tree)]),
            {"start": parent_id, "tree": tree, "room": ROOM},
        )
        found = cursor.fetchone()
    if found is None:
        return False
    nodes = GenealogyNode.objects.filter(tree=tree)
    relabel_line(nodes.get(distributor=found[0]), nodes.get(distributor=incoming_id))
    return True


# Whoever comes in is counted in the sizes already.
_ROOMY = """
with recursive up(id, parent, n) as (
  select id, {parent}, 0 from genealogy_distributor where id = %(start)s
  union all
  select d.id, d.{parent}, up.n + 1 from up join genealogy_distributor d on d.id = up.parent
)
select up.id from up
join genealogy_genealogynode node on node.distributor_id = up.id and node.tree = %(tree)s
where (node.rgt - node.lft) / %(room)s >= 2 * node.size
order by up.n limit 1
"""

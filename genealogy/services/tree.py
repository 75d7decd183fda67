"""The tree index beside the adjacency: built whole, grown node by node, checked.

Labels are sparse 64-bit numbers. A new node takes a slice of the room behind its youngest sibling;
when that is gone, the smallest subtree above with room is labelled anew, and if none has any, the
whole tree.

Everybody who changes a tree locks the upline from the root down, so writers queue at the root and
never lock each other out.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from django.db import connection, transaction
from django.db.models import Max

from accounts.models import User
from genealogy.models import Distributor, DistributorPosition, GenealogyNode
from genealogy.models.node import Tree
from genealogy.services.intervals import CycleFound, Integers, Shape, shape_of, spread
from mlmcrm.locks import advisory_lock

SPAN = 2**58
LIMIT = 2**62
SLICE = 16
ROOM = 2**20

PARENT_COLUMN = {Tree.SPONSOR: "sponsor_id", Tree.PLACEMENT: "placement_parent_id"}
MEMBERS = {
    Tree.SPONSOR: "true",
    Tree.PLACEMENT: "(d.placement_parent_id is not null or exists (select 1 from "
    "genealogy_distributor c where c.placement_parent_id = d.id))",
}
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"


class TreeBroken(Exception):
    """The parents of a tree do not make a tree."""


@dataclass(frozen=True)
class Break:
    """One difference between the index and the parents."""

    number: str
    what: str


class UplineNode(NamedTuple):
    """A node above, as it was when it was locked."""

    id: int
    distributor_id: int
    tree: str
    lft: int
    rgt: int
    depth: int
    size: int


@transaction.atomic
def rebuild_tree(tree: str = Tree.SPONSOR) -> int:
    """Write the whole index of a tree from the parents; returns the number of nodes.

    Readers go on with the old index until the commit. Raises TreeBroken for a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute("lock table genealogy_genealogynode in exclusive mode")
        ids, parents = _adjacency(tree)
        cursor.execute("delete from genealogy_genealogynode where tree = %s", [tree])
    if len(ids):
        shape = _shape(ids, parents)
        _copy_nodes(tree, ids, shape, *spread(shape, 1, SPAN))
    refresh_counts(tree)
    return len(ids)


@transaction.atomic
def insert_node(distributor: Distributor, tree: str = Tree.SPONSOR) -> GenealogyNode:
    """Put a distributor, already saved with his parent, into the index as a new leaf.

    Locks the upline, takes the room for the node and counts it in everybody above.
    """
    parent_id = getattr(distributor, PARENT_COLUMN[Tree(tree)])
    upline = lock_upline(parent_id, tree) if parent_id else []
    if upline:
        taken = _last_label_within(upline[-1])
        end, depth = upline[-1].rgt, upline[-1].depth + 1
    else:
        advisory_lock(f"genealogy.roots.{tree}")
        highest = GenealogyNode.objects.filter(tree=tree).aggregate(highest=Max("rgt"))["highest"]
        taken, end, depth = highest or 0, LIMIT, 0
    if end - taken < 2:
        return _make_room(distributor, upline, tree)
    width = max((end - taken) // SLICE, 1)
    node = GenealogyNode.objects.create(
        distributor=distributor, tree=tree, lft=taken + 1, rgt=taken + width, depth=depth, size=1
    )
    _count_in(upline)
    _count_people(upline, tree)
    return node


def lock_upline(distributor_id: int, tree: str) -> list[UplineNode]:
    """The nodes from the root down to the distributor, locked in that order."""
    column = PARENT_COLUMN[Tree(tree)]
    with connection.cursor() as cursor:
        cursor.execute(_UPLINE.replace("{parent}", column), [distributor_id])
        line = [row[0] for row in cursor.fetchall()]
        cursor.execute(_LOCK, [tree, line])
        return [UplineNode(*row) for row in cursor.fetchall()]


_UPLINE = """
with recursive up(id, parent) as (
  select id, {parent} from genealogy_distributor where id = %s
  union all
  select d.id, d.{parent} from up join genealogy_distributor d on d.id = up.parent
)
select id from up
"""
_LOCK = """
select id, distributor_id, tree, lft, rgt, depth, size from genealogy_genealogynode
where tree = %s and distributor_id = any(%s) order by depth for no key update
"""


def _last_label_within(parent: UplineNode) -> int:
    column = f"distributor__{PARENT_COLUMN[Tree(parent.tree)]}"
    children = GenealogyNode.objects.filter(tree=parent.tree, **{column: parent.distributor_id})
    return children.aggregate(last=Max("rgt"))["last"] or parent.lft


def _count_in(nodes: list[UplineNode]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update genealogy_genealogynode set size = size + 1 where id = any(%s)",
            [[node.id for node in nodes]],
        )


def _count_people(upline: list[UplineNode], tree: str) -> None:
    if tree != Tree.SPONSOR or not upline:
        return
    people = [node.distributor_id for node in upline]
    with connection.cursor() as cursor:
        cursor.execute(
            "update genealogy_distributor set downline_count = downline_count + 1, "
            "direct_referral_count = direct_referral_count + (id = %s)::int where id = any(%s)",
            [people[-1], people],
        )


def _make_room(distributor: Distributor, upline: list[UplineNode], tree: str) -> GenealogyNode:
    """Label the smallest subtree with room anew, the new node in it; else the whole tree."""
    roomy = (n for n in reversed(upline) if n.rgt - n.lft >= 2 * (n.size + 1) * ROOM)
    top = next(roomy, None)
    if top is None:
        rebuild_tree(tree)
    else:
        GenealogyNode.objects.create(
            distributor=distributor, tree=tree, lft=top.rgt, rgt=top.rgt, depth=0, size=1
        )
        _relabel(top)
        _count_in([node for node in upline if node.depth < top.depth])
        _count_people(upline, tree)
    return GenealogyNode.objects.get(distributor=distributor, tree=tree)


def _relabel(top: UplineNode) -> None:
    """New labels for a subtree whose room is `top`'s, from the parents of those inside."""
    ids, parents = _adjacency(top.tree, within=top)
    shape = _shape(ids, parents)
    lft, rgt = spread(shape, top.lft, top.rgt)
    rgt[shape.depth == 0] = top.rgt
    columns = [values.tolist() for values in (ids, lft, rgt, shape.depth + top.depth, shape.size)]
    with connection.cursor() as cursor:
        cursor.execute(
            """update genealogy_genealogynode n
               set lft = t.lft, rgt = t.rgt, depth = t.depth, size = t.size
               from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::int[])
                 as t(id, lft, rgt, depth, size)
               where n.distributor_id = t.id and n.tree = %s""",
            [*columns, top.tree],
        )


def _adjacency(tree: str, within: UplineNode | None = None) -> tuple[Integers, Integers]:
    """Ids and parent ids (0 for none) of a tree's members in the order of their ids."""
    query = _PAIRS.replace("{parent}", PARENT_COLUMN[Tree(tree)])
    if within is None:
        query += f"where {MEMBERS[Tree(tree)]}"
    else:
        query += (
            "join genealogy_genealogynode n on n.distributor_id = d.id "
            "where n.tree = %(tree)s and n.lft between %(lft)s and %(rgt)s"
        )
    with connection.cursor() as cursor:
        cursor.execute(query, within and {"tree": tree, "lft": within.lft, "rgt": within.rgt})
        (data,) = cursor.fetchone()
    pairs = np.frombuffer(data or b"", dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


_PAIRS = """
select string_agg(int8send(d.id) || int8send(coalesce(d.{parent}, 0)), '' order by d.id)
from genealogy_distributor d
"""


def _shape(ids: Integers, parents: Integers) -> Shape:
    """The shape of the members; a parent who is not among them makes a root."""
    place = np.searchsorted(ids, parents)
    found = ids[np.minimum(place, len(ids) - 1)] == parents
    try:
        return shape_of(np.where(found, place, -1))
    except CycleFound as error:
        some = Distributor.objects.filter(pk__in=ids[error.members[:5]].tolist())
        names = ", ".join(some.values_list("number", flat=True))
        raise TreeBroken(f"{error} Among them: {names}.") from error


def _copy_nodes(tree: str, ids: Integers, shape: Shape, lft: Integers, rgt: Integers) -> None:
    label = Tree(tree).value.encode()
    columns = (
        ("distributor_id", ">i8", ids),
        ("tree", f"S{len(label)}", label),
        ("lft", ">i8", lft),
        ("rgt", ">i8", rgt),
        ("depth", ">i4", shape.depth),
        ("size", ">i4", shape.size),
    )
    kinds = [pair for name, kind, _ in columns for pair in ((f"{name}_len", ">i4"), (name, kind))]
    rows = np.zeros(len(ids), dtype=[("fields", ">i2"), *kinds])
    rows["fields"] = len(columns)
    for name, _, values in columns:
        rows[name] = values
        rows[f"{name}_len"] = rows.dtype[name].itemsize
    names = ", ".join(name for name, _, _ in columns)
    with connection.cursor() as cursor:
        with cursor.copy(
            f"copy genealogy_genealogynode ({names}) from stdin (format binary)"
        ) as copy:
            copy.write(COPY_HEADER + rows.tobytes() + COPY_TRAILER)


def refresh_counts(tree: str = Tree.SPONSOR) -> None:
    """Bring the counts on the distributors in line with the sponsor tree."""
    if tree != Tree.SPONSOR:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """update genealogy_distributor d
               set downline_count = n.size - 1, direct_referral_count = coalesce(c.count, 0)
               from genealogy_genealogynode n
               left join (select sponsor_id, count(*) from genealogy_distributor group by 1) c
                 on c.sponsor_id = n.distributor_id
               where n.distributor_id = d.id and n.tree = 'sponsor'
                 and (d.downline_count, d.direct_referral_count)
                     is distinct from (n.size - 1, coalesce(c.count, 0))"""
        )


def record_position(
    *,
    distributor: Distributor,
    tree: str,
    parent: Distributor | None,
    valid_from: date,
    actor: User | None,
    leg: int | None = None,
    reason: str = "",
) -> DistributorPosition:
    """Write down under whom a distributor stands from a day on; the position before ends there."""
    DistributorPosition.objects.filter(
        distributor=distributor, tree=tree, valid_to=None, superseded_at=None
    ).update(valid_to=valid_from)
    return DistributorPosition.objects.create(
        distributor=distributor,
        tree=tree,
        parent=parent,
        leg=leg,
        valid_from=valid_from,
        actor=actor,
        reason=reason,
    )


def find_breaks(tree: str = Tree.SPONSOR, limit: int = 1000) -> list[Break]:
    """Where the index differs from the parents; empty when it is right.

    Every rule is local (a node and its parent, its children, its elder sibling), and together
    they leave room for one index only.
    """
    query = _BREAKS.replace("{parent}", PARENT_COLUMN[Tree(tree)]).replace(
        "{members}", MEMBERS[Tree(tree)]
    )
    with connection.cursor() as cursor:
        cursor.execute(query, {"tree": tree, "limit": limit})
        return [Break(*row) for row in cursor.fetchall()]


_BREAKS = """
with nodes as (
  select d.number, d.id, d.{parent} as parent_id, n.lft, n.rgt, n.depth, n.size,
         lag(n.rgt) over (partition by d.{parent} order by n.lft) as elder_rgt
  from genealogy_distributor d
  join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = %(tree)s
), children as (
  select parent_id, sum(size) as people from nodes where parent_id is not null group by 1
)
select number, what from (
  select d.number, 'has no node' as what from genealogy_distributor d
  where {members} and not exists (
    select 1 from genealogy_genealogynode n where n.distributor_id = d.id and n.tree = %(tree)s)
  union all
  select d.number, 'has a node but no place in the tree' from genealogy_distributor d
  join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = %(tree)s
  where not {members}
  union all
  select number, 'is a root but not at depth 0' from nodes
  where parent_id is null and depth <> 0
  union all
  select c.number, 'lies outside the interval of ' || p.number from nodes c
  join nodes p on p.id = c.parent_id where not (p.lft < c.lft and c.rgt <= p.rgt)
  union all
  select c.number, 'has depth ' || c.depth || ', but ' || p.number || ' above has ' || p.depth
  from nodes c join nodes p on p.id = c.parent_id where c.depth <> p.depth + 1
  union all
  select number, 'overlaps the sibling before' from nodes where elder_rgt >= lft
  union all
  select n.number, 'counts ' || n.size || ' people, there are ' || 1 + coalesce(c.people, 0)
  from nodes n left join children c on c.parent_id = n.id
  where n.size <> 1 + coalesce(c.people, 0)
) as found order by number, what limit %(limit)s
"""

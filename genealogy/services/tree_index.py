"""The tree index written from the parents: a whole tree, or one line of it."""

import numpy as np
from django.db import connection, transaction

from accounts.imports.bulk import rules_at_the_end
from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.services.intervals import CycleFound, Integers, Shape, shape_of, spread
from genealogy.services.locks import lock_trees
from genealogy.services.open_places import open_depths, places_under_each

SPAN = 2**58
LIMIT = 2**62

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


@transaction.atomic
def rebuild_tree(tree: str = Tree.SPONSOR) -> int:
    """Write the whole index of a tree from the parents; returns the number of nodes.

    Readers go on with the old index until the commit. Raises TreeBroken for a circle.
    """
    lock_trees(tree)
    with connection.cursor() as cursor:
        cursor.execute("delete from genealogy_genealogynode where tree = %s", [tree])
    return _write(tree)


@transaction.atomic
def build_trees() -> None:
    """Write both trees of a company of which none is in the index yet, from the parents."""
    lock_trees(*Tree)
    if GenealogyNode.objects.exists():
        raise ValueError("There is an index already: it is built anew tree by tree.")
    with connection.cursor() as cursor:
        # A table whose rows are still to be checked cannot be altered.
        cursor.execute("set constraints all immediate")
    with rules_at_the_end("genealogy_genealogynode"):
        with connection.cursor() as cursor:
            cursor.execute("truncate genealogy_genealogynode")  # a new file needs no log
        for tree in Tree:
            _write(tree)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all deferred")


def _write(tree: str) -> int:
    ids, parents = _adjacency(tree)
    if len(ids):
        above = _places_of(ids, parents)
        shape = _shape(ids, above)
        columns = [ids, *spread(shape, 1, SPAN), shape.depth, shape.size]
        width = places_under_each() if tree == Tree.PLACEMENT else None
        if width is not None:
            columns.append(open_depths(above, shape.depth, width))
        walk = np.argsort(shape.enter)  # so that a line lies together
        _copy_nodes(tree, [values[walk] for values in columns])
    if tree == Tree.SPONSOR:
        _refresh_direct_counts()
    return len(ids)


def relabel_line(top: GenealogyNode, incoming: GenealogyNode) -> None:
    """New labels for everybody in a line, within its room, and for a line that comes into it.

    The sizes are right already, that of `top` with the people who come in.
    """
    ids, parents = _adjacency(top.tree, within=(top, incoming))
    shape = _shape(ids, _places_of(ids, parents))
    lft, rgt = spread(shape, top.lft, top.rgt)
    rgt[shape.depth == 0] = top.rgt
    columns = [values.tolist() for values in (ids, lft, rgt, shape.depth + top.depth)]
    with connection.cursor() as cursor:
        cursor.execute(
            """update genealogy_genealogynode n
               set lft = t.lft, rgt = t.rgt, depth = t.depth,
                   open_depth = n.open_depth + t.depth - n.depth
               from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[])
                 as t(id, lft, rgt, depth)
               where n.distributor_id = t.id and n.tree = %s""",
            [*columns, top.tree],
        )


def _adjacency(
    tree: str, within: tuple[GenealogyNode, GenealogyNode] | None = None
) -> tuple[Integers, Integers]:
    """Ids and parent ids (0 for none) of a tree's members, or of two lines, in order of ids."""
    query = _PAIRS.replace("{parent}", PARENT_COLUMN[Tree(tree)])
    params: dict[str, str | int] = {"tree": tree}
    if within is None:
        query += f"where {MEMBERS[Tree(tree)]}"
    else:
        query += _WITHIN
        for name, node in zip(("one", "two"), within, strict=True):
            params |= {f"{name}_lft": node.lft, f"{name}_rgt": node.rgt}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        (data,) = cursor.fetchone()
    pairs = np.frombuffer(data or b"", dtype=">i8").astype(np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


_PAIRS = """
select string_agg(int8send(d.id) || int8send(coalesce(d.{parent}, 0)), '' order by d.id)
from genealogy_distributor d
"""
_WITHIN = """
join genealogy_genealogynode n on n.distributor_id = d.id
where n.tree = %(tree)s and (n.lft between %(one_lft)s and %(one_rgt)s
                             or n.lft between %(two_lft)s and %(two_rgt)s)
"""


def _places_of(ids: Integers, parents: Integers) -> Integers:
    """Where the parents stand among the members; -1 for a parent who is not among them."""
    place = np.searchsorted(ids, parents)
    found = ids[np.minimum(place, len(ids) - 1)] == parents
    return np.where(found, place, -1)


def _shape(ids: Integers, above: Integers) -> Shape:
    try:
        return shape_of(above)
    except CycleFound as error:
        some = Distributor.objects.filter(pk__in=ids[error.members[:5]].tolist())
        names = ", ".join(some.values_list("number", flat=True))
        raise TreeBroken(f"{error} Among them: {names}.") from error


NODE_COLUMNS = (
    ("distributor_id", ">i8"),
    ("lft", ">i8"),
    ("rgt", ">i8"),
    ("depth", ">i4"),
    ("size", ">i4"),
    ("open_depth", ">i4"),
)


def _copy_nodes(tree: str, columns: list[Integers]) -> None:
    """Write all nodes of a tree, the columns in the order of NODE_COLUMNS, as far as given."""
    label = Tree(tree).value.encode()
    given = [("tree", f"S{len(label)}"), *NODE_COLUMNS[: len(columns)]]
    kinds = [pair for name, kind in given for pair in ((f"{name}_len", ">i4"), (name, kind))]
    rows = np.zeros(len(columns[0]), dtype=[("fields", ">i2"), *kinds])
    rows["fields"], rows["tree"] = len(given), label
    for (name, _), values in zip(NODE_COLUMNS, columns, strict=False):
        rows[name] = values
    for name, _ in given:
        rows[f"{name}_len"] = rows.dtype[name].itemsize
    names = ", ".join(name for name, _ in given)
    with connection.cursor() as cursor:
        with cursor.copy(
            f"copy genealogy_genealogynode ({names}) from stdin (format binary)"
        ) as copy:
            copy.write(COPY_HEADER + rows.tobytes() + COPY_TRAILER)


def _refresh_direct_counts() -> None:
    """Hold whose count is wrong, in the order of their ids, then set it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select count(*) from ({_MISCOUNTED} order by p.id for no key update of p) held"
        )
        if cursor.fetchone()[0]:
            cursor.execute(
                f"update genealogy_distributor d set direct_referral_count = c.count "
                f"from ({_MISCOUNTED}) c where c.id = d.id"
            )


_MISCOUNTED = """
select p.id, coalesce(s.count, 0) as count
from genealogy_distributor p
left join (select sponsor_id, count(*) from genealogy_distributor group by 1) s
  on s.sponsor_id = p.id
where p.direct_referral_count <> coalesce(s.count, 0)
"""

"""Who is drawn of a tree: the sponsor tree by its largest lines, the placement tree leg by leg."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Max

from genealogy.models import Distributor, GenealogyNode
from genealogy.models.node import Tree
from genealogy.queries.explorer import PARENT, nodes_of
from genealogy.services.open_places import places_under_each

DRAWN_CHILDREN = (8, 4, 3, 3)
"""How many children are drawn of the root, of its children, and so on; the rest is "+N more"."""
BINARY = 2


@dataclass
class DrawnNode:
    """A person of the drawn tree with the children that are drawn, and how many are not.

    In the placement tree `leg` is where he stands under the parent, counted from 1. A node
    without a person is an empty place.
    """

    node: GenealogyNode | None
    leg: int = 0
    leg_name: str = ""
    children: list["DrawnNode"] = field(default_factory=list)
    hidden: int = 0

    @property
    def distributor(self) -> Distributor:
        if self.node is None:
            raise LookupError("Nobody stands in an empty place.")
        return self.node.distributor


_DRAWN = """
with recursive t as (
  select %(root)s::bigint as distributor_id, null::bigint as parent_id, 0 as level,
         0::bigint as place, 0 as leg, 0::bigint as siblings
  union all
  select c.distributor_id, t.distributor_id, t.level + 1, c.place, c.leg, c.siblings
  from t cross join lateral (
    select d.id as distributor_id, coalesce(d.leg, 0)::int as leg,
           row_number() over (order by {order}) as place, count(*) over () as siblings
    from genealogy_distributor d
    join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = %(tree)s
    where d.{parent}_id = t.distributor_id
    order by {order}
    limit (%(limits)s::int[])[t.level + 1]
  ) c
  where t.level < %(depth)s
)
select distributor_id, parent_id, level, leg, siblings
from t order by level, parent_id, place
"""
ORDER = {Tree.SPONSOR: "n.size desc, d.id", Tree.PLACEMENT: "d.leg"}


def drawn(root: GenealogyNode, depth: int) -> DrawnNode:
    """A root and whom its tree shows below, cut to what can be drawn. A fixed number of statements.

    Of the sponsor tree the largest lines, of the placement tree the legs in their order with the
    places that are empty. What is cut is counted, not fetched.
    """
    tree = Tree(root.tree)
    query = _DRAWN.replace("{parent}", PARENT[tree]).replace("{order}", ORDER[tree])
    facts = {
        "root": root.distributor_id,
        "tree": tree,
        "depth": depth,
        "limits": list(DRAWN_CHILDREN),
    }
    with connection.cursor() as cursor:
        cursor.execute(query, facts)
        found = cursor.fetchall()
    nodes = {
        node.distributor_id: node
        for node in nodes_of(tree).filter(distributor__in=[row[0] for row in found])
    }
    people: dict[int, DrawnNode] = {}
    for distributor_id, parent_id, _, leg, siblings in found:
        people[distributor_id] = DrawnNode(nodes[distributor_id], leg)
        if parent_id is not None:
            parent = people[parent_id]
            parent.children.append(people[distributor_id])
            parent.hidden = siblings - len(parent.children)
    if tree == Tree.PLACEMENT:
        width = max([legs_in_use(), *(row[3] for row in found)])
        for row in found:
            if row[2] < depth:
                person = people[row[0]]
                person.children = list(_with_empty_places(person, width))
    return people[root.distributor_id]


def _with_empty_places(parent: DrawnNode, width: int) -> Iterator[DrawnNode]:
    """The legs of a parent in their order; nothing is said of legs behind those that are cut."""
    taken = {child.leg: child for child in parent.children}
    last = max(taken, default=0) if parent.hidden else min(width, DRAWN_CHILDREN[0])
    for leg in range(1, max([last, *taken]) + 1):
        child = taken.get(leg) or DrawnNode(None, leg)
        child.leg_name = name_of_leg(leg, width)
        yield child


def name_of_leg(leg: int, width: int) -> str:
    """Left and right where there are two, else by number."""
    return ("Left", "Right")[leg - 1] if width == BINARY else f"Leg {leg}"


def legs_in_use() -> int:
    """How many legs the placement tree has: as the rule says; without one two, or the furthest leg
    that anybody stands in."""
    width = places_under_each()
    return width or max(BINARY, Distributor.objects.aggregate(last=Max("leg"))["last"] or 0)

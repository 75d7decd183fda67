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
    without a person is an empty place, or all the places under somebody (`places`). Of who
    `is_reduced` only name and number are shown.
    """

    node: GenealogyNode | None
    leg: int = 0
    leg_name: str = ""
    children: list["DrawnNode"] = field(default_factory=list)
    hidden: int = 0
    is_reduced: bool = False
    places: int = 1

    @property
    def distributor(self) -> Distributor:
        if self.node is None:
            raise LookupError("Nobody stands in an empty place.")
        return self.node.distributor

    def people(self) -> Iterator["DrawnNode"]:
        """Everybody who is drawn, this one first."""
        if self.node is not None:
            yield self
        for child in self.children:
            yield from child.people()


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
    where d.{parent}_id = t.distributor_id and (t.level > 0 or coalesce(d.leg, 0) >= %(first)s)
    order by {order}
    limit (%(limits)s::int[])[t.level + 1]
  ) c
  where t.level < %(depth)s
)
select distributor_id, parent_id, level, leg, siblings
from t order by level, parent_id, place
"""
ORDER = {Tree.SPONSOR: "n.size desc, d.id", Tree.PLACEMENT: "d.leg"}


def drawn(root: GenealogyNode, depth: int, first_leg: int = 1) -> DrawnNode:
    """A root and whom its tree shows below, cut to what can be drawn. A fixed number of statements.

    Of the sponsor tree the largest lines, of the placement tree the legs in their order with the
    places that are empty, those of the root from `first_leg` on. What is cut is counted, not
    fetched.
    """
    tree = Tree(root.tree)
    query = _DRAWN.replace("{parent}", PARENT[tree]).replace("{order}", ORDER[tree])
    facts = {
        "root": root.distributor_id,
        "tree": tree,
        "depth": depth,
        "limits": list(DRAWN_CHILDREN),
        "first": first_leg if tree == Tree.PLACEMENT else 0,
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
        show_legs([(people[row[0]], row[2]) for row in found if row[2] < depth], first_leg)
    return people[root.distributor_id]


def show_legs(parents: list[tuple[DrawnNode, int]], first_leg: int) -> None:
    """Put the children of each parent (with his level) into their legs, with those that are empty.

    As many legs are drawn as DRAWN_CHILDREN says, the root's from `first_leg` on; who stands in a
    further one is counted.
    """
    legs = [child.leg for parent, _ in parents for child in parent.children]
    width = max([legs_in_use(), *legs])
    for parent, level in parents:
        first = first_leg if level == 0 else 1
        last = min(width, first - 1 + DRAWN_CHILDREN[level])
        taken = {child.leg: child for child in parent.children}
        parent.hidden += sum(1 for leg in taken if leg > last)
        if level and not taken and width > last:
            parent.children = [DrawnNode(None, places=width)]
            continue
        parent.children = [taken.get(leg) or DrawnNode(None, leg) for leg in range(first, last + 1)]
        for child in parent.children:
            child.leg_name = name_of_leg(child.leg, width)


def name_of_leg(leg: int, width: int) -> str:
    """Left and right where there are two, else by number."""
    return ("Left", "Right")[leg - 1] if width == BINARY else f"Leg {leg}"


def legs_in_use() -> int:
    """How many legs the placement tree has: as the rule says; without one two, or the furthest leg
    that anybody stands in."""
    width = places_under_each()
    return width or max(BINARY, Distributor.objects.aggregate(last=Max("leg"))["last"] or 0)

"""The nearest free place at or below each, kept beside the index of the placement tree.

`open_depth` of a node is the depth at which the nearest free place of its subtree lies: one deeper
than the node itself while a leg of it is free, else the least of its children's. So a free place is
found by going down along it, however many people stand below, and a newcomer changes it in those
few above who were waiting for that very place.

    width 2:  A has B and C, B has D.   D: 3, C: 2, B: 2 (its second leg), A: 2
"""

import numpy as np
from django.db import connection

from genealogy.models import PlacementRule
from genealogy.services.intervals import Integers


def places_under_each() -> int | None:
    """The width of the placement tree; None for a company without one."""
    return PlacementRule.objects.values_list("width", flat=True).first()


def open_depths(parent: Integers, depth: Integers, width: int) -> Integers:
    """`open_depth` of a forest given by each member's parent index, -1 for a top.

    A few passes over each level, deepest first.
    """
    children = np.bincount(parent[parent >= 0], minlength=len(parent))
    found = np.where(children < width, depth + 1, np.iinfo(np.int32).max)
    order = np.argsort(depth, kind="stable")
    for level in reversed(np.split(order, np.cumsum(np.bincount(depth))[:-1])[1:]):
        full = level[children[parent[level]] >= width]
        np.minimum.at(found, parent[full], found[full])
    return found


def refresh_upwards(distributor_id: int | None) -> None:
    """After somebody got or lost somebody below: him, and those above as far as it matters."""
    width = places_under_each()
    while width is not None and distributor_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(_REFRESH, {"who": distributor_id, "width": width})
            changed = cursor.fetchone()
        distributor_id = changed[0] if changed else None


_REFRESH = """
with below as (
  select count(*) as people, min(n.open_depth) as nearest
  from genealogy_distributor d
  join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = 'placement'
  where d.placement_parent_id = %(who)s
), right_one as (
  select case when people < %(width)s then null else nearest end as nearest from below
)
update genealogy_genealogynode n set open_depth = coalesce(right_one.nearest, n.depth + 1)
from right_one, genealogy_distributor own
where n.distributor_id = %(who)s and n.tree = 'placement' and own.id = n.distributor_id
  and n.open_depth is distinct from coalesce(right_one.nearest, n.depth + 1)
returning own.placement_parent_id
"""

"""The tree index held against the parents it is made from."""

from dataclasses import dataclass

from django.db import connection

from genealogy.models.node import Tree
from genealogy.services.tree_index import MEMBERS, PARENT_COLUMN


@dataclass(frozen=True)
class Break:
    """One difference between the index and the parents."""

    number: str
    what: str


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
  union all
  select n.number, 'has its nearest free place at depth ' || n.right_one
  from (
    select d.number, n.tree, n.open_depth,
           case when count(c.id) < r.width then n.depth + 1 else min(cn.open_depth) end as right_one
    from genealogy_genealogynode n
    join genealogy_distributor d on d.id = n.distributor_id
    cross join genealogy_placementrule r
    left join genealogy_distributor c on c.placement_parent_id = d.id
    left join genealogy_genealogynode cn on cn.distributor_id = c.id and cn.tree = n.tree
    where n.tree = %(tree)s and n.tree = 'placement'
    group by n.tree, n.distributor_id, d.number, r.width
  ) n where n.open_depth is distinct from n.right_one
) as found order by number, what limit %(limit)s
"""

"""A tree as it was on another day, read from the positions: whose children, how far up, how many.

Everything is put into the shapes of today's pages. The people carry what is known of the day and
nothing of today: number, name, day of joining, parents and directs of the day.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.db import connection
from django.db.models import Q, QuerySet

from genealogy.models import Distributor, DistributorPosition, GenealogyNode, Rank
from genealogy.models.node import Tree
from genealogy.queries.changes import Changes, Day
from genealogy.queries.explorer import (
    CRUMBS,
    MOST_GENERATIONS,
    PAGE,
    Crumb,
    More,
    Row,
    Rows,
    unfold,
)
from genealogy.services import past_ranks


@dataclass
class PastTree:
    """One of the trees on a day, as it was known at a moment.

    Whom it is asked about and had no place in it on the day is left out of the answers.
    """

    tree: str
    day: Day
    _nodes: dict[int, GenealogyNode | None] = field(default_factory=dict, init=False)
    _uplines: dict[int, list[int]] = field(default_factory=dict, init=False)

    @cached_property
    def changes(self) -> Changes:
        return Changes(self.tree, self.day)

    @cached_property
    def knows_ranks(self) -> bool:
        return past_ranks.are_known(self.day.on, self.day.known_at)

    @property
    def positions(self) -> QuerySet[DistributorPosition]:
        rows = DistributorPosition.objects.filter(tree=self.tree)
        return rows.as_of(self.day.on, self.day.known_at)

    # People

    def nodes(self, depths: dict[int, int]) -> dict[int, GenealogyNode]:
        """Those of the people who had a place, by id: their line's size, and the depth given.

        Two statements beside what changed.
        """
        query = _PEOPLE.format(
            place=self.day.place_of("d.id"),
            sponsor=self.day.place_of("d.id", "'sponsor'"),
            held=self.day.held("b"),
        )
        with connection.cursor() as cursor:
            cursor.execute(query, self.day.facts(self.tree, ids=list(depths)))
            found = [_Found(*row) for row in cursor.fetchall()]
        ids = [each.id for each in found]
        ranks = past_ranks.names_of(ids, self.day.on, self.day.known_at)
        return {
            each.id: GenealogyNode(
                tree=self.tree,
                depth=depths[each.id],
                size=self.changes.size(each.id, each.label),
                distributor=each.person(ranks.get(each.id, ""), in_tree=self.tree),
            )
            for each in found
        }

    @property
    def _is_placement(self) -> bool:
        return self.tree == Tree.PLACEMENT

    def has(self, distributor_id: int) -> bool:
        """Whether somebody had a place on the day: in the placement tree under or above others."""
        his = Q(distributor=distributor_id)
        if self._is_placement:
            his = Q(his, parent__isnull=False) | Q(parent=distributor_id)
        return self.positions.filter(his).exists()

    def labels(self, ids: Iterable[int]) -> dict[int, tuple[int, int, int]]:
        """(lft, rgt, size) of today."""
        nodes = GenealogyNode.objects.filter(tree=self.tree, distributor__in=list(ids))
        rows = nodes.values_list("distributor", "lft", "rgt", "size")
        return {pk: (lft, rgt, size) for pk, lft, rgt, size in rows}

    def sizes(self, ids: Iterable[int]) -> dict[int, int]:
        """How many people stood in the lines of some who were there, themselves counted."""
        ids = list(ids)
        labels = self.labels(ids)
        return {pk: self.changes.size(pk, labels.get(pk)) for pk in ids}

    def node(self, distributor_id: int) -> GenealogyNode | None:
        """Somebody's place on the day, with his depth below the top; None where he had none."""
        if distributor_id not in self._nodes:
            depth = len(self.upline(distributor_id))
            found = self.nodes({distributor_id: depth})
            self._nodes[distributor_id] = found.get(distributor_id)
        return self._nodes[distributor_id]

    def upline(self, distributor_id: int) -> list[int]:
        """Everybody above on the day, the top first."""
        if distributor_id not in self._uplines:
            found = self.uplines([distributor_id]).get(distributor_id, [])
            self._uplines[distributor_id] = found[::-1]
        return self._uplines[distributor_id]

    def uplines(self, ids: Iterable[int]) -> dict[int, list[int]]:
        """The same for several people, nearest first."""
        found: dict[int, list[int]] = defaultdict(list)
        query = _UPLINE.format(
            place=self.day.place_of("start"), above=self.day.place_of("up.above")
        )
        with connection.cursor() as cursor:
            cursor.execute(query, self.day.facts(self.tree, start=list(ids)))
            for start, above in cursor.fetchall():
                found[start].append(above)
        return found

    # The list

    def children_page(
        self,
        parent: Distributor,
        level: int,
        after: str = "",
        shown: int = 0,
        skip: Iterable[str] = (),
    ) -> Rows:
        """The next fifty directs of a distributor on the day, and where it goes on."""
        skipped = list(skip)
        rows = self.positions.filter(parent=parent).order_by("distributor_id")
        total = rows.count()
        if after:
            last = Distributor.objects.filter(number=after).values("pk")
            rows = rows.filter(distributor_id__gt=last[:1])
        if skipped:
            rows = rows.exclude(distributor__number__in=skipped)
        ids = list(rows.values_list("distributor_id", flat=True)[: PAGE + 1])
        nodes = self.nodes(dict.fromkeys(ids[:PAGE], 0))
        found: Rows = [
            Row(nodes[pk], level, shown + place, total) for place, pk in enumerate(ids[:PAGE], 1)
        ]
        if len(ids) > PAGE:
            last_number = nodes[ids[PAGE - 1]].distributor.number
            found.append(More(parent.number, last_number, shown + PAGE, total, level, skipped))
        return found

    def continued(self, root: GenealogyNode, after: str, shown: int) -> Rows:
        """A root and its further directs."""
        return [
            Row(root, 1, 1, 1, is_open=True),
            *self.children_page(root.distributor, level=2, after=after, shown=shown),
        ]

    def opened(
        self, root: GenealogyNode, opens: Iterable[GenealogyNode], at: GenealogyNode | None
    ) -> Rows:
        """The list of the day from a root down, opened as `queries.opened` opens today's."""
        leaves = [node.distributor_id for node in opens]
        wanted = [at.distributor_id] if at else []
        shown = {root.distributor_id, *leaves}
        for way in self.uplines([*leaves, *wanted]).values():
            if root.distributor_id in way:
                shown |= {*way[: way.index(root.distributor_id)]}
        ids = self._first_children(shown, wanted)
        nodes = self.nodes(dict.fromkeys(ids, 0))
        by_parent: dict[int | None, list[GenealogyNode]] = defaultdict(list)
        for pk in ids:
            by_parent[nodes[pk].distributor.sponsor_id].append(nodes[pk])
        rows: Rows = []
        unfold(rows, Row(root, 1, 1, 1), by_parent, shown, at)
        return rows

    def _first_children(self, parents: Iterable[int], wanted: list[int]) -> list[int]:
        ids = list(parents)
        facts = self.day.facts(self.tree, parents=ids, wanted=[*ids, *wanted], page=PAGE)
        with connection.cursor() as cursor:
            cursor.execute(_FIRST_CHILDREN.format(held=self.day.held()), facts)
            return [row[0] for row in cursor.fetchall()]

    def is_near(self, node: GenealogyNode, root: GenealogyNode) -> bool:
        """Whether a node is not so deep below a root that the list would not end."""
        return node.depth - root.depth <= MOST_GENERATIONS

    def beginning_above(self, node: GenealogyNode, root: GenealogyNode) -> str:
        """The number of somebody on the way, from whom a list is short enough; "" if `root` is."""
        if self.is_near(node, root):
            return ""
        near = self.upline(node.distributor_id)[-CRUMBS]
        return Distributor.objects.values_list("number", flat=True).get(pk=near)

    def crumbs(self, node: GenealogyNode, top: GenealogyNode | None) -> list[Crumb]:
        """The way down to somebody on the day, from the reader's place or the very top."""
        ids = self.upline(node.distributor_id)
        if top is not None:
            ids = ids[ids.index(top.distributor_id) :] if top.distributor_id in ids else []
        kept = ids if len(ids) <= CRUMBS else [ids[0], *ids[1 - CRUMBS :]]
        people = Distributor.objects.only("number", "display_name").in_bulk(kept)
        trail = [Crumb(people[pk]) for pk in kept]
        if len(kept) < len(ids):
            trail.insert(1, Crumb(None, len(ids) - len(kept)))
        return trail

    def tops(self, limit: int = PAGE) -> list[GenealogyNode]:
        """Those with nobody above on the day, largest lines first."""
        if self._is_placement:
            placed = self.positions.filter(parent__isnull=False)
            parents = placed.values_list("parent", flat=True).distinct()
            above = set(parents.exclude(parent__in=placed.values("distributor")))
        else:
            above = set(self.positions.filter(parent=None).values_list("distributor", flat=True))
        nodes = self.nodes(dict.fromkeys(above, 0)).values()
        return sorted(nodes, key=lambda node: (-node.size, node.distributor_id))[:limit]


@dataclass(frozen=True)
class _Found:
    """A row of _PEOPLE: somebody with a place on the day, and his label of today if he has one."""

    id: int
    number: str
    display_name: str
    joined_on: date
    sponsor_id: int | None
    parent_id: int | None
    leg: int | None
    directs: int
    lft: int | None
    rgt: int
    size: int

    @property
    def label(self) -> tuple[int, int, int] | None:
        return None if self.lft is None else (self.lft, self.rgt, self.size)

    def person(self, rank: str, in_tree: str) -> Distributor:
        is_placed = in_tree == Tree.PLACEMENT
        return Distributor(
            id=self.id,
            number=self.number,
            display_name=self.display_name,
            joined_on=self.joined_on,
            paid_as_rank=Rank(name=rank) if rank else None,
            sponsor_id=self.sponsor_id,
            placement_parent_id=self.parent_id if is_placed else None,
            leg=self.leg,
            direct_referral_count=self.directs,
        )


_PEOPLE = """
select d.id, d.number, d.display_name, d.joined_on, s.parent_id, p.parent_id, p.leg,
       below.directs, n.lft, n.rgt, n.size
from genealogy_distributor d
left join {place} p on true
left join {sponsor} s on true
cross join lateral (
  select count(*) as directs from genealogy_distributorposition b
  where b.parent_id = d.id and {held}
) below
left join genealogy_genealogynode n on n.distributor_id = d.id and n.tree = %(tree)s
where d.id = any(%(ids)s::bigint[])
  and (p.parent_id is not null or below.directs > 0 or p.id is not null and %(tree)s = 'sponsor')
"""
_UPLINE = """
with recursive up as (
  select start, p.parent_id as above, 1 as n
  from unnest(%(start)s::bigint[]) as start cross join {place} p
  union all
  select up.start, p.parent_id, up.n + 1 from up cross join {above} p
)
select start, above from up where above is not null order by n
"""
_FIRST_CHILDREN = """
select c.id from unnest(%(parents)s::bigint[]) as above(id) cross join lateral (
  select p.distributor_id as id from genealogy_distributorposition p
  where p.parent_id = above.id and {held} order by p.distributor_id limit %(page)s
) c
union
select p.distributor_id from genealogy_distributorposition p
where p.distributor_id = any(%(wanted)s) and p.parent_id = any(%(parents)s) and {held}
order by 1
"""

"""Finding people in a line: by number or name, or everybody to whom some filters apply."""

import re
from dataclasses import dataclass, field
from datetime import date

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.services.consents import Contact
from genealogy.models import Distributor, GenealogyNode, Rank
from genealogy.queries.explorer import PAGE, UNSEEN, sponsor_nodes

MOST_RESULTS = 20
MOST_COUNTED = 10_000
STEPS_SHOWN = 3
LIKE_A_NUMBER = re.compile(r"(?:D-?)?([0-9]{1,18})", re.IGNORECASE)


def are_enough(words: str) -> bool:
    """Whether something can be looked for: a number, or two letters of a name."""
    return len(words) >= 2 or LIKE_A_NUMBER.fullmatch(words) is not None


def search(top: GenealogyNode | None, words: str) -> list[GenealogyNode]:
    """Up to twenty people of a line (of the whole tree for None) by number or name."""
    nodes = line_of(top).select_related("distributor__sponsor")
    if number := LIKE_A_NUMBER.fullmatch(words):
        wanted = Q(distributor__number__in=[words.upper(), f"D-{int(number[1]):06d}"])
    else:
        wanted = Q(distributor__display_name__icontains=words)
    # Any twenty will do when there are more: an order would make the database read them all.
    found = nodes.filter(wanted).order_by()[:MOST_RESULTS]
    return sorted(found, key=lambda node: (node.depth, node.distributor_id))


def line_of(top: GenealogyNode | None) -> QuerySet[GenealogyNode]:
    """A node and everybody below; the whole sponsor tree for None."""
    nodes = sponsor_nodes()
    return nodes if top is None else nodes.filter(lft__range=(top.lft, top.rgt))


@dataclass(frozen=True)
class Filters:
    """What people of a line must have in common; what is None or empty filters nothing.

    `level` counts from the person the line begins with, in the whole tree from the top, which is
    0. `activity` is "active" for PV in the open period and "inactive" for none.
    """

    rank: Rank | None = None
    status: str = ""
    activity: str = ""
    level: int | None = None
    joined_from: date | None = None
    joined_to: date | None = None

    def __bool__(self) -> bool:
        return self != Filters()

    def within(self, root: GenealogyNode | None) -> QuerySet[GenealogyNode]:
        """Nodes below a root (in the whole tree for None) to which all of it applies."""
        nodes = sponsor_nodes()
        if root is not None:
            nodes = nodes.filter(lft__gt=root.lft, lft__lte=root.rgt)
        if self.level is not None:
            nodes = nodes.filter(depth=self.level + (root.depth if root else 0))
        return nodes.filter(self._about_people())

    def _about_people(self) -> Q:
        wanted = Q()
        if self.rank:
            wanted &= Q(distributor__paid_as_rank=self.rank)
        if self.status:
            wanted &= Q(distributor__status=self.status)
        if self.activity == "active":
            wanted &= Q(distributor__current_month_pv__gt=0)
        if self.activity == "inactive":
            wanted &= Q(distributor__current_month_pv__lte=0)
        if self.joined_from:
            wanted &= Q(distributor__joined_on__gte=self.joined_from)
        if self.joined_to:
            wanted &= Q(distributor__joined_on__lte=self.joined_to)
        return wanted


@dataclass
class Hit:
    """Somebody to whom the filters apply: how far below, and over whom.

    `way` are the nearest people between him and the root, `hidden` how many more there are.
    """

    node: GenealogyNode
    distance: int
    way: list[Distributor] = field(default_factory=list)
    hidden: int = 0
    contact: Contact = UNSEEN
    is_reduced = False

    @property
    def distributor(self) -> Distributor:
        return self.node.distributor

    @property
    def downline(self) -> int:
        return self.node.size - 1


@dataclass
class HitPage:
    """Fifty hits in the order of the tree; `after` is where the next page goes on, or empty.

    `total` is None when there are more than ten thousand.
    """

    hits: list[Hit]
    after: str
    total: int | None


def filtered_page(root: GenealogyNode | None, filters: Filters, after: str = "") -> HitPage:
    """The next fifty people below a root to whom the filters apply. Four statements."""
    nodes = filters.within(root).order_by("lft")
    total = filters.within(root).order_by()[: MOST_COUNTED + 1].count()
    if after:
        last = sponsor_nodes().filter(distributor__number=after).values("lft")
        nodes = nodes.filter(lft__gt=last[:1])
    found = list(nodes[: PAGE + 1])
    ways = _ways([node.distributor_id for node in found[:PAGE]], root)
    hits = [_hit(node, root, ways.get(node.distributor_id, [])) for node in found[:PAGE]]
    goes_on = found[PAGE - 1].distributor.number if len(found) > PAGE else ""
    return HitPage(hits, goes_on, total if total <= MOST_COUNTED else None)


def _hit(node: GenealogyNode, root: GenealogyNode | None, way: list[Distributor]) -> Hit:
    distance = node.depth - (root.depth if root else 0)
    between = max(0, distance - (1 if root else 0))
    return Hit(node, distance, way, between - len(way))


_WAYS = """
with recursive up as (
  select d.id as hit, d.sponsor_id as above, 1 as step
  from genealogy_distributor d where d.id = any(%(hits)s)
  union all
  select up.hit, d.sponsor_id, up.step + 1 from up
  join genealogy_distributor d on d.id = up.above
  where up.above <> %(root)s and up.step < %(steps)s
)
select up.hit, d.id, d.number, d.display_name from up
join genealogy_distributor d on d.id = up.above
where up.above <> %(root)s order by up.hit, up.step desc
"""


def _ways(hits: list[int], root: GenealogyNode | None) -> dict[int, list[Distributor]]:
    """The nearest people above each hit, from the top down, as far as below the root."""
    facts = {
        "hits": hits,
        "root": root.distributor_id if root else 0,
        "steps": STEPS_SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAYS, facts)
        found = cursor.fetchall()
    ways: dict[int, list[Distributor]] = {}
    for hit, pk, number, name in found:
        ways.setdefault(hit, []).append(Distributor(pk=pk, number=number, display_name=name))
    return ways

"""Which part of the trees somebody may look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.http import Http404

from accounts.models import User
from genealogy.models import Distributor, GenealogyNode, Team
from genealogy.models.node import Tree
from genealogy.queries.changes import Day
from genealogy.queries.past import PastTree

VIEW_ALL = "genealogy.view_distributor"


@dataclass
class Scope:
    """The reader's own lines, or the whole trees for staff with the right to see distributors.

    In the placement tree people stand below a distributor who are not in the own sponsor line:
    whoever lies in either line may be looked at, in the tree in which he lies there.
    """

    user: User
    day: Day | None = field(default=None, init=False)

    @cached_property
    def sees_all(self) -> bool:
        return self.user.has_perm(VIEW_ALL)

    @cached_property
    def own(self) -> Distributor | None:
        return Distributor.objects.with_masters().filter(user=self.user).first()

    @cached_property
    def _tops(self) -> dict[str, GenealogyNode]:
        if self.sees_all or self.own is None:
            return {}
        nodes = GenealogyNode.objects.filter(distributor=self.own)
        return {node.tree: node for node in nodes}

    @property
    def top(self) -> GenealogyNode | None:
        """The node above which the reader sees nothing; None for staff and for strangers."""
        return self.top_in(Tree.SPONSOR)

    def top_in(self, tree: str) -> GenealogyNode | None:
        return self._tops.get(tree)

    @property
    def is_stranger(self) -> bool:
        """Neither staff nor a distributor: there is nothing to see."""
        return self.top is None and not self.sees_all

    def node(self, number: str, tree: str = Tree.SPONSOR) -> GenealogyNode:
        """The place of a distributor in a tree; 404 when it lies outside."""
        return self._first_seen(number, [tree])

    def any_node(self, number: str) -> GenealogyNode:
        """The place of a distributor in the sponsor tree, else in the placement tree; else 404."""
        return self._first_seen(number, [Tree.SPONSOR, Tree.PLACEMENT])

    def _first_seen(self, number: str, trees: list[Tree | str]) -> GenealogyNode:
        nodes = GenealogyNode.objects.filter(distributor__number=number).select_related(
            "distributor__rank",
            "distributor__paid_as_rank",
            "distributor__highest_rank",
            "distributor__sponsor",
            "distributor__enroller",
        )
        found = {node.tree: node for node in nodes}
        for tree in trees:
            if tree in found and self.covers(found[tree]):
                return found[tree]
        raise Http404("No such distributor.")

    def covers(self, node: GenealogyNode) -> bool:
        if self.sees_all:
            return True
        top = self.top_in(node.tree)
        return top is not None and top.lft <= node.lft <= top.rgt

    def level_of(self, node: GenealogyNode) -> int:
        """Distance below the reader; for staff, below the top of the tree."""
        top = self.top_in(node.tree)
        return node.depth - (top.depth if top else 0)

    def nodes(self, numbers: Iterable[str]) -> list[GenealogyNode]:
        """The places of those of the numbers in the sponsor tree that the reader may look at."""
        nodes = GenealogyNode.objects.filter(
            tree=Tree.SPONSOR, distributor__number__in=list(numbers)
        ).select_related("distributor")
        return [node for node in nodes if self.covers(node)]


class NotThere(Http404):
    """Somebody whom the reader may look at today had no place in the tree on the day asked for."""

    def __init__(self, person: Distributor) -> None:
        super().__init__("No such distributor on this day.")
        self.person = person


@dataclass
class PastScope(Scope):
    """The reader's own lines as they stood on another day.

    A distributor sees who stood in his line on that day, and of them no more than he may see today:
    of those who do not stand in one of his lines any more, name and number alone (`reduced`), which
    his statements of closed periods name too. What was known at another moment is for staff.
    """

    day: Day = field(kw_only=True)
    today: Scope = field(kw_only=True)

    @property
    def sees_all(self) -> bool:  # type: ignore[override]
        return self.today.sees_all

    @property
    def own(self) -> Distributor | None:  # type: ignore[override]
        return self.today.own

    @cached_property
    def _trees(self) -> dict[str, PastTree]:
        return {tree: PastTree(tree, self.day) for tree in Tree}

    def tree(self, tree: str = Tree.SPONSOR) -> PastTree:
        return self._trees[Tree(tree)]

    def top_in(self, tree: str) -> GenealogyNode | None:
        own = None if self.sees_all else self.own
        return self.tree(tree).node(own.pk) if own else None

    @property
    def is_stranger(self) -> bool:
        return not self.sees_all and self.own is None

    def covers(self, node: GenealogyNode) -> bool:
        return self.reaches(node.distributor_id, node.tree)

    def reaches(self, distributor_id: int, tree: str) -> bool:
        """Whether somebody with a place stood below the reader on the day; by a statement."""
        if self.sees_all:
            return True
        way = self.tree(tree).upline(distributor_id)
        return self.own is not None and self.own.pk in (distributor_id, *way)

    def _first_seen(self, number: str, trees: list[Tree | str]) -> GenealogyNode:
        person = Distributor.objects.filter(number=number).first()
        if person is None:
            raise Http404("No such distributor.")
        for tree in trees:
            node = self.tree(tree).node(person.pk)
            if node and self.covers(node):
                return node
        self.today._first_seen(number, trees)
        raise NotThere(person)

    def nodes(self, numbers: Iterable[str]) -> list[GenealogyNode]:
        people = Distributor.objects.filter(number__in=list(numbers))
        tree = self.tree()
        ids = list(people.values_list("pk", flat=True))
        ways = tree.uplines(ids)
        nodes = tree.nodes({pk: len(ways.get(pk, [])) for pk in ids}).values()
        own = self.own.pk if self.own else None
        return [
            node
            for node in nodes
            if self.sees_all or own in (node.distributor_id, *ways.get(node.distributor_id, []))
        ]

    def reduced(self, ids: Iterable[int]) -> set[int]:
        """Those of some people of the day who do not stand in a line of the reader's today."""
        asked = set(ids)
        if self.sees_all or not asked:
            return set()
        nodes = GenealogyNode.objects.filter(distributor__in=asked)
        return asked - {node.distributor_id for node in nodes if self.today.covers(node)}


@dataclass
class TeamRights:
    """What a reader may do with a team he sees: staff all, its lead within his own downline."""

    user: User
    team: Team

    @cached_property
    def is_staff(self) -> bool:
        return self.user.has_perm("genealogy.change_team")

    @cached_property
    def is_lead(self) -> bool:
        return self.team.lead.user_id == self.user.pk

    @cached_property
    def may_manage(self) -> bool:
        is_open = self.team.status != Team.Status.CLOSED
        return is_open and (self.is_staff or (self.is_lead and self.team.status == "active"))

    @cached_property
    def own_number(self) -> str:
        """The reader's own number when he is in the team and may leave it."""
        own = Distributor.objects.filter(
            user=self.user, team_memberships__team=self.team, team_memberships__left_at=None
        ).exclude(pk=self.team.lead_id)
        return own.values_list("number", flat=True).first() or ""

    def in_line(self, ids: list[int]) -> set[int]:
        """Whose rank the reader sees: staff everybody's, he the own one and those below him."""
        below = Distributor.objects.visible_to(self.user)
        return set(below.filter(pk__in=ids).values_list("pk", flat=True))

    def manageable(self, ids: list[int]) -> set[int]:
        """Whose figures the reader sees and whom he may remove: the lead, of his own downline."""
        if not self.may_manage:
            return set()
        if self.is_staff:
            return set(ids)
        below = Distributor.objects.in_downline_of(self.team.lead, with_self=True)
        return set(below.filter(pk__in=ids).values_list("pk", flat=True))

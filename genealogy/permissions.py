"""Which part of the sponsor tree somebody may look at."""

from dataclasses import dataclass
from functools import cached_property

from django.http import Http404

from accounts.models import User
from genealogy.models import Distributor, GenealogyNode, Team
from genealogy.models.node import Tree

VIEW_ALL = "genealogy.view_distributor"


@dataclass
class Scope:
    """The reader's own line, or the whole tree for staff with the right to see distributors."""

    user: User

    @cached_property
    def sees_all(self) -> bool:
        return self.user.has_perm(VIEW_ALL)

    @cached_property
    def own(self) -> Distributor | None:
        return Distributor.objects.with_masters().filter(user=self.user).first()

    @cached_property
    def top(self) -> GenealogyNode | None:
        """The node above which the reader sees nothing; None for staff and for strangers."""
        if self.sees_all or self.own is None:
            return None
        return GenealogyNode.objects.filter(distributor=self.own, tree=Tree.SPONSOR).first()

    def node(self, number: str) -> GenealogyNode:
        """The place of a distributor in the sponsor tree; 404 when it lies outside."""
        nodes = GenealogyNode.objects.filter(tree=Tree.SPONSOR, distributor__number=number)
        node = nodes.select_related(
            "distributor__rank",
            "distributor__paid_as_rank",
            "distributor__highest_rank",
            "distributor__sponsor",
            "distributor__enroller",
        ).first()
        if node is None or not self.covers(node):
            raise Http404("No such distributor.")
        return node

    def covers(self, node: GenealogyNode) -> bool:
        if self.sees_all:
            return True
        return self.top is not None and self.top.lft <= node.lft <= self.top.rgt

    def level_of(self, node: GenealogyNode) -> int:
        """Distance below the reader; for staff, below the top of the tree."""
        return node.depth - (self.top.depth if self.top else 0)


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

    def manageable(self, ids: list[int]) -> set[int]:
        """Whose figures the reader sees and whom he may remove: the lead, of his own downline."""
        if not self.may_manage:
            return set()
        if self.is_staff:
            return set(ids)
        below = Distributor.objects.in_downline_of(self.team.lead, with_self=True)
        return set(below.filter(pk__in=ids).values_list("pk", flat=True))

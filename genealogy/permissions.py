"""Which part of the sponsor tree somebody may look at."""

from dataclasses import dataclass
from functools import cached_property

from django.http import Http404

from accounts.models import User
from genealogy.models import Distributor, GenealogyNode
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

from django.db import models
from django.db.models import F, Q

from genealogy.models.distributor import Distributor


class Tree(models.TextChoices):
    SPONSOR = "sponsor", "Sponsor tree"
    PLACEMENT = "placement", "Placement tree"


class GenealogyNode(models.Model):
    """A distributor's interval in one tree: everybody below lies within (lft, rgt].

    An index beside the adjacency columns of Distributor, never the truth. Labels are sparse, so
    an insert takes from its parent's gap; see genealogy/services/tree.py.
    """

    distributor = models.ForeignKey(
        Distributor, models.CASCADE, related_name="nodes", db_index=False
    )
    tree = models.CharField(max_length=9, choices=Tree)
    lft = models.BigIntegerField()
    rgt = models.BigIntegerField()
    depth = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="Distributors in the subtree, with this one.")
    open_depth = models.PositiveIntegerField(
        null=True, help_text="In the placement tree: depth of the nearest free place below."
    )

    class Meta:
        indexes = [
            models.Index(fields=["tree", "depth", "lft"], name="genealogy_node_level"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor", "tree"], name="genealogy_node_once_per_tree"
            ),
            models.UniqueConstraint(
                fields=["tree", "lft"],
                name="genealogy_node_label_unique",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(rgt__gte=F("lft")), name="genealogy_node_interval_ordered"
            ),
            models.CheckConstraint(condition=Q(size__gte=1), name="genealogy_node_size_positive"),
            models.CheckConstraint(
                condition=Q(tree__in=["sponsor", "placement"]), name="genealogy_node_tree_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tree} node of {self.distributor_id}"

    @property
    def downline(self) -> int:
        return self.size - 1


class GenealogyPath(models.Model):
    """Ancestor and descendant with their distance: a view over the intervals."""

    pk = models.CompositePrimaryKey("ancestor_id", "descendant_id", "path_type")
    ancestor = models.ForeignKey(Distributor, models.DO_NOTHING, related_name="+")
    descendant = models.ForeignKey(Distributor, models.DO_NOTHING, related_name="+")
    depth = models.IntegerField()
    path_type = models.CharField(max_length=9, choices=Tree)
    leg_position = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "genealogy_paths"

    def __str__(self) -> str:
        return f"{self.ancestor_id} above {self.descendant_id}"

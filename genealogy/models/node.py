from typing import Any

from django.db import models
from django.db.models import F, Q

from genealogy.models.distributor import Distributor


class Tree(models.TextChoices):
    SPONSOR = "sponsor", "Sponsor tree"
    PLACEMENT = "placement", "Placement tree"


class TreeField(models.CharField):
    """Which tree, as a type of the database: four bytes where millions of rows say it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 9, "choices": Tree.choices} | kwargs)

    def db_type(self, connection: Any) -> str:
        return "genealogy_tree"


class GenealogyNode(models.Model):
    """A distributor's interval in one tree: everybody below lies within (lft, rgt].

    An index beside the adjacency columns of Distributor, never the truth. Labels are sparse, so
    an insert takes from its parent's gap; see genealogy/services/tree.py.
    """

    pk = models.CompositePrimaryKey("tree", "distributor_id")
    distributor = models.ForeignKey(
        Distributor, models.CASCADE, related_name="nodes", db_index=False
    )
    lft = models.BigIntegerField()
    rgt = models.BigIntegerField()
    depth = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="Distributors in the subtree, with this one.")
    open_depth = models.PositiveIntegerField(
        null=True, help_text="In the placement tree: depth of the nearest free place below."
    )
    tree = TreeField()

    class Meta:
        indexes = [
            models.Index(fields=["tree", "depth", "lft"], name="genealogy_node_level"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tree", "lft"],
                name="genealogy_node_label_unique",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(rgt__gte=F("lft")), name="genealogy_node_interval_ordered"
            ),
            models.CheckConstraint(condition=Q(size__gte=1), name="genealogy_node_size_positive"),
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
    path_type = TreeField()
    leg_position = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "genealogy_paths"

    def __str__(self) -> str:
        return f"{self.ancestor_id} above {self.descendant_id}"

from genealogy.models.attribute import DistributorAttribute
from genealogy.models.distributor import Distributor
from genealogy.models.move import Move
from genealogy.models.node import GenealogyNode, GenealogyPath
from genealogy.models.placement import PlacementRule, Waiting
from genealogy.models.position import DistributorPosition
from genealogy.models.rank import Rank

__all__ = [
    "Distributor",
    "DistributorAttribute",
    "DistributorPosition",
    "GenealogyNode",
    "GenealogyPath",
    "Move",
    "PlacementRule",
    "Rank",
    "Waiting",
]

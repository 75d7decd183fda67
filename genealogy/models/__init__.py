from genealogy.models.attribute import DistributorAttribute
from genealogy.models.distributor import Distributor
from genealogy.models.enrolment import Enrolment
from genealogy.models.export import DownlineExport
from genealogy.models.move import Move
from genealogy.models.node import GenealogyNode, GenealogyPath
from genealogy.models.placement import PlacementPreference, PlacementRule, Waiting
from genealogy.models.position import DistributorPosition
from genealogy.models.rank import Rank
from genealogy.models.referral import Referral, ReferralClick, ReferralCode, ReferralProgram
from genealogy.models.team import Team, TeamMembership
from genealogy.models.territory import Territory, TerritoryAssignment

__all__ = [
    "Distributor",
    "DistributorAttribute",
    "DistributorPosition",
    "DownlineExport",
    "Enrolment",
    "GenealogyNode",
    "GenealogyPath",
    "Move",
    "PlacementPreference",
    "PlacementRule",
    "Rank",
    "Referral",
    "ReferralClick",
    "ReferralCode",
    "ReferralProgram",
    "Team",
    "TeamMembership",
    "Territory",
    "TerritoryAssignment",
    "Waiting",
]

from commissions.models.batch import PayoutBatch, PayoutFile, StatusFile
from commissions.models.estimate import Estimate, EstimatedAmount, EstimateDifference
from commissions.models.journal import JournalEntry, LedgerAccount, Posting
from commissions.models.ledger import CarriedState, LedgerEntry, MeasuredPart, Standing, VolumeClaim
from commissions.models.payout import Payout, PayoutMethod
from commissions.models.period import CommissionPeriod, CommissionRun
from commissions.models.plan import Bonus, CompensationPlan, PlanVersion
from commissions.models.rank_change import RankChange
from commissions.models.reward import Reward
from commissions.models.trial import PlanTrial, TrialEarning

__all__ = [
    "Bonus",
    "CarriedState",
    "CommissionPeriod",
    "CommissionRun",
    "CompensationPlan",
    "Estimate",
    "EstimateDifference",
    "EstimatedAmount",
    "JournalEntry",
    "LedgerAccount",
    "LedgerEntry",
    "MeasuredPart",
    "Payout",
    "PayoutBatch",
    "PayoutFile",
    "PayoutMethod",
    "PlanTrial",
    "PlanVersion",
    "Posting",
    "RankChange",
    "Reward",
    "Standing",
    "StatusFile",
    "TrialEarning",
    "VolumeClaim",
]

"""Words and numbers that the parts of a plan share."""

from __future__ import annotations

from typing import Annotated, Literal

from commissions.engine.plan.reading import Between

SCHEMA_VERSION = 2
WHOLE: int = 1_000_000
LONGEST_WALK = 100
NO_RANK = "none"
PAYMENT, PERIOD_CLOSE = "payment", "period_close"
SPONSOR, ENROLLER, PLACEMENT = "sponsor", "enroller", "placement"
ENROLMENT_KIT = "enrolment_kit"

Rounding = Literal["half_even", "half_up", "toward_zero", "away_from_zero"]
LedgerType = Literal[
    "direct_bonus", "level_income", "binary_bonus", "reward_bonus", "retail", "unilevel",
    "matching", "leadership", "fast_start", "rank_bonus", "car_bonus", "differential",
    "breakaway", "matrix", "pool_share", "pass_up", "adjustment",
]  # fmt: skip
Tree = Literal["sponsor", "enroller", "placement"]
Steps = Annotated[int, Between(1, LONGEST_WALK)]

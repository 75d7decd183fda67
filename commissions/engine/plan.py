"""A compensation plan as frozen records: what `loading.load_plan` reads out of a document.

A plan says what counts as volume, what a rank asks for, and what each bonus pays. A bonus is
composed, there is no class of plan: **trigger** (at payment of the order, or at the close of the
period), **base** (which amount of the order line, or a flat amount), **selector** (the seller, the
distributor himself, or a walk up a tree: where it starts, which uplines count as a step, how far it
goes), **eligibility**, **rates** (by step, or by the earner's rank and the step) or **amounts** by
rank, and **occurrence**. The plan's money rules and limits hold for all bonuses.

Where good plans differ, the field is required and says which way: the engine has no defaults.

    "rates": {"by": "rank_and_step", "table": {"bronze": ["0.05", "0.04"], "silver": [...]}}

reads: a Bronze earns 5 % at the first counted step, 4 % at the second, nothing further up. A rank
without a row earns nothing. Money is held in hundredths, rates in millionths, both exact integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA_VERSION = 1
ORDER_CLASSES = ("retail", "preferred", "self_consumption", "autoship", "enrolment_kit")
TREES = ("sponsor", "enroller")
PAYMENT, PERIOD_CLOSE = TRIGGERS = ("payment", "period_close")
SELLER, UPLINE = STARTS = ("seller", "upline")
LEDGER_TYPES = (
    "direct_bonus", "level_income", "binary_bonus", "reward_bonus", "retail", "unilevel",
    "matching", "leadership", "fast_start", "rank_bonus", "car_bonus",
)  # fmt: skip
LONGEST_WALK, MOST_RANKS = 100, 100


@dataclass(frozen=True, slots=True)
class Money:
    """How amounts are rounded. `granularity` payment: each ledger line by itself, then summed."""

    rounding: str
    scale: int
    granularity: str
    zero_amounts: str


@dataclass(frozen=True, slots=True)
class Volumes:
    """Whose lines make personal volume, and what stands below a distributor's group volume."""

    personal: tuple[str, ...]
    group_tree: str
    group_includes_own: bool


@dataclass(frozen=True, slots=True)
class Rank:
    """One rung. A leg is a first-level subtree of the group tree with at least `min_leg_volume`."""

    code: str
    name: str
    level: int
    min_personal_pv: int
    min_group_pv: int
    min_legs: int
    min_leg_volume: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The ranks from the lowest up. `climb` each_rank: every rung below must be met as well;
    highest_met: the highest rung met counts alone. Level 0 is "no rank"."""

    climb: str
    when_not_met: str
    ranks: tuple[Rank, ...]

    def level(self, code: str | None) -> int:
        return next((rank.level for rank in self.ranks if rank.code == code), 0)

    def rank(self, level: int) -> Rank | None:
        """The rank of a standing's level; None for level 0."""
        return self.ranks[level - 1] if 0 < level <= len(self.ranks) else None


@dataclass(frozen=True, slots=True)
class Steps:
    """Which uplines use up a step. physical: each; compressed: those not skipped by the rule."""

    count: str
    skip_inactive: bool
    skip_below_level: int


@dataclass(frozen=True, slots=True)
class Selector:
    """Who is paid. who = self (each distributor), seller, or walk. `starts` names the order
    classes that pay at all and, for a walk, whether the first step is the seller or his upline."""

    who: str
    starts: Mapping[str, str]
    tree: str
    steps: Steps | None
    max_steps: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What the counted upline must fulfil to be paid; otherwise the step is lost."""

    active: bool
    min_level: int
    otherwise: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Millionths: `table[rank level][step - 1]`, level 0 = no rank; 0 = pays nothing."""

    by: str
    table: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Bonus:
    """One bonus; `position` is its index in the plan and in the ledger blocks. `amounts` by rank
    level for a flat bonus, else empty; a flat bonus has an empty rate table."""

    position: int
    code: str
    name: str
    ledger_type: str
    trigger: str
    base: str
    selector: Selector
    eligibility: Eligibility
    rates: Rates
    amounts: tuple[int, ...]
    skipped_ranks: str | None

    @property
    def needs_standings(self) -> bool:
        """Whether anybody's rank or activity matters; if not, an order alone decides."""
        steps = self.selector.steps
        skips = steps is not None and (steps.skip_inactive or steps.skip_below_level > 0)
        asks = self.eligibility.active or self.eligibility.min_level > 0
        return skips or asks or bool(self.amounts) or self.rates.by == "rank_and_step"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What these bonuses pay together stays within `share` of the period's volume."""

    share: int
    of: str
    bonuses: tuple[str, ...]
    when_exceeded: str


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a refund after the period does: to the cent in proportion, never re-ranking the past."""

    commissions: str
    volume_counts_in: str
    reevaluate_rank: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. `content_hash` identifies the document byte for byte (canonical JSON)."""

    content_hash: str
    name: str
    currency: str
    money: Money
    volumes: Volumes
    activity_min_pv: int
    ladder: Ladder
    bonuses: tuple[Bonus, ...]
    ceiling: Ceiling | None
    reversal: Reversal

    def bonus(self, code: str) -> Bonus:
        """The bonus of that code; KeyError when the plan has none."""
        for bonus in self.bonuses:
            if bonus.code == code:
                return bonus
        raise KeyError(code)

    @property
    def pays_on_enrolment(self) -> tuple[str, ...]:
        """Codes of bonuses paid for enrolment kits: such a plan is simulated, never activated."""
        paying = (bonus for bonus in self.bonuses if "enrolment_kit" in bonus.selector.starts)
        return tuple(bonus.code for bonus in paying)

    def triggered_by(self, trigger: str) -> tuple[Bonus, ...]:
        return tuple(bonus for bonus in self.bonuses if bonus.trigger == trigger)

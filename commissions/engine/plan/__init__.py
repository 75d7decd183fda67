"""A compensation plan as records: the whole plan language, in the order a document has it.

A plan says what the figures of an order are (`volumes`), what is measured of a distributor
(`metrics`), what one asks of him (conditions), which ranks there are (`ladders`), what is paid
(`bonuses`), what it may come to (`limits`), and what a refund and a payout do. There are no classes
of plan: a bonus is composed of

    base      what is paid on: an order line's volume, a member's metric, other commissions, a flat
    pays      who: the source himself, uplines on a walk, the owner of two legs, a pool, the company
    rates     how much, by step, rank, package, order kind or a metric's band
    eligibility, occurrence, exclusion

Unilevel, binary, matrix, breakaway, generation, matching, fast start, pools are documents made of
these (`commissions/plans/`). Where good plans differ, the field is required and says which way.

    "rates": {"by": "rank", "ladder": "rank", "which": "paid_as",
              "table": {"bronze": ["0.05", "0.04"], "silver": ["0.05", "0.04", "0.03"]}}

reads: a Bronze earns 5 % at the first counted step, 4 % at the second, nothing further up. A rank
without a row earns nothing. Volumes and money are held in hundredths, rates in millionths, exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any

from commissions.engine.plan.bases import Flat, OfCommissions, OfMetric, OfOrder
from commissions.engine.plan.bonuses import (
    Always,
    Bonus,
    Eligibility,
    Exclusion,
    OnceEver,
    OncePerRank,
    Reward,
    Speed,
)
from commissions.engine.plan.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    HasFlag,
    HasLeft,
    HasPackage,
    HasRank,
    IsActive,
    JoinedInPeriod,
    JoinedWithin,
    LegCap,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Not,
    Recruit,
)
from commissions.engine.plan.ladders import (
    FallsAtOnce,
    Grace,
    Ladder,
    Lock,
    Matrix,
    NeverFalls,
    Package,
    Rank,
)
from commissions.engine.plan.leaving import Left
from commissions.engine.plan.limits import Limit, Payout, Reversal
from commissions.engine.plan.metrics import Company, Group, Legs, Levels, Metric, Own
from commissions.engine.plan.money import Money, Volume
from commissions.engine.plan.orders import Orders
from commissions.engine.plan.payees import (
    CarryCap,
    Compressed,
    EqualShares,
    Gate,
    Generations,
    MetricShares,
    MostByRank,
    PaysCompany,
    PaysPairs,
    PaysPool,
    PaysSource,
    PaysUpline,
    Physical,
    RankShares,
    Stop,
)
from commissions.engine.plan.rates import (
    Band,
    ByBand,
    ByFigure,
    ByKind,
    ByPackage,
    ByRank,
    ByStep,
    Less,
    Rates,
)
from commissions.engine.plan.reading import Between, Code, Pattern
from commissions.engine.plan.terms import (
    ENROLLER,
    ENROLMENT_KIT,
    LONGEST_WALK,
    NO_RANK,
    PAYMENT,
    PERIOD_CLOSE,
    PLACEMENT,
    SCHEMA_VERSION,
    SPONSOR,
    WHOLE,
    LedgerType,
    Rounding,
    Steps,
    Tree,
)

__all__ = [
    "ENROLLER",
    "ENROLMENT_KIT",
    "LONGEST_WALK",
    "NO_RANK",
    "PAYMENT",
    "PERIOD_CLOSE",
    "PLACEMENT",
    "SCHEMA_VERSION",
    "SPONSOR",
    "WHOLE",
    "AllOf",
    "Always",
    "AnyOf",
    "AtLeast",
    "Band",
    "Bonus",
    "ByBand",
    "ByFigure",
    "ByKind",
    "ByPackage",
    "ByRank",
    "ByStep",
    "CarryCap",
    "Company",
    "Compressed",
    "Condition",
    "Eligibility",
    "EqualShares",
    "Exclusion",
    "FallsAtOnce",
    "Flat",
    "Gate",
    "Generations",
    "Grace",
    "Group",
    "HasFlag",
    "HasLeft",
    "HasPackage",
    "HasRank",
    "IsActive",
    "JoinedInPeriod",
    "JoinedWithin",
    "Ladder",
    "LedgerType",
    "Left",
    "LegCap",
    "Legs",
    "LegsWithMembers",
    "LegsWithRecruits",
    "LegsWithVolume",
    "Less",
    "Levels",
    "Limit",
    "Lock",
    "Matrix",
    "Metric",
    "MetricShares",
    "Money",
    "MostByRank",
    "NeverFalls",
    "Not",
    "OfCommissions",
    "OfMetric",
    "OfOrder",
    "OnceEver",
    "OncePerRank",
    "Orders",
    "Own",
    "Package",
    "Payout",
    "PaysCompany",
    "PaysPairs",
    "PaysPool",
    "PaysSource",
    "PaysUpline",
    "Physical",
    "Plan",
    "Rank",
    "RankShares",
    "Rates",
    "Recruit",
    "Reversal",
    "Reward",
    "Rounding",
    "Speed",
    "Steps",
    "Stop",
    "Tree",
    "Volume",
    "parts",
]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan."""

    schema: Annotated[int, Between(SCHEMA_VERSION, SCHEMA_VERSION), "Version of the language."]
    name: str
    currency: Annotated[str, Pattern("[A-Z]{3}", "three letters as in ISO 4217"), "Currency code."]
    money: Money
    kinds: Annotated[tuple[Code, ...], "The kinds of order lines there are."]
    volumes: tuple[Volume, ...]
    metrics: tuple[Metric, ...]
    activity: Annotated[Condition | None, "Who is active; null: everybody."]
    ladders: tuple[Ladder, ...]
    bonuses: tuple[Bonus, ...]
    limits: tuple[Limit, ...]
    reversal: Reversal
    payout: Payout
    packages: tuple[Package, ...] = ()
    matrix: Matrix | None = None
    left: Annotated[
        Left | None,
        "People who have left the company; left out: they stand and are paid like everybody else, "
        "as the conditions say.",
    ] = None
    _hash: str = ""
    _written: Plan | None = None

    @property
    def content_hash(self) -> str:
        """Identifies the document byte for byte (canonical JSON)."""
        return self._hash

    @property
    def as_written(self) -> Plan:
        """The plan as its document has it, without `left` spelled out in its conditions."""
        return self._written or self

    def ladder(self, code: str) -> Ladder:
        return next(ladder for ladder in self.ladders if ladder.code == code)

    def metric(self, code: str) -> Metric:
        return next(metric for metric in self.metrics if metric.code == code)

    def bonus(self, code: str) -> Bonus:
        """The bonus of that code; KeyError when the plan has none."""
        for bonus in self.bonuses:
            if bonus.code == code:
                return bonus
        raise KeyError(code)

    @property
    def programmes(self) -> tuple[Bonus | Limit, ...]:
        """What ledger lines name by place: the bonuses, then the limits."""
        return (*self.bonuses, *self.limits)

    def triggered_by(self, trigger: str) -> tuple[Bonus, ...]:
        """The bonuses that pay money then."""
        return tuple(
            bonus for bonus in self.bonuses if bonus.trigger == trigger and bonus.reward is None
        )

    @property
    def rewards(self) -> tuple[Bonus, ...]:
        """The bonuses that give something else than money, at the close."""
        return tuple(bonus for bonus in self.bonuses if bonus.reward is not None)


def parts(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every record of a plan with its path, outer ones first."""
    if is_dataclass(value):
        yield path, value
        kind: Any = type(value)
        for name in written(kind):
            yield from parts(getattr(value, name), f"{path}.{name.rstrip('_')}")
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from parts(item, f"{path}[{place}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from parts(item, f"{path}.{key}")


@cache
def written(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a kind of record that a document writes."""
    return tuple(item.name for item in fields(kind) if not item.name.startswith("_"))

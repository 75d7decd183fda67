"""Ranks from the lowest up, packages, and the shape of the placement tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.conditions import Condition
from commissions.engine.plan.reading import Amount, Between, Code


@dataclass(frozen=True, slots=True)
class Rank:
    """One rung; its level is its place in the ladder, 1 for the lowest."""

    code: Code
    name: str
    when: Annotated[Condition | None, "What it asks; nothing in a ladder that is given."] = None


@dataclass(frozen=True, slots=True)
class FallsAtOnce:
    """The title is what the period's figures say."""

    policy: Literal["falls_at_once"]


@dataclass(frozen=True, slots=True)
class NeverFalls:
    """The title is the highest rank ever reached."""

    policy: Literal["never_falls"]


@dataclass(frozen=True, slots=True)
class Grace:
    """The title falls in the `periods`-th period in a row in which it is not met."""

    policy: Literal["grace"]
    periods: Annotated[int, Between(1, 120)]


@dataclass(frozen=True, slots=True)
class Lock:
    """A first rank reached soon after joining can't fall in the periods that follow; what is missed
    in them does not count."""

    joined_within_days: Annotated[int, Between(1, 3_650)]
    periods: Annotated[int, Between(1, 120)]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ranks from the lowest up. The first ladder of a plan is *the* rank people see.

    Three ranks are known of a member: paid-as (met by this period's figures), title (held, by
    `when_not_met`) and highest (ever).
    """

    code: Code
    source: Annotated[
        Literal["computed", "given"], "given: comes with the member, nothing is computed."
    ]
    climb: Annotated[
        Literal["each_rank", "highest_met"],
        "each_rank: every rung below must be met as well. highest_met: the highest met counts.",
    ]
    when_not_met: FallsAtOnce | NeverFalls | Grace
    ranks: tuple[Rank, ...]
    lock: Lock | None = None

    def level(self, code: str | None) -> int:
        """The level of a rank, 0 for no rank and for an unknown code."""
        codes = [rank.code for rank in self.ranks]
        return codes.index(code) + 1 if code in codes else 0

    def rank(self, level: int) -> Rank | None:
        """The rank of a level; None for level 0."""
        return self.ranks[level - 1] if 0 < level <= len(self.ranks) else None


@dataclass(frozen=True, slots=True)
class Package:
    """What a member bought to take part; packages stand from the smallest to the largest."""

    code: Code
    name: str
    value: Annotated[Amount, "Its price: the limit of a base taken from the smaller package."]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The placement tree's shape, and where somebody goes who was given no place."""

    width: Annotated[int | None, "Places under each; null: any number."]
    strategy: Literal["breadth_first", "weaker_leg", "least_populated"]

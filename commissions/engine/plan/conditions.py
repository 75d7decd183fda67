"""What can be asked of a member; conditions are made of conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.reading import Amount, Between, Code, Rate
from commissions.engine.plan.terms import Tree


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them."""

    is_: Literal["all"]
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least `count` of them."""

    is_: Literal["any"]
    count: Annotated[int, Between(1, 100)]
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    is_: Literal["not"]
    of: Condition


@dataclass(frozen=True, slots=True)
class LegCap:
    """No leg counts for more than a share, of the required figure or of the member's own total;
    the share is rounded down to the hundredth."""

    share: Rate
    of: Literal["requirement", "total"]
    own_too: Annotated[bool, "Whether the member's own volume is limited like a leg."]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A metric reaches a figure (and, with `below`, stays under another)."""

    is_: Literal["at_least"]
    metric: Code
    figure: Amount
    below: Amount | None = None
    leg_cap: Annotated[LegCap | None, "Only for a group's volume."] = None


@dataclass(frozen=True, slots=True)
class LegsWithVolume:
    """So many legs whose head and downline together have a volume of at least so much."""

    is_: Literal["legs_with_volume"]
    legs: Annotated[int, Between(1, 1_000)]
    tree: Tree
    volume: Code
    figure: Amount


@dataclass(frozen=True, slots=True)
class LegsWithMembers:
    """So many different legs, each with at least so many members of a rank anywhere in it."""

    is_: Literal["legs_with_members"]
    legs: Annotated[int, Between(1, 1_000)]
    tree: Tree
    members: Annotated[int, Between(1, 100_000)]
    ladder: Code
    rank: Code


@dataclass(frozen=True, slots=True)
class LegsWithRecruits:
    """So many different legs, each with at least so many people anywhere in it whom the member
    brought in himself: one on the left and one on the right, say."""

    is_: Literal["legs_with_recruits"]
    legs: Annotated[int, Between(1, 1_000)]
    tree: Tree
    recruits: Annotated[int, Between(1, 100_000)]
    by: Annotated[
        Literal["enroller", "sponsor"], "In which tree the recruits stand right under the member."
    ]
    where: Annotated[Condition | None, "Only recruits who meet this."] = None


@dataclass(frozen=True, slots=True)
class HasRank:
    """Of this rank or a higher one. paid_as: met in this period; title: held; highest: ever.

    A rank that asks for a title or a highest rank of its own ladder means those from before.
    """

    is_: Literal["rank"]
    ladder: Code
    rank: Code
    which: Literal["paid_as", "title", "highest"]


@dataclass(frozen=True, slots=True)
class IsActive:
    """Active as the plan defines it."""

    is_: Literal["active"]


@dataclass(frozen=True, slots=True)
class HasPackage:
    """Holds one of these packages."""

    is_: Literal["package"]
    packages: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class HasFlag:
    """Carries a mark that the company sets outside the plan: approved, subscribed."""

    is_: Literal["flag"]
    flag: Code


@dataclass(frozen=True, slots=True)
class HasLeft:
    """Has left the company by the period's last day; at payment, by the day of the order."""

    is_: Literal["left"]


@dataclass(frozen=True, slots=True)
class JoinedWithin:
    """Joined no more than so many days before (the order; without one, the end of the period)."""

    is_: Literal["joined_within"]
    days: Annotated[int, Between(0, 36_500)]


@dataclass(frozen=True, slots=True)
class JoinedInPeriod:
    """Joined in this period."""

    is_: Literal["joined_in_period"]


@dataclass(frozen=True, slots=True)
class Recruit:
    """The how-manieth recruit of his sponsor: by when he joined, or by his first order here."""

    is_: Literal["recruit"]
    first: Annotated[int, Between(1, 1_000_000)]
    last: Annotated[int, Between(1, 1_000_000)]
    by: Literal["joined", "first_order"]


Condition = (
    AllOf
    | AnyOf
    | Not
    | AtLeast
    | LegsWithVolume
    | LegsWithMembers
    | LegsWithRecruits
    | HasRank
    | IsActive
    | HasPackage
    | HasFlag
    | HasLeft
    | JoinedWithin
    | JoinedInPeriod
    | Recruit
)

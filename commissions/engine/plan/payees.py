"""Whom a bonus pays: the source, his uplines, the owner of two legs, a pool, the company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.conditions import Condition
from commissions.engine.plan.reading import Amount, Between, Code, Rate
from commissions.engine.plan.terms import Steps, Tree


@dataclass(frozen=True, slots=True)
class PaysSource:
    """The source himself: the seller of the line, the member, the earner of the commission."""

    who: Literal["source"]


@dataclass(frozen=True, slots=True)
class Physical:
    """Each upline uses up a step."""

    count: Literal["physical"]


@dataclass(frozen=True, slots=True)
class Compressed:
    """Only uplines who meet the condition use up a step; the others are passed over."""

    count: Literal["compressed"]
    counts: Condition


@dataclass(frozen=True, slots=True)
class Generations:
    """A step is a generation: it ends with the next upline who meets the boundary."""

    count: Literal["generations"]
    boundary: Condition
    boundary_belongs_to: Annotated[
        Literal["generation_he_closes", "next_generation"],
        "Which generation's rate the boundary member himself is paid at.",
    ]
    pays: Annotated[Literal["boundary", "everyone"], "Who is paid within a generation."]


@dataclass(frozen=True, slots=True)
class Stop:
    """The walk ends with the first upline who meets the condition."""

    at: Condition
    pays_him: Annotated[bool, "Whether he is still paid."]


@dataclass(frozen=True, slots=True)
class PaysUpline:
    """Uplines of the source, one after the other, until the steps are used up."""

    who: Literal["upline"]
    tree: Tree
    start: Annotated[
        Mapping[Code, Literal["source", "upline"]] | Literal["source", "upline"],
        "Who is step 1: the source himself or the next above him. For order lines by kind of "
        "order; a kind left out pays nobody.",
    ]
    steps: Physical | Compressed | Generations
    max_steps: Steps
    max_distance: Annotated[
        Steps | None,
        "How far up it looks, physically, 1 being the next above the source; null: to the top.",
    ]
    unfilled: Annotated[
        Literal["nobody", "company"],
        "Who gets a step that no upline is left for; nobody after a stop or a block.",
    ]
    stop: Stop | None = None
    further_steps: Annotated[
        Literal["nothing", "as_last"],
        "What a step beyond the end of a row of rates pays: nothing, or what the last one in it "
        "pays, up to `max_steps`.",
    ] = "nothing"


@dataclass(frozen=True, slots=True)
class Gate:
    """Nothing is matched before one leg has counted `more` and the other `fewer` people: those who
    joined in the period, or all who are there."""

    more: Annotated[int, Between(1, 1_000)]
    fewer: Annotated[int, Between(1, 1_000)]
    window: Literal["period", "lifetime"]


@dataclass(frozen=True, slots=True)
class CarryCap:
    """The most a leg carries on: an amount, or so many times the mean of what was matched in this
    and the periods before it, `periods` together. With both, the lower one."""

    amount: Amount | None = None
    times: Rate | None = None
    periods: Annotated[int, Between(1, 60)] = 1


@dataclass(frozen=True, slots=True)
class MostByRank:
    """So much volume by the owner's rank.

    "none" is who has none; a rank that is not listed has no limit of its own.
    """

    ladder: Code
    which: Literal["paid_as", "title", "highest"]
    table: Mapping[Code, Amount]


@dataclass(frozen=True, slots=True)
class PaysPairs:
    """The owner of two legs, on what both have: the weaker leg's volume, or whole cycles.

    Base of the line: the matched volume; with cycles one flat unit a cycle. Volumes start from what
    was carried in. The member's own volume is in neither leg.
    """

    who: Literal["pairs"]
    tree: Literal["placement"]
    volume: Code
    cycle: Annotated[
        Amount | None, "Volume on each side of a whole cycle; null: the weaker leg to the cent."
    ]
    after_payout: Annotated[
        Literal["carry", "net_off", "flush"],
        "carry: the weaker leg goes to zero, the stronger keeps the difference. net_off: the "
        "matched volume is taken off both. flush: both go to zero, in every period.",
    ]
    if_ineligible: Annotated[
        Literal["keep_both", "weaker_to_zero", "flush"],
        "What happens to the legs of somebody who may not be paid. weaker_to_zero: the stronger "
        "stays as it is.",
    ]
    carry_cap: CarryCap | None
    stronger: Annotated[
        Amount | None,
        "Volume that a cycle takes of the leg that is the stronger one before it, where it is more "
        "than `cycle`, which the weaker one gives; null: both give the same.",
    ] = None
    most_volume: Annotated[
        Amount | None, "The most volume that is matched in a period; see `over_most` for the rest."
    ] = None
    most_by_rank: Annotated[
        MostByRank | None, "The same by the owner's rank. With `most_volume`, the lower one."
    ] = None
    over_most: Annotated[
        Literal["stays", "flush"],
        "What becomes of both legs where more than the most volume could have been matched. stays: "
        "what was not matched stays in them. flush: both go to zero.",
    ] = "stays"
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class PaysPool:
    """Members who meet the eligibility share a sum: a rate of a metric of the company.

    The pool is rates' first step x the base metric; who takes part stands in `eligibility`.
    """

    who: Literal["pool"]
    shares: EqualShares | MetricShares | RankShares
    remainder: Annotated[
        Literal["company", "largest_remainder"],
        "What rounding leaves over. company: each share is rounded down, the rest stays. "
        "largest_remainder: it goes out a unit at a time to those who lost most by rounding.",
    ]
    if_nobody: Annotated[Literal["company", "carry"], "Where the pool goes with nobody in it."]


@dataclass(frozen=True, slots=True)
class EqualShares:
    """Each the same."""

    by: Literal["equal"]


@dataclass(frozen=True, slots=True)
class MetricShares:
    """In proportion to a metric."""

    by: Literal["metric"]
    metric: Code


@dataclass(frozen=True, slots=True)
class RankShares:
    """So many shares by rank. `worth`: shares of a fixed number, or of those handed out."""

    by: Literal["rank"]
    ladder: Code
    shares: Mapping[Code, Annotated[int, Between(0, 1_000_000)]]


@dataclass(frozen=True, slots=True)
class PaysCompany:
    """The company itself: a fee or a retained part, less what other bonuses paid on the line."""

    who: Literal["company"]
    less: tuple[Code, ...] = ()

"""What bonuses may come to, and what a refund and a payout do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from commissions.engine.plan.conditions import Condition
from commissions.engine.plan.reading import Amount, Between, Code, Rate


@dataclass(frozen=True, slots=True)
class Limit:
    """What these bonuses may come to in a period, for a member, a person, or all together.

    Limits apply in the order of the list, each to what those before it left. What is cut stands in
    the ledger as a line of its own.
    """

    code: Code
    name: str
    scope: Annotated[
        Literal["member", "person", "company"],
        "person: over all positions of one owner.",
    ]
    bonuses: tuple[Code, ...]
    amount: Annotated[Amount | None, "An absolute limit."]
    share: Annotated[Rate | None, "A limit as a share of `metric`."]
    metric: Annotated[
        Code | None,
        "For a company limit a metric of the company; for a person that of his positions together.",
    ]
    enforcement: Annotated[
        Literal["pro_rata", "lower_ranks_first", "refuse"],
        "pro_rata: everybody is cut in proportion, to the unit by largest remainder. "
        "lower_ranks_first: they are paid in full as far as it reaches, the rank where it ends by "
        "pro_rata. refuse: the run fails and names the difference.",
    ]
    overflow: Annotated[
        Literal["lost", "held"], "lost: not paid, not carried. held: paid when there is room."
    ]
    when: Annotated[
        Condition | None,
        "Only for members who meet this: a limit for each rank or package. Left out: for all.",
    ] = None


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a refund after the period does."""

    commissions: Annotated[
        Literal["proportional", "full", "none"],
        "proportional: by the part that came back, to the cent. full: all of the line's.",
    ]
    derived: Annotated[bool, "Whether matches and the like on those commissions go back as well."]
    window_days: Annotated[
        Annotated[int, Between(1, 36_500)] | None, "Up to so many days after the sale; null: ever."
    ]
    volume_counts_in: Literal["period_of_refund"]
    reevaluate_rank: Annotated[Literal["never"], "Ranks of closed periods stand."]


@dataclass(frozen=True, slots=True)
class Payout:
    """When what was earned can be taken out; until then it is carried."""

    minimum: Amount
    when: Condition | None
    hold_days: Annotated[int, Between(0, 3_650)]

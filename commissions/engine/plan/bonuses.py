"""A bonus: base, payee and rates, and when it is due, or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from commissions.engine.plan.bases import Flat, OfCommissions, OfMetric, OfOrder
from commissions.engine.plan.conditions import Condition
from commissions.engine.plan.orders import Orders
from commissions.engine.plan.payees import PaysCompany, PaysPairs, PaysPool, PaysSource, PaysUpline
from commissions.engine.plan.rates import Less, Rates
from commissions.engine.plan.reading import Amount, Between, Code, Rate
from commissions.engine.plan.terms import WHOLE, LedgerType


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What the earner must fulfil, and what becomes of his part if he does not."""

    when: Condition | None
    otherwise: Annotated[
        Literal["lost", "compress", "block", "company", "held"],
        "lost: the step pays nobody. compress: it goes to the next who is eligible. block: the "
        "walk ends. company: the company keeps it. held: it waits, whole, until he is.",
    ]


@dataclass(frozen=True, slots=True)
class Speed:
    """A multiple for who reaches a rank within so many days of the rank before (or of joining)."""

    within_days: Annotated[int, Between(1, 3_650)]
    times: Rate


@dataclass(frozen=True, slots=True)
class Always:
    """Whenever it is earned."""

    times: Literal["always"]
    after_periods: Annotated[
        int, Between(1, 120), "Only in the so-manieth eligible period in a row and those after."
    ] = 1
    may_miss: Annotated[
        int,
        Between(0, 119),
        "So many periods in a row without it only pause the row; one more ends it.",
    ] = 0
    rest_periods: Annotated[
        int, Between(0, 120), "Who was paid is not paid again in the so many periods that follow."
    ] = 0
    most_times: Annotated[
        Annotated[int, Between(1, 1_000)] | None,
        "No more than in so many periods of a member's life; null: in as many as there are.",
    ] = None


@dataclass(frozen=True, slots=True)
class OnceEver:
    """Once in a member's life."""

    times: Literal["once"]


@dataclass(frozen=True, slots=True)
class OncePerRank:
    """Once for each rank of the ladder in the rates, when it is reached for the first time."""

    times: Literal["once_per_rank"]
    skipped_ranks: Annotated[
        Literal["pay_all", "reached_only"],
        "Who rises over several ranks at once is paid for each, or for the last alone.",
    ]
    speed: tuple[Speed, ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Not paid where other bonuses were.

    line: on no order line on which they paid anybody. line_and_earner: not to an earner whom they
    paid on the same line. seller: never on what the earner sold himself.
    """

    scope: Literal["line", "line_and_earner"]
    bonuses: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Reward:
    """What is given instead of money: a trip, a car, points, goods.

    The amounts of the bonus then say how many; nothing of it goes to the ledger or is paid out.
    """

    name: Annotated[str, "What one of it is called: Trip to Lisbon, Point."]
    value: Annotated[Amount | None, "What one is worth in money, as people are told; null: not."]


@dataclass(frozen=True, slots=True)
class Bonus:
    """One thing that is paid. Its place in the list is its turn, and its number in the ledger."""

    code: Code
    name: str
    ledger_type: LedgerType
    trigger: Annotated[
        Literal["payment", "period_close"],
        "payment: final when the order is paid. period_close: with the whole period.",
    ]
    base: OfOrder | OfMetric | Flat | OfCommissions
    pays: PaysSource | PaysUpline | PaysPairs | PaysPool | PaysCompany
    rates: Rates
    eligibility: Eligibility
    unit: Annotated[
        Literal["share", "amount"],
        "Whether the rates are shares of the base or amounts of money, one for each thing paid on, "
        "each of a metric's count or each cycle.",
    ] = "share"
    factor: Annotated[Rate, "Money for one unit of volume; shares are taken after it."] = WHOLE
    less: Annotated[Less | None, "Left out: the whole rate."] = None
    sources: Annotated[Condition | None, "Only what comes from members who meet this."] = None
    orders: Annotated[Orders | None, "Only on lines of these orders."] = None
    exclusion: Exclusion | None = None
    occurrence: Always | OnceEver | OncePerRank = field(default_factory=lambda: Always("always"))
    instalments: Annotated[
        int, Between(1, 60), "Paid in so many equal parts, one a period; the last takes the rest."
    ] = 1
    reward: Annotated[Reward | None, "Given instead of money; left out: money."] = None

    def whole_row(self, row: tuple[int, ...]) -> tuple[int, ...]:
        """A row of the rates with the steps beyond its end, where they pay as its last one."""
        pays = self.pays
        if not (row and isinstance(pays, PaysUpline) and pays.further_steps == "as_last"):
            return row
        return row + row[-1:] * (pays.max_steps - len(row))

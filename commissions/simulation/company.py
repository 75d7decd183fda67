"""A company as it was read: people by name, order lines, what the last run carried out.

People are kept in the order of the file. A person with the flag `customer` is no distributor: he
stands in no tree and earns nothing; what he buys is credited to his sponsor, who is the seller of
the line, while the line keeps his name as its buyer.

    distributors.csv   B,A,     and   C,B,customer
    orders.csv         o1,C     ->    a line with seller B and buyer C
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from commissions.engine.plan import Plan
from commissions.simulation.calendar import Period

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Distributor:
    """`placement` None: not placed yet. `leg` counts from 0. Levels by ladder; `joined` a day;
    `left` the first one on which he was gone, `back` the first on which he was there again."""

    name: str
    sponsor: str | None
    enroller: str | None
    placement: str | None
    leg: int | None
    joined: int | None
    given: Mapping[str, int]
    title: Mapping[str, int]
    highest: Mapping[str, int]
    package: int
    owner: str
    flags: frozenset[str]
    left: int | None = None
    back: int | None = None

    def has_left(self, day: int) -> bool:
        """Whether he was gone then: left on day 10 and back on day 20, on days 10 to 19."""
        gone = self.left is not None and self.left <= day
        return gone and not (self.back is not None and self.back <= day)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One sale line. `volumes`: hundredths by figure; `quantity`: pieces x 100, if it was given.
    `number`: the how-manieth order of its buyer, who joined on the day `since`."""

    order: str
    line: str
    buyer: str
    seller: str
    kind: int
    day: int
    volumes: Mapping[str, int]
    quantity: int | None = None
    number: int = 0
    since: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.order, self.line

    @property
    def measure(self) -> str:
        """What a refund is a part of where there are no pieces: the first figure above zero."""
        return next((code for code, figure in self.volumes.items() if figure > 0), "")

    @property
    def whole(self) -> int:
        return self.volumes.get(self.measure, 0) if self.quantity is None else self.quantity

    def part(self, refund: Refund) -> int:
        """How much a refund is, in the unit of `whole`."""
        if self.quantity is not None:
            return refund.quantity or 0
        return refund.volumes.get(self.measure, 0)

    def less(self, refund: Refund) -> OrderLine:
        """What is left of the line."""
        left = {code: sold - refund.volumes.get(code, 0) for code, sold in self.volumes.items()}
        pieces = None if self.quantity is None else self.quantity - (refund.quantity or 0)
        return replace(self, volumes=left, quantity=pieces)

    def back(self, refund: Refund) -> OrderLine:
        """A refund as a line with negative figures on the day it came."""
        figures = {code: -figure for code, figure in refund.volumes.items()}
        return replace(self, order=refund.order, day=refund.day, volumes=figures, quantity=None)


@dataclass(frozen=True, slots=True)
class Refund:
    """What came back of a line on a day: positive figures, pieces where the line has them."""

    order: str
    of: tuple[str, str]
    day: int
    volumes: Mapping[str, int]
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A ledger line of an earlier period, as far as a refund has to know it.

    `amount` in units of the plan's money; `order` and `line` empty where it stands on none.
    """

    number: int
    earner: str
    source: str
    bonus: str
    level: int
    order: str
    line: str
    amount: int


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A closed period as far as it has to be known to work it out again.

    `first_number`: of its ledger lines. `figures`, `title`, `highest`: what it was told. `refunds`:
    those of earlier orders in it. `returns`: what has come back of its own orders since; `undone`:
    of its lines without an order, by number. `less`: by how much `figures` would be less now,
    because of what came back of periods before it; negative.
    """

    period: Period
    first_number: int
    figures: dict[str, dict[str, int]]
    title: dict[str, dict[str, int]]
    highest: dict[str, dict[str, int]]
    refunds: tuple[Refund, ...]
    returns: tuple[Refund, ...] = ()
    undone: Mapping[int, int] = field(default_factory=dict)
    less: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def has(self, sale: OrderLine) -> bool:
        return self.period.starts_on <= sale.day <= self.period.ends_on


@dataclass(slots=True)
class Carried:
    """What one period hands to the next, by name of distributor: this is the state of a file.

    `figures`: the engine's. `title`, `highest`: levels by ladder. `sold`, `returned`: the lines
    that may still come back and how much of each did (in the unit of `OrderLine.whole`); `ledger`:
    their ledger lines; `closed`: their periods, where the plan pays on sums. `bought`: how many
    orders each buyer made. `last_day` of the periods so far, `last_number` of their ledger lines.
    """

    figures: dict[str, dict[str, int]] = field(default_factory=dict)
    title: dict[str, dict[str, int]] = field(default_factory=dict)
    highest: dict[str, dict[str, int]] = field(default_factory=dict)
    sold: dict[tuple[str, str], OrderLine] = field(default_factory=dict)
    returned: dict[tuple[str, str], int] = field(default_factory=dict)
    ledger: list[LedgerLine] = field(default_factory=list)
    closed: list[ClosedPeriod] = field(default_factory=list)
    bought: dict[str, int] = field(default_factory=dict)
    last_day: int | None = None
    last_number: int = 0


@dataclass(frozen=True, slots=True)
class Company:
    """Everything that was read. `distributors` by name in the order of the file."""

    plan: Plan
    distributors: Mapping[str, Distributor]
    lines: tuple[OrderLine, ...]
    refunds: tuple[Refund, ...]
    carried: Carried

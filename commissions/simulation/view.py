"""A period's outcome with the names at hand that its indexes stand for, and what a table row is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property

from commissions.engine.facts import Facts
from commissions.engine.plan import NO_RANK, Ladder
from commissions.simulation.company import Company
from commissions.simulation.periods import Outcome
from commissions.simulation.units import decimal

Cell = str | int | Decimal | bool | None
Row = dict[str, Cell]
Rows = Iterator[Row]
COMPANY = "company"


class View:
    """An outcome with the names at hand."""

    def __init__(self, company: Company, outcome: Outcome) -> None:
        self.company, self.plan, self.outcome = company, company.plan, outcome
        self.names, self.lines = outcome.moment.names, outcome.moment.lines

    @cached_property
    def facts(self) -> Facts:
        """The period's figures once more, for what a result does not hold."""
        return Facts(self.outcome.moment.snapshot, self.plan)

    def name(self, member: int) -> str:
        return self.names[member] if member >= 0 else COMPANY

    def money(self, units: int) -> Decimal:
        return decimal(units, self.plan.money.scale)

    def rank(self, ladder: Ladder, level: int) -> str:
        rank = ladder.rank(int(level))
        return rank.code if rank else NO_RANK

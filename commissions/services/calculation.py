"""What a period comes to by its facts: the engine's result and what refunds undo. Only reads."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from commissions.engine import Plan, Ranks, Result, Snapshot, Standings, calculate
from commissions.models import CommissionPeriod, CommissionRun
from commissions.services import facts
from commissions.services.arrays import Array, read_columns
from commissions.services.carried import Sparse, to_keep
from commissions.services.figures import Figures, figures_of, ranks_seen
from commissions.services.plan_reading import loaded
from commissions.services.restatements import NO_REFUND, Undone, corrected, undo_sums
from commissions.services.reversals import reversed_at_close


@dataclass(frozen=True)
class Outcome:
    """What a close pays and takes back, with the parts of its certificate."""

    snapshot: Snapshot
    plan: Plan
    result: Result
    reversed: dict[str, Array]
    restated: Undone
    input_hash: str

    @property
    def standings(self) -> Standings:
        if self.result.standings is None:
            raise ValueError("a close has standings")
        return self.result.standings

    @property
    def ranks(self) -> Ranks:
        """Everybody's levels in the ladder that people see; none where the plan has none."""
        return ranks_seen(self.standings, self.plan)

    @cached_property
    def figures(self) -> Figures:
        """Everybody's PV, CV, GV and legs."""
        return figures_of(self.standings, self.snapshot, self.plan)

    @property
    def line_count(self) -> int:
        return self.result.row_count + len(self.reversed["amount"])

    @property
    def total(self) -> int:
        """Hundredths, what is taken back deducted."""
        return self.result.total + int(self.reversed["amount"].sum())

    @cached_property
    def earned(self) -> NDArray[np.int64]:
        """Hundredths by place in the snapshot, what is taken back deducted."""
        earned = self.result.earned()
        places = np.searchsorted(self.snapshot.members.id, self.reversed["distributor_id"])
        np.add.at(earned, places, self.reversed["amount"])
        return earned

    @property
    def carried(self) -> list[Sparse]:
        """What the next period starts from, as it is stored."""
        members = self.snapshot.members
        corrections, less = self.restated.corrections, self.restated.less
        return to_keep(self.result.state, self.standings, self.plan, members.id, corrections, less)

    @cached_property
    def result_hash(self) -> str:
        """SHA-256 of all that comes out."""
        digest = hashlib.sha256(self.result.result_hash().encode())
        for name, column in self.reversed.items():
            digest.update(f"{name}:{column.size};".encode())
            digest.update(column.astype(">i8").tobytes())
        return digest.hexdigest()


def read_facts(period: CommissionPeriod, *, two_sessions: bool = False) -> Snapshot:
    """Of a closed period. Raises FactsRefused."""
    plan = loaded(period.frozen_plan)
    return facts.read_snapshot(facts.cut_of(period), plan, two_sessions=two_sessions)


Tell = Callable[[Standings], object]
"""What is called with the standings once they are known, while the bonuses are not yet."""


def work_out_closed(
    period: CommissionPeriod, snapshot: Snapshot, tell: Tell | None = None
) -> Outcome:
    """Calculate a closed period on these facts. Raises EngineError, FactsRefused."""
    return work_out(facts.cut_of(period), snapshot, loaded(period.frozen_plan), tell)


def work_out(cut: facts.Cut, snapshot: Snapshot, plan: Plan, tell: Tell | None = None) -> Outcome:
    """Calculate what was read at this cut. Raises EngineError, FactsRefused."""
    restated = undo_sums(cut, snapshot, plan)
    return Outcome(
        snapshot=snapshot,
        plan=plan,
        result=calculate(corrected(snapshot, restated.corrections), plan, tell=tell),
        reversed=joined(reversed_at_close(cut, plan), *restated.lines),
        restated=restated,
        input_hash=snapshot.content_hash(),
    )


def joined(*parts: dict[str, Array]) -> dict[str, Array]:
    """Reversing lines one part after the other, those that name no refund after all others."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["volume_entry_id"] == NO_REFUND, kind="stable")
    return {name: column[order] for name, column in columns.items()}


@dataclass(frozen=True)
class Payments:
    """What was paid at payment in a period: lines, total in hundredths, SHA-256 of the lines."""

    lines: int
    total: int
    hash: str


def payments_of(run: CommissionRun) -> Payments:
    rows = read_columns(
        "select id, bonus_id, distributor_id, coalesce(volume_entry_id, 0) as volume_entry_id, "
        f"amount from {run.ledger_table}",
        id="i8",
        bonus_id="i8",
        distributor_id="i8",
        volume_entry_id="i8",
        amount="i8",
    )
    order = rows["id"].argsort(kind="stable")
    digest = hashlib.sha256()
    for column in rows.values():
        digest.update(column[order].astype(">i8").tobytes())
    return Payments(len(order), int(rows["amount"].sum()), digest.hexdigest())


def decimal_text(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    whole, cents = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{cents:02d}"

"""The tables of a run: made by it, filled by COPY, indexed after, attached when the run is final.

A run writes `commissions_ledger_r<id>` and `commissions_standing_r<id>`. Nobody sees them through
LedgerEntry and Standing before they are attached as partitions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commissions.engine import Block, Plan, Result, Standings
from commissions.engine.result import NOBODY
from commissions.models import CommissionRun
from commissions.services.arrays import ROWS_AT_ONCE, Array, Row, copy_rows, slices

LEDGER = "commissions_ledgerentry"
STANDING = "commissions_standing"
LEDGER_KINDS = {
    "id": "i8",
    "run_id": "i8",
    "period_id": "i8",
    "bonus_id": "i8",
    "distributor_id": "i8",
    "source_distributor_id": "i8",
    "volume_entry_id": "i8",
    "level": "i2",
    "rank_level": "i2",
    "base": "i8",
    "rate": "i8",
    "amount": "i8",
    "reverses_id": "i8",
}
STANDING_KINDS = {
    "run_id": "i8",
    "distributor_id": "i8",
    "sponsor_id": "i8",
    "pv": "i8",
    "cv": "i8",
    "gv": "i8",
    "legs": "i4",
    "active": "i1",
    "rank_level": "i2",
    "highest_level": "i2",
    "title_level": "i2",
}
ONE = 100
"""Counts are held in hundredths like every metric."""
RANGES = "with (pages_per_range = 16, autosummarize = on)"


def create_tables(run: CommissionRun) -> None:
    """Both tables, bare: checks and indexes come after the rows, when they cost least."""
    for parent, table in ((LEDGER, run.ledger_table), (STANDING, run.standing_table)):
        _execute(f"create table {table} (like {parent})")


def index_tables(run: CommissionRun) -> None:
    """The parent's checks and indexes; that of the run number lets the table attach unscanned.

    Within a bonus and level the lines lie in the order of the volume entries, and over all in the
    order of their numbers, so range indexes find both.
    """
    ledger, standing = run.ledger_table, run.standing_table
    _execute("set local maintenance_work_mem = '1GB'")
    _execute(f"alter table {ledger} {_checks(run, ledger)}")
    _execute(f"alter table {standing} add constraint {standing}_run check (run_id = {run.pk})")
    _execute(f"create index {ledger}_earner on {ledger} (distributor_id, id) include (amount)")
    _execute(f"create index {ledger}_source on {ledger} using brin (volume_entry_id) {RANGES}")
    _execute(f"create index {ledger}_id on {ledger} using brin (id) {RANGES}")
    _execute(f"create unique index {standing}_owner on {standing} (run_id, distributor_id)")


def attach_tables(run: CommissionRun) -> None:
    """Make the run's rows part of LedgerEntry and Standing; its indexes become theirs."""
    for parent, table in ((LEDGER, run.ledger_table), (STANDING, run.standing_table)):
        _execute(f"alter table {parent} attach partition {table} for values in ({run.pk})")
    _execute(f"analyze {run.ledger_table}, {run.standing_table}")


def attach_payment_table(run: CommissionRun) -> None:
    """The partition of a payment run exists from the opening of its period."""
    table = run.ledger_table
    _execute(f"create table {table} (like {LEDGER} including constraints including indexes)")
    _execute(f"alter table {table} add constraint {table}_run check (run_id = {run.pk})")
    _execute(f"create index {table}_refunds on {table} (volume_entry_id)")
    _execute(f"alter table {LEDGER} attach partition {table} for values in ({run.pk})")


def drop_tables(run: CommissionRun) -> None:
    """Throw away the rows of a run that did not become final."""
    for table in (run.ledger_table, run.standing_table):
        _execute(f"drop table if exists {table}")


def _checks(run: CommissionRun, table: str) -> str:
    """All checks of the lines in one pass over the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select conname, pg_get_constraintdef(oid) from pg_constraint "
            "where conrelid = %s::regclass and contype = 'c'",
            [LEDGER],
        )
        checks = [*cursor.fetchall(), (f"{table}_run", f"check (run_id = {run.pk})")]
    return ", ".join(f"add constraint {name} {rule}" for name, rule in checks)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def alike(block: Block) -> Iterator[Block]:
    """The block in stretches whose lines all have a source or none, an order line or none.

    Somebody paid on his own figures has no source: there is nobody else it came from.
    """
    own = (block.line < 0) & (block.source == block.earner)
    block = replace(block, source=np.where(own, NOBODY, block.source))
    has = np.stack((block.source >= 0, block.line >= 0))
    changes = np.flatnonzero((has[:, 1:] != has[:, :-1]).any(axis=0)) + 1
    for start, stop in pairwise([0, *changes.tolist(), len(block)]):
        if stop > start:
            yield block.part(start, stop)


class LineWriter:
    """Numbers the lines of a run and turns engine blocks into rows."""

    def __init__(self, run: CommissionRun, bonus_ids: list[int], first: int = 1) -> None:
        self.run, self.bonus_ids, self.next = run, np.array(bonus_ids, np.int64), first

    def rows_of(
        self, result: Result, member_ids: NDArray[np.int64], line_ids: NDArray[np.int64]
    ) -> Iterator[tuple[int, Row]]:
        for block in result.blocks(rows=ROWS_AT_ONCE):
            for part in alike(block):
                yield len(part), self._row(part, member_ids, line_ids)

    def _row(self, block: Block, member_ids: NDArray[np.int64], line_ids: NDArray[np.int64]) -> Row:
        has_source, has_line = int(block.source[0]) >= 0, int(block.line[0]) >= 0
        return self._numbered(len(block)) | {
            "bonus_id": int(self.bonus_ids[block.bonus]),
            "distributor_id": member_ids[block.earner],
            "source_distributor_id": member_ids[block.source] if has_source else None,
            "volume_entry_id": line_ids[block.line] if has_line else None,
            "level": block.level,
            "rank_level": block.rank_level,
            "base": block.base,
            "rate": block.rate,
            "amount": block.amount,
            "reverses_id": None,
        }

    def rows_reversing(self, columns: Mapping[str, NDArray[np.int64]]) -> Iterator[tuple[int, Row]]:
        """Lines that undo others: the columns are given in full but for number, run and period."""
        for part in slices(len(columns["amount"])):
            piece = {name: column[part] for name, column in columns.items()}
            count = len(piece["amount"])
            yield count, self._numbered(count) | piece

    def _numbered(self, count: int) -> dict[str, NDArray[np.int64] | int | None]:
        numbers = np.arange(self.next, self.next + count, dtype=np.int64)
        self.next += count
        return {
            "id": (np.int64(self.run.pk) << 32) | numbers,
            "run_id": self.run.pk,
            "period_id": self.run.period_id,
        }


def write_lines(
    run: CommissionRun, pieces: Iterable[tuple[int, Row]], *, freeze: bool = False
) -> int:
    return copy_rows(run.ledger_table, LEDGER_KINDS, pieces, freeze=freeze)


def standing_columns(standings: Standings, plan: Plan) -> dict[str, Array]:
    """What a standing stores, one entry a member: the metrics and the ranks that people see."""
    none = np.zeros(len(standings), np.int16)
    ranks = standings.ranks[plan.ladders[0].code] if plan.ladders else None
    return {
        "pv": standings.metrics["pv"],
        "cv": standings.metrics["cv"],
        "gv": standings.metrics["gv"],
        "legs": standings.metrics["legs"] // ONE,
        "active": standings.active,
        "rank_level": ranks.paid_as if ranks else none,
        "highest_level": ranks.highest if ranks else none,
        "title_level": ranks.title if ranks else none,
    }


def write_standings(
    run: CommissionRun,
    columns: Mapping[str, Array],
    member_ids: NDArray[np.int64],
    sponsor: NDArray[np.int32],
) -> int:
    """One row a distributor; those at the top, whose sponsor is NULL, after the others."""
    pieces = (
        (
            places.size,
            {
                "run_id": run.pk,
                "distributor_id": member_ids[places],
                "sponsor_id": member_ids[sponsor[places]] if has_sponsor else None,
                **{name: column[places] for name, column in columns.items()},
            },
        )
        for has_sponsor in (True, False)
        for group in [np.flatnonzero((sponsor >= 0) == has_sponsor)]
        for places in (group[part] for part in slices(group.size))
    )
    return copy_rows(run.standing_table, STANDING_KINDS, pieces, freeze=True)

"""The tables of a run: made by it, filled by COPY, indexed after, attached when the run is final.

A run writes `commissions_ledger_r<id>` and `commissions_standing_r<id>`. Nobody sees them through
LedgerEntry and Standing before they are attached as partitions.

A close writes its lines earner by earner, so that ranges of pages are all the index they need: an
earner's lines lie together, and so do line numbers. What is paid at once arrives in any order and
has B-trees instead. The lines of a sale made in a closed period are found by reading that period's
table once, for all its refunds.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from commissions.engine import Plan, Result, Standings
from commissions.engine.errors import CapacityError
from commissions.engine.result import COLUMNS
from commissions.models import CommissionRun
from commissions.services.arrays import Array, Row, copy_rows, slices

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
    """Both tables with the parent's checks; that of the run number lets them attach unscanned.

    Indexes come after the rows, when they cost least.
    """
    for parent, table in ((LEDGER, run.ledger_table), (STANDING, run.standing_table)):
        _execute(f"create table {table} (like {parent} including constraints)")
        _execute(f"alter table {table} add constraint {table}_run check (run_id = {run.pk})")


def index_tables(run: CommissionRun) -> None:
    """The parent's indexes, under which a table is attached."""
    ledger, standing = run.ledger_table, run.standing_table
    _execute("set local maintenance_work_mem = '1GB'")
    _execute(f"create index {ledger}_lines on {ledger} using brin (distributor_id, id) {RANGES}")
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
    _execute(f"create index {table}_earner on {table} (distributor_id, id)")
    _execute(f"create index {table}_id on {table} (id)")
    _execute(f"create index {table}_refunds on {table} (volume_entry_id)")
    _execute(f"alter table {LEDGER} attach partition {table} for values in ({run.pk})")


def drop_tables(run: CommissionRun) -> None:
    """Throw away the rows of a run that did not become final."""
    for table in (run.ledger_table, run.standing_table):
        _execute(f"drop table if exists {table}")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


class LineWriter:
    """Numbers the lines of a run and turns what the engine answers into rows."""

    def __init__(self, run: CommissionRun, bonus_ids: list[int], first: int = 1) -> None:
        self.run, self.bonus_ids, self.next = run, np.array(bonus_ids, np.int64), first

    def rows_of(
        self, result: Result, member_ids: NDArray[np.int64], line_ids: NDArray[np.int64]
    ) -> Iterator[tuple[int, Row]]:
        """Earner by earner, each one's lines in the order of the result.

        Lines with a source come before those without, and among them those of an order line.
        Somebody paid on his own figures has no source: there is nobody else it came from.
        """
        lines = columns_of(result)
        has_line = lines["line"] >= 0
        has_source = (lines["source"] >= 0) & (has_line | (lines["source"] != lines["earner"]))
        kind = 2 * ~has_source + ~has_line
        order = by_earner(kind, lines["earner"])
        for start, stop in pairwise(np.searchsorted(kind[order], range(5)).tolist()):
            for part in slices(stop, start=start):
                piece = {name: column[order[part]] for name, column in lines.items()}
                row = self._row(piece, member_ids)
                first = order[start]
                if has_source[first]:
                    row["source_distributor_id"] = member_ids[piece["source"]]
                if has_line[first]:
                    row["volume_entry_id"] = line_ids[piece["line"]]
                yield len(piece["earner"]), row

    def _row(
        self, piece: dict[str, Array], member_ids: NDArray[np.int64]
    ) -> dict[str, Array | int | None]:
        return self._numbered(len(piece["earner"])) | {
            "bonus_id": self.bonus_ids[piece["bonus"]],
            "distributor_id": member_ids[piece["earner"]],
            "source_distributor_id": None,
            "volume_entry_id": None,
            "level": piece["level"],
            "rank_level": piece["rank_level"],
            "base": piece["base"],
            "rate": piece["rate"],
            "amount": piece["amount"],
            "reverses_id": None,
        }

    def rows_reversing(self, columns: Mapping[str, NDArray[np.int64]]) -> Iterator[tuple[int, Row]]:
        """Lines that undo others: the columns are given in full but for number, run and period."""
        for part in slices(len(columns["amount"])):
            piece = {name: column[part] for name, column in columns.items()}
            count = len(piece["amount"])
            yield count, self._numbered(count) | piece

    def _numbered(self, count: int) -> dict[str, Array | int | None]:
        numbers = np.arange(self.next, self.next + count, dtype=np.int64)
        self.next += count
        return {
            "id": (np.int64(self.run.pk) << 32) | numbers,
            "run_id": self.run.pk,
            "period_id": self.run.period_id,
        }


def columns_of(result: Result) -> dict[str, Array]:
    """All lines of a result as one array a column, bonus and level among them."""
    blocks, sizes = result.ledger, [len(block) for block in result.ledger]
    columns: dict[str, Array] = {
        "bonus": np.repeat([block.bonus for block in blocks], sizes).astype(np.int16),
        "level": np.repeat([block.level for block in blocks], sizes).astype(np.int16),
    }
    for name in COLUMNS:
        parts = [getattr(block, name) for block in blocks]
        columns[name] = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    return columns


MOST_LINES = 1 << 28


def by_earner(kind: NDArray[np.int64], earner: NDArray[np.int32]) -> NDArray[np.int64]:
    """The order of lines by kind (0 to 3), then by earner, then as they are.

    Sorting whole keys is several times faster than sorting their places. Raises CapacityError for
    more lines than the keys can number.
    """
    if earner.size > MOST_LINES:
        raise CapacityError(f"{earner.size:,} lines are more than a run can hold")
    keys = (kind << 59) | (earner.astype(np.int64) << 28) | np.arange(earner.size)
    keys.sort()
    return keys & (MOST_LINES - 1)


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

"""What a run writes: its lines in the order of their numbers, and the standings.

Lines go earner by earner: which of them are in each share is found first, then each session puts
its own share in order and turns it into rows piece by piece.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from commissions.engine import Plan, Result, Snapshot, Standings
from commissions.engine.errors import CapacityError
from commissions.models import CommissionRun
from commissions.models.ledger import PLACE_BITS
from commissions.services.arrays import Array, Row, copy_rows, slices
from commissions.services.figures import ONE, figures_of, ranks_seen
from commissions.services.ledger_tables import FROM_TABLE, LEDGER_KINDS, STANDING_KINDS

FIGURES = ("rank_level", "base", "rate", "amount")
EARNER_BITS, LINE_BITS = 31, 28
MOST_LINES = 1 << LINE_BITS


@dataclass(frozen=True)
class Arranged:
    """The lines of a result, one array a column, and the order in which they are written, whose
    keys say whose they are.

    `heads`: bonus and level of each block; the column `block` says of which a line is.
    `keys`: a number a line (`keys_of`), ascending from share to share and unordered within one.
    `bounds`: where in that order each of four kinds begins, and the end: from somebody's order
    line; from somebody; from nobody, on an order line; from nobody. Somebody paid on his own
    figures has no source: there is nobody else it came from.
    """

    columns: dict[str, Array]
    heads: dict[str, Array]
    keys: NDArray[np.int64]
    bounds: list[int]

    def __len__(self) -> int:
        return self.bounds[-1]

    @property
    def are_on_sums(self) -> bool:
        """Whether no line is from an order line."""
        _, first, second, third, _ = self.bounds
        return first == 0 and second == third


def arranged(result: Result, cuts: Iterable[int] = ()) -> Arranged:
    """By kind, by earner, then as they are; `cuts`: at which places shares begin."""
    number = np.arange(len(result.ledger), dtype="i2" if len(result.ledger) < 1 << 15 else "i4")
    block = np.repeat(number, [len(block) for block in result.ledger])
    lines = {"block": block, **result.columns}
    heads = {
        name: np.array([getattr(block, name) for block in result.ledger], "i2")
        for name in ("bonus", "level")
    }
    has_line = lines["line"] >= 0
    has_source = (lines["source"] >= 0) & (has_line | (lines["source"] != lines["earner"]))
    kind = 2 * (~has_source).view(np.int8) + (~has_line).view(np.int8)
    bounds = np.cumsum([0, *(np.count_nonzero(kind == one) for one in range(4))])
    keys = keys_of(kind, lines["earner"])
    if within := [cut for cut in cuts if 0 < cut < keys.size]:
        keys.partition(within)
    columns = {name: column for name, column in lines.items() if name != "earner"}
    return Arranged(columns, heads, keys, bounds.tolist())


class LineWriter:
    """Numbers the lines of a run and turns what the engine answers into rows."""

    def __init__(self, run: CommissionRun, bonus_ids: list[int], first: int = 1) -> None:
        self.run, self.bonus_ids, self.next = run, np.array(bonus_ids, np.int32), first

    def rows_of(
        self,
        lines: Arranged,
        member_ids: NDArray[np.int64],
        line_ids: NDArray[np.int64],
        start: int = 0,
        stop: int = MOST_LINES,
    ) -> Iterator[tuple[int, Row]]:
        """Those of one share: from one place in the order to before another."""
        lines.keys[start:stop].sort()
        member_ids = member_ids.astype(LEDGER_KINDS["distributor_id"])  # half as much to read
        columns, bonus_of = lines.columns, at(self.bonus_ids, lines.heads["bonus"])
        for kind, (first, end) in enumerate(pairwise(lines.bounds)):
            for part in slices(min(end, stop), start=max(first, start)):
                earner, places = read_out(lines.keys[part])
                block = at(columns["block"], places)
                row = self._numbered(len(places)) | {
                    "bonus_id": at(bonus_of, block),
                    "distributor_id": at(member_ids, earner),
                    "source_distributor_id": None,
                    "volume_entry_id": None,
                    "level": at(lines.heads["level"], block),
                    **{name: at(columns[name], places) for name in FIGURES},
                    "reverses_id": None,
                }
                if kind < 2:
                    row["source_distributor_id"] = at(member_ids, at(columns["source"], places))
                if kind % 2 == 0:
                    row["volume_entry_id"] = at(line_ids, at(columns["line"], places))
                yield len(places), row

    def rows_reversing(
        self, columns: Mapping[str, NDArray[np.int64]], places: slice = slice(None)
    ) -> Iterator[tuple[int, Row]]:
        """Lines that undo others: the columns are given in full but for number and run.

        A volume entry of 0 stands for several refunds; those lines, which name none, come last.
        """
        start, stop, _ = places.indices(len(columns["amount"]))
        named = int(np.count_nonzero(columns["volume_entry_id"]))
        for first, end, names in ((0, named, {}), (named, stop, {"volume_entry_id": None})):
            for part in slices(min(end, stop), start=max(first, start)):
                piece = {name: column[part] for name, column in columns.items()}
                count = len(piece["amount"])
                yield count, self._numbered(count) | piece | names

    def _numbered(self, count: int) -> dict[str, Array | int | None]:
        numbers = np.arange(self.next, self.next + count, dtype=np.int64)
        self.next += count
        return {
            "id": (np.int64(self.run.pk) << PLACE_BITS) | numbers,
            "run_id": self.run.pk,
        }


def at(column: Array, places: Array) -> Array:
    """`column[places]` for places that are there: not checking them takes a third of the time."""
    return column.take(places, mode="clip")


def keys_of(kind: NDArray[np.int8], earner: NDArray[np.int32]) -> NDArray[np.int64]:
    """Kind (0 to 3), earner and place of each line as one number.

    Sorting whole keys is several times faster than sorting their places. Raises CapacityError for
    more lines than the keys can number.
    """
    if earner.size > MOST_LINES:
        raise CapacityError(f"{earner.size:,} lines are more than a run can hold")
    keys = kind.astype(np.int64)
    keys <<= EARNER_BITS
    keys |= earner
    keys <<= LINE_BITS
    keys |= np.arange(earner.size, dtype=np.int32)
    return keys


def read_out(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The earner and the place in each of the `keys_of` lines."""
    return (keys >> LINE_BITS) & ((1 << EARNER_BITS) - 1), keys & (MOST_LINES - 1)


def write_lines(
    table: str,
    pieces: Iterable[tuple[int, Row]],
    *,
    without: Collection[str] = (),
    freeze: bool = False,
) -> int:
    """COPY lines into a table; columns `without` take what the table says."""
    kinds = {name: kind for name, kind in LEDGER_KINDS.items() if name not in without}
    return copy_rows(table, kinds, pieces, freeze=freeze)


def standing_columns(standings: Standings, snapshot: Snapshot, plan: Plan) -> dict[str, Array]:
    """What a standing stores, one entry a member: the figures and the ranks that people see."""
    figures, ranks = figures_of(standings, snapshot, plan), ranks_seen(standings, plan)
    return {
        "pv": figures["pv"],
        "cv": figures["cv"],
        "gv": figures["gv"],
        "legs": figures["legs"] // ONE,
        "active": standings.active,
        "rank_level": ranks.paid_as,
        "highest_level": ranks.highest,
        "title_level": ranks.title,
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
                "distributor_id": member_ids[places],
                "sponsor_id": member_ids[sponsor[places]] if has_sponsor else None,
                **{name: column[places] for name, column in columns.items()},
            },
        )
        for has_sponsor in (True, False)
        for group in [np.flatnonzero((sponsor >= 0) == has_sponsor)]
        for places in (group[part] for part in slices(group.size))
    )
    kinds = {name: kind for name, kind in STANDING_KINDS.items() if name != FROM_TABLE}
    return copy_rows(run.standing_table, kinds, pieces, freeze=True)

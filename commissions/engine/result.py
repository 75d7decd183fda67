"""What the engine answers: everybody's standing, the ledger lines as blocks, what is carried on.

A block holds the lines of one bonus (or limit) at one level; blocks come in the order of the plan,
then of levels, and within a block lines keep the order of their sources. The order is part of the
result: the same input gives the same bytes and so the same `result_hash`.

Each line can be checked by itself: amount = round(base x factor x rate). A Bronze's 5 % of 12.35 CV
is base 1235, rate 50000, amount 62. Amounts paid as such have the amount as base and a rate of 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commissions.engine.rounding import Int64s
from commissions.engine.snapshot import State, named_arrays

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Ranks:
    """Levels in one ladder, 0 for none: met by this period's figures, held, highest ever."""

    paid_as: NDArray[np.int16]
    title: NDArray[np.int16]
    highest: NDArray[np.int16]

    def by(self, which: str) -> NDArray[np.int16]:
        """One of the three by its name."""
        return {"paid_as": self.paid_as, "title": self.title, "highest": self.highest}[which]


@dataclass(frozen=True, slots=True)
class Standings:
    """Everybody in the period, one entry a member in snapshot order.

    `metrics`: every metric of the plan by code (hundredths; counts are whole numbers x 100, so that
    "3" in a plan and a count of three are the same figure). `ranks`: by ladder.
    """

    metrics: Mapping[str, Int64s]
    active: NDArray[np.bool_]
    ranks: Mapping[str, Ranks]

    def __len__(self) -> int:
        return len(self.active)


@dataclass(frozen=True, slots=True)
class Block:
    """Ledger lines of one programme (place in plan.programmes) at one level (0: no walk).

    `earner`: member index, -1 the company. `source`: member index, `line`: line index; -1 where
    there is none. `base` in hundredths, `rate` in millionths, `amount` in units of the plan's money
    scale; `rank_level`: the earner's, paid-as in the plan's first ladder (0 where that is not known
    yet), or the rank a rank bonus pays for.
    """

    bonus: int
    level: int
    earner: NDArray[np.int32]
    source: NDArray[np.int32]
    line: NDArray[np.int32]
    base: Int64s
    rate: NDArray[np.int32]
    amount: Int64s
    rank_level: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.earner)

    def part(self, start: int, stop: int) -> Block:
        """Rows start to stop as views."""
        arrays = (getattr(self, name)[start:stop] for name in COLUMNS)
        return Block(self.bonus, self.level, *arrays)

    def kept(self, keep: NDArray[np.bool_]) -> Block:
        return Block(self.bonus, self.level, *(getattr(self, name)[keep] for name in COLUMNS))


COLUMNS = ("earner", "source", "line", "base", "rate", "amount", "rank_level")
COLUMN_TYPES = (np.int32, np.int32, np.int32, np.int64, np.int32, np.int64, np.int16)


def in_columns(blocks: list[Block]) -> tuple[tuple[Block, ...], dict[str, NDArray[Any]]]:
    """The same blocks as views of one array a column, and these arrays.

    Empties the list: where nobody else holds the blocks, never more than one column is there twice.
    """
    heads = [(block.bonus, block.level) for block in blocks]
    ends = np.cumsum([len(block) for block in blocks])
    parts = {name: [getattr(block, name) for block in blocks] for name in COLUMNS}
    blocks.clear()
    columns = {
        name: np.concatenate([np.zeros(0, kind), *parts.pop(name)])
        for name, kind in zip(COLUMNS, COLUMN_TYPES, strict=True)
    }
    views = zip(*(np.split(column, ends[:-1]) for column in columns.values()), strict=True)
    return tuple(Block(*head, *view) for head, view in zip(heads, views, strict=False)), columns


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """A company limit held against what was computed; amounts in money units."""

    code: str
    allowed: int
    paid: int

    @property
    def excess(self) -> int:
        return max(0, self.paid - self.allowed)


@dataclass(frozen=True, slots=True)
class Result:
    """`ledger`: what distributors get; `columns`: the same as one array a column, block after
    block. `retained`: what the company keeps, the same kind of lines with earner -1. `held`: what
    waits for its earner's eligibility. `rewards`: what they get besides money, their amounts being
    how many, at the plan's scale. `totals`: amounts of the ledger by programme code, for each bonus
    of the trigger and each limit, 0 included."""

    engine_version: str
    plan_hash: str
    trigger: str
    standings: Standings | None
    ledger: tuple[Block, ...]
    columns: Mapping[str, NDArray[Any]]
    retained: tuple[Block, ...]
    held: tuple[Block, ...]
    totals: Mapping[str, int]
    checks: tuple[LimitCheck, ...]
    state: State
    member_count: int
    payable: Int64s | None = field(default=None)
    """By member: what may be paid of this period's earnings and of what was carried; at a close."""
    measured: Mapping[str, Int64s] = field(default_factory=dict)
    """By name and member: what stories ask that others decide (`figures`); no part of the hash."""
    rewards: tuple[Block, ...] = ()

    @property
    def row_count(self) -> int:
        return sum(len(block) for block in self.ledger)

    @property
    def total(self) -> int:
        return sum(self.totals.values())

    def blocks(self, rows: int = 65_536) -> Iterator[Block]:
        """The ledger in order, cut into blocks of at most `rows` lines; views, not copies."""
        for block in self.ledger:
            for start in range(0, len(block), rows):
                yield block.part(start, start + rows)

    def earned(self) -> Int64s:
        """Amounts by member, over all programmes of this result."""
        total = np.zeros(self.member_count, np.int64)
        for block in self.ledger:
            np.add.at(total, block.earner, block.amount)
        return total

    def result_hash(self) -> str:
        """SHA-256 over engine version, plan and every array in canonical order."""
        digest = hashlib.sha256(f"{self.engine_version};{self.plan_hash};{self.trigger};".encode())
        parts = {"payable": self.payable, "standings": self.standings, "state": dict(self.state)}
        for kind in ("ledger", "retained", "held", "rewards"):
            for place, block in enumerate(getattr(self, kind)):
                parts[f"{kind}.{place:06d}.{block.bonus}.{block.level}"] = block
        for name, array in named_arrays("", parts):
            digest.update(f"{name}:{array.dtype.str}:{array.size};".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

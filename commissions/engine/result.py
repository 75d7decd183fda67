"""What the engine answers: everybody's standing, and the ledger lines as blocks of columns.

A block holds the lines of one bonus at one level; blocks come in the order of the plan's bonuses,
then of levels, and within a block lines keep the order of the order lines (or of the members). The
order is part of the result: the same input gives the same bytes and so the same `result_hash`.

Each line can be checked by itself: amount = round(base x rate). A Bronze's 5 % of 12.35 CV is
base 1235, rate 50000, amount 62.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from commissions.engine.rounding import Int64s

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Standings:
    """One entry a member, in snapshot order. PV, CV and GV in hundredths.

    `legs`: first-level subtrees of the group tree with volume above zero. `rank_level`: rank
    qualified for in this period (paid-as), 0 = none. `highest_level`: highest ever, this one
    included.
    """

    pv: Int64s
    cv: Int64s
    gv: Int64s
    legs: NDArray[np.int32]
    active: NDArray[np.bool_]
    rank_level: NDArray[np.int16]
    highest_level: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.pv)

    def take(self, index: NDArray[np.signedinteger]) -> Standings:
        """The standings of the members at these indexes."""
        return Standings(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Block:
    """Ledger lines of one bonus (index in the plan) at one level (0 where there is no walk).

    `earner`, `source`: member indexes; `line`: line index; -1 where the bonus has no source line.
    `base`, `amount` in hundredths, `rate` in millionths; `rank_level`: the earner's, or the rank
    that a rank bonus pays for.
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


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """The plan's ceiling on what was computed: all in hundredths, `excess` above zero breaks it."""

    volume: int
    allowed: int
    paid: int

    @property
    def excess(self) -> int:
        return max(0, self.paid - self.allowed)


@dataclass(frozen=True, slots=True)
class Result:
    """`totals`: hundredths by bonus code, for each bonus of the trigger, 0 included."""

    engine_version: str
    plan_hash: str
    trigger: str
    standings: Standings | None
    ledger: tuple[Block, ...]
    totals: Mapping[str, int]
    member_count: int

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
        """Hundredths by member, over all bonuses of this result."""
        total = np.zeros(self.member_count, np.int64)
        for block in self.ledger:
            np.add.at(total, block.earner, block.amount)
        return total

    def result_hash(self) -> str:
        """SHA-256 over engine version, plan and every array in canonical order."""
        digest = hashlib.sha256(f"{self.engine_version};{self.plan_hash};{self.trigger};".encode())
        if self.standings is not None:
            for field in fields(self.standings):
                add_array(digest, field.name, getattr(self.standings, field.name))
        for block in self.ledger:
            digest.update(f"bonus:{block.bonus}:{block.level};".encode())
            for name in COLUMNS:
                add_array(digest, name, getattr(block, name))
        return digest.hexdigest()


def add_array(digest: hashlib._Hash, name: str, array: NDArray[np.generic]) -> None:
    digest.update(f"{name}:{array.dtype.str}:{array.size};".encode())
    digest.update(np.ascontiguousarray(array).data)

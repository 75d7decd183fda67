"""What is left of a closed period's lines, each in proportion to what came back of its order line.

    own lines    o1  100.00 in 4 instalments, of o1 3 jars of 10 came back
    left         70.00, and of each instalment of 25.00 round(17.50)

A line without an order line came back as far as its whole amount is less, worked out again. Every
part is rounded by itself, on all that has come back so far, and so is nothing when all is back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import SnapshotError
from commissions.engine.money import Paid
from commissions.engine.plan import Money, Reversal
from commissions.engine.result import Block
from commissions.engine.rounding import Int64s, proportion
from commissions.engine.rows import less_now, rows_of
from commissions.engine.snapshot import Lines, State
from commissions.engine.trees import Pointers

Kept = Callable[[Int64s], Int64s]
"""From amounts of a block's lines to what is left of them."""


@dataclass(frozen=True, slots=True)
class Returns:
    """All that has come back of a closed period's lines since it ended, one entry a refund.

    `line`: place in its snapshot's lines. `quantity`: what the line stood for at the close, and
    `returned`: of which this came back, in one unit. `days`: from the sale. `volumes`: the line's
    figures that came back, negative. `told`: by how much what the period was told is less since,
    negative, by name and member: `paid.<bonus>`, and what waited for it (WAITING).
    """

    line: Pointers
    quantity: Int64s
    returned: Int64s
    days: NDArray[np.signedinteger]
    volumes: Mapping[str, Int64s]
    told: State = field(default_factory=dict)

    def kept(self, keep: NDArray[np.bool_]) -> Returns:
        return Returns(
            line=self.line[keep],
            quantity=self.quantity[keep],
            returned=self.returned[keep],
            days=self.days[keep],
            volumes={code: figures[keep] for code, figures in self.volumes.items()},
            told=self.told,
        )


@dataclass(frozen=True, slots=True)
class Back:
    """By order line: what it stood for (0 where nothing came back), how much of it came back, and
    which lines came back whole."""

    sold: Int64s
    back: Int64s
    gone: NDArray[np.bool_]

    def nothing(self) -> Back:
        """The same lines gone, but nothing of what they paid."""
        return replace(self, back=np.zeros_like(self.back))

    def of(self, line: Pointers) -> tuple[Int64s, Int64s]:
        """How much of how much came back; nothing of 1 for -1."""
        back, sold = np.append(self.back, 0)[line], np.append(self.sold, 0)[line]
        return back, np.maximum(sold, 1)

    @property
    def places(self) -> Pointers:
        """From lines to their places among those that are left; -1 for the others."""
        kept = np.where(self.gone, -1, np.cumsum(~self.gone) - 1)
        return np.append(kept, -1).astype(np.int32)


def in_window(returns: Returns, rule: Reversal) -> NDArray[np.bool_]:
    if rule.window_days is None:
        return np.ones(len(returns.line), np.bool_)
    inside: NDArray[np.bool_] = returns.days <= rule.window_days
    return inside


def returned(lines: Lines, returns: Returns, rule: Reversal) -> Back:
    """What came back of each line. Raises SnapshotError where that is more than was sold."""
    sold, back = np.zeros((2, len(lines)), np.int64)
    sold[returns.line] = returns.quantity
    np.add.at(back, returns.line, returns.returned)
    if (back > sold).any():
        raise SnapshotError("more came back of an order line than was sold")
    if rule.commissions == "full":
        back = np.where(back > 0, sold, 0)
    return Back(sold, back, (back >= sold) & (sold > 0))


def in_step(paid: Paid, back: Back, money: Money) -> Paid:
    """What is left of lines that are undone with their order line, as lines of what is left of the
    sales; all others as they were."""

    def step(block: Block) -> Block:
        undone = proportion(block.amount, *back.of(block.line), money.rounding)
        return replace(block, amount=block.amount - undone, line=back.places[block.line])

    return Paid([step(block) for block in paid.ledger], [step(block) for block in paid.retained])


def with_lines_of(stepped: Paid, worked: Paid) -> Paid:
    """What was worked out, but lines of an order line as they are in step."""

    def both(mine: Sequence[Block], theirs: Sequence[Block]) -> list[Block]:
        lined = [block.kept(block.line >= 0) for block in mine]
        return lined + [block.kept(block.line < 0) for block in theirs]

    return Paid(both(stepped.ledger, worked.ledger), both(stepped.retained, worked.retained))


def left_of(
    own: Sequence[Block], worked: Sequence[Block] | None, back: Back, money: Money
) -> Iterator[tuple[Block, Kept]]:
    """Each block of whole amounts, its lines among those that are left, and what is left of parts
    of them. `worked`: the same worked out again, for lines without an order line."""
    rows, size = rows_of(own), sum(map(len, own))
    less, whole = np.zeros(size, np.int64), np.ones(size, np.int64)
    if worked is not None:
        less[rows.place] = np.abs(less_now(rows, rows_of(worked)))
        whole[rows.place] = np.maximum(np.abs(rows.amount), 1)
    first = 0
    for block in own:
        here = slice(first, first := first + len(block))
        part, of = back.of(block.line)
        lined = block.line >= 0
        part, of = np.where(lined, part, less[here]), np.where(lined, of, whole[here])
        moved = replace(block, line=back.places[block.line])
        yield moved, less_parts(part, of, money.rounding)


def less_parts(part: Int64s, of: Int64s, rounding: str) -> Kept:
    return lambda amounts: amounts - proportion(amounts, part, of, rounding)

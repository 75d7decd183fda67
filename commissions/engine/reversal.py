"""Undoing commissions of refunded sales, by lineage and to the cent.

A ledger line was earned on a quantity. When part of it comes back, the line is undone in proportion
to what has come back **so far**, less what was undone before:

    reversal = -(round(amount x returned after / quantity) - round(amount x returned before /
    quantity))

0.50 earned on 3 jars, which come back one by one: round(16.67) = 17, round(33.33) - 17 = 16,
50 - 33 = 17, so -0.17, -0.16, -0.17: the parts always add up to the whole.

`quantity` is what the line was paid on. A line written at payment was paid on all that was sold; a
line written at the close on what was left after the refunds of its own period. `returned before`
counts from that same moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commissions.engine.errors import SnapshotError
from commissions.engine.plan import Money
from commissions.engine.rounding import Int64s, proportion


@dataclass(frozen=True, slots=True)
class Refunded:
    """One entry a pair of earlier ledger line and refund of its sale line.

    `amount`: of the ledger line, in hundredths. `quantity`, `before`, `after` in one unit,
    whichever: 0 <= before <= after <= quantity, quantity > 0. Several refunds of one line make
    several entries, each starting where the one before ended.
    """

    amount: Int64s
    quantity: Int64s
    before: Int64s
    after: Int64s


def reverse(refunded: Refunded, money: Money) -> Int64s:
    """The amounts of the reversing ledger lines, opposite in sign to what they undo; 0 where
    rounding leaves nothing to undo yet. Raises SnapshotError where more came back than was sold.
    """
    quantity, before, after = refunded.quantity, refunded.before, refunded.after
    wrong = (quantity <= 0) | (before < 0) | (after < before) | (after > quantity)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise SnapshotError(
            f"refund entry {first}: returned {int(before[first])} to {int(after[first])} "
            f"of a quantity of {int(quantity[first])}"
        )
    undone_after = proportion(refunded.amount, after, quantity, money.rounding)
    return proportion(refunded.amount, before, quantity, money.rounding) - undone_after

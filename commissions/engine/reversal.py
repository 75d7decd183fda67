"""Undoing commissions of refunded sales, by lineage and to the cent.

`plan.reversal` says what a refund undoes. `commissions` full: the whole line, with the first piece
that comes back. none: nothing. proportional: a ledger line was earned on a quantity, and when part
of it comes back, the line is undone in proportion to what has come back **so far**, less what was
undone before:

    reversal = -(round(amount x returned after / quantity) - round(amount x returned before /
    quantity))

0.50 earned on 3 jars, which come back one by one: round(16.67) = 17, round(33.33) - 17 = 16,
50 - 33 = 17, so -0.17, -0.16, -0.17: the parts always add up to the whole.

`quantity` is what the line was paid on. A line written at payment was paid on all that was sold; a
line written at the close on what was left after the refunds of its own period. `returned before`
counts from that same moment.

A refund more than `window_days` after the sale undoes nothing: with 60 days, a commission of 50.00
on a sale of 1 July stands when the goods come back on 31 August. Lines that were paid on
commissions (a match, an override on them) are undone with `derived` only. In all of this the ranks
of closed periods stand, and the volume is taken off the period of the refund. Lines that name no
order line go back by `restatement`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import SnapshotError
from commissions.engine.plan import OfCommissions, Plan
from commissions.engine.rounding import Int64s, proportion


@dataclass(frozen=True, slots=True)
class Refunded:
    """One entry a pair of earlier ledger line and refund of its sale line.

    `amount`: of the ledger line, in units of money. `quantity`, `before`, `after` in one unit,
    whichever: 0 <= before <= after <= quantity, quantity > 0. Several refunds of one line make
    several entries, each starting where the one before ended. `days` from the sale to the refund,
    needed where the plan has a window; `bonus`: the line's place in plan.programmes, needed where
    derived lines stand.
    """

    amount: Int64s
    quantity: Int64s
    before: Int64s
    after: Int64s
    days: NDArray[np.signedinteger] | None = None
    bonus: NDArray[np.signedinteger] | None = None


def reverse(refunded: Refunded, plan: Plan) -> Int64s:
    """The amounts of the reversing ledger lines, opposite in sign to what they undo; 0 where
    rounding leaves nothing to undo yet, or the plan nothing at all. Raises SnapshotError where more
    came back than was sold, or where `days` or `bonus` is needed and not there.
    """
    refuse_impossible(refunded)
    if plan.reversal.commissions == "none":
        return np.zeros_like(refunded.amount)
    if plan.reversal.commissions == "full":
        first = (refunded.before == 0) & (refunded.after > 0)
        undone = np.where(first, -refunded.amount, 0)
    else:
        undone = undone_until(refunded, refunded.before, plan) - undone_until(
            refunded, refunded.after, plan
        )
    return np.where(stands(refunded, plan), 0, undone)


def refuse_impossible(refunded: Refunded) -> None:
    quantity, before, after = refunded.quantity, refunded.before, refunded.after
    wrong = (quantity <= 0) | (before < 0) | (after < before) | (after > quantity)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise SnapshotError(
            f"refund entry {first}: returned {int(before[first])} to {int(after[first])} "
            f"of a quantity of {int(quantity[first])}"
        )


def undone_until(refunded: Refunded, returned: Int64s, plan: Plan) -> Int64s:
    return proportion(refunded.amount, returned, refunded.quantity, plan.money.rounding)


def stands(refunded: Refunded, plan: Plan) -> NDArray[np.bool_]:
    """Which lines no refund undoes: those past the window, and derived ones where the plan says."""
    standing = np.zeros(len(refunded.amount), np.bool_)
    if plan.reversal.window_days is not None:
        if refunded.days is None:
            raise SnapshotError("the plan has a window for refunds: their days are needed")
        standing |= refunded.days > plan.reversal.window_days
    derived = [isinstance(bonus.base, OfCommissions) for bonus in plan.bonuses]
    if not plan.reversal.derived and any(derived):
        if refunded.bonus is None:
            raise SnapshotError("in this plan derived lines stand: each line's bonus is needed")
        standing |= np.append(derived, np.zeros(len(plan.limits), np.bool_))[refunded.bonus]
    return standing

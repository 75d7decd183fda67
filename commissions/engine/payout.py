"""What of everybody's earnings may be paid out, and what is carried on.

A member's balance is what he earned in the period and what was carried in (the state `wallet`). It
may be paid out when it reaches the minimum and he meets the condition; otherwise all of it is
carried on. With a minimum of 500.00 and five active members asked for:

    earned 240,000.00, two active members     nothing payable, 240,000.00 carried
    next month 10.00, six active members      240,010.00 payable

A balance below zero (more was given back than earned) is carried as it is and set off against what
comes. `hold_days` after the end of the period is the first day on which the payable part is due.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commissions.engine.facts import Facts
from commissions.engine.plan import Plan
from commissions.engine.rounding import Int64s, added
from commissions.engine.snapshot import Snapshot

WALLET = "wallet"


@dataclass(frozen=True, slots=True)
class Payable:
    """By member, in units of money: `payable` from the day `due_on`, and what is `carried` on."""

    payable: Int64s
    carried: Int64s
    due_on: int


def pay_out(earned: Int64s, facts: Facts) -> Payable:
    """Splits earnings of the period and what was carried; the carried part goes into the state."""
    balance = with_wallet(earned, facts.snapshot)
    payable = np.where(is_due(balance, facts), balance, 0)
    carried = balance - payable
    if carried.any():
        facts.state_out[WALLET] = carried
    return Payable(payable, carried, due_on(facts.plan, facts.snapshot.ends_on))


def with_wallet(earned: Int64s, snapshot: Snapshot) -> Int64s:
    carried = snapshot.state.get(WALLET)
    if carried is None:
        return earned
    return added([earned, carried], "balances")


def is_due(balance: Int64s, facts: Facts) -> NDArray[np.bool_]:
    """Above zero, at least the minimum (to the unit, upward), and the condition met."""
    money, payout = facts.plan.money, facts.plan.payout
    minimum = -(-payout.minimum * 10**money.scale // 100)
    reached: NDArray[np.bool_] = balance >= max(1, minimum)
    return reached if payout.when is None else reached & facts.meets(payout.when)


def due_on(plan: Plan, ends_on: int) -> int:
    """The first day on which what a period made payable may be paid out."""
    return ends_on + plan.payout.hold_days

"""Which order lines are of the orders that a plan asks for: by who bought, and when.

The how-manieth order of its buyer an order is, and when he joined, come with the facts: buyers are
no members, and their earlier orders lie in periods that are closed. An order counts when it is
paid, whether or not it comes back later, so that the second never becomes the first.

    Carol, customer since 1 May, buys on 3 May, 20 May and 8 July
    {"last": 1}             3 May
    {"first": 2}            20 May, 8 July
    {"within_days": 30}     3 May, 20 May

What came back of an order counts, with its own day, as that order does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from commissions.engine.plan import Orders, Plan
from commissions.engine.snapshot import Lines

NUMBER, JOINED, WHO = "number", "joined", "who"


def of_orders(lines: Lines, orders: Orders) -> NDArray[np.bool_]:
    """For each line whether its order is one of these. Raises SnapshotError where the facts do not
    say."""
    counts = np.ones(len(lines), np.bool_)
    if asks_number(orders):
        number = lines.of_buyer(NUMBER)
        counts &= number >= orders.first
        if orders.last is not None:
            counts &= number <= orders.last
    if orders.within_days is not None:
        counts &= lines.day - lines.of_buyer(JOINED) <= orders.within_days
    return counts


def asks_number(orders: Orders) -> bool:
    return orders.first > 1 or orders.last is not None


def asked_of_buyers(plan: Plan) -> set[str]:
    """What the facts have to say of buyers for this plan: `number`, `joined`, `who`."""
    found: set[str] = set()
    of_metrics = [metric.orders for metric in plan.metrics]
    for orders in (*of_metrics, *(bonus.orders for bonus in plan.bonuses)):
        if orders is not None:
            found |= {NUMBER} if asks_number(orders) else set()
            found |= set() if orders.within_days is None else {JOINED}
    if any(each.window == "first_days" and each.since == "buyer" for each in plan.metrics):
        found.add(JOINED)
    if any(each.what == "buyers" for each in plan.metrics):
        found.add(WHO)
    return found

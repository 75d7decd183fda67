"""What came out of a period as tables: lists of rows with names instead of indexes.

A cell is a text, a whole number, an exact decimal, true or false, or nothing. The same rows are
printed as text and as JSON; `TABLES` is the order of both.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from commissions.engine import limits
from commissions.engine.money import by_member
from commissions.engine.payout import WALLET, due_on
from commissions.engine.plan import Limit
from commissions.simulation.booked import held, ledger, retained, rewards
from commissions.simulation.company import Company
from commissions.simulation.periods import Outcome
from commissions.simulation.standing import (
    figures,
    legs,
    placements,
    ranks,
    requirements,
    volumes,
)
from commissions.simulation.units import day, written
from commissions.simulation.view import COMPANY, Row, Rows, View


def limited(view: View) -> Rows:
    """What each limit allows: all together, or those whom it cut."""
    blocks = view.outcome.ledger
    for limit in view.plan.limits:
        codes = {view.plan.programmes.index(view.plan.bonus(code)) for code in limit.bonuses}
        place = view.plan.programmes.index(limit)
        size = len(view.names)
        cut = -by_member([block for block in blocks if block.bonus == place], size)
        earned = by_member([block for block in blocks if block.bonus in codes], size)
        allowed = limits.allowances(limit, view.facts)
        if limit.scope == "company":
            yield limit_row(view, limit, COMPANY, allowed[0], earned.sum(), cut.sum())
            continue
        group = limits.groups(limit, view.facts)
        for member in np.flatnonzero(cut).tolist():
            what = allowed[group[member]], earned[member], cut[member]
            yield limit_row(view, limit, view.names[member], *what)


def limit_row(view: View, limit: Limit, who: str, allowed: int, earned: int, cut: int) -> Row:
    return {
        "limit": limit.code,
        "scope": limit.scope,
        "distributor": who,
        "allowed": view.money(allowed),
        "earned": view.money(earned),
        "cut": view.money(cut),
    }


def bonus_totals(view: View) -> Rows:
    """What each bonus and limit comes to, for distributors and for the company."""
    sums = summed(view, ledger, "bonus"), summed(view, retained, "bonus")
    given = view.plan.rewards
    for programme in (each for each in view.plan.programmes if each not in given):
        amount, kept = (found.get(programme.code, view.money(0)) for found in sums)
        yield {"bonus": programme.code, "amount": amount, "retained": kept}


def distributor_totals(view: View) -> Rows:
    """What everybody who has a line gets."""
    for name, amount in summed(view, ledger, "distributor").items():
        yield {"distributor": name, "amount": amount}


def summed(view: View, table: Callable[[View], Rows], key: str) -> dict[str, Decimal]:
    """Amounts of a table by one of its columns, in the order of the file or as they come."""
    order = {name: place for place, name in enumerate(view.names)}
    sums: dict[str, Decimal] = {}
    for row in table(view):
        sums[str(row[key])] = sums.get(str(row[key]), view.money(0)) + Decimal(str(row["amount"]))
    return dict(sorted(sums.items(), key=lambda item: order.get(item[0], 0)))


def payable(view: View) -> Rows:
    """What may be paid out of this period's earnings and what was brought, and what is carried."""
    outcome = view.outcome
    earned = summed(view, ledger, "distributor")
    found, wallet = outcome.close.payable, outcome.close.state.get(WALLET)
    due = day(due_on(view.plan, outcome.moment.period.ends_on))
    for place, name in enumerate(view.names):
        brought = outcome.brought.get(name, 0)
        if name in earned or brought:
            yield {
                "distributor": name,
                "brought": view.money(brought),
                "earned": earned.get(name, view.money(0)),
                "payable": view.money(0 if found is None else found[place]),
                "carried": view.money(0 if wallet is None else wallet[place]),
                "due_on": due,
            }


def carried(view: View) -> Rows:
    """What the period hands on: the engine's figures by name, zeros left out."""
    for code, found in sorted(view.outcome.close.state.items()):
        for place in np.flatnonzero(found).tolist():
            figure = written(code, int(found[place]), view.plan)
            yield {"distributor": view.names[place], "name": code, "figure": figure}


TABLES: dict[str, Callable[[View], Rows]] = {
    "placements": placements,
    "volumes": volumes,
    "figures": figures,
    "ranks": ranks,
    "requirements": requirements,
    "legs": legs,
    "ledger": ledger,
    "retained": retained,
    "held": held,
    "rewards": rewards,
    "limits": limited,
    "bonus_totals": bonus_totals,
    "distributor_totals": distributor_totals,
    "payable": payable,
    "carried": carried,
}


def tables(company: Company, outcome: Outcome) -> dict[str, list[Row]]:
    """Every table of a period."""
    view = View(company, outcome)
    return {name: list(make(view)) for name, make in TABLES.items()}

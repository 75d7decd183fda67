"""The closed periods in a state file: what it takes to work one out again.

{"period": "2024-01", "starts_on": "2024-01-01", "ends_on": "2024-01-31", "first_number": "1",
 "carried": {...}, "titles": {...}, "highest": {...}, "refunds": [...], "returns": [...],
 "undone": {"7": "-15.00"}, "less": {"due.plan.1": {"Asha": "-5.00"}}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from commissions.engine.plan import Plan
from commissions.simulation.calendar import Period
from commissions.simulation.company import ClosedPeriod, Refund
from commissions.simulation.units import HUNDREDTHS, day, decimal, understood, written

DAY, VOLUME, MONEY = "rank.since", "metric.", "wallet"
Levels = Mapping[str, Mapping[str, int]]
Figures = Mapping[str, Mapping[str, int]]


def write_closed(
    one: ClosedPeriod, plan: Plan, write_ranks: Callable[[Levels, Plan], Any]
) -> dict[str, Any]:
    return {
        "period": one.period.code,
        "starts_on": day(one.period.starts_on),
        "ends_on": day(one.period.ends_on),
        "first_number": str(one.first_number),
        "carried": write_figures(one.figures, plan),
        "titles": write_ranks(one.title, plan),
        "highest": write_ranks(one.highest, plan),
        "refunds": [write_refund(refund) for refund in one.refunds],
        "returns": [write_refund(refund) for refund in one.returns],
        "undone": {str(n): written(MONEY, amount, plan) for n, amount in one.undone.items()},
        "less": write_figures(one.less, plan),
    }


def write_figures(figures: Figures, plan: Plan) -> dict[str, dict[str, str]]:
    """Without zeros, and without names of nothing else."""
    found = {
        name: {who: written(name, figure, plan) for who, figure in sorted(known.items()) if figure}
        for name, known in sorted(figures.items())
    }
    return {name: known for name, known in found.items() if known}


def read_figures(document: Any, plan: Plan) -> dict[str, dict[str, int]]:
    return {
        name: {who: understood(name, text, plan) for who, text in known.items()}
        for name, known in document.items()
    }


def write_refund(refund: Refund) -> dict[str, Any]:
    pieces = refund.quantity
    return {
        "order": refund.order,
        "of": list(refund.of),
        "date": day(refund.day),
        "volumes": {
            code: str(decimal(figure, HUNDREDTHS)) for code, figure in refund.volumes.items()
        },
        "quantity": None if pieces is None else str(decimal(pieces, HUNDREDTHS)),
    }


def read_closed(
    row: Mapping[str, Any],
    plan: Plan,
    read_ranks: Callable[[str], dict[str, dict[str, int]]],
) -> ClosedPeriod:
    """A closed period of a document. Raises KeyError, TypeError, ValueError for what is none."""
    return ClosedPeriod(
        period=Period(
            row["period"],
            understood(DAY, row["starts_on"], plan),
            understood(DAY, row["ends_on"], plan),
        ),
        first_number=int(row["first_number"]),
        figures=read_figures(row["carried"], plan),
        title=read_ranks("titles"),
        highest=read_ranks("highest"),
        refunds=tuple(read_refund(each, plan) for each in row["refunds"]),
        returns=tuple(read_refund(each, plan) for each in row["returns"]),
        undone={int(n): understood(MONEY, text, plan) for n, text in row["undone"].items()},
        less=read_figures(row.get("less", {}), plan),
    )


def read_refund(row: Mapping[str, Any], plan: Plan) -> Refund:
    order, line = row["of"]
    return Refund(
        row["order"],
        (order, line),
        understood(DAY, row["date"], plan),
        {code: understood(VOLUME, text, plan) for code, text in row["volumes"].items()},
        None if row["quantity"] is None else understood(VOLUME, row["quantity"], plan),
    )

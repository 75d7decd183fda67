"""What a run came to, as text in aligned columns or as JSON.

JSON: decimals are texts with all their places, keys are sorted, rows stand in the order of the
engine, so that the same files give the same bytes. Its last part, `state`, is what the next run
takes in; the whole document can be given as `--state`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from commissions.simulation.company import Carried, Company
from commissions.simulation.periods import Outcome
from commissions.simulation.state import write_state
from commissions.simulation.tables import TABLES, tables
from commissions.simulation.units import day
from commissions.simulation.view import Cell, Row

PIVOTS = {"volumes": ("volume", "figure"), "figures": ("metric", "figure")}
EMPTY = "-"


def as_document(company: Company, outcomes: Sequence[Outcome], carried: Carried) -> dict[str, Any]:
    """Everything a run came to, in what JSON knows."""
    return {
        "plan": {
            "name": company.plan.name,
            "hash": company.plan.content_hash,
            "currency": company.plan.currency,
        },
        "periods": [
            {
                "period": outcome.moment.period.code,
                "starts_on": day(outcome.moment.period.starts_on),
                "ends_on": day(outcome.moment.period.ends_on),
                "result_hash": outcome.close.result_hash(),
                **{
                    name: [plain(row) for row in rows]
                    for name, rows in tables(company, outcome).items()
                },
            }
            for outcome in outcomes
        ],
        "state": write_state(carried, company.plan),
    }


def plain(row: Row) -> dict[str, str | int | bool | None]:
    return {key: str(cell) if isinstance(cell, Decimal) else cell for key, cell in row.items()}


def as_json(value: Any, margin: str = "") -> str:
    """JSON with sorted keys, in which whatever holds no list and no object stands on one line."""
    parts = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list) or not any(
        isinstance(part, Mapping | list) for part in parts
    ):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    inner = f"{margin} "
    if isinstance(value, list):
        lines = [f"{inner}{as_json(part, inner)}" for part in value]
    else:
        lines = [f"{inner}{as_json(key)}: {as_json(value[key], inner)}" for key in sorted(value)]
    first, last = "[]" if isinstance(value, list) else "{}"
    return "\n".join([first, ",\n".join(lines), f"{margin}{last}"])


def as_text(document: Mapping[str, Any]) -> str:
    """The tables that hold anything, a heading over each."""
    plan = document["plan"]
    blocks = [f"{plan['name']} ({plan['currency']})"]
    for period in document["periods"]:
        code, first, last = period["period"], period["starts_on"], period["ends_on"]
        blocks.append(f"== {code}: {first} to {last}")
        for name in TABLES:
            if period[name]:
                rows = pivoted(period[name], *PIVOTS[name]) if name in PIVOTS else period[name]
                blocks.append(f"{name.replace('_', ' ').upper()}\n{aligned(rows)}")
    return "\n\n".join(blocks) + "\n"


def pivoted(rows: Iterable[Mapping[str, Cell]], column: str, cell: str) -> list[dict[str, Cell]]:
    """One row for all that differ in `column` alone, with a column for each of its values."""
    wide: dict[tuple[Cell, ...], dict[str, Cell]] = {}
    for row in rows:
        rest = {key: value for key, value in row.items() if key not in (column, cell)}
        wide.setdefault(tuple(rest.values()), rest)[str(row[column])] = row[cell]
    return list(wide.values())


def aligned(rows: Sequence[Mapping[str, Cell]]) -> str:
    """Columns that hold anything, figures to the right."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    columns = {name: [shown(row.get(name)) for row in rows] for name in names}
    columns = {name: cells for name, cells in columns.items() if set(cells) != {EMPTY}}
    lines = [[] for _ in range(len(rows) + 1)]  # type: list[list[str]]
    for name, cells in columns.items():
        width = max(len(cell) for cell in (name, *cells))
        right = all(is_figure(cell) for cell in cells)
        for line, cell in zip(lines, (name, *cells), strict=True):
            line.append(cell.rjust(width) if right else cell.ljust(width))
    return "\n".join("  ".join(line).rstrip() for line in lines)


def shown(cell: Cell) -> str:
    if cell is None or cell == "":
        return EMPTY
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell)


def is_figure(text: str) -> bool:
    return text == EMPTY or text.removeprefix("-").replace(".", "", 1).isdecimal()

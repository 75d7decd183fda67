"""The published cases: for each a plan, its people and orders, and what its source prints.

`plan-cases.json` and `further-cases.json` hold what the sources say; `<id>/` what the simulator
takes. `expected.json` is a list of rows, each a number that the source prints (`printed`, from
`entry` and `key` of the case's `expected`) and where it stands in the simulator's JSON:

    {"entry": 0, "key": "amount", "printed": "6.00", "table": "ledger",
     "where": {"distributor": "Mike", "bonus": "unilevel"}, "field": "amount"}

`variant`  picks plan-<variant>.json and the like; of a-net_off the files of a, where there are none
`period`   of the run; left out: all of them together
`where`    a cell, or a list of cells that will do
`each`     so many rows, each with the number; otherwise the rows' sum
`value`    how we write what the source prints in other words (a rank, a list)
`times`    -1 where the source prints a deduction
`count`    the number of rows
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from commissions.simulation.company import Company
from commissions.simulation.periods import run
from commissions.simulation.printing import as_document
from commissions.simulation.reading import read_company

HERE = Path(__file__).parent


@cache
def published() -> dict[str, dict[str, Any]]:
    """The cases by id, in the order of their files."""
    files = ("plan-cases.json", "further-cases.json")
    cases = [json.loads((HERE / name).read_text(encoding="utf-8")) for name in files]
    return {case["id"]: case for some in cases for case in some}


@dataclass(frozen=True)
class Row:
    """One number of a source, and where to find it."""

    case: str
    entry: int | None
    key: str
    printed: Any
    table: str | list[str]
    where: dict[str, Any]
    field: str
    variant: str | None = None
    period: str | None = None
    calendar: str = "month"
    each: int | None = None
    value: Any = None
    times: str = "1"
    count: bool = False
    why: str = ""

    def __str__(self) -> str:
        return f"{self.case}[{self.entry}].{self.key}" + (f" {self.variant}" * bool(self.variant))


@cache
def rows(case: str) -> tuple[Row, ...]:
    found = json.loads((HERE / case / "expected.json").read_text(encoding="utf-8"))
    return tuple(Row(case=case, **row) for row in found)


def all_rows() -> Iterator[Row]:
    for case in published():
        yield from rows(case)


def files(case: str, variant: str | None) -> tuple[Path, Path, Path, Path | None]:
    """Plan, distributors, orders and state of a variant."""
    state = file(case, "state", "json", variant)
    return (
        needed(case, "plan", "json", variant),
        needed(case, "distributors", "csv", variant),
        needed(case, "orders", "csv", variant),
        state,
    )


def needed(case: str, stem: str, ending: str, variant: str | None) -> Path:
    found = file(case, stem, ending, variant)
    if found is None:
        raise FileNotFoundError(f"{case} has no {stem}.{ending} for {variant}")
    return found


def file(case: str, stem: str, ending: str, variant: str | None) -> Path | None:
    part = f"-{variant}" if variant else ""
    while True:
        path = HERE / case / f"{stem}{part}.{ending}"
        if path.exists():
            return path
        if not part:
            return None
        part = part.rpartition("-")[0]


@cache
def simulated(case: str, variant: str | None, calendar: str) -> dict[str, Any]:
    """The simulator's whole answer, as JSON has it."""
    company: Company = read_company(*files(case, variant))
    document = as_document(company, *run(company, calendar))
    answer: dict[str, Any] = json.loads(json.dumps(document))
    return answer


def matching(row: Row) -> list[dict[str, Any]]:
    answer = simulated(row.case, row.variant, row.calendar)
    tables = [row.table] if isinstance(row.table, str) else row.table
    return [
        line
        for period in answer["periods"]
        if row.period in (None, period["period"])
        for table in tables
        for line in period[table]
        if all(fits(line[key], wanted) for key, wanted in row.where.items())
    ]


def fits(cell: object, wanted: object) -> bool:
    return cell in wanted if isinstance(wanted, list) else cell == wanted


def computed(row: Row) -> Any:
    """What the simulator says where the source prints `row.printed`: comparable to `wanted`."""
    lines = matching(row)
    cells = [line[row.field] for line in lines]
    if row.count:
        return Decimal(len(cells))
    if isinstance(row.value, list):
        return sorted(cells, key=as_sorted)
    if row.value is not None:
        return only(set(cells), row)
    if row.each is not None:
        if len(cells) != row.each:
            return f"{len(cells)} rows instead of {row.each}"
        return Decimal(only(set(cells), row))
    if row.field in ("level", "rate", "parent", "leg", "rank"):
        cell = only(set(cells), row)
        return cell if row.field in ("parent", "rank") else Decimal(cell)
    return sum((Decimal(cell) for cell in cells), Decimal(0)) * Decimal(row.times)


def as_sorted(cell: str) -> Any:
    return Decimal(cell) if cell.replace(".", "").isdecimal() else cell


def only(cells: set[Any], row: Row) -> Any:
    if len(cells) != 1:
        raise LookupError(f"{row}: {sorted(map(str, cells))} instead of one answer")
    return next(iter(cells))


def wanted(row: Row) -> Any:
    """What the source prints, as `computed` has it."""
    if row.value is not None:
        return row.value
    printed = str(row.printed)
    if row.field in ("parent", "rank"):
        return printed
    return Decimal(printed[:-1]) / 100 if printed.endswith("%") else Decimal(printed)

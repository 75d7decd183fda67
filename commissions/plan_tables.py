"""The parts of a plan document that people edit as tables: ranks, rates, limits.

    grids(document)                                   what to show
    with_cells(document, {"$.limits[0].share": "40"})                  the document with it

A cell names its place in the document by path, so tables and JSON are two views of one document
and neither knows more than the other. Shares are written in percent here ("4.5"), and as
decimals there ("0.045"); an empty cell at the end of a row takes the step away.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

SHARE, FIGURE, COUNT = "share", "figure", "count"
HEADS = {"rank": "Rank", "package": "Package", "kind": "Order", "band": "From", "figure": "From"}
TOKEN = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
MOST_STEPS = 12
WINDOWS = {"periods": "periods", "first_days": "first days"}


@dataclass(frozen=True)
class Cell:
    """One figure of the document. `label` says which for somebody who does not see the table."""

    path: str
    kind: str
    text: str
    label: str


@dataclass(frozen=True)
class Grid:
    """A table of cells; None where a row has nothing in a column."""

    title: str
    lead: str
    corner: str
    columns: list[str]
    rows: list[tuple[str, list[Cell | None]]]


def grids(document: Any) -> list[Grid]:
    """The tables of a document; a part that is not shaped like a plan has none."""
    found: list[Grid] = []
    for make in (ladder_grids, rate_grids, limit_grids, reward_grids, window_grids):
        try:
            found += make(document)
        except (AttributeError, KeyError, TypeError):
            continue
    return found


def ladder_grids(document: dict[str, Any]) -> Iterator[Grid]:
    """What each rank asks for: a column for each figure that some rank asks for."""
    names = {row["code"]: row.get("name", row["code"]) for row in document.get("metrics", [])}
    for place, ladder in enumerate(document.get("ladders", [])):
        asked = [
            (rank["name"], dict(requirements(rank.get("when"), path, names)))
            for rank, path in numbered(ladder["ranks"], f"$.ladders[{place}].ranks")
        ]
        columns = list(dict.fromkeys(column for _, cells in asked for column in cells))
        if columns:
            rows = [
                (name, [named(cells.get(column), name, column) for column in columns])
                for name, cells in asked
            ]
            yield Grid(
                f"Ranks: {ladder['code']}", "What each rank asks for.", "Rank", columns, rows
            )


def requirements(
    when: Any, path: str, names: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """(column, (path, kind, text)) of each figure in a rank's condition."""
    if not when:
        return
    here = f"{path}.when"
    parts = [(when, here)]
    while parts:
        condition, at = parts.pop(0)
        match condition["is"]:
            case "all" | "any":
                parts += [(part, f"{at}.of[{place}]") for place, part in enumerate(condition["of"])]
            case "at_least":
                column = names.get(condition["metric"], condition["metric"])
                yield column, (f"{at}.figure", FIGURE, condition["figure"])
            case "legs_with_volume":
                yield "Legs", (f"{at}.legs", COUNT, str(condition["legs"]))
                yield "Volume of a leg", (f"{at}.figure", FIGURE, condition["figure"])
            case "legs_with_recruits":
                yield "Legs", (f"{at}.legs", COUNT, str(condition["legs"]))
                yield "Recruits in a leg", (f"{at}.recruits", COUNT, str(condition["recruits"]))
            case "legs_with_members":
                yield "Legs", (f"{at}.legs", COUNT, str(condition["legs"]))
                yield "Members in a leg", (f"{at}.members", COUNT, str(condition["members"]))


def rate_grids(document: dict[str, Any]) -> Iterator[Grid]:
    """What each bonus pays: a column a step, a row for each rank, package, kind or band."""
    for bonus, path in numbered(document.get("bonuses", []), "$.bonuses"):
        rates = bonus["rates"]
        kind = FIGURE if bonus.get("unit") == "amount" else SHARE
        rows = list(rate_rows(document, rates, f"{path}.rates"))
        longest = max((len(values) for _, values, _ in rows), default=0)
        width = min(most_steps(bonus["pays"]), max(longest + 1, 1), MOST_STEPS)
        width = max(width, longest)
        columns = [f"Step {step}" for step in range(1, width + 1)] if width > 1 else ["Pays"]
        yield Grid(
            bonus["name"],
            lead_of(bonus, kind),
            HEADS.get(rates["by"], "Who"),
            columns,
            [
                (
                    name,
                    [
                        rate_cell(kind, values, step, f"{at}[{step}]", f"{name}, {column}")
                        for step, column in enumerate(columns)
                    ],
                )
                for name, values, at in rows
            ],
        )


def lead_of(bonus: Mapping[str, Any], kind: str) -> str:
    if kind == SHARE:
        return "In percent of what it is paid on."
    reward = bonus.get("reward")
    return f"How many: {reward['name']}." if reward else "Amounts of money."


def most_steps(pays: Mapping[str, Any]) -> int:
    return int(pays["max_steps"]) if pays["who"] == "upline" else 1


def rate_rows(
    document: dict[str, Any], rates: dict[str, Any], path: str
) -> Iterator[tuple[str, list[str], str]]:
    """(name of the row, its rates, path of the list)."""
    if rates["by"] == "step":
        yield "Everybody", rates["table"], f"{path}.table"
        return
    if rates["by"] in ("band", "figure"):
        for band, at in numbered(rates["bands"], f"{path}.bands"):
            yield band["at"], band["rates"], f"{at}.rates"
        return
    known = row_names(document, rates)
    for code in [*known, *(code for code in rates["table"] if code not in known)]:
        if code in rates["table"] or rates["by"] == "rank":
            name = known.get(code, "No rank" if code == "none" else code)
            yield name, rates["table"].get(code, []), f"{path}.table.{code}"


def row_names(document: dict[str, Any], rates: dict[str, Any]) -> dict[str, str]:
    if rates["by"] == "rank":
        ladder = next(row for row in document["ladders"] if row["code"] == rates["ladder"])
        return {rank["code"]: rank["name"] for rank in ladder["ranks"]}
    if rates["by"] == "package":
        return {row["code"]: row["name"] for row in document.get("packages", [])}
    return {code: code.replace("_", " ").capitalize() for code in document.get("kinds", [])}


def rate_cell(kind: str, values: list[str], step: int, path: str, label: str) -> Cell:
    text = values[step] if step < len(values) else ""
    return Cell(path, kind, as_percent(text) if kind == SHARE else text, label)


def limit_grids(document: dict[str, Any]) -> Iterator[Grid]:
    rows = [
        (limit["name"], [limit_cell(limit, path, "amount"), limit_cell(limit, path, "share")])
        for limit, path in numbered(document.get("limits", []), "$.limits")
    ]
    if rows:
        lead = "An amount, or a share of the metric that the limit names."
        yield Grid("Limits", lead, "Limit", ["Amount", "Share"], rows)


def limit_cell(limit: dict[str, Any], path: str, field: str) -> Cell | None:
    if limit[field] is None:
        return None
    kind = SHARE if field == "share" else FIGURE
    text = as_percent(limit[field]) if kind == SHARE else limit[field]
    return Cell(f"{path}.{field}", kind, text, f"{limit['name']}, {field}")


def reward_grids(document: dict[str, Any]) -> Iterator[Grid]:
    """What is given instead of money, and what people are told it is worth."""
    rows: list[tuple[str, list[Cell | None]]] = []
    for bonus, path in numbered(document.get("bonuses", []), "$.bonuses"):
        reward = bonus.get("reward")
        if reward and reward["value"] is not None:
            where, label = f"{path}.reward.value", f"{bonus['name']}, worth"
            rows.append((reward["name"], [Cell(where, FIGURE, reward["value"], label)]))
    if rows:
        lead = "What one is said to be worth; nobody is paid it."
        yield Grid("Rewards", lead, "Reward", ["Worth"], rows)


def window_grids(document: dict[str, Any]) -> Iterator[Grid]:
    """How many days or periods a metric looks at, and somebody's orders."""
    rows: list[tuple[str, list[Cell | None]]] = []
    for metric, path in numbered(document.get("metrics", []), "$.metrics"):
        if metric.get("window") in WINDOWS:
            name, what = metric.get("name", metric["code"]), WINDOWS[metric["window"]]
            cell = Cell(f"{path}.length", COUNT, str(metric.get("length", 1)), f"{name}, {what}")
            rows.append((f"{name}: {what}", [cell]))
    for bonus, path in numbered(document.get("bonuses", []), "$.bonuses"):
        days = (bonus.get("orders") or {}).get("within_days")
        if days is not None:
            what = "days after the buyer joined"
            label = f"{bonus['name']}, {what}"
            where = f"{path}.orders.within_days"
            rows.append((f"{bonus['name']}: {what}", [Cell(where, COUNT, str(days), label)]))
    if rows:
        yield Grid("Windows", "How far figures and bonuses look.", "Of", ["Length"], rows)


def numbered(rows: list[Any], path: str) -> Iterator[tuple[Any, str]]:
    for place, row in enumerate(rows):
        yield row, f"{path}[{place}]"


def named(found: tuple[str, str, str] | None, row: str, column: str) -> Cell | None:
    return Cell(*found, label=f"{row}, {column}") if found else None


def as_percent(text: Any) -> str:
    """ "0.045" as "4.5"; what is no decimal as it is."""
    try:
        return f"{(Decimal(text) * 100).normalize():f}"
    except (InvalidOperation, TypeError, ValueError):
        return str(text)


def as_share(text: str) -> str:
    """ "4.5" as "0.045"; what is no decimal as it is, for the check to name it."""
    try:
        return f"{(Decimal(text) / 100).normalize():f}"
    except InvalidOperation:
        return text


# Back into the document


def with_cells(document: Any, cells: Mapping[str, str]) -> Any:
    """A copy of the document with these cells, by path; a path that leads nowhere is left out."""
    changed = copy.deepcopy(document)
    kinds = {
        cell.path: cell.kind
        for grid in grids(document)
        for _, row in grid.rows
        for cell in row
        if cell is not None
    }
    for path, text in cells.items():
        if path in kinds:
            put(
                changed,
                [key or int(place) for key, place in TOKEN.findall(path)],
                kinds[path],
                text,
            )
    return changed


def put(document: Any, steps: list[str | int], kind: str, text: str) -> None:
    text = text.strip().replace(",", "")
    *way, last = steps
    for here, after in zip(way, [*way[1:], last], strict=True):
        if isinstance(here, str) and here not in document:
            document[here] = [] if isinstance(after, int) else {}
        document = document[here]
    if isinstance(last, int):
        put_step(document, last, as_share(text) if kind == SHARE and text else text)
    elif kind == COUNT:
        document[last] = int(text) if text.isdigit() else text
    else:
        document[last] = as_share(text) if kind == SHARE else text


def put_step(rates: list[str], step: int, text: str) -> None:
    """A rate at a step; steps before it that had none pay 0, an empty last one goes."""
    if text == "" and step >= len(rates):
        return
    rates.extend(["0"] * (step + 1 - len(rates)))
    rates[step] = text or "0"
    if text == "" and step == len(rates) - 1:
        rates.pop()

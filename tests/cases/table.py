"""The table of the published cases and what becomes of them: `python -m tests.cases.table`."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

from tests.cases.cases import HERE, Row, all_rows, computed, published, wanted

TARGET = Path(__file__).parents[2] / "docs" / "plan-cases.md"
HEAD = """# Published cases

Worked examples that others printed, computed by our engine from a plan document alone. The files
are in `tests/cases/<id>/`; each can be tried with `manage.py simulate_plan`, see
[simulation.md](simulation.md). `python -m tests.cases.table` writes this page.

"""
NOT_TAKEN = """
## Looked at and not taken

"""


@cache
def about() -> dict[str, dict[str, str]]:
    """By id what a case shows, and what was filled in where its source is silent."""
    found: dict[str, dict[str, str]] = json.loads((HERE / "about.json").read_text("utf-8"))
    return found


def agrees(row: Row) -> bool:
    return bool(computed(row) == wanted(row))


def source(case: dict[str, dict[str, str]]) -> str:
    found = case["source"]
    place = found.get("url") or " ".join(filter(None, (found.get("repo"), found.get("path"))))
    title = found["title"].replace("|", "/")
    return f"{title} ({place})" if place else title


def page() -> str:
    numbers = Counter(row.case for row in all_rows())
    right = Counter(row.case for row in all_rows() if agrees(row))
    lines = [
        "| case | source | what it shows | numbers | result |",
        "| --- | --- | --- | --- | --- |",
    ]
    for code, case in published().items():
        told = about()[code]
        shows = ". ".join(filter(None, (told["shows"], told.get("assumed")))).removesuffix(".")
        result = "agrees" if right[code] == numbers[code] else f"{right[code]} agree"
        lines.append(f"| {code} | {source(case)} | {shows}. | {numbers[code]} | {result} |")
    rest = json.loads((HERE / "not-taken.json").read_text("utf-8"))
    total = f"\n{right.total()} of {numbers.total()} numbers in {len(numbers)} cases agree.\n"
    left_out = "".join(f"- {each['source']}: {each['why']}.\n" for each in rest)
    return HEAD + "\n".join(lines) + "\n" + total + NOT_TAKEN + left_out


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(next(line for line in page().splitlines() if line.endswith("cases agree.")))

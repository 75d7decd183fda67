"""Small companies on files, for tests of the simulator."""

import json
from pathlib import Path
from typing import Any

from commissions.simulation.periods import run
from commissions.simulation.printing import as_document
from commissions.simulation.reading import read_company
from tests.engine.documents import document

UNILEVEL = {
    "code": "unilevel",
    "name": "Unilevel",
    "ledger_type": "unilevel",
    "trigger": "period_close",
    "base": {"of": "order", "volume": "cv"},
    "pays": {
        "who": "upline",
        "tree": "sponsor",
        "start": {"retail": "source", "self_consumption": "upline"},
        "steps": {"count": "physical"},
        "max_steps": 2,
        "max_distance": None,
        "unfilled": "nobody",
    },
    "rates": {"by": "step", "table": ["0.10", "0.05"]},
    "eligibility": {"when": None, "otherwise": "lost"},
}


def plan(**parts: Any) -> dict[str, Any]:
    """Ten and five per cent of CV up the sponsor tree."""
    return document(**{"bonuses": [UNILEVEL], **parts})


class Folder:
    """Files of a run in a folder: a plan with these parts, people and orders as CSV text."""

    def __init__(self, path: Path, people: str, orders: str, **parts: Any) -> None:
        self.path = path
        self.write("plan.json", json.dumps(plan(**parts)))
        self.write("distributors.csv", people)
        self.write("orders.csv", orders)

    def write(self, name: str, text: str) -> Path:
        target = self.path / name
        target.write_text(text, encoding="utf-8")
        return target

    def read(self, state: dict[str, Any] | None = None):
        where = None if state is None else self.write("state.json", json.dumps(state))
        names = ("plan.json", "distributors.csv", "orders.csv")
        return read_company(*(self.path / name for name in names), where)

    def run(self, state: dict[str, Any] | None = None, calendar="month", until=None):
        company = self.read(state)
        return as_document(company, *run(company, calendar, until))


def amounts(period: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(line["distributor"], line["order"], line["amount"]) for line in period["ledger"]]

"""Small companies for worked examples: people by name, sales in decimal strings."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from commissions.engine import ORDER_CLASSES, Result, Snapshot, build_snapshot, load_plan

PLANS = Path(__file__).parents[2] / "commissions" / "plans"


def demo_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((PLANS / "demo.json").read_text())
    return document


def demo_plan(**sections: object):
    """The demo plan, with whole sections of the document replaced."""
    return load_plan({**demo_document(), **sections})


def hundredths(amount: str) -> int:
    return int(Decimal(amount).scaleb(2))


class Company:
    """`Company({"asha": None, "bela": "asha"})`: who stands under whom; ids are 1, 2, 3 ..."""

    def __init__(self, sponsors: dict[str, str | None]) -> None:
        self.names = list(sponsors)
        self.sponsors = dict(sponsors)
        self.enrollers = dict(sponsors)
        self.highest = dict.fromkeys(sponsors, 0)
        self.sales: list[dict[str, int]] = []
        self.returns: list[dict[str, int]] = []

    def sells(
        self, seller: str, cv: str, *, pv: str | None = None, kind: str = "self_consumption",
        margin: str = "0.00",
    ) -> "Company":  # fmt: skip
        self.sales.append(self.entry(seller, cv, pv or cv, kind, margin))
        return self

    def takes_back(
        self, seller: str, cv: str, *, pv: str | None = None, kind: str = "self_consumption"
    ) -> "Company":
        """A refund of a sale of an earlier period, in positive figures."""
        entry = self.entry(seller, cv, pv or cv, kind, "0.00")
        self.returns.append({**entry, "cv": -entry["cv"], "pv": -entry["pv"]})
        return self

    def entry(self, seller: str, cv: str, pv: str, kind: str, margin: str) -> dict[str, int]:
        return {
            "id": 1000 + len(self.sales) + len(self.returns),
            "seller": self.names.index(seller),
            "order_class": ORDER_CLASSES.index(kind),
            "pv": hundredths(pv),
            "cv": hundredths(cv),
            "margin": hundredths(margin),
        }

    def snapshot(self) -> Snapshot:
        return build_snapshot(
            members={
                "id": list(range(1, len(self.names) + 1)),
                "sponsor": [self.place(self.sponsors[name]) for name in self.names],
                "enroller": [self.place(self.enrollers[name]) for name in self.names],
                "highest_level": [self.highest[name] for name in self.names],
            },
            lines=as_columns(self.sales),
            refunds=as_columns(self.returns),
        )

    def place(self, name: str | None) -> int:
        return -1 if name is None else self.names.index(name)

    def ledger(self, result: Result, plan: Any, code: str) -> list[tuple[str, int, str]]:
        """The bonus's lines as (earner, level, amount), in the order of the result."""
        return [
            (self.names[earner], block.level, f"{Decimal(int(amount)).scaleb(-2):.2f}")
            for block in result.ledger
            if plan.bonuses[block.bonus].code == code
            for earner, amount in zip(block.earner, block.amount, strict=True)
        ]

    def levels(self, result: Result) -> dict[str, int]:
        assert result.standings is not None
        return dict(zip(self.names, result.standings.rank_level.tolist(), strict=True))


def as_columns(entries: list[dict[str, int]]) -> dict[str, list[int]]:
    names = ("id", "seller", "order_class", "pv", "cv", "margin")
    return {name: [entry[name] for entry in entries] for name in names}

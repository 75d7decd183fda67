"""Small companies for walks: people by letter, each under another, with marks, ranks and packages.

team = Team(A=None, B="A", C="B").marked("active", "AC").ranked(A="gold", C="silver")
team.sells("C", "100.00")
team.pays(plan, "unilevel")     # [("B", 1, "C", "10.00"), ("A", 2, "C", "5.00")]
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from commissions.engine.awards import HELD, LEDGER, RETAINED
from commissions.engine.facts import Facts
from commissions.engine.money import Paid, amounts
from commissions.engine.paying import award
from commissions.engine.plan import Bonus, Plan
from commissions.engine.result import Block
from commissions.engine.snapshot import Snapshot, build_snapshot
from tests.engine.documents import KINDS, Document

ACTIVE: Document = {"is": "flag", "flag": "active"}
OK: Document = {"is": "flag", "flag": "ok"}
Line = tuple[str, int, str, str]


class Team:
    def __init__(self, **above: str | None) -> None:
        self.above = above
        self.names = list(above)
        self.enrollers = dict(above)
        self.flags: dict[str, set[str]] = {}
        self.ranks: dict[str, str] = {}
        self.packages: dict[str, int] = {}
        self.joined: dict[str, int] = {}
        self.sales: list[tuple[str, str, str, int]] = []

    def marked(self, flag: str, names: Iterable[str]) -> "Team":
        self.flags[flag] = set(names)
        return self

    def ranked(self, **ranks: str) -> "Team":
        self.ranks = ranks
        return self

    def holding(self, **packages: int) -> "Team":
        self.packages = packages
        return self

    def sells(self, name: str, cv: str, kind: str = "self_consumption", day: int = 0) -> "Team":
        self.sales.append((name, cv, kind, day))
        return self

    def snapshot(self, plan: Plan) -> Snapshot:
        cv = [int(Decimal(amount).scaleb(2)) for _, amount, _, _ in self.sales]
        given = {
            ladder.code: [ladder.level(self.ranks.get(name)) for name in self.names]
            for ladder in plan.ladders
        }
        return build_snapshot(
            members={
                "id": range(len(self.names)),
                "parents": {
                    "sponsor": [self.place(up) for up in self.above.values()],
                    "enroller": [self.place(up) for up in self.enrollers.values()],
                },
                "flags": {
                    flag: [name in marked for name in self.names]
                    for flag, marked in self.flags.items()
                },
                "given": given,
                "package": [self.packages.get(name, -1) for name in self.names],
                "joined": [self.joined.get(name, 0) for name in self.names],
            },
            lines={
                "id": range(len(self.sales)),
                "seller": [self.place(name) for name, *_ in self.sales],
                "kind": [KINDS.index(kind) for _, _, kind, _ in self.sales],
                "day": [day for *_, day in self.sales],
                "volumes": {"pv": cv, "cv": cv, "margin": cv},
            },
            ends_on=400,
        )

    def place(self, name: str | None) -> int:
        return -1 if name is None else self.names.index(name)

    def paid(self, plan: Plan) -> dict[str, Paid]:
        """The blocks of every bonus, paid in the order of the plan."""
        facts = Facts(self.snapshot(plan), plan)
        ledger: dict[str, list[Block]] = {}
        found: dict[str, Paid] = {}
        for bonus in plan.bonuses:

            def settle(awards: Any, bonus: Bonus = bonus) -> list[Block]:
                return amounts(bonus, awards, plan).ledger

            found[bonus.code] = amounts(bonus, award(bonus, facts, ledger, settle), plan)
            ledger[bonus.code] = found[bonus.code].ledger
        return found

    def pays(self, plan: Plan, code: str = "unilevel", to: str = LEDGER) -> list[Line]:
        """A bonus's lines as (earner, level, source, amount), in the order of the result."""
        return [line for block in self.paid(plan)[code].to(to) for line in self.told(block)]

    def keeps(self, plan: Plan, code: str = "unilevel") -> list[Line]:
        return self.pays(plan, code, RETAINED)

    def holds(self, plan: Plan, code: str = "unilevel") -> list[Line]:
        return self.pays(plan, code, HELD)

    def told(self, block: Block) -> list[Line]:
        names = [*self.names, "-"]
        rows = zip(block.earner, block.source, block.amount, strict=True)
        return [
            (names[earner], block.level, names[source], f"{Decimal(int(amount)).scaleb(-2):.2f}")
            for earner, source, amount in rows
        ]

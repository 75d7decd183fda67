"""Small companies closed period by period; what one period carries on goes into the next.

first = close(plan, {"you": None, "left": "you/left"}, [("left", "100.00")])
second = close(plan, {...}, [...], state=first.result.state)
assert second.paid("binary") == {"you": ["40.00"]}
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from numpy.typing import NDArray

from commissions.engine.calculate import calculate
from commissions.engine.plan import Plan
from commissions.engine.result import Block, Result
from tests.engine.small import Sale, company

SIDES = ("left", "right")
BINARY = {"you": None, "left": "you/left", "right": "you/right"}
"""You, and one under you on each side."""


class Closed:
    """A closed period, by the names of people; amounts as "20.00", volumes likewise."""

    def __init__(self, plan: Plan, names: Sequence[str], result: Result) -> None:
        self.plan, self.names, self.result = plan, [*names, "company"], result

    def paid(self, code: str) -> dict[str, list[str]]:
        """By earner his lines of a bonus, or the cuts of a limit, in the order of the result."""
        return self.lines(code, self.result.ledger)

    def kept(self, code: str) -> list[str]:
        return self.lines(code, self.result.retained).get("company", [])

    def held(self, code: str) -> dict[str, list[str]]:
        return self.lines(code, self.result.held)

    def lines(self, code: str, blocks: Iterable[Block]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for block in blocks:
            if self.plan.programmes[block.bonus].code == code:
                for earner, amount in zip(block.earner, block.amount, strict=True):
                    found.setdefault(self.names[earner], []).append(self.money(int(amount)))
        return found

    def money(self, amount: int) -> str:
        return str(Decimal(amount).scaleb(-self.plan.money.scale))

    def state(self, name: str) -> dict[str, int]:
        """What is carried on under a name, without zeros."""
        figures: NDArray[Any] | Sequence[int] = self.result.state.get(name, ())
        return {who: int(n) for who, n in zip(self.names, figures, strict=False) if n}

    def legs(self, code: str, who: str = "you") -> tuple[str, str]:
        left, right = (self.state(f"pairs.{code}.{side}").get(who, 0) for side in SIDES)
        return str(Decimal(left).scaleb(-2)), str(Decimal(right).scaleb(-2))


def close(
    plan: Plan,
    people: Mapping[str, str | None],
    sales: Sequence[Sale] = (),
    refunds: Sequence[Sale] = (),
    state: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Closed:
    """`people`: under whom each is placed, and in a binary tree on which side: "you/left"."""
    names = list(people)
    places = [(place or "").partition("/") for place in people.values()]
    above = [names.index(up) if up else -1 for up, _, _ in places]
    given: dict[str, Any] = {
        "parents": {"sponsor": above, "enroller": above, "placement": above},
        "leg": [SIDES.index(side) if side else -1 for _, _, side in places],
    }
    nobody = dict.fromkeys(people)
    snapshot = company(nobody, sales, refunds, state, **(given | columns))
    return Closed(plan, names, calculate(snapshot, plan))

"""The plan concepts once more: plain Python, fractions, one person and one order at a time.

Written from the concept texts and the plan document, not from the engine, and without anything of
it: no arrays, no integers of hundredths, no pointers. Slow and obvious on purpose.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


@dataclass
class Person:
    name: int
    sponsor: int | None
    enroller: int | None
    highest: int
    pv: Fraction = Fraction(0)
    cv: Fraction = Fraction(0)
    gv: Fraction = Fraction(0)
    leg_volumes: list[Fraction] = field(default_factory=list)
    active: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Sale:
    name: int
    seller: int
    kind: str
    pv: Fraction
    cv: Fraction
    margin: Fraction


def rounded(amount: Fraction, rule: str) -> Fraction:
    hundredths = amount * 100
    if rule == "half_even":
        return Fraction(round(hundredths), 100)
    if rule == "half_up":
        return Fraction(int(hundredths + Fraction(1, 2)), 100)
    return Fraction(int(hundredths), 100)


class Oracle:
    def __init__(
        self, plan: dict[str, Any], people: list[Person], sales: list[Sale], refunds: list[Sale]
    ) -> None:
        self.plan, self.sales = plan, sales
        self.people = {person.name: person for person in people}
        self.ladder = plan["ranks"]["ladder"]
        self.add_volumes(refunds)
        for person in people:
            person.active = person.pv >= Fraction(plan["activity"]["min_personal_pv"])
            person.rank = self.rank_of(person)

    def above(self, person: Person, tree: str) -> Person | None:
        name = person.sponsor if tree == "sponsor" else person.enroller
        return None if name is None else self.people[name]

    def add_volumes(self, refunds: list[Sale]) -> None:
        """Every sale counts for its seller and for everybody above him, each in his own leg."""
        group = self.plan["volumes"]["group"]
        for sale in self.sales + refunds:
            if sale.kind in self.plan["volumes"]["personal"]:
                self.people[sale.seller].pv += sale.pv
                self.people[sale.seller].cv += sale.cv
        for person in self.people.values():
            below = self.all_below(person, group["tree"])
            own = person.pv if group["includes_own"] else 0
            person.gv = own + sum((other.pv for other in below), Fraction(0))
            person.leg_volumes = [
                child.pv + sum((p.pv for p in self.all_below(child, group["tree"])), Fraction(0))
                for child in self.children(person, group["tree"])
            ]

    def children(self, person: Person, tree: str) -> list[Person]:
        return [other for other in self.people.values() if self.above(other, tree) is person]

    def all_below(self, person: Person, tree: str) -> list[Person]:
        found, waiting = [], self.children(person, tree)
        while waiting:
            found.append(waiting.pop())
            waiting += self.children(found[-1], tree)
        return found

    def meets(self, person: Person, rank: dict[str, Any]) -> bool:
        legs = [v for v in person.leg_volumes if v >= Fraction(rank["min_leg_volume"])]
        return (
            person.pv >= Fraction(rank["min_personal_pv"])
            and person.gv >= Fraction(rank["min_group_pv"])
            and len(legs) >= rank["min_legs"]
        )

    def rank_of(self, person: Person) -> int:
        reached = 0
        for rank in self.ladder:
            if self.meets(person, rank):
                reached = rank["level"]
            elif self.plan["ranks"]["climb"] == "each_rank":
                return reached
        return reached

    def level(self, code: str | None) -> int:
        return next((r["level"] for r in self.ladder if r["code"] == code), 0)

    def code(self, level: int) -> str:
        return self.ladder[level - 1]["code"] if level else "none"

    def ledger(self, trigger: str) -> list[tuple[Any, ...]]:
        """(bonus, earner, source, sale, level, amount), unsorted."""
        lines = []
        for bonus in self.plan["bonuses"]:
            if bonus["trigger"] == trigger:
                who = bonus["selector"]["who"]
                lines += {"walk": self.walks, "seller": self.margins, "self": self.rises}[who](
                    bonus
                )
        if self.plan["money"]["zero_amounts"] == "omit":
            lines = [line for line in lines if line[-1] != 0]
        return lines

    def may_earn(self, bonus: dict[str, Any], person: Person) -> bool:
        asked = bonus["eligibility"]
        if asked["active"] and not person.active:
            return False
        return person.rank >= self.level(asked["min_rank"])

    def uses_a_step(self, bonus: dict[str, Any], person: Person) -> bool:
        steps = bonus["selector"]["steps"]
        if steps["count"] == "physical":
            return True
        if steps["skip_inactive"] and not person.active:
            return False
        return person.rank >= self.level(steps["skip_below"])

    def rate(self, bonus: dict[str, Any], person: Person, step: int) -> Fraction | None:
        table = bonus["rates"]["table"]
        if bonus["rates"]["by"] == "rank_and_step":
            table = table.get(self.code(person.rank), [])
        return (
            Fraction(table[step - 1]) if step <= len(table) and Fraction(table[step - 1]) else None
        )

    def walks(self, bonus: dict[str, Any]) -> list[tuple[Any, ...]]:
        lines, selector = [], bonus["selector"]
        for sale in self.sales:
            base = getattr(sale, bonus["base"])
            start = selector["start"].get(sale.kind)
            if start is None or base <= 0:
                continue
            person: Person | None = self.people[sale.seller]
            if start == "upline":
                person = self.above(self.people[sale.seller], selector["tree"])
            step = 0
            while person is not None and step < selector["max_steps"]:
                if self.uses_a_step(bonus, person):
                    step += 1
                    rate = self.rate(bonus, person, step)
                    if rate is not None and self.may_earn(bonus, person):
                        amount = rounded(base * rate, self.plan["money"]["rounding"])
                        lines.append(
                            (bonus["code"], person.name, sale.seller, sale.name, step, amount)
                        )
                person = self.above(person, selector["tree"])
        return lines

    def margins(self, bonus: dict[str, Any]) -> list[tuple[Any, ...]]:
        lines = []
        for sale in self.sales:
            seller, base = self.people[sale.seller], getattr(sale, bonus["base"])
            rate = self.rate(bonus, seller, 1)
            wanted = sale.kind in bonus["selector"]["orders"] and base > 0
            if wanted and rate is not None and self.may_earn(bonus, seller):
                amount = rounded(base * rate, self.plan["money"]["rounding"])
                lines.append((bonus["code"], seller.name, seller.name, sale.name, 0, amount))
        return lines

    def rises(self, bonus: dict[str, Any]) -> list[tuple[Any, ...]]:
        lines = []
        for person in self.people.values():
            if not self.may_earn(bonus, person):
                continue
            for rank in self.ladder[person.highest : person.rank]:
                last = rank["level"] == person.rank
                if bonus["occurrence"]["skipped_ranks"] == "pay_all" or last:
                    amount = Fraction(bonus["amounts"].get(rank["code"], "0"))
                    lines.append((bonus["code"], person.name, None, None, 0, amount))
        return lines

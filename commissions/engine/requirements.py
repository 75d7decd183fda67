"""What a condition asks of one person: each question, what he has, what is missing.

Silver asks for 200.00 PV and 1,000.00 GV; somebody has 250.00 and 900.00

pv   needed 20000    actual 25000   met
gv   needed 100000   actual 90000   short of 10000
"""

from __future__ import annotations

from dataclasses import dataclass

from commissions.engine.conditions import Leaf
from commissions.engine.facts import Facts
from commissions.engine.plan import Condition, Rank


@dataclass(frozen=True, slots=True)
class Asked:
    """A single question held against one person (units as in `conditions.Finding`).

    `negated`: it stands in a "not", so that meeting it speaks against him.
    """

    question: Leaf
    needed: int
    actual: int
    negated: bool
    met: bool = False

    @property
    def fails(self) -> bool:
        """Whether it speaks against him."""
        return self.met == self.negated

    @property
    def shortfall(self) -> int:
        return max(0, self.needed - self.actual) if self.fails and not self.negated else 0


def asked(condition: Condition | None, facts: Facts, member: int) -> tuple[Asked, ...]:
    """The single questions of a condition, as the plan lists them."""
    return tuple(
        Asked(
            question=finding.question,
            needed=finding.needed,
            actual=int(finding.actual[member]),
            negated=finding.negated,
            met=bool(finding.met[member]),
        )
        for finding in facts.measured(condition)
    )


def questions(condition: Condition | None, facts: Facts, member: int) -> tuple[Asked, ...]:
    """Those of them that speak against a member."""
    return tuple(each for each in asked(condition, facts, member) if each.fails)


@dataclass(frozen=True, slots=True)
class RankFacts:
    """A rank, its questions, and whether it is met by itself, without the ranks below it."""

    rank: Rank
    level: int
    asked: tuple[Asked, ...]
    met: bool


def rank_facts(facts: Facts, member: int, ladder: str | None = None) -> list[RankFacts]:
    """Each rank of a ladder (left out: the plan's first) from the lowest up, held against a member.

    The facts may rest on standings that were stored. A plan without ladders has none.
    """
    plan = facts.plan
    if not plan.ladders:
        return []
    ranks = plan.ladder(ladder or plan.ladders[0].code).ranks
    return [
        RankFacts(
            rank=rank,
            level=level,
            asked=asked(rank.when, facts, member),
            met=bool(facts.meets(rank.when)[member]),
        )
        for level, rank in enumerate(ranks, 1)
    ]

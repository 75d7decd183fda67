"""What a rank asks for and what somebody has of it, as pages show it.

Told from the engine's own questions (`rank_facts`), so a page cannot say anything else than what
the calculation goes by.
"""

from dataclasses import dataclass
from decimal import Decimal

from commissions.engine import Asked, Facts, Plan, RankFacts
from commissions.engine.plan import (
    AnyOf,
    AtLeast,
    Condition,
    HasRank,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    parts,
)
from commissions.engine.prose import words
from commissions.engine.requirements import asked
from mlmcrm.money import ZERO

UNITS = {"pv": "PV", "gv": "GV", "cv": "CV", "legs": "legs"}


def hundredths(value: int | Decimal | None) -> Decimal:
    """Whole hundredths out of SQL or the engine as the Decimal the pages show."""
    return Decimal(int(value or 0)).scaleb(-2).quantize(ZERO)


@dataclass(frozen=True)
class Need:
    """One question of a rank: what there is, what is asked, what is missing."""

    code: str
    label: str
    actual: Decimal
    needed: Decimal
    unit: str = ""
    is_count: bool = False
    is_fact: bool = False
    """Yes or no, or a rank: nothing to add up."""

    @property
    def missing(self) -> Decimal:
        return max(self.needed - self.actual, ZERO)

    @property
    def text(self) -> str:
        if self.is_fact:
            return "not yet" if self.missing else "yes"
        return f"{self._figure(self.actual)} of {self._figure(self.needed)} {self.unit}".rstrip()

    @property
    def text_missing(self) -> str:
        if self.is_fact:
            return "Still to come"
        return f"{self._figure(self.missing)} {self.unit}".rstrip() + " to go"

    @property
    def text_short(self) -> str:
        """What is missing in the middle of a sentence: 40.00 PV."""
        return self.label if self.is_fact else f"{self._figure(self.missing)} {self.unit}".rstrip()

    def _figure(self, value: Decimal) -> str:
        return f"{value:,.0f}" if self.is_count else f"{value:,.2f}"


@dataclass(frozen=True)
class Goal:
    """A rank in sight, and each thing it asks for."""

    name: str
    level: int
    needs: list[Need]
    is_met: bool
    words: str = ""
    """The whole of it in a sentence, where not everything listed is asked."""
    is_given: bool = False
    """Whether the company gives it, so that nothing is asked for."""

    @property
    def heading(self) -> str:
        return f"{self.name} is reached so far" if self.is_met else f"On the way to {self.name}"


def goal_of(fact: RankFacts, plan: Plan) -> Goal:
    """A rank held against one person, in the words of the pages."""
    condition = fact.rank.when
    return Goal(
        fact.rank.name,
        fact.level,
        needs_in(fact.asked, plan),
        fact.met,
        words.condition(condition, plan) if has_choices(condition) else "",
    )


def has_choices(condition: Condition | None) -> bool:
    return any(isinstance(part, AnyOf) for _, part in parts(condition))


def needs_of(condition: Condition | None, facts: Facts, member: int) -> list[Need]:
    """The single questions of a condition with what one person has of each."""
    return needs_in(asked(condition, facts, member), facts.plan)


def needs_in(questions: tuple[Asked, ...], plan: Plan) -> list[Need]:
    """What stands in a "not" asks for nothing to be done, and is left out."""
    return [need_of(each, plan) for each in questions if not each.negated]


def need_of(each: Asked, plan: Plan) -> Need:
    question = each.question
    if isinstance(question, AtLeast):
        metric = plan.metric(question.metric)
        return Need(
            metric.code,
            metric.name,
            hundredths(each.actual),
            hundredths(each.needed),
            UNITS.get(metric.code, ""),
            is_count=metric.what != "volume",
        )
    label = words.condition(question, plan)
    if isinstance(question, LegsWithVolume | LegsWithMembers | LegsWithRecruits):
        has, needed = hundredths(each.actual), hundredths(each.needed)
        return Need("legs", label.removeprefix("has "), has, needed, "legs", is_count=True)
    if isinstance(question, HasRank):
        label = words.rank_name(question.ladder, question.rank, plan)
    return Need("fact", label, Decimal(each.met), Decimal(1), is_fact=True)

"""The steps of an engine's story in the words of the pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from commerce.models import VolumeEntry
from commissions.engine import Asked, Facts, Plan, Step
from commissions.engine.explain import ENDED, EXCLUDED, NO_DIFFERENCE, NO_PACKAGE, NO_RATE, STOP
from commissions.engine.plan import (
    AnyOf,
    AtLeast,
    Bonus,
    ByPackage,
    ByRank,
    Company,
    HasRank,
    IsActive,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Limit,
    PaysUpline,
    parts,
)
from commissions.engine.prose import words
from commissions.engine.requirements import questions
from commissions.known import seen
from commissions.needs import UNITS, hundredths, needs_of
from mlmcrm.money import format_money

ROUNDINGS = {
    "half_even": "to two places, an exact half to the even digit",
    "half_up": "to two places, an exact half upwards",
    "toward_zero": "down to two places",
    "away_from_zero": "up to two places",
}
REASONS = {
    EXCLUDED: "another bonus was paid on this order",
    NO_DIFFERENCE: "as much was paid further down",
    NO_PACKAGE: "no package to be paid by",
    STOP: "the plan goes no further up",
}


@dataclass(frozen=True)
class Teller:
    """Puts steps of one bonus into words."""

    facts: Facts
    bonus: Bonus
    currency: str

    def words(self, step: Step, *, shows_money: bool) -> str:
        """What became of one person in turn; without money where it is not the reader's."""
        if step.outcome in ("paid", "held", "company"):
            return self._paid(step, shows_money)
        if step.outcome == "beyond":
            return self._beyond(step)
        used = f"Step {step.step} is used up, nothing paid"
        start = {"skipped": "Skipped", "blocked": "Ends here, nothing paid"}.get(step.outcome, used)
        return f"{start}: {self._reason(step)}."

    def _beyond(self, step: Step) -> str:
        if step.reason == ENDED:
            return "The plan does not look further up here."
        most = self._most_steps
        return f"All {most} steps were used further down." if most > 1 else "The step was used."

    @property
    def _most_steps(self) -> int:
        return self.bonus.pays.max_steps if isinstance(self.bonus.pays, PaysUpline) else 1

    def _paid(self, step: Step, shows_money: bool) -> str:
        if not isinstance(self.bonus.pays, PaysUpline):
            return "The seller's own margin." if shows_money else "Paid as the seller."
        place = f"Step {step.step}" if self._most_steps > 1 else "The one step"
        rank = f", paid as {rank_name(self.facts.plan, step.rank_level)}" if step.rank_level else ""
        kept = {"held": ", held until the conditions are met", "retained": ", kept by the company"}
        if step.to in kept:
            return f"{place}{rank}{kept[step.to]}."
        if not shows_money:
            return f"{place}{rank}."
        base = format_money(hundredths(step.base), self.currency)
        if self.bonus.unit == "amount":
            return f"{place}{rank}: {base}."
        return f"{place}{rank}: {percent(step.rate)} of {base}."

    def _reason(self, step: Step) -> str:
        if step.reason in REASONS:
            return REASONS[step.reason]
        if step.reason == NO_RATE:
            return self._no_rate(step)
        told = [self._unmet(asked, step.member) for asked in step.unmet]
        # One thing missing says enough, unless any of several would have done.
        shown = told if self._has_choices else told[:1]
        return ", ".join(dict.fromkeys(shown)) or "not counted by the plan"

    @property
    def _has_choices(self) -> bool:
        return any(isinstance(part, AnyOf) for _, part in parts(self.bonus))

    def _no_rate(self, step: Step) -> str:
        if isinstance(self.bonus.rates, ByPackage):
            return f"{self._package(step.member)} is paid no rate at this step"
        if not isinstance(self.bonus.rates, ByRank):
            return "the plan has no rate for this step"
        rank = rank_name(self.facts.plan, step.rank_level)
        return f"{rank if step.rank_level else 'without a rank one'} is paid no rate at this step"

    def _package(self, member: int) -> str:
        held = int(self.facts.package[member])
        return self.facts.plan.packages[held].name if held >= 0 else "without a package one"

    def _unmet(self, asked: Asked, member: int) -> str:
        question, plan = asked.question, self.facts.plan
        if asked.negated:
            return f"{words.condition(question, plan)}, which the plan rules out"
        if isinstance(question, IsActive):
            return self._inactive(member)
        if isinstance(question, HasRank):
            return self._below_rank(question, asked, member)
        return self._short(asked)

    def _inactive(self, member: int) -> str:
        missing = questions(self.facts.plan.activity, self.facts, member)
        return ", ".join(["not active this period", *(self._short(asked) for asked in missing)])

    def _short(self, asked: Asked) -> str:
        """What there is of what is needed: 20.00 PV of the 50.00 needed."""
        question, plan = asked.question, self.facts.plan
        if isinstance(question, AtLeast):
            has, needed = (
                words.figure(question.metric, figure, plan)
                for figure in (asked.actual, asked.needed)
            )
            name = UNITS.get(question.metric) or words.metric_name(question.metric, plan)
            return f"{has} {name} of the {needed} needed"
        if isinstance(question, LegsWithVolume | LegsWithMembers | LegsWithRecruits):
            return f"{asked.actual // 100} legs of the {asked.needed // 100} needed"
        return f"not somebody who {words.condition(question, plan)}"

    def _below_rank(self, question: HasRank, asked: Asked, member: int) -> str:
        plan = self.facts.plan
        ladder = plan.ladder(question.ladder)
        has, wanted = ladder.rank(asked.actual), ladder.rank(asked.needed)
        name, target = has.name if has else "no rank", wanted.name if wanted else "a rank"
        if question.which != "paid_as":
            return f"{name} by {question.which}, below {target}"
        condition = wanted.when if wanted else None
        missing = " and ".join(
            need.text_short for need in needs_of(condition, self.facts, member) if need.missing
        )
        short = f"{missing} short of {target}" if missing else f"below {target}"
        return f"{name} this period, {short}"


def rank_name(plan: Plan, level: int) -> str:
    rank = seen(plan).rank(level)
    return rank.name if rank else "no rank"


def buyer_words(entry: VolumeEntry) -> str:
    """Which of its buyer's orders a sale is: Number 2, 16 days after the first day."""
    order = entry.order_item.order
    days = (entry.counts_on - order.buyer_since).days if order.buyer_since else 0
    when = "on the first day"
    if days > 0:
        when = f"{days:,} day{'' if days == 1 else 's'} after the first day"
    return f"Number {order.buyer_number or 0:,}, {when}"


def limit_words(plan: Plan, limit: Limit) -> str:
    """A limit in a sentence: Unilevel, Rank bonus together pay at most 45% of the period's CV."""
    names = listed(words.programme_name(code, plan) for code in limit.bonuses)
    most = limit_amount(plan, limit)
    if limit.scope == "company":
        together = " together" if len(limit.bonuses) > 1 else ""
        pay = "pay" if len(limit.bonuses) > 1 else "pays"
        return f"{names}{together} {pay} at most {most}."
    whom = "Nobody" if limit.scope == "member" else "No person, over all positions,"
    if limit.when is not None:
        whom += f" who {words.condition(limit.when, plan)}"
    return f"{whom} gets more than {most} of {names} in a period."


def limit_amount(plan: Plan, limit: Limit) -> str:
    if limit.amount is not None:
        return format_money(hundredths(limit.amount), plan.currency)
    metric = plan.metric(limit.metric or "")
    if metric.volume and isinstance(metric.scope, Company):
        return f"{percent(limit.share or 0)} of the period's {metric.volume.upper()}"
    return f"{percent(limit.share or 0)} of {metric.name}"


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def percent(millionths: int) -> str:
    """50000 as 5%."""
    share = (Decimal(millionths) / 10_000).normalize()
    return f"{share:f}%"

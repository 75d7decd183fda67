"""The steps of an engine's story in the words of the pages."""

from dataclasses import dataclass
from decimal import Decimal

from commissions.engine import Plan, Step, rank_facts
from commissions.engine.plan import Bonus
from commissions.models import Standing
from commissions.standing import hundredths
from mlmcrm.money import format_money

ROUNDINGS = {
    "half_even": "to two places, an exact half to the even digit",
    "half_up": "to two places, an exact half upwards",
    "down": "down to two places",
}
UNITS = {"personal_pv": "PV", "group_pv": "GV"}


@dataclass(frozen=True)
class Teller:
    """Puts steps of one bonus into words."""

    plan: Plan
    bonus: Bonus
    currency: str

    def words(self, step: Step, standing: Standing | None, *, shows_money: bool) -> str:
        """What became of one person in turn; without money where it is not the reader's."""
        if step.outcome == "paid":
            return self._paid(step, shows_money)
        if step.outcome == "beyond":
            most = step.facts["max_steps"]
            return f"All {most} steps were used further down." if most > 1 else "The step was used."
        skipped = step.outcome == "skipped"
        start = "Skipped" if skipped else f"Step {step.step} is used up, nothing paid"
        return f"{start}: {self._reason(step, standing)}."

    def _paid(self, step: Step, shows_money: bool) -> str:
        if self.bonus.selector.who == "seller":
            return "The seller's own margin." if shows_money else "Paid as the seller."
        place = f"Step {step.step}" if self.bonus.selector.max_steps > 1 else "The one step"
        rank = f", paid as {rank_name(self.plan, step.rank_level)}" if step.rank_level else ""
        if not shows_money:
            return f"{place}{rank}."
        base = format_money(hundredths(step.base), self.currency)
        return f"{place}{rank}: {percent(step.rate)} of {base}."

    def _reason(self, step: Step, standing: Standing | None) -> str:
        if step.reason == "inactive":
            pv, needed = (hundredths(step.facts[name]) for name in ("pv", "pv_needed"))
            return f"not active this period, {pv:,} PV of the {needed:,} needed"
        if step.reason == "below_rank":
            return self._below_rank(step, standing)
        rank = rank_name(self.plan, step.rank_level)
        return f"{rank if step.rank_level else 'without a rank one'} is paid no rate at this step"

    def _below_rank(self, step: Step, standing: Standing | None) -> str:
        has, needed = step.facts["level"], step.facts["level_needed"]
        wanted = rank_name(self.plan, needed)
        missing = shortfall(self.plan, standing, needed)
        short = f"{missing} short of {wanted}" if missing else f"below {wanted}"
        return f"{rank_name(self.plan, has)} this period, {short}"


def rank_name(plan: Plan, level: int) -> str:
    rank = plan.ladder.rank(level)
    return rank.name if rank else "no rank"


def percent(millionths: int) -> str:
    """50000 as 5%."""
    share = (Decimal(millionths) / 10_000).normalize()
    return f"{share:f}%"


def shortfall(plan: Plan, standing: Standing | None, level: int) -> str:
    """What was missing for a rank, as "40.00 PV and 200.00 GV"; empty when that is not known."""
    if standing is None:
        return ""
    pv, gv = int(standing.pv * 100), int(standing.gv * 100)
    facts = rank_facts(plan, pv=pv, gv=gv, leg_volumes=[])
    parts = [
        f"{hundredths(need.shortfall):,} {UNITS[need.name]}"
        for need in facts[level - 1].requirements
        if need.shortfall and need.name in UNITS
    ]
    return " and ".join(parts)

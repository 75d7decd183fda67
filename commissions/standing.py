"""Where a distributor stands in the open period: volumes so far, and what the ranks ask for.

What was reached in a closed period is a stored Standing; this is the view while the period is
still running, from the projections that move with every paid order.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from django.core.cache import cache

from commissions.engine import Plan, load_plan, rank_facts
from commissions.engine.explain import RankFacts
from commissions.models import CommissionPeriod, PlanVersion
from commissions.services.plans import version_for
from commissions.services.projections import current_period
from genealogy.models import Distributor
from mlmcrm.money import ZERO

COUNTED_AT_ONCE = 20_000
"""Up to so many people below, the active ones are counted each time a page is made."""


def period_under_way() -> CommissionPeriod | None:
    """The period whose figures are "this period" everywhere."""
    return current_period()


def plan_in_force(period: CommissionPeriod | None) -> PlanVersion | None:
    """The version a period is paid by: the frozen one, else the one active on its first day."""
    if period is None:
        return None
    if period.plan_version_id:
        return period.plan_version
    return version_for(period.starts_on)


@lru_cache(maxsize=16)
def _loaded(version_id: int, definition_hash: str) -> Plan:
    return load_plan(PlanVersion.objects.get(pk=version_id).definition)


def plan_of(version: PlanVersion) -> Plan:
    """The version's definition as the engine reads it; read once per process."""
    return _loaded(version.pk, version.definition_hash)


def hundredths(value: int | Decimal | None) -> Decimal:
    """Whole hundredths out of SQL or the engine as the Decimal the pages show."""
    return Decimal(int(value or 0)).scaleb(-2).quantize(ZERO)


# Where I stand


@dataclass(frozen=True)
class Goal:
    """A rank in sight, and each thing it asks for."""

    name: str
    level: int
    needs: list["Need"]

    @property
    def is_met(self) -> bool:
        return all(need.missing <= 0 for need in self.needs)


@dataclass(frozen=True)
class Need:
    """One requirement of a rank: what there is, what is asked, what is missing."""

    code: str
    label: str
    actual: Decimal
    needed: Decimal

    @property
    def missing(self) -> Decimal:
        return max(self.needed - self.actual, ZERO)

    @property
    def unit(self) -> str:
        return {"personal_pv": "PV", "group_pv": "GV", "legs": "legs"}[self.code]

    @property
    def text(self) -> str:
        return f"{self._figure(self.actual)} of {self._figure(self.needed)} {self.unit}"

    @property
    def text_missing(self) -> str:
        return f"{self._figure(self.missing)} {self.unit} to go"

    def _figure(self, value: Decimal) -> str:
        return f"{value:,.0f}" if self.code == "legs" else f"{value:,.2f}"


NEEDS = {"personal_pv": "Personal volume", "group_pv": "Group volume", "legs": "Qualified legs"}


@dataclass(frozen=True)
class LiveStanding:
    """PV, GV and active people of a line in the open period, and the ladder held against them."""

    pv: Decimal
    gv: Decimal
    active_downline: int
    activity_needed: Decimal
    goals: list[Goal]

    @property
    def is_active(self) -> bool:
        return self.pv >= self.activity_needed

    @property
    def rank(self) -> Goal | None:
        """The rank that these figures alone would give today."""
        met = None
        for goal in self.goals:
            if not goal.is_met:
                break
            met = goal
        return met

    @property
    def next_goal(self) -> Goal | None:
        level = self.rank.level if self.rank else 0
        return next((goal for goal in self.goals if goal.level == level + 1), None)

    def goal(self, level: int) -> Goal | None:
        return next((goal for goal in self.goals if goal.level == level), self.next_goal)


def live_standing(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> LiveStanding:
    """Where a distributor stands so far in the period under way."""
    pv, gv = distributor.current_month_pv, distributor.current_month_gv
    has_legs = any(rank.min_legs for rank in plan.ladder.ranks)
    facts = rank_facts(
        plan,
        pv=int(pv * 100),
        gv=int(gv * 100),
        leg_volumes=_leg_volumes(distributor) if has_legs else [],
    )
    return LiveStanding(
        pv=pv,
        gv=gv,
        active_downline=active_downline(distributor, period, plan),
        activity_needed=hundredths(plan.activity_min_pv),
        goals=[goal_of(fact) for fact in facts],
    )


def _leg_volumes(distributor: Distributor) -> list[int]:
    """The whole volume of each first-level leg: the GV of the person at its head."""
    legs = Distributor.objects.filter(sponsor=distributor)
    return [int(gv * 100) for gv in legs.values_list("current_month_gv", flat=True)]


def active_downline(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> int:
    """How many people below have the volume of an active one; of a large line once a minute."""
    below = Distributor.objects.in_downline_of(distributor)
    active = below.filter(current_month_pv__gte=hundredths(plan.activity_min_pv))
    if distributor.downline_count <= COUNTED_AT_ONCE:
        return active.count()
    key = f"commissions.active_downline.{distributor.pk}.{period.pk}"
    return int(cache.get_or_set(key, active.count, timeout=60))


def goal_of(fact: RankFacts) -> Goal:
    """A rank of the engine in the words of the pages."""
    needs = [
        Need(
            item.name,
            NEEDS[item.name],
            Decimal(item.actual) if item.name == "legs" else hundredths(item.actual),
            Decimal(item.needed) if item.name == "legs" else hundredths(item.needed),
        )
        for item in fact.requirements
    ]
    return Goal(fact.rank.name, fact.rank.level, needs)

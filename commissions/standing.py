"""Where a distributor stands in the open period: volumes so far, and what the ranks ask for.

What was reached in a closed period is a stored Standing; this is the view while the period is
still running, from the projections that move with every paid order.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from django.core.cache import cache

from commissions.engine import Facts, Plan, Standings, build_snapshot, rank_facts
from commissions.engine.lint.asked import asked, own_volume
from commissions.engine.plan import AtLeast, Condition
from commissions.engine.prose import words
from commissions.known import PROJECTED, TREES, for_ranks, is_known, meant, seen
from commissions.models import CommissionPeriod, PlanVersion
from commissions.needs import Goal, goal_of, hundredths
from commissions.services.arrays import Lookup
from commissions.services.attributes import read_attributes
from commissions.services.facts import VOLUMES, day_number
from commissions.services.own_line import read_line
from commissions.services.plan_reading import loaded
from commissions.services.plans import version_for
from commissions.services.projections import current_period
from genealogy.models import Distributor

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


def plan_of(version: PlanVersion) -> Plan:
    """The version's definition as the engine reads it; read once per process."""
    return loaded(version)


# Where I stand


@dataclass(frozen=True)
class LiveStanding:
    """PV, GV and active people of a line in the open period, and the ladder held against them."""

    pv: Decimal
    gv: Decimal
    active_downline: int | None
    """None where that rests on more people than a page reads."""
    activity: str
    """What somebody active has or does, as the plan puts it; empty where everybody is."""
    is_active: bool
    climb: str
    goals: list[Goal]
    rests_on_many: bool = False
    """Whether the ranks ask for what rests on too many people for a page: taken as nothing."""

    @property
    def rank(self) -> Goal | None:
        """The rank that these figures alone would give today."""
        met = None
        for goal in self.goals:
            if goal.is_met:
                met = goal
            elif self.climb == "each_rank":
                break
        return met

    @property
    def next_goal(self) -> Goal | None:
        level = self.rank.level if self.rank else 0
        return next((goal for goal in self.goals if goal.level == level + 1), None)

    def goal(self, level: int) -> Goal | None:
        return next((goal for goal in self.goals if goal.level == level), self.next_goal)


def live_standing(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> LiveStanding:
    """Where a distributor stands so far in the period under way."""
    facts = live_facts(distributor, period, plan)
    own = int(np.searchsorted(facts.snapshot.members.id, distributor.pk))
    return LiveStanding(
        pv=distributor.current_month_pv,
        gv=distributor.current_month_gv,
        active_downline=active_downline(distributor, period, plan, facts),
        activity=activity_words(plan),
        is_active=bool(facts.active[own]),
        climb=seen(plan).climb,
        goals=goals_of(facts, own),
        rests_on_many=distributor.downline_count > 0
        and len(facts.snapshot.members) == 1
        and not is_told_by_projections(plan),
    )


def goals_of(facts: Facts, own: int) -> list[Goal]:
    """The ranks that people see, held against one; a given rank is met by who was given it."""
    ladder = seen(facts.plan)
    goals = [goal_of(fact, facts.plan) for fact in rank_facts(facts, own)]
    if ladder.source == "computed":
        return goals
    level = int(facts.ranks(ladder.code).paid_as[own])
    return [replace(goal, is_met=goal.level <= level, is_given=True) for goal in goals]


def live_facts(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> Facts:
    """What is known of a distributor so far.

    His projected figures say all that most plans ask for; for others, and while his line is not too
    large to be read for a page, the engine works it out from the line.
    """
    if not (is_told_by_projections(plan) and rests_on_own_pv(plan.activity, plan)):
        snapshot = read_line(distributor, period, for_ranks(plan))
        if snapshot is not None:
            return Facts(snapshot, for_ranks(plan))
    return projected_facts(distributor, period, plan)


def is_told_by_projections(plan: Plan) -> bool:
    """Whether activity and all ranks ask for nothing but what is kept on each distributor."""
    asked_for = [plan.activity, *(rank.when for rank in seen(plan).ranks)]
    return all(is_known(condition, plan, PROJECTED) for condition in asked_for)


def projected_facts(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> Facts:
    """One distributor by himself, with the figures that move with every paid order."""
    snapshot = build_snapshot(
        members={
            "id": [distributor.pk],
            "parents": {tree: [-1] for tree in TREES},
            "joined": [day_number(distributor.joined_on)],
            **read_attributes(
                plan,
                Lookup(np.array([distributor.pk], np.int64)),
                on=period.ends_on,
                people=[distributor.pk],
            ),
        },
        lines={"id": [], "seller": [], "kind": [], "volumes": dict.fromkeys(VOLUMES, ())},
        starts_on=day_number(period.starts_on),
        ends_on=day_number(period.ends_on),
    )
    figures = {code: np.zeros(1, np.int64) for code in meant(plan)}
    for code, value in (
        ("pv", distributor.current_month_pv),
        ("gv", distributor.current_month_gv),
    ):
        if code in figures:
            figures[code][0] = int(value * 100)
    unknown = Facts(snapshot, plan, Standings(figures, np.zeros(1, np.bool_), {}))
    return Facts(snapshot, plan, Standings(figures, unknown.meets(plan.activity), {}))


def rests_on_own_pv(condition: Condition | None, plan: Plan) -> bool:
    """Whether who meets it is told by everybody's own PV of the period alone."""
    if condition is None:
        return True
    is_figure = isinstance(condition, AtLeast) and condition.below is None
    return is_figure and is_known(condition, plan, {"pv"})


def activity_words(plan: Plan) -> str:
    """needs 50.00 PV; or the whole of what the plan asks."""
    if plan.activity is None:
        return ""
    if rests_on_own_pv(plan.activity, plan):
        return f"needs {activity_needed(plan):,.2f} PV"
    return f"asks for somebody who {words.condition(plan.activity, plan)}"


def activity_needed(plan: Plan) -> Decimal:
    """The own volume that everybody active has for certain; 0 where none is asked for."""
    found = own_volume(asked(plan.activity, plan), plan)
    return hundredths(found[0] if found else 0)


def active_downline(
    distributor: Distributor, period: CommissionPeriod, plan: Plan, facts: Facts
) -> int | None:
    """How many people below are active; of a large line, by their volume, once a minute.

    None of a large line where volume alone does not say it.
    """
    if len(facts.snapshot.members) > 1:
        own = facts.snapshot.members.id == distributor.pk
        return int((facts.active & ~own).sum())
    if distributor.downline_count and not rests_on_own_pv(plan.activity, plan):
        return None
    below = Distributor.objects.in_downline_of(distributor)
    active = below.filter(current_month_pv__gte=activity_needed(plan))
    if distributor.downline_count <= COUNTED_AT_ONCE:
        return active.count()
    key = f"commissions.active_downline.{distributor.pk}.{period.pk}"
    return int(cache.get_or_set(key, active.count, timeout=60))

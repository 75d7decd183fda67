"""How somebody came to his rank: each change of it, with the figures that decided."""

from dataclasses import dataclass

import numpy as np

from commissions.known import seen
from commissions.models import RankChange, Standing
from commissions.needs import Goal
from commissions.retold import standing_facts
from commissions.services.plan_reading import loaded
from commissions.standing import goals_of
from genealogy.models import Distributor

PAGE = 24


@dataclass(frozen=True)
class Step:
    """A change of rank with the names of both."""

    change: RankChange
    was: str
    now: str

    @property
    def title(self) -> str:
        """Bronze to Silver"""
        return f"{self.was} to {self.now}"

    @property
    def state(self) -> str:
        """How the timeline marks it."""
        return "done" if self.change.rises else "refused"


def steps_of(distributor: Distributor) -> list[Step]:
    """The newest changes of a distributor's rank, two years of monthly ones at most."""
    changes = RankChange.objects.filter(distributor=distributor)
    changes = changes.select_related("period", "version__plan").order_by("-period__starts_on")
    return [
        Step(
            change,
            name_of(change, change.level_from),
            name_of(change, change.level_to),
        )
        for change in changes[:PAGE]
    ]


def name_of(change: RankChange, level: int) -> str:
    """Of a level of the ladder that decided."""
    rank = seen(loaded(change.version)).rank(level)
    return rank.name if rank else "No rank"


@dataclass(frozen=True)
class Decision:
    """What the ranks between the old one and the new one asked, and what there was of it."""

    step: Step
    goals: list[Goal]


def decision_of(step: Step) -> Decision | None:
    """Told from the facts of the final run by the engine; None where it is not known any more."""
    change = step.change
    standing = (
        Standing.objects.select_related("distributor", "run")
        .filter(
            run__period=change.period_id,
            run__kind="close",
            run__status="done",
            distributor=change.distributor_id,
        )
        .first()
    )
    if standing is None:
        return None
    plan = loaded(change.version)
    facts = standing_facts(standing, standing.run, change.period, plan)
    own = int(np.searchsorted(facts.snapshot.members.id, change.distributor_id))
    low, high = sorted([change.level_from, change.level_to])
    return Decision(step, [goal for goal in goals_of(facts, own) if low < goal.level <= high])

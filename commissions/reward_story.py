"""Why somebody was given something besides money: what was asked, what there was, how many follow.

Told from the standing of the run and what it measured of him, by the engine's own questions and
rounding, like the story of a commission line.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from commissions.engine import Plan, rank_facts
from commissions.engine.money import unit_of
from commissions.engine.plan import Bonus, ByRank, OfMetric, OfOrder, OncePerRank
from commissions.engine.prose.bonuses import explain_bonus
from commissions.engine.prose.words import condition, metric_name, plain
from commissions.engine.rounding import LARGEST, divide
from commissions.known import seen
from commissions.models import CommissionRun, Reward, Standing
from commissions.needs import Goal, Need, goal_of, has_choices, hundredths, needs_of
from commissions.retold import is_told, standing_facts
from commissions.standing import plan_of


@dataclass
class RewardStory:
    """What a page tells of a reward. `needs`: what the bonus asked of him, with what he had;
    `choice`: the whole of it in words, where not all is asked. `paid_on`: on what it was worked
    out. `recomputed`: how many follow from the row's own figures, where it is of one line."""

    reward: Reward
    plan: Plan
    bonus: Bonus
    rank_name: str
    paid_on: str
    goals: list[Goal] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    choice: str = ""
    is_waiting: bool = False
    is_lost: bool = False
    recomputed: Decimal | None = None

    @property
    def is_for_rank(self) -> bool:
        return isinstance(self.bonus.occurrence, OncePerRank)

    @property
    def is_share(self) -> bool:
        return self.bonus.unit == "share"

    @property
    def agrees(self) -> bool:
        return self.recomputed == self.reward.count

    @property
    def rules(self) -> tuple[str, ...]:
        """What the plan says of the bonus."""
        return explain_bonus(self.bonus, self.plan).paragraphs


def tell_reward(reward: Reward) -> RewardStory:
    """The story of one reward; reads one standing and what was measured of one person."""
    plan = plan_of(reward.bonus.version)
    bonus = plan.bonus(reward.bonus.code)
    story = RewardStory(reward, plan, bonus, rank_named(reward, bonus, plan), paid_on(bonus, plan))
    story.recomputed = recomputed(reward, bonus, plan)
    standings = Standing.objects.select_related("distributor")
    standing = standings.filter(run=reward.run_id, distributor=reward.distributor_id).first()
    if standing is None:
        return story
    if not is_told(reward.run, plan):
        story.is_lost = reward.run.measured == CommissionRun.Measured.LOST
        story.is_waiting = not story.is_lost
        return story
    known = standing_facts(standing, reward.run, reward.period, plan)
    when = bonus.eligibility.when
    story.needs = needs_of(when, known, 0)
    story.choice = condition(when, plan) if when is not None and has_choices(when) else ""
    if isinstance(bonus.rates, ByRank):
        ranks = rank_facts(known, 0, bonus.rates.ladder)
        story.goals = [goal_of(rank, plan) for rank in ranks if rank.level == reward.rank_level]
    return story


def rank_named(reward: Reward, bonus: Bonus, plan: Plan) -> str:
    """The rank in the ladder of the rates, or in the one that people see; empty for none."""
    ladder = plan.ladder(bonus.rates.ladder) if isinstance(bonus.rates, ByRank) else seen(plan)
    rank = ladder.rank(reward.rank_level)
    return rank.name if rank else ""


def paid_on(bonus: Bonus, plan: Plan) -> str:
    """What the base is called."""
    match bonus.base:
        case OfMetric(metric=metric):
            return metric_name(metric, plan)
        case OfOrder(volume=volume):
            return f"{plain(volume).capitalize()} of order lines"
    return "Base"


def recomputed(reward: Reward, bonus: Bonus, plan: Plan) -> Decimal | None:
    """base x rate x factor, rounded as the plan says; None where several lines were added up, or
    for figures beyond what the engine multiplies at once."""
    if reward.lines != 1 or reward.rate is None:
        return None
    unit = unit_of(bonus, plan.money)
    product = int(reward.base.scaleb(2)) * int(reward.rate.scaleb(6)) * unit.numerator
    if product > LARGEST:
        return None
    rounded = divide(np.array([product], np.int64), unit.denominator, plan.money.rounding)
    return hundredths(int(rounded[0]))

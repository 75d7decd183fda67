"""Why a commission line is what it is, told from the stored facts by the engine itself.

A line of a close is explained from the standings of its run, sponsors as of the cut-off; a line at
payment from the pointers of its trees. Only the seller and the people above are read, with what the
run measured of them, and nobody below. Nobody reads a name of somebody above the earner, and nobody
below learns what others were paid.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from commerce.models import OrderItem, RefundItem, VolumeEntry
from commissions import earnings
from commissions.engine import Plan, Refunded, Step, rank_facts, reverse, trace
from commissions.engine.figures import has_story
from commissions.engine.plan import (
    NO_RANK,
    WHOLE,
    Bonus,
    ByKind,
    ByPackage,
    ByRank,
    ByStep,
    Limit,
    OfMetric,
    OfOrder,
    OncePerRank,
)
from commissions.known import seen
from commissions.models import CommissionRun, LedgerEntry, Standing
from commissions.needs import Goal, goal_of, hundredths
from commissions.retold import (
    Scene,
    highest_before,
    is_told,
    package_behind,
    scene_of,
    standing_facts,
)
from commissions.services.reversals import places_of
from commissions.standing import plan_of
from commissions.steps import StoryStep, steps_told
from commissions.wording import ROUNDINGS, buyer_words, limit_words, rank_name
from mlmcrm.money import ZERO

HUNDRED = Decimal(100)


@dataclass
class RateCell:
    """A rate of the plan's row, marked when it is the one that was used."""

    step: int
    rate: Decimal
    is_used: bool


@dataclass
class TakenBack:
    """How a refund took part of an earlier line back: pieces before and now, of how many."""

    original: LedgerEntry
    item: RefundItem
    quantity: int
    before: int

    @property
    def after(self) -> int:
        return self.before + self.item.quantity


@dataclass
class Why:
    """The whole story of a line, ready to be shown."""

    line: LedgerEntry
    plan: Plan
    bonus: Bonus | Limit
    standing: Standing | None = None
    rank_name: str = ""
    package_name: str = ""
    """Of the package whose row of rates it is, where rates go by packages."""
    item: OrderItem | None = None
    sold: VolumeEntry | None = None
    of_buyer: str = ""
    """Which of its buyer's orders it is, where the bonus asks."""
    counted: Decimal = ZERO
    refunded_in_period: Decimal = ZERO
    steps: list[StoryStep] = field(default_factory=list)
    beyond_you: int = 0
    goals: list[Goal] = field(default_factory=list)
    is_waiting: bool = False
    """Whether what the story asks is still to be measured, for a run that kept nothing of it."""
    is_lost: bool = False
    """Whether it cannot be measured any more."""
    rates: list[RateCell] = field(default_factory=list)
    raw: Decimal | None = None
    recomputed: Decimal | None = None
    taken_back: TakenBack | None = None
    is_checked: bool = True
    """Whether this line can be worked out by itself; a part of a pool or of a sum cannot."""
    has_story: bool = True
    note: str = ""
    paid_on: str = "Base"

    @property
    def is_for_rank(self) -> bool:
        return isinstance(self.bonus, Bonus) and isinstance(self.bonus.occurrence, OncePerRank)

    @property
    def is_share(self) -> bool:
        """Whether the rate is a share of the base, not an amount of its own."""
        return isinstance(self.bonus, Bonus) and self.bonus.unit == "share"

    @property
    def rates_of(self) -> str:
        """Whose row of rates it is."""
        rates = self.bonus.rates if isinstance(self.bonus, Bonus) else None
        row = "The same for all ranks"
        if isinstance(rates, ByRank):
            row = f"The row of {self.rank_name}"
        elif isinstance(rates, ByPackage):
            row = f"The row of the package {self.package_name}"
        return f"{row}, {self.line.bonus.version}"

    @property
    def exact(self) -> str:
        """The product before rounding, with all its places."""
        if self.raw is None:
            return ""
        places = max(2, -int(self.raw.normalize().as_tuple().exponent))
        return f"{self.raw:,.{places}f}"

    @property
    def is_told(self) -> bool:
        return not (self.is_waiting or self.is_lost)

    @property
    def agrees(self) -> bool:
        return self.recomputed == self.line.amount

    @property
    def rounding(self) -> str:
        return ROUNDINGS[self.plan.money.rounding]

    @property
    def is_rounded(self) -> bool:
        return self.raw is not None and self.raw != self.line.amount


def explain(line: LedgerEntry, *, for_staff: bool) -> Why:
    """The lineage of one line: sale, uplines in turn, rank, rate, rounding; recomputed."""
    plan = plan_of(line.bonus.version)
    programme = next(each for each in plan.programmes if each.code == line.bonus.code)
    why = Why(line=line, plan=plan, bonus=programme)
    standings = Standing.objects.select_related("distributor")
    why.standing = standings.filter(run=line.run_id, distributor=line.distributor_id).first()
    why.rank_name = rank_name(plan, line.rank_level)
    if not is_told(line.run, plan):
        why.is_lost = line.run.measured == CommissionRun.Measured.LOST
        why.is_waiting = not why.is_lost
    if line.reverses_id is not None:
        _explain_reversal(why)
    elif isinstance(programme, Limit):
        _explain_limit(why, programme)
    elif line.volume_entry_id is not None:
        _explain_sale(why, programme, for_staff)
    elif why.is_for_rank:
        _explain_rank(why, programme)
    else:
        _explain_figure(why, programme)
    return why


# A line from a sale


def _explain_sale(why: Why, bonus: Bonus, for_staff: bool) -> None:
    entry = why.line.volume_entry
    if entry is None:
        return
    why.sold, why.item = entry, entry.order_item
    why.of_buyer = buyer_words(entry) if bonus.orders else ""
    counts = _counted(why.line, entry)
    why.counted = why.line.base
    if isinstance(bonus.base, OfOrder) and bonus.base.volume in counts:
        why.counted = counts[bonus.base.volume]
        why.refunded_in_period = getattr(entry, bonus.base.volume) - why.counted
    why.has_story = has_story(bonus)
    if why.has_story and why.is_told:
        scene = scene_of(why.line, bonus, why.plan, entry, counts)
        why.package_name = package_behind(bonus, scene, why.line)
        _retell(why, bonus, scene, for_staff)
    why.is_checked = why.recomputed is not None and why.plan.money.granularity == "line"
    why.goals = _goals(why)
    why.rates = _rate_row(why, bonus)


def _retell(why: Why, bonus: Bonus, scene: Scene, for_staff: bool) -> None:
    source = scene.place(why.line.source_distributor_id or why.line.distributor_id)
    base = int(why.line.base * HUNDRED)
    told = trace(scene.facts, bonus.code, scene.line, source, base, scene.booked)
    ids = scene.ids([step.member for step in told])
    mine = next((i for i, pk in enumerate(ids) if _is_mine(why.line, told[i], pk)), None)
    if mine is not None:
        why.raw = told[mine].raw / HUNDRED
        why.recomputed = hundredths(told[mine].amount)
    _tell(why, scene, told, ids, len(told) - 1 if mine is None else mine, for_staff)


def _is_mine(line: LedgerEntry, step: Step, pk: int) -> bool:
    return step.outcome == "paid" and pk == line.distributor_id and step.step == line.level


def _counted(line: LedgerEntry, entry: VolumeEntry) -> dict[str, Decimal]:
    """The sale's volume; at a close less what was refunded within the same period."""
    counts = {"pv": entry.pv, "cv": entry.cv, "margin": entry.margin}
    if line.run.kind == CommissionRun.Kind.CLOSE:
        within = VolumeEntry.objects.filter(reverses=entry)
        within = within.counting_in(line.period.starts_on, line.period.ends_on)
        for refund in within:
            for volume in counts:
                counts[volume] += getattr(refund, volume)
    return counts


# The uplines, as the reader may hear of them


def _tell(
    why: Why, scene: Scene, told: list[Step], ids: list[int], mine: int, for_staff: bool
) -> None:
    """One step a person up to the earner; who stands above is counted, not named."""
    last = len(told) if for_staff else mine + 1
    why.steps = steps_told(why.line, scene.facts, told[:last], ids[:last], for_staff=for_staff)
    why.beyond_you = sum(step.outcome == "paid" for step in told[last:])


# Rank and rate


def _goals(why: Why) -> list[Goal]:
    """The rank that was paid and the next one, with what was there and what was missing."""
    if why.standing is None or not why.is_told:
        return []
    facts = standing_facts(why.standing, why.line.run, why.line.period, why.plan)
    own = int(np.searchsorted(facts.snapshot.members.id, why.line.distributor_id))
    level = why.line.rank_level
    found = rank_facts(facts, own)
    shown = (level,) if seen(why.plan).source == "given" else (level, level + 1)
    return [goal_of(fact, why.plan) for fact in found if fact.level in shown]


def _rate_row(why: Why, bonus: Bonus) -> list[RateCell]:
    """The plan's rates for whoever was paid, step by step."""
    if bonus.unit != "share" or bonus.less is not None:
        return []
    used = max(why.line.level, 1)
    return [
        RateCell(step, Decimal(rate).scaleb(-6), step == used)
        for step, rate in enumerate(_row(why, bonus), 1)
        if rate
    ]


def _row(why: Why, bonus: Bonus) -> tuple[int, ...]:
    match bonus.rates:
        case ByStep(table=table):
            return table
        case ByRank(ladder=ladder, which="paid_as", table=rows) if _is_first(why.plan, ladder):
            rank = seen(why.plan).rank(why.line.rank_level)
            return rows.get(rank.code if rank else NO_RANK, ())
        case ByPackage(table=rows):
            codes = {package.name: package.code for package in why.plan.packages}
            return rows.get(codes.get(why.package_name, ""), ())
        case ByKind(table=rows) if why.sold is not None:
            return rows.get(why.sold.order_class, ())
    return ()


def _is_first(plan: Plan, ladder: str) -> bool:
    return seen(plan).code == ladder


# A line that takes another back


def _explain_reversal(why: Why) -> None:
    """In proportion to the pieces that have come back so far, less what was taken back before."""
    line, entry = why.line, why.line.volume_entry
    original = earnings.line_by_key(line.reverses_id or 0)
    if original is not None and original.volume_entry_id is None:
        sold = original.period.name
        why.is_checked = False
        why.note = f"Sales that {sold} paid on came back: {sold} was worked out again without them."
        return
    if original is None or entry is None or entry.refund_item is None:
        return
    quantity, before = _returned_before(original, entry)
    why.taken_back = TakenBack(original, entry.refund_item, quantity, before)
    plan, sold = plan_of(line.period.frozen_plan), original.volume_entry
    undone = reverse(
        Refunded(
            amount=np.array([int(original.amount * HUNDRED)]),
            quantity=np.array([quantity]),
            before=np.array([before]),
            after=np.array([why.taken_back.after]),
            days=np.array([(entry.counts_on - sold.counts_on).days if sold else 0]),
            bonus=places_of(np.array([line.bonus_id]), plan),
        ),
        plan,
    )
    why.recomputed = hundredths(int(undone[0]))


def _returned_before(original: LedgerEntry, entry: VolumeEntry) -> tuple[int, int]:
    """On how many pieces the earlier line was paid, and how many of them had come back before.

    A line at payment was paid on all that was sold; one of a close on what its period left.
    """
    returns = VolumeEntry.objects.filter(reverses=original.volume_entry_id)
    rows = list(returns.values_list("pk", "counts_on", "refund_item__quantity"))
    quantity = entry.order_item.quantity
    if original.run.kind == CommissionRun.Kind.PAYMENT:
        return quantity, sum(pieces for pk, _, pieces in rows if pk < entry.pk)
    until = original.period.ends_on
    own = sum(pieces for _, day, pieces in rows if day <= until)
    here = (entry.counts_on, entry.pk)
    before = sum(pieces for pk, day, pieces in rows if day > until and (day, pk) < here)
    return quantity - own, before


# An amount for a rank


def _explain_rank(why: Why, bonus: Bonus) -> None:
    """A rank bonus: the amount of the rank, once, when it is reached for the first time."""
    why.is_checked = _is_plain(why.plan, bonus)
    if why.standing is None or not isinstance(bonus.rates, ByRank):
        return
    rank = seen(why.plan).rank(why.line.rank_level)
    amounts = bonus.rates.table.get(rank.code if rank else NO_RANK, ())
    standing = {"title": why.standing.title_level, "highest": why.standing.highest_level}
    level = standing.get(bonus.rates.which, why.standing.rank_level)
    reached = level >= why.line.rank_level
    is_first = highest_before(why.line, why.plan) < why.line.rank_level
    why.raw = (Decimal(amounts[0]) / WHOLE).quantize(ZERO) if amounts else ZERO
    why.recomputed = why.raw if reached and is_first else None
    why.goals = [goal for goal in _goals(why) if goal.level == why.line.rank_level]


def _is_plain(plan: Plan, bonus: Bonus) -> bool:
    """Whether the amount of the rank is all there is to it: no speed, part or other condition but
    what the plan says of everybody who has left: whoever was paid has not."""
    bonus = plan.as_written.bonus(bonus.code)
    occurrence = bonus.occurrence
    return (
        isinstance(occurrence, OncePerRank)
        and not occurrence.speed
        and bonus.instalments == 1
        and occurrence.skipped_ranks == "pay_all"
        and bonus.eligibility.when is None
        and isinstance(bonus.rates, ByRank)
        and _is_first(plan, bonus.rates.ladder)
    )


# What is paid on somebody's figures, and what a limit cuts


def _explain_figure(why: Why, bonus: Bonus) -> None:
    """A line that no single order stands behind: its own arithmetic, and what was paid on."""
    why.is_checked = False
    if isinstance(bonus.base, OfMetric):
        why.paid_on = why.plan.metric(bonus.base.metric).name
    why.raw = why.line.base * why.line.rate * Decimal(bonus.factor).scaleb(-6)
    why.note = f"Paid by the rules of {bonus.name} on the figures of the whole period."


def _explain_limit(why: Why, limit: Limit) -> None:
    why.is_checked = False
    why.note = limit_words(why.plan, limit)

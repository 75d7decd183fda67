"""Why a commission line is what it is, told from the stored facts by the engine itself.

A line of a close is explained from the standings of its run, sponsors as of the cut-off; a line at
payment from the pointers of its tree. Only the seller and the people above are read. Nobody reads a
name of somebody above the earner, and nobody below learns what others were paid.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from django.db import connection

from commerce.models import OrderItem, RefundItem, VolumeEntry
from commissions import earnings
from commissions.engine import (
    ORDER_CLASSES,
    Plan,
    Refunded,
    Snapshot,
    Standings,
    Step,
    build_snapshot,
    rank_facts,
    reverse,
    trace,
)
from commissions.engine.plan import Bonus as PlanBonus
from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry, Standing
from commissions.standing import Goal, goal_of, hundredths, plan_of
from commissions.wording import ROUNDINGS, Teller, rank_name
from genealogy.models import Distributor
from mlmcrm.money import ZERO

FARTHEST = 5_000
HUNDRED = Decimal(100)


@dataclass
class StoryStep:
    """One person in turn, as the reader may hear of him."""

    outcome: str
    who: str
    words: str
    amount: Decimal | None = None

    @property
    def state(self) -> str:
        return {"paid": "paid", "lost": "refused"}.get(self.outcome, "skipped")


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
    bonus: PlanBonus
    standing: Standing | None = None
    rank_name: str = ""
    item: OrderItem | None = None
    sold: VolumeEntry | None = None
    counted: Decimal = ZERO
    refunded_in_period: Decimal = ZERO
    steps: list[StoryStep] = field(default_factory=list)
    beyond_you: int = 0
    goals: list[Goal] = field(default_factory=list)
    rates: list[RateCell] = field(default_factory=list)
    raw: Decimal | None = None
    recomputed: Decimal | None = None
    taken_back: TakenBack | None = None

    @property
    def rates_of(self) -> str:
        """Whose row of rates it is."""
        rates = self.bonus.rates
        by_rank = rates is not None and rates.by == "rank_and_step"
        row = f"The row of {self.rank_name}" if by_rank else "The same for all ranks"
        return f"{row}, {self.line.bonus.version}"

    @property
    def exact(self) -> str:
        """The product before rounding, with all its places."""
        if self.raw is None:
            return ""
        places = max(2, -int(self.raw.normalize().as_tuple().exponent))
        return f"{self.raw:,.{places}f}"

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
    why = Why(line=line, plan=plan, bonus=plan.bonus(line.bonus.code))
    why.standing = Standing.objects.filter(run=line.run_id, distributor=line.distributor_id).first()
    why.rank_name = rank_name(plan, line.rank_level)
    if line.reverses_id is not None:
        _explain_reversal(why)
    elif line.volume_entry_id is None:
        _explain_flat(why)
    else:
        _explain_sale(why, for_staff)
    return why


# A line from a sale


def _explain_sale(why: Why, for_staff: bool) -> None:
    entry = why.line.volume_entry
    if entry is None:
        return
    why.sold, why.item = entry, entry.order_item
    counts = _counted(why.line, entry)
    why.counted = counts[why.bonus.base]
    why.refunded_in_period = getattr(entry, why.bonus.base) - why.counted
    path = upline(why.line, why.bonus, entry.distributor_id)
    standings = _stored_standings(why.line, path)
    snapshot = _snapshot(path, entry, counts)
    told = trace(snapshot, _as_arrays(snapshot, standings), why.plan, why.bonus.code, 0)
    ids = [int(snapshot.members.id[step.member]) for step in told]
    mine = next((i for i, pk in enumerate(ids) if _is_mine(why.line, told[i], pk)), None)
    if mine is not None:
        why.raw = told[mine].raw / HUNDRED
        why.recomputed = hundredths(told[mine].amount)
    _tell(why, told, ids, len(told) - 1 if mine is None else mine, standings, for_staff)
    why.goals = _goals(why.plan, why.standing, why.line.rank_level)
    why.rates = _rate_row(why)


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


_BY_STANDING = """
with recursive up as (
  select distributor_id, sponsor_id, 0 as n from commissions_standing
  where run_id = %(run)s and distributor_id = %(seller)s
  union all
  select s.distributor_id, s.sponsor_id, n + 1 from up
  join commissions_standing s on s.run_id = %(run)s and s.distributor_id = up.sponsor_id
  where n < %(farthest)s
)
select distributor_id from up order by n
"""
_BY_POINTER = """
with recursive up as (
  select id, {parent} as parent_id, 0 as n from genealogy_distributor where id = %(seller)s
  union all
  select d.id, d.{parent}, n + 1 from up
  join genealogy_distributor d on d.id = up.parent_id
  where n < %(farthest)s
)
select id from up order by n
"""


def upline(line: LedgerEntry, bonus: PlanBonus, seller_id: int) -> list[int]:
    """The seller and everybody above in the tree that the bonus walked, as the run saw it."""
    if bonus.selector.who != "walk":
        return [seller_id]
    tree = bonus.selector.tree
    if line.run.kind == CommissionRun.Kind.CLOSE and tree == "sponsor":
        query = _BY_STANDING
    else:
        query = _BY_POINTER.format(parent=f"{tree}_id")
    with connection.cursor() as cursor:
        cursor.execute(query, {"run": line.run_id, "seller": seller_id, "farthest": FARTHEST})
        return [row[0] for row in cursor.fetchall()] or [seller_id]


def _stored_standings(line: LedgerEntry, path: list[int]) -> dict[int, Standing]:
    if line.run.kind == CommissionRun.Kind.PAYMENT:
        return {}
    found = Standing.objects.filter(run=line.run_id, distributor__in=path)
    return {standing.distributor_id: standing for standing in found}


def _snapshot(path: list[int], entry: VolumeEntry, counts: dict[str, Decimal]) -> Snapshot:
    """The seller and the people above, each under the next, and the one order line."""
    above = [*range(1, len(path)), -1]
    return build_snapshot(
        members={
            "id": path,
            "sponsor": above,
            "enroller": above,
            "highest_level": [0] * len(path),
        },
        lines={
            "id": [entry.pk],
            "seller": [0],
            "order_class": [ORDER_CLASSES.index(entry.order_class)],
            **{volume: [int(value * HUNDRED)] for volume, value in counts.items()},
        },
    )


def _as_arrays(snapshot: Snapshot, stored: dict[int, Standing]) -> Standings | None:
    """The stored standings as the engine holds them; None at payment, where nobody has one."""
    if not stored:
        return None
    rows = [stored.get(int(pk)) for pk in snapshot.members.id]

    def column(name: str, kind: type, scale: int = 1) -> np.ndarray:
        return np.array([int(getattr(row, name) * scale) if row else 0 for row in rows], kind)

    return Standings(
        pv=column("pv", np.int64, 100),
        cv=column("cv", np.int64, 100),
        gv=column("gv", np.int64, 100),
        legs=column("legs", np.int32),
        active=column("active", np.bool_),
        rank_level=column("rank_level", np.int16),
        highest_level=column("highest_level", np.int16),
    )


# The uplines, as the reader may hear of them


def _tell(
    why: Why,
    told: list[Step],
    ids: list[int],
    mine: int,
    standings: dict[int, Standing],
    for_staff: bool,
) -> None:
    """One step a person up to the earner; who stands above is counted, not named."""
    last = len(told) if for_staff else mine + 1
    people = Distributor.objects.only("number", "display_name").in_bulk(ids[:last])
    teller = Teller(why.plan, why.bonus, why.line.period.currency)
    for step, pk in zip(told[:last], ids[:last], strict=True):
        is_earner = pk == why.line.distributor_id
        shows_money = is_earner or for_staff
        is_paid = step.outcome == "paid" and shows_money
        why.steps.append(
            StoryStep(
                outcome=step.outcome,
                who="You" if is_earner and not for_staff else people[pk].display_name,
                words=teller.words(step, standings.get(pk), shows_money=shows_money),
                amount=hundredths(step.amount) if is_paid else None,
            )
        )
    why.beyond_you = sum(step.outcome == "paid" for step in told[last:])


# Rank and rate


def _goals(plan: Plan, standing: Standing | None, level: int) -> list[Goal]:
    """The rank that was paid and the next one, with what was there and what was missing."""
    if standing is None:
        return []
    legs = _leg_volumes(standing) if any(rank.min_legs for rank in plan.ladder.ranks) else []
    pv, gv = int(standing.pv * HUNDRED), int(standing.gv * HUNDRED)
    facts = rank_facts(plan, pv=pv, gv=gv, leg_volumes=legs)
    return [goal_of(fact) for fact in facts if fact.rank.level in (level, level + 1)]


def _leg_volumes(standing: Standing) -> list[int]:
    legs = Standing.objects.filter(run=standing.run_id, sponsor=standing.distributor_id)
    return [int(gv * HUNDRED) for gv in legs.values_list("gv", flat=True)]


def _rate_row(why: Why) -> list[RateCell]:
    """The plan's rates for the rank that was paid, step by step."""
    if why.bonus.rates is None:
        return []
    row = why.bonus.rates.table[why.line.rank_level]
    used = max(why.line.level, 1)
    return [
        RateCell(step, Decimal(rate).scaleb(-6), step == used)
        for step, rate in enumerate(row, 1)
        if rate
    ]


# A line that takes another back


def _explain_reversal(why: Why) -> None:
    """In proportion to the pieces that have come back so far, less what was taken back before."""
    line, entry = why.line, why.line.volume_entry
    original = earnings.line_by_key(line.reverses_id or 0)
    if original is None or entry is None or entry.refund_item is None:
        return
    quantity, before = _returned_before(original, entry)
    why.taken_back = TakenBack(original, entry.refund_item, quantity, before)
    undone = reverse(
        Refunded(
            amount=np.array([int(original.amount * HUNDRED)]),
            quantity=np.array([quantity]),
            before=np.array([before]),
            after=np.array([why.taken_back.after]),
        ),
        why.plan.money,
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


# A flat amount for a rank


def _explain_flat(why: Why) -> None:
    """A rank bonus: the amount of the rank, once, when it is reached for the first time."""
    amounts = why.bonus.amounts
    if amounts is None or why.standing is None:
        return
    reached = why.standing.rank_level >= why.line.rank_level
    is_first = _highest_before(why.line) < why.line.rank_level
    why.raw = hundredths(amounts[why.line.rank_level])
    why.recomputed = why.raw if reached and is_first else None
    why.goals = [
        goal
        for goal in _goals(why.plan, why.standing, why.line.rank_level)
        if goal.level == why.line.rank_level
    ]


def _highest_before(line: LedgerEntry) -> int:
    """The highest rank ever before this period, from the standings of the period before."""
    earlier = CommissionPeriod.objects.filter(starts_on__lt=line.period.starts_on)
    before = earlier.order_by("-starts_on").values("pk")[:1]
    final = CommissionRun.objects.filter(period__in=before, kind="close", status="done")
    run = final.values_list("pk", flat=True).first()
    if run is None:
        return 0
    standing = Standing.objects.filter(run=run, distributor=line.distributor_id)
    return standing.values_list("highest_level", flat=True).first() or 0

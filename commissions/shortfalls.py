"""What is still missing for a rank in the period under way, and who below could close it.

    On the way to Silver, until 30 November 2026
    Group volume       900.00 of 1,000.00 GV    anything sold in the line counts; Ben's leg has most
    Active directs     1 of 2                   Chloe lacks 10.00 PV, Dmitri 40.00 PV
    2 legs with a Gold 1 of 2                   in Stella's leg Asha is nearest: 250.00 GV to go

The nearest come first. They are found by the engine's own questions in the line below; of a line
too large for a page only the directs are read, with the figures that move with every order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from commissions.engine import Facts, Plan, Standings, build_snapshot, rank_facts
from commissions.engine.conditions import Leaf, measure
from commissions.engine.legs import legs_and_own, most_of_a_leg
from commissions.engine.plan import (
    SPONSOR,
    AllOf,
    AnyOf,
    AtLeast,
    Company,
    Condition,
    Group,
    HasRank,
    IsActive,
    Legs,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Levels,
    Metric,
    Own,
)
from commissions.engine.trees import subtree_sums
from commissions.known import PROJECTED, TREES, for_ranks, is_known, meant
from commissions.models import CommissionPeriod
from commissions.needs import UNITS, Goal, Need, hundredths, needs_of
from commissions.services.arrays import Lookup
from commissions.services.attributes import read_attributes
from commissions.services.facts import VOLUMES, day_number
from commissions.services.own_line import read_line
from genealogy.models import Distributor

MOST = 5
"""People named for each thing that is missing."""

Places = NDArray[np.intp]
UNKNOWN = "The line is too large to look through for a page."


@dataclass(frozen=True)
class Closer:
    """Somebody below who could close a gap, and what he has and lacks."""

    number: str
    name: str
    text: str


@dataclass
class Shortfall:
    """One thing a rank asks, with what is missing and who could close it; `more` are not named."""

    need: Need
    hint: str = ""
    closers: list[Closer] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Nearest:
    """Places of those who could close a gap, nearest first, and a word on each of the first."""

    hint: str
    places: Places
    texts: list[str]


NOBODY = np.zeros(0, np.intp)


def shortfalls(
    distributor: Distributor, period: CommissionPeriod, plan: Plan, goal: Goal
) -> list[Shortfall]:
    """All a rank asks, in its order; people are named for what is missing."""
    if not any(need.missing for need in goal.needs):
        return [Shortfall(need) for need in goal.needs]
    plan = for_ranks(plan)
    snapshot = read_line(distributor, period, plan)
    line = frontline(distributor, period, plan) if snapshot is None else Facts(snapshot, plan)
    own = int(np.searchsorted(line.snapshot.members.id, distributor.pk))
    fact = next(each for each in rank_facts(line, own) if each.level == goal.level)
    questions = [each.question for each in fact.asked if not each.negated]
    found: list[Nearest | None] = []
    for need, question in zip(goal.needs, questions, strict=True):
        if not need.missing:
            found.append(None)
        elif snapshot is None and not is_told_by_directs(question, plan):
            found.append(Nearest(UNKNOWN, NOBODY, []))
        else:
            found.append(nearest(question, line, own))
    return named(goal.needs, found, line)


def is_told_by_directs(question: Leaf, plan: Plan) -> bool:
    """Whether the PV and GV of the directs say who could close a gap."""
    if not isinstance(question, AtLeast):
        return not isinstance(question, LegsWithVolume | LegsWithMembers | LegsWithRecruits)
    metric = plan.metric(question.metric)
    if metric.what == "members":
        is_frontline = metric.scope == Levels("levels", SPONSOR, 1, 1)
        return is_frontline and is_known(metric.where, plan, PROJECTED)
    return not isinstance(metric.scope, Group | Legs) or is_known(question, plan, PROJECTED)


def frontline(distributor: Distributor, period: CommissionPeriod, plan: Plan) -> Facts:
    """A distributor and his directs with the PV and GV of this period; activity by these."""
    directs = Distributor.objects.filter(sponsor=distributor)
    columns = ("pk", "joined_on", "current_month_pv", "current_month_gv")
    own = (
        distributor.pk,
        distributor.joined_on,
        distributor.current_month_pv,
        distributor.current_month_gv,
    )
    people = sorted([own, *directs.values_list(*columns)])
    ids = [row[0] for row in people]
    head = ids.index(distributor.pk)
    snapshot = build_snapshot(
        members={
            "id": ids,
            "parents": {
                tree: [-1 if tree != SPONSOR or pk == distributor.pk else head for pk in ids]
                for tree in TREES
            },
            "joined": [day_number(row[1]) for row in people],
            **read_attributes(plan, Lookup(np.array(ids, np.int64)), on=period.ends_on, people=ids),
        },
        lines={"id": [], "seller": [], "kind": [], "volumes": dict.fromkeys(VOLUMES, ())},
        starts_on=day_number(period.starts_on),
        ends_on=day_number(period.ends_on),
    )
    figures = {code: np.zeros(len(ids), np.int64) for code in meant(plan)}
    for column, code in enumerate(PROJECTED, 2):
        if code in figures:
            figures[code] = np.array([int(row[column] * 100) for row in people], np.int64)
    unknown = Facts(snapshot, plan, Standings(figures, np.zeros(len(ids), np.bool_), {}))
    return Facts(snapshot, plan, Standings(figures, unknown.meets(plan.activity), {}))


def named(needs: list[Need], found: list[Nearest | None], line: Facts) -> list[Shortfall]:
    """With the names of whom they found, by one question to the database."""
    ids = line.snapshot.members.id
    shown = [
        [] if each is None else [int(ids[place]) for place in each.places[: len(each.texts)]]
        for each in found
    ]
    people = Distributor.objects.only("number", "display_name").in_bulk(
        [pk for some in shown for pk in some]
    )
    rows = []
    for need, each, some in zip(needs, found, shown, strict=True):
        row = Shortfall(need)
        if each is not None:
            row.hint, row.more = each.hint, len(each.places) - len(some)
            row.closers = [
                Closer(people[pk].number, people[pk].display_name, text)
                for pk, text in zip(some, each.texts, strict=True)
            ]
        rows.append(row)
    return rows


# Who is nearest, by what is asked


def nearest(question: Leaf, line: Facts, own: int) -> Nearest | None:
    """Those below who could close the gap that a question leaves; None where nobody can be said."""
    if isinstance(question, AtLeast):
        return of_metric(question, line.plan.metric(question.metric), line, own)
    if isinstance(question, LegsWithRecruits):
        return Nearest("Somebody brought in counts in the leg in which he stands.", NOBODY, [])
    if isinstance(question, LegsWithVolume | LegsWithMembers):
        if question.tree not in line.snapshot.members.parents:
            return Nearest(UNKNOWN, NOBODY, [])
        if isinstance(question, LegsWithVolume):
            return of_leg_volume(question, line, own)
        return of_leg_members(question, line, own)
    return None


def of_metric(question: AtLeast, metric: Metric, line: Facts, own: int) -> Nearest | None:
    if isinstance(metric.scope, Own):
        return Nearest("Own orders and those of own customers count.", NOBODY, [])
    if isinstance(metric.scope, Company):
        return Nearest("What the whole company sells counts.", NOBODY, [])
    if metric.what == "members":
        return of_people(metric, line, own)
    if isinstance(metric.scope, Group):
        return of_legs(question, metric, metric.scope, line, own)
    if isinstance(metric.scope, Legs):
        return Nearest("What is sold in those legs counts.", NOBODY, [])
    return Nearest(f"What is sold on {levels_words(metric.scope)} counts.", NOBODY, [])


def of_legs(question: AtLeast, metric: Metric, scope: Group, line: Facts, own: int) -> Nearest:
    """A group's volume: the strongest legs, with a cap those that still have room below it."""
    heads = np.flatnonzero(line.parent(scope.tree) == own)
    unit = UNITS.get(metric.code, "")
    figures = line.metric(metric.code)
    if question.leg_cap is None:
        order = heads[np.argsort(-figures[heads], kind="stable")]
        texts = [f"{amount(figures[head])} {unit}".rstrip() for head in order[:MOST]]
        return Nearest("Anything sold in the line counts. The strongest legs:", order, texts)
    _, legs, _ = legs_and_own(metric.code, figures, line)
    most = int(most_of_a_leg(question, question.leg_cap, figures)[own])
    heads = heads[legs[heads] < most]
    order = heads[np.argsort(-legs[heads], kind="stable")]
    texts = [
        f"{amount(legs[head])} of at most {amount(most)} {unit}".rstrip() for head in order[:MOST]
    ]
    return Nearest("No leg counts for more than its limit. Legs with room:", order, texts)


def of_people(metric: Metric, line: Facts, own: int) -> Nearest:
    """People who do not count yet: whoever lacks least first."""
    scope = metric.scope
    counts = line.meets(metric.where)
    inside = in_scope(scope, line, own) & ~counts
    asked = spelled_out(metric.where, line.plan)
    places = nearest_first(np.flatnonzero(inside), asked, line)
    texts = [lacks(asked, line, int(place)) for place in places[:MOST]]
    where = levels_words(scope) if isinstance(scope, Levels) else "the line"
    hint = f"People of {where} who do not count yet:" if len(places) else ""
    return Nearest(
        hint or f"Everybody of {where} counts already; who joins can add.", places, texts
    )


def of_leg_volume(question: LegsWithVolume, line: Facts, own: int) -> Nearest:
    """Legs that are short of the volume, the fullest first."""
    figures = line.whole_volume(question.volume, question.tree)
    heads = np.flatnonzero((line.parent(question.tree) == own) & (figures < question.figure))
    order = heads[np.argsort(-figures[heads], kind="stable")]
    unit = question.volume.upper()
    texts = [
        f"{amount(figures[head])} of {amount(question.figure)} {unit}, "
        f"{amount(question.figure - figures[head])} {unit} to go"
        for head in order[:MOST]
    ]
    return Nearest("Legs that are short of it:", order, texts)


def of_leg_members(question: LegsWithMembers, line: Facts, own: int) -> Nearest:
    """In each leg that has too few of the rank, the person who lacks least for it."""
    plan, parent = line.plan, line.parent(question.tree)
    ladder = plan.ladder(question.ladder)
    level = ladder.level(question.rank)
    holds = line.ranks(question.ladder).paid_as >= level
    have = subtree_sums(parent, holds.astype(np.int64), "members of a rank")
    heads = leg_heads(parent, own)
    short = np.flatnonzero(heads >= 0)
    short = short[(have[heads[short]] < question.members) & ~holds[short]]
    asked = spelled_out(ladder.ranks[level - 1].when, plan)
    order = nearest_first(short, asked, line)
    _, first = np.unique(heads[order], return_index=True)
    best = order[np.sort(first)]
    rank = ladder.ranks[level - 1].name
    texts = [f"for {rank}: {lacks(asked, line, int(place))}" for place in best[:MOST]]
    return Nearest("The nearest person of each leg that is short of it:", best, texts)


# Small parts


def amount(figure: int | np.int64) -> str:
    return f"{hundredths(int(figure)):,.2f}"


def levels_words(scope: Levels) -> str:
    if scope.first == scope.last == 1:
        return "the frontline"
    return f"levels {scope.first} to {scope.last} below"


def in_scope(
    scope: Group | Levels | Legs | Own | Company, line: Facts, own: int
) -> NDArray[np.bool_]:
    """Who stands where the metric looks, without oneself."""
    tree = scope.tree if isinstance(scope, Group | Levels | Legs) else SPONSOR
    parent = line.parent(tree)
    heads = leg_heads(parent, own)
    if not isinstance(scope, Levels):
        return heads >= 0
    inside = np.zeros(len(parent), np.bool_)
    here = np.array([own])
    for level in range(1, scope.last + 1):
        here = np.flatnonzero(np.isin(parent, here))
        if not len(here):
            break
        inside[here] |= level >= scope.first
    return inside


def leg_heads(parent: NDArray[np.int32], own: int) -> NDArray[np.int32]:
    """For each member below `own` the head of his leg, -1 for everybody else; by doubling."""
    size = len(parent)
    itself = np.arange(size + 1, dtype=np.int32)
    up = np.append(np.where(parent < 0, size, parent), size).astype(np.int32)
    is_head = np.append(parent == own, True)
    reach = np.where(is_head, itself, up)
    while not np.array_equal(reach[reach], reach):
        reach = reach[reach]
    return np.where(reach[:size] < size, reach[:size], -1)


def spelled_out(condition: Condition | None, plan: Plan) -> Condition | None:
    """With what active, or a rank of people paid as, asks in its place."""
    if isinstance(condition, IsActive):
        return plan.activity
    if isinstance(condition, HasRank) and condition.which == "paid_as":
        ladder = plan.ladder(condition.ladder)
        return ladder.ranks[ladder.level(condition.rank) - 1].when
    if isinstance(condition, AllOf | AnyOf):
        parts = (spelled_out(part, plan) for part in condition.of)
        return replace(condition, of=tuple(part for part in parts if part is not None))
    return condition


def nearest_first(places: Places, condition: Condition | None, line: Facts) -> Places:
    """By how many questions are open, then by how much is missing, then by id."""
    open_questions = np.zeros(len(places), np.int64)
    missing = np.zeros(len(places), np.int64)
    for finding in measure(condition, line):
        if not finding.negated:
            lacking = np.maximum(finding.needed - finding.actual[places], 0)
            open_questions += lacking > 0
            missing += lacking
    order: Places = places[np.lexsort((places, missing, open_questions))]
    return order


def lacks(condition: Condition | None, line: Facts, member: int) -> str:
    """lacks 40.00 PV, 120.00 GV"""
    missing: Iterable[Need] = (need for need in needs_of(condition, line, member) if need.missing)
    words = ", ".join(need.text_short for need in missing)
    return f"lacks {words}" if words else "only a lower rank is missing"

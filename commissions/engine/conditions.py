"""Who meets a condition: for everybody at once, and on the day of an order where days matter.

A condition is a tree of all / any / not over single questions. `answer` says who meets it;
`answer_on` for pairs of a member and a day, because "joined no more than 60 days before" depends on
the order. `measure` lists the single questions with what each asks and what everybody has:

    Silver: all of PV 200.00, GV 20,000.00 with no leg above 80 %
    [Finding($.of[0], needed 20000, actual [18000]), Finding($.of[1], 2000000, [1600000])]
    reads: PV 180.00 of 200.00, group volume 16,000.00 of 20,000.00

While a ladder is climbed its own ranks are only known as far as they were reached: `Climb` holds
them, and questions about that ladder are answered from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.figures import OfMany, name_of
from commissions.engine.legs import (
    counted_with_cap,
    legs_with_members,
    legs_with_recruits,
    legs_with_volume,
)
from commissions.engine.plan import (
    ENROLLER,
    SPONSOR,
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    HasFlag,
    HasLeft,
    HasPackage,
    HasRank,
    IsActive,
    JoinedInPeriod,
    JoinedWithin,
    LegCap,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Not,
    Recruit,
)
from commissions.engine.rounding import Int64s
from commissions.engine.snapshot import LEFT

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts

Bools = NDArray[np.bool_]
Counted = AtLeast | LegsWithVolume | LegsWithMembers | LegsWithRecruits | HasRank
Alone = IsActive | HasPackage | HasFlag | HasLeft | JoinedWithin | JoinedInPeriod
Leaf = Counted | Alone | Recruit


@dataclass(frozen=True, slots=True)
class Climb:
    """A ladder that is being climbed: levels reached `now`, and those of the round `before`."""

    ladder: str
    now: NDArray[np.int16]
    before: NDArray[np.int16]

    @property
    def around(self) -> NDArray[np.int16]:
        """Everybody's levels as far as they are known, for questions about other people."""
        return np.maximum(self.now, self.before)


@dataclass(frozen=True, slots=True)
class Finding:
    """A single question of a condition: `needed` and everybody's `actual` figure.

    Hundredths for figures and legs (x 100), levels for ranks, 1 and 0 for yes and no. `negated`:
    it stands in a "not", so that whoever reaches it does not meet the whole.
    """

    path: str
    question: Leaf
    needed: int
    actual: Int64s
    met: Bools
    negated: bool


def answer(condition: Condition | None, facts: Facts, climb: Climb | None = None) -> Bools:
    """Of each member whether he meets the condition."""
    if condition is None:
        return np.ones(len(facts.snapshot.members), np.bool_)
    if isinstance(condition, Not):
        return ~facts.meets(condition.of, climb)
    if isinstance(condition, AllOf):
        met = np.ones(len(facts.snapshot.members), np.bool_)
        for part in condition.of:
            met &= facts.meets(part, climb)
        return met
    if isinstance(condition, AnyOf):
        answers = [facts.meets(part, climb) for part in condition.of]
        return at_least_of(answers, condition.count, len(facts.snapshot.members))
    return answer_leaf(condition, facts, climb)


def at_least_of(answers: list[Bools], count: int, size: int) -> Bools:
    met = np.zeros(size, np.int16)
    for part in answers:
        met += part
    return met >= count


def answer_leaf(leaf: Leaf, facts: Facts, climb: Climb | None) -> Bools:
    if isinstance(leaf, Counted):
        figure = actual(leaf, facts, climb)
        met: Bools = figure >= needed(leaf, facts)
        if isinstance(leaf, AtLeast) and leaf.below is not None:
            met &= figure < leaf.below
        return met
    members, snapshot = facts.snapshot.members, facts.snapshot
    if isinstance(leaf, IsActive):
        return facts.active
    if isinstance(leaf, HasPackage):
        return holds_package(leaf, facts)
    if isinstance(leaf, HasFlag):
        return members.flagged(leaf.flag)
    if isinstance(leaf, HasLeft):
        return members.flagged(LEFT)
    if isinstance(leaf, JoinedWithin):
        return within_days(members.joined, snapshot.ends_on, leaf.days)
    if isinstance(leaf, JoinedInPeriod):
        return (members.joined >= snapshot.starts_on) & (members.joined <= snapshot.ends_on)
    number = looked_at(leaf, facts, climb)
    return (number >= leaf.first) & (number <= leaf.last)


def needed(leaf: Leaf, facts: Facts) -> int:
    if isinstance(leaf, AtLeast):
        return leaf.figure
    if isinstance(leaf, LegsWithVolume | LegsWithMembers | LegsWithRecruits):
        return leaf.legs * 100
    if isinstance(leaf, HasRank):
        return facts.plan.ladder(leaf.ladder).level(leaf.rank)
    return 1


def actual(leaf: Leaf, facts: Facts, climb: Climb | None = None) -> NDArray[np.signedinteger]:
    """What each member has of what is asked, in the units of `needed`."""
    if isinstance(leaf, AtLeast) and leaf.leg_cap is None:
        return facts.metric(leaf.metric)
    if isinstance(leaf, AtLeast | LegsWithVolume | LegsWithMembers | LegsWithRecruits):
        return looked_at(leaf, facts, climb)
    if isinstance(leaf, HasRank):
        return levels_asked(leaf, facts, climb)
    return answer_leaf(leaf, facts, climb).astype(np.int64)


def looked_at(leaf: OfMany, facts: Facts, climb: Climb | None = None) -> Int64s:
    """The figure that other people decide: as it was given, or worked out from them and noted."""
    name = name_of(leaf)
    if name in facts.given:
        return facts.given[name]
    facts.noted[name] = found = found_in_others(leaf, facts, climb)
    return found


def found_in_others(leaf: OfMany, facts: Facts, climb: Climb | None) -> Int64s:
    if isinstance(leaf, Recruit):
        return recruit_numbers(leaf.by, facts)
    if isinstance(leaf, LegsWithVolume):
        return legs_with_volume(leaf, facts) * 100
    if isinstance(leaf, LegsWithRecruits):
        return legs_with_recruits(leaf, facts) * 100
    if isinstance(leaf, LegsWithMembers):
        climbing = climb is not None and climb.ladder == leaf.ladder
        levels = climb.around if climb and climbing else facts.ranks(leaf.ladder).paid_as
        return legs_with_members(leaf, levels, facts) * 100
    return counted_with_cap(leaf, cast(LegCap, leaf.leg_cap), facts)


def levels_asked(leaf: HasRank, facts: Facts, climb: Climb | None) -> NDArray[np.int16]:
    """The member's level; in a ladder that is being climbed title and highest as carried in."""
    if climb is None or climb.ladder != leaf.ladder:
        found: NDArray[np.int16] = getattr(facts.ranks(leaf.ladder), leaf.which)
        return found
    if leaf.which == "paid_as":
        return climb.now
    members = facts.snapshot.members
    carried = members.title if leaf.which == "title" else members.highest
    return members.level_of(carried, leaf.ladder)


def holds_package(leaf: HasPackage, facts: Facts) -> Bools:
    codes = [package.code for package in facts.plan.packages]
    wanted = np.array([code in leaf.packages for code in codes] + [False], np.bool_)
    return wanted[facts.package]


def within_days(joined: NDArray[np.int32], day: NDArray[np.int32] | int, days: int) -> Bools:
    return np.asarray(day, np.int64) - joined <= days


def recruit_numbers(by: str, facts: Facts) -> Int64s:
    """The how-manieth recruit of his sponsor each is: 1, 2, 3 ...; 0 without a sponsor or an order.

    Without a sponsor tree the enroller counts as the sponsor.
    """
    members, lines = facts.snapshot.members, facts.snapshot.lines
    sponsor = facts.parent(SPONSOR if SPONSOR in members.parents else ENROLLER)
    turn, counts = members.sequence, sponsor >= 0
    if by == "first_order":
        turn = np.full(len(members), len(lines), np.int64)
        np.minimum.at(turn, lines.seller[np.lexsort((lines.id, lines.day))], np.arange(len(lines)))
        counts = counts & (turn < len(lines))
    person = np.flatnonzero(counts)
    person = person[np.lexsort((turn[person], sponsor[person]))]
    heads = sponsor[person]
    place = np.arange(len(person))
    starts = np.concatenate(([True], heads[1:] != heads[:-1]))[: len(person)]
    first = np.maximum.accumulate(np.where(starts, place, 0))
    number = np.zeros(len(members), np.int64)
    number[person] = place - first + 1
    return number


# On a day


def answer_on(
    condition: Condition | None, facts: Facts, member: NDArray[np.int32], day: NDArray[np.int32]
) -> Bools:
    """Of each pair of a member and a day whether he meets the condition then."""
    if isinstance(condition, Not):
        return ~answer_on(condition.of, facts, member, day)
    if isinstance(condition, AllOf | AnyOf):
        answers = [answer_on(part, facts, member, day) for part in condition.of]
        count = len(answers) if isinstance(condition, AllOf) else condition.count
        return at_least_of(answers, count, len(member))
    if isinstance(condition, JoinedWithin):
        return within_days(facts.snapshot.members.joined[member], day, condition.days)
    return facts.meets(condition)[member]


# What a condition comes to


def measure(condition: Condition | None, facts: Facts, climb: Climb | None = None) -> list[Finding]:
    """The single questions of a condition with what they ask and what everybody has."""
    return list(findings(condition, facts, climb, "$", negated=False))


def findings(
    condition: Condition | None, facts: Facts, climb: Climb | None, path: str, *, negated: bool
) -> Iterator[Finding]:
    if isinstance(condition, AllOf | AnyOf):
        for place, part in enumerate(condition.of):
            yield from findings(part, facts, climb, f"{path}.of[{place}]", negated=negated)
    elif isinstance(condition, Not):
        yield from findings(condition.of, facts, climb, f"{path}.of", negated=not negated)
    elif condition is not None:
        figure = actual(condition, facts, climb).astype(np.int64)
        met = answer_leaf(condition, facts, climb)
        yield Finding(path, condition, needed(condition, facts), figure, met, negated)

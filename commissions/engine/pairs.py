"""Pairs (binary): the owner of two legs is paid on what both of them have.

A leg is the whole subtree under the left or the right child in the placement tree, head included;
one's own volume is in neither. Each period a leg holds what was carried in and what was sold in it,
less what came back. The weaker leg is matched by as much of the stronger one:

    You      left 200.00, right 500.00         matched 200.00, at 10 %: 20.00
             carried: left 0, right 300.00
    next     left 0 + 400.00, right 300.00 + 100.00: matched 400.00, at 10 %: 40.00

With `cycle` whole cycles are matched: 1,800.00 and 20,800.00 at a cycle of 200.00 are 9 cycles,
paid as 9 units. `most_volume` and, by the owner's rank, `most_by_rank` limit what is matched in a
period. What stays in the legs then:

    left 1000.00, right 550.00, cycle 200.00: 2 cycles
    net_off   the matched 400.00 is taken off both                      600.00, 150.00
    carry     the weaker leg is taken off both, whole cycle or not      450.00,   0.00
    flush     nothing, whether anything was matched or not                0.00,   0.00

A cycle may take more of one leg than of the other: `stronger` of the leg that is the stronger one
before it (of equal ones the left), `cycle` of the other. It is looked at anew for each cycle:

    left 1000.00, right 400.00, 400.00 and 200.00 a cycle: 2 cycles, left over 200.00 and 0.00
    left  260.00, right 200.00, 200.00 and 100.00 a cycle: 1 cycle,  left over  60.00 and 100.00

What is matched is then what the cycles take of their weaker sides, and net_off takes off each leg
what the cycles took of it.

Where more could have been matched than that most, `over_most` flush takes both legs away. Without
cycles carry and net_off are the same, and so they are where the most leaves part of the weaker leg
unmatched. Under both, legs that matched nothing stay as they are; behind a closed
gate they do in every mode. Of somebody who may not be paid, `if_ineligible` keeps both legs, or
takes the weaker (of equal ones both), or both. But where his part goes to the company or is held
for him, his legs are matched like anybody's.

A leg that refunds brought below zero matches nothing and carries its debt on in every mode: only
volume above zero is ever matched, taken, or cut by the carry cap.

For each leg, then: carried in + volume of the period = matched + carried on + flushed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import (
    HELD,
    LEDGER,
    RETAINED,
    UNIT,
    Award,
    Destination,
    rank_levels,
)
from commissions.engine.facts import Facts
from commissions.engine.orders import of_orders
from commissions.engine.plan import NO_RANK, PLACEMENT, WHOLE, Bonus, CarryCap, Gate, PaysPairs
from commissions.engine.rates import table_of
from commissions.engine.result import NOBODY
from commissions.engine.rounding import LARGEST, Int64s, added, divide, product, refuse_sum_overflow
from commissions.engine.trees import Pointers, subtree_sums

Bools = NDArray[np.bool_]
LEFT, RIGHT = 0, 1


@dataclass(frozen=True, slots=True)
class Legs:
    """Both legs of everybody: volumes in hundredths, or people."""

    left: Int64s
    right: Int64s

    @property
    def weaker(self) -> Int64s:
        return np.minimum(self.left, self.right)

    @property
    def stronger(self) -> Int64s:
        return np.maximum(self.left, self.right)

    def __add__(self, other: Legs) -> Legs:
        left, right = [self.left, other.left], [self.right, other.right]
        return Legs(added(left, "a left leg"), added(right, "a right leg"))

    def less(self, taken: Int64s) -> Legs:
        return Legs(self.left - taken, self.right - taken)

    def without(self, taken: Legs) -> Legs:
        return Legs(self.left - taken.left, self.right - taken.right)

    def where(self, mask: Bools, other: Legs) -> Legs:
        """The other's legs for those in the mask."""
        return Legs(np.where(mask, other.left, self.left), np.where(mask, other.right, self.right))

    def debts(self) -> Legs:
        """What is below zero."""
        return Legs(np.minimum(self.left, 0), np.minimum(self.right, 0))

    def without_weaker(self) -> Legs:
        return Legs(
            np.where(self.left <= self.right, np.minimum(self.left, 0), self.left),
            np.where(self.right <= self.left, np.minimum(self.right, 0), self.right),
        )

    def at_most(self, most: Int64s | int) -> Legs:
        return Legs(np.minimum(self.left, most), np.minimum(self.right, most))


def pay(bonus: Bonus, facts: Facts) -> Iterator[Award]:
    """One award, its lines in order of the members; the source is the owner. Writes the state."""
    rule = rule_of(bonus)
    eligible = facts.meets(bonus.eligibility.when)
    before = legs_before(bonus, facts)
    matched, after = matched_of(bonus, facts, before, eligible)
    of_late = recent(bonus, facts, matched)
    carry_on(bonus, facts, capped(rule.carry_cap, of_late, after), of_late)
    yield from awards(bonus, facts, matched, eligible)


def rule_of(bonus: Bonus) -> PaysPairs:
    return cast(PaysPairs, bonus.pays)


def takes_part(bonus: Bonus, eligible: Bools) -> Bools:
    """Whose legs are matched: who is paid, or has his part go to the company or wait for him."""
    if bonus.eligibility.otherwise in ("company", "held"):
        return np.ones(len(eligible), np.bool_)
    return eligible


# The legs of the period


def legs_before(bonus: Bonus, facts: Facts) -> Legs:
    """What was carried in and what was sold, less what came back."""
    return carried_in(bonus, facts) + legs_of(whole_volumes(bonus, facts), facts)


def whole_volumes(bonus: Bonus, facts: Facts) -> Int64s:
    """By member: the volume of himself and all below him, of the sources and orders that count."""
    volume = rule_of(bonus).volume
    if bonus.sources is None and bonus.orders is None:
        return facts.whole_volume(volume, PLACEMENT)
    own = np.zeros(len(facts.snapshot.members), np.int64)
    for part in ("lines", "refunds"):
        lines, values = facts.part(part), facts.volume(volume, part)
        counted = np.where(facts.meets_on(bonus.sources, lines.seller, lines.day), values, 0)
        if bonus.orders is not None:
            counted = np.where(of_orders(lines, bonus.orders), counted, 0)
        refuse_sum_overflow(counted, volume)
        np.add.at(own, lines.seller, counted)
    return subtree_sums(facts.parent(PLACEMENT), own, volume)


def legs_of(whole: Int64s, facts: Facts) -> Legs:
    """The sums of the subtrees under everybody's left and right child, of everybody's whole one.

    You, with L over X to the left and R to the right, sold 5, 1, 2 and 4: whole 12, 3, 2, 4. Your
    legs are 3 and 4.
    """
    parent, leg = facts.parent(PLACEMENT), facts.snapshot.members.leg
    left, right = np.zeros((2, len(whole)), np.int64)
    for sums, side in ((left, LEFT), (right, RIGHT)):
        heads = np.flatnonzero((leg == side) & (parent >= 0))
        sums[parent[heads]] = whole[heads]
    return Legs(left, right)


def gate_open(gate: Gate | None, facts: Facts) -> Bools:
    """Where the legs have counted enough people: who joined in the period, or all of them."""
    members = facts.snapshot.members
    if gate is None:
        return np.ones(len(members), np.bool_)
    counted = np.ones(len(members), np.bool_)
    if gate.window == "period":
        start, end = facts.snapshot.starts_on, facts.snapshot.ends_on
        counted = (members.joined >= start) & (members.joined <= end)
    people = legs_of(
        subtree_sums(facts.parent(PLACEMENT), counted.astype(np.int64), "people"), facts
    )
    wide, narrow = max(gate.more, gate.fewer), min(gate.more, gate.fewer)
    return (people.stronger >= wide) & (people.weaker >= narrow)


# Matching


def matched_of(bonus: Bonus, facts: Facts, legs: Legs, eligible: Bools) -> tuple[Int64s, Legs]:
    """The volume matched of these legs, and the legs afterwards (before the carry cap)."""
    rule = rule_of(bonus)
    allowed, is_open = takes_part(bonus, eligible), gate_open(rule.gate, facts)
    return match(rule, legs, allowed, is_open, most_of(rule, facts))


def most_of(rule: PaysPairs, facts: Facts) -> Int64s | None:
    """The most volume that is matched of each member's legs; None without any limit."""
    if rule.most_volume is None and rule.most_by_rank is None:
        return None
    anybody = LARGEST if rule.most_volume is None else rule.most_volume
    if rule.most_by_rank is None:
        return np.full(len(facts.snapshot.members), anybody, np.int64)
    ladder, table = rule.most_by_rank.ladder, rule.most_by_rank.table
    codes = [NO_RANK, *(rank.code for rank in facts.plan.ladder(ladder).ranks)]
    by_rank = np.array([min(table.get(code, anybody), anybody) for code in codes], np.int64)
    return by_rank[facts.ranks(ladder).by(rule.most_by_rank.which)]


def match(
    rule: PaysPairs, legs: Legs, allowed: Bools, is_open: Bools, limit: Int64s | None
) -> tuple[Int64s, Legs]:
    """The same for whoever takes part, behind an open gate, up to a limit of each."""
    if rule.cycle and rule.stronger:
        return match_unevenly(rule, legs, allowed, is_open, limit)
    weaker = np.where(allowed & is_open, np.maximum(legs.weaker, 0), 0)
    most = weaker if limit is None else np.minimum(weaker, limit)
    matched = most - most % rule.cycle if rule.cycle else most
    if rule.after_payout == "flush":
        after = legs.where(is_open, legs.debts())
    elif rule.after_payout == "net_off":
        after = legs.less(matched)
    else:
        after = legs.less(np.where((matched > 0) & (most == weaker), weaker, matched))
    if rule.over_most == "flush":
        uncapped = weaker - weaker % rule.cycle if rule.cycle else weaker
        after = after.where(uncapped > matched, legs.debts())
    return matched, after.where(~allowed, legs_of_ineligible(rule, legs))


def match_unevenly(
    rule: PaysPairs, legs: Legs, allowed: Bools, is_open: Bools, limit: Int64s | None
) -> tuple[Int64s, Legs]:
    """The same of cycles that take `stronger` of one leg and `cycle` of the other."""
    matchable = legs.where(~(allowed & is_open), legs.debts())
    taken = uneven_cycles(rule, matchable, limit)
    cycles = (taken.left + taken.right) // (cast(int, rule.stronger) + cast(int, rule.cycle))
    matched = cycles * cast(int, rule.cycle)
    if rule.after_payout == "flush":
        after = legs.where(is_open, legs.debts())
    else:
        after = legs.without(taken)
    if rule.over_most == "flush":
        uncapped = uneven_cycles(rule, matchable, None)
        after = after.where(uncapped.left + uncapped.right > taken.left + taken.right, legs.debts())
    return matched, after.where(~allowed, legs_of_ineligible(rule, legs))


def uneven_cycles(rule: PaysPairs, legs: Legs, limit: Int64s | None) -> Legs:
    """What all cycles together take of each leg. As long as one leg is ahead, each takes the larger
    part of it; from then on the legs take turns, two cycles at a time; one more may be left."""
    large, small = cast(int, rule.stronger), cast(int, rule.cycle)
    most = np.full(len(legs.left), LARGEST // (large + small), np.int64)
    if limit is not None:
        most = np.minimum(most, limit // small)
    is_left = legs.left >= legs.right
    ahead, behind = np.maximum(legs.stronger, 0), np.maximum(legs.weaker, 0)
    lead = -(-(ahead - behind) // (large - small))
    first = np.minimum(np.minimum(lead, most), np.minimum(ahead // large, behind // small))
    ahead, behind, most = ahead - first * large, behind - first * small, most - first
    turns = np.minimum(np.minimum(ahead, behind) // (large + small), most // 2)
    ahead, behind = ahead - turns * (large + small), behind - turns * (large + small)
    most = most - 2 * turns
    left = np.where(is_left, ahead, behind)
    right = np.where(is_left, behind, ahead)
    one, other = one_cycle(left, right, most > 0, large, small)
    return Legs(np.maximum(legs.left, 0) - left + one, np.maximum(legs.right, 0) - right + other)


def one_cycle(
    left: Int64s, right: Int64s, allowed: Bools, large: int, small: int
) -> tuple[Int64s, Int64s]:
    """What one more cycle takes of each leg, where there is one."""
    from_left = left >= right
    one, other = np.where(from_left, large, small), np.where(from_left, small, large)
    fits = (left >= one) & (right >= other) & allowed
    return np.where(fits, one, 0), np.where(fits, other, 0)


def legs_of_ineligible(rule: PaysPairs, legs: Legs) -> Legs:
    if rule.if_ineligible == "keep_both":
        return legs
    return legs.debts() if rule.if_ineligible == "flush" else legs.without_weaker()


def awards(bonus: Bonus, facts: Facts, matched: Int64s, eligible: Bools) -> Iterator[Award]:
    """Lines of what was matched: of the eligible, and of the others where it is kept or waits."""
    owner = np.flatnonzero(matched).astype(np.int32)
    base, rate = priced(bonus, facts, matched, owner)
    ranks = np.append(rank_levels(bonus, facts), np.int16(0))
    parts: list[tuple[Destination, Bools]] = [(LEDGER, eligible)]
    if bonus.eligibility.otherwise == "company":
        parts.append((RETAINED, ~eligible))
    elif bonus.eligibility.otherwise == "held":
        parts.append((HELD, ~eligible))
    for to, whose in parts:
        hit = np.flatnonzero(whose[owner] & (base > 0) & (rate > 0))
        nobody = np.full(hit.size, NOBODY, np.int32)
        earner = nobody if to == RETAINED else owner[hit]
        yield Award(0, earner, owner[hit], nobody, base[hit], rate[hit], ranks[earner], to)


def priced(
    bonus: Bonus, facts: Facts, matched: Int64s, owner: Pointers
) -> tuple[Int64s, NDArray[np.int32]]:
    """Base and rate of these owners. Nine cycles are a base of 9.00: at an amount of 20.00 each the
    line is 180.00 at a rate of 1, at a share of 20 it is 9.00 at 20."""
    cycle = rule_of(bonus).cycle
    base = matched[owner] // cycle * UNIT if cycle else matched[owner]
    rate = table_of(bonus, facts).at(1, owner, owner, NOBODY).astype(np.int64)
    if bonus.unit == "amount":
        base, rate = product(base, rate) // UNIT, np.full(len(owner), WHOLE, np.int64)
    return base, rate.astype(np.int32)


# What is carried from period to period


def name(bonus: Bonus, what: str) -> str:
    return f"pairs.{bonus.code}.{what}"


def carried_in(bonus: Bonus, facts: Facts) -> Legs:
    return Legs(facts.carried(name(bonus, "left")), facts.carried(name(bonus, "right")))


def recent(bonus: Bonus, facts: Facts, matched: Int64s) -> list[Int64s]:
    """What was matched now, one period ago, ...: the periods that the carry cap looks at."""
    cap = rule_of(bonus).carry_cap
    if cap is None or cap.times is None:
        return []
    before = range(1, cap.periods)
    return [matched, *(facts.carried(name(bonus, f"matched.{ago}")) for ago in before)]


def capped(cap: CarryCap | None, matched: list[Int64s], legs: Legs) -> Legs:
    """The legs without what is above the cap, which is the lower one of `amount` and `times`.

    80.00, 90.00, 75.00 and now 100.00 were matched in four periods, 86.25 on average; five times as
    much is 431.25, so that of a leg of 500.00 there are 68.75 lost.
    """
    if cap is None:
        return legs
    if cap.times is not None:
        total = added(matched, "what was matched")
        times = Fraction(cap.times, WHOLE * cap.periods)
        most = product(total, np.array([times.numerator]))
        legs = legs.at_most(divide(most, times.denominator, "toward_zero"))
    return legs if cap.amount is None else legs.at_most(cap.amount)


def carry_on(bonus: Bonus, facts: Facts, legs: Legs, matched: list[Int64s]) -> None:
    facts.state_out[name(bonus, "left")] = legs.left
    facts.state_out[name(bonus, "right")] = legs.right
    for ago, volume in enumerate(matched[:-1], start=1):
        facts.state_out[name(bonus, f"matched.{ago}")] = volume

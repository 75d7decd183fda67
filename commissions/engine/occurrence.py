"""Whether what was awarded is due, and when: once, once a rank, after some periods, in instalments.

    once              the first line somebody is awarded, ever; `once.<bonus>` remembers him
    once_per_rank     a rank above the highest he had before this period; of several ranks reached
                      at once each pays, or the last alone
    after_periods     from the so-manieth period in a row in which he is eligible
                      (`run.<bonus>` counts them; one in which he is not starts them again)
    may_miss          so many in a row in which he is not only pause the row (`missed.<bonus>`)
    most_times        in so many periods of his life (`times.<bonus>` counts them)
    rest_periods      who was paid is left out in the periods that follow (`rest.<bonus>`)

    third month in a row, two may be missed     eligible  1 2 3 - - 4 - - - 1 2 3
                                                paid          x     x           x

Speed: who reaches a rank soon after the rank before (or after joining, where there is none) has a
multiple of it, the one of the shortest time he kept. Days run from the last period in which his
highest rank rose to the end of this one, for each of several ranks reached at once.

    Bronze 250.00, twice as much within 60 days, 1.5 times within 90
    joined 55 days ago: 500.00      80 days ago: 375.00      100 days ago: 250.00

Instalments are parts of an amount: all but the last are rounded alike, the last takes the rest.
`due.<bonus>.<k>` is what falls due in k periods; to somebody who has left
it is paid, or lapses, as the plan says.

    20,000.00 in 3     6,666.67  6,666.67  6,666.66        0.02 in 4     0  0  0  0.02

What is held waits in `held.<bonus>` and is paid, whole, in the first later period in which its
earner is eligible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.awards import RETAINED, Award, rank_levels
from commissions.engine.errors import CapacityError
from commissions.engine.facts import Facts
from commissions.engine.money import by_member, in_hundredths, wanted
from commissions.engine.plan import WHOLE, Always, Bonus, ByRank, OnceEver, OncePerRank
from commissions.engine.result import NOBODY, Block
from commissions.engine.rounding import Int64s, added, divide, largest
from commissions.engine.snapshot import LEFT
from commissions.engine.trees import Pointers

Bools = NDArray[np.bool_]
Kept = Callable[[Int64s], Int64s]
LARGEST_RATE = 2**31 - 1


def occur(bonus: Bonus, awards: Iterable[Award], facts: Facts) -> Iterator[Award]:
    """The awards without the lines that are not due. Writes the state when all were taken."""
    match bonus.occurrence:
        case OnceEver():
            yield from once(bonus, awards, facts)
        case OncePerRank() as rule:
            yield from once_per_rank(bonus, rule, awards, facts)
        case Always() as rule if is_counted(rule):
            yield from in_a_row(bonus, rule, awards, facts)
        case _:
            yield from awards


# Once


def once(bonus: Bonus, awards: Iterable[Award], facts: Facts) -> Iterator[Award]:
    name = f"once.{bonus.code}"
    done = facts.carried(name) > 0
    for award in awards:
        yield award if award.to == RETAINED else award.kept(first_lines(award, done))
    facts.state_out[name] = done.astype(np.int64)


def first_lines(award: Award, done: Bools) -> Bools:
    """Each earner's first line that comes to something, unless he is done; marks him as done."""
    counts = (award.base != 0) & (award.rate != 0) & ~done[award.earner]
    earner, first = np.unique(award.earner[counts], return_index=True)
    done[earner] = True
    keep = np.zeros(len(award), np.bool_)
    keep[np.flatnonzero(counts)[first]] = True
    return keep


# Once a rank


def once_per_rank(
    bonus: Bonus, rule: OncePerRank, awards: Iterable[Award], facts: Facts
) -> Iterator[Award]:
    """Of awards by rank (`rank_level`) the lines of those for whom the rank is new."""
    rates = cast(ByRank, bonus.rates)
    members, ranks = facts.snapshot.members, facts.ranks(rates.ladder)
    before = members.level_of(members.highest, rates.ladder)
    now = ranks.by(rates.which)
    times = multiples(rule, rates.ladder, before, facts)
    for award in awards:
        owner = owners(award)
        new = award.rank_level > before[owner]
        if rule.skipped_ranks == "reached_only":
            new &= award.rank_level == now[owner]
        yield faster(award.kept(new), times[owner[new]])


def multiples(rule: OncePerRank, ladder: str, before: NDArray[np.int16], facts: Facts) -> Int64s:
    """By member: the multiple for the time he took, in millionths."""
    since, joined = facts.carried(f"rank.{ladder}.since"), facts.snapshot.members.joined
    days = facts.snapshot.ends_on - np.where(before > 0, since, joined)
    times = np.full(len(before), WHOLE, np.int64)
    for speed in sorted(rule.speed, key=lambda speed: -speed.within_days):
        times[days <= speed.within_days] = speed.times
    return times


def faster(award: Award, times: Int64s) -> Award:
    if (times == WHOLE).all():
        return award
    if largest(award.rate) * largest(times) > LARGEST_RATE * WHOLE:
        raise CapacityError("a multiple for speed is too large for its rate")
    return replace(award, rate=(award.rate * times // WHOLE).astype(np.int32))


def owners(award: Award) -> Pointers:
    """Whose line it would be: the earner, or whom the company was paid for."""
    return award.source if award.to == RETAINED else award.earner


# After some periods, and not again for some


def is_counted(rule: Always) -> bool:
    """Whether it is not simply paid every time."""
    return rule.after_periods > 1 or rule.rest_periods > 0 or rule.most_times is not None


def in_a_row(bonus: Bonus, rule: Always, awards: Iterable[Award], facts: Facts) -> Iterator[Award]:
    due = rule.after_periods <= row(bonus, rule, facts)
    name, times = f"rest.{bonus.code}", f"times.{bonus.code}"
    resting, so_far = facts.carried(name), facts.carried(times)
    due &= resting == 0
    if rule.most_times is not None:
        due &= so_far < rule.most_times
    paid = np.zeros(len(due), np.bool_)
    for award in awards:
        if award.to != RETAINED:
            award = award.kept(due[award.earner])
            paid[award.earner[(award.base != 0) & (award.rate != 0)]] = True
        yield award
    if rule.most_times is not None:
        facts.state_out[times] = so_far + paid
    if rule.rest_periods:
        facts.state_out[name] = np.where(paid, rule.rest_periods, np.maximum(resting - 1, 0))


def row(bonus: Bonus, rule: Always, facts: Facts) -> Int64s:
    """By member: how many periods in a row he was eligible, this one included. What the row was
    before a pause still counts, and so it does in one that he is only missing."""
    if rule.after_periods == 1:
        return np.ones(len(facts.snapshot.members), np.int64)
    run, missed = f"run.{bonus.code}", f"missed.{bonus.code}"
    eligible, before = facts.meets(bonus.eligibility.when), facts.carried(run)
    gap = np.where(eligible, 0, facts.carried(missed) + 1)
    kept = np.where(gap <= rule.may_miss, before, 0)
    facts.state_out[run] = np.where(eligible, before + 1, kept)
    if rule.may_miss:
        facts.state_out[missed] = np.where(kept > 0, gap, 0)
    return np.where(eligible, before + 1, 0)


# Instalments, and what waits


def split(bonus: Bonus, block: Block, facts: Facts, kept: Kept = lambda part: part) -> Block:
    """The block with the first instalments for amounts; the others go into the state. `kept`: what
    is left of each, where some of it came back."""
    if bonus.instalments == 1:
        return block
    money = facts.plan.money
    part = instalment(block.amount, bonus.instalments, money.rounding)
    last = block.amount - part * (bonus.instalments - 1)
    move_up(bonus, facts)
    for ago in range(1, bonus.instalments):
        owed = replace(block, amount=kept(last if ago == bonus.instalments - 1 else part))
        add(f"due.{bonus.code}.{ago}", owed, facts)
    return wanted(replace(block, amount=kept(part)), money)


def instalment(amount: Int64s, count: int, rounding: str) -> Int64s:
    """Each part but the last; rounded down where rounding up would leave the last below nothing.

    >>> instalment(np.array([2_000_000, 2]), 3, "half_even")
    array([666667,      1])
    """
    part = divide(amount, count, rounding)
    return np.where(
        np.abs(part) * (count - 1) > np.abs(amount), divide(amount, count, "toward_zero"), part
    )


def hold(bonus: Bonus, block: Block, facts: Facts) -> None:
    """Lets the amounts of a block wait for their earners."""
    move_up(bonus, facts)
    add(f"held.{bonus.code}", block, facts)


def due(bonus: Bonus, facts: Facts) -> Block | None:
    """What falls due now of earlier periods: instalments, then what was held and now is free."""
    move_up(bonus, facts)
    instalments = facts.carried(f"due.{bonus.code}.1")
    if facts.plan.left is not None and facts.plan.left.owed == "lapses":
        instalments = np.where(facts.snapshot.members.flagged(LEFT), 0, instalments)
    held = f"held.{bonus.code}"
    free = np.where(facts.meets(bonus.eligibility.when), facts.carried(held), 0)
    if free.any():
        facts.state_out[held] -= free
    earner = [np.flatnonzero(amount).astype(np.int32) for amount in (instalments, free)]
    amount = np.concatenate([instalments[earner[0]], free[earner[1]]])
    return lines(bonus, np.concatenate(earner), amount, facts) if len(amount) else None


def lines(bonus: Bonus, earner: Pointers, amount: Int64s, facts: Facts) -> Block:
    """Amounts paid as such: the base is the amount, the rate 1; no source, no order line."""
    nobody = np.full(len(earner), NOBODY, np.int32)
    return Block(
        bonus=facts.plan.programmes.index(bonus),
        level=0,
        earner=earner,
        source=nobody,
        line=nobody,
        base=in_hundredths(amount, facts.plan.money),
        rate=np.full(len(earner), WHOLE, np.int32),
        amount=amount,
        rank_level=rank_levels(bonus, facts)[earner],
    )


def move_up(bonus: Bonus, facts: Facts) -> None:
    """Puts into the state what goes on waiting, once: due a period sooner, or still held."""
    waiting = f"due.{bonus.code}."
    for name in facts.snapshot.state:
        if name.startswith(waiting) and (periods := int(name.removeprefix(waiting))) > 1:
            facts.state_out.setdefault(f"{waiting}{periods - 1}", facts.carried(name))
    if (held := f"held.{bonus.code}") in facts.snapshot.state:
        facts.state_out.setdefault(held, facts.carried(held).copy())


def add(name: str, block: Block, facts: Facts) -> None:
    """Adds the amounts to what goes on waiting for their earners under that name."""
    members = len(facts.snapshot.members)
    so_far = facts.state_out.get(name, np.zeros(members, np.int64))
    facts.state_out[name] = added([so_far, by_member([block], members)], name)

"""Two legs and what both have, for one owner at a time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from commissions.engine.plan import Bonus, PaysPairs
from tests.engine.oracle.awards import PAID, Award, Item, destination, priced
from tests.engine.oracle.company import ZERO, Company, Person, hundredths, rate, rounded
from tests.engine.oracle.ladders import level
from tests.engine.oracle.measures import is_of, meets

SIDES = ("left", "right")


def pay_pairs(
    company: Company, bonus: Bonus, person: Person
) -> tuple[list[Award], dict[str, Fraction]]:
    """His line, if any, and the state of his legs."""
    pays = limited(company, bonus, person)
    name = f"pairs.{bonus.code}"
    legs = [
        hundredths(company.carried(f"{name}.{side}", person))
        + sum((sold(company, bonus, other) for other in leg(person, place)), ZERO)
        for place, side in enumerate(SIDES)
    ]
    to = destination(company, bonus, person, Item(person, None, ZERO))
    opened = gate(company, pays, person)
    taken = taken_of(pays, legs) if opened and to in PAID else [ZERO, ZERO]
    matched = min(taken) if pays.stronger is None else cycles(pays, taken)
    awards = []
    if to in PAID and matched > 0:
        units = matched / hundredths(pays.cycle) if pays.cycle else matched
        award = priced(company, bonus, person, Item(person, None, units), 1, ZERO, to)
        if award:
            award.level = 0
            award.source = person
            awards.append(award)
    if to in PAID:
        after = after_payout(pays, legs, taken) if opened else legs
    else:
        after = after_nothing(pays, legs)
    cap, history = carry_cap(company, bonus, person, matched)
    left, right = [side if cap is None else min(side, cap) for side in after]
    return awards, {f"{name}.left": left, f"{name}.right": right} | history


def limited(company: Company, bonus: Bonus, person: Person) -> PaysPairs:
    """His pairs with the most that is matched of them by his rank, where the plan has one."""
    pays = bonus.pays
    assert isinstance(pays, PaysPairs)
    by_rank = pays.most_by_rank
    if by_rank is None:
        return pays
    number = level(company, person, by_rank.ladder, by_rank.which)
    ranks = company.plan.ladder(by_rank.ladder).ranks
    code = ranks[number - 1].code if number else "none"
    both = [pays.most_volume, by_rank.table.get(code)]
    return replace(pays, most_volume=min((one for one in both if one is not None), default=None))


def leg(person: Person, place: int) -> list[Person]:
    heads = [child for child in person.children["placement"] if child.leg == place]
    return [other for head in heads for other in [head, *head.below("placement")]]


def sold(company: Company, bonus: Bonus, person: Person) -> Fraction:
    assert isinstance(bonus.pays, PaysPairs)
    volume = bonus.pays.volume
    lines = [
        line
        for line in company.left + company.refunds
        if line.seller is person
        and meets(company, bonus.sources, person, line.day)
        and is_of(bonus.orders, line)
    ]
    return sum((company.volume(line, volume) for line in lines), ZERO)


def gate(company: Company, pays: PaysPairs, person: Person) -> bool:
    """Whether enough people are in both legs, or joined them in this period."""
    if pays.gate is None:
        return True
    first = company.starts_on if pays.gate.window == "period" else -(10**6)
    counts = [
        len([other for other in leg(person, place) if first <= other.joined <= company.ends_on])
        for place in range(2)
    ]
    return max(counts) >= pays.gate.more and min(counts) >= pays.gate.fewer


def cycles(pays: PaysPairs, taken: list[Fraction]) -> Fraction:
    """What all cycles took of the side that gives less in each."""
    small, large = hundredths(pays.cycle or 0), hundredths(pays.stronger or 0)
    return sum(taken, ZERO) / (small + large) * small


def taken_of(pays: PaysPairs, legs: list[Fraction]) -> list[Fraction]:
    """What is matched of either leg."""
    if pays.stronger is None:
        return [matched_of(pays, legs)] * 2
    small, large = hundredths(pays.cycle or 0), hundredths(pays.stronger)
    left, done = list(legs), ZERO
    most = max(legs) if pays.most_volume is None else hundredths(pays.most_volume)
    while done + small <= most:
        ahead = 0 if left[0] >= left[1] else 1
        if left[ahead] < large or left[1 - ahead] < small:
            break
        # Of huge legs many cycles at once: as long as the same leg is ahead, or two by two in turn.
        same = min((left[ahead] - left[1 - ahead]) // (large - small), left[ahead] // large,
                   left[1 - ahead] // small, (most - done) // small)  # fmt: skip
        turns = min(min(left) // (large + small), (most - done) // (2 * small))
        of_ahead, of_behind = (same, 0) if same else (turns, turns) if turns else (1, 0)
        left[ahead] -= of_ahead * large + of_behind * small
        left[1 - ahead] -= of_ahead * small + of_behind * large
        done += (of_ahead + of_behind) * small
    return [leg - rest for leg, rest in zip(legs, left, strict=True)]


def matched_of(pays: PaysPairs, legs: list[Fraction]) -> Fraction:
    both = max(min(legs), ZERO)
    if pays.most_volume is not None:
        both = min(both, hundredths(pays.most_volume))
    if pays.cycle is not None:
        both = both // hundredths(pays.cycle) * hundredths(pays.cycle)
    return both


def after_payout(pays: PaysPairs, legs: list[Fraction], taken: list[Fraction]) -> list[Fraction]:
    without = replace(pays, most_volume=None)
    is_full = pays.over_most == "flush" and sum(taken_of(without, legs)) > sum(taken)
    if pays.after_payout == "flush" or is_full:
        return [min(side, ZERO) for side in legs]
    if pays.stronger is not None:
        return [side - gone for side, gone in zip(legs, taken, strict=True)]
    matched = taken[0]
    if matched == 0:
        return legs
    capped = pays.most_volume is not None and min(legs) > hundredths(pays.most_volume)
    if pays.after_payout == "net_off" or capped:
        return [side - matched for side in legs]
    return [side - min(legs) for side in legs]


def after_nothing(pays: PaysPairs, legs: list[Fraction]) -> list[Fraction]:
    """The legs of somebody who may not be paid; below zero there is nothing to take."""
    taken = {"keep_both": (), "flush": legs, "weaker_to_zero": (min(legs),)}[pays.if_ineligible]
    return [min(side, ZERO) if side in taken else side for side in legs]


def carry_cap(
    company: Company, bonus: Bonus, person: Person, matched: Fraction
) -> tuple[Fraction | None, dict[str, Fraction]]:
    """The most either leg carries on, and the matched volumes that a mean needs next time."""
    pays = bonus.pays
    assert isinstance(pays, PaysPairs)
    cap = pays.carry_cap
    if cap is None:
        return None, {}
    name = f"pairs.{bonus.code}.matched"
    recent = [matched] + [
        hundredths(company.carried(f"{name}.{ago}", person)) for ago in range(1, cap.periods)
    ]
    limits = [] if cap.amount is None else [hundredths(cap.amount)]
    if cap.times is not None:
        mean = sum(recent, ZERO) / cap.periods
        limits.append(rounded(rate(cap.times) * mean, 2, "toward_zero"))
    kept = recent[: cap.periods - 1] if cap.times is not None else []
    return min(limits, default=None), {f"{name}.{k + 1}": v for k, v in enumerate(kept)}

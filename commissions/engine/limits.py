"""What bonuses may come to: cuts as lines of their own, exact to the last unit.

A limit adds up its bonuses for each member, for each person over all his positions, or for the
whole company, and holds the sum against what is allowed: an amount, or a share of a metric.

    P       8,000 of 5,000 allowed to a member    a line of -3,000
    A, B    3,000 each, one owner, 5,000 a person -500 each, by pro_rata

pro_rata: everybody keeps allowed / earned of his; that is rounded down, and the units left over go
to those who lost most by it (largest remainder), so that the rest is exactly what is allowed.
lower_ranks_first: the lowest rank is paid in full, then the next, as far as it reaches; the rank
where it ends shares by pro_rata. refuse: nothing is cut, the run is not to be paid out
(`check_limits`).

What is cut is lost, or held in the state `limit.<code>`: a later period in which less is earned
than allowed pays it out, as positive lines of the limit, by the same rule.

Limits apply in the order of the plan, each to what those before it left. Where two name the same
bonus, a member's cut is borne by his bonuses in proportion, and what comes of an earlier period's
overflow counts as the limit's first bonus.

Bonuses paid at payment count as well: what they paid in the period comes with the state, as
`paid.<bonus>`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from commissions.engine.facts import Facts
from commissions.engine.money import HUNDREDTHS, by_member, in_hundredths, in_units
from commissions.engine.plan import WHOLE, Limit, Plan
from commissions.engine.result import NOBODY, Block, LimitCheck
from commissions.engine.rounding import LARGEST, Int64s, added, refuse_sum_overflow, scaled, share
from commissions.engine.snapshot import Snapshot
from commissions.engine.trees import Pointers

Earnings = dict[str, Int64s]
"""By bonus what is left to each member after the limits so far."""


def add_earnings(
    known: Earnings, limit: Limit, ledger: Mapping[str, Sequence[Block]], facts: Facts
) -> None:
    """Adds up the limit's bonuses by member where no limit before this one did."""
    for code in limit.bonuses:
        if code not in known:
            here = by_member(ledger.get(code, ()), len(facts.snapshot.members))
            known[code] = added([here, paid_before(code, facts.snapshot)], code)


def paid_before(code: str, snapshot: Snapshot) -> Int64s:
    """By member what a bonus paid at payment within this period."""
    paid = snapshot.state.get(f"paid.{code}")
    return np.zeros(len(snapshot.members), np.int64) if paid is None else paid


def apply(limit: Limit, known: Earnings, facts: Facts) -> Block:
    """The limit's lines; takes them off what is known, and carries on what is held."""
    name = f"limit.{limit.code}"
    earned = total_of(limit, known)
    group, allowed = groups(limit, facts), allowances(limit, facts)
    ranks = levels(facts)
    cut = earned - granted(limit, earned, group, allowed, ranks)
    bear(limit, known, earned, cut)
    held = facts.snapshot.state.get(name, np.zeros_like(cut))
    room = np.maximum(allowed - summed(earned, group, len(allowed)), 0)
    released = granted(limit, held, group, room, ranks)
    first = limit.bonuses[0]
    known[first] = known[first] + released
    left = held - released
    if limit.overflow == "held":
        left = added([left, cut], f"what the limit {limit.code} holds")
    if left.any():
        facts.state_out[name] = left
    return lines(limit, released - cut, ranks, facts)


def total_of(limit: Limit, known: Earnings) -> Int64s:
    """What each member got by the limit's bonuses; who gave more back than he got has nothing."""
    parts = [known[code] for code in limit.bonuses]
    return np.maximum(added(parts, f"the limit {limit.code}"), 0)


def groups(limit: Limit, facts: Facts) -> Pointers:
    """Whose sum each member belongs to: his own, his person's, the company's."""
    members = facts.snapshot.members
    if limit.scope == "company":
        return np.zeros(len(members), np.int32)
    if limit.scope == "person":
        return members.owner
    return np.arange(len(members), dtype=np.int32)


def allowances(limit: Limit, facts: Facts) -> Int64s:
    """What each group may come to, in units of money, rounded down, never below zero; of who is not
    asked to keep to it as much as there can be."""
    money, size = facts.plan.money, len(facts.snapshot.members)
    if limit.scope == "company":
        whole = 0 if limit.metric is None else of_company(facts.metric(limit.metric))
        return np.array([min(company_allowance(limit, facts.plan, whole), LARGEST)], np.int64)
    if limit.when is not None:
        asked = allowances(replace(limit, when=None), facts)
        return np.where(facts.meets(limit.when), asked, LARGEST)
    if limit.share is None or limit.metric is None:
        return np.full(size, min(in_units(limit.amount or 0, money), LARGEST), np.int64)
    figure = np.maximum(facts.metric(limit.metric), 0)
    if limit.scope == "person":
        figure = summed(figure, facts.snapshot.members.owner, size)
    unit = Fraction(10**money.scale, WHOLE * 10**HUNDREDTHS)
    return share(figure, np.array([limit.share]), "toward_zero", unit)


def of_company(metric: Int64s) -> int:
    """The figure that a company metric has for everybody; 0 with nobody there."""
    return int(metric[:1].sum())


def company_allowance(limit: Limit, plan: Plan, figure: int) -> int:
    if limit.amount is not None:
        return in_units(limit.amount, plan.money)
    return in_units(max(0, figure) * (limit.share or 0), plan.money) // WHOLE


def granted(
    limit: Limit, wanted: Int64s, group: Pointers, allowed: Int64s, ranks: NDArray[np.int16]
) -> Int64s:
    """What everybody gets of what he wants, each group no more than is allowed."""
    over = summed(wanted, group, len(allowed)) > allowed
    if not over.any():
        return wanted
    got = wanted.copy()
    if limit.enforcement == "pro_rata":
        tight = np.flatnonzero(over[group] & (wanted > 0))
        got[tight] = apportioned(wanted[tight], group[tight], allowed)
        return got
    left = allowed.copy()
    for level in range(int(ranks.max()) + 1):
        same = np.flatnonzero(over[group] & (ranks == level) & (wanted > 0))
        got[same] = apportioned(wanted[same], group[same], left)
        left -= summed(got[same], group[same], len(left))
    return got


def apportioned(wanted: Int64s, group: Pointers, allowed: Int64s) -> Int64s:
    """Each group's `allowed` in proportion to what its members want, by largest remainder; all of
    what they want where that is less. Of equal remainders the first in the array goes first."""
    total = summed(wanted, group, len(allowed))
    given = np.minimum(allowed, total)
    got, rest = scaled(wanted, given[group], total[group])
    missing = given - summed(got, group, len(allowed))
    order = np.lexsort((-rest, group))
    sorted_group = group[order]
    turn = np.arange(len(order)) - np.searchsorted(sorted_group, sorted_group, side="left")
    got[order[turn < missing[sorted_group]]] += 1
    return got


def summed(values: Int64s, group: Pointers, groups: int) -> Int64s:
    refuse_sum_overflow(values, "a limit's bonuses")
    total = np.zeros(groups, np.int64)
    np.add.at(total, group, values)
    return total


def bear(limit: Limit, known: Earnings, earned: Int64s, cut: Int64s) -> None:
    """Takes each member's cut off his bonuses in proportion, to the unit."""
    hit = np.flatnonzero(cut)
    so_far, borne = np.zeros(len(hit), np.int64), np.zeros(len(hit), np.int64)
    for code in limit.bonuses:
        so_far = so_far + np.maximum(known[code][hit], 0)
        upto, _ = scaled(cut[hit], np.minimum(so_far, earned[hit]), earned[hit])
        known[code] = known[code].copy()
        known[code][hit] -= upto - borne
        borne = upto


def levels(facts: Facts) -> NDArray[np.int16]:
    """Everybody's rank in the plan's first ladder."""
    ladders = facts.plan.ladders
    if not ladders:
        return np.zeros(len(facts.snapshot.members), np.int16)
    return facts.ranks(ladders[0].code).paid_as


def lines(limit: Limit, change: Int64s, ranks: NDArray[np.int16], facts: Facts) -> Block:
    """One line for each member whose part changes; it has no source and no order line."""
    member = np.flatnonzero(change).astype(np.int32)
    nobody = np.full(len(member), NOBODY, np.int32)
    return Block(
        bonus=facts.plan.programmes.index(limit),
        level=0,
        earner=member,
        source=nobody,
        line=nobody,
        base=in_hundredths(change[member], facts.plan.money),
        rate=np.full(len(member), WHOLE, np.int32),
        amount=change[member],
        rank_level=ranks[member],
    )


def check_limits(
    plan: Plan, totals: Mapping[str, int], metrics: Mapping[str, Int64s]
) -> tuple[LimitCheck, ...]:
    """The limits that refuse a run, held against amounts by programme code, of both triggers.

    `totals` may leave out programmes (they count 0) and name others. Reversals made in the period
    belong into them, with their sign. `metrics` as in `Standings`. What limits before this one cut
    is off the sum, where they limit none but its own bonuses.
    """
    checks = []
    for place, limit in enumerate(plan.limits):
        if limit.enforcement == "refuse":
            figure = 0 if limit.metric is None else of_company(metrics[limit.metric])
            allowed = company_allowance(limit, plan, figure)
            own = set(limit.bonuses)
            cuts = [other.code for other in plan.limits[:place] if own.issuperset(other.bonuses)]
            paid = sum(totals.get(code, 0) for code in (*limit.bonuses, *cuts))
            checks.append(LimitCheck(limit.code, allowed, paid))
    return tuple(checks)

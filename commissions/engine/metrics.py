"""What is measured of each member: whose lines or people, since when, and what of them.

A metric first has a figure for each person by himself (his lines of the kinds that count, less
refunds; or 1 for being there), only of people who meet `where`, and then sums it over the scope.
Counts are held x 100, so that 3 people and the "3" of a plan are one figure.

    A sells 100.00, below him B 200.00, below B D 400.00; B breaks away
    own of A 100.00     levels 1 to 1 of A 200.00     group of A 100.00, of B 600.00
    members of A's levels 1 to 2: 2.00

Windows. `periods` adds the figures that were carried in for the periods before, `lifetime` their
sum. `first_days` takes only lines of a seller's first days, and carries their sum on. Members need
nothing carried: they are all here with the day they joined. Lifetime counts those who are here now;
`first_days` of members are those who joined within so many days after the member measured himself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError
from commissions.engine.plan import Company, Group, JoinedWithin, Levels, Metric
from commissions.engine.plan.dependencies import leaves
from commissions.engine.rounding import LARGEST, Int64s, added, exact_sum, refuse_sum_overflow
from commissions.engine.trees import cut, level_sums, subtree_sums
from commissions.engine.volumes import of_kinds

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts

ONE = 100
"""One person or order, as metrics count them."""


def figure(metric: Metric, facts: Facts) -> Int64s:
    """The metric of each member; what its window carries on goes to `facts.state_out`."""
    if metric.what == "members":
        if metric.window == "first_days":
            return joined_soon(metric, facts)
        now = in_scope(metric, ONE * facts.meets(metric.where).astype(np.int64), facts)
        return last_periods(metric, now, facts) if metric.window == "periods" else now
    now = in_scope(metric, by_person(metric, facts), facts)
    if metric.window == "periods":
        return last_periods(metric, now, facts)
    if metric.window in ("lifetime", "first_days"):
        return up_to_now(metric, now, facts)
    return now


def by_person(metric: Metric, facts: Facts) -> Int64s:
    """What each person's lines come to in this period."""
    if metric.window != "first_days" and not asks_for_days(metric):
        own = facts.sold(metric.what, metric.volume, metric.kinds)
        return own if metric.where is None else own * facts.meets(metric.where)
    total = np.zeros(len(facts.snapshot.members), np.int64)
    for part in ("lines", "refunds"):
        lines = facts.part(part)
        counts = np.ones(len(lines), np.bool_)
        if metric.window == "first_days":
            counts = lines.day - facts.snapshot.members.joined[lines.seller] <= metric.length
        if metric.where is not None:
            counts &= facts.meets_on(metric.where, lines.seller, lines.day)
        total += sum_of_lines(metric.what, metric.volume, metric.kinds, facts, part, counts)
    return total


def asks_for_days(metric: Metric) -> bool:
    """Whether the condition may hold on one day and not on another."""
    return any(isinstance(part, JoinedWithin) for part in leaves(metric.where))


def sum_of_lines(
    what: str, volume: str | None, kinds: tuple[str, ...] | None, facts: Facts, part: str,
    counts: NDArray[np.bool_] | None = None,
) -> Int64s:  # fmt: skip
    """By seller: the sum of a figure over the lines that count, or how many lines (x 100)."""
    lines = facts.part(part)
    if kinds is not None:
        of_these = of_kinds(lines, facts.plan.kinds, kinds)
        counts = of_these if counts is None else counts & of_these
    kept = None if counts is None or counts.all() else np.flatnonzero(counts)
    seller = lines.seller if kept is None else lines.seller[kept]
    if what == "orders":
        count = np.bincount(seller, minlength=len(facts.snapshot.members)).astype(np.int64)
        return count * ONE if part == "lines" else np.zeros_like(count)
    values = facts.volume(volume or "", part)
    total = np.zeros(len(facts.snapshot.members), np.int64)
    refuse_sum_overflow(values, f"personal {volume}")
    np.add.at(total, seller, values if kept is None else values[kept])
    return total


def in_scope(metric: Metric, own: Int64s, facts: Facts) -> Int64s:
    """The figures of single persons, summed for each member over his scope."""
    scope = metric.scope
    if isinstance(scope, Group):
        parent = cut_tree(scope, facts)
        whole = subtree_sums(parent, own, metric.name)
        return whole if scope.include_self else whole - own
    if isinstance(scope, Levels):
        return level_sums(facts.parent(scope.tree), own, scope.first, scope.last, metric.name)
    if isinstance(scope, Company):
        return everybody(exact_sum(own), len(own), metric)
    return own


def cut_tree(scope: Group, facts: Facts) -> NDArray[np.int32]:
    """The group's tree, without the links from those who break away to their uplines."""
    parent = facts.parent(scope.tree)
    return parent if scope.until is None else cut(parent, facts.meets(scope.until))


def everybody(total: int, size: int, metric: Metric) -> Int64s:
    if abs(total) > LARGEST:
        raise CapacityError(f"{metric.name}: the sum does not fit 64 bits of hundredths")
    return np.full(size, total, np.int64)


# Windows


def last_periods(metric: Metric, now: Int64s, facts: Facts) -> Int64s:
    """This period's figure and the carried ones of the `length` - 1 before it."""
    recent = [now]
    for ago in range(1, metric.length):
        facts.state_out[state_name(metric, ago)] = recent[-1]
        recent.append(facts.carried(state_name(metric, ago)))
    return added(recent, metric.name)


def up_to_now(metric: Metric, now: Int64s, facts: Facts) -> Int64s:
    """This period's figure and all before it."""
    total = added([now, facts.carried(state_name(metric, "total"))], metric.name)
    facts.state_out[state_name(metric, "total")] = total
    return total


def state_name(metric: Metric, which: int | str) -> str:
    return f"metric.{metric.code}.{which}"


# Members who joined soon after the one who is measured


def joined_soon(metric: Metric, facts: Facts) -> Int64s:
    """People in his scope who meet `where` and joined in the member's own first days."""
    scope, meets = metric.scope, facts.meets(metric.where)
    if isinstance(scope, Company):
        return joined_anywhere(metric.length, meets, facts)
    itself = ONE * meets.astype(np.int64)
    if isinstance(scope, Group):
        below = joined_below(cut_tree(scope, facts), meets, facts, metric.length)
        return below + itself if scope.include_self else below
    if isinstance(scope, Levels):
        limits = (scope.first, scope.last)
        return joined_below(facts.parent(scope.tree), meets, facts, metric.length, *limits)
    return itself


def joined_below(
    parent: NDArray[np.int32], meets: NDArray[np.bool_], facts: Facts, days: int,
    first: int = 1, last: int | None = None,
) -> Int64s:  # fmt: skip
    """Level by level: each person is held against the upline who is so many steps above him."""
    joined = facts.snapshot.members.joined.astype(np.int64)
    total = np.zeros(len(parent), np.int64)
    person = np.flatnonzero(meets)
    above = parent[person]
    level = 1
    while person.size and (last is None or level <= last):
        person, above = person[above >= 0], above[above >= 0]
        since = joined[person] - joined[above]
        if level >= first:
            soon = (since >= 0) & (since <= days)
            total += ONE * np.bincount(above[soon], minlength=len(parent))
        above = parent[above]
        level += 1
    return total


def joined_anywhere(days: int, meets: NDArray[np.bool_], facts: Facts) -> Int64s:
    joined = facts.snapshot.members.joined.astype(np.int64)
    when = np.sort(joined[meets])
    until = np.searchsorted(when, joined + days, side="right")
    return ONE * (until - np.searchsorted(when, joined, side="left")).astype(np.int64)

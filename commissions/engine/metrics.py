"""What is measured of each member: whose lines or people, since when, and what of them.

A metric first has a figure for each person by himself (his lines of the kinds that count, less
refunds; or 1 for being there), only of people who meet `where`, and then sums it over the scope.
Counts are held x 100, so that 3 people and the "3" of a plan are one figure.

    A sells 100.00, below him B 200.00, below B D 400.00; B breaks away
    own of A 100.00     levels 1 to 1 of A 200.00     group of A 100.00, of B 600.00
    members of A's levels 1 to 2: 2.00     A's largest leg 600.00, his others 0.00

A `sum` adds other metrics of the member up: 2 x own 100.00 and 50 x 3 recruits are 350.00, rounded
once by the plan's rule.

Windows. `periods` adds the figures that were carried in for the periods before, `lifetime` their
sum. `first_days` takes only lines of somebody's first days, and carries their sum on: of the first
days of who sold them, of who bought them, or of the member who is measured. Members need nothing
carried: they are all here with the day they joined. Lifetime counts those who are here now;
`first_days` of members are those who joined within so many days after the member measured himself.

    first 30 days; A joined on day 0, B below him on day 20; B sells 10.00 on day 25, 40.00 on 45
    since seller   of A's group 50.00 (B's days 5 and 25)      since member   10.00 (A's day 25)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from commissions.engine.errors import CapacityError
from commissions.engine.orders import JOINED, WHO, of_orders
from commissions.engine.plan import Company, Group, JoinedWithin, Legs, Levels, Metric, Own
from commissions.engine.plan.dependencies import leaves
from commissions.engine.rounding import (
    LARGEST,
    MILLION,
    Int64s,
    added,
    divide,
    exact_sum,
    product,
    refuse_sum_overflow,
)
from commissions.engine.trees import (
    Pointers,
    cut,
    level_sums,
    nearest,
    ranked_child_sums,
    subtree_sums,
    with_top,
)
from commissions.engine.volumes import of_kinds

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts

ONE = 100
"""One person or order, as metrics count them."""


def figure(metric: Metric, facts: Facts) -> Int64s:
    """The metric of each member; what its window carries on goes to `facts.state_out`."""
    if metric.what == "sum":
        return added_up(metric, facts, facts.metric)
    if isinstance(metric.scope, Legs):
        return of_legs(metric.scope, metric, facts)
    if metric.what == "members":
        if metric.window == "first_days":
            return joined_soon(metric, facts)
        now = in_scope(metric, ONE * facts.meets(metric.where).astype(np.int64), facts)
        return last_periods(metric, now, facts) if metric.window == "periods" else now
    if metric.window == "first_days" and metric.since == "member":
        return up_to_now(metric, sold_soon(metric, facts), facts)
    return windowed(metric, in_scope(metric, by_person(metric, facts), facts), facts)


def of_legs(scope: Legs, metric: Metric, facts: Facts) -> Int64s:
    """The figure of some of each member's legs, of which the largest is the first. Everybody's own
    figure is carried on, and stands in the leg in which he stands now."""
    if metric.what == "members":
        own = ONE * facts.meets(metric.where).astype(np.int64)
        own = last_periods(metric, own, facts) if metric.window == "periods" else own
    else:
        own = windowed(metric, by_person(metric, facts), facts)
    parent = facts.parent(scope.tree)
    whole = subtree_sums(parent, own, metric.name)
    return ranked_child_sums(parent, whole, scope.first, scope.last)


def by_person(metric: Metric, facts: Facts) -> Int64s:
    """What each person's lines come to in this period."""
    if metric.what == "buyers":
        return buyers(metric, facts)
    is_told_by_line = metric.window == "first_days" or metric.orders is not None
    if not is_told_by_line and not asks_for_days(metric):
        own = facts.sold(metric.what, metric.volume, metric.kinds)
        return own if metric.where is None else own * facts.meets(metric.where)
    total = np.zeros(len(facts.snapshot.members), np.int64)
    for part in ("lines", "refunds"):
        counts = counted_lines(metric, facts, part)
        total += sum_of_lines(metric.what, metric.volume, metric.kinds, facts, part, counts)
    return total


def counted_lines(metric: Metric, facts: Facts, part: str) -> NDArray[np.bool_]:
    """Which lines count, but for their kinds and the first days of the member measured."""
    lines = facts.part(part)
    counts = np.ones(len(lines), np.bool_)
    if metric.window == "first_days" and metric.since == "seller":
        counts = lines.day - facts.snapshot.members.joined[lines.seller] <= metric.length
    elif metric.window == "first_days" and metric.since == "buyer":
        counts = lines.day - lines.of_buyer(JOINED) <= metric.length
    if metric.orders is not None:
        counts &= of_orders(lines, metric.orders)
    if metric.where is not None:
        counts &= facts.meets_on(metric.where, lines.seller, lines.day)
    return counts


def buyers(metric: Metric, facts: Facts) -> Int64s:
    """By seller: how many (x 100) bought enough of him, over all their orders that count, less what
    came back of them."""
    found: list[tuple[Pointers, Int64s, Int64s]] = []
    for part in ("lines", "refunds"):
        lines, counts = facts.part(part), counted_lines(metric, facts, part)
        if metric.kinds is not None:
            counts &= of_kinds(lines, facts.plan.kinds, metric.kinds)
        values = facts.volume(metric.volume or "", part)
        refuse_sum_overflow(values, metric.name)
        found.append((lines.seller[counts], lines.of_buyer(WHO)[counts], values[counts]))
    seller, who, values = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((who, seller))
    seller, who = seller[order], who[order]
    is_next = np.append(True, (seller[1:] != seller[:-1]) | (who[1:] != who[:-1]))
    starts = np.flatnonzero(is_next[: len(seller)])
    bought = np.add.reduceat(values[order], starts) if starts.size else values
    enough = seller[starts][bought >= max(metric.least, 1)]
    return ONE * np.bincount(enough, minlength=len(facts.snapshot.members)).astype(np.int64)


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


def windowed(metric: Metric, now: Int64s, facts: Facts) -> Int64s:
    """This period's figures with those before it that the window reaches."""
    if metric.window == "periods":
        return last_periods(metric, now, facts)
    if metric.window in ("lifetime", "first_days"):
        return up_to_now(metric, now, facts)
    return now


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


# Other metrics, each so many times


def added_up(metric: Metric, facts: Facts, figure_of: Callable[[str], Int64s]) -> Int64s:
    """The parts of a sum, each by `figure_of`, so many times."""
    parts = [product(figure_of(code), np.array([times])) for code, times in
             (metric.parts or {}).items()]  # fmt: skip
    exact = added([np.zeros(len(facts.snapshot.members), np.int64), *parts], metric.name)
    return divide(exact, MILLION, facts.plan.money.rounding)


# Lines of the first days of the one who is measured


def sold_soon(metric: Metric, facts: Facts) -> Int64s:
    """What people in his scope sold in the member's own first days, in this period."""
    size = len(facts.snapshot.members)
    total = np.zeros(size, np.int64)
    for part in ("lines", "refunds"):
        lines, values = facts.part(part), figures_of_lines(metric, facts, part)
        kept = np.flatnonzero(values)
        refuse_sum_overflow(values, metric.name)
        total += soon_in_scope(metric, facts, lines.seller[kept], lines.day[kept], values[kept])
    return total


def figures_of_lines(metric: Metric, facts: Facts, part: str) -> Int64s:
    """What each line adds to the metric of whoever it counts for."""
    lines, counts = facts.part(part), counted_lines(metric, facts, part)
    if metric.kinds is not None:
        counts &= of_kinds(lines, facts.plan.kinds, metric.kinds)
    if metric.what == "orders":
        return np.where(counts, ONE if part == "lines" else 0, 0).astype(np.int64)
    return np.where(counts, facts.volume(metric.volume or "", part), 0)


def soon_in_scope(
    metric: Metric, facts: Facts, seller: Pointers, day: NDArray[np.int32], values: Int64s
) -> Int64s:
    """By member: the values of lines in his scope that are of his own first days."""
    scope, joined = metric.scope, facts.snapshot.members.joined.astype(np.int64)
    if isinstance(scope, Company):
        return soon_anywhere(metric.length, joined, day, values)
    total = np.zeros(len(joined), np.int64)

    def add(member: Pointers, at: NDArray[np.intp]) -> None:
        since = day[at] - joined[member]
        soon = (since >= 0) & (since <= metric.length)
        np.add.at(total, member[soon], values[at[soon]])

    if isinstance(scope, Own) or (isinstance(scope, Group) and scope.include_self):
        add(seller, np.arange(len(seller)))
    if isinstance(scope, Own):
        return total
    parent, first, last = way_up(cast(Group | Levels, scope), facts)
    for above, at in upward(parent, seller, open_window(joined, metric, facts), first, last):
        add(above, at)
    return total


def way_up(scope: Group | Levels, facts: Facts) -> tuple[Pointers, int, int | None]:
    """The tree, and from which level to which those above have the seller in their scope."""
    if isinstance(scope, Levels):
        return facts.parent(scope.tree), scope.first, scope.last
    return cut_tree(scope, facts), 1, None


def soon_anywhere(length: int, joined: Int64s, day: NDArray[np.int32], values: Int64s) -> Int64s:
    order = np.argsort(day, kind="stable")
    sums, days = np.append(0, np.cumsum(values[order])), day[order]
    until = np.searchsorted(days, joined + length, side="right")
    found: Int64s = sums[until] - sums[np.searchsorted(days, joined, side="left")]
    return found


def open_window(joined: Int64s, metric: Metric, facts: Facts) -> NDArray[np.bool_]:
    """Whose first days reach into this period: the others need not be visited."""
    return joined + metric.length >= facts.snapshot.starts_on


def upward(
    parent: Pointers, start: Pointers, wanted: NDArray[np.bool_], first: int, last: int | None
) -> Iterator[tuple[Pointers, NDArray[np.intp]]]:
    """Level by level those above, and which of the starts stand there. Without a level to count
    they are taken from one who is wanted straight to the next."""
    at = np.arange(len(start))
    following = with_top(parent)
    if last is None:
        following = nearest(parent, wanted)[following]
    above, level = following[start], 1
    while at.size and (last is None or level <= last):
        inside = above < len(parent)
        at, above = at[inside], above[inside]
        if level >= first:
            yield above, at
        above = following[above]
        level += 1


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

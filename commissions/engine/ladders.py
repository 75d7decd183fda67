"""Which rank each member meets, holds, and ever reached.

Ranks are climbed from the lowest. With `each_rank` no rung can be reached past one that is not
met; with `highest_met` the highest rank whose condition is met counts. That is paid-as. The title
is what somebody holds: it rises at once, and falls as the ladder says.

    paid-as by period     Bronze  -       -       -        grace of 2 periods
    title                 Bronze  Bronze  -       -        (kept once, lost in the second in a row)

A lock protects a first rank that was reached soon after joining: reached in March with a lock of 6
periods, the title can't fall from April to September, and what is missed then does not count.

A rank that asks for legs with people of ranks of this ladder is worked out in rounds: `before` is
what the last round found, and the rounds end when nothing changes (`facts.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commissions.engine.conditions import Climb
from commissions.engine.plan import Grace, Ladder, Lock, NeverFalls
from commissions.engine.result import Ranks
from commissions.engine.rounding import Int64s

if TYPE_CHECKING:  # facts.py builds on this module
    from commissions.engine.facts import Facts

Levels = NDArray[np.int16]


def stand(ladder: Ladder, facts: Facts, before: Levels) -> Ranks:
    """Everybody's ranks in the ladder; what it carries on goes to `facts.state_out`."""
    members = facts.snapshot.members
    reached = members.level_of(members.highest, ladder.code)
    if ladder.source == "given":
        given = members.level_of(members.given, ladder.code)
        ranks = Ranks(given, given, np.maximum(given, reached))
    else:
        paid_as = climb(ladder, facts, before)
        held = members.level_of(members.title, ladder.code)
        title = hold(ladder, facts, paid_as, held, reached)
        ranks = Ranks(paid_as, title, np.maximum(paid_as, reached))
    since = facts.carried(f"rank.{ladder.code}.since")
    rose = ranks.highest > reached
    facts.state_out[f"rank.{ladder.code}.since"] = np.where(rose, facts.snapshot.ends_on, since)
    return ranks


def climb(ladder: Ladder, facts: Facts, before: Levels) -> Levels:
    """The level each member meets by this period's figures."""
    now = np.zeros(len(facts.snapshot.members), np.int16)
    for level, rank in enumerate(ladder.ranks, start=1):
        met = facts.meets(rank.when, Climb(ladder.code, now, before))
        if ladder.climb == "each_rank":
            met = met & (now == level - 1)
        now = np.where(met, np.int16(level), now)
    return now


def hold(ladder: Ladder, facts: Facts, paid_as: Levels, held: Levels, reached: Levels) -> Levels:
    """The title after this period: `held` until now, `reached` at the highest until now."""
    policy = ladder.when_not_met
    if isinstance(policy, NeverFalls):
        return np.maximum(paid_as, np.maximum(held, reached))
    locked = np.zeros(len(paid_as), np.bool_)
    if ladder.lock is not None:
        locked = lock(ladder, ladder.lock, facts, paid_as, reached)
    falls = (paid_as < held) & ~locked
    if isinstance(policy, Grace):
        falls = out_of_grace(ladder, policy, facts, falls, paid_as >= held)
    return np.where(falls, paid_as, np.maximum(paid_as, held))


def out_of_grace(
    ladder: Ladder, policy: Grace, facts: Facts, missing: NDArray[np.bool_], met: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Who has missed his title so many periods in a row that it falls; a new count starts then."""
    name = f"rank.{ladder.code}.missed"
    missed: Int64s = np.where(met, 0, facts.carried(name) + missing)
    falls = missing & (missed >= policy.periods)
    facts.state_out[name] = np.where(falls, 0, missed)
    return falls


def lock(
    ladder: Ladder, rule: Lock, facts: Facts, paid_as: Levels, reached: Levels
) -> NDArray[np.bool_]:
    """Whose title can't fall in this period; a first rank reached now locks the periods to come."""
    name = f"rank.{ladder.code}.locked"
    left = facts.carried(name)
    since_joining = facts.snapshot.ends_on - facts.snapshot.members.joined.astype(np.int64)
    first = (reached == 0) & (paid_as > 0) & (since_joining <= rule.joined_within_days)
    facts.state_out[name] = np.where(first, rule.periods, np.maximum(left - 1, 0))
    return left > 0

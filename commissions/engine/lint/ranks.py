"""Ladders that can't be climbed as written: ranks out of reach, ranks that ask less than one below.

each rung must be met: Bronze asks for less than 500.00 PV, Silver for 800.00
-> Nobody can reach Silver: with the ranks below it, PV would be at least 800.00 and less than ...
"""

from __future__ import annotations

from collections.abc import Iterator

from commissions.engine import plan as p
from commissions.engine.lint.asked import (
    EVERYTHING,
    Key,
    asked,
    asked_by_level,
    contradiction,
    impossible,
)
from commissions.engine.lint.findings import Finding
from commissions.engine.prose import words


def ladder_findings(plan: p.Plan) -> Iterator[Finding]:
    for place, ladder in enumerate(plan.ladders):
        if ladder.source == "computed":
            for level in range(1, len(ladder.ranks) + 1):
                path = f"$.ladders[{place}].ranks[{level - 1}]"
                yield from rank_findings(ladder, level, path, plan)


def rank_findings(ladder: p.Ladder, level: int, path: str, plan: p.Plan) -> Iterator[Finding]:
    rank = ladder.ranks[level - 1]
    why = unreachable(ladder, level, plan)
    if why:
        yield Finding(f"{path}.when", "error", f"Nobody can reach {rank.name}: {why}.")
    elif level > 1:
        yield from asks_less(ladder, level, path, plan)


def unreachable(ladder: p.Ladder, level: int, plan: p.Plan) -> str | None:
    """Why nobody can ever have the rank."""
    rank = ladder.ranks[level - 1]
    for each in conditions(rank.when):
        if isinstance(each, p.HasRank) and each.ladder == ladder.code and each.which == "paid_as":
            needed = ladder.level(each.rank)
            if needed >= level:
                return f"it asks for {ladder.ranks[needed - 1].name}, which is not below it"
    if why := impossible(rank.when, plan):
        return why
    below = ladder.ranks[: level - 1] if ladder.climb == "each_rank" else ()
    for lower in below:
        if impossible(lower.when, plan):
            return f"{lower.name} below it can't be reached"
    why = contradiction(asked_by_level(ladder, level, plan), plan)
    return f"with the ranks below it, {why}" if why else None


def conditions(condition: p.Condition | None) -> Iterator[p.Condition]:
    """The parts that must all be met."""
    if isinstance(condition, p.AllOf):
        for each in condition.of:
            yield from conditions(each)
    elif condition is not None:
        yield condition


def asks_less(ladder: p.Ladder, level: int, path: str, plan: p.Plan) -> Iterator[Finding]:
    """Figures that the rank below already asks more of, and ranks that ask nothing of their own."""
    rank, below = ladder.ranks[level - 1], ladder.ranks[level - 2]
    own = asked(rank.when, plan)
    already = asked_by_level(ladder, level - 1, plan)
    less = [key for key, each in own.items() if each.low < already.get(key, EVERYTHING).low]
    for key in less:
        yield Finding(
            f"{path}.when",
            "warning",
            f"{rank.name} asks for {figure(key, own[key].low, plan)}, less than what {below.name} "
            f"below it asks: {figure(key, already[key].low, plan)}.",
        )
    more = any(each.low > already.get(key, EVERYTHING).low for key, each in own.items())
    if not less and not more and is_known(rank.when):
        yield Finding(
            f"{path}.when",
            "warning",
            f"{rank.name} asks for no more than {below.name} below it: nobody stays {below.name}.",
        )


def is_known(condition: p.Condition | None) -> bool:
    """Whether all that is asked is figures that can be compared."""
    parts = list(conditions(condition))
    figures = p.AtLeast | p.LegsWithVolume | p.LegsWithMembers | p.LegsWithRecruits
    return all(isinstance(each, figures) for each in parts)


def figure(key: Key, low: int, plan: p.Plan) -> str:
    if key[0] == "metric":
        return f"{words.figure(key[1], low, plan)} {words.metric_name(key[1], plan)}"
    return words.counted(low, "such leg")

"""What a condition asks for certain: the range each figure must lie in, whoever meets it.

    all of (PV at least 100, any 1 of (GV at least 1,000, PV at least 300))
    -> PV from 100 on; GV from 0 on, since the second part can be met without it

Of n alternatives of which c are asked, the c-th lowest figure is certain. Ranks and activity are
followed to what they ask themselves. A range is `low <= figure < high`; no high is no bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import NamedTuple

from commissions.engine import plan as p
from commissions.engine.prose import words


class Range(NamedTuple):
    low: int = 0
    high: int | None = None

    def both(self, other: Range) -> Range:
        highs = [high for high in (self.high, other.high) if high is not None]
        return Range(max(self.low, other.low), min(highs, default=None))

    @property
    def is_empty(self) -> bool:
        return self.high is not None and self.low >= self.high


Key = tuple[str, ...]
Ranges = Mapping[Key, Range]
EVERYTHING = Range()


def metric_key(code: str) -> Key:
    return ("metric", code)


def asked(
    condition: p.Condition | None, plan: p.Plan, seen: frozenset[Key] = frozenset()
) -> Ranges:
    """The range of each figure that everybody has who meets the condition."""
    match condition:
        case p.AllOf(of=of):
            return every(asked(each, plan, seen) for each in of)
        case p.AnyOf(count=count, of=of):
            return some([asked(each, plan, seen) for each in of], count)
        case p.Not(of=p.AtLeast(metric=metric, figure=figure, below=None, leg_cap=None)):
            return {metric_key(metric): Range(0, figure)}
        case p.AtLeast(metric=metric, figure=figure, below=below):
            return {metric_key(metric): Range(figure, below)}
        case p.LegsWithVolume() | p.LegsWithMembers() | p.LegsWithRecruits():
            return {legs_key(condition): Range(condition.legs)}
        case p.HasRank():
            return asked_by_rank(condition, plan, seen)
        case p.IsActive() if ("active",) not in seen:
            return asked(plan.activity, plan, seen | {("active",)})
        case _:
            return {}


def legs_key(condition: p.LegsWithVolume | p.LegsWithMembers | p.LegsWithRecruits) -> Key:
    if isinstance(condition, p.LegsWithVolume):
        return ("legs", condition.tree, condition.volume, str(condition.figure))
    if isinstance(condition, p.LegsWithRecruits):
        number = str(condition.recruits)
        return ("legs", condition.tree, condition.by, number, repr(condition.where))
    return ("legs", condition.tree, condition.ladder, condition.rank, str(condition.members))


def asked_by_rank(condition: p.HasRank, plan: p.Plan, seen: frozenset[Key]) -> Ranges:
    """What whoever has this rank or a higher one surely met in this period."""
    ladder = next((each for each in plan.ladders if each.code == condition.ladder), None)
    key = ("rank", condition.ladder)
    if ladder is None or key in seen or not is_met_now(ladder, condition.which):
        return {}
    levels = range(ladder.level(condition.rank), len(ladder.ranks) + 1)
    found = [asked_by_level(ladder, level, plan, seen | {key}) for level in levels if level]
    return some(found, 1) if found else {}


def asked_by_level(
    ladder: p.Ladder, level: int, plan: p.Plan, seen: frozenset[Key] = frozenset()
) -> Ranges:
    """What a rank asks for certain, with the rungs below it where they must be met as well."""
    first = 0 if ladder.climb == "each_rank" else level - 1
    return every(asked(rank.when, plan, seen) for rank in ladder.ranks[first:level])


def is_met_now(ladder: p.Ladder, which: str) -> bool:
    """Whether who has a rank in this sense has met it by this period's figures."""
    falls = isinstance(ladder.when_not_met, p.FallsAtOnce) and ladder.lock is None
    return ladder.source == "computed" and (which == "paid_as" or (which == "title" and falls))


def every(ranges: Iterable[Ranges]) -> Ranges:
    def both(one: Ranges, other: Ranges) -> Ranges:
        return {
            key: one.get(key, EVERYTHING).both(other.get(key, EVERYTHING))
            for key in {**one, **other}
        }

    return reduce(both, ranges, {})


def some(ranges: list[Ranges], count: int) -> Ranges:
    """What holds for certain when `count` of them do."""
    found: dict[Key, Range] = {}
    for key in {key for each in ranges for key in each}:
        given = [each.get(key, EVERYTHING) for each in ranges]
        low = sorted(each.low for each in given)[count - 1 : count]
        highs = sorted((each.high for each in given if each.high is not None), reverse=True)
        bound = count - 1 - (len(given) - len(highs))
        found[key] = Range(low[0] if low else 0, highs[bound] if 0 <= bound < len(highs) else None)
    return found


def own_volume(ranges: Ranges, plan: p.Plan) -> tuple[int, p.Metric] | None:
    """The most that is asked of own volume in the period, and the metric that says so."""
    found = [
        (ranges[metric_key(metric.code)].low, metric)
        for metric in plan.metrics
        if metric_key(metric.code) in ranges
        and isinstance(metric.scope, p.Own)
        and metric.what == "volume"
        and metric.window == "period"
    ]
    best = max(found, key=lambda each: each[0], default=None)
    return best if best is not None and best[0] > 0 else None


# What nobody can meet


def impossible(condition: p.Condition | None, plan: p.Plan) -> str | None:
    """Why nobody can ever meet the condition; None when somebody may."""
    match condition:
        case p.AllOf(of=of):
            reasons = (impossible(each, plan) for each in of)
            return next((why for why in reasons if why), None) or contradiction(
                asked(condition, plan), plan
            )
        case p.AnyOf(count=count, of=of):
            open_ways = [each for each in of if impossible(each, plan) is None]
            if len(open_ways) < count:
                return f"only {len(open_ways)} of the {count} asked alternatives can be met"
            return None
        case (
            p.LegsWithVolume(tree="placement")
            | p.LegsWithMembers(tree="placement")
            | p.LegsWithRecruits(tree="placement")
        ):
            width = plan.matrix.width if plan.matrix else None
            if width is not None and condition.legs > width:
                return f"asks for {condition.legs} legs where the placement tree has {width}"
            return None
        case _:
            return contradiction(asked(condition, plan), plan)


def contradiction(ranges: Ranges, plan: p.Plan) -> str | None:
    for key, each in ranges.items():
        if each.is_empty and key[0] == "metric":
            code = key[1]
            low, high = words.figure(code, each.low, plan), words.figure(code, each.high or 0, plan)
            return f"{words.metric_name(code, plan)} would be at least {low} and less than {high}"
    return None


def asks_volume(condition: p.Condition | None, plan: p.Plan, depth: int = 8) -> bool:
    """Whether nobody can meet it without something sold: volume, or people who sold themselves."""
    match condition:
        case p.AllOf(of=of):
            return any(asks_volume(each, plan, depth) for each in of)
        case p.AnyOf(count=count, of=of):
            without = [each for each in of if not asks_volume(each, plan, depth)]
            return len(without) < count
        case p.AtLeast(metric=code, figure=figure) if figure:
            return metric_asks_volume(code, plan, depth)
        case p.LegsWithVolume(figure=figure):
            return figure > 0
        case p.LegsWithMembers(ladder=ladder, rank=rank) if depth:
            return asks_volume(p.HasRank("rank", ladder, rank, "paid_as"), plan, depth - 1)
        case p.LegsWithRecruits(where=where) if depth:
            return asks_volume(where, plan, depth - 1)
        case p.HasRank(ladder=code, rank=rank) if depth:
            ladders = [each for each in plan.ladders if each.code == code]
            whens = [rung.when for each in ladders for rung in rungs(each, rank)]
            return bool(whens) and any(asks_volume(each, plan, depth - 1) for each in whens)
        case p.IsActive() if depth:
            return asks_volume(plan.activity, plan, depth - 1)
        case _:
            return False


def rungs(ladder: p.Ladder, rank: str) -> tuple[p.Rank, ...]:
    level = ladder.level(rank)
    return ladder.ranks[0 if ladder.climb == "each_rank" else max(level - 1, 0) : level]


def metric_asks_volume(code: str, plan: p.Plan, depth: int) -> bool:
    metric = next((each for each in plan.metrics if each.code == code), None)
    if metric is not None and metric.what == "sum" and depth:
        return all(metric_asks_volume(part, plan, depth - 1) for part in metric.parts or ())
    if metric is None or metric.what != "members":
        return True
    return bool(depth) and asks_volume(metric.where, plan, depth - 1)

"""Limits that are passed or never reached, and parts of a plan that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from commissions.engine import plan as p
from commissions.engine.lint.findings import Finding
from commissions.engine.lint.largest_rates import hundredths, rate_rows
from commissions.engine.lint.worst_case import worst_case
from commissions.engine.prose import words

Coded = p.Volume | p.Metric | p.Ladder | p.Package

# Limits


def limit_findings(plan: p.Plan) -> Iterator[Finding]:
    for place, limit in enumerate(plan.limits):
        path = f"$.limits[{place}]"
        if is_ceiling(limit, plan):
            yield from ceiling(limit, path, plan)
        elif never_reached(limit, plan) or lower_elsewhere(limit, plan):
            yield Finding(path, "warning", f"{limit.name} can never bind: {why(limit, plan)}.")


def is_ceiling(limit: p.Limit, plan: p.Plan) -> bool:
    """Whether it holds all together to a share of what the company sells."""
    if limit.scope != "company" or limit.share is None or limit.metric is None:
        return False
    return limit.amount is None and plan.metric(limit.metric).what == "volume"


def ceiling(limit: p.Limit, path: str, plan: p.Plan) -> Iterator[Finding]:
    """One that refuses must hold in the worst case; one that cuts must be there to be passed."""
    share = limit.share or 0
    worst = worst_case(limit.bonuses, limit.metric or "", plan)
    if worst.exceeds(share) and limit.enforcement == "refuse":
        held = f" ({'; '.join(worst.assumed)})" if worst.assumed else ""
        yield Finding(
            f"{path}.share",
            "warning",
            f"{limit.name} stops a period at {words.percent(share)}, but bonuses may come to "
            f"{worst}{held}.",
        )
    if not worst.exceeds(share) and limit.enforcement != "refuse":
        yield Finding(
            f"{path}.share",
            "warning",
            f"{limit.name} can never bind: at most {worst} of {words.percent(share)} is paid.",
        )


def never_reached(limit: p.Limit, plan: p.Plan) -> bool:
    """Whether a member can't even come to the amount."""
    if limit.scope != "member" or limit.amount is None:
        return False
    each = [most_in_a_period(plan.bonus(code), plan) for code in limit.bonuses]
    known = [amount for amount in each if amount is not None]
    return len(known) == len(each) and sum(known) <= limit.amount


def most_in_a_period(bonus: p.Bonus, plan: p.Plan) -> Fraction | None:
    """The most hundredths that a member can get of it in a period, where that can be said."""
    best = max((hundredths(row) for row in rate_rows(bonus, None)), default=Fraction(0))
    if isinstance(bonus.pays, p.PaysPairs):
        volume = most_matched(bonus.pays, plan)
        if volume is None:
            return None
        times = volume // bonus.pays.cycle if bonus.pays.cycle else Fraction(volume, 100)
        return best * times * Fraction(bonus.factor, p.WHOLE)
    flat = isinstance(bonus.pays, p.PaysSource) and bonus.base == p.Flat("flat", "member")
    return best if flat and not isinstance(bonus.occurrence, p.OncePerRank) else None


def most_matched(pays: p.PaysPairs, plan: p.Plan) -> int | None:
    """The most that anybody's legs can match in a period; None where somebody's have no limit."""
    if pays.most_by_rank is None:
        return pays.most_volume
    ladder, table = plan.ladder(pays.most_by_rank.ladder), pays.most_by_rank.table
    codes = [p.NO_RANK, *(rank.code for rank in ladder.ranks)]
    each = [
        [volume for volume in (table.get(code), pays.most_volume) if volume is not None]
        for code in codes
    ]
    return max(map(min, each)) if all(each) else None


def lower_elsewhere(limit: p.Limit, plan: p.Plan) -> p.Limit | None:
    """Another limit that holds at least these bonuses to no more; the first of equals counts."""
    for other in plan.limits[::-1]:
        same = other.scope == limit.scope and other.metric == limit.metric
        same = same and other.when in (None, limit.when)
        if other is limit or not same or not set(limit.bonuses) <= set(other.bonuses):
            continue
        mine, theirs = (limit.amount, limit.share), (other.amount, other.share)
        if all(has_room(*pair) for pair in zip(mine, theirs, strict=True)) and mine != theirs:
            return other
    return None


def has_room(mine: int | None, theirs: int | None) -> bool:
    return (mine is None) == (theirs is None) and (mine is None or mine >= (theirs or 0))


def why(limit: p.Limit, plan: p.Plan) -> str:
    other = lower_elsewhere(limit, plan)
    if other is not None:
        return f"{other.name} holds the same bonuses to less"
    return f"nobody can earn more than {words.money(limit.amount or 0, plan)} there in a period"


# What nothing uses


def unused(plan: p.Plan) -> Iterator[Finding]:
    """Parts that are defined and never named elsewhere. The first ladder is the rank people see."""
    used = set(named(plan))
    groups: tuple[tuple[str, str, str, Sequence[Coded]], ...] = (
        ("volumes", "volume", "figure", plan.volumes),
        ("metrics", "metric", "metric", plan.metrics),
        ("ladders", "ladder", "ladder", plan.ladders),
        ("packages", "package", "package", plan.packages),
    )
    for key, kind, word, items in groups:
        for place, item in enumerate(items):
            if (kind, item.code) not in used and not (kind == "ladder" and place == 0):
                name = getattr(item, "name", None) or words.plain(item.code)
                path = f"$.{key}[{place}]"
                yield Finding(path, "warning", f"Nothing in the plan uses the {word} {name}.")


def named(plan: p.Plan) -> Iterator[tuple[str, str]]:
    """Every code that a part of the plan names, with the kind of thing it is."""
    for _, part in p.parts(plan):
        for kind in ("volume", "metric", "ladder"):
            code = getattr(part, kind, None)
            if isinstance(code, str):
                yield kind, code
        match part:
            case p.Metric(parts=parts) if parts is not None:
                yield from (("metric", code) for code in parts)
            case p.Volume(of=of, less=less):
                yield from (("volume", code) for code in (of, *less) if code is not None)
            case p.HasPackage(packages=packages):
                yield from (("package", code) for code in packages)
            case p.ByPackage(table=table):
                yield from (("package", code) for code in table)
            case p.OfOrder(smaller_package=True):
                yield from (("package", package.code) for package in plan.packages)

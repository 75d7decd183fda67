"""What holds between the parts of a plan: every name leads somewhere, every part can be computed.

Reading has seen to it that each part is of the right kind; here are the rules that no single part
can show. Each kind of record has its rule, and `check` goes through the plan in the document's
order, so that every fault carries the path of the part that has it:

    $.ladders[0].ranks[1].when.of[0].metric: "gvv" is no metric of this plan: cv, gv, pv
    $.bonuses[2].base.bonuses[0]: "match" stands after this one; bonuses are paid in their order

Bonuses have rules of their own (`checking_bonuses`), and what asks for itself is found on the graph
of what asks for what (`dependencies`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from commissions.engine.errors import Fault
from commissions.engine.plan import (
    NO_RANK,
    WHOLE,
    AnyOf,
    AtLeast,
    Company,
    Group,
    HasPackage,
    HasRank,
    Ladder,
    Legs,
    LegsWithMembers,
    LegsWithVolume,
    Levels,
    Limit,
    Matrix,
    Metric,
    Orders,
    Own,
    Plan,
    Recruit,
    Volume,
    parts,
)
from commissions.engine.plan.checking_bonuses import check_bonuses
from commissions.engine.plan.dependencies import ACTIVE, METRIC, circles
from commissions.engine.plan.references import codes_of, rank_refers, refers, repeats


def check(plan: Plan) -> Iterator[Fault]:
    """Every fault of a plan that could be read, by the path of the part that has it."""
    yield from check_codes(plan)
    for path, part in parts(plan):
        rule = RULES.get(type(part))
        if rule is not None:
            yield from rule(path, part, plan)
    yield from check_bonuses(plan)
    yield from check_circles(plan)


def check_codes(plan: Plan) -> Iterator[Fault]:
    """Two things of one kind can't have one name."""
    if not plan.kinds:
        yield Fault("$.kinds", "names no kind of order line, so nothing could be sold")
    yield from repeats("$.kinds[{}]", plan.kinds)
    for name in ("volumes", "metrics", "ladders", "packages"):
        yield from repeats(f"$.{name}[{{}}].code", codes_of(getattr(plan, name)))
    bonuses = codes_of(plan.bonuses)
    yield from repeats("$.bonuses[{}].code", bonuses)
    yield from repeats("$.limits[{}].code", codes_of(plan.limits), taken=bonuses)
    values = [package.value for package in plan.packages]
    for place in range(1, len(values)):
        if values[place] < values[place - 1]:
            path = f"$.packages[{place}].value"
            yield Fault(path, "is less than the package before: they go from small to large")


def check_circles(plan: Plan) -> Iterator[Fault]:
    for kind, code in circles(plan):
        message = "asks for itself: it would have to be known before it can be known"
        if kind == ACTIVE:
            yield Fault("$.activity", message)
        elif kind == METRIC:
            yield Fault(f"$.metrics[{codes_of(plan.metrics).index(code)}]", message)
        else:
            yield Fault(f"$.ladders[{codes_of(plan.ladders).index(code)}]", message)


def kinds_refer(path: str, kinds: Iterable[str] | None, plan: Plan) -> Iterator[Fault]:
    for place, kind in enumerate(kinds or ()):
        yield from refers(f"{path}.kinds[{place}]", kind, plan.kinds, "kind of order line")


# Volumes and metrics


def check_volume(path: str, volume: Volume, plan: Plan) -> Iterator[Fault]:
    place = next(at for at, other in enumerate(plan.volumes) if other is volume)
    before = codes_of(plan.volumes[:place])
    yield from refers(f"{path}.of", volume.of, before, "figure", "that stands before it")
    for item, code in enumerate(volume.less):
        yield from refers(f"{path}.less[{item}]", code, before, "figure", "that stands before it")
    if volume.of is not None and volume.amounts is not None:
        yield Fault(f"{path}.amounts", 'is there beside "of": a figure is a share or an amount')
    if volume.of is None and volume.rate != WHOLE:
        yield Fault(f"{path}.rate", 'is a share of nothing: "of" does not say which figure')
    if volume.less and volume.of is None and volume.amounts is None:
        yield Fault(f"{path}.less", "deducts from a figure that is given with the order")
    for kind in volume.amounts or ():
        yield from refers(f"{path}.amounts.{kind}", kind, plan.kinds, "kind of order line")
    yield from kinds_refer(path, volume.kinds, plan)


def check_metric(path: str, metric: Metric, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.volume", metric.volume, codes_of(plan.volumes), "figure")
    yield from kinds_refer(path, metric.kinds, plan)
    if metric.what in ("volume", "buyers") and metric.volume is None:
        yield Fault(f"{path}.volume", "is missing: it says which figure of the lines is summed")
    if metric.what in ("members", "orders") and metric.volume is not None:
        yield Fault(f"{path}.volume", f"has no meaning where {metric.what} are counted")
    if metric.least and metric.what != "buyers":
        yield Fault(f"{path}.least", "has no meaning but where buyers are counted")
    if metric.what == "members":
        for name in ("kinds", "orders"):
            if getattr(metric, name) is not None:
                message = "has no meaning where members are counted, not order lines"
                yield Fault(f"{path}.{name}", message)
    yield from check_window(path, metric)
    yield from check_sum(path, metric, plan)


def check_window(path: str, metric: Metric) -> Iterator[Fault]:
    if metric.window not in ("periods", "first_days") and metric.length != 1:
        yield Fault(f"{path}.length", f'has no meaning in the window "{metric.window}"')
    if metric.since != "seller" and (metric.window != "first_days" or metric.what == "members"):
        yield Fault(f"{path}.since", "has no meaning but for first days of order lines")
    if metric.what == "buyers" and metric.window != "period":
        yield Fault(f"{path}.window", "of buyers must be period: who bought is known of that alone")
    of_member = metric.what == "members" or metric.since == "member"
    if isinstance(metric.scope, Legs) and metric.window == "first_days" and of_member:
        message = "of each member himself: a leg has no figure that goes by his day of joining"
        yield Fault(f"{path}.window", message)


def check_sum(path: str, metric: Metric, plan: Plan) -> Iterator[Fault]:
    """A sum is of a member's own other metrics, and measures nothing besides."""
    if metric.what != "sum":
        if metric.parts is not None:
            yield Fault(
                f"{path}.parts", f'has no meaning where what is measured is "{metric.what}"'
            )
        return
    if not metric.parts:
        yield Fault(f"{path}.parts", "names no metric, so there would be nothing to add up")
    for code in metric.parts or ():
        yield from refers(f"{path}.parts.{code}", code, codes_of(plan.metrics), "metric")
    if not isinstance(metric.scope, Own):
        yield Fault(f"{path}.scope", "of a sum must be own: its parts say whose they are")
    for name in ("volume", "kinds", "orders", "where"):
        if getattr(metric, name) is not None:
            yield Fault(f"{path}.{name}", "has no meaning in a sum of other metrics")
    if metric.window != "period":
        yield Fault(f"{path}.window", "has no meaning in a sum: its parts say since when")


def check_orders(path: str, orders: Orders, plan: Plan) -> Iterator[Fault]:
    if orders.last is not None and orders.last < orders.first:
        yield Fault(f"{path}.last", f"is less than the first, which is {orders.first}")
    if (orders.first, orders.last, orders.within_days) == (1, None, None):
        yield Fault(path, "leaves out no order, so it says nothing")


def check_legs(path: str, legs: Legs, plan: Plan) -> Iterator[Fault]:
    if legs.last is not None and legs.last < legs.first:
        yield Fault(f"{path}.last", f"is less than the first, which is {legs.first}")


def check_levels(path: str, levels: Levels, plan: Plan) -> Iterator[Fault]:
    if levels.last < levels.first:
        yield Fault(f"{path}.last", f"lies above the first level, which is {levels.first}")


# Conditions


def check_any(path: str, condition: AnyOf, plan: Plan) -> Iterator[Fault]:
    if condition.count > len(condition.of):
        wanted = f"asks for {condition.count} of {len(condition.of)} conditions"
        yield Fault(f"{path}.count", f"{wanted}, so nobody could ever meet it")


def check_at_least(path: str, asked: AtLeast, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.metric", asked.metric, codes_of(plan.metrics), "metric")
    if asked.below is not None and asked.below <= asked.figure:
        yield Fault(f"{path}.below", "is not above the figure, so nobody could ever meet it")
    if asked.leg_cap is not None and asked.metric in codes_of(plan.metrics):
        metric = plan.metric(asked.metric)
        if metric.what != "volume" or not isinstance(metric.scope, Group):
            yield Fault(
                f"{path}.leg_cap", f'"{asked.metric}" is no group\'s volume: it has no legs'
            )
        elif metric.window == "first_days" and metric.since == "member":
            words = f'"{asked.metric}" counts from the joining of each member: a leg has no figure'
            yield Fault(f"{path}.leg_cap", words)
        elif metric.window != "period" and not metric.scope.include_self:
            words = f'the legs of "{asked.metric}" are known of one period, or with their heads'
            yield Fault(f"{path}.leg_cap", words)


def check_legs_with_volume(path: str, asked: LegsWithVolume, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.volume", asked.volume, codes_of(plan.volumes), "figure")


def check_rank_asked(path: str, asked: HasRank | LegsWithMembers, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.ladder", asked.ladder, codes_of(plan.ladders), "ladder")
    yield from rank_refers(f"{path}.rank", asked.rank, asked.ladder, plan)


def check_package_asked(path: str, asked: HasPackage, plan: Plan) -> Iterator[Fault]:
    for place, code in enumerate(asked.packages):
        where = f"{path}.packages[{place}]"
        yield from refers(where, code, codes_of(plan.packages), "package")


def check_recruit(path: str, asked: Recruit, plan: Plan) -> Iterator[Fault]:
    if asked.last < asked.first:
        yield Fault(f"{path}.last", f"is less than the first, which is {asked.first}")


# Ladders, limits, the matrix


def check_ladder(path: str, ladder: Ladder, plan: Plan) -> Iterator[Fault]:
    codes = codes_of(ladder.ranks)
    yield from repeats(f"{path}.ranks[{{}}].code", codes)
    if not codes:
        yield Fault(f"{path}.ranks", "is empty: a ladder has at least one rank")
    if NO_RANK in codes:
        where = f"{path}.ranks[{codes.index(NO_RANK)}].code"
        yield Fault(where, f'"{NO_RANK}" is the name of having no rank')
    if ladder.source == "given":
        for place, rank in enumerate(ladder.ranks):
            if rank.when is not None:
                where = f"{path}.ranks[{place}].when"
                yield Fault(where, "would never be asked: the ranks of this ladder are given")
        if ladder.lock is not None:
            yield Fault(f"{path}.lock", "would lock nothing: the ranks of this ladder are given")


def check_limit(path: str, limit: Limit, plan: Plan) -> Iterator[Fault]:
    for place, code in enumerate(limit.bonuses):
        yield from refers(f"{path}.bonuses[{place}]", code, codes_of(plan.bonuses), "bonus")
        if code in codes_of(plan.rewards):
            yield Fault(
                f"{path}.bonuses[{place}]", f'"{code}" gives no money that could be limited'
            )
    yield from repeats(f"{path}.bonuses[{{}}]", limit.bonuses)
    if not limit.bonuses:
        yield Fault(f"{path}.bonuses", "is empty: the limit would limit nothing")
    if (limit.amount is None) == (limit.share is None):
        yield Fault(f"{path}.amount", "a limit has either an amount or a share of a metric")
    yield from check_limit_metric(path, limit, plan)
    if limit.when is not None and limit.scope != "member":
        message = f"is asked of a member, and this limit is that of a {limit.scope}"
        yield Fault(f"{path}.when", message)
    if limit.enforcement == "refuse":
        if limit.scope != "company":
            message = f"a run is refused for the company's sum, not for that of a {limit.scope}"
            yield Fault(f"{path}.enforcement", message)
        if limit.overflow != "lost":
            yield Fault(f"{path}.overflow", "nothing is cut, so there is nothing to be held")


def check_limit_metric(path: str, limit: Limit, plan: Plan) -> Iterator[Fault]:
    known = codes_of(plan.metrics)
    yield from refers(f"{path}.metric", limit.metric, known, "metric")
    if limit.share is not None and limit.metric is None:
        yield Fault(f"{path}.metric", "is missing: the share does not say of what")
    if limit.share is None and limit.metric is not None:
        yield Fault(f"{path}.metric", "has no meaning without a share")
    if limit.metric in known:
        of_company = isinstance(plan.metric(str(limit.metric)).scope, Company)
        if limit.scope == "company" and not of_company:
            yield Fault(f"{path}.metric", f'"{limit.metric}" is no metric of the company')
        if limit.scope == "person" and of_company:
            message = "is the company's: adding it up over positions would count it twice"
            yield Fault(f"{path}.metric", f'"{limit.metric}" {message}')


def check_matrix(path: str, matrix: Matrix, plan: Plan) -> Iterator[Fault]:
    if matrix.width is not None and matrix.width < 1:
        yield Fault(f"{path}.width", "must be at least 1")


RULES: dict[type, Callable[[str, Any, Plan], Iterator[Fault]]] = {
    Volume: check_volume,
    Metric: check_metric,
    Legs: check_legs,
    Levels: check_levels,
    Orders: check_orders,
    AnyOf: check_any,
    AtLeast: check_at_least,
    LegsWithVolume: check_legs_with_volume,
    LegsWithMembers: check_rank_asked,
    HasRank: check_rank_asked,
    HasPackage: check_package_asked,
    Recruit: check_recruit,
    Ladder: check_ladder,
    Limit: check_limit,
    Matrix: check_matrix,
}

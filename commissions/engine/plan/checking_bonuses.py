"""What holds within a bonus, and between it and the others: see `checking`.

A bonus is composed freely, but not everything goes together: a pool needs a sum of the company to
share, a rate by order kind an order line, a walk's policy a walk. And bonuses are paid one after
the other, each trigger by itself:

    at payment  the order is known, and what was known of people before: packages, marks, given
                ranks, when they joined. Nobody's figures of the period are.
    order       a bonus can only look at those of the same trigger that stand before it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from commissions.engine.errors import Fault
from commissions.engine.plan import (
    PAYMENT,
    WHOLE,
    Always,
    Bonus,
    ByBand,
    ByFigure,
    ByKind,
    ByPackage,
    ByRank,
    ByStep,
    Company,
    MetricShares,
    MostByRank,
    OfCommissions,
    OfMetric,
    OfOrder,
    OncePerRank,
    PaysCompany,
    PaysPairs,
    PaysPool,
    PaysSource,
    PaysUpline,
    Plan,
    RankShares,
    Rates,
)
from commissions.engine.plan.checking_payment import check_payment
from commissions.engine.plan.references import codes_of, rank_refers, refers

CENT = 10_000
"""A hundredth in millionths."""

Rows = Iterator[tuple[str, tuple[int, ...]]]


def check_bonuses(plan: Plan) -> Iterator[Fault]:
    for place, bonus in enumerate(plan.bonuses):
        path = f"$.bonuses[{place}]"
        yield from check_base(path, bonus, plan, place)
        yield from check_pays(path, bonus, plan, place)
        yield from check_rates(path, bonus, plan)
        yield from check_rest(path, bonus, plan, place)
        yield from check_occurrence(path, bonus)
        if bonus.reward is not None:
            yield from check_reward(path, bonus)
        if bonus.trigger == PAYMENT:
            yield from check_payment(path, bonus, plan)


def has_line(bonus: Bonus) -> bool:
    """Whether what the bonus is paid on is an order line, with a kind and a day."""
    if isinstance(bonus.pays, PaysPairs | PaysPool):
        return False
    base = bonus.base
    return isinstance(base, OfOrder) or getattr(base, "per", "") in ("order", "line")


# What is paid on


def check_base(path: str, bonus: Bonus, plan: Plan, place: int) -> Iterator[Fault]:
    base, where = bonus.base, f"{path}.base"
    if isinstance(base, OfOrder | OfMetric):
        yield from check_part(where, base)
    if isinstance(base, OfOrder):
        yield from refers(f"{where}.volume", base.volume, codes_of(plan.volumes), "figure")
        if base.smaller_package and not plan.packages:
            yield Fault(f"{where}.smaller_package", "needs packages, and the plan has none")
    elif isinstance(base, OfMetric):
        yield from refers(f"{where}.metric", base.metric, codes_of(plan.metrics), "metric")
        if base.each is not None and bonus.unit != "amount":
            yield Fault(f"{path}.unit", "is share, and for each whole so much an amount is paid")
    elif isinstance(base, OfCommissions):
        yield from check_commissions(where, base, bonus, plan, place)


def check_part(path: str, base: OfOrder | OfMetric) -> Iterator[Fault]:
    if base.at_most is not None and base.at_most <= base.above:
        yield Fault(f"{path}.at_most", "is not more than `above`, so that nothing is paid on")
    if isinstance(base, OfMetric) and base.each == 0:
        yield Fault(f"{path}.each", "must be above zero; null stands for all of it")


def check_commissions(
    path: str, base: OfCommissions, bonus: Bonus, plan: Plan, place: int
) -> Iterator[Fault]:
    yield from look_back(f"{path}.bonuses", base.bonuses, plan, place, itself=True)
    if bonus.code in base.bonuses:
        climbs = isinstance(bonus.pays, PaysUpline) and bonus.pays.start == "upline"
        if not climbs:
            message = "a bonus on itself must climb: paid to uplines, starting above the source"
            yield Fault(f"{path}.bonuses", message)
    if plan.money.scale > 2:
        yield Fault(path, f"a base is held in hundredths, money in {plan.money.scale} decimals")
    if base.after_limits:
        yield from check_after_limits(f"{path}.after_limits", base, plan, place)


def check_after_limits(path: str, base: OfCommissions, plan: Plan, place: int) -> Iterator[Fault]:
    """Limits apply in their order, each as soon as all its bonuses are done. One at least must be
    applied before, and those that are must not cut other bonuses along with these."""
    known, last, applied, waits = codes_of(plan.bonuses), 0, False, ""
    for limit in plan.limits:
        if limit.enforcement == "refuse":
            continue
        last = max([last, *(known.index(code) for code in limit.bonuses if code in known)])
        if not set(limit.bonuses) & set(base.bonuses):
            continue
        if last >= place:
            waits = waits or f'the limit "{limit.code}" waits for "{known[last]}", which is not'
            continue
        applied = True
        if others := sorted(set(limit.bonuses) - set(base.bonuses)):
            message = f'the limit "{limit.code}" cuts "{others[0]}" along with them'
            yield Fault(path, f"{message}: what it takes of these alone is not known")
    if waits and not applied:
        yield Fault(path, f"{waits} before this bonus")


def look_back(
    path: str, codes: Sequence[str], plan: Plan, place: int, *, itself: bool = False
) -> Iterator[Fault]:
    """Faults of bonuses that this one can't see: unknown, later, or of the other trigger."""
    known = codes_of(plan.bonuses)
    bonus = plan.bonuses[place]
    for item, code in enumerate(codes):
        where = f"{path}[{item}]"
        yield from refers(where, code, known, "bonus")
        if code not in known or (itself and code == bonus.code):
            continue
        if known.index(code) >= place:
            yield Fault(where, f'"{code}" is not before this one; bonuses are paid in their order')
        elif plan.bonus(code).reward is not None:
            yield Fault(where, f'"{code}" gives no money, so there is nothing of it to go by')
        elif plan.bonus(code).trigger != bonus.trigger:
            yield Fault(where, f'"{code}" is paid by another trigger: its lines are not known here')


# Who is paid


def check_pays(path: str, bonus: Bonus, plan: Plan, place: int) -> Iterator[Fault]:
    pays, where = bonus.pays, f"{path}.pays"
    if isinstance(pays, PaysUpline):
        yield from check_start(f"{where}.start", bonus, pays, plan)
    elif isinstance(pays, PaysPairs):
        yield from check_pairs(where, bonus, pays, plan)
    elif isinstance(pays, PaysPool):
        yield from check_pool(path, bonus, pays, plan)
    elif isinstance(pays, PaysCompany):
        yield from look_back(f"{where}.less", pays.less, plan, place)
        if pays.less and plan.money.scale > 2:
            message = f"a base is held in hundredths, money in {plan.money.scale} decimals"
            yield Fault(f"{where}.less", message)
    policy = bonus.eligibility.otherwise
    if policy in ("compress", "block") and not isinstance(pays, PaysUpline):
        message = f"{policy} is a way to go on up a tree, and this bonus walks none"
        yield Fault(f"{path}.eligibility.otherwise", message)


def check_start(path: str, bonus: Bonus, pays: PaysUpline, plan: Plan) -> Iterator[Fault]:
    if not isinstance(pays.start, Mapping):
        return
    if not has_line(bonus):
        yield Fault(path, "goes by kinds of order, and this bonus is not paid on order lines")
    if not pays.start:
        yield Fault(path, "names no kind of order, so the bonus could never be paid")
    for kind in pays.start:
        yield from refers(f"{path}.{kind}", kind, plan.kinds, "kind of order line")


def check_pairs(path: str, bonus: Bonus, pays: PaysPairs, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.volume", pays.volume, codes_of(plan.volumes), "figure")
    if plan.matrix is not None and plan.matrix.width not in (None, 2):
        message = f"pairs have two legs, and the placement tree is {plan.matrix.width} wide"
        yield Fault(f"{path}.tree", message)
    if bonus.unit == "amount" and pays.cycle is None:
        yield Fault(f"{path}.cycle", "is null, and an amount is paid for each whole cycle")
    if pays.cycle == 0:
        yield Fault(f"{path}.cycle", "must be above zero; null stands for no cycles")
    if pays.stronger is not None:
        yield from check_stronger(f"{path}.stronger", pays)
    if pays.most_by_rank is not None:
        yield from check_most(f"{path}.most_by_rank", pays.most_by_rank, plan)
    elif pays.over_most != "stays" and pays.most_volume is None:
        yield Fault(f"{path}.over_most", "has no meaning without the most volume that is matched")
    cap = pays.carry_cap
    if cap is not None and cap.amount is None and cap.times is None:
        yield Fault(f"{path}.carry_cap", "has neither an amount nor times, so it would cap nothing")
    if pays.gate is not None and pays.gate.fewer > pays.gate.more:
        yield Fault(f"{path}.gate.fewer", "is more than the other leg must count")


def check_most(path: str, most: MostByRank, plan: Plan) -> Iterator[Fault]:
    yield from refers(f"{path}.ladder", most.ladder, codes_of(plan.ladders), "ladder")
    for rank in most.table:
        yield from rank_refers(f"{path}.table.{rank}", rank, most.ladder, plan, none_too=True)
    if not most.table:
        yield Fault(f"{path}.table", "is empty, so it would limit nobody")


def check_stronger(path: str, pays: PaysPairs) -> Iterator[Fault]:
    if pays.cycle is None or pays.stronger is None or pays.stronger <= pays.cycle:
        yield Fault(path, "must be more than the cycle takes of the weaker leg")
    if pays.after_payout == "carry":
        message = "takes of each leg what its cycles took: legs are netted off, or flushed"
        yield Fault(path, message)


def check_pool(path: str, bonus: Bonus, pays: PaysPool, plan: Plan) -> Iterator[Fault]:
    base, metrics = bonus.base, {metric.code: metric for metric in plan.metrics}
    if not isinstance(base, OfMetric):
        yield Fault(f"{path}.base", "a pool is a rate of a metric of the company")
    elif base.metric in metrics and not isinstance(metrics[base.metric].scope, Company):
        yield Fault(f"{path}.base.metric", f'"{base.metric}" is no metric of the company')
    shares, where = pays.shares, f"{path}.pays.shares"
    if isinstance(shares, MetricShares):
        yield from refers(f"{where}.metric", shares.metric, metrics, "metric")
    if isinstance(shares, RankShares):
        yield from refers(f"{where}.ladder", shares.ladder, codes_of(plan.ladders), "ladder")
        for rank in shares.shares:
            there = f"{where}.shares.{rank}"
            yield from rank_refers(there, rank, shares.ladder, plan, none_too=True)


# How much


def rows_of(path: str, rates: Rates) -> Rows:
    """Each row of the table with its path."""
    if isinstance(rates, ByStep):
        yield f"{path}.table", rates.table
    elif isinstance(rates, ByBand | ByFigure):
        for place, band in enumerate(rates.bands):
            yield f"{path}.bands[{place}].rates", band.rates
    else:
        for key, row in rates.table.items():
            yield f"{path}.table.{key}", row


def check_rates(path: str, bonus: Bonus, plan: Plan) -> Iterator[Fault]:
    where = f"{path}.rates"
    steps = bonus.pays.max_steps if isinstance(bonus.pays, PaysUpline) else 1
    rows = list(rows_of(where, bonus.rates))
    if not any(rate for _, row in rows for rate in row):
        yield Fault(where, "has no rate above zero, so the bonus could never be paid")
    for row_path, row in rows:
        if len(row) > steps:
            many = f"has {len(row)} rates for at most {steps} step{'s' * (steps > 1)}"
            yield Fault(row_path, many)
        for place, rate in enumerate(row):
            yield from check_rate(f"{row_path}[{place}]", rate, bonus.unit)
    yield from check_rows(where, bonus, plan)
    if bonus.less is not None:
        yield from check_rate(f"{path}.less.minimum", bonus.less.minimum, bonus.unit)
        if bonus.less.than == "paid_below" and not isinstance(bonus.pays, PaysUpline):
            yield Fault(f"{path}.less.than", "nobody is paid below: this bonus walks no tree")
    if bonus.unit == "amount" and isinstance(bonus.base, OfMetric):
        metric = next((item for item in plan.metrics if item.code == bonus.base.metric), None)
        if metric and metric.what in ("volume", "sum") and bonus.base.each is None:
            message = (
                f"is paid for each one counted, and this metric is a {metric.what}: a share fits it"
            )
            yield Fault(f"{path}.unit", message)
    if bonus.unit == "amount" and bonus.factor != WHOLE:
        message = "makes money of volume, and the amounts of this bonus are money already"
        yield Fault(f"{path}.factor", message)


def check_rate(path: str, rate: int, unit: str) -> Iterator[Fault]:
    if unit == "share" and rate > WHOLE:
        yield Fault(path, 'a share above 1 would pay more than its base; 5 % is "0.05"')
    if unit == "amount" and rate % CENT:
        yield Fault(path, "an amount has at most 2 decimals")


def check_rows(path: str, bonus: Bonus, plan: Plan) -> Iterator[Fault]:
    """The keys of the table: ranks, packages, kinds, bands."""
    rates, table = bonus.rates, f"{path}.table"
    match rates:
        case ByRank():
            yield from refers(f"{path}.ladder", rates.ladder, codes_of(plan.ladders), "ladder")
            for rank in rates.table:
                yield from rank_refers(f"{table}.{rank}", rank, rates.ladder, plan, none_too=True)
        case ByPackage():
            packages = codes_of(plan.packages)
            for code in rates.table:
                yield from refers(f"{table}.{code}", code, packages, "package")
        case ByKind():
            yield from check_kinds(path, rates, bonus, plan)
        case ByBand():
            yield from refers(f"{path}.metric", rates.metric, codes_of(plan.metrics), "metric")
            yield from check_bands(path, rates)
        case ByFigure():
            yield from check_figure(path, rates, bonus, plan)


def check_kinds(path: str, rates: ByKind, bonus: Bonus, plan: Plan) -> Iterator[Fault]:
    if not has_line(bonus):
        yield Fault(path, "goes by kinds of order, and this bonus is not paid on order lines")
    for kind in rates.table:
        yield from refers(f"{path}.table.{kind}", kind, plan.kinds, "kind of order line")


def check_figure(path: str, rates: ByFigure, bonus: Bonus, plan: Plan) -> Iterator[Fault]:
    if not has_line(bonus):
        yield Fault(path, "goes by a figure of order lines, and this bonus is not paid on any")
    yield from refers(f"{path}.volume", rates.volume, codes_of(plan.volumes), "figure")
    yield from check_bands(path, rates)


def check_bands(path: str, rates: ByBand | ByFigure) -> Iterator[Fault]:
    for place in range(1, len(rates.bands)):
        if rates.bands[place].at <= rates.bands[place - 1].at:
            yield Fault(f"{path}.bands[{place}].at", "does not start above the band before it")


# When, and where not


def check_occurrence(path: str, bonus: Bonus) -> Iterator[Fault]:
    often = bonus.occurrence
    if isinstance(often, Always) and often.may_miss and often.after_periods == 1:
        message = "pauses a row of periods, and none in a row are asked for"
        yield Fault(f"{path}.occurrence.may_miss", message)


def check_reward(path: str, bonus: Bonus) -> Iterator[Fault]:
    """What is no money is given to members, whole, at the close, or not at all."""
    pays = bonus.pays
    if bonus.trigger == PAYMENT:
        yield Fault(f"{path}.trigger", "is payment, and what is no money is given at the close")
    if isinstance(pays, PaysCompany | PaysPool):
        yield Fault(f"{path}.pays.who", f"is {pays.who}, and only money is kept or shared")
    if isinstance(pays, PaysUpline) and pays.unfilled == "company":
        yield Fault(f"{path}.pays.unfilled", "goes to the company, which can only keep money")
    if bonus.eligibility.otherwise in ("company", "held"):
        where = f"{path}.eligibility.otherwise"
        yield Fault(where, f"is {bonus.eligibility.otherwise}, and only money is kept or held")
    if bonus.instalments > 1:
        yield Fault(f"{path}.instalments", "are parts of money, and this gives none")


def check_rest(path: str, bonus: Bonus, plan: Plan, place: int) -> Iterator[Fault]:
    if bonus.exclusion is not None:
        where = f"{path}.exclusion"
        yield from look_back(f"{where}.bonuses", bonus.exclusion.bonuses, plan, place)
        if not has_line(bonus):
            yield Fault(where, "goes by order lines, and this bonus is not paid on any")
    if bonus.orders is not None and not (has_line(bonus) or isinstance(bonus.pays, PaysPairs)):
        yield Fault(f"{path}.orders", "goes by order lines, and this bonus is not paid on any")
    if isinstance(bonus.occurrence, OncePerRank):
        where = f"{path}.occurrence.times"
        if not isinstance(bonus.rates, ByRank):
            yield Fault(where, "once for each rank needs rates by rank: they name the ladder")
        if not isinstance(bonus.pays, PaysSource) or has_line(bonus):
            yield Fault(where, "once for each rank is paid to the member himself, not on orders")

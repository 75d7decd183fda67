"""A plan in words that a distributor understands: every rule of the document, nothing else.

    print(to_markdown(plan.name, explain_plan(plan)))

Sections come in the order in which one asks: what is measured, who is active, which ranks there
are, what each bonus pays (`prose_bonuses`), what it may come to, what a refund does, when money
comes. A plan says the same as its prose: two plans with different rules have different prose.
"""

from __future__ import annotations

from collections.abc import Iterator

from commissions.engine import plan as p
from commissions.engine.prose import words
from commissions.engine.prose.bonuses import explain_bonus
from commissions.engine.prose.sections import Section, Table, to_markdown

__all__ = ["Section", "Table", "explain_plan", "to_markdown"]

GRANULARITY = {
    "line": "Each payment is rounded by itself",
    "member": "The sum of a member's payments of one bonus is rounded",
}
CLIMB = {
    "each_rank": "Who holds a rank meets every rank below it as well.",
    "highest_met": "The highest rank that is met counts, whatever is below it.",
}
SINCE = {
    "seller": "joining",
    "buyer": "the buyer joined",
    "member": "the member joined",
}
LEFT_STEPS = {
    "passed_over": "on the way up such a member is passed over as if not there",
    "as_ineligible": "on the way up the part goes as each bonus says of who is not eligible",
}
LEFT_COUNTS = {
    "nowhere": "reaches no rank and is counted nowhere",
    "as_others": "still has a rank and is counted among members",
}
LEFT_OWED = {
    "lapses": "instalments that fall due lapse",
    "paid": "instalments of what was earned before are still paid",
}
STRATEGIES = {
    "breadth_first": "the first free place, level by level",
    "weaker_leg": "the outside of the weaker leg",
    "least_populated": "the leg with the fewest people",
}


def explain_plan(plan: p.Plan) -> list[Section]:
    """The whole plan as sections."""
    plan = plan.as_written
    return [
        overview(plan),
        measures(plan),
        *(explain_ladder(ladder, plan) for ladder in plan.ladders),
        *(explain_bonus(bonus, plan) for bonus in plan.bonuses),
        *([explain_limits(plan)] if plan.limits else []),
        refunds(plan.reversal),
        payout(plan),
    ]


# The plan at large


def overview(plan: p.Plan) -> Section:
    money = plan.money
    zero = {"omit": "are not listed", "keep": "are listed as well"}[money.zero_amounts]
    active = "Everybody is active"
    if plan.activity is not None:
        active = f"Active is who {words.condition(plan.activity, plan)}"
    paragraphs = [
        f"{plan.name}, in {plan.currency} (version {plan.schema} of the plan language).",
        f"Orders are of the kind {words.kinds(plan.kinds, 'or')}.",
        f"{active}.",
        f"{GRANULARITY[money.granularity]} to {words.counted(money.scale, 'decimal')}, "
        f"{words.ROUNDING[money.rounding]}. Payments of nothing {zero}.",
        *leaving(plan.left),
        *placement(plan.matrix),
    ]
    return Section("In short", tuple(paragraphs), tuple(packages(plan)))


def leaving(left: p.Left | None) -> Iterator[str]:
    if left is not None:
        yield (
            "Who has left the company by the end of a period, or at payment by the day of the "
            f"order, is not active and is paid nothing: {LEFT_STEPS[left.steps]}, "
            f"{LEFT_COUNTS[left.counts]}, and {LEFT_OWED[left.owed]}."
        )


def placement(matrix: p.Matrix | None) -> Iterator[str]:
    if matrix is not None:
        width = "any number of" if matrix.width is None else f"{matrix.width:,}"
        yield (
            f"The placement tree has {width} places under each; who is given no place "
            f"gets {STRATEGIES[matrix.strategy]}."
        )


def packages(plan: p.Plan) -> Iterator[Table]:
    if plan.packages:
        rows = ((package.name, words.money(package.value, plan)) for package in plan.packages)
        yield Table(("Package", "Value"), tuple(rows))


# What is measured


def measures(plan: p.Plan) -> Section:
    rows = ((words.plain(volume.code), derivation(volume, plan)) for volume in plan.volumes)
    figures = Table(("Figure of an order line", "Where it comes from"), tuple(rows))
    metrics = Table(
        ("What is measured", "As"),
        tuple((metric.name, explain_metric(metric, plan)) for metric in plan.metrics),
    )
    return Section("What is measured", (), (figures, *([metrics] if plan.metrics else [])))


def derivation(volume: p.Volume, plan: p.Plan) -> str:
    if volume.amounts is not None:
        amounts = (f"{words.volume(each)} for {words.plain(kind)}"
                   for kind, each in volume.amounts.items())  # fmt: skip
        text = f"fixed: {words.listed(amounts)}"
    elif volume.of is not None:
        text = f"{words.percent(volume.rate)} of {words.plain(volume.of)}"
    else:
        text = "given with the order"
        text += f", {words.percent(volume.rate)} of it" if volume.rate != p.WHOLE else ""
    if volume.less:
        text += f", less {words.kinds(volume.less)}"
    if volume.kinds is not None:
        text += f"; only orders of the kind {words.kinds(volume.kinds, 'or')}"
    return text


def explain_metric(metric: p.Metric, plan: p.Plan) -> str:
    if metric.what == "sum":
        parts = (f"{words.times(each)} {words.metric_name(code, plan)}"
                 for code, each in (metric.parts or {}).items())  # fmt: skip
        return f"Added up: {words.listed(parts)}"
    return " ".join([counted_as(metric), scope(metric.scope, plan), *narrowed(metric, plan)])


def counted_as(metric: p.Metric) -> str:
    if metric.what == "volume":
        return words.plain(metric.volume or "volume")
    if metric.what == "buyers":
        least = f"at least {words.volume(metric.least)}" if metric.least else "any"
        return f"Number of buyers of {least} {words.plain(metric.volume or '')}"
    what = {"members": "Number of members", "orders": "Number of order lines"}[metric.what]
    return what if metric.volume is None else f"{what} ({words.plain(metric.volume)})"


def scope(scope: p.Own | p.Group | p.Levels | p.Legs | p.Company, plan: p.Plan) -> str:
    match scope:
        case p.Own():
            return "of the member himself"
        case p.Group(tree=tree, include_self=include_self, until=until):
            own = "with" if include_self else "without"
            cut = f", down to whoever {words.condition(until, plan)}" if until is not None else ""
            return f"of the member's whole {tree} downline, {own} the member{cut}"
        case p.Levels(tree=tree, first=first, last=last):
            levels = f"level {first}" if first == last else f"levels {first} to {last}"
            return f"on {levels} below the member in the {tree} tree"
        case p.Legs(tree=tree):
            return f"of the member's {which_legs(scope)} in the {tree} tree"
        case p.Company():
            return "of the whole company"


def which_legs(legs: p.Legs) -> str:
    first, last = legs.first, legs.last
    nth = "strongest" if first == 1 else f"{words.ordinal(first)} strongest"
    if first == last:
        return f"{nth} leg"
    if last is not None:
        return f"{nth} to {words.ordinal(last)} strongest leg"
    return "legs" if first == 1 else f"{nth} leg and all weaker ones"


def narrowed(metric: p.Metric, plan: p.Plan) -> Iterator[str]:
    if metric.kinds is not None:
        yield f"in orders of the kind {words.kinds(metric.kinds, 'or')}"
    if metric.orders is not None:
        yield f"in {words.orders(metric.orders)}"
    if metric.where is not None:
        yield f"for those of whom each {words.condition(metric.where, plan)}"
    days = words.counted(metric.length, "day")
    yield {
        "period": "in the period",
        "periods": f"in the last {words.counted(metric.length, 'period')}",
        "lifetime": "of all time",
        "first_days": f"in the first {days} after {SINCE[metric.since]}",
    }[metric.window]


# Ranks


def explain_ladder(ladder: p.Ladder, plan: p.Plan) -> Section:
    paragraphs = [
        {
            "computed": "These ranks follow from the figures of the period.",
            "given": "These ranks are set by the company.",
        }[ladder.source],
        CLIMB[ladder.climb],
        title_policy(ladder.when_not_met),
    ]
    if ladder.lock is not None:
        days = words.counted(ladder.lock.joined_within_days, "day")
        paragraphs.append(
            f"Who reaches a first rank within {days} of joining can't lose it for "
            f"{words.counted(ladder.lock.periods, 'period')}."
        )
    rows = (
        (f"{level}", rank.name, "–" if rank.when is None else words.condition(rank.when, plan))
        for level, rank in enumerate(ladder.ranks, 1)
    )
    named = "Ranks" if len(plan.ladders) == 1 else f"Ranks: {words.plain(ladder.code)}"
    return Section(
        named, tuple(paragraphs), (Table(("Level", "Rank", "A member who"), tuple(rows)),)
    )


def title_policy(policy: p.FallsAtOnce | p.NeverFalls | p.Grace) -> str:
    match policy:
        case p.FallsAtOnce():
            return "A title falls as soon as it is not met any more."
        case p.NeverFalls():
            return "A title once reached never falls."
        case p.Grace(periods=periods):
            return f"A title falls after {words.counted(periods, 'period')} in a row without it."


# Limits, refunds, payout


def explain_limits(plan: p.Plan) -> Section:
    limits = (f"{place}. {explain_limit(each, plan)}" for place, each in enumerate(plan.limits, 1))
    return Section("Limits, one after the other", tuple(limits))


def explain_limit(limit: p.Limit, plan: p.Plan) -> str:
    whom = {
        "member": "For each member",
        "person": "For each person over all positions",
        "company": "For all together",
    }[limit.scope]
    how = {
        "pro_rata": "Beyond it everything is cut in proportion",
        "lower_ranks_first": "Lower ranks are paid in full first, as far as it reaches",
        "refuse": "The period can't be closed while it is exceeded",
    }[limit.enforcement]
    if limit.when is not None:
        whom += f" who {words.condition(limit.when, plan)}"
    rest = {"lost": "not paid later", "held": "paid when there is room"}[limit.overflow]
    cut = "" if limit.enforcement == "refuse" else f"; what is cut is {rest}"
    return (
        f"{limit.name}. {whom}, {words.programmes(limit.bonuses, plan)} may come to at most "
        f"{most(limit, plan)} in a period. {how}{cut}."
    )


def most(limit: p.Limit, plan: p.Plan) -> str:
    found = [] if limit.amount is None else [words.money(limit.amount, plan)]
    if limit.share is not None:
        found.append(words.percent(limit.share))
    if limit.metric is not None:
        return f"{words.listed(found)} of {words.metric_name(limit.metric, plan)}"
    return words.listed(found)


def refunds(reversal: p.Reversal) -> Section:
    how = {
        "proportional": "What was paid on the order goes back by the part that came back.",
        "full": "All that was paid on the order line goes back.",
        "none": "What was paid on the order stays.",
    }[reversal.commissions]
    derived = "go back as well" if reversal.derived else "stay"
    window = "However late it comes, it counts."
    if reversal.window_days is not None:
        window = f"It counts up to {words.counted(reversal.window_days, 'day')} after the sale."
    volume = {"period_of_refund": "The volume is taken off in the period of the refund."}
    rank = {"never": "Ranks of closed periods stand."}
    paragraph = (
        f"{how} Bonuses on those payments {derived}. {window} "
        f"{volume[reversal.volume_counts_in]} {rank[reversal.reevaluate_rank]}"
    )
    return Section("When an order is refunded", (paragraph,))


def payout(plan: p.Plan) -> Section:
    rules = plan.payout
    asked = ""
    if rules.when is not None:
        asked = f" It is open to who {words.condition(rules.when, plan)}."
    paragraph = (
        f"Earnings can be taken out from {words.money(rules.minimum, plan)} on, "
        f"{words.counted(rules.hold_days, 'day')} after the period; until then they are carried."
        f"{asked}"
    )
    return Section("When money is paid out", (paragraph,))

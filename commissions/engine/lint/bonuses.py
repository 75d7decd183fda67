"""Bonuses that look wrong: holes in rate tables, the same thing paid twice, endless walks.

"bronze": ["0.05", "0.04"], "silver": ["0.05", "0.03"]
-> at step 2 Bronze earns 4 %, the higher Silver 3 %
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, zip_longest

from commissions.engine import plan as p
from commissions.engine.lint.findings import Finding
from commissions.engine.prose import words

DEEP = 20
"""Compressed steps beyond which a walk without a distance is worth a second look."""

Row = tuple[str, tuple[int, ...] | None]


def bonus_findings(plan: p.Plan) -> Iterator[Finding]:
    for place, bonus in enumerate(plan.bonuses):
        path = f"$.bonuses[{place}]"
        yield from holes(bonus, f"{path}.rates", plan)
        yield from lower_earns_more(bonus, f"{path}.rates", plan)
        yield from endless(bonus, f"{path}.pays")
    yield from paid_twice(plan)


# Rate tables


def rows_by_place(bonus: p.Bonus, plan: p.Plan) -> list[Row]:
    """The rows of a table from the lowest rank or package up; None where one has no row."""
    match bonus.rates:
        case p.ByRank(ladder=code, table=table):
            ranks = plan.ladder(code).ranks
            none = [("No rank", table[p.NO_RANK])] if p.NO_RANK in table else []
            return [*none, *((rank.name, table.get(rank.code)) for rank in ranks)]
        case p.ByPackage(table=table):
            return [(package.name, table.get(package.code)) for package in plan.packages]
        case p.ByBand(metric=metric, bands=bands):
            figures = (words.figure(metric, band.at, plan) for band in bands)
            return [(f"from {at} on", band.rates)
                    for at, band in zip(figures, bands, strict=True)]  # fmt: skip
        case p.ByFigure(bands=bands):
            return [(f"from {words.volume(band.at)} on", band.rates) for band in bands]
        case p.ByStep(table=row):
            return [("", row)]
        case p.ByKind(table=table):
            return [(words.plain(kind), row) for kind, row in table.items()]


def holes(bonus: p.Bonus, path: str, plan: p.Plan) -> Iterator[Finding]:
    """A step that pays nothing between steps that pay."""
    for name, row in rows_by_place(bonus, plan):
        paid = [step for step, rate in enumerate(row or (), 1) if rate]
        for before, after in pairwise(paid):
            if after > before + 1:
                who = f" {name}" if name else ""
                yield Finding(
                    f"{path}.table"
                    if not isinstance(bonus.rates, p.ByBand | p.ByFigure)
                    else f"{path}.bands",
                    "warning",
                    f"{bonus.name} pays{who} nothing at step {before + 1}, though steps before and "
                    "after it pay.",
                )


def lower_earns_more(bonus: p.Bonus, path: str, plan: p.Plan) -> Iterator[Finding]:
    """A higher rank, package or band that has less than a lower one, or no row at all."""
    if not isinstance(bonus.rates, (p.ByRank, p.ByPackage, p.ByBand, p.ByFigure)):
        return
    path = f"{path}.{'bands' if isinstance(bonus.rates, p.ByBand | p.ByFigure) else 'table'}"
    lower: tuple[str, tuple[int, ...]] | None = None
    for name, row in rows_by_place(bonus, plan):
        if row is None:
            if lower is not None:
                message = f"{bonus.name} has no row for {name}, while the lower {lower[0]} has one."
                yield Finding(path, "warning", message)
            continue
        if lower is not None:
            yield from less_at_steps(bonus, lower, (name, row), path, plan)
        lower = name, row


def less_at_steps(
    bonus: p.Bonus,
    lower: tuple[str, tuple[int, ...]],
    higher: tuple[str, tuple[int, ...]],
    path: str,
    plan: p.Plan,
) -> Iterator[Finding]:
    for step, (low, high) in enumerate(zip_longest(lower[1], higher[1], fillvalue=0), 1):
        if low > high:
            more, less = words.rate(low, bonus, plan), words.rate(high, bonus, plan)
            yield Finding(
                path,
                "warning",
                f"{bonus.name} pays {lower[0]} {more} at step {step}, but {higher[0]} above it "
                f"only {less}.",
            )


# Walks


def endless(bonus: p.Bonus, path: str) -> Iterator[Finding]:
    pays = bonus.pays
    passes_over = isinstance(pays, p.PaysUpline) and not isinstance(pays.steps, p.Physical)
    if (
        isinstance(pays, p.PaysUpline)
        and passes_over
        and pays.max_distance is None
        and pays.max_steps > DEEP
        and pays.stop is None
        and bonus.less is None
    ):
        yield Finding(
            f"{path}.max_distance",
            "warning",
            f"{bonus.name} passes people over and pays up to {pays.max_steps} steps without any "
            "limit to how far up it looks: it may pay everybody up to the top.",
        )


# Between bonuses


def needed(bonus: p.Bonus) -> set[str]:
    """The other bonuses whose payments this one looks at."""
    codes: set[str] = set()
    if isinstance(bonus.base, p.OfCommissions):
        codes |= set(bonus.base.bonuses) - {bonus.code}
    if bonus.exclusion is not None:
        codes |= set(bonus.exclusion.bonuses)
    if isinstance(bonus.pays, p.PaysCompany):
        codes |= set(bonus.pays.less)
    return codes


def paid_twice(plan: p.Plan) -> Iterator[Finding]:
    """The same figure for the same reason at payment and at the close, or twice at either."""
    for (_, one), (place, other) in combinations(enumerate(plan.bonuses), 2):
        apart = other.code in needed(one) or one.code in needed(other)
        apart = apart or (one.reward is None) != (other.reward is None)
        if apart or one.base != other.base or one.ledger_type != other.ledger_type:
            continue
        if one.trigger != other.trigger and isinstance(one.base, (p.OfOrder, p.Flat)):
            how = "one when the order is paid, one when the period is closed"
        elif told_apart(one.rates) == told_apart(other.rates) and is_same_but_rates(one, other):
            how = "to the same people, at the same time"
        else:
            continue
        yield Finding(
            f"$.bonuses[{place}].base",
            "error",
            f"{one.name} and {other.name} pay {words.plain(other.ledger_type)} on the same figure: "
            f"{how}.",
        )


def is_same_but_rates(one: p.Bonus, other: p.Bonus) -> bool:
    return replace(one, code=other.code, name=other.name, rates=other.rates) == other


def told_apart(rates: object) -> tuple[object, ...]:
    """What a table goes by. Milestones of members and of volume are two things, not one twice."""
    return (
        type(rates),
        getattr(rates, "ladder", None),
        getattr(rates, "metric", None),
        getattr(rates, "volume", None),
    )

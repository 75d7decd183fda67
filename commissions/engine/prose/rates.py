"""How much a bonus pays, in words and as a table.

The rates go by the earner's rank, by this period's figures.
| Rank   | Step 1 | Step 2 |
| Bronze | 5 %    | 4 %    |
| Silver | 5 %    | 3 %    |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from commissions.engine import plan as p
from commissions.engine.prose import words
from commissions.engine.prose.sections import Table


def how_much(bonus: p.Bonus, plan: p.Plan) -> str:
    return " ".join([by_what(bonus, plan), *modified(bonus)])


def by_what(bonus: p.Bonus, plan: p.Plan) -> str:
    match bonus.rates:
        case p.ByStep():
            return "The rates are the same for everybody."
        case p.ByRank(ladder=ladder, which=which):
            named = words.ladder_name(ladder, plan)
            return f"The rates go by the earner's rank{named}, {words.WHICH_RANK[which]}."
        case p.ByPackage(whose=whose):
            who = {"earner": "the earner", "smaller": "earner or source, whichever is smaller"}
            return f"The rates go by the package of {who[whose]}."
        case p.ByKind():
            return "The rates go by the kind of order."
        case p.ByBand(metric=metric):
            return f"The rates go by the earner's {words.metric_name(metric, plan)}."
        case p.ByFigure(volume=volume):
            return f"The rates go by the order line's {words.plain(volume)}."


def modified(bonus: p.Bonus) -> Iterator[str]:
    if bonus.factor != p.WHOLE:
        yield f"Before the rate is taken, volume counts as {words.times(bonus.factor)} money."
    if bonus.less is not None:
        below = {
            "paid_below": "the highest rate already paid below on the same way up",
            "source": "the rate the source has by the same table",
        }
        yield f"Paid is only the difference to {below[bonus.less.than]}."
        if bonus.less.minimum:
            yield f"At least {words.percent(bonus.less.minimum)} is paid in any case."
        if bonus.less.source_minimum:
            least = words.percent(bonus.less.source_minimum)
            yield f"The source's rate counts as at least {least}."


def rate_table(bonus: p.Bonus, plan: p.Plan) -> Table:
    rows = [(name, [words.rate(rate, bonus, plan) for rate in rates])
            for name, rates in rate_rows(bonus.rates, plan)]  # fmt: skip
    width = max((len(rates) for _, rates in rows), default=0)
    if isinstance(bonus.pays, p.PaysUpline):
        steps = tuple(f"Step {step}" for step in range(1, width + 1))
    else:
        steps = ("Rate" if bonus.unit == "share" else "Amount", *[""] * (width - 1))
    cells = (
        tuple(cell for cell, _ in zip_longest(rates, steps, fillvalue="–")) for _, rates in rows
    )
    head = {p.ByStep: "", p.ByRank: "Rank", p.ByPackage: "Package", p.ByKind: "Order kind",
            p.ByBand: "From", p.ByFigure: "From"}[type(bonus.rates)]  # fmt: skip
    if isinstance(bonus.rates, p.ByStep):
        return Table(steps, tuple(cells))
    return Table(
        (head, *steps), tuple((name, *row) for (name, _), row in zip(rows, cells, strict=True))
    )


Rows = Sequence[tuple[str, Sequence[int]]]


def rate_rows(rates: p.Rates, plan: p.Plan) -> Rows:
    """The rows of a table with their names, ranks and packages from the lowest up."""
    match rates:
        case p.ByStep(table=table):
            return [("", table)]
        case p.ByRank(ladder=ladder, table=table):
            keys = in_order(table, words.rank_codes(ladder, plan))
            return [(words.rank_name(ladder, key, plan), table[key]) for key in keys]
        case p.ByPackage(table=table):
            keys = in_order(table, [package.code for package in plan.packages])
            return [(words.package_name(key, plan), table[key]) for key in keys]
        case p.ByKind(table=table):
            return [(words.plain(key), table[key]) for key in in_order(table, plan.kinds)]
        case p.ByBand(metric=metric, bands=bands):
            return [(words.figure(metric, band.at, plan), band.rates) for band in bands]
        case p.ByFigure(bands=bands):
            return [(words.volume(band.at), band.rates) for band in bands]


def in_order(table: Mapping[str, Sequence[int]], order: Sequence[str]) -> list[str]:
    """The keys of a table in that order, unknown ones after them."""
    return [key for key in order if key in table] + [key for key in table if key not in order]

"""The largest rates that a bonus can pay on one base, over all its steps: see `worst_case`.

bronze 6 %, 1 %; silver 5 %, 4 %       a walk: 6 % + 4 % = 10 %; differences: 6 %
two generations of 1 %, 2 %, looking up five uplines, everybody paid: 1 % + 4 x 2 % = 9 %
"""

from __future__ import annotations

from fractions import Fraction

from commissions.engine import plan as p

MILLION = 1_000_000
NOTHING = Fraction(0)
Share = Fraction | None
"""Of what is sold; None: no bound."""


def hundredths(row: tuple[int, ...]) -> Fraction:
    return Fraction(row[0], 10_000) if row else NOTHING


def fastest(bonus: p.Bonus) -> Fraction:
    """The largest multiple that speed gives."""
    speed = bonus.occurrence.speed if isinstance(bonus.occurrence, p.OncePerRank) else ()
    return Fraction(max([MILLION, *(each.times for each in speed)]), MILLION)


def in_shares(bonus: p.Bonus) -> bool:
    return bonus.unit == "share"


def rate_rows(bonus: p.Bonus, kind: str | None) -> list[tuple[int, ...]]:
    """The rows of rates that may apply to an order of this kind, with all their steps."""
    return [bonus.whole_row(row) for row in written_rows(bonus, kind)]


def written_rows(bonus: p.Bonus, kind: str | None) -> list[tuple[int, ...]]:
    match bonus.rates:
        case p.ByStep(table=row):
            return [row]
        case p.ByKind(table=table) if kind is not None:
            return [table.get(kind, ())]
        case p.ByBand(bands=bands) | p.ByFigure(bands=bands):
            return [band.rates for band in bands]
        case p.ByKind(table=table) | p.ByRank(table=table) | p.ByPackage(table=table):
            return list(table.values())


def rates_in_all(bonus: p.Bonus, kind: str) -> Share:
    """The largest rates that can be paid on the same base, over all steps, as money."""
    rows = rate_rows(bonus, kind)
    width = max((len(row) for row in rows), default=0)
    best = [max(row[step] if step < len(row) else 0 for row in rows) for step in range(width)]
    if not isinstance(bonus.pays, p.PaysUpline):
        total = best[0] if best else 0
    elif bonus.less is not None:
        total = differences(bonus.less, best)
    elif isinstance(bonus.pays.steps, p.Generations) and bonus.pays.steps.pays == "everyone":
        if bonus.pays.max_distance is None:
            return None
        total = within_generations(best, bonus.pays.max_distance + starts_at_source(bonus.pays))
    else:
        total = sum(best)
    return Fraction(total, MILLION) * Fraction(bonus.factor, MILLION)


def starts_at_source(pays: p.PaysUpline) -> bool:
    """Whether the source himself, who is no upline, may be paid as well."""
    return pays.start == "source" or (
        not isinstance(pays.start, str) and "source" in pays.start.values()
    )


def differences(less: p.Less, best: list[int]) -> int:
    """Differences up a walk add up to the largest rate; minima come on top at the other steps."""
    if not best:
        return 0
    if less.than == "source":
        return sum(max(rate - less.source_minimum, less.minimum) for rate in best)
    return max(*best, less.minimum) + (len(best) - 1) * less.minimum


def within_generations(best: list[int], distance: int) -> int:
    """One upline for each generation passed, all others in the dearest one."""
    ways = (
        sum(best[:place]) + (distance - place) * rate
        for place, rate in enumerate(best)
        if place < distance
    )
    return max(ways, default=0)

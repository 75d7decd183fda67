"""The most that bonuses can pay out of what is sold, as an exact fraction of a company metric.

Demo plan, of 100.00 CV sold: the partner commission takes 2.00; the unilevel takes at each step
what the best paid rank gets there, 5 + 5 + 4 + 4 + 3 + 2 + 2 = 25.00; rank bonuses come to at most
180.00 for a Diamond who rose from nothing and had to sell 1,000.00 himself: 18.00. Together 45 %.

A sale is of one kind, so the worst kind counts. Where one bonus is not paid on lines on which
another was, the dearer of both counts. Matching takes its share of the worst case of what it
matches. Two figures that nothing relates are held to be equal, and `assumed` says so. A share of
None has no bound: an amount for somebody who needs to sell nothing, or legs that pay every upline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, combinations

from commissions.engine import plan as p
from commissions.engine.lint.asked import (
    Ranges,
    asked,
    asked_by_level,
    every,
    is_met_now,
    own_volume,
)
from commissions.engine.lint.largest_rates import (
    MILLION,
    NOTHING,
    Share,
    fastest,
    hundredths,
    in_shares,
    rate_rows,
    rates_in_all,
)  # fmt: skip
from commissions.engine.prose import words

Scope = p.Own | p.Group | p.Levels | p.Legs | p.Company


@dataclass(frozen=True, slots=True)
class Part:
    """A bonus's part in the worst case; None: no bound."""

    code: str
    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class WorstCase:
    """`kind`: the kind of order it happens with; `share`: of the metric; None: no bound."""

    kind: str
    share: Share
    parts: tuple[Part, ...]
    assumed: tuple[str, ...]

    def __str__(self) -> str:
        parts = (f"{part.name} {in_words(part.share)}" for part in self.parts if part.share != 0)
        return f"{in_words(self.share)} ({words.listed(parts)})"

    def exceeds(self, share: int) -> bool:
        return self.share is None or self.share > Fraction(share, MILLION)


def in_words(share: Share) -> str:
    """A share in percent, rounded up to the fourth decimal."""
    return "without bound" if share is None else words.percent(-int(-share * MILLION // 1))


def worst_case(codes: tuple[str, ...], metric: str, plan: p.Plan) -> WorstCase:
    """The worst case of these bonuses together, of a company metric of volume."""
    measure = plan.metric(metric)
    bonuses = [bonus for bonus in plan.bonuses if bonus.code in codes]
    cases = [
        case(kind, silent, bonuses, measure, plan)
        for kind in plan.kinds
        for silent in scenarios(bonuses)
    ]
    return max(cases, key=lambda each: (each.share is None, each.share or NOTHING))


def scenarios(bonuses: list[p.Bonus]) -> Iterator[frozenset[str]]:
    """Which bonuses pay nothing on a line since others excluded by the line do."""
    shy = [bonus for bonus in bonuses if bonus.exclusion and bonus.exclusion.scope == "line"]
    for paying in chain.from_iterable(combinations(shy, size) for size in range(len(shy) + 1)):
        others = (bonus.exclusion.bonuses for bonus in paying if bonus.exclusion)
        silent = {code for codes in others for code in codes}
        yield frozenset(silent | {bonus.code for bonus in shy if bonus not in paying})


def case(
    kind: str, silent: frozenset[str], bonuses: list[p.Bonus], measure: p.Metric, plan: p.Plan
) -> WorstCase:
    sale = Sale(plan, measure, kind, silent)
    parts = tuple(Part(bonus.code, bonus.name, sale.share(bonus)) for bonus in bonuses)
    total = added(part.share for part in parts)
    if total != 0 and measure.kinds is not None and kind not in measure.kinds:
        total = None
        sale.assumed.add(f"{measure.name} does not count {words.plain(kind)}")
    return WorstCase(kind, total, parts, tuple(sorted(sale.assumed)))


def added(shares: Iterator[Share]) -> Share:
    total = NOTHING
    for share in shares:
        if share is None:
            return None
        total += share
    return total


def multiplied(share: Share, by: Share) -> Share:
    """Nothing of something without bound is nothing."""
    if share == 0 or by == 0:
        return NOTHING
    return None if share is None or by is None else share * by


@dataclass(slots=True)
class Sale:
    """One unit of the measure's volume, sold in an order of one kind."""

    plan: p.Plan
    measure: p.Metric
    kind: str
    silent: frozenset[str]
    assumed: set[str] = field(default_factory=set)

    def share(self, bonus: p.Bonus) -> Share:
        """What the bonus can take of it."""
        if bonus.code in self.silent or isinstance(bonus.pays, p.PaysCompany):
            return NOTHING
        if isinstance(bonus.pays, p.PaysPairs):
            return self.of_pairs(bonus, bonus.pays)
        match bonus.base:
            case p.OfOrder(volume=volume):
                on = self.of_volume(volume) if self.starts(bonus) else NOTHING
                return multiplied(on, rates_in_all(bonus, self.kind)) if in_shares(bonus) else None
            case p.Flat(per="order"):
                return None if self.starts(bonus) else NOTHING
            case p.Flat():
                return self.of_amounts(bonus)
            case p.OfMetric(metric=metric, each=each):
                times = Fraction(100, each) if each else Fraction(1)
                on = multiplied(self.of_metric(metric, bonus), times)
                return multiplied(on, rates_in_all(bonus, self.kind))
            case p.OfCommissions():
                return self.of_commissions(bonus, bonus.base)

    def of_pairs(self, bonus: p.Bonus, pays: p.PaysPairs) -> Share:
        """Half the rate for each upline who has as much on the other side: no bound with depth."""
        rate = rates_in_all(bonus, self.kind)
        of_both = Fraction(1, 2)
        if pays.cycle:
            of_both = Fraction(100, pays.cycle + (pays.stronger or pays.cycle))
        each = multiplied(multiplied(self.of_volume(pays.volume), rate), of_both)
        if each == 0:
            return NOTHING
        self.assumed.add(f"{bonus.name} takes {in_words(each)} for every upline with two even legs")
        return None

    def starts(self, bonus: p.Bonus) -> bool:
        start = bonus.pays.start if isinstance(bonus.pays, p.PaysUpline) else "source"
        return isinstance(start, str) or self.kind in start

    def of_commissions(self, bonus: p.Bonus, base: p.OfCommissions) -> Share:
        """A match of itself goes on and on: r of (what is matched + r of it + ...)."""
        others = (self.plan.bonus(code) for code in base.bonuses if code != bonus.code)
        matched = added(self.share(other) for other in others)
        rate = rates_in_all(bonus, self.kind)
        if bonus.code not in base.bonuses or not rate:
            return multiplied(matched, rate)
        return multiplied(matched, rate / (1 - rate)) if rate < 1 else None

    # Volumes and metrics

    def of_volume(self, code: str) -> Share:
        """A figure of the line, of one unit of the measure."""
        volume = next((each for each in self.plan.volumes if each.code == code), None)
        if volume is None or (volume.kinds is not None and self.kind not in volume.kinds):
            return NOTHING
        if volume.amounts is not None:
            return None if volume.amounts.get(self.kind) else NOTHING
        if code == self.measure.volume:
            return Fraction(1)
        if volume.of is not None:
            return multiplied(self.of_volume(volume.of), Fraction(volume.rate, MILLION))
        measured = words.plain(self.measure.volume or "")
        self.assumed.add(f"1.00 {words.plain(code)} is held to be 1.00 {measured}")
        return Fraction(1)

    def of_metric(self, code: str, bonus: p.Bonus) -> Share:
        """What a member's metrics add up to over all members."""
        metric = self.plan.metric(code)
        if metric.what == "sum":
            parts = (metric.parts or {}).items()
            return added(
                multiplied(self.of_metric(part, bonus), Fraction(times, MILLION))
                for part, times in parts
            )
        if metric.kinds is not None and self.kind not in metric.kinds:
            return NOTHING
        if metric.window != "period":
            return None
        if metric.what == "buyers":
            most = Fraction(100, metric.least) if metric.least else None
            each = multiplied(self.of_volume(metric.volume or ""), most)
        elif metric.what == "volume":
            each = self.of_volume(metric.volume or "")
        else:
            each = self.per_volume(Fraction(100), asked(metric.where, self.plan))
        return multiplied(each, self.times_counted(metric.scope, bonus))

    def times_counted(self, scope: Scope, bonus: p.Bonus) -> Share:
        match scope:
            case p.Own():
                return Fraction(1)
            case p.Levels(first=first, last=last):
                return Fraction(last - first + 1)
            case p.Legs():
                return None
            case p.Company():
                return Fraction(1) if isinstance(bonus.pays, p.PaysPool) else None
            case p.Group(until=until):
                apart = until is not None and until in (bonus.sources, bonus.eligibility.when)
                return Fraction(1) if apart else None

    # Amounts

    def of_amounts(self, bonus: p.Bonus) -> Share:
        """Amounts for members, against the least each of them has to sell himself."""
        if isinstance(bonus.pays, p.PaysUpline):
            per_member = rates_in_all(bonus, self.kind)
            per_amount = self.per_volume(Fraction(100), asked(bonus.sources, self.plan))
            return multiplied(per_amount, per_member)
        shares = [self.per_volume(amount, least) for amount, least in amounts(bonus, self.plan)]
        known = [share for share in shares if share is not None]
        return None if len(known) < len(shares) else max(known, default=NOTHING)

    def per_volume(self, hundredths: Fraction, least: Ranges) -> Share:
        if not hundredths:
            return NOTHING
        found = own_volume(least, self.plan)
        if found is None:
            return None
        volume, metric = found
        if metric.kinds is not None and self.kind not in metric.kinds:
            return NOTHING
        return multiplied(self.of_volume(metric.volume or ""), hundredths / volume)


def amounts(bonus: p.Bonus, plan: p.Plan) -> Iterator[tuple[Fraction, Ranges]]:
    """Each amount somebody may get in a period in hundredths, with what is asked of him for it."""
    asked_anyway = every(
        asked(each, plan) for each in (bonus.eligibility.when, bonus.sources) if each is not None
    )
    if not isinstance(bonus.rates, p.ByRank):
        for row in rate_rows(bonus, None):
            yield hundredths(row), asked_anyway
        return
    ladder = plan.ladder(bonus.rates.ladder)
    rising = isinstance(bonus.occurrence, p.OncePerRank)
    so_far = NOTHING
    for level, rank in enumerate([p.NO_RANK, *(rank.code for rank in ladder.ranks)]):
        amount = hundredths(bonus.rates.table.get(rank, ())) * fastest(bonus)
        so_far += amount
        met = level and is_met_now(ladder, bonus.rates.which)
        least = asked_by_level(ladder, level, plan) if met else {}
        adds_up = rising and getattr(bonus.occurrence, "skipped_ranks", "") == "pay_all"
        if amount:
            yield (so_far if adds_up else amount), every([asked_anyway, least])

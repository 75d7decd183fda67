"""What a bonus is paid on, at which rate, and to whom: one item and one person at a time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from commissions.engine.plan import (
    Bonus,
    ByBand,
    ByFigure,
    ByKind,
    ByPackage,
    ByRank,
    ByStep,
    Compressed,
    Flat,
    Generations,
    OfCommissions,
    OfMetric,
    OfOrder,
    OncePerRank,
    PaysPairs,
    PaysUpline,
)  # fmt: skip
from tests.engine.oracle.company import ZERO, Company, Line, Person, hundredths, rate, rounded
from tests.engine.oracle.ladders import level, shown_rank
from tests.engine.oracle.measures import is_of, meets, metric, package_code, paid_on


@dataclass(frozen=True)
class Item:
    source: Person
    line: Line | None
    base: Fraction

    @property
    def day(self) -> int | None:
        return None if self.line is None else self.line.day


@dataclass
class Award:
    """A line of the ledger (or retained, or held) before and after it has become money."""

    bonus: str
    level: int
    earner: Person | None
    source: Person | None
    line: Line | None
    base: Fraction
    rate: Fraction
    to: str = "ledger"
    rank: int = 0
    amount: Fraction = ZERO


def items(company: Company, bonus: Bonus, before: list[Award]) -> list[Item]:
    found = [
        item
        for item in all_items(company, bonus, before)
        if item.base > 0 and meets(company, bonus.sources, item.source, item.day)
    ]
    if bonus.orders is not None:
        found = [item for item in found if item.line and is_of(bonus.orders, item.line)]
    if bonus.exclusion is None or bonus.exclusion.scope != "line":
        return found
    taken = {award.line for award in before if award.bonus in bonus.exclusion.bonuses}
    return [item for item in found if item.line is None or item.line not in taken]


def all_items(company: Company, bonus: Bonus, before: list[Award]) -> list[Item]:
    base = bonus.base
    if isinstance(base, OfOrder):
        return [
            Item(line.seller, line, counted(base, company.volume(line, base.volume)))
            for line in company.lines
        ]
    if isinstance(base, OfMetric):
        return [
            Item(person, None, counted(base, paid_on(company, base.metric, person)))
            for person in company.people
        ]
    if isinstance(base, Flat) and base.per == "order":
        return [Item(line.seller, line, Fraction(1)) for line in company.lines]
    if isinstance(base, Flat):
        return [Item(person, None, Fraction(1)) for person in company.people]
    return of_commissions(company, base, before)


def counted(base: OfOrder | OfMetric, figure: Fraction) -> Fraction:
    """What of a figure is paid on, or how many whole parts there are of that."""
    most = figure if base.at_most is None else min(figure, hundredths(base.at_most))
    part = max(most - hundredths(base.above), ZERO)
    if isinstance(base, OfMetric) and base.each is not None:
        return Fraction(part // hundredths(base.each))
    return part


def of_commissions(company: Company, base: OfCommissions, before: list[Award]) -> list[Item]:
    """Each line, or each member's sum; a member's lines bear in proportion what limits took."""
    plan = company.plan
    limits = [limit.code for limit in plan.limits if set(limit.bonuses) <= set(base.bonuses)]
    paid = [award for award in before if award.bonus in base.bonuses and award.earner]
    cuts = [award for award in before if award.bonus in limits] if base.after_limits else []
    total = {
        person: sum((award.amount for award in paid if award.earner is person), ZERO)
        for person in company.people
    }
    left = {
        person: total[person]
        + sum((award.amount for award in cuts if award.earner is person), ZERO)
        for person in company.people
    }
    if base.per == "member":
        return [Item(person, None, left[person]) for person in company.people]
    found = []
    for award in paid:
        assert award.earner is not None
        amount, whole = award.amount, total[award.earner]
        if base.after_limits:
            part = max(left[award.earner], ZERO) / whole if whole > 0 else ZERO
            amount = rounded(amount * part, 2, plan.money.rounding)
        found.append(Item(award.earner, award.line, amount))
    return found


def table_rate(
    company: Company, bonus: Bonus, person: Person | None, item: Item, step: int
) -> Fraction | None:
    """What the table says for this person at this step; None where it says nothing."""
    rates = bonus.rates
    row: tuple[int, ...] = ()
    if isinstance(rates, ByStep):
        row = rates.table
    elif isinstance(rates, ByFigure):
        figure = company.volume(item.line, rates.volume) if item.line else ZERO
        rows = [band.rates for band in rates.bands if figure >= hundredths(band.at)]
        row = rows[-1] if rows and item.line else ()
    elif isinstance(rates, ByKind):
        row = rates.table.get(item.line.kind, ()) if item.line else ()
    elif person is None:
        return None
    elif isinstance(rates, ByRank):
        rank = company.plan.ladder(rates.ladder).rank(
            level(company, person, rates.ladder, rates.which)
        )
        row = rates.table.get(rank.code if rank else "none", ())
    elif isinstance(rates, ByPackage):
        held = smaller(person, item.source) if rates.whose == "smaller" else person
        row = rates.table.get(package_code(company, held), ()) if held.package >= 0 else ()
    elif isinstance(rates, ByBand):
        figure = metric(company, rates.metric, person)
        for band in rates.bands:
            row = band.rates if figure >= hundredths(band.at) else row
    if row and step > len(row) and getattr(bonus.pays, "further_steps", "") == "as_last":
        step = len(row)
    return rate(row[step - 1]) if step <= len(row) and row[step - 1] else None


def smaller(one: Person, other: Person) -> Person:
    return one if one.package <= other.package else other


def base_for(company: Company, bonus: Bonus, person: Person | None, item: Item) -> Fraction:
    """The item's base, held to the smaller package where the plan says so."""
    if not (isinstance(bonus.base, OfOrder) and bonus.base.smaller_package) or person is None:
        return item.base
    held = smaller(person, item.source)
    if held.package < 0:
        return ZERO
    return min(item.base, hundredths(company.plan.packages[held.package].value))


def priced(
    company: Company, bonus: Bonus, person: Person | None, item: Item, step: int,
    applied: Fraction, to: str,
) -> Award | None:  # fmt: skip
    """The award for this person at this step, with what `less` takes off; None for nothing."""
    figure = table_rate(company, bonus, person, item, step)
    base = base_for(company, bonus, person, item)
    if figure is None or base <= 0:
        return None
    if bonus.less is not None:
        below = applied
        if bonus.less.than == "source":
            below = table_rate(company, bonus, item.source, item, 1) or ZERO
            below = max(below, rate(bonus.less.source_minimum))
        figure = max(figure - below, rate(bonus.less.minimum))
    if figure <= 0:
        return None
    if bonus.unit == "amount":
        counted = isinstance(bonus.base, OfMetric) or isinstance(bonus.pays, PaysPairs)
        base, figure = (base if counted else 1) * figure, Fraction(1)
    earner = None if to == "retained" else person
    rank = shown_rank(company, earner)
    return Award(
        bonus.code, step, earner, item.source, item.line, base, figure, to, rank
    )  # fmt: skip


def pay_source(company: Company, bonus: Bonus, item: Item) -> list[Award]:
    to = destination(company, bonus, item.source, item)
    if to in PAID and isinstance(bonus.occurrence, OncePerRank):
        person = None if to == "retained" else item.source
        return [Award(bonus.code, 0, person, item.source, None, item.base, Fraction(1), to)]
    award = priced(company, bonus, item.source, item, 1, ZERO, to) if to in PAID else None
    if award is None:
        return []
    award.level = 0
    return [award]


PAID = ("ledger", "retained", "held")


def destination(company: Company, bonus: Bonus, person: Person, item: Item) -> str:
    """Where this person's part goes: the ledger, or what the plan does without eligibility."""
    if meets(company, bonus.eligibility.when, person, item.day):
        return "ledger"
    otherwise = bonus.eligibility.otherwise
    return {"company": "retained"}.get(otherwise, otherwise)


def walk(company: Company, bonus: Bonus, item: Item) -> list[Award]:
    """Up the tree, person by person, until the steps, the window or the uplines are used up."""
    pays = bonus.pays
    assert isinstance(pays, PaysUpline)
    start = pays.start
    if not isinstance(start, str):
        start = start.get(item.line.kind, "nobody") if item.line else "nobody"
    if start == "nobody":
        return []
    person = item.source if start == "source" else item.source.parents[pays.tree]
    distance = 0 if start == "source" else 1
    step, open_step, applied, found = 1, first_open(pays), ZERO, []
    while person is not None and (pays.max_distance is None or distance <= pays.max_distance):
        stops = pays.stop is not None and meets(company, pays.stop.at, person, item.day)
        if stops and pays.stop and not pays.stop.pays_him:
            return found
        to = destination(company, bonus, person, item)
        paid_at, next_step = steps_of(company, pays, person, item, step)
        if to == "compress":
            paid_at, next_step = None, step
        if to == "block" and paid_at is not None:
            return found
        if paid_at is not None and paid_at <= pays.max_steps:
            if to in PAID:
                award = priced(company, bonus, person, item, paid_at, applied, to)
                found += [award] if award else []
            whole = table_rate(company, bonus, person, item, paid_at)
            applied = max(applied, whole or ZERO)
            open_step = paid_at + 1
        step = next_step
        if stops or step > pays.max_steps:
            return found
        person, distance = person.parents[pays.tree], distance + 1
    return found + unfilled(company, bonus, item, max(step, open_step), applied)


def first_open(pays: PaysUpline) -> int:
    """The first step that somebody may be paid at: no boundary can stand in front of the first."""
    steps = pays.steps
    if not isinstance(steps, Generations) or steps.pays == "everyone":
        return 1
    return 1 if steps.boundary_belongs_to == "generation_he_closes" else 2


def steps_of(
    company: Company, pays: PaysUpline, person: Person, item: Item, step: int
) -> tuple[int | None, int]:
    """At which step this upline is paid (None: passed over), and the step of the next one."""
    steps = pays.steps
    if isinstance(steps, Compressed):
        if not meets(company, steps.counts, person, item.day):
            return None, step
        return step, step + 1
    if not isinstance(steps, Generations):
        return step, step + 1
    if not meets(company, steps.boundary, person, item.day):
        return (step if steps.pays == "everyone" else None), step
    closes = steps.boundary_belongs_to == "generation_he_closes"
    return (step if closes else step + 1), step + 1


def unfilled(
    company: Company, bonus: Bonus, item: Item, step: int, applied: Fraction
) -> list[Award]:
    """The steps that no upline was left for, where the company gets them."""
    pays = bonus.pays
    assert isinstance(pays, PaysUpline)
    if pays.unfilled == "nobody":
        return []
    awards = [
        priced(company, bonus, None, item, left, applied, "retained")
        for left in range(step, pays.max_steps + 1)
    ]
    return [award for award in awards if award]

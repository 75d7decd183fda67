"""A sum shared by those who take part; what the company keeps of a line."""

from __future__ import annotations

from fractions import Fraction

from commissions.engine.plan import (
    Bonus,
    ByStep,
    EqualShares,
    MetricShares,
    OfMetric,
    PaysCompany,
    PaysPool,
)
from tests.engine.oracle.awards import Award, Item, counted, priced
from tests.engine.oracle.company import ZERO, Company, Person, hundredths, rate, rounded
from tests.engine.oracle.ladders import level, shown_rank
from tests.engine.oracle.measures import meets, metric, paid_on


def pay_pool(
    company: Company, bonus: Bonus, state: dict[str, dict[Person, Fraction]]
) -> list[Award]:
    """Everybody's share as money; the base of a line is the share itself."""
    pays, plan = bonus.pays, company.plan
    assert isinstance(pays, PaysPool)
    assert isinstance(bonus.base, OfMetric)
    assert isinstance(bonus.rates, ByStep)
    if not company.people:
        return []
    figure = counted(bonus.base, paid_on(company, bonus.base.metric, company.people[0]))
    whole = figure * rate(bonus.factor) * rate(bonus.rates.table[0])
    places = min(plan.money.scale, 2)
    pool = rounded(max(whole, ZERO), places, plan.money.rounding)
    name = f"pool.{bonus.code}"
    pool += sum((hundredths(company.carried(name, person)) for person in company.people), ZERO)
    shares = {
        person: share_of(company, pays, person)
        for person in company.people
        if meets(company, bonus.eligibility.when, person)
    }
    shares = {person: share for person, share in shares.items() if share > 0}
    if pays.if_nobody == "carry":
        state[name] = {company.people[0]: ZERO if shares else pool}
        if not shares:
            return []
    unit = Fraction(1, 10**places)
    exact = {p: pool * share / sum(shares.values()) for p, share in shares.items()}
    amounts = {p: amount // unit * unit for p, amount in exact.items()}
    left = pool - sum(amounts.values(), ZERO)
    if pays.remainder == "largest_remainder" and shares:
        most_lost = sorted(shares, key=lambda p: (amounts[p] - exact[p], p.place))
        for person in most_lost[: int(left / unit)]:
            amounts[person] += unit
        left = ZERO
    awards = [line(company, bonus, person, amount) for person, amount in amounts.items() if amount]
    return awards + ([line(company, bonus, None, left)] if left else [])


def share_of(company: Company, pays: PaysPool, person: Person) -> Fraction:
    if isinstance(pays.shares, EqualShares):
        return Fraction(1)
    if isinstance(pays.shares, MetricShares):
        return max(metric(company, pays.shares.metric, person), ZERO)
    ladder = company.plan.ladder(pays.shares.ladder)
    rank = ladder.rank(level(company, person, ladder.code, "paid_as"))
    return Fraction(pays.shares.shares.get(rank.code if rank else "none", 0))


def line(company: Company, bonus: Bonus, person: Person | None, amount: Fraction) -> Award:
    to = "ledger" if person else "retained"
    rank = shown_rank(company, person)
    return Award(
        bonus.code, 0, person, None, None, amount, Fraction(1), to, rank, amount
    )  # fmt: skip


def pay_company(company: Company, bonus: Bonus, item: Item, before: list[Award]) -> list[Award]:
    """The company's share of a line, less what the named bonuses paid on it."""
    assert isinstance(bonus.pays, PaysCompany)
    award = priced(company, bonus, None, item, 1, ZERO, "retained")
    if award is None:
        return []
    award.level = 0
    if not bonus.pays.less:
        return [award]
    exact = award.base * rate(bonus.factor) * award.rate
    money = company.plan.money
    award.amount = rounded(exact, min(money.scale, 2), money.rounding)
    on_line = [p for p in before if p.bonus in bonus.pays.less and p.line is item.line]
    award.amount -= sum((paid.amount for paid in on_line), ZERO)
    award.base, award.rate = award.amount, Fraction(1)
    return [award] if award.amount else []

"""The plan language once more: plain Python, fractions, one person and one order at a time.

Written from the texts of `plan.py`, not from the engine's mechanisms, and with nothing of them: no
arrays, no integers of hundredths, no pointers. Slow and obvious on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from commissions.engine.plan import (
    PERIOD_CLOSE,
    Bonus,
    OfCommissions,
    PaysCompany,
    PaysPairs,
    PaysPool,
    PaysSource,
    Plan,
)
from commissions.engine.snapshot import Snapshot
from tests.engine.oracle.awards import Award, Item, items, pay_source, walk
from tests.engine.oracle.company import Company, Person, unpack
from tests.engine.oracle.ladders import carry_ladder, level
from tests.engine.oracle.limits import cut, pay_out, refusal
from tests.engine.oracle.measures import carry_metric, meets, metric
from tests.engine.oracle.pairs import pay_pairs
from tests.engine.oracle.pools import pay_company, pay_pool
from tests.engine.oracle.settling import State, money_of, occur, release, split, to_money

__all__ = ["Award", "Expected", "expected"]


@dataclass
class Expected:
    """Figures by member in the snapshot's order; lines with people and order lines as records."""

    metrics: dict[str, list[Fraction]]
    active: list[bool]
    ranks: dict[str, dict[str, list[int]]]
    ledger: list[Award]
    retained: list[Award]
    held: list[Award]
    state: dict[str, list[Fraction]]
    checks: dict[str, tuple[Fraction, Fraction]]
    payable: list[Fraction]
    rewards: list[Award]


def expected(snapshot: Snapshot, plan: Plan, trigger: str = PERIOD_CLOSE) -> Expected:
    """Everything the plan says of this company."""
    company = unpack(snapshot, plan, trigger)
    state: State = {}
    if trigger == PERIOD_CLOSE:
        for person in company.people:
            carry(company, person, state)
    awards: list[Award] = []
    checks: dict[str, tuple[Fraction, Fraction]] = {}
    limits = list(plan.limits)
    for place, bonus in enumerate(plan.bonuses):
        if bonus.trigger == trigger and bonus.reward is None:
            awards += paid(company, bonus, awards, state)
        done = {other.code for other in plan.bonuses[: place + 1]}
        while limits and set(limits[0].bonuses) <= done:
            if trigger == PERIOD_CLOSE and limits[0].enforcement == "refuse":
                checks[limits[0].code] = refusal(company, limits[0], awards)
            elif trigger == PERIOD_CLOSE:
                awards += cut(company, limits[0], awards, state)
            limits.pop(0)
    given = rewards(company, awards, state) if trigger == PERIOD_CLOSE else []
    if plan.money.zero_amounts == "omit":
        awards = [award for award in awards if award.amount]
        given = [award for award in given if award.amount]
    people, closing = company.people, trigger == PERIOD_CLOSE
    payable = pay_out(company, awards, state) if closing else []
    return Expected(
        {m.code: [metric(company, m.code, p) for p in people] for m in plan.metrics if closing},
        [meets(company, plan.activity, person) for person in people] if closing else [],
        {
            ladder.code: {
                which: [level(company, person, ladder.code, which) for person in people]
                for which in ("paid_as", "title", "highest")
            }
            for ladder in plan.ladders
            if closing
        },
        [award for award in awards if award.to == "ledger"],
        [award for award in awards if award.to == "retained"],
        [award for award in awards if award.to == "held"],
        {name: [figures.get(p, Fraction(0)) for p in people] for name, figures in state.items()},
        checks,
        payable,
        given,
    )


def rewards(company: Company, awards: list[Award], state: State) -> list[Award]:
    """What is given besides money, and how much of it everybody was given so far."""
    found: list[Award] = []
    for bonus in company.plan.bonuses:
        if bonus.reward is not None:
            lines = paid(company, bonus, awards, state)
            found += lines
            name = f"reward.{bonus.code}"
            state[name] = {
                person: money_of(company, company.carried(name, person))
                + sum((line.amount for line in lines if line.earner is person), Fraction(0))
                for person in company.people
            }
    return found


def carry(company: Company, person: Person, state: State) -> None:
    for definition in company.plan.metrics:
        for name, figure in carry_metric(company, definition, person).items():
            state.setdefault(name, {})[person] = figure
    for ladder in company.plan.ladders:
        for name, figure in carry_ladder(company, ladder, person).items():
            state.setdefault(name, {})[person] = figure


def paid(company: Company, bonus: Bonus, before: list[Award], state: State) -> list[Award]:
    """The lines of one bonus, whatever becomes of them."""
    found = earned(company, bonus, before, state)
    if isinstance(bonus.pays, PaysPool | PaysCompany):
        return found
    return release(company, bonus, split(company, bonus, found, state), state)


def earned(company: Company, bonus: Bonus, before: list[Award], state: State) -> list[Award]:
    """What the period itself brings of one bonus, in whole amounts."""
    before = [award for award in before if award.to == "ledger" and award.amount]
    if isinstance(bonus.pays, PaysPool):
        return pay_pool(company, bonus, state)
    found: list[Award] = []
    if isinstance(bonus.pays, PaysPairs):
        for person in company.people:
            awards, legs = pay_pairs(company, bonus, person)
            found += awards
            for name, figure in legs.items():
                state.setdefault(name, {})[person] = figure
    else:
        for item in items(company, bonus, before):
            found += pay_item(company, bonus, item, before)
    if isinstance(bonus.pays, PaysCompany):
        if not bonus.pays.less:
            to_money(company, bonus, found)
        return found
    found = not_excluded(bonus, found, before)
    if isinstance(bonus.base, OfCommissions) and bonus.code in bonus.base.bonuses:
        found += matched_again(company, bonus, found, before)
    found = occur(company, bonus, found, state)
    to_money(company, bonus, found)
    return found


def matched_again(
    company: Company, bonus: Bonus, first_round: list[Award], before: list[Award]
) -> list[Award]:
    """A match on the matches of the round before, until nobody is left to match them. A match that
    is excluded is not paid, and so not matched."""
    found: list[Award] = []
    to_money(company, bonus, first_round)
    round_before = [a for a in first_round if a.amount and a.to == "ledger"]
    while round_before:
        awards = [
            a for item in items(company, bonus, round_before) for a in walk(company, bonus, item)
        ]
        awards = not_excluded(bonus, awards, before)
        to_money(company, bonus, awards)
        round_before = [a for a in awards if a.amount and a.to == "ledger"]
        found += awards
    return found


def pay_item(company: Company, bonus: Bonus, item: Item, before: list[Award]) -> list[Award]:
    if isinstance(bonus.pays, PaysSource):
        return pay_source(company, bonus, item)
    if isinstance(bonus.pays, PaysCompany):
        return pay_company(company, bonus, item, before)
    return walk(company, bonus, item)


def not_excluded(bonus: Bonus, awards: list[Award], before: list[Award]) -> list[Award]:
    if bonus.exclusion is None or bonus.exclusion.scope != "line_and_earner":
        return awards
    taken = {(a.line, a.earner) for a in before if a.bonus in bonus.exclusion.bonuses}
    return [a for a in awards if a.line is None or (a.line, a.earner) not in taken]

"""From awards to money: how often, in which parts, held or not, and within which limits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from commissions.engine.plan import Always, Bonus, ByRank, OncePerRank
from tests.engine.oracle.awards import Award
from tests.engine.oracle.company import ZERO, Company, Person, rate, rounded
from tests.engine.oracle.ladders import level, shown_rank
from tests.engine.oracle.measures import meets

State = dict[str, dict[Person, Fraction]]


def occur(company: Company, bonus: Bonus, awards: list[Award], state: State) -> list[Award]:
    """Those of the awards that are due now, by how often the bonus is paid."""
    often = bonus.occurrence
    if isinstance(often, Always):
        return in_a_row(company, bonus, often, awards, state)
    if isinstance(often, OncePerRank):
        return [part for award in awards for part in once_per_rank(company, bonus, award)]
    name = f"once.{bonus.code}"
    due = [a for a in awards if a.earner is None or not company.carried(name, a.earner)]
    earners = {award.earner for award in due}
    state[name] = {
        person: Fraction(1 if person in earners else company.carried(name, person))
        for person in company.people
    }
    return due


def in_a_row(
    company: Company, bonus: Bonus, often: Always, awards: list[Award], state: State
) -> list[Award]:
    """Those who have been eligible long enough, and were not paid only just."""
    names = [f"{what}.{bonus.code}" for what in ("run", "missed", "rest", "times")]
    due = []
    for person in company.people:
        run, missed, rest, times = (company.carried(name, person) for name in names)
        if meets(company, bonus.eligibility.when, person):
            run, missed = run + 1, 0
            long_enough = run >= often.after_periods
        else:
            missed += 1
            run = run if missed <= often.may_miss else 0
            long_enough = often.after_periods == 1
        mine = [award for award in awards if award.earner is person]
        is_over = often.most_times is not None and times >= often.most_times
        free = mine if long_enough and not rest and not is_over else []
        due += free
        is_paid = any(award.base and award.rate for award in free)
        rest = often.rest_periods if is_paid else max(rest - 1, 0)
        if often.most_times is not None:
            state.setdefault(names[3], {})[person] = Fraction(times + is_paid)
        if often.after_periods > 1:
            state.setdefault(names[0], {})[person] = Fraction(run)
        if often.after_periods > 1 and often.may_miss:
            state.setdefault(names[1], {})[person] = Fraction(missed if run else 0)
        if often.rest_periods:
            state.setdefault(names[2], {})[person] = Fraction(rest)
    return [award for award in awards if award.earner is None or award in due]


def once_per_rank(company: Company, bonus: Bonus, award: Award) -> list[Award]:
    """A line for each rank that the earner reached for the first time."""
    often, rates, person = bonus.occurrence, bonus.rates, award.source
    assert isinstance(often, OncePerRank)
    assert isinstance(rates, ByRank)
    assert person is not None
    ladder = company.plan.ladder(rates.ladder)
    before = person.highest.get(ladder.code, 0)
    now = level(company, person, ladder.code, rates.which)
    reached = list(range(before + 1, now + 1))
    if often.skipped_ranks == "reached_only":
        reached = reached[-1:]
    since = company.carried(f"rank.{ladder.code}.since", person) if before else person.joined
    speeds = sorted((s for s in often.speed), key=lambda s: s.within_days)
    times = next((s.times for s in speeds if company.ends_on - since <= s.within_days), 1_000_000)
    lines = []
    for place in reached:
        row = rates.table.get(ladder.ranks[place - 1].code, (0,))
        amount = rate(row[0])
        if amount:
            line = (bonus.code, 0, award.earner, person, None, amount, rate(times), award.to, place)
            lines.append(Award(*line))
    return lines


def to_money(company: Company, bonus: Bonus, awards: list[Award]) -> None:
    """Each line's amount; by member, each line gets what the rounded running sum grows by."""
    money = company.plan.money
    for award in awards:
        award.amount = rounded(exact(bonus, award), money.scale, money.rounding)
    if money.granularity == "line":
        return
    for earner in {award.earner for award in awards}:
        for to in ("ledger", "retained", "held"):
            lines = [award for award in awards if award.earner is earner and award.to == to]
            running, given = ZERO, ZERO
            for award in sorted(lines, key=lambda award: award.level):
                running += exact(bonus, award)
                award.amount = rounded(running, money.scale, money.rounding) - given
                given += award.amount


def exact(bonus: Bonus, award: Award) -> Fraction:
    factor = rate(bonus.factor) if bonus.unit == "share" else Fraction(1)
    return award.base * factor * award.rate


def split(
    company: Company,
    bonus: Bonus,
    awards: list[Award],
    state: State,
    left: Callable[[Award, Fraction], Fraction] = lambda award, part: part,
) -> list[Award]:
    """The first instalment of each line now; what was due before falls due now as well. `left`:
    of each part what there still is of it."""
    if bonus.instalments == 1:
        return awards
    parts = bonus.instalments
    name = f"due.{bonus.code}"
    due = {
        k: {p: money_of(company, company.carried(f"{name}.{k}", p)) for p in company.people}
        for k in range(1, parts + 1)
    }
    fallen = due[1]
    waiting = {k: due[k + 1] for k in range(1, parts)}
    for award in awards:
        if award.to != "ledger" or award.earner is None:
            continue
        part = instalment(company, award.amount, parts)
        last = award.amount - part * (parts - 1)
        for k in range(1, parts):
            waiting[k][award.earner] += left(award, last if k == parts - 1 else part)
        award.amount = left(award, part)
    for k in range(1, parts):
        state[f"{name}.{k}"] = waiting[k]
    lapses = company.plan.left is not None and company.plan.left.owed == "lapses"
    return awards + [
        plain(company, bonus, person, amount)
        for person, amount in fallen.items()
        if amount and not (lapses and "status.left" in person.flags)
    ]


def instalment(company: Company, whole: Fraction, parts: int) -> Fraction:
    """Each part but the last, which must not fall below nothing by the rounding of the others."""
    money = company.plan.money
    part = rounded(whole / parts, money.scale, money.rounding)
    if part * (parts - 1) > whole:
        return rounded(whole / parts, money.scale, "toward_zero")
    return part


def release(company: Company, bonus: Bonus, awards: list[Award], state: State) -> list[Award]:
    """Adds what is held now to what was held, and pays it to whoever is eligible by now."""
    if bonus.eligibility.otherwise != "held":
        return awards
    name = f"held.{bonus.code}"
    before = {p: money_of(company, company.carried(name, p)) for p in company.people}
    now = {
        person: sum((a.amount for a in awards if a.to == "held" and a.earner is person), ZERO)
        for person in company.people
    }
    free = [p for p in company.people if meets(company, bonus.eligibility.when, p)]
    state[name] = {
        person: now[person] + (ZERO if person in free else before[person])
        for person in company.people
    }
    freed = [person for person in free if before[person]]
    return awards + [plain(company, bonus, person, before[person]) for person in freed]


def money_of(company: Company, units: int) -> Fraction:
    return Fraction(units, 10**company.plan.money.scale)


def plain(company: Company, bonus: Bonus, person: Person, amount: Fraction) -> Award:
    rank = shown_rank(company, person)
    base = rounded(amount, 2, "toward_zero")
    return Award(bonus.code, 0, person, None, None, base, Fraction(1), "ledger", rank, amount)

"""From awards to money: how often, in which parts, held or not, and within which limits."""

from __future__ import annotations

from fractions import Fraction

from commissions.engine.plan import Always, Bonus, ByRank, Limit, OncePerRank
from tests.engine.oracle.awards import Award
from tests.engine.oracle.company import ZERO, Company, Person, hundredths, rate, rounded
from tests.engine.oracle.ladders import level, shown_rank
from tests.engine.oracle.measures import meets, metric

State = dict[str, dict[Person, Fraction]]


class Refused(Exception):
    """A limit that refuses was passed."""


def occur(company: Company, bonus: Bonus, awards: list[Award], state: State) -> list[Award]:
    """Those of the awards that are due now, by how often the bonus is paid."""
    often = bonus.occurrence
    if isinstance(often, Always):
        if often.after_periods == 1:
            return awards
        run = state[f"run.{bonus.code}"] = {
            person: Fraction(company.carried(f"run.{bonus.code}", person) + 1)
            if meets(company, bonus.eligibility.when, person)
            else ZERO
            for person in company.people
        }
        return [a for a in awards if a.earner is None or run[a.earner] >= often.after_periods]
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


def split(company: Company, bonus: Bonus, awards: list[Award], state: State) -> list[Award]:
    """The first instalment of each line now; what was due before falls due now as well."""
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
        whole = award.amount
        award.amount = instalment(company, whole, parts)
        for k in range(1, parts):
            last = whole - award.amount * (parts - 1)
            waiting[k][award.earner] += last if k == parts - 1 else award.amount
    for k in range(1, parts):
        state[f"{name}.{k}"] = waiting[k]
    return awards + [
        plain(company, bonus, person, amount) for person, amount in fallen.items() if amount
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
    return Award(
        bonus.code, 0, person, None, None, amount, Fraction(1), "ledger", rank, amount
    )  # fmt: skip


def cut(company: Company, limit: Limit, before: list[Award], state: State) -> list[Award]:
    """Negative lines that bring these bonuses down to the limit; positive ones where there is room
    for what earlier periods held back."""
    name = f"limit.{limit.code}"
    paid = {
        person: max(
            ZERO, sum((a.amount for a in before if counts(company, limit, a, person)), ZERO)
        )
        for person in company.people
    }
    held = {p: money_of(company, company.carried(name, p)) for p in company.people}
    groups: dict[Person | None, list[Person]] = {}
    for person in company.people:
        key = {"member": person, "person": person.owner, "company": None}[limit.scope]
        groups.setdefault(key, []).append(person)
    change: dict[Person, Fraction] = {}
    state[name] = {}
    for people in groups.values():
        allowed = allowed_for(company, limit, people)
        kept = granted(company, limit, {p: paid[p] for p in people}, allowed)
        room = max(ZERO, allowed - sum((paid[p] for p in people), ZERO))
        freed = granted(company, limit, {p: held[p] for p in people}, room)
        for person in people:
            change[person] = kept[person] - paid[person] + freed[person]
            state[name][person] = held[person] - freed[person]
            if limit.overflow == "held":
                state[name][person] += paid[person] - kept[person]
    return [
        Award(
            limit.code, 0, p, None, None, change[p], Fraction(1), "ledger", shown_rank(company, p),
            change[p],
        )
        for p in company.people
        if change[p]
    ]  # fmt: skip


def counts(company: Company, limit: Limit, award: Award, person: Person) -> bool:
    """Lines of the limit's bonuses, and what earlier limits on none but those cut of them."""
    earlier = {
        other.code for other in company.plan.limits if set(other.bonuses) <= set(limit.bonuses)
    }
    named = award.bonus in limit.bonuses or award.bonus in earlier
    return named and award.earner is person and award.to == "ledger"


def allowed_for(company: Company, limit: Limit, people: list[Person]) -> Fraction:
    """The amount, or the share of the metric; that of a person is the sum over his positions."""
    scale = company.plan.money.scale
    if limit.share is None or limit.metric is None:
        return rounded(hundredths(limit.amount or 0), scale, "toward_zero")
    wanted = people[:1] if limit.scope == "company" else people
    figure = sum((max(metric(company, limit.metric, person), ZERO) for person in wanted), ZERO)
    return rounded(rate(limit.share) * figure, scale, "toward_zero")


def granted(
    company: Company, limit: Limit, wanted: dict[Person, Fraction], allowed: Fraction
) -> dict[Person, Fraction]:
    """What each of those who share one limit gets of what he wants."""
    if sum(wanted.values(), ZERO) <= allowed:
        return wanted
    if limit.enforcement == "refuse":
        raise Refused(limit.code)
    if limit.enforcement == "pro_rata":
        return shared(company, wanted, allowed)
    got: dict[Person, Fraction] = {}
    for rank in sorted({shown_rank(company, person) for person in wanted}):
        rung = {person: wanted[person] for person in wanted if shown_rank(company, person) == rank}
        got |= shared(company, rung, allowed - sum(got.values(), ZERO))
    return got


def shared(
    company: Company, wanted: dict[Person, Fraction], allowed: Fraction
) -> dict[Person, Fraction]:
    """What is allowed in proportion to what is wanted, to the unit by largest remainder."""
    whole = sum(wanted.values(), ZERO)
    if whole <= allowed:
        return wanted
    unit = Fraction(1, 10**company.plan.money.scale)
    parts = {person: allowed * amount / whole for person, amount in wanted.items()}
    got = {person: part // unit * unit for person, part in parts.items()}
    left = int((allowed - sum(got.values(), ZERO)) / unit)
    for person in sorted(parts, key=lambda p: (got[p] - parts[p], p.place))[:left]:
        got[person] += unit
    return got

"""What refunds of a closed period's sales undo of its lines, one line and one person at a time.

From the words: whoever qualified stays qualified; lines of an order line go back in proportion; all
else is what it would have been on what is left, by the rules of the close. A refund pays nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from commissions.engine.plan import (
    PERIOD_CLOSE,
    Bonus,
    OfCommissions,
    OfMetric,
    PaysCompany,
    PaysPairs,
    PaysPool,
    Plan,
)
from commissions.engine.snapshot import Snapshot
from tests.engine.oracle import carry, earned, paid
from tests.engine.oracle.awards import Award
from tests.engine.oracle.company import ZERO, Company, Line, Person, rounded, unpack
from tests.engine.oracle.limits import cut
from tests.engine.oracle.settling import State, release, split

Key = tuple[str, int, int, int, int]
CUTTING = ("pro_rata", "lower_ranks_first")
WAITS = ("due", "held", "pool")


@dataclass(frozen=True)
class Return:
    """How much of a line's quantity came back, and of each of its figures (positive)."""

    share: Fraction
    volumes: Mapping[str, Fraction]


@dataclass
class Closing:
    """The awards of a close; by bonus those of the period itself, whole; what is handed on."""

    awards: list[Award] = field(default_factory=list)
    whole: dict[str, list[Award]] = field(default_factory=dict)
    state: State = field(default_factory=dict)


@dataclass
class Undone:
    """Amounts by key of the lines without an order line, opposite in sign; by name and person what
    waits now, under the names where it is less."""

    lines: dict[Key, Fraction]
    waiting: dict[str, list[Fraction]]


def undone(
    snapshot: Snapshot,
    plan: Plan,
    returns: Mapping[int, Return],
    told: Mapping[str, list[int]],
) -> Undone:
    """`returns` by line; `told`: by how much what the period was told is less since, negative."""
    company = unpack(snapshot, plan, PERIOD_CLOSE)
    before = close(company)
    stood = [award for award in before.awards if award.to == "ledger"]
    company.left = [
        line if line.place not in returns else less(line, returns[line.place])
        for line in company.lines
        if line.place not in returns or returns[line.place].share < 1
    ]
    for name, figures in told.items():
        company.state[name] = [a + b for a, b in zip(company.state[name], figures, strict=True)]
    after = close(company, before, returns)
    now = [award for award in after.awards if award.to == "ledger"]
    found = {key: less_now(amount, sums(now).get(key, ZERO)) for key, amount in sums(stood).items()}
    for person in company.people:
        hold_limits(company, person, stood, now, found)
    return Undone(
        {key: amount for key, amount in found.items() if amount},
        what_waits(company, before.state, after.state),
    )


def what_waits(company: Company, then: State, now: State) -> dict[str, list[Fraction]]:
    found = {}
    for name, figures in then.items():
        if name.partition(".")[0] in WAITS:
            was = [figures.get(person, ZERO) for person in company.people]
            left = [now.get(name, {}).get(person, ZERO) for person in company.people]
            least = [min(a, b) for a, b in zip(was, left, strict=True)]
            if least != was:
                found[name] = least
    return found


def less(line: Line, back: Return) -> Line:
    left = {code: figure - back.volumes.get(code, ZERO) for code, figure in line.given.items()}
    return replace(line, given=left)


def close(
    company: Company, before: Closing | None = None, returns: Mapping[int, Return] | None = None
) -> Closing:
    """The close; with `returns` the one that there would have been on what is left."""
    here = Closing()
    if before is None:
        for person in company.people:
            carry(company, person, here.state)
    limits = list(company.plan.limits)
    for place, bonus in enumerate(company.plan.bonuses):
        if bonus.trigger == PERIOD_CLOSE and bonus.reward is None:
            if before is None:
                here.whole[bonus.code] = copied(earned(company, bonus, here.awards, {}))
                here.awards += paid(company, bonus, here.awards, here.state)
            else:
                here.awards += lines_of(company, bonus, here, before, returns or {})
        done = {other.code for other in company.plan.bonuses[: place + 1]}
        while limits and set(limits[0].bonuses) <= done:
            if limits[0].enforcement in CUTTING:
                here.awards += cut(company, limits[0], here.awards, here.state)
            limits.pop(0)
    return here


def copied(awards: list[Award]) -> list[Award]:
    return [replace(award) for award in awards]


def lines_of(
    company: Company,
    bonus: Bonus,
    here: Closing,
    before: Closing,
    returns: Mapping[int, Return],
) -> list[Award]:
    """What a bonus would have paid: in step with its order lines, or worked out again."""
    mine = copied(before.whole[bonus.code])
    if company.plan.money.zero_amounts == "omit":
        mine = [award for award in mine if award.amount]
    stands = isinstance(bonus.base, OfCommissions) and not company.plan.reversal.derived
    moves = on_sums(bonus) and not stands
    again: list[Award] = []
    if moves and (carries(bonus) or any(award.line is None for award in mine)):
        again = [a for a in earned(company, bonus, here.awards, here.state) if a.line is None]
    gone = {} if stands else gone_with_lines(mine, returns)
    if moves:
        gone |= shares_of(mine, again)

    def left(award: Award, part: Fraction) -> Fraction:
        money = company.plan.money
        return part - rounded(part * gone.get(id(award), ZERO), money.scale, money.rounding)

    if bonus.instalments == 1:
        mine = [a for a in mine if a.line or not moves or a.to == "held"]
    for award in mine:
        if bonus.instalments == 1 or award.to != "ledger":
            award.amount = left(award, award.amount)
    now = split(company, bonus, mine, here.state, left)
    if bonus.instalments == 1:
        now += [award for award in again if award.to != "held"]
    if isinstance(bonus.pays, PaysPool | PaysCompany):
        return now
    return release(company, bonus, now, here.state)


def on_sums(bonus: Bonus) -> bool:
    sums = isinstance(bonus.base, OfCommissions | OfMetric)
    return sums or isinstance(bonus.pays, PaysPairs | PaysPool)


def carries(bonus: Bonus) -> bool:
    return isinstance(bonus.pays, PaysPool) and bonus.pays.if_nobody == "carry"


def gone_with_lines(mine: list[Award], returns: Mapping[int, Return]) -> dict[int, Fraction]:
    """How much of each award came back with its order line."""
    return {
        id(award): returns[award.line.place].share
        for award in mine
        if award.line and award.line.place in returns
    }


def shares_of(mine: list[Award], again: list[Award]) -> dict[int, Fraction]:
    """Of lines without an order line, how much of them is not there any more, worked out again;
    lines of the same key have what is left in turn."""
    found, left = {}, {to: sums(again, to) for to in ("ledger", "held", "retained")}
    for award in mine:
        if award.line is None and award.amount:
            key = key_of(award)
            there = left[award.to].get(key, ZERO)
            kept = award.amount + less_now(award.amount, there)
            left[award.to][key] = there - kept
            found[id(award)] = 1 - kept / award.amount
    return found


def key_of(award: Award) -> Key:
    earner = -1 if award.earner is None else award.earner.place
    source = -1 if award.source is None else award.source.place
    return award.bonus, award.level, earner, source, award.rank


def sums(awards: list[Award], to: str = "ledger") -> dict[Key, Fraction]:
    found: dict[Key, Fraction] = {}
    for award in awards:
        if award.line is None and award.to == to and (award.earner or to == "retained"):
            found[key_of(award)] = found.get(key_of(award), ZERO) + award.amount
    return found


def less_now(amount: Fraction, now: Fraction) -> Fraction:
    """From an amount toward nothing, never beyond, and never away from it."""
    kept = min(max(now, ZERO), amount) if amount > 0 else max(min(now, ZERO), amount)
    return kept - amount


def hold_limits(
    company: Company,
    person: Person,
    stood: list[Award],
    now: list[Award],
    found: dict[Key, Fraction],
) -> None:
    """A limit gives nobody back more than he loses by its bonuses, less what others gave him."""
    given: dict[str, Fraction] = {}
    limits = [limit for limit in company.plan.limits if limit.enforcement in CUTTING]
    for limit in limits:
        lost = by_bonuses(stood, person, limit.bonuses) - by_bonuses(now, person, limit.bonuses)
        for other in limits:
            if set(other.bonuses) & set(limit.bonuses):
                lost -= given.get(other.code, ZERO)
        for key in found:
            if key[0] == limit.code and key[2] == person.place and found[key] > 0:
                found[key] = min(found[key], max(lost, ZERO))
                given[limit.code] = found[key]


def by_bonuses(awards: list[Award], person: Person, bonuses: tuple[str, ...]) -> Fraction:
    return sum((a.amount for a in awards if a.earner is person and a.bonus in bonuses), ZERO)

"""What refunds of a closed period's sales undo of its lines, one line and one person at a time.

From the words: whoever qualified stays qualified; lines of an order line go back in proportion; all
else is what it would have been on what is left, by the rules of the close. A refund pays nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from commissions.engine.plan import (
    PERIOD_CLOSE,
    Bonus,
    OfCommissions,
    OfMetric,
    PaysPairs,
    PaysPool,
    Plan,
)
from commissions.engine.snapshot import Snapshot
from tests.engine.oracle import carry, paid
from tests.engine.oracle.awards import Award
from tests.engine.oracle.company import ZERO, Company, Line, Person, rounded, unpack
from tests.engine.oracle.limits import cut
from tests.engine.oracle.settling import State

Key = tuple[str, int, int, int, int]
CUTTING = ("pro_rata", "lower_ranks_first")


@dataclass(frozen=True)
class Return:
    """How much of a line's quantity came back, and of each of its figures (positive)."""

    share: Fraction
    volumes: Mapping[str, Fraction]


def undone(snapshot: Snapshot, plan: Plan, returns: Mapping[int, Return]) -> dict[Key, Fraction]:
    """Amounts by key of the lines without an order line, opposite in sign; `returns` by line."""
    company = unpack(snapshot, plan, PERIOD_CLOSE)
    before = close(company, [])
    stood = [award for award in before if award.to == "ledger"]
    company.left = [
        line if line.place not in returns else less(line, returns[line.place])
        for line in company.lines
        if line.place not in returns or returns[line.place].share < 1
    ]
    after = close(company, before, returns)
    now = [award for award in after if award.to == "ledger"]
    found = {key: less_now(amount, sums(now).get(key, ZERO)) for key, amount in sums(stood).items()}
    for person in company.people:
        hold_limits(company, person, stood, now, found)
    return {key: amount for key, amount in found.items() if amount}


def less(line: Line, back: Return) -> Line:
    left = {code: figure - back.volumes.get(code, ZERO) for code, figure in line.given.items()}
    return replace(line, given=left)


def close(
    company: Company, before: list[Award], returns: Mapping[int, Return] | None = None
) -> list[Award]:
    """The lines of the close; with `returns` those that it would have had on what is left."""
    state: State = {}
    if returns is None:
        for person in company.people:
            carry(company, person, state)
    awards: list[Award] = []
    limits = list(company.plan.limits)
    for place, bonus in enumerate(company.plan.bonuses):
        if bonus.trigger == PERIOD_CLOSE:
            awards += lines_of(company, bonus, awards, before, returns, state)
        done = {other.code for other in company.plan.bonuses[: place + 1]}
        while limits and set(limits[0].bonuses) <= done:
            if limits[0].enforcement in CUTTING:
                awards += cut(company, limits[0], awards, state)
            limits.pop(0)
    return awards


def lines_of(
    company: Company,
    bonus: Bonus,
    awards: list[Award],
    before: list[Award],
    returns: Mapping[int, Return] | None,
    state: State,
) -> list[Award]:
    if returns is None:
        return paid(company, bonus, awards, state)
    mine = [award for award in before if award.bonus == bonus.code]
    derived = isinstance(bonus.base, OfCommissions)
    moves = derived or isinstance(bonus.base, OfMetric)
    moves = moves or isinstance(bonus.pays, PaysPairs | PaysPool)
    if derived and not company.plan.reversal.derived:
        return [replace(award) for award in mine]
    lined = [in_step(company, award, returns) for award in mine if award.line or not moves]
    if not moves or not any(award.line is None for award in mine):
        return lined
    return lined + [a for a in paid(company, bonus, awards, state) if a.line is None]


def in_step(company: Company, award: Award, returns: Mapping[int, Return]) -> Award:
    back = returns.get(award.line.place) if award.line else None
    if back is None:
        return replace(award)
    money = company.plan.money
    gone = rounded(award.amount * back.share, money.scale, money.rounding)
    return replace(award, amount=award.amount - gone)


def sums(awards: list[Award]) -> dict[Key, Fraction]:
    found: dict[Key, Fraction] = {}
    for award in awards:
        if award.line is None and award.earner:
            source = -1 if award.source is None else award.source.place
            key = (award.bonus, award.level, award.earner.place, source, award.rank)
            found[key] = found.get(key, ZERO) + award.amount
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

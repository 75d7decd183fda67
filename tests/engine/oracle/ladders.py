"""The three ranks of a person in a ladder, and what the ladder carries on."""

from __future__ import annotations

from fractions import Fraction

from commissions.engine.plan import (
    PERIOD_CLOSE,
    AllOf,
    AnyOf,
    Condition,
    Grace,
    HasRank,
    Ladder,
    NeverFalls,
    Not,
)
from tests.engine.oracle.company import Company, Person
from tests.engine.oracle.measures import meets


def stands_at(company: Company, person: Person, code: str, rank: str, which: str) -> bool:
    """Whether he has this rank or a higher one."""
    ladder = company.plan.ladder(code)
    asked = [rung.code for rung in ladder.ranks].index(rank) + 1
    if which == "paid_as":
        return reaches_level(company, ladder, person, asked)
    return level(company, person, code, which) >= asked


def reaches_level(company: Company, ladder: Ladder, person: Person, asked: int) -> bool:
    if ladder.source == "given":
        return person.given.get(ladder.code, 0) >= asked
    if ladder.climb == "each_rank":
        return all(met(company, ladder, person, place) for place in range(1, asked + 1))
    return any(met(company, ladder, person, place) for place in range(asked, len(ladder.ranks) + 1))


def met(company: Company, ladder: Ladder, person: Person, place: int) -> bool:
    return asks(company, ladder, person, ladder.ranks[place - 1].when)


def asks(company: Company, ladder: Ladder, person: Person, condition: Condition | None) -> bool:
    """A title or a highest rank of its own ladder that a rank asks for is the one carried in."""
    match condition:
        case AllOf(of=parts):
            return all(asks(company, ladder, person, part) for part in parts)
        case AnyOf(count=count, of=parts):
            return [asks(company, ladder, person, part) for part in parts].count(True) >= count
        case Not(of=part):
            return not asks(company, ladder, person, part)
        case HasRank(ladder=code, rank=rank, which="title" | "highest" as which) if (
            code == ladder.code
        ):
            before = person.title if which == "title" else person.highest
            return before.get(ladder.code, 0) >= ladder.level(rank)
    return meets(company, condition, person)


def level(company: Company, person: Person, code: str, which: str) -> int:
    if which == "paid_as":
        ladder = company.plan.ladder(code)
        return max(
            (
                place
                for place in range(1, len(ladder.ranks) + 1)
                if reaches_level(company, ladder, person, place)
            ),
            default=0,
        )
    before = person.highest.get(code, 0)
    if which == "highest":
        return max(before, level(company, person, code, "paid_as"))
    return title(company, company.plan.ladder(code), person)[0]


def title(company: Company, ladder: Ladder, person: Person) -> tuple[int, int, int]:
    """The title, the periods in a row in which it was not met, the periods it is locked on."""
    code, policy = ladder.code, ladder.when_not_met
    now, held = level(company, person, code, "paid_as"), person.title.get(code, 0)
    highest = person.highest.get(code, 0)
    if ladder.source == "given":
        return now, 0, 0
    if isinstance(policy, NeverFalls):
        return max(now, held, highest), 0, 0
    missed = company.carried(f"rank.{code}.missed", person) if isinstance(policy, Grace) else 0
    locked = company.carried(f"rank.{code}.locked", person) if ladder.lock else 0
    after = max(0, locked - 1)
    if ladder.lock and highest == 0 < now:
        soon = company.ends_on - person.joined <= ladder.lock.joined_within_days
        after = ladder.lock.periods if soon else after
    if now >= held:
        return now, 0, after
    if locked:
        return held, missed, after
    if isinstance(policy, Grace) and missed + 1 < policy.periods:
        return held, missed + 1, after
    return now, 0, after


def carry_ladder(company: Company, ladder: Ladder, person: Person) -> dict[str, Fraction]:
    code = ladder.code
    _, missed, locked = title(company, ladder, person)
    since = company.carried(f"rank.{code}.since", person)
    if level(company, person, code, "paid_as") > person.highest.get(code, 0):
        since = company.ends_on
    figures = {"missed": missed, "locked": locked, "since": since}
    return {f"rank.{code}.{name}": Fraction(figure) for name, figure in figures.items()}


def shown_rank(company: Company, person: Person | None) -> int:
    """His rank on ledger lines: that of the first ladder, as far as it is known by now."""
    ladders = company.plan.ladders
    known = ladders and (company.trigger == PERIOD_CLOSE or ladders[0].source == "given")
    return level(company, person, ladders[0].code, "paid_as") if person and known else 0

"""The snapshot unpacked: people and order lines as records, every figure a fraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from commissions.engine.plan import Plan, Volume
from commissions.engine.snapshot import Lines, Snapshot

ZERO = Fraction(0)
Marks = Mapping[str, Any]


def hundredths(figure: int) -> Fraction:
    return Fraction(figure, 100)


def rate(figure: int) -> Fraction:
    return Fraction(figure, 1_000_000)


def rounded(exact: Fraction, places: int, rule: str) -> Fraction:
    """To so many decimal places; a negative figure like its positive twin."""
    if exact < 0:
        return -rounded(-exact, places, rule)
    scaled = exact * 10**places
    whole = int(scaled)
    rest = scaled - whole
    if rule == "half_even":
        whole = round(scaled)
    elif rule == "half_up":
        whole += rest >= Fraction(1, 2)
    elif rule == "away_from_zero":
        whole += rest > 0
    return Fraction(whole, 10**places)


@dataclass(eq=False)
class Person:
    place: int
    name: int
    parents: dict[str, Person | None]
    children: dict[str, list[Person]]
    leg: int
    owner: Person
    joined: int
    sequence: int
    package: int
    flags: set[str]
    given: dict[str, int]
    highest: dict[str, int]
    title: dict[str, int]

    def below(self, tree: str) -> list[Person]:
        """Everybody under him, without himself."""
        return [other for child in self.children[tree] for other in [child, *child.below(tree)]]


@dataclass(eq=False)
class Line:
    place: int
    name: int
    seller: Person
    kind: str
    day: int
    given: dict[str, Fraction]
    sign: int = 1
    number: int = 0
    buyer_joined: int = 0
    buyer: int = 0


@dataclass
class Company:
    plan: Plan
    people: list[Person]
    lines: list[Line]
    refunds: list[Line]
    starts_on: int
    ends_on: int
    state: dict[str, list[int]]
    trigger: str
    known: dict[Any, Any] = field(default_factory=dict)
    left: list[Line] = field(init=False)
    """The lines that are paid on: those of the period, less what came back after it."""

    def __post_init__(self) -> None:
        self.left = self.lines

    def once(self, key: Any, find: Callable[[], Any]) -> Any:
        """What `find` answers, asked for at most once."""
        if key not in self.known:
            self.known[key] = find()
        return self.known[key]

    def carried(self, name: str, person: Person) -> int:
        return self.state[name][person.place] if name in self.state else 0

    def sold_by(self, person: Person) -> list[Line]:
        return [line for line in self.lines + self.refunds if line.seller is person]

    def volume(self, line: Line, code: str) -> Fraction:
        """A figure of an order line, given or derived."""
        definition = next(volume for volume in self.plan.volumes if volume.code == code)
        return self.once((code, line), lambda: self.derive(line, definition))

    def derive(self, line: Line, volume: Volume) -> Fraction:
        if volume.kinds is not None and line.kind not in volume.kinds:
            return ZERO
        if volume.amounts is not None:
            figure = line.sign * hundredths(volume.amounts.get(line.kind, 0))
        elif volume.of is not None:
            share = self.volume(line, volume.of) * rate(volume.rate)
            figure = rounded(share, 2, self.plan.money.rounding)
        else:
            figure = line.given[volume.code]
        return figure - sum((self.volume(line, less) for less in volume.less), ZERO)


def unpack(snapshot: Snapshot, plan: Plan, trigger: str) -> Company:
    members = snapshot.members
    people = [
        Person(
            place, int(members.id[place]), {}, {}, int(members.leg[place]), None,  # type: ignore[arg-type]
            int(members.joined[place]), int(members.sequence[place]), int(members.package[place]),
            {flag for flag, marked in members.flags.items() if marked[place]},
            levels_of(members.given, place), levels_of(members.highest, place),
            levels_of(members.title, place),
        )
        for place in range(len(members.id))
    ]  # fmt: skip
    for person in people:
        person.owner = people[int(members.owner[person.place])]
        person.children = {tree: [] for tree in members.parents}
    for tree, pointers in members.parents.items():
        for person, above in zip(people, pointers.tolist(), strict=True):
            person.parents[tree] = None if above < 0 else people[above]
            if above >= 0:
                people[above].children[tree].append(person)
    return Company(
        plan, people,
        lines_of(snapshot.lines, people, plan, 1), lines_of(snapshot.refunds, people, plan, -1),
        snapshot.starts_on, snapshot.ends_on,
        {name: figures.tolist() for name, figures in snapshot.state.items()}, trigger,
    )  # fmt: skip


def levels_of(levels: Mapping[str, Any], place: int) -> dict[str, int]:
    return {ladder: int(figures[place]) for ladder, figures in levels.items()}


def lines_of(lines: Lines, people: list[Person], plan: Plan, sign: int) -> list[Line]:
    return [
        Line(
            place, int(lines.id[place]), people[int(lines.seller[place])],
            plan.kinds[int(lines.kind[place])], int(lines.day[place]),
            {code: hundredths(int(figures[place])) for code, figures in lines.volumes.items()},
            sign, *(int(lines.buyer[what][place]) if what in lines.buyer else 0
                    for what in ("number", "joined", "who")),
        )
        for place in range(len(lines.id))
    ]  # fmt: skip

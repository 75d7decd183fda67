"""distributors.csv: who there is, who stands under whom, what each of them holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from commissions.engine.plan import Ladder, PaysPairs, Plan
from commissions.simulation.company import CUSTOMER, Distributor
from commissions.simulation.faults import InputFault
from commissions.simulation.table import Row, read_rows

LINKS = ("sponsor", "enroller", "placement")
PLAIN = (*LINKS, "leg", "joined", "package", "owner", "flags", "left_on", "back_on")
STANDINGS = ("rank", "title", "highest")
SIDES = {"left": 0, "right": 1}
MOST_PLACES = 127
MOST_NAMED = 6


def read_people(plan: Plan, path: Path, faults: list[InputFault]) -> dict[str, Distributor]:
    """Everybody by name, customers too, in the order of the file; links that lead nowhere and
    people named twice are faults."""
    known = (*PLAIN, *standing_columns(plan))
    people: dict[str, Distributor] = {}
    rows: dict[str, Row] = {}
    before = len(faults)
    for row in read_rows(path, needed=("distributor",), known=known, faults=faults):
        name = row.needed("distributor")
        if name in people:
            row.fault("distributor", f'"{name}" is there twice, first on line {rows[name].line}')
        elif name:
            people[name], rows[name] = read_one(plan, row), row
    if not people and len(faults) == before:
        faults.append(InputFault(path.name, 0, "", "there is nobody in it"))
    for name, row in rows.items():
        check_links(people, people[name], row)
    for column in LINKS:
        check_circles(people, rows, column)
    return people


def standing_columns(plan: Plan) -> Iterator[str]:
    """`rank`, `title`, `highest` are the first ladder's; every ladder's by its code as well."""
    for name in STANDINGS:
        if plan.ladders:
            yield name
        yield from (f"{name}_{ladder.code}" for ladder in plan.ladders)


def read_one(plan: Plan, row: Row) -> Distributor:
    flags = frozenset(row.text("flags").split())
    packages = [package.code for package in plan.packages]
    package = row.text("package")
    if package and package not in packages:
        row.fault("package", f'"{package}" is not a package of the plan: {listed(packages)}')
    given, title, highest = (levels(plan, row, name) for name in STANDINGS)
    sponsor = row.text("sponsor") or None
    return Distributor(
        name=row.text("distributor"),
        sponsor=sponsor,
        enroller=row.text("enroller") or sponsor,
        placement=row.text("placement") or None,
        leg=read_leg(plan, row),
        joined=row.day("joined"),
        given=given,
        title=title,
        highest=highest,
        package=packages.index(package) if package in packages else -1,
        owner=row.text("owner"),
        flags=flags,
        left=row.day("left_on"),
        back=read_return(row),
    )


def read_return(row: Row) -> int | None:
    """The first day on which somebody who had left was there again."""
    left, back = row.day("left_on"), row.day("back_on")
    if back is not None and (left is None or back <= left):
        row.fault("back_on", "comes after left_on, the first day on which he was gone")
    return back


def levels(plan: Plan, row: Row, name: str) -> dict[str, int]:
    """The levels of a column by ladder, those that are there."""
    found: dict[str, int] = {}
    for place, ladder in enumerate(plan.ladders):
        for column in (f"{name}_{ladder.code}", *((name,) if place == 0 else ())):
            if row.text(column):
                found[ladder.code] = level(ladder, row, column)
    return found


def level(ladder: Ladder, row: Row, column: str) -> int:
    code = row.text(column)
    if not ladder.level(code) and code != "none":
        ranks = listed(rank.code for rank in ladder.ranks)
        row.fault(column, f'"{code}" is not a rank of the ladder {ladder.code}: {ranks}')
    return ladder.level(code)


def read_leg(plan: Plan, row: Row) -> int | None:
    """left, right or 1, 2, 3 ... as a place that counts from 0."""
    text, width = row.text("leg"), places(plan)
    if not text:
        return None
    leg = SIDES.get(text, int(text) - 1 if text.isdecimal() else -1)
    if not 0 <= leg < width:
        row.fault("leg", f'"{text}" is no leg: left, right or a number from 1 to {width}')
        return None
    return leg


def places(plan: Plan) -> int:
    """How many stand under one in the placement tree at most."""
    if plan.matrix and plan.matrix.width:
        return plan.matrix.width
    return 2 if is_binary(plan) else MOST_PLACES


def is_binary(plan: Plan) -> bool:
    return any(isinstance(bonus.pays, PaysPairs) for bonus in plan.bonuses)


def check_links(people: Mapping[str, Distributor], person: Distributor, row: Row) -> None:
    customer = CUSTOMER in person.flags
    for column in LINKS:
        name = row.text(column)
        if not name:
            continue
        if name not in people:
            row.fault(column, f'there is no distributor "{name}"')
        elif CUSTOMER in people[name].flags:
            row.fault(column, f'"{name}" is a customer; nobody stands under a customer')
        elif (people[name].joined or 0) > (person.joined or people[name].joined or 0):
            row.fault(column, f'"{name}" joined later than who stands under him')
    if customer and not person.sponsor:
        row.fault("sponsor", "a customer needs one: his orders are credited to him")
    if person.leg is not None and not (person.placement or person.sponsor):
        row.fault("leg", "a leg needs somebody it belongs to")


def check_circles(people: Mapping[str, Distributor], rows: Mapping[str, Row], column: str) -> None:
    """A fault for each circle, at the first of those in it."""
    done: set[str] = set()
    for name in people:
        way: dict[str, None] = {}
        at: str | None = name
        while at is not None and at in people and at not in done and at not in way:
            way[at] = None
            at = getattr(people[at], column)
        if at in way and at is not None:
            circle = list(way)[list(way).index(at) :]
            names = " under ".join(f'"{each}"' for each in (*circle, at)[:MOST_NAMED])
            if any(rows[each].text(column) for each in circle):
                rows[at].fault(column, f"goes in a circle: {names}")
        done |= way.keys()


def with_owners(people: Mapping[str, Distributor]) -> dict[str, Distributor]:
    """Positions of one owner stand for the first of them; who names nobody owns himself."""
    first: dict[str, str] = {}
    owned: dict[str, Distributor] = {}
    for name, person in people.items():
        owner = first.setdefault(person.owner, name) if person.owner else name
        owned[name] = replace(person, owner=owner)
    return owned


def with_days(people: Mapping[str, Distributor]) -> dict[str, Distributor]:
    """Who has no day of joining joined when the last of those above him did."""
    days: dict[str, int] = {}
    entered: set[str] = set()
    for name in people:
        stack = [name]
        while stack:
            person = people[stack[-1]]
            if person.joined is None and person.name not in entered:
                entered.add(person.name)
                stack += [up for up in links(person) if up not in entered]
                continue
            above = max((days.get(up, 0) for up in links(person)), default=0)
            days[stack.pop()] = above if person.joined is None else person.joined
    return {name: replace(person, joined=days[name] or None) for name, person in people.items()}


def links(person: Distributor) -> list[str]:
    return [up for up in (person.sponsor, person.enroller, person.placement) if up is not None]


def listed(codes: Iterable[str]) -> str:
    return ", ".join(codes) or "it has none"

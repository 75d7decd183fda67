"""Where somebody goes in the placement tree who was given no place.

Those with a place have it first, whenever they joined. The others follow in the order in which they
joined (of one day: in the order of the file), each somewhere under his sponsor:

    breadth_first     the first free place, level by level, left to right
    weaker_leg        down the leg of the sponsor with less volume sold before he joined (then:
                      fewer people, then the left one), along its outer side to a free place
    least_populated   step by step into the leg with the fewest people, to the first free place

    width 5: You sponsor John, Sarah, Mike, Lisa, Tom, Amy, Bob, Carol. The first five stand under
    You, places 1 to 5; Amy, Bob and Carol under John, places 1 to 3.

Without a matrix in the plan only those who were given a leg stand under their sponsor. A place has
one occupant; who was given a parent without a leg takes the first free one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from commissions.engine.plan import PaysPairs, Plan
from commissions.simulation.company import CUSTOMER, Distributor, OrderLine
from commissions.simulation.faults import InputFault
from commissions.simulation.people import places


@dataclass(slots=True)
class Tree:
    """The places taken. `children` by parent and leg; `count`, `volume`: of whole subtrees."""

    width: int
    parent: dict[str, str] = field(default_factory=dict)
    leg: dict[str, int] = field(default_factory=dict)
    children: dict[str, dict[int, str]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    volume: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, deque[str]] = field(default_factory=dict)

    def put(self, name: str, parent: str, leg: int) -> None:
        """Puts somebody, with whoever already stands under him, into a free place."""
        self.parent[name], self.leg[name] = parent, leg
        self.children.setdefault(parent, {})[leg] = name
        self.add(parent, self.count.get(name, 1), self.volume.get(name, 0))

    def add(self, name: str | None, count: int, volume: int) -> None:
        """Adds to somebody and all above him."""
        while name is not None:
            self.count[name] = self.count.get(name, 1) + count
            self.volume[name] = self.volume.get(name, 0) + volume
            name = self.parent.get(name)

    def free(self, parent: str) -> int | None:
        taken = self.children.get(parent, {})
        return next((leg for leg in range(self.width) if leg not in taken), None)

    def is_above(self, name: str, other: str | None) -> bool:
        while other is not None and other != name:
            other = self.parent.get(other)
        return other == name


def place(
    plan: Plan,
    people: Mapping[str, Distributor],
    lines: Iterable[OrderLine],
    file: str,
    faults: list[InputFault],
) -> dict[str, Distributor]:
    """Everybody with his parent and leg; a place given twice and circles are faults."""
    tree = Tree(places(plan))
    put_given(tree, people, plan, file, faults)
    if plan.matrix is not None and not faults:
        sales = deque(sorted(weighed(plan, lines), key=lambda sale: sale[0]))
        for person in in_order_of_joining(people.values()):
            while sales and sales[0][0] < (person.joined or 0):
                _, seller, volume = sales.popleft()
                tree.add(seller, 0, volume)
            if is_waiting(person, tree):
                tree.put(person.name, *strategy(plan)(tree, person.sponsor or ""))
    return {
        name: replace(person, placement=tree.parent.get(name), leg=tree.leg.get(name))
        for name, person in people.items()
    }


def put_given(
    tree: Tree, people: Mapping[str, Distributor], plan: Plan, file: str, faults: list[InputFault]
) -> None:
    given = [person for person in people.values() if given_parent(person) is not None]
    for person in sorted(given, key=lambda person: person.leg is None):
        parent = given_parent(person) or ""
        leg = tree.free(parent) if person.leg is None else person.leg
        if tree.is_above(person.name, parent):
            faults.append(InputFault(file, 0, "placement", f'"{person.name}" stands above himself'))
        elif leg is None or leg in tree.children.get(parent, {}):
            message = f'there is no free place for "{person.name}" under "{parent}"'
            faults.append(InputFault(file, 0, "placement", message))
        else:
            tree.put(person.name, parent, leg)


def given_parent(person: Distributor) -> str | None:
    """Who stands above him by the file: named, or his sponsor where only a leg is."""
    if CUSTOMER in person.flags:
        return None
    return person.placement or (person.sponsor if person.leg is not None else None)


def is_waiting(person: Distributor, tree: Tree) -> bool:
    return bool(person.sponsor and person.name not in tree.parent and CUSTOMER not in person.flags)


def in_order_of_joining(people: Iterable[Distributor]) -> list[Distributor]:
    return sorted(people, key=lambda person: person.joined or 0)


def weighed(plan: Plan, lines: Iterable[OrderLine]) -> list[tuple[int, str, int]]:
    """Day, seller and volume of each sale: the figure that the pairs are made of, or the first."""
    codes = [bonus.pays.volume for bonus in plan.bonuses if isinstance(bonus.pays, PaysPairs)]
    codes += [volume.code for volume in plan.volumes]
    return [
        (line.day, line.seller, line.volumes[code])
        for line in lines
        for code in codes[:1]
        if code in line.volumes
    ]


# Strategies: the parent and the leg under a sponsor

Strategy = Callable[[Tree, str], tuple[str, int]]


def strategy(plan: Plan) -> Strategy:
    named: dict[str, Strategy] = {
        "breadth_first": breadth_first,
        "weaker_leg": weaker_leg,
        "least_populated": least_populated,
    }
    return named[plan.matrix.strategy if plan.matrix else "breadth_first"]


def breadth_first(tree: Tree, sponsor: str) -> tuple[str, int]:
    """A queue for each sponsor: who is full once stays full, and is not looked at again."""
    waiting = tree.waiting.setdefault(sponsor, deque([sponsor]))
    while (leg := tree.free(waiting[0])) is None:
        legs = tree.children[waiting.popleft()]
        waiting.extend(legs[leg] for leg in sorted(legs))
    return waiting[0], leg


def weaker_leg(tree: Tree, sponsor: str) -> tuple[str, int]:
    legs = tree.children.get(sponsor, {})

    def weight(leg: int) -> tuple[int, int, int]:
        head = legs.get(leg)
        if head is None:
            return 0, 0, leg
        return tree.volume.get(head, 0), tree.count.get(head, 1), leg

    side = min(range(tree.width), key=weight)
    name = sponsor
    while side in tree.children.get(name, {}):
        name = tree.children[name][side]
    return name, side


def least_populated(tree: Tree, sponsor: str) -> tuple[str, int]:
    name = sponsor
    while (leg := tree.free(name)) is None:
        legs = tree.children[name]
        name = legs[min(legs, key=lambda leg: (tree.count.get(legs[leg], 1), leg))]
    return name, leg

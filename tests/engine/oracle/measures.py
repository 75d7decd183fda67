"""What is measured of a person and what is asked of him, one person at a time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from commissions.engine.plan import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Group,
    HasFlag,
    HasLeft,
    HasPackage,
    HasRank,
    IsActive,
    JoinedInPeriod,
    JoinedWithin,
    Legs,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Levels,
    Metric,
    Not,
    Orders,
    Own,
    Recruit,
)  # fmt: skip
from commissions.engine.plan import (
    Company as Everybody,
)
from tests.engine.oracle.company import ZERO, Company, Line, Person, hundredths, rate, rounded


def metric(company: Company, code: str, person: Person) -> Fraction:
    """The metric as everybody sees it: this period's figure, and what its window adds."""
    definition = company.plan.metric(code)
    if definition.what == "sum":
        return added_up(company, definition, lambda part: metric(company, part, person))
    if isinstance(definition.scope, Legs):
        return of_legs(company, definition, person, lambda other: alone(company, definition, other))
    if definition.what == "members" and definition.window != "periods":
        return company.once(
            ("metric", code, person), lambda: people_counted(company, definition, person)
        )
    figure: Fraction = company.once(
        ("metric", code, person), lambda: in_period(company, definition, person)
    )
    if definition.window == "periods":
        for ago in range(1, definition.length):
            figure += hundredths(company.carried(f"metric.{code}.{ago}", person))
    if definition.window in ("lifetime", "first_days"):
        figure += hundredths(company.carried(f"metric.{code}.total", person))
    return figure


def alone(company: Company, definition: Metric, person: Person) -> Fraction:
    """What one person adds to a leg, over the window."""
    figure: Fraction = company.once(
        ("alone", definition.code, person), lambda: own_part(company, definition, person)
    )
    names = [f"{ago}" for ago in range(1, definition.length)]
    if definition.window in ("lifetime", "first_days") and definition.what != "members":
        names = ["total"]
    elif definition.window != "periods":
        names = []
    code = definition.code
    before = (hundredths(company.carried(f"metric.{code}.{name}", person)) for name in names)
    return figure + sum(before, ZERO)


def of_legs(
    company: Company, definition: Metric, person: Person, figure_of: Callable[[Person], Fraction]
) -> Fraction:
    scope = definition.scope
    assert isinstance(scope, Legs)
    legs = [
        sum((figure_of(other) for other in [head, *head.below(scope.tree)]), ZERO)
        for head in person.children[scope.tree]
    ]
    return sum(sorted(legs, reverse=True)[scope.first - 1 : scope.last], ZERO)


def paid_on(company: Company, code: str, person: Person) -> Fraction:
    """The metric as a base: what came back of earlier periods is taken back where it was paid."""
    definition = company.plan.metric(code)
    if definition.what == "sum":
        return added_up(company, definition, lambda part: paid_on(company, part, person))
    if definition.what == "members" or definition.window != "period":
        return metric(company, code, person)
    if isinstance(definition.scope, Legs):

        def left(other: Person) -> Fraction:
            lines = [line for line in company.left if line.seller is other]
            return of_lines(company, definition, lines)

        return of_legs(company, definition, person, left)
    people = in_scope(company, definition.scope, person)
    lines = {other: [a for a in company.left if a.seller is other] for other in people}
    return sum((of_lines(company, definition, lines[other]) for other in people), ZERO)


def added_up(
    company: Company, definition: Metric, figure_of: Callable[[str], Fraction]
) -> Fraction:
    parts = [rate(times) * figure_of(part) for part, times in (definition.parts or {}).items()]
    return rounded(sum(parts, ZERO), 2, company.plan.money.rounding)


def people_counted(company: Company, definition: Metric, person: Person) -> Fraction:
    """Those there are; of first days those who joined in the first days of him who is measured."""
    found = [
        other
        for other in in_scope(company, definition.scope, person)
        if meets(company, definition.where, other)
        and (
            definition.window != "first_days"
            or 0 <= other.joined - person.joined <= definition.length
        )
    ]
    return Fraction(len(found))


def carry_metric(company: Company, definition: Metric, person: Person) -> dict[str, Fraction]:
    code = definition.code
    if definition.what == "sum":
        return {}
    if definition.what == "members" and definition.window != "periods":
        return {}
    if isinstance(definition.scope, Legs):
        figure = own_part(company, definition, person)
        total = alone(company, definition, person)
    else:
        figure = in_period(company, definition, person)
        total = metric(company, code, person)
    if definition.window in ("lifetime", "first_days"):
        return {f"metric.{code}.total": total}
    if definition.window != "periods":
        return {}
    carried = [figure] + [
        hundredths(company.carried(f"metric.{code}.{ago}", person))
        for ago in range(1, definition.length)
    ]
    return {f"metric.{code}.{k + 1}": carried[k] for k in range(definition.length - 1)}


def in_period(company: Company, definition: Metric, person: Person) -> Fraction:
    people = in_scope(company, definition.scope, person)
    if definition.window == "first_days" and definition.since == "member":
        lines = [line for other in people for line in company.sold_by(other)]
        soon = [line for line in lines if 0 <= line.day - person.joined <= definition.length]
        return of_lines(company, definition, soon)
    return sum((own_part(company, definition, other) for other in people), ZERO)


def own_part(company: Company, definition: Metric, person: Person) -> Fraction:
    """What one person adds to the metric of anybody whose scope he is in."""
    if definition.what == "members":
        return Fraction(meets(company, definition.where, person))
    return of_lines(company, definition, company.sold_by(person))


def of_lines(company: Company, definition: Metric, lines: list[Line]) -> Fraction:
    wanted = [line for line in lines if counts(company, definition, line)]
    if definition.what == "buyers":
        bought: dict[tuple[Person, int], Fraction] = {}
        for line in wanted:
            key = line.seller, line.buyer
            bought[key] = bought.get(key, ZERO) + company.volume(line, definition.volume or "")
        least = max(hundredths(definition.least), Fraction(1, 100))
        return Fraction(len([whole for whole in bought.values() if whole >= least]))
    if definition.what == "orders":
        return Fraction(len([line for line in wanted if line.sign > 0]))
    return sum((company.volume(line, definition.volume or "") for line in wanted), ZERO)


def counts(company: Company, definition: Metric, line: Line) -> bool:
    if definition.kinds is not None and line.kind not in definition.kinds:
        return False
    since = {"seller": line.seller.joined, "buyer": line.buyer_joined, "member": line.day}
    if definition.window == "first_days" and line.day - since[definition.since] > definition.length:
        return False
    if not is_of(definition.orders, line):
        return False
    return meets(company, definition.where, line.seller, line.day)


def is_of(orders: Orders | None, line: Line) -> bool:
    """Whether a line is of the orders that count."""
    if orders is None:
        return True
    by_number = orders.first > 1 or orders.last is not None
    if by_number and not orders.first <= line.number <= (orders.last or line.number):
        return False
    return orders.within_days is None or line.day - line.buyer_joined <= orders.within_days


def in_scope(company: Company, scope: object, person: Person) -> list[Person]:
    if isinstance(scope, Own):
        return [person]
    if isinstance(scope, Everybody):
        return company.people
    if isinstance(scope, Group):
        own = [person] if scope.include_self else []
        legs = [leg_of(company, scope, child) for child in person.children[scope.tree]]
        return own + [other for leg in legs for other in leg]
    assert isinstance(scope, Levels)
    found, level = [], [person]
    for distance in range(1, scope.last + 1):
        level = [child for one in level for child in one.children[scope.tree]]
        found += level if distance >= scope.first else []
    return found


def leg_of(company: Company, scope: Group, head: Person) -> list[Person]:
    """The head and those below him, without whoever breaks away and all below that one."""
    if scope.until is not None and meets(company, scope.until, head):
        return []
    below = [leg_of(company, scope, child) for child in head.children[scope.tree]]
    return [head] + [other for leg in below for other in leg]


def meets(
    company: Company, condition: Condition | None, person: Person, day: int | None = None
) -> bool:
    if condition is None:
        return True
    if isinstance(condition, AllOf):
        return all(meets(company, part, person, day) for part in condition.of)
    if isinstance(condition, AnyOf):
        met = [part for part in condition.of if meets(company, part, person, day)]
        return len(met) >= condition.count
    if isinstance(condition, Not):
        return not meets(company, condition.of, person, day)
    if isinstance(condition, HasLeft):
        return "status.left" in person.flags
    if isinstance(condition, JoinedWithin):
        return (company.ends_on if day is None else day) - person.joined <= condition.days
    met: bool = company.once(
        ("meets", condition, person), lambda: is_met(company, condition, person)
    )
    return met


def is_met(company: Company, condition: Condition, person: Person) -> bool:
    match condition:
        case AtLeast():
            return reaches(company, condition, person)
        case LegsWithVolume() | LegsWithMembers() | LegsWithRecruits():
            tree = condition.tree
            legs = [[head, *head.below(tree)] for head in person.children[tree]]
            found = [leg for leg in legs if has_enough(company, condition, person, leg)]
            return len(found) >= condition.legs
        case HasRank(ladder=ladder, rank=rank, which=which):
            from tests.engine.oracle.ladders import stands_at  # measures and ranks ask each other

            return stands_at(company, person, ladder, rank, which)
        case IsActive():
            return meets(company, company.plan.activity, person)
        case HasPackage(packages=packages):
            return person.package >= 0 and package_code(company, person) in packages
        case HasFlag(flag=flag):
            return flag in person.flags
        case JoinedInPeriod():
            return company.starts_on <= person.joined <= company.ends_on
        case Recruit():
            return (
                condition.first <= recruit_number(company, person, condition.by) <= condition.last
            )
    raise AssertionError(condition)


def has_enough(
    company: Company,
    condition: LegsWithVolume | LegsWithMembers | LegsWithRecruits,
    person: Person,
    leg: list[Person],
) -> bool:
    """Whether a leg of this person has what the condition asks of each."""
    from tests.engine.oracle.ladders import stands_at

    match condition:
        case LegsWithVolume(volume=code, figure=figure):
            return total(company, leg, code) >= hundredths(figure)
        case LegsWithMembers(members=members, ladder=ladder, rank=rank):
            held = [other for other in leg if stands_at(company, other, ladder, rank, "paid_as")]
            return len(held) >= members
        case LegsWithRecruits(recruits=recruits, by=by, where=where):
            own = [other for other in leg if other.parents[by] is person]
            return len([other for other in own if meets(company, where, other)]) >= recruits


def package_code(company: Company, person: Person) -> str:
    return company.plan.packages[person.package].code


def total(company: Company, people: list[Person], code: str) -> Fraction:
    lines = [line for person in people for line in company.sold_by(person)]
    return sum((company.volume(line, code) for line in lines), ZERO)


def reaches(company: Company, condition: AtLeast, person: Person) -> bool:
    figure = metric(company, condition.metric, person)
    if condition.leg_cap is not None:
        figure = capped(company, condition, person, figure)
    below = condition.below
    return hundredths(condition.figure) <= figure and (below is None or figure < hundredths(below))


def capped(
    company: Company, condition: AtLeast, person: Person, whole: Fraction
) -> Fraction:  # fmt: skip
    """The figure with every leg (and, if asked, the own part) cut to the cap."""
    definition, cap = company.plan.metric(condition.metric), condition.leg_cap
    scope = definition.scope
    assert cap is not None
    assert isinstance(scope, Group)
    share = rate(cap.share) * (hundredths(condition.figure) if cap.of == "requirement" else whole)
    most = rounded(share, 2, "toward_zero")
    own = own_part(company, definition, person) if scope.include_self else ZERO
    legs = [
        sum((own_part(company, definition, other) for other in leg_of(company, scope, child)), ZERO)
        for child in person.children[scope.tree]
    ]
    return sum((min(leg, most) for leg in legs), min(own, most) if cap.own_too else own)


def recruit_number(company: Company, person: Person, by: str) -> int:
    """1 for the first recruit of his sponsor, 0 for somebody who is no recruit (yet)."""
    sponsor = person.parents["sponsor"]
    if sponsor is None:
        return 0
    recruits = sponsor.children["sponsor"]
    if by == "joined":
        recruits = sorted(recruits, key=lambda other: (other.sequence, other.name))
    else:
        bought = {
            other: min((line.day, line.name) for line in company.lines if line.seller is other)
            for other in recruits
            if any(line.seller is other for line in company.lines)
        }
        recruits = sorted(bought, key=lambda other: bought[other])
    return recruits.index(person) + 1 if person in recruits else 0

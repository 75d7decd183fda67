"""The words of a plan: figures, names and conditions as people read them.

    words.condition(Gold.when, plan)
    # has at least 300.00 Personal volume and has at least 2,500.00 Group volume

Conditions are predicates of a member, so that "who" or "a member who" can stand before them. A code
that leads nowhere is shown as it is: a plan that is still being written can be read as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from commissions.engine import plan as p

ROUNDING = {
    "half_even": "to the nearest, halves to the even neighbour",
    "half_up": "to the nearest, halves up",
    "toward_zero": "down, the rest is cut off",
    "away_from_zero": "up to the next",
}
WHICH_RANK = {
    "paid_as": "by this period's figures",
    "title": "by the title held",
    "highest": "by the highest rank ever reached",
}


def plain(code: str) -> str:
    """`self_consumption` as people write it; an abbreviation such as `pv` in capitals."""
    return code.upper() if len(code) <= 3 else code.replace("_", " ")


def listed(items: Iterable[str], last: str = "and") -> str:
    """
    >>> listed(["A", "B", "C"])
    'A, B and C'
    """
    *most, final = list(items) or ["nothing"]
    return f"{', '.join(most)} {last} {final}" if most else final


def decimal(value: int, places: int, shown: int) -> str:
    """A scaled figure with thousands marked, at least `shown` decimals and none that says nothing.

    >>> decimal(123_450_000, 6, 2), decimal(25_000, 4, 0)
    ('123.45', '2.5')
    """
    whole, rest = divmod(value, 10**places)
    digits = f"{rest:0{places}d}".rstrip("0").ljust(shown, "0")
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"


def volume(figure: int) -> str:
    return decimal(figure, 2, 2)


def percent(rate: int) -> str:
    return f"{decimal(rate, 4, 0)} %"


def times(rate: int) -> str:
    return f"{decimal(rate, 6, 0)} times"


def money(amount: int, plan: p.Plan) -> str:
    return f"{volume(amount)} {plan.currency}"


def rate(value: int, bonus: p.Bonus, plan: p.Plan) -> str:
    """A cell of a bonus's rate table: a share, an amount of money, or how many of a reward."""
    if bonus.unit == "share":
        return percent(value)
    if bonus.reward is not None:
        return f"{decimal(value, 6, 0)} x {bonus.reward.name}"
    return f"{decimal(value, 6, 2)} {plan.currency}"


def orders(asked: p.Orders) -> str:
    """Which orders, as something that is counted: each buyer's first order."""
    if (asked.first, asked.last) == (1, 1):
        text = "each buyer's first order"
    elif asked.last is not None:
        text = f"each buyer's orders number {asked.first:,} to {asked.last:,}"
    elif asked.first > 1:
        text = f"each buyer's orders from number {asked.first:,} on"
    else:
        text = "orders"
    if asked.within_days is not None:
        text += f" made up to {counted(asked.within_days, 'day')} after the buyer joined"
    return text


def counted(number: int, one: str, many: str = "") -> str:
    """
    >>> counted(1, "leg"), counted(3, "leg")
    ('1 leg', '3 legs')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ordinal(number: int) -> str:
    """
    >>> ordinal(1), ordinal(2), ordinal(3), ordinal(11), ordinal(22)
    ('1st', '2nd', '3rd', '11th', '22nd')
    """
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number:,}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


# Names


def metric_name(code: str, plan: p.Plan) -> str:
    return next((metric.name for metric in plan.metrics if metric.code == code), plain(code))


def figure(code: str, value: int, plan: p.Plan) -> str:
    """A figure of a metric: a volume with its decimals, a count without."""
    counts = any(metric.code == code and metric.what != "volume" for metric in plan.metrics)
    return decimal(value, 2, 0) if counts else volume(value)


def rank_codes(ladder: str, plan: p.Plan) -> list[str]:
    """No rank and those of the ladder from the lowest up."""
    found = (each for each in plan.ladders if each.code == ladder)
    return [p.NO_RANK, *(rank.code for each in found for rank in each.ranks)]


def rank_name(ladder: str, code: str, plan: p.Plan) -> str:
    if code == p.NO_RANK:
        return "No rank"
    ranks = (rank for each in plan.ladders if each.code == ladder for rank in each.ranks)
    return next((rank.name for rank in ranks if rank.code == code), plain(code))


def package_name(code: str, plan: p.Plan) -> str:
    return next((package.name for package in plan.packages if package.code == code), plain(code))


def programme_name(code: str, plan: p.Plan) -> str:
    return next((each.name for each in plan.programmes if each.code == code), plain(code))


def programmes(codes: Iterable[str], plan: p.Plan) -> str:
    return listed(programme_name(code, plan) for code in codes)


def kinds(codes: Iterable[str], last: str = "and") -> str:
    return listed((plain(code) for code in codes), last)


def ladder_name(code: str, plan: p.Plan) -> str:
    """The one ladder of a plan needs no name."""
    own = len(plan.ladders) == 1 and plan.ladders[0].code == code
    return "" if own else f" of the ladder {plain(code)}"


# Conditions


def condition(asked: p.Condition | None, plan: p.Plan) -> str:
    """What is asked of a member, as a predicate."""
    match asked:
        case None:
            return "is a member"
        case p.AllOf() | p.AnyOf() | p.Not():
            return composed(asked, plan)
        case p.AtLeast():
            return at_least(asked, plan)
        case p.LegsWithRecruits():
            return legs_with_recruits(asked, plan)
        case p.LegsWithVolume() | p.LegsWithMembers() | p.HasRank():
            return of_others(asked, plan)
        case _:
            return of_himself(asked, plan)


def composed(asked: p.AllOf | p.AnyOf | p.Not, plan: p.Plan) -> str:
    match asked:
        case p.AllOf(of=of):
            return " and ".join(inner(each, plan) for each in of) if of else "is a member"
        case p.AnyOf(count=1, of=of):
            return " or ".join(inner(each, plan) for each in of)
        case p.AnyOf(count=count, of=of):
            either = "; ".join(condition(each, plan) for each in of)
            return f"meets at least {count} of these: ({either})"
        case p.Not(of=contrary):
            return f"is not somebody who {inner(contrary, plan)}"


def of_others(asked: p.LegsWithVolume | p.LegsWithMembers | p.HasRank, plan: p.Plan) -> str:
    if isinstance(asked, p.LegsWithVolume):
        return (
            f"has {counted(asked.legs, 'leg')} in the {asked.tree} tree with at least "
            f"{volume(asked.figure)} {plain(asked.volume)} each"
        )
    rank = rank_name(asked.ladder, asked.rank, plan) + ladder_name(asked.ladder, plan)
    if isinstance(asked, p.HasRank):
        return f"is {rank} or higher {WHICH_RANK[asked.which]}"
    return (
        f"has {counted(asked.legs, 'leg')} in the {asked.tree} tree with at least "
        f"{counted(asked.members, 'member')} of rank {rank} or higher in each"
    )


def legs_with_recruits(asked: p.LegsWithRecruits, plan: p.Plan) -> str:
    how = {"enroller": "enrolled", "sponsor": "sponsors"}[asked.by]
    who = "" if asked.where is None else f" and who {inner(asked.where, plan)}"
    return (
        f"has {counted(asked.legs, 'leg')} in the {asked.tree} tree with at least "
        f"{counted(asked.recruits, 'member')} in each whom the member {how} himself{who}"
    )


def of_himself(
    asked: p.IsActive
    | p.HasPackage
    | p.HasFlag
    | p.HasLeft
    | p.JoinedWithin
    | p.JoinedInPeriod
    | p.Recruit,
    plan: p.Plan,
) -> str:
    match asked:
        case p.IsActive():
            return "is active"
        case p.HasPackage():
            names = listed((package_name(code, plan) for code in asked.packages), "or")
            return f"holds the package {names}"
        case p.HasFlag():
            return f'carries the mark "{plain(asked.flag)}"'
        case p.HasLeft():
            return "has left the company"
        case p.JoinedWithin():
            return f"joined at most {counted(asked.days, 'day')} before"
        case p.JoinedInPeriod():
            return "joined in this period"
        case p.Recruit():
            by = {"joined": "when they joined", "first_order": "their first orders"}[asked.by]
            return f"is number {asked.first} to {asked.last} of the sponsor's recruits by {by}"


def inner(asked: p.Condition, plan: p.Plan) -> str:
    """A condition within another one; brackets keep "and" and "or" apart."""
    words = condition(asked, plan)
    return f"({words})" if isinstance(asked, (p.AllOf, p.AnyOf)) else words


def at_least(asked: p.AtLeast, plan: p.Plan) -> str:
    words = f"has at least {figure(asked.metric, asked.figure, plan)}"
    if asked.below is not None:
        words += f" but less than {figure(asked.metric, asked.below, plan)}"
    words += f" {metric_name(asked.metric, plan)}"
    if asked.leg_cap is not None:
        cap = asked.leg_cap
        whole = {"requirement": "what is asked", "total": "the member's total"}[cap.of]
        own = "and neither does" if cap.own_too else "which does not touch"
        words += (
            f" (no leg counts for more than {percent(cap.share)} of {whole}, "
            f"{own} the member's own volume)"
        )
    return words

"""What stories ask of each person that only a look at others tells: by name, for who keeps it.

A story is of one order line, told of the seller and the people above. What the plan asks of these
may rest on thousands below: legs of a size, legs with somebody of a rank, a group with no leg above
a share, the how-manieth recruit. A close has looked at everybody, so it hands such figures out
(`Result.measured`); given to the facts of a few (`Facts(..., given=...)`), they are not looked for
again.

    volume_legs.sponsor.pv.50000          legs of 500.00 PV, x 100
    rank_legs.sponsor.rank.gold.1         legs with a Gold, x 100
    capped.gv.400000.total.False          group volume, no leg above 40 % of it
    recruit_legs.placement.enroller.1     legs with somebody he enrolled, x 100
    recruit.joined                        the how-manieth recruit of his sponsor
    paid.unilevel                         what unilevel paid him in all; of a limit: what it cut

The last are there where a bonus is paid on lines of others after limits: what was cut of somebody
is borne by all his lines in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from commissions.engine.plan import (
    PERIOD_CLOSE,
    Always,
    AtLeast,
    Bonus,
    ByBand,
    ByRank,
    HasRank,
    LegsWithMembers,
    LegsWithRecruits,
    LegsWithVolume,
    Limit,
    OfCommissions,
    OfOrder,
    PaysSource,
    PaysUpline,
    Plan,
    Recruit,
    parts,
)

OfMany = AtLeast | LegsWithVolume | LegsWithMembers | LegsWithRecruits | Recruit
"""Questions that other people decide; of a metric only with a leg cap."""


def is_of_many(part: Any) -> bool:
    if isinstance(part, AtLeast):
        return part.leg_cap is not None
    return isinstance(part, LegsWithVolume | LegsWithMembers | LegsWithRecruits | Recruit)


def name_of(question: OfMany) -> str:
    """The name of its figure. Questions that need the same figure share it."""
    match question:
        case LegsWithVolume(tree=tree, volume=volume, figure=figure):
            return f"volume_legs.{tree}.{volume}.{figure}"
        case LegsWithMembers(tree=tree, ladder=ladder, rank=rank, members=members):
            return f"rank_legs.{tree}.{ladder}.{rank}.{members}"
        case LegsWithRecruits(tree=tree, by=by, recruits=recruits, where=where):
            asked = "" if where is None else f".{sha256(repr(where).encode()).hexdigest()[:16]}"
            return f"recruit_legs.{tree}.{by}.{recruits}{asked}"
        case Recruit(by=by):
            return f"recruit.{by}"
        case AtLeast(metric=metric, figure=figure, leg_cap=cap) if cap is not None:
            asked = f".{figure}" if cap.of == "requirement" else ""
            return f"capped.{metric}.{cap.share}.{cap.of}.{cap.own_too}{asked}"
    raise ValueError(f"{question} is told by one person alone")


def paid_name(programme: str) -> str:
    return f"paid.{programme}"


# Which bonuses have stories, and what these ask


def has_story(bonus: Bonus) -> bool:
    """Whether each line is told by itself: nothing is paid once, late or in parts, and nothing
    depends on what all others are paid."""
    occurrence = bonus.occurrence
    if not isinstance(occurrence, Always) or occurrence.rest_periods or occurrence.most_times:
        return False
    is_alone = isinstance(bonus.pays, PaysSource | PaysUpline)
    return is_alone and occurrence.after_periods == 1 and bonus.instalments == 1


def is_on_lines(bonus: Bonus) -> bool:
    """Whether what it pays may come from a single order line."""
    if not isinstance(bonus.pays, PaysSource | PaysUpline):
        return False
    return isinstance(bonus.base, OfOrder) or getattr(bonus.base, "per", "") in ("order", "line")


def told_bonuses(plan: Plan) -> list[Bonus]:
    """Of the close, those whose order lines have a story."""
    bonuses = plan.triggered_by(PERIOD_CLOSE)
    return [bonus for bonus in bonuses if has_story(bonus) and is_on_lines(bonus)]


def asked_in_stories(plan: Plan) -> Iterator[Any]:
    """Every part of the plan that may be asked of somebody in a story: by the bonus, by a rank it
    names, by activity; and by what is given besides money, of who is given it."""
    given = tuple((bonus.eligibility, bonus.rates) for bonus in plan.rewards)
    for part in (plan.activity, plan.ladders, tuple(told_bonuses(plan)), given):
        yield from (each for _, each in parts(part))


def metrics_asked(plan: Plan) -> set[str]:
    """Codes of the metrics that stories may ask of somebody as they are."""
    found = asked_in_stories(plan)
    return {
        part.metric
        for part in found
        if isinstance(part, ByBand) or (isinstance(part, AtLeast) and part.leg_cap is None)
    }


def ladders_asked(plan: Plan) -> set[str]:
    """Codes of the ladders of which stories may ask somebody's ranks."""
    found = asked_in_stories(plan)
    return {part.ladder for part in found if isinstance(part, HasRank | ByRank)}


def is_decided_elsewhere(bonus: Bonus) -> bool:
    """Whether more than an order line decides what it pays on it: being the first, or in parts."""
    return is_on_lines(bonus) and not has_story(bonus)


def behind(bonus: Bonus, plan: Plan) -> dict[str, Bonus]:
    """The bonuses whose lines it goes by, and those whose lines these go by; by code."""
    found: dict[str, Bonus] = {}
    ahead = [bonus]
    while ahead:
        for code in goes_by(ahead.pop()):
            if code not in found:
                found[code] = plan.bonus(code)
                ahead.append(found[code])
    return found


def goes_by(bonus: Bonus) -> tuple[str, ...]:
    named = bonus.base.bonuses if isinstance(bonus.base, OfCommissions) else ()
    return named + (bonus.exclusion.bonuses if bonus.exclusion else ())


# What was paid in all, where a cut is borne by all lines


def cuts_on(bonus: Bonus, plan: Plan) -> list[Limit]:
    """The limits whose cuts lower what the bonus is paid on, line by line."""
    base = bonus.base
    if not (isinstance(base, OfCommissions) and base.after_limits and base.per == "line"):
        return []
    return [
        limit
        for limit in plan.limits
        if limit.enforcement != "refuse" and set(limit.bonuses) <= set(base.bonuses)
    ]


def summed_up(plan: Plan) -> list[str]:
    """Bonuses and limits of which stories ask what came to each person in all."""
    codes: dict[str, None] = {}
    for bonus in told_bonuses(plan):
        if cuts := cuts_on(bonus, plan):
            codes |= dict.fromkeys([*goes_by(bonus), *(limit.code for limit in cuts)])
    return list(codes)

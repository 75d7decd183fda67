"""What becomes of people who have left the company, and how that is asked for.

A plan says it once, in `left`. What is computed is the plan with it spelled out in its conditions
(`spelled_out`), so that there is no second way of not being paid: whoever has left meets no
eligibility, is not active, and stands on walks and among people as the plan says. The document as
it was written stays `Plan.as_written`; that is what people read, compare and check.

    left: passed over, counts nowhere
    activity     PV of 50.00                ->  PV of 50.00 and has not left
    eligibility  active                     ->  active and has not left
    steps        physical                   ->  compressed, who has not left counts
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from commissions.engine.plan.bonuses import Bonus
from commissions.engine.plan.conditions import AllOf, Condition, HasLeft, LegsWithRecruits, Not
from commissions.engine.plan.metrics import Metric
from commissions.engine.plan.payees import Compressed, Generations, PaysUpline, Physical

if TYPE_CHECKING:
    from commissions.engine.plan import Plan

STAYS = Not("not", HasLeft("left"))


@dataclass(frozen=True, slots=True)
class Left:
    """People who have left the company by the period's last day; at payment, by the day of the
    order. They are not active and are paid nothing. What they sold before counts like any sale."""

    steps: Annotated[
        Literal["passed_over", "as_ineligible"],
        "On a walk. passed_over: as if they were not there, they use up no step, end no "
        "generation and stop nothing. as_ineligible: they stand where they stand, and their part "
        "goes as the bonus says of who is not eligible.",
    ]
    counts: Annotated[
        Literal["nowhere", "as_others"],
        "Among people. nowhere: they reach no rank and are not counted as members. The gate of "
        "pairs counts places, theirs too.",
    ]
    owed: Annotated[
        Literal["lapses", "paid"],
        "Instalments of what they earned before, as they fall due. What is held for them waits "
        "until they are back, in any case.",
    ]


def spelled_out(plan: Plan) -> Plan:
    """The plan with what `left` says in each of its conditions; without `left` the plan itself."""
    left = plan.left
    if left is None:
        return plan
    written, metrics, ladders = plan, plan.metrics, plan.ladders
    if left.counts == "nowhere":
        plan = among_recruits(plan)
        metrics, ladders = plan.metrics, plan.ladders
        metrics = tuple(without_left(metric) for metric in metrics)
        ladders = tuple(
            ladder
            if ladder.source == "given"
            else replace(
                ladder, ranks=tuple(replace(r, when=still_there(r.when)) for r in ladder.ranks)
            )
            for ladder in ladders
        )
    return replace(
        plan,
        metrics=metrics,
        ladders=ladders,
        activity=still_there(plan.activity),
        bonuses=tuple(paid_to_who_is_there(bonus, left) for bonus in plan.bonuses),
        _written=written,
    )


def still_there(condition: Condition | None) -> Condition:
    """
    >>> still_there(None) == STAYS
    True
    """
    if condition is None:
        return STAYS
    of = condition.of if isinstance(condition, AllOf) else (condition,)
    return AllOf("all", (*of, STAYS))


def among_recruits(part: Any) -> Any:
    """The part of a plan with only those recruits counted, anywhere in it, who have not left."""
    if isinstance(part, tuple):
        return tuple(among_recruits(each) for each in part)
    if isinstance(part, Mapping):
        return {key: among_recruits(each) for key, each in part.items()}
    if not is_dataclass(part) or isinstance(part, type):
        return part
    inner = {field.name: among_recruits(getattr(part, field.name)) for field in fields(part)}
    found: Any = replace(part, **inner)
    if isinstance(found, LegsWithRecruits):
        return replace(found, where=still_there(found.where))
    return found


def without_left(metric: Metric) -> Metric:
    if metric.what != "members":
        return metric
    return replace(metric, where=still_there(metric.where))


def paid_to_who_is_there(bonus: Bonus, left: Left) -> Bonus:
    eligibility = replace(bonus.eligibility, when=still_there(bonus.eligibility.when))
    pays = bonus.pays
    if isinstance(pays, PaysUpline) and left.steps == "passed_over":
        pays = passing_over(pays)
    return replace(bonus, eligibility=eligibility, pays=pays)


def passing_over(pays: PaysUpline) -> PaysUpline:
    """The walk on which whoever has left is not there."""
    stop = pays.stop
    if stop is not None:
        stop = replace(stop, at=still_there(stop.at))
    return replace(pays, steps=steps_of(pays.steps), stop=stop)


def steps_of(steps: Physical | Compressed | Generations) -> Compressed | Generations:
    match steps:
        case Compressed():
            return replace(steps, counts=still_there(steps.counts))
        case Generations():
            return replace(steps, boundary=still_there(steps.boundary))
    return Compressed("compressed", STAYS)

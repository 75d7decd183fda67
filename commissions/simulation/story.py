"""One ledger line explained: its figures, and who on the way was paid or not (`engine.explain`).

Line 4, 2024-01: Unilevel, Asha, 4.00 EUR
  order o1, line 1, bought by Carol
  200.00 x 0.4 x 0.05 = 4, half_up: 4.00
  0  Bela    skipped  not_counted: PV 20.00 of 50.00
  1  Asha    paid     step 1, 4.00
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from commissions.engine.explain import Step, trace
from commissions.engine.figures import has_story
from commissions.engine.plan import AtLeast, Bonus, Plan
from commissions.engine.requirements import Asked
from commissions.simulation.booked import ledger, retained
from commissions.simulation.company import Company
from commissions.simulation.periods import Outcome
from commissions.simulation.units import HUNDREDTHS, MILLIONTHS, decimal
from commissions.simulation.view import Row, View


def explain(company: Company, outcomes: Sequence[Outcome], number: int) -> str:
    """How a ledger line comes to its amount. Raises LookupError for a number without a line."""
    for outcome in outcomes:
        view = View(company, outcome)
        for table in (ledger, retained):
            for row in table(view):
                if row["number"] == number:
                    return "\n".join(sentences(row, view)) + "\n"
    raise LookupError(f"there is no ledger line {number}")


def sentences(row: Row, view: View) -> Iterator[str]:
    plan, period = view.plan, view.outcome.moment.period.code
    name = next(each.name for each in plan.programmes if each.code == row["bonus"])
    who, amount = row["distributor"], row["amount"]
    yield f"Line {row['number']}, {period}: {name}, {who}, {amount} {plan.currency}"
    if row["reverses"] is not None:
        of, cause = f"line {row['reverses']}", row["refund"] or "several refunds"
        yield (
            f"  takes back {of}, order {row['order']}, for {cause}"
            if row["order"]
            else (f"  takes back {of}, worked out again without what came back, for {cause}")
        )
        return
    if row["order"]:
        yield f"  order {row['order']}, line {row['line']}, bought by {row['buyer']}"
    bonus = next((each for each in plan.bonuses if each.code == row["bonus"]), None)
    if bonus is None:
        yield "  what the limit cuts off, or lets go of what it held"
        return
    yield f"  {sum_of(row, bonus, plan)}"
    if has_story(bonus):
        yield from walked(row, bonus, view)


def sum_of(row: Row, bonus: Bonus, plan: Plan) -> str:
    """base x factor x rate, exact, and what rounding made of it."""
    factor = decimal(bonus.factor, MILLIONTHS).normalize()
    base, rate = Decimal(str(row["base"])), Decimal(str(row["rate"]))
    parts = [base, rate] if factor == 1 or bonus.unit == "amount" else [base, factor, rate]
    exact = Decimal(1)
    for part in parts:
        exact *= part
    product = " x ".join(f"{part:f}" for part in parts)
    return f"{product} = {exact.normalize():f}, {plan.money.rounding}: {row['amount']}"


def walked(row: Row, bonus: Bonus, view: View) -> Iterator[str]:
    """One line a person, from the source upward."""
    orders = [line.key for line in view.lines]
    line = orders.index((str(row["order"]), str(row["line"]))) if row["order"] else -1
    source = view.names.index(str(row["source"])) if row["source"] else None
    base = int(Decimal(str(row["base"])).scaleb(HUNDREDTHS))
    told = [person(step, view) for step in trace(view.facts, bonus.code, line, source, base)]
    width = max((len(each[1]) for each in told), default=0)
    for distance, name, outcome, detail in told:
        yield f"  {distance:>3}  {name:<{width}}  {outcome:<7}  {detail}".rstrip()


def person(step: Step, view: View) -> tuple[int, str, str, str]:
    name = view.names[step.member]
    if step.outcome in ("paid", "held", "company"):
        detail = (f"step {step.step}, " if step.step else "") + str(view.money(step.amount))
    else:
        detail = step.reason
    if step.unmet:
        detail += f": {', '.join(missing(each, view.plan) for each in step.unmet)}"
    return step.distance, name, step.outcome, detail


def missing(asked: Asked, plan: Plan) -> str:
    """A question that was not met: what it is, what there is of it."""
    question: Any = asked.question
    negation = "not " if asked.negated else ""
    if isinstance(question, AtLeast):
        figures = f"{decimal(asked.actual, HUNDREDTHS)} of {decimal(asked.needed, HUNDREDTHS)}"
        return f"{negation}{plan.metric(question.metric).name} {figures}"
    named = getattr(question, "rank", None) or getattr(question, "flag", None)
    return f"{negation}{question.is_}" + (f" {named}" if named else "")

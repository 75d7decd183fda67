"""From a plan document to a `Plan`: read by the records' own types, then checked against itself.

    load_plan(json.load(file))
    # PlanError: $.bonuses[1].rates.table.gould: is no rank of the ladder "rank"

Reading finds what is missing, unknown or of the wrong kind; checking finds names that lead nowhere
and parts that can't stand together. Whether a plan that can be computed is also a good one is the
linter's question (`lint`).
"""

from __future__ import annotations

from dataclasses import replace

from commissions.engine.errors import Fault, PlanError
from commissions.engine.plan import Plan
from commissions.engine.plan.checking import check
from commissions.engine.plan.leaving import spelled_out
from commissions.engine.plan.reading import content_hash, read


def load_plan(document: object) -> Plan:
    """Reads and checks a plan document; what it says of people who have left is spelled out in
    its conditions (`leaving`). Raises PlanError naming each fault by its JSON path."""
    faults: list[Fault] = []
    try:
        plan: Plan = read(Plan, document, "$", faults)
        if not faults:
            faults.extend(check(plan))
    except RecursionError as error:
        raise PlanError([Fault("$", "is nested too deeply")]) from error
    if faults:
        raise PlanError(faults)
    return spelled_out(replace(plan, _hash=content_hash(document)))

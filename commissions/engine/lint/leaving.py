"""Whether a plan says what becomes of people who have left."""

from __future__ import annotations

from collections.abc import Iterator

from commissions.engine import plan as p
from commissions.engine.lint.findings import Finding


def leaving_findings(plan: p.Plan) -> Iterator[Finding]:
    """A plan that pays people, and neither says it nor asks whether somebody has left."""
    asks = any(isinstance(part, p.HasLeft) for _, part in p.parts(plan))
    pays = any(not isinstance(bonus.pays, p.PaysCompany) for bonus in plan.bonuses)
    if pays and plan.left is None and not asks:
        yield Finding(
            "$.left",
            "warning",
            "The plan does not say what becomes of people who have left: they are paid like "
            "everybody else.",
        )

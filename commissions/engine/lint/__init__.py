"""What is odd about a plan that can be computed: findings in plain words, by the path of the part.

    for finding in lint(load_plan(document)):
        print(finding)
    # $.bonuses[2].rates.table: warning: Unilevel pays Silver 4 % at step 2, but Gold above it 3 %.

Errors are parts that can't do what they say: a rank nobody reaches, one figure paid twice.
Warnings are worth a second look. Compliance findings are pay for enrolment: such a plan can be
simulated and never activated. What can't be computed at all, bonuses that wait for each other for
example, is no finding: `checking` refuses it when the plan is loaded.
"""

from __future__ import annotations

from commissions.engine import plan as p
from commissions.engine.lint.bonuses import bonus_findings
from commissions.engine.lint.enrolment import pays_for_enrolment
from commissions.engine.lint.findings import Finding
from commissions.engine.lint.leaving import leaving_findings
from commissions.engine.lint.parts import limit_findings, unused
from commissions.engine.lint.ranks import ladder_findings

__all__ = ["Finding", "lint"]


def lint(plan: p.Plan) -> list[Finding]:
    """Everything that was found in a plan that `load_plan` read, in the order of its parts."""
    plan = plan.as_written
    return [
        *leaving_findings(plan),
        *ladder_findings(plan),
        *bonus_findings(plan),
        *pays_for_enrolment(plan),
        *limit_findings(plan),
        *unused(plan),
    ]

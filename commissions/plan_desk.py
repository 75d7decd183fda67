"""What is said of a plan document while somebody writes it, and of a version when it is read."""

import json
from dataclasses import dataclass, field
from typing import Any

from commissions.engine import PlanError, load_plan
from commissions.engine.errors import Fault
from commissions.engine.lint import Finding, lint
from commissions.engine.plan import Plan
from commissions.engine.plan.schema import ordered
from commissions.engine.plan.text import DocumentRefused, parsed
from commissions.engine.prose import Section, explain_plan
from commissions.engine.prose.differences import plan_diff
from commissions.models import PlanVersion
from commissions.services import plans


@dataclass
class Report:
    """A document as far as it can be read: what is wrong with it, or what it says."""

    faults: list[Fault] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    compared_with: PlanVersion | None = None

    @property
    def is_readable(self) -> bool:
        return not self.faults

    @property
    def can_be_stored(self) -> bool:
        return not self.faults and not self.refusals


def read_text(text: str) -> tuple[Any, Report]:
    """The document in a text, and what is said of it; a text that is no JSON has one fault."""
    try:
        document = parsed(text)
    except DocumentRefused as refused:
        return None, Report(faults=[Fault(refused.place, refused.reason)])
    return document, report_on(document)


def report_on(document: Any, against: PlanVersion | None = None) -> Report:
    """Everything there is to say; compared with a version where one is given."""
    try:
        plan = load_plan(document)
    except PlanError as error:
        return Report(faults=list(error.faults))
    report = Report(
        findings=lint(plan), sections=explain_plan(plan), compared_with=against,
        changes=changes_to(plan, against) if against else [],
    )  # fmt: skip
    try:
        plans.parse(document)
    except plans.PlanRefused as refused:
        report.refusals = refused.faults
    return report


def changes_to(plan: Plan, earlier: PlanVersion) -> list[str]:
    """In words, what the plan does otherwise; empty for the same plan."""
    try:
        return [str(change) for change in plan_diff(load_plan(earlier.definition), plan)]
    except PlanError:
        return ["The version in force is written in an older plan language."]


def active_version(version: PlanVersion) -> PlanVersion | None:
    """The version of the same plan that is in force now, or the newest that ever was."""
    others = PlanVersion.objects.filter(plan=version.plan).exclude(pk=version.pk)
    in_force = others.filter(status=PlanVersion.Status.ACTIVE)
    return in_force.order_by("-effective_from", "-pk").first()


def as_text(document: Any) -> str:
    """The document as people edit it, its keys in the order of the language."""
    return json.dumps(ordered(Plan, document), indent=2, ensure_ascii=False)

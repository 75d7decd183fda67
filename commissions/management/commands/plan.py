"""Plan documents at the command line: what is wrong with one, what changed, what it says.

    manage.py plan check my-plan.json          faults by path, or findings and the worst case
    manage.py plan diff old.json new.json      what changes, in sentences
    manage.py plan explain my-plan.json        the plan in prose, as Markdown
    manage.py plan schema                      the language as JSON Schema

Files alone: no database, no servers. Faults end with exit code 1, findings don't.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.engine.errors import PlanError
from commissions.engine.lint import lint
from commissions.engine.lint.worst_case import worst_case
from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.schema import schema
from commissions.engine.plan.text import DocumentRefused, parsed
from commissions.engine.prose import explain_plan, to_markdown
from commissions.engine.prose.differences import plan_diff


class Command(BaseCommand):
    help = "Check, compare or explain plan documents, or print their JSON Schema."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        check = commands.add_parser("check", help="Faults by path; findings and the worst case.")
        check.add_argument("file", type=Path)
        diff = commands.add_parser("diff", help="What changes from one plan to another.")
        diff.add_argument("old", type=Path)
        diff.add_argument("new", type=Path)
        explain = commands.add_parser("explain", help="The plan in prose, as Markdown.")
        explain.add_argument("file", type=Path)
        commands.add_parser("schema", help="The plan language as JSON Schema.")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = {"check": self.check_plan, "diff": self.diff, "explain": self.explain}
        if options["what"] == "schema":
            self.stdout.write(schema_text(), ending="")
        else:
            answers[options["what"]](options)

    def check_plan(self, options: dict[str, Any]) -> None:
        plan = plan_in(options["file"])
        findings = lint(plan)
        for finding in findings:
            self.stdout.write(str(finding))
        for line in worst_cases(plan):
            self.stdout.write(line)
        self.stdout.write(f"{plan.name}: no faults, {len(findings)} findings.")

    def diff(self, options: dict[str, Any]) -> None:
        sentences = plan_diff(plan_in(options["old"]), plan_in(options["new"]))
        for sentence in sentences or ["Nothing changes."]:
            self.stdout.write(sentence)

    def explain(self, options: dict[str, Any]) -> None:
        plan = plan_in(options["file"])
        self.stdout.write(to_markdown(plan.name, explain_plan(plan)))


def plan_in(path: Path) -> Plan:
    """The plan in a file. Raises CommandError with every fault, each by its path."""
    try:
        return load_plan(parsed(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError) as problem:
        raise CommandError(f"{path} can't be read: {problem}") from problem
    except DocumentRefused as refusal:
        message = f"{path} can't be read: {refusal.place} {refusal.reason}"
        raise CommandError(message) from refusal
    except PlanError as refusal:
        raise CommandError(f"{path} has faults:\n{refusal}") from refusal


def worst_cases(plan: Plan) -> Iterator[str]:
    """The worst case of what each ceiling on a share holds together."""
    for limit in plan.limits:
        if limit.scope == "company" and limit.share is not None and limit.metric is not None:
            worst = worst_case(limit.bonuses, limit.metric, plan)
            assumed = f"; {', '.join(worst.assumed)}" if worst.assumed else ""
            yield f"At worst, of {plan.metric(limit.metric).name}: {worst}{assumed}."


def schema_text() -> str:
    return json.dumps(schema(Plan, "Compensation plan"), indent=2, ensure_ascii=False) + "\n"

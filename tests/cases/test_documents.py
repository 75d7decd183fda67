"""The plan documents of the published cases, as every plan document is looked at."""

import json

import pytest

from commissions.engine.lint import lint
from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.schema import schema
from commissions.engine.prose import explain_plan
from tests.cases.cases import HERE, published
from tests.engine.schema_check import schema_faults

PLANS = [path for code in published() for path in sorted((HERE / code).glob("plan*.json"))]
named = pytest.mark.parametrize(
    "path", PLANS, ids=lambda path: f"{path.parent.name}/{path.stem}"
)  # fmt: skip


@named
def test_schema_takes_it(path):
    assert list(schema_faults(json.loads(path.read_text()), schema(Plan, "Plan"))) == []


@named
def test_linter_finds_no_error(path):
    plan = load_plan(json.loads(path.read_text()))

    assert [str(finding) for finding in lint(plan) if finding.severity == "error"] == []


@named
def test_prose_names_every_bonus(path):
    plan = load_plan(json.loads(path.read_text()))

    text = repr(explain_plan(plan))

    assert [bonus.name for bonus in plan.bonuses if bonus.name not in text] == []

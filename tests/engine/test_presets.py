"""The plans that come with the product: each is read, checked, free of findings, and explained."""

import json
import re
from pathlib import Path

import pytest

from commissions.engine.language import schema
from commissions.engine.lint import lint
from commissions.engine.loading import load_plan
from commissions.engine.plan import Plan
from commissions.engine.prose import explain_plan, to_markdown
from commissions.engine.worst_case import worst_case
from tests.engine.documents import PLANS
from tests.engine.schema_check import schema_faults

NAMES = sorted(path.stem for path in PLANS.glob("*.json") if path.stem != "demo")
GUIDE = Path(__file__).parents[2] / "docs" / "plans.md"


def preset(name: str) -> object:
    return json.loads((PLANS / f"{name}.json").read_text())


def test_the_usual_kinds_are_there():
    assert NAMES == [
        "binary", "breakaway", "car-bonus", "fast-start", "generation", "matching", "matrix",
        "pools", "rank-bonus", "referral", "retail", "unilevel", "unilevel-compressed",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_has_neither_faults_nor_findings(name):
    assert lint(load_plan(preset(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_fits_the_schema(name):
    assert list(schema_faults(preset(name), schema(Plan, "Compensation plan"))) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_explains_itself(name):
    plan = load_plan(preset(name))
    text = to_markdown(plan.name, explain_plan(plan))

    assert [bonus.name for bonus in plan.bonuses if f"## {bonus.name}\n" not in text] == []
    assert not re.search(r"\bNone\b|[{}<>]|Annotated", text)


@pytest.mark.parametrize("name", NAMES)
def test_a_ceiling_that_refuses_is_exactly_the_worst_case(name):
    plan = load_plan(preset(name))

    for limit in plan.limits:
        if limit.enforcement == "refuse" and limit.metric:
            worst = worst_case(limit.bonuses, limit.metric, plan).share
            assert worst is not None
            assert worst * 1_000_000 == limit.share


def test_the_guide_lists_every_preset():
    listed = re.findall(r"^\| `([a-z-]+)\.json` \|", GUIDE.read_text(), re.MULTILINE)

    assert sorted(listed) == [*NAMES[:3], "demo", *NAMES[3:]]

"""The plans that come with the product: each is read, checked, free of findings, and explained."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.calculate import calculate
from commissions.engine.lint import lint
from commissions.engine.lint.worst_case import worst_case
from commissions.engine.plan import Plan
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.schema import schema
from commissions.engine.prose import explain_plan, to_markdown
from commissions.engine.snapshot import Snapshot, build_snapshot
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


@st.composite
def companies(draw: st.DrawFn) -> Snapshot:
    """Up to nine people who sell, PV and CV being the same; trees in order of joining."""
    size = draw(st.integers(1, 9))
    above = [draw(st.integers(-1, place - 1)) for place in range(size)]
    sales = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 3), VOLUMES)))
    figures = [volume for _, _, volume in sales]
    return build_snapshot(
        members={
            "id": list(range(size)),
            "parents": {"sponsor": above, "enroller": above, "placement": above},
            "joined": [draw(st.integers(-200, 0)) for _ in range(size)],
            "flags": {"approved": [draw(st.booleans()) for _ in range(size)]},
        },
        lines={
            "id": list(range(len(sales))),
            "seller": [seller for seller, _, _ in sales],
            "kind": [kind for _, kind, _ in sales],
            "volumes": dict.fromkeys(("pv", "cv", "margin"), figures),
        },
        starts_on=0,
        ends_on=30,
    )


VOLUMES = st.integers(1, 3_000_000)
CEILED = [name for name in NAMES if name not in ("binary", "car-bonus", "retail")]


@pytest.mark.parametrize("name", CEILED)
@given(company=companies())
@settings(max_examples=40, deadline=None)
def test_no_company_is_paid_more_than_the_worst_case(name, company):
    plan = load_plan(preset(name))
    (limit,) = plan.limits
    worst = worst_case(limit.bonuses, str(limit.metric), plan).share
    free = replace(plan, limits=())
    sold = sum(int(volume) for volume in company.lines.volume("cv"))

    for trigger in ("payment", "period_close"):
        result = calculate(company, free, trigger)
        rounding = 2 * result.row_count + len(company.members)

        assert worst is not None
        assert result.total <= worst * sold + rounding


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_pays_somebody_who_sells_enough(name):
    size = 15
    above = [(place - 1) // 2 for place in range(size)]
    company = build_snapshot(
        members={
            "id": list(range(size)),
            "parents": {"sponsor": above, "enroller": above, "placement": above},
            "leg": [-1, *(place % 2 for place in range(size - 1))],
            "flags": {"approved": [True] * size},
        },
        lines={
            "id": list(range(size)),
            "seller": list(range(size)),
            "kind": [0] * size,
            "volumes": dict.fromkeys(("pv", "cv", "margin"), [2_500_00] * size),
        },
        state={"run.car": [2] * size},
        starts_on=0,
        ends_on=30,
    )
    plan = load_plan(preset(name))

    results = [calculate(company, plan, trigger) for trigger in ("payment", "period_close")]

    totals = {code: paid for result in results for code, paid in result.totals.items()}
    assert {bonus.code for bonus in plan.bonuses if totals[bonus.code] > 0} == {
        bonus.code for bonus in plan.bonuses if name != "fast-start" or bonus.code == "fast_start"
    }


def test_the_guide_lists_every_preset():
    listed = re.findall(r"^\| `([a-z-]+)\.json` \|", GUIDE.read_text(), re.MULTILINE)

    assert sorted(listed) == [*NAMES[:3], "demo", *NAMES[3:]]

"""What changes between two plans, in sentences."""

import copy
import json
from typing import Any

import pytest

from commissions.engine.plan.loading import load_plan
from commissions.engine.prose.differences import plan_diff
from tests.engine.documents import (
    PLANS,
    at_least,
    bonus,
    by_rank,
    by_step,
    demo,
    document,
    ladder,
    load,
    metric,
    upline,
)  # fmt: skip
from tests.engine.everything import everything
from tests.engine.mutations import changed

NAMES = sorted(path.stem for path in PLANS.glob("*.json"))


def sentences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return plan_diff(load(old), load(new))


def edited(*path: str | int, to: object) -> dict[str, Any]:
    """The demo plan with one value replaced."""
    whole = demo()
    part: Any = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = to
    return whole


@pytest.mark.parametrize("name", NAMES)
def test_no_change_is_no_difference(name):
    text = (PLANS / f"{name}.json").read_text()

    assert plan_diff(load_plan(json.loads(text)), load_plan(json.loads(text))) == []


def test_rates_are_compared_cell_by_cell():
    table = ("bonuses", 2, "rates", "table", "gold")

    assert sentences(demo(), edited(*table, to=["0.05", "0.04", "0.04", "0.03", "0.02"])) == [
        "Unilevel: Gold earns 4 % instead of 5 % at step 2."
    ]
    assert sentences(demo(), edited(*table, to=["0.05", "0.05", "0.04", "0.03"])) == [
        "Unilevel: Gold earns nothing instead of 2 % at step 5."
    ]
    assert sentences(demo(), edited("bonuses", 3, "rates", "table", "gold", to=["30.00"])) == [
        "Rank bonus: Gold earns 30.00 GBP instead of 25.00 GBP."
    ]


def test_other_tables_are_shown_row_by_row():
    by_ranks = by_rank({"bronze": ["0.05"], "silver": ["0.06", "0.03"]})
    old = document(ladders=[ladder()], bonuses=[bonus()])
    new = document(ladders=[ladder()], bonuses=[bonus(rates=by_ranks)])

    assert sentences(old, new) == [
        "Unilevel: The rates go by the earner's rank, by this period's figures. "
        "Before: The rates are the same for everybody.",
        "Unilevel: Bronze earns 5 %.",
        "Unilevel: Silver earns 6 %, 3 %.",
    ]


def test_ranks_say_what_they_ask_now():
    when = ("ladders", 0, "ranks", 1, "when", "of")
    pv, gv = demo()["ladders"][0]["ranks"][1]["when"]["of"]

    assert sentences(demo(), edited(*when, to=[pv, gv | {"figure": "1200.00"}])) == [
        "Rank Silver asks for 1,200.00 Group volume instead of 1,000.00."
    ]
    assert sentences(demo(), edited(*when, to=[pv])) == [
        "Rank Silver no longer asks that a member has at least 1,000.00 Group volume."
    ]
    assert sentences(demo(), edited(*when, to=[pv, gv, at_least("legs", "2")])) == [
        "Rank Silver now also asks that a member has at least 2 Legs with volume."
    ]


def test_the_earner_of_a_bonus_is_asked_too():
    eligibility = {"when": {"is": "active"}, "otherwise": "lost"}

    assert sentences(demo(), edited("bonuses", 2, "eligibility", to=eligibility)) == [
        "Unilevel now also asks that the earner is active."
    ]


def test_activity_and_payout_have_their_own_words():
    activity = {"is": "at_least", "metric": "pv", "figure": "60"}

    assert sentences(demo(), edited("activity", to=activity)) == [
        "Being active asks for 60.00 Personal volume instead of 50.00."
    ]
    assert sentences(demo(), edited("payout", "hold_days", to=14)) == [
        "Payout, days until payout: 14 instead of 0."
    ]


def test_a_place_in_the_ladder():
    ranks = {"bronze": at_least("pv", "100"), "silver": at_least("pv", "200")}
    turned = dict(reversed(ranks.items()))

    assert sentences(document(ladders=[ladder(ranks)]), document(ladders=[ladder(turned)])) == [
        "Rank Silver stands at place 1 of the ladder instead of 2.",
        "Rank Bronze stands at place 2 of the ladder instead of 1.",
    ]


def test_a_new_rank_below_others_moves_nobody():
    ranks = {"bronze": at_least("pv", "100"), "silver": at_least("pv", "200")}
    more = {"starter": at_least("pv", "20"), **ranks}

    assert sentences(document(ladders=[ladder(ranks)]), document(ladders=[ladder(more)])) == [
        "New: Rank Starter at place 1. It is for a member who has at least 20.00 PV."
    ]


def test_new_and_gone_bonuses():
    old = document(bonuses=[bonus("unilevel")])
    new = document(bonuses=[bonus("start", pays=upline(1), rates=by_step("0.2"))])

    assert sentences(old, new) == [
        "Unilevel is gone.",
        "New: Start at place 1. Paid on CV of each order line. It goes up the sponsor tree, one "
        "step after the other. Step 1 is the next above the seller. Everybody on the way up uses "
        "up a step. It pays at most 1 step, however far up. Steps that no upline is left for pay "
        "nobody. The rates are the same for everybody.",
    ]


def test_metrics_and_limits_are_named_by_their_names():
    old = document(metrics=[metric("pv"), metric("cv")], bonuses=[on_metric("pv")])
    new = document(metrics=[metric("pv"), metric("cv")], bonuses=[on_metric("cv")])

    assert sentences(old, new) == ["Unilevel, what it is paid on, measured by: CV instead of PV."]
    assert sentences(demo(), edited("limits", 0, "share", to="0.4")) == [
        "Payout ceiling, share: 40 % instead of 45 %."
    ]


def on_metric(code: str) -> dict[str, Any]:
    return bonus(base={"of": "metric", "metric": code}, pays={"who": "source"},
                 rates=by_step("0.1"))  # fmt: skip


def test_a_new_name_is_said_of_the_old_one():
    assert sentences(demo(), edited("bonuses", 1, "name", to="Retail profit")) == [
        "Retail margin is now called Retail profit instead of Retail margin."
    ]


@pytest.mark.parametrize("name", [*NAMES, "everything"])
def test_no_change_is_left_out(name):
    if name == "everything":
        plan = everything()
    else:
        plan = load_plan(json.loads((PLANS / f"{name}.json").read_text()))

    plan = plan.as_written
    silent = {path for path, other in changed(plan) if not plan_diff(plan, other)}

    assert {path for path in silent if not is_without_order(path)} == set()


def is_without_order(path: str) -> bool:
    """Whether the path is a list whose order says nothing: the parts of a condition, the bands."""
    return path.endswith((".of", ".bands"))


def test_a_condition_that_loses_a_part_is_said():
    asked = copy.deepcopy(demo())
    del asked["ladders"][0]["ranks"][4]["when"]["of"][1]

    assert sentences(demo(), asked) == [
        "Rank Diamond no longer asks that a member has at least 10,000.00 Group volume."
    ]

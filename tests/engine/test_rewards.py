"""What is given besides money: a trip, points, goods."""

from typing import Any

import pytest

from commissions.engine.calculate import calculate
from commissions.engine.lint import lint
from tests.engine.closing import close
from tests.engine.documents import (
    METRICS,
    Document,
    at_least,
    bonus,
    by_step,
    document,
    load,
    metric,
    upline,
)
from tests.engine.small import company
from tests.engine.test_language import faults_of

TEAM = {"asha": None, "bela": "asha"}
TRIP: Document = {"name": "Trip to Lisbon", "value": "3500"}
GIFT: Document = {
    "base": {"of": "flat", "per": "member"}, "pays": {"who": "source"}, "unit": "amount",
    "rates": by_step("1"), "eligibility": {"when": at_least("ever", "500"), "otherwise": "lost"},
}  # fmt: skip


def plan(*bonuses: Document, **parts: Any) -> Document:
    ever = metric("ever", volume="pv", window="lifetime")
    return document(metrics=[*METRICS, ever], bonuses=list(bonuses), **parts)


def given(closed: Any, code: str) -> dict[str, list[str]]:
    return closed.lines(code, closed.result.rewards)


def test_a_trip_is_given_once_and_no_money_is_paid():
    rule = load(plan(bonus("trip", reward=TRIP, occurrence={"times": "once"}, **GIFT)))
    first = close(rule, TEAM, [("bela", "300")])
    second = close(rule, TEAM, [("bela", "250")], state=first.result.state)
    third = close(rule, TEAM, [("bela", "900")], state=second.result.state)

    assert [given(month, "trip") for month in (first, second, third)] == [
        {},
        {"bela": ["1.00"]},
        {},
    ]
    assert second.result.ledger == ()
    assert second.result.total == 0
    assert second.result.payable.tolist() == [0, 0]
    assert third.state("reward.trip") == {"bela": 1_00}


def test_points_are_a_share_of_a_figure_and_add_up():
    points = bonus("points", base={"of": "metric", "metric": "pv"}, pays={"who": "source"},
                   rates=by_step("0.1"), reward={"name": "Point", "value": None})  # fmt: skip
    rule = load(plan(points))
    first = close(rule, TEAM, [("bela", "215"), ("asha", "10")])

    second = close(rule, TEAM, [("bela", "5")], state=first.result.state)

    assert given(first, "points") == {"asha": ["1.00"], "bela": ["21.50"]}
    assert second.state("reward.points") == {"asha": 1_00, "bela": 22_00}


def test_a_reward_goes_up_a_tree_like_money_and_counts_for_no_limit():
    money = bonus("money", pays=upline(1), rates=by_step("0.10"))
    points = bonus(
        "points", pays=upline(1), rates=by_step("1"), reward={"name": "P", "value": None}
    )
    most = {"code": "most", "name": "Most", "scope": "member", "bonuses": ["money"], "amount": "5",
            "share": None, "metric": None, "enforcement": "pro_rata",
            "overflow": "lost"}  # fmt: skip

    closed = close(load(plan(money, points, limits=[most])), TEAM, [("bela", "100")])

    assert given(closed, "points") == {"asha": ["100.00"]}
    assert closed.paid("most") == {"asha": ["-5.00"]}
    assert dict(closed.result.totals) == {"money": 10_00, "most": -5_00}


def test_a_plan_without_rewards_has_the_result_it_always_had():
    rule = load(plan(bonus(pays=upline(1), rates=by_step("0.10"))))

    result = calculate(company(TEAM, [("bela", "100")]), rule)

    assert result.rewards == ()
    assert not any(name.startswith("reward.") for name in result.state)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"trigger": "payment"}, "trigger: is payment, and what is no money is given at the close"),
        ({"pays": {"who": "company"}, "rates": by_step("0.1")},
         "pays.who: is company, and only money is kept or shared"),
        ({"pays": upline(unfilled="company")},
         "pays.unfilled: goes to the company, which can only keep money"),
        ({"eligibility": {"when": None, "otherwise": "held"}},
         "eligibility.otherwise: is held, and only money is kept or held"),
        ({"instalments": 2}, "instalments: are parts of money, and this gives none"),
    ],
)  # fmt: skip
def test_what_only_money_can_do_is_refused(parts: Document, fault: str):
    points = bonus("points", reward={"name": "Point", "value": None}) | parts

    assert faults_of(document(bonuses=[points])) == [f"$.bonuses[0].{fault}"]


def test_nothing_is_paid_on_a_reward_and_no_limit_names_it():
    points = bonus("points", reward={"name": "Point", "value": None})
    match = bonus("match", base={"of": "commissions", "bonuses": ["points"], "per": "line",
                                 "after_limits": False})  # fmt: skip
    most = {"code": "most", "name": "Most", "scope": "member", "bonuses": ["points"],
            "amount": "5", "share": None, "metric": None, "enforcement": "pro_rata",
            "overflow": "lost"}  # fmt: skip

    assert faults_of(document(bonuses=[points, match], limits=[most])) == [
        '$.limits[0].bonuses[0]: "points" gives no money that could be limited',
        '$.bonuses[1].base.bonuses[0]: "points" gives no money, so there is nothing of it to go by',
    ]


def test_a_reward_for_heads_is_pay_for_enrolment_as_well():
    heads = bonus("heads", base={"of": "flat", "per": "member"}, pays=upline(1), unit="amount",
                  rates=by_step("1"), reward=TRIP)  # fmt: skip

    found = [str(finding) for finding in lint(load(document(bonuses=[heads])))]

    assert any("compliance" in finding for finding in found)

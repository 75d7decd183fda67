"""What bonuses may come to: cuts as lines of their own, exact, in the order of the plan."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.calculate import calculate
from commissions.engine.limits import apportioned, check_limits
from commissions.engine.plan import PAYMENT, Plan
from commissions.engine.result import LimitCheck, Result
from tests.engine.documents import (
    COMPANY,
    Document,
    at_least,
    bonus,
    by_step,
    document,
    ladder,
    load,
    metric,
    money,
    upline,
)  # fmt: skip
from tests.engine.small import company

PEOPLE = dict.fromkeys("abcdef")


def own(code: str = "own", **parts: object) -> Document:
    """The source himself gets all of his CV, so that amounts can be written down as sales."""
    return bonus(code, pays={"who": "source"}, rates=by_step("1"), **parts)


def limit(code: str = "cap", **parts: object) -> Document:
    given: Document = {
        "code": code, "name": code.title(), "scope": "member", "bonuses": ["own"],
        "amount": None, "share": None, "metric": None,
        "enforcement": "pro_rata", "overflow": "lost",
    }  # fmt: skip
    return given | parts


def plan_with(*limits: Document, **parts: object) -> Plan:
    metrics = [metric("cv"), metric("company_cv", volume="cv", scope=COMPANY)]
    return load(document(**{"metrics": metrics, "bonuses": [own()], "limits": limits, **parts}))


def run(plan: Plan, earned: dict[str, str], state: Any = None, **columns: Any) -> Result:
    """Everybody sells what he is to earn."""
    return calculate(company(PEOPLE, list(earned.items()), state=state, **columns), plan)


def cuts(result: Result, plan: Plan, code: str = "cap") -> dict[str, int]:
    """What a limit's lines come to, by member."""
    return {
        "abcdef"[member]: int(amount)
        for block in result.ledger
        if plan.programmes[block.bonus].code == code
        for member, amount in zip(block.earner, block.amount, strict=True)
    }


def test_a_position_and_a_person_of_two_positions_are_cut_to_five_thousand():
    plan = plan_with(
        limit("position", amount="5000"), limit("person", scope="person", amount="5000")
    )

    result = run(plan, {"a": "8000", "b": "3000", "c": "3000"}, owner=[0, 1, 1, 3, 4, 5])

    assert cuts(result, plan, "position") == {"a": -3000_00}
    assert cuts(result, plan, "person") == {"b": -500_00, "c": -500_00}
    assert result.earned().tolist() == [5000_00, 2500_00, 2500_00, 0, 0, 0]
    assert result.totals == {"own": 14000_00, "position": -3000_00, "person": -1000_00}


def test_a_limit_for_each_package():
    packages = [{"code": code, "name": code, "value": "0"} for code in ("small", "large")]
    small, large = ({"is": "package", "packages": [code]} for code in ("small", "large"))
    plan = plan_with(
        limit("low", amount="50", when=small),
        limit("high", amount="120", when=large),
        packages=packages,
    )

    result = run(plan, {"a": "80", "b": "80", "c": "130", "d": "1000"}, package=[0, 1, 1, -1, 0, 0])

    assert cuts(result, plan, "low") == {"a": -30_00}
    assert cuts(result, plan, "high") == {"c": -10_00}
    assert result.earned().tolist() == [50_00, 80_00, 120_00, 1000_00, 0, 0]


def test_what_was_held_is_free_for_who_need_not_keep_to_the_limit_any_more():
    new = {"is": "joined_in_period"}
    plan = plan_with(limit(amount="50", when=new, overflow="held"))

    first = run(plan, {"a": "80"}, joined=[1_000] * 6)
    second = run(plan, {"a": "80"}, state=first.state, joined=[1] * 6)

    assert cuts(first, plan) == {"a": -30_00}
    assert cuts(second, plan) == {"a": 30_00}


def test_a_cut_is_a_line_with_the_limits_place_and_no_source():
    plan = plan_with(limit(amount="5000"))

    block = run(plan, {"b": "8000"}).ledger[-1]

    assert (block.bonus, block.level) == (1, 0)
    assert [getattr(block, name).tolist() for name in ("earner", "source", "line")] == [
        [1],
        [-1],
        [-1],
    ]
    assert (block.base.tolist(), block.rate.tolist()) == ([-3000_00], [1_000_000])


def test_62000_is_capped_to_50000():
    plan = plan_with(limit(amount="50000"))

    assert run(plan, {"a": "62000", "b": "50000"}).earned()[:2].tolist() == [50000_00, 50000_00]


def test_the_company_pays_42_percent_of_a_million():
    plan = plan_with(limit(scope="company", share="0.42", metric="company_cv"))

    result = run(plan, {"a": "600000", "b": "400000"})

    assert result.total == 420_000_00
    assert result.earned()[:2].tolist() == [252_000_00, 168_000_00]


def test_a_cut_of_twelve_percent_leaves_880_and_88():
    plan = plan_with(limit(scope="company", share="0.88", metric="company_cv"))

    assert run(plan, {"a": "1000", "b": "100"}).earned()[:2].tolist() == [880_00, 88_00]


@pytest.mark.parametrize(
    ("earned", "left"),
    [
        (["1.00", "1.00", "1.00"], [34, 33, 33]),
        (["2.00", "2.00", "3.00"], [29, 28, 43]),  # of 28.57, 28.57 and 42.86
    ],
)
def test_what_rounding_leaves_over_goes_to_the_largest_remainder(earned, left):
    plan = plan_with(limit(scope="company", amount="1.00"))

    result = run(plan, dict(zip("abc", earned, strict=True)))

    assert result.earned()[:3].tolist() == left


def test_lower_ranks_are_paid_first_and_the_last_rank_shares():
    ranks = ladder({"bronze": at_least("cv", "100"), "silver": at_least("cv", "300")})
    plan = plan_with(
        limit(scope="company", amount="500", enforcement="lower_ranks_first"), ladders=[ranks]
    )

    result = run(plan, {"a": "300", "b": "100", "c": "600", "d": "50", "e": "50"})

    assert result.earned().tolist() == [100_00, 100_00, 200_00, 50_00, 50_00, 0]
    assert result.ledger[-1].rank_level.tolist() == [2, 2]


def test_a_limit_that_refuses_cuts_nothing_and_names_the_excess():
    plan = plan_with(
        limit(scope="company", share="0.45", metric="company_cv", enforcement="refuse")
    )

    result = run(plan, {"a": "100"})

    assert result.checks == (LimitCheck("cap", allowed=45_00, paid=100_00),)
    assert result.checks[0].excess == 55_00
    assert (result.total, result.totals["cap"]) == (100_00, 0)


def test_checks_are_made_over_the_totals_of_both_triggers():
    plan = plan_with(
        limit(scope="company", share="0.45", metric="company_cv", enforcement="refuse")
    )
    metrics = {"company_cv": np.array([200_00, 200_00])}

    (check,) = check_limits(plan, {"own": 70_00, "others": 1}, metrics)

    assert (check.allowed, check.paid, check.excess) == (90_00, 70_00, 0)


def test_a_limit_that_refuses_counts_what_limits_before_it_cut():
    ceiling = limit("ceiling", scope="company", amount="100", enforcement="refuse")

    after = run(plan_with(limit("cap", amount="60"), ceiling), {"a": "100", "b": "30"})
    before = run(plan_with(ceiling, limit("cap", amount="60")), {"a": "100", "b": "30"})

    assert after.checks == (LimitCheck("ceiling", allowed=100_00, paid=90_00),)
    assert before.checks == (LimitCheck("ceiling", allowed=100_00, paid=130_00),)


def test_a_limit_that_refuses_counts_what_was_paid_at_payment():
    ceiling = limit(scope="company", amount="100", enforcement="refuse", bonuses=["direct", "own"])
    plan = plan_with(ceiling, bonuses=[own("direct", trigger=PAYMENT), own()])

    result = run(plan, {"b": "40"}, {"paid.direct": [70_00, 0, 0, 0, 0, 0]})

    assert result.checks == (LimitCheck("cap", allowed=100_00, paid=110_00),)


def test_negative_volume_allows_nothing():
    plan = plan_with(
        limit(scope="company", share="0.45", metric="company_cv", enforcement="refuse")
    )

    (check,) = check_limits(plan, {}, {"company_cv": np.array([-5])})

    assert check.allowed == 0


def test_a_members_limit_is_a_share_of_his_own_metric():
    metrics = [metric("cv"), metric("pv"), metric("company_cv", volume="cv", scope=COMPANY)]
    plan = plan_with(limit(share="0.10", metric="pv"), metrics=metrics)

    result = run(plan, {"a": "10.05", "b": "20"})

    assert result.earned()[:2].tolist() == [1_00, 2_00]


def test_what_is_held_is_paid_when_there_is_room():
    plan = plan_with(limit(amount="100", overflow="held"))

    first = run(plan, {"a": "250", "b": "40"})
    second = run(plan, {"a": "40"}, first.state)
    third = run(plan, {"a": "0.01"}, second.state)

    assert cuts(first, plan) == {"a": -150_00}
    assert first.state["limit.cap"].tolist() == [150_00, 0, 0, 0, 0, 0]
    assert cuts(second, plan) == {"a": 60_00}
    assert cuts(third, plan) == {"a": 90_00}
    assert third.earned()[0] == 90_01
    assert "limit.cap" not in third.state


def test_what_a_limit_pays_late_counts_for_the_limits_after_it():
    first = limit("first", amount="100", overflow="held")
    plan = plan_with(first, limit("second", scope="company", amount="80"))

    result = run(plan, {"a": "40"}, {"limit.first": [60_00, 0, 0, 0, 0, 0]})

    assert cuts(result, plan, "first") == {"a": 60_00}
    assert cuts(result, plan, "second") == {"a": -20_00}


def test_room_of_a_person_is_shared_by_what_his_positions_wait_for():
    plan = plan_with(limit(scope="person", amount="100", overflow="held"))
    state = {"limit.cap": [300_00, 100_00, 0, 0, 0, 0]}

    result = run(plan, {"b": "60"}, state, owner=[0, 0, 2, 3, 4, 5])

    assert cuts(result, plan) == {"a": 30_00, "b": 10_00}
    assert result.state["limit.cap"].tolist() == [270_00, 90_00, 0, 0, 0, 0]


def test_lost_overflow_is_not_carried():
    assert "limit.cap" not in run(plan_with(limit(amount="1")), {"a": "5"}).state


def test_each_limit_takes_from_what_those_before_it_left():
    plan = plan_with(
        limit("first", amount="100", bonuses=["own", "too"]),
        limit("second", scope="company", amount="60", bonuses=["own"]),
        bonuses=[own(), own("too", factor="0.5")],
    )

    result = run(plan, {"a": "200"})

    assert cuts(result, plan, "first") == {"a": -200_00}
    assert cuts(result, plan, "second") == {"a": -6_67}
    assert result.earned()[0] == 93_33


def test_what_was_paid_at_payment_counts_and_can_be_cut_at_the_close():
    direct = own("direct", trigger=PAYMENT)
    plan = plan_with(limit(amount="100", bonuses=["direct", "own"]), bonuses=[direct, own()])
    state = {"paid.direct": [130_00, 90_00, 0, 0, 0, 0]}

    result = run(plan, {"b": "20"}, state)

    assert cuts(result, plan) == {"a": -30_00, "b": -10_00}
    assert not any(name.startswith("paid") for name in result.state)


def test_what_was_paid_at_payment_is_cut_where_the_close_pays_nothing():
    plan = plan_with(
        limit(amount="100", bonuses=["direct"]), bonuses=[own("direct", trigger=PAYMENT)]
    )

    result = run(plan, {}, {"paid.direct": [130_00, 0, 0, 0, 0, 0]})

    assert cuts(result, plan) == {"a": -30_00}


def test_at_payment_no_limit_is_applied():
    plan = plan_with(limit(amount="1"), bonuses=[own(trigger=PAYMENT)])

    result = calculate(company(PEOPLE, [("a", "5")]), plan, PAYMENT)

    assert (result.total, result.checks, result.totals) == (5_00, (), {"own": 5_00})


@pytest.mark.parametrize(("after_limits", "matched"), [(True, 500_00), (False, 800_00)])
def test_a_match_is_paid_on_what_a_limit_left_where_the_plan_says(after_limits, matched):
    base = {"of": "commissions", "bonuses": ["own"], "per": "member", "after_limits": after_limits}
    match = bonus("match", base=base, pays=upline(1), rates=by_step("0.10"))
    plan = plan_with(limit(amount="5000"), bonuses=[own(), match])
    snapshot = company({"up": None, "p": "up"}, [("p", "8000")])

    assert calculate(snapshot, plan).earned().tolist() == [matched, 5000_00]


def test_a_match_bears_no_cut_of_what_it_does_not_match():
    base = {"of": "commissions", "bonuses": ["own"], "per": "member", "after_limits": True}
    match = bonus("match", base=base, pays=upline(1), rates=by_step("0.10"))
    plan = plan_with(limit(amount="10", bonuses=["other"]), bonuses=[own(), own("other"), match])
    snapshot = company({"up": None, "p": "up"}, [("p", "100")])

    assert calculate(snapshot, plan).earned().tolist() == [10_00, 110_00]


def test_six_decimals_are_shared_where_products_need_more_than_64_bits():
    plan = plan_with(
        limit(scope="company", amount="10000000"), money=money(scale=6, rounding="toward_zero")
    )

    result = run(plan, {"a": "6000000", "b": "6000000", "c": "3000000"})

    assert result.earned()[:3].tolist() == [4_000_000_000_000, 4_000_000_000_000, 2_000_000_000_000]


WANTED = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**12)), min_size=1, max_size=30)


@settings(max_examples=100)
@given(WANTED, st.lists(st.integers(0, 10**13), min_size=4, max_size=4))
def test_sharing_is_exact_and_fair(entries, allowed):
    group, wanted = (np.array(column) for column in zip(*entries, strict=True))

    got = apportioned(wanted, group.astype(np.int32), np.array(allowed))

    for place, most in enumerate(allowed):
        total = int(wanted[group == place].sum())
        given = min(total, most)
        assert got[group == place].sum() == given
        for share, asked in zip(got[group == place], wanted[group == place], strict=True):
            assert abs(share - Fraction(given, total) * int(asked)) < 1
            assert 0 <= share <= asked

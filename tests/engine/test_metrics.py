"""What is measured of a member, on one small company with known sums.

asha 100
  bela 200
    divya 400
      esha 800
  chetan 50
"""

import pytest

from commissions.engine.errors import CapacityError, EngineError, PlanError, SnapshotError
from tests.engine.documents import (
    COMPANY,
    METRICS,
    at_least,
    document,
    given_ladder,
    group,
    has_rank,
    ladder,
    levels,
    metric,
)
from tests.engine.small import FIRST_DAY, LAST_DAY, known, of

TEAM = {"asha": None, "bela": "asha", "divya": "bela", "esha": "divya", "chetan": "asha"}
NAMES = list(TEAM)
SALES = [
    ("asha", "100.00"),
    ("bela", "200.00"),
    ("divya", "400.00"),
    ("esha", "800.00"),
    ("chetan", "50.00"),
]
EVERYBODY = {"is": "all", "of": []}
ACTIVE = {"is": "active"}
NEW = {"is": "joined_in_period"}


def figures(parts, sales=SALES, refunds=(), plan=None, **more):
    """The metric of these parts by name."""
    whole = document(metrics=[*METRICS, metric("it", **parts)], **(plan or {}))
    facts = known(whole, TEAM, sales, refunds, **more)
    return list(of(facts, facts.metric("it")).values())


def volume(scope, **parts):
    return {"volume": "pv", "scope": scope} | parts


def members(scope, **parts):
    return {"what": "members", "scope": scope} | parts


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"scope": "own"}, [100, 200, 400, 800, 50]),
        ({"scope": "legs", "tree": "sponsor", "first": 1, "last": 1}, [1400, 1200, 800, 0, 0]),
        ({"scope": "legs", "tree": "sponsor", "first": 2}, [50, 0, 0, 0, 0]),
        ({"scope": "legs", "tree": "sponsor", "first": 1}, [1450, 1200, 800, 0, 0]),
        (group(), [1550, 1400, 1200, 800, 50]),
        (group(include_self=False), [1450, 1200, 800, 0, 0]),
        (levels(1, 1), [250, 400, 800, 0, 0]),
        (levels(2, 3), [1200, 800, 0, 0, 0]),
        (levels(4, 100), [0, 0, 0, 0, 0]),
        (COMPANY, [1550] * 5),
        (group(until=at_least("pv", "400")), [350, 200, 400, 800, 50]),
        (group(until=at_least("pv", "400"), include_self=False), [250, 0, 0, 0, 0]),
    ],
)
def test_volume_is_summed_over_the_scope(scope, expected):
    assert figures(volume(scope)) == [whole * 100 for whole in expected]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"scope": "own"}, [1, 1, 1, 1, 1]),
        (group(), [5, 3, 2, 1, 1]),
        (group(include_self=False), [4, 2, 1, 0, 0]),
        (levels(1, 2), [3, 2, 1, 0, 0]),
        (COMPANY, [5] * 5),
    ],
)
def test_people_are_counted_as_whole_numbers(scope, expected):
    assert figures(members(scope)) == [count * 100 for count in expected]


def test_legs_of_all_time_are_of_what_everybody_sold_in_the_leg_in_which_he_stands():
    """Chetan sold 3,000.00 before: his leg is now the larger one."""
    parts = volume({"scope": "legs", "tree": "sponsor", "first": 1, "last": 1}, window="lifetime")
    whole = document(metrics=[*METRICS, metric("it", **parts)])

    facts = known(whole, TEAM, SALES, state={"metric.it.total": [0, 0, 0, 0, 3_000_00]})

    assert facts.metric("it").tolist() == [3_050_00, 1_200_00, 800_00, 0, 0]
    assert facts.state_out["metric.it.total"].tolist() == [
        100_00, 200_00, 400_00, 800_00, 3_050_00,
    ]  # fmt: skip


def test_only_people_who_meet_the_condition_count():
    rich = at_least("pv", "200")

    assert figures(members(group(), where=rich)) == [300, 300, 200, 100, 0]
    assert figures(volume(group(), where=rich)) == [140000, 140000, 120000, 80000, 0]
    assert figures(members(levels(1, 1), where=ACTIVE), plan={"activity": rich}) == [
        100, 100, 100, 0, 0,
    ]  # fmt: skip


def test_only_lines_of_the_kinds_count():
    sales = [*SALES, ("bela", "1000.00", "enrolment_kit"), ("asha", "10.00", "autoship")]

    assert figures(volume({"scope": "own"}, kinds=["autoship"]), sales) == [1000, 0, 0, 0, 0]
    assert figures(volume(levels(1, 1), kinds=["retail", "enrolment_kit"]), sales) == [
        125000, 40000, 80000, 0, 0,
    ]  # fmt: skip


def test_refunds_lower_volumes_and_are_no_orders():
    refunds = [("bela", "250.00"), ("esha", "100.00", "autoship")]

    assert figures(volume(group()), refunds=refunds)[:2] == [120000, 105000]
    assert figures(volume({"scope": "own"}), refunds=refunds)[1] == -5000
    orders = {"what": "orders", "scope": group()}
    assert figures(orders, [*SALES, SALES[1]], refunds) == [600, 400, 200, 100, 100]
    assert figures(orders | {"kinds": ["autoship"]}, refunds=refunds) == [0] * 5


def test_group_volume_stops_at_those_whose_rank_breaks_away():
    plan = {"ladders": [ladder({"leader": at_least("pv", "400")})]}

    assert figures(volume(group(until=has_rank("leader"))), plan=plan) == [
        35000, 20000, 40000, 80000, 5000,
    ]  # fmt: skip


def test_who_breaks_away_by_his_group_volume_is_found_from_the_bottom_up():
    """divya's group has 1200 and breaks away; bela is left with 200, which no longer does."""
    parts = volume(group(until=has_rank("leader")))
    plan = {"ladders": [ladder({"leader": at_least("it", "900")})]}
    sales = [*SALES[:3], ("esha", "850.00"), SALES[4]]

    whole = document(metrics=[metric("it", **parts)], **plan)
    facts = known(whole, TEAM, sales)

    assert of(facts, facts.metric("it")) == {
        "asha": 35000, "bela": 20000, "divya": 125000, "esha": 85000, "chetan": 5000,
    }  # fmt: skip
    assert of(facts, facts.ranks("rank").paid_as) == dict.fromkeys(NAMES, 0) | {"divya": 1}


# Windows


def test_the_last_periods_are_added_and_move_on_by_one():
    parts = volume({"scope": "own"}, window="periods", length=3)
    state = {"metric.it.1": [1, 2, 3, 4, 5], "metric.it.2": [10, 20, 30, 40, 50]}
    facts = known(document(metrics=[metric("it", **parts)]), TEAM, SALES, state=state)

    assert facts.metric("it").tolist() == [10011, 20022, 40033, 80044, 5055]
    assert {name: values.tolist() for name, values in facts.state_out.items()} == {
        "metric.it.1": [10000, 20000, 40000, 80000, 5000],
        "metric.it.2": [1, 2, 3, 4, 5],
    }


def test_lifetime_adds_all_that_was_before():
    parts = volume(group(), window="lifetime")
    state = {"metric.it.total": [1000, 0, 0, 0, 7]}
    facts = known(document(metrics=[metric("it", **parts)]), TEAM, SALES, state=state)

    assert facts.metric("it").tolist() == [156000, 140000, 120000, 80000, 5007]
    assert list(facts.state_out) == ["metric.it.total"]
    assert facts.state_out["metric.it.total"].tolist() == facts.metric("it").tolist()


def test_a_period_carries_nothing_on():
    facts = known(document(), TEAM, SALES)

    facts.standings()

    assert facts.state_out == {}


def test_volume_of_the_first_days_is_that_of_each_sellers_own():
    joined = [FIRST_DAY - 60, FIRST_DAY, FIRST_DAY, FIRST_DAY + 5, FIRST_DAY]
    sales = [
        ("asha", "1.00", "retail", FIRST_DAY),
        ("bela", "20.00", "retail", FIRST_DAY + 10),
        ("bela", "100.00", "retail", FIRST_DAY + 11),
        ("esha", "300.00", "retail", FIRST_DAY + 15),
    ]
    parts = volume(group(), window="first_days", length=10)
    state = {"metric.it.total": [50, 0, 0, 0, 0]}
    plan = document(metrics=[metric("it", **parts)])

    facts = known(plan, TEAM, sales, joined=joined, state=state)

    assert facts.metric("it").tolist() == [32050, 32000, 30000, 30000, 0]
    assert facts.state_out["metric.it.total"].tolist() == facts.metric("it").tolist()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"scope": "own"}, [1, 1, 1, 1, 1]),
        (levels(1, 1), [2, 0, 0, 0, 0]),
        (levels(2, 3), [1, 1, 0, 0, 0]),
        (group(), [4, 2, 1, 1, 1]),
        (group(include_self=False), [3, 1, 0, 0, 0]),
        (group(include_self=False, until=has_rank("away", "marks")), [1, 1, 0, 0, 0]),
        (COMPANY, [4, 4, 1, 2, 3]),
    ],
)
def test_people_of_the_first_days_joined_soon_after_the_member_himself(scope, expected):
    """asha and bela joined on day 0, chetan on 20, esha on 30, divya, above esha, on 31."""
    joined = [FIRST_DAY + day for day in (0, 0, 31, 30, 20)]
    parts = members(scope, window="first_days", length=30)
    plan = {"ladders": [given_ladder("marks", "away")]}
    given = {"marks": [0, 1, 0, 0, 0]}

    found = figures(parts, plan=plan, joined=joined, given=given)

    assert found == [count * 100 for count in expected]


def test_people_are_counted_once_in_a_lifetime_however_many_periods():
    parts = members(levels(1, 1), window="lifetime")

    assert figures(parts, state={"metric.it.total": [900] * 5}) == [200, 100, 100, 0, 0]


def test_new_people_of_the_last_periods_are_added():
    joined = [0, FIRST_DAY, LAST_DAY, LAST_DAY + 1, FIRST_DAY - 1]
    parts = members(levels(1, 2), where=NEW, window="periods", length=2)

    found = figures(parts, joined=joined, state={"metric.it.1": [500, 0, 0, 0, 0]})

    assert found == [700, 100, 0, 0, 0]


def test_volume_of_new_people_goes_by_the_day_of_the_order():
    joined = [FIRST_DAY, 0, 0, 0, 0]
    sales = [("asha", "1.00", "retail", FIRST_DAY + day) for day in (0, 7, 8)]
    parts = volume({"scope": "own"}, where={"is": "joined_within", "days": 7})

    assert figures(parts, sales, joined=joined) == [200, 0, 0, 0, 0]


# What can't be worked out


def test_a_window_that_overflows_is_refused():
    parts = volume({"scope": "own"}, window="lifetime")

    with pytest.raises(CapacityError, match="IT"):
        figures(parts, state={"metric.it.total": [2**63 - 100, 0, 0, 0, 0]})


def test_metrics_that_ask_for_each_other_on_the_same_member_are_refused():
    one = metric("one", volume="pv", where=at_least("two", "1"))
    two = metric("two", volume="pv", where=at_least("one", "1"))

    with pytest.raises(PlanError) as refused:
        known(document(metrics=[one, two]), TEAM, SALES)

    assert [fault.path for fault in refused.value.faults] == ["$.metrics[0]", "$.metrics[1]"]


def test_a_knot_that_never_settles_is_refused():
    """Up one tree and up the other: each is left out of the other's group when he is not."""
    until = {"is": "not", "of": at_least("two", "100")}
    one = metric("one", volume="pv", scope=group("sponsor", include_self=False, until=until))
    two = metric(
        "two",
        volume="pv",
        scope=group("enroller", include_self=False, until=at_least("one", "100")),
    )
    names = {"a": None, "b": "a", "c": "b"}
    parents = {"sponsor": [1, 2, -1], "enroller": [-1, 0, 1]}
    sales = [(name, "100.00") for name in names]

    facts = known(document(metrics=[one, two]), names, sales, parents=parents)

    with pytest.raises(EngineError, match="never settle: metric one, metric two"):
        facts.metric("one")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"package": [0, -1, -1, -1, -1]}, "package 0, unknown"),
        ({"title": {"rank": [3, 0, 0, 0, 0]}}, "rank 3 of rank"),
    ],
)
def test_what_the_plan_does_not_know_is_refused(columns, message):
    with pytest.raises(SnapshotError, match=message):
        known(document(ladders=[ladder()]), TEAM, SALES, **columns)

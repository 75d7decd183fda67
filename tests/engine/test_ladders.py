"""Ranks met, held and ever reached, period after period."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.documents import (
    METRICS,
    all_of,
    any_of,
    at_least,
    document,
    given_ladder,
    group,
    has_rank,
    ladder,
    levels,
    metric,
)
from tests.engine.small import LAST_DAY, known, of

ALONE = {"u": None}
GRACE = {"policy": "grace", "periods": 2}
NEVER = {"policy": "never_falls"}
THREE = {
    "bronze": at_least("pv", "100"),
    "silver": at_least("gv", "500"),
    "gold": at_least("pv", "300"),
}


def standing(pv, *, held=0, highest=None, state=None, joined=0, **parts):
    """(paid-as, title, highest) of somebody with that PV, and what is carried on."""
    ladders = [ladder(**parts)]
    facts = known(
        document(ladders=ladders),
        ALONE,
        [("u", pv)],
        state={f"rank.rank.{name}": [left] for name, left in (state or {}).items()},
        title={"rank": [held]},
        highest={"rank": [held if highest is None else highest]},
        joined=[LAST_DAY - joined],
    )
    ranks = facts.ranks("rank")
    carried = {name[10:]: int(left[0]) for name, left in facts.state_out.items()}
    return tuple(int(level[0]) for level in (ranks.paid_as, ranks.title, ranks.highest)), carried


@pytest.mark.parametrize(
    ("climb", "levels"),
    [("each_rank", [0, 1, 1, 0, 3]), ("highest_met", [0, 1, 3, 2, 3])],
)
def test_a_rung_that_is_not_met_stops_the_climb_or_is_passed_over(climb, levels):
    sponsors = {"a": None, "b": None, "c": None, "d": None, "e": None, "d1": "d"}
    sales = [("a", "99.99"), ("b", "100"), ("c", "300"), ("d1", "500"), ("e", "500")]

    facts = known(document(ladders=[ladder(THREE, climb=climb)]), sponsors, sales)

    assert facts.ranks("rank").paid_as.tolist()[:5] == levels


def test_falls_at_once():
    assert standing("99", held=2)[0] == (0, 0, 2)
    assert standing("100", held=2)[0] == (1, 1, 2)
    assert standing("200", held=1)[0] == (2, 2, 2)


def test_never_falls():
    assert standing("99", held=2, when_not_met=NEVER)[0] == (0, 2, 2)
    assert standing("100", held=0, highest=2, when_not_met=NEVER)[0] == (1, 2, 2)


@pytest.mark.parametrize(
    ("pv", "held", "missed", "ranks", "missed_then"),
    [
        ("200", 1, 0, (2, 2, 2), 0),
        ("99", 1, 0, (0, 1, 1), 1),
        ("99", 1, 1, (0, 0, 1), 0),
        ("100", 1, 1, (1, 1, 1), 0),
        ("100", 2, 1, (1, 1, 2), 0),
    ],
)
def test_a_title_is_kept_through_the_grace_and_then_falls(pv, held, missed, ranks, missed_then):
    found, carried = standing(pv, held=held, state={"missed": missed}, when_not_met=GRACE)

    assert found == ranks
    assert carried["missed"] == missed_then


LOCK = {"joined_within_days": 180, "periods": 6}


@pytest.mark.parametrize(
    ("pv", "held", "joined", "locked", "ranks", "locked_then"),
    [
        ("100", 0, 73, 0, (1, 1, 1), 6),
        ("100", 0, 180, 0, (1, 1, 1), 6),
        ("100", 0, 181, 0, (1, 1, 1), 0),
        ("99", 0, 73, 0, (0, 0, 0), 0),
        ("99", 1, 100, 6, (0, 1, 1), 5),
        ("99", 1, 300, 1, (0, 1, 1), 0),
        ("99", 1, 300, 0, (0, 0, 1), 0),
        ("200", 1, 100, 4, (2, 2, 2), 3),
    ],
)
def test_a_first_rank_reached_soon_is_locked(pv, held, joined, locked, ranks, locked_then):
    found, carried = standing(pv, held=held, joined=joined, state={"locked": locked}, lock=LOCK)

    assert found == ranks
    assert carried["locked"] == locked_then


def test_what_is_missed_under_a_lock_does_not_use_up_the_grace():
    rules = {"when_not_met": GRACE, "lock": LOCK}

    found, carried = standing("99", held=1, state={"locked": 2}, **rules)

    assert found == (0, 1, 1)
    assert carried == {"missed": 0, "locked": 1, "since": 0}


def test_the_day_of_the_highest_rank_is_kept():
    assert standing("100", held=0)[1]["since"] == LAST_DAY
    assert standing("100", held=1, state={"since": 700})[1]["since"] == 700
    assert standing("200", held=1, state={"since": 700})[1]["since"] == LAST_DAY
    assert standing("200", held=1, highest=2, state={"since": 700})[1]["since"] == 700


def test_a_given_ladder_is_taken_as_it_comes():
    plan = document(ladders=[given_ladder("pack", "basic", "pro")])
    facts = known(plan, {"a": None, "b": "a"}, given={"pack": [2, 1]}, highest={"pack": [0, 2]})

    ranks = facts.ranks("pack")

    assert ranks.paid_as.tolist() == ranks.title.tolist() == [2, 1]
    assert ranks.highest.tolist() == [2, 2]
    assert facts.state_out["rank.pack.since"].tolist() == [LAST_DAY, 0]


# Ranks that ask for ranks


def leg(rank, members=1, legs=2):
    return {
        "is": "legs_with_members", "legs": legs, "tree": "sponsor", "members": members,
        "ladder": "rank", "rank": rank,
    }  # fmt: skip


TREE = {"u": None, "l": "u", "r": "u", "l1": "l", "l2": "l", "r1": "r", "r2": "r"}
LEAVES = [(name, "100") for name in TREE]


@pytest.mark.parametrize("climb", ["each_rank", "highest_met"])
def test_a_rank_asks_for_legs_of_the_rank_below(climb):
    ranks = {"one": at_least("pv", "100"), "two": leg("one"), "three": leg("two")}

    facts = known(document(ladders=[ladder(ranks, climb=climb)]), TREE, LEAVES)

    assert of(facts, facts.ranks("rank").paid_as) == {
        "u": 3, "l": 2, "r": 2, "l1": 1, "l2": 1, "r1": 1, "r2": 1,
    }  # fmt: skip


def test_a_rank_asks_for_its_own_rank_further_down_a_long_line():
    """Each in a chain is a leader when the one below is; the last is one by his own volume."""
    names = [f"p{place}" for place in range(60)]
    chain = {name: names[place - 1] if place else None for place, name in enumerate(names)}
    either = any_of(at_least("pv", "100"), leg("leader", legs=1))
    plan = document(ladders=[ladder({"leader": either})])

    assert known(plan, chain, [("p59", "100")]).ranks("rank").paid_as.tolist() == [1] * 60
    assert known(plan, chain, [("p30", "100")]).ranks("rank").paid_as.tolist() == [
        *[1] * 31, *[0] * 29,
    ]  # fmt: skip
    assert known(plan, chain, [("p59", "99")]).ranks("rank").paid_as.tolist() == [0] * 60


def test_a_rank_asks_how_many_of_the_frontline_are_of_it_too():
    silvers = metric("silvers", what="members", where=has_rank("silver"), scope=levels(1, 1))
    either = any_of(at_least("pv", "200"), at_least("silvers", "2"))
    ranks = {"bronze": at_least("pv", "100"), "silver": either}
    sales = [*LEAVES[:3], ("l1", "200"), ("l2", "200"), ("r1", "200"), ("r2", "100")]
    plan = document(metrics=[*METRICS, silvers], ladders=[ladder(ranks)])

    facts = known(plan, TREE, sales)

    assert of(facts, facts.metric("silvers")) == {
        "u": 100, "l": 200, "r": 100, "l1": 0, "l2": 0, "r1": 0, "r2": 0,
    }  # fmt: skip
    assert of(facts, facts.ranks("rank").paid_as) == {
        "u": 1, "l": 2, "r": 1, "l1": 2, "l2": 2, "r1": 2, "r2": 1,
    }  # fmt: skip


def test_a_rank_asks_the_member_himself_for_a_lower_one():
    ranks = {
        "one": at_least("pv", "100"),
        "two": at_least("pv", "1"),
        "three": all_of(has_rank("one"), at_least("gv", "500")),
    }
    plan = document(ladders=[ladder(ranks, climb="highest_met")])

    facts = known(plan, {"a": None, "b": None, "c": "b"}, [("a", "500"), ("c", "500")])

    assert of(facts, facts.ranks("rank").paid_as) == {"a": 3, "b": 0, "c": 3}


def test_a_ladder_asks_for_ranks_of_another():
    """Leader: Silver, or Bronze with a leader further down."""
    below = all_of(has_rank("bronze"), leg("leader", legs=1) | {"ladder": "lead"})
    lead = ladder({"leader": any_of(has_rank("silver"), below)}, code="lead")
    sales = [("u", "100"), ("l", "100"), ("r", "99"), ("l1", "200"), ("r1", "200")]

    facts = known(document(ladders=[lead, ladder()]), TREE, sales)

    assert of(facts, facts.ranks("lead").paid_as) == {
        "u": 1, "l": 1, "r": 0, "l1": 1, "l2": 0, "r1": 1, "r2": 0,
    }  # fmt: skip


def test_activity_may_hang_on_a_rank_and_the_rank_on_active_people_below():
    actives = metric("actives", what="members", where={"is": "active"}, scope=levels(1, 1))
    bronze = ladder({"bronze": any_of(at_least("pv", "100"), at_least("actives", "2"))})
    plan = document(metrics=[*METRICS, actives], ladders=[bronze], activity=has_rank("bronze"))

    facts = known(plan, TREE, [("l1", "100"), ("l2", "100"), ("r", "100")])

    assert of(facts, facts.active) == {
        "u": True, "l": True, "r": True, "l1": True, "l2": True, "r1": False, "r2": False,
    }  # fmt: skip


def test_grace_in_a_knot_counts_one_period_however_many_rounds():
    pgv = metric("pgv", volume="pv", scope=group(until=has_rank("leader")))
    rule = ladder({"leader": at_least("pgv", "500")}, when_not_met=GRACE)
    names = {"a": None, "b": "a", "c": "b"}
    plan = document(metrics=[*METRICS, pgv], ladders=[rule])

    facts = known(plan, names, [("b", "300"), ("c", "600")], title={"rank": [1, 1, 1]})

    assert of(facts, facts.metric("pgv")) == {"a": 30000, "b": 30000, "c": 60000}
    assert of(facts, facts.ranks("rank").title) == {"a": 1, "b": 1, "c": 1}
    assert facts.state_out["rank.rank.missed"].tolist() == [1, 1, 0]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_who_breaks_away_equals_working_upwards_person_by_person(data):
    """A leader has 500 in his group, leaders' groups left out, or a leader below in two legs."""
    size = data.draw(st.integers(1, 14))
    above = [data.draw(st.integers(-1, i - 1)) for i in range(size)]
    sold = [data.draw(st.sampled_from([0, 100, 200, 300, 500])) for _ in range(size)]
    pgv = metric("pgv", volume="pv", scope=group(until=has_rank("leader")))
    rung = {"leader": any_of(at_least("pgv", "500"), leg("leader"))}

    group_of, holds, leaders_below = [0] * size, [0] * size, [0] * size
    for member in reversed(range(size)):
        legs = [child for child in range(size) if above[child] == member]
        group_of[member] = sold[member] + sum(group_of[leg] for leg in legs if not holds[leg])
        in_legs = [holds[leg] + leaders_below[leg] for leg in legs]
        holds[member] = int(group_of[member] >= 500 or sum(count > 0 for count in in_legs) >= 2)
        leaders_below[member] = sum(in_legs)

    sponsors = {f"p{i}": None if up < 0 else f"p{up}" for i, up in enumerate(above)}
    sales = [(name, str(amount)) for name, amount in zip(sponsors, sold, strict=True)]
    facts = known(document(metrics=[*METRICS, pgv], ladders=[ladder(rung)]), sponsors, sales)
    assert facts.ranks("rank").paid_as.tolist() == holds
    assert facts.metric("pgv").tolist() == [figure * 100 for figure in group_of]

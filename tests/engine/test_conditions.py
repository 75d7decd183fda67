"""Who meets a condition, on which day, and what he has of what is asked."""

import pytest

from commissions.engine.conditions import measure
from commissions.engine.errors import EngineError
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
    metric,
)
from tests.engine.small import FIRST_DAY, LAST_DAY, hundredths, known, of

TEAM = {"asha": None, "bela": "asha", "chetan": "asha", "divya": "bela"}
SALES = [("asha", "50.00"), ("bela", "100.00"), ("chetan", "200.00"), ("divya", "300.00")]
PACKAGES = [{"code": code, "name": code, "value": "1.00"} for code in ("basic", "plus", "pro")]


def asking(condition, sponsors=TEAM, sales=SALES, *, plan=None, **more):
    """Facts of a company whose plan calls those active who meet the condition."""
    return known(document(**{"activity": condition, **(plan or {})}), sponsors, sales, **more)


def who(condition, *arguments, **more):
    facts = asking(condition, *arguments, **more)
    return [name for name, met in of(facts, facts.active).items() if met]


def legs_of(legs, figure):
    asked = {"is": "legs_with_volume", "legs": legs, "tree": "sponsor", "volume": "pv"}
    return asked | {"figure": figure}


def joined(*days):
    return {"joined": [LAST_DAY - day for day in days]}


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (None, "asha bela chetan divya"),
        (at_least("pv", "200"), "chetan divya"),
        (at_least("pv", "100", below="300"), "bela chetan"),
        ({"is": "not", "of": at_least("pv", "200")}, "asha bela"),
        (all_of(at_least("pv", "100"), at_least("gv", "300")), "bela divya"),
        (any_of(at_least("pv", "300"), at_least("gv", "600")), "asha divya"),
        (any_of(at_least("pv", "300"), at_least("pv", "1"), at_least("gv", "1"), count=3), "divya"),
        (all_of(), "asha bela chetan divya"),
        (legs_of(2, "200"), "asha"),
        (legs_of(1, "300"), "asha bela"),
    ],
)  # fmt: skip
def test_figures_and_how_they_go_together(condition, names):
    assert who(condition) == names.split()


def test_packages_and_marks():
    marks = {"flags": {"approved": [True, False, True, False]}}
    held = {"plan": {"packages": PACKAGES}, "package": [-1, 0, 1, 2]}

    assert who({"is": "flag", "flag": "approved"}, **marks) == ["asha", "chetan"]
    assert who({"is": "flag", "flag": "unknown"}, **marks) == []
    assert who({"is": "package", "packages": ["plus", "pro"]}, **held) == ["chetan", "divya"]


def test_days_since_joining():
    days = joined(30, 29, 10, 0)

    assert who({"is": "joined_within", "days": 10}, **days) == ["chetan", "divya"]
    assert who({"is": "joined_in_period"}, **days) == ["bela", "chetan", "divya"]


def test_a_condition_on_the_day_of_an_order():
    condition = all_of(at_least("pv", "100"), {"is": "joined_within", "days": 7})
    sales = [*SALES, ("bela", "1.00", "retail", LAST_DAY - 2), ("asha", "1.00")]
    facts = asking(condition, sales=sales, **joined(0, 9, 8, 0))
    lines, asked = facts.snapshot.lines, facts.plan.activity

    on_the_day = facts.meets_on(asked, lines.seller, lines.day)

    assert on_the_day.tolist() == [False, False, False, True, True, False]
    assert facts.meets_on(asked, lines.seller, None).tolist() == [
        False, False, False, True, False, False,
    ]  # fmt: skip
    assert facts.meets_on(None, lines.seller, lines.day).all()


def test_the_day_matters_inside_any_and_not():
    soon = {"is": "joined_within", "days": 7}
    condition = any_of(at_least("pv", "300"), {"is": "not", "of": soon})
    facts = asking(condition, **joined(7, 8, 0, 0))
    lines = facts.snapshot.lines

    assert facts.meets_on(facts.plan.activity, lines.seller, lines.day).tolist() == [
        False, True, False, True,
    ]  # fmt: skip


RECRUITS = {"a": None, "b": "a", "c": "a", "d": "b", "e": "a", "f": None}


@pytest.mark.parametrize(
    ("by", "first", "last", "names"),
    [
        ("joined", 1, 1, "d e"),
        ("joined", 2, 3, "b c"),
        ("first_order", 1, 1, "d e"),
        ("first_order", 2, 9, "b"),
    ],
)
def test_the_how_manieth_recruit(by, first, last, names):
    """a recruited e, c and b in that order; e ordered first, then b, and c never."""
    sales = [
        ("a", "1.00"),
        ("b", "1.00", "retail", FIRST_DAY + 9),
        ("e", "1.00", "retail", FIRST_DAY + 1),
        ("d", "1.00"),
        ("b", "1.00", "retail", FIRST_DAY + 2),
    ]
    condition = {"is": "recruit", "first": first, "last": last, "by": by}

    assert who(condition, RECRUITS, sales, sequence=[1, 6, 5, 4, 3, 2]) == names.split()


def test_legs_need_people_of_the_rank_anywhere_in_them():
    """Two legs with three leaders each, heads included."""
    sponsors = {"u": None, "l": "u", "r": "u"}
    sponsors |= {"l1": "l", "l2": "l1", "r1": "r", "r2": "r", "r3": "r"}
    condition = {
        "is": "legs_with_members", "legs": 2, "tree": "sponsor", "members": 3,
        "ladder": "lead", "rank": "leader",
    }  # fmt: skip
    plan = {"ladders": [given_ladder("lead", "helper", "leader")]}

    def met(*levels):
        return who(condition, sponsors, [], plan=plan, given={"lead": [2, *levels]})

    assert met(2, 1, 2, 2, 2, 2, 2) == ["u"]
    assert met(2, 2, 2, 1, 2, 2, 2) == []
    assert met(2, 1, 2, 2, 2, 2, 1) == []


def test_people_above_the_rank_count_in_a_leg_too():
    sponsors = {"u": None, "l": "u", "r": "u"}
    condition = {
        "is": "legs_with_members", "legs": 2, "tree": "sponsor", "members": 1,
        "ladder": "lead", "rank": "helper",
    }  # fmt: skip
    plan = {"ladders": [given_ladder("lead", "helper", "leader")]}

    assert who(condition, sponsors, [], plan=plan, given={"lead": [0, 1, 2]}) == ["u"]
    assert who(condition, sponsors, [], plan=plan, given={"lead": [0, 0, 2]}) == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"legs": 1}, ["u", "l"]),
        ({"legs": 2}, ["u"]),
        ({"legs": 2, "recruits": 2}, []),
        ({"legs": 1, "recruits": 2}, ["u"]),
        ({"legs": 2, "where": at_least("pv", "25")}, []),
        ({"legs": 1, "by": "sponsor"}, ["u", "l", "r", "l1", "r1"]),
    ],
)
def test_legs_need_people_whom_one_brought_in_oneself(asked, names):
    """In the placement tree l and r stand under u, l1 under l, r1 and r2 one below the other under
    r. u enrolled l1, r1 and r2, of whom r2 sold nothing; l enrolled l2, below l1."""
    placement = {"u": None, "l": "u", "r": "u", "l1": "l", "l2": "l1", "r1": "r", "r2": "r1"}
    enroller = {"l1": "u", "r1": "u", "r2": "u", "l2": "l"}
    places = list(placement)
    above = [places.index(up) if up else -1 for up in placement.values()]
    brought = [places.index(enroller[name]) if name in enroller else -1 for name in places]
    parents = {"sponsor": above, "placement": above, "enroller": brought}
    condition = {"is": "legs_with_recruits", "tree": "placement", "recruits": 1, "by": "enroller"}

    met = who(condition | asked, placement, [("l1", "30")], parents=parents)

    assert met == names


def test_ranks_met_held_and_ever_reached():
    plan = {"ladders": [ladder(when_not_met={"policy": "never_falls"})]}
    carried = {"title": {"rank": [0, 0, 0, 0]}, "highest": {"rank": [2, 0, 0, 0]}}

    def rank(which, rank="silver"):
        return who(has_rank(rank, which=which), plan=plan, **carried)

    assert rank("paid_as", "bronze") == ["bela", "chetan", "divya"]
    assert rank("paid_as") == ["chetan", "divya"]
    assert rank("highest") == rank("title") == ["asha", "chetan", "divya"]


# Leg caps


def capped(asked, legs, *, own="0", include_self=True, **cap):
    """What is counted for u, who has these legs, and whether it is enough."""
    given = {"share": "0.80", "of": "requirement", "own_too": False} | cap
    condition = at_least("team", asked, leg_cap=given)
    metrics = [*METRICS, metric("team", volume="pv", scope=group(include_self=include_self))]
    names = [f"l{place}" for place in range(len(legs))]
    sponsors = {"u": None} | dict.fromkeys(names, "u")
    sales = [("u", own), *zip(names, legs, strict=True)]
    facts = asking(condition, sponsors, sales, plan={"metrics": metrics})
    (finding,) = measure(facts.plan.activity, facts)
    assert finding.needed == hundredths(asked)
    assert finding.met.tolist() == facts.active.tolist()
    return finding.actual.tolist()[0] / 100, bool(facts.active[0])


@pytest.mark.parametrize(
    ("asked", "legs", "more", "counted", "enough"),
    [
        ("20000", ["19000"], {}, 16000, False),
        ("20000", ["19000", "3000"], {}, 19000, False),
        ("20000", ["19000", "4000"], {}, 20000, True),
        ("20000", [], {"own": "20000"}, 20000, True),
        ("20000", [], {"own": "20000", "own_too": True}, 16000, False),
        ("20000", ["4000"], {"own": "20000", "own_too": True}, 20000, True),
        ("20000", ["17000"], {"own": "3000", "include_self": False}, 16000, False),
        ("12", ["60", "60"], {"share": "0.40", "of": "total"}, 96, True),
        ("130", ["200"], {"share": "0.40", "of": "total"}, 80, False),
        ("700", ["500", "500"], {"share": "0.40", "of": "total"}, 800, True),
        ("1", ["0.03"], {"share": "0.50", "of": "total"}, 0.01, False),
    ],
)
def test_no_leg_counts_for_more_than_its_share(asked, legs, more, counted, enough):
    assert capped(asked, legs, **more) == (counted, enough)


def test_a_leg_whose_head_breaks_away_counts_nothing():
    cap = {"share": "0.80", "of": "requirement", "own_too": False}
    plan = {
        "metrics": [*METRICS, metric("pgv", volume="pv", scope=group(until=at_least("pv", "200")))]
    }
    facts = asking(at_least("pgv", "400", leg_cap=cap), plan=plan)

    (finding,) = measure(facts.plan.activity, facts)

    assert of(facts, finding.actual) == {
        "asha": 15000, "bela": 10000, "chetan": 20000, "divya": 30000,
    }  # fmt: skip


def test_lifetime_legs_are_those_of_a_lifetime():
    cap = {"share": "0.50", "of": "requirement", "own_too": False}
    team = metric("team", volume="pv", scope=group(), window="lifetime")
    state = {"metric.team.total": [100000, 70000, 0, 0]}
    plan = {"metrics": [*METRICS, team]}
    facts = asking(at_least("team", "1000", leg_cap=cap), plan=plan, state=state)

    (finding,) = measure(facts.plan.activity, facts)

    assert of(facts, finding.actual)["asha"] == 50000 + 20000 + 35000
    assert facts.metric("team").tolist() == [165000, 110000, 20000, 30000]


def test_a_leg_cap_on_something_without_legs_is_refused():
    cap = {"share": "0.80", "of": "requirement", "own_too": False}

    with pytest.raises(EngineError, match=r"leg|group"):
        assert asking(at_least("pv", "1", leg_cap=cap)).active.any()


# What a condition comes to


def test_each_question_is_told_with_what_is_asked_and_what_there_is():
    plan = {"packages": PACKAGES, "ladders": [ladder()]}
    condition = all_of(
        at_least("gv", "600"),
        any_of(legs_of(2, "200"), {"is": "not", "of": {"is": "package", "packages": ["basic"]}}),
        has_rank("silver"),
    )
    facts = asking(condition, plan=plan, package=[0, 0, -1, 1])

    found = measure(facts.plan.activity, facts)

    assert [
        (finding.path, finding.needed, finding.actual.tolist(), finding.negated)
        for finding in found
    ] == [
        ("$.of[0]", 60000, [65000, 40000, 20000, 30000], False),
        ("$.of[1].of[0]", 200, [200, 100, 0, 0], False),
        ("$.of[1].of[1].of", 1, [1, 1, 0, 0], True),
        ("$.of[2]", 2, [0, 1, 2, 2], False),
    ]
    assert found[0].met.tolist() == [True, False, False, False]
    assert measure(None, facts) == []

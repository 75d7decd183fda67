"""Walks up a tree, with the amounts worked out by hand.

Most of them go up one line:   A - B - C - D - E - F, F at the bottom.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError, CycleError
from tests.engine.documents import (
    Document,
    at_least,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    load,
    metric,
    upline,
)
from tests.engine.documents import money as money_of
from tests.engine.walking import ACTIVE, OK, Team

COMPRESSED: Document = {"count": "compressed", "counts": ACTIVE}


def line_of(names: str = "ABCDEF") -> Team:
    return Team(**{name: names[i - 1] if i else None for i, name in enumerate(names)})


def plan_of(*bonuses: Document, **parts: object):
    return load(document(bonuses=list(bonuses), **parts))


def otherwise(policy: str) -> Document:
    return {"when": OK, "otherwise": policy}


# Who counts


def test_physical_counting_takes_everybody_in_turn():
    team = line_of().sells("F", "100.00").sells("B", "10.00")

    assert team.pays(plan_of(bonus())) == [
        ("E", 1, "F", "10.00"),
        ("A", 1, "B", "1.00"),
        ("D", 2, "F", "5.00"),
        ("C", 3, "F", "2.00"),
    ]


def test_the_source_himself_may_be_step_one():
    team = line_of().sells("F", "100.00")

    assert team.pays(plan_of(bonus(pays=upline(start="source")))) == [
        ("F", 1, "F", "10.00"),
        ("E", 2, "F", "5.00"),
        ("D", 3, "F", "2.00"),
    ]


def test_where_it_starts_may_depend_on_the_kind_and_a_kind_left_out_pays_nobody():
    starts = {"retail": "source", "self_consumption": "upline"}
    team = line_of("AB").sells("B", "10.00").sells("B", "100.00", "retail")
    team.sells("B", "1000.00", "autoship")

    assert team.pays(plan_of(bonus(pays=upline(start=starts)))) == [
        ("B", 1, "B", "10.00"),
        ("A", 2, "B", "5.00"),
        ("A", 1, "B", "1.00"),
    ]


def test_compression_passes_over_who_does_not_count():
    team = line_of().marked("active", "AEC").sells("F", "100.00").sells("D", "10.00")

    assert team.pays(plan_of(bonus(pays=upline(steps=COMPRESSED)))) == [
        ("E", 1, "F", "10.00"),
        ("C", 1, "D", "1.00"),
        ("C", 2, "F", "5.00"),
        ("A", 2, "D", "0.50"),
        ("A", 3, "F", "2.00"),
    ]


def test_compression_starting_at_an_inactive_source_goes_on_to_the_next():
    team = line_of("ABC").marked("active", "AB").sells("C", "100.00")

    assert team.pays(plan_of(bonus(pays=upline(steps=COMPRESSED, start="source")))) == [
        ("B", 1, "C", "10.00"),
        ("A", 2, "C", "5.00"),
    ]


def test_compression_passes_over_who_is_not_active_by_his_volume():
    team = line_of("ABCD").sells("D", "100.00").sells("C", "49.99").sells("B", "50.00")
    team.sells("A", "50.00")
    counted = {"count": "compressed", "counts": {"is": "active"}}
    plan = plan_of(bonus(pays=upline(steps=counted)), activity=at_least("pv", "50"))

    assert team.pays(plan) == [
        ("B", 1, "D", "10.00"),
        ("B", 1, "C", "5.00"),
        ("A", 1, "B", "5.00"),
        ("A", 2, "D", "5.00"),
        ("A", 2, "C", "2.50"),
    ]


def test_a_rank_without_a_rate_uses_up_its_step():
    team = line_of("ABCD").ranked(A="gold", B="silver", C="silver").sells("D", "100.00")
    rates = by_rank({"silver": ["0.05"], "gold": ["0.06", "0.05", "0.04"]})
    plan = plan_of(bonus(rates=rates), ladders=[given_ladder("rank", "silver", "gold")])

    assert team.pays(plan) == [("C", 1, "D", "5.00"), ("A", 3, "D", "4.00")]


def test_those_without_a_rank_have_a_row_of_their_own():
    team = line_of("ABC").ranked(A="silver").sells("C", "100.00")
    rates = by_rank({"none": ["0.01"], "silver": ["0.05", "0.04"]})
    plan = plan_of(bonus(rates=rates), ladders=[given_ladder("rank", "silver")])

    assert team.pays(plan) == [("B", 1, "C", "1.00"), ("A", 2, "C", "4.00")]


# Who is counted but not eligible


@pytest.mark.parametrize(
    ("policy", "paid", "kept", "held"),
    [
        ("lost", [("E", 1), ("C", 3)], [], []),
        ("compress", [("E", 1), ("C", 2), ("B", 3)], [], []),
        ("block", [("E", 1)], [], []),
        ("company", [("E", 1), ("C", 3)], [("-", 2)], []),
        ("held", [("E", 1), ("C", 3)], [], [("D", 2)]),
    ],
)
def test_what_becomes_of_a_step_of_somebody_not_eligible(policy, paid, kept, held):
    team = line_of().marked("ok", "ABCEF").sells("F", "100.00")
    plan = plan_of(bonus(eligibility=otherwise(policy)))

    assert [line[:2] for line in team.pays(plan)] == paid
    assert [line[:2] for line in team.keeps(plan)] == kept
    assert [line[:2] for line in team.holds(plan)] == held


def test_the_company_keeps_what_his_rank_would_have_been_paid():
    team = line_of("ABC").ranked(A="gold", B="silver").marked("ok", "A").sells("C", "100.00")
    rates = by_rank({"silver": ["0.05"], "gold": ["0.06", "0.04"]})
    ladders = [given_ladder("rank", "silver", "gold")]
    plan = plan_of(bonus(rates=rates, eligibility=otherwise("company")), ladders=ladders)

    assert team.keeps(plan) == [("-", 1, "C", "5.00")]
    assert team.pays(plan) == [("A", 2, "C", "4.00")]


def test_a_block_is_only_somebody_who_counts():
    team = line_of("ABCD").marked("active", "AB").marked("ok", "ABD").sells("D", "100.00")
    steps = bonus(pays=upline(steps=COMPRESSED), eligibility=otherwise("block"))

    assert team.pays(plan_of(steps)) == [("B", 1, "D", "10.00"), ("A", 2, "D", "5.00")]


def test_the_cascade_breaks_at_a_banned_member():
    team = Team(A=None, BANNED="A", C2="BANNED", D2="C2").marked("ok", ["A", "C2", "D2"])
    team.sells("D2", "100.00")
    plan = plan_of(bonus(rates=by_step("0.05", "0.03", "0.02"), eligibility=otherwise("block")))

    assert team.pays(plan) == [("C2", 1, "D2", "5.00")]


# Where a walk is over


def test_the_walk_ends_with_the_first_who_meets_the_stop():
    team = line_of().marked("leader", "DB").sells("F", "100.00").sells("D", "10.00")
    stop = {"at": {"is": "flag", "flag": "leader"}, "pays_him": True}

    paid = plan_of(bonus(pays=upline(stop=stop)))
    unpaid = plan_of(bonus(pays=upline(stop=stop | {"pays_him": False})))

    assert team.pays(paid) == [
        ("E", 1, "F", "10.00"),
        ("C", 1, "D", "1.00"),
        ("D", 2, "F", "5.00"),
        ("B", 2, "D", "0.50"),
    ]
    assert team.pays(unpaid) == [("E", 1, "F", "10.00"), ("C", 1, "D", "1.00")]


def test_the_stop_is_seen_when_it_is_passed_over():
    team = line_of("ABCD").marked("active", "ABD").marked("leader", "C").sells("D", "100.00")
    stop = {"at": {"is": "flag", "flag": "leader"}, "pays_him": True}

    assert team.pays(plan_of(bonus(pays=upline(steps=COMPRESSED, stop=stop)))) == []


def test_a_walk_from_a_stop_himself_is_over_with_him_only_if_he_is_on_it():
    team = line_of("ABC").marked("leader", "C").sells("C", "100.00")
    stop = {"at": {"is": "flag", "flag": "leader"}, "pays_him": True}

    assert team.pays(plan_of(bonus(pays=upline(stop=stop, start="source")))) == [
        ("C", 1, "C", "10.00")
    ]
    assert team.pays(plan_of(bonus(pays=upline(stop=stop)))) == [
        ("B", 1, "C", "10.00"),
        ("A", 2, "C", "5.00"),
    ]


def test_the_active_are_looked_for_within_a_distance_and_the_rest_is_the_companys():
    team = Team(u4=None, u3="u4", u2="u3", u1="u2", NEW="u1").sells("NEW", "50.00")
    team.marked("active", ["u1", "u3", "u4"])
    rates = by_step("0", "0.04", "0.02", "0.015", "0.015", "0.01")
    pays = upline(6, steps=COMPRESSED, max_distance=6, unfilled="company")
    near = plan_of(bonus(rates=rates, pays=pays))
    nearer = plan_of(bonus(rates=rates, pays=pays | {"max_distance": 3}))

    assert team.pays(near) == [("u3", 2, "NEW", "2.00"), ("u4", 3, "NEW", "1.00")]
    assert [line[3] for line in team.keeps(near)] == ["0.75", "0.75", "0.50"]
    assert team.pays(nearer) == [("u3", 2, "NEW", "2.00")]
    assert [line[1] for line in team.keeps(nearer)] == [3, 4, 5, 6]


def test_what_a_stop_or_a_block_leaves_is_nobodys():
    team = line_of("ABC").marked("ok", "AC").marked("leader", "B").sells("C", "100.00")
    stop = {"at": {"is": "flag", "flag": "leader"}, "pays_him": True}

    stopped = plan_of(bonus(pays=upline(stop=stop, unfilled="company")))
    blocked = plan_of(bonus(pays=upline(unfilled="company"), eligibility=otherwise("block")))

    assert (team.pays(stopped), team.keeps(stopped)) == ([("B", 1, "C", "10.00")], [])
    assert (team.pays(blocked), team.keeps(blocked)) == ([], [])


def test_a_stop_or_a_block_farther_up_than_a_walk_looks_does_not_end_it():
    team = line_of("ABC").marked("active", "A").marked("leader", "A").sells("C", "100.00")
    stop = {"at": {"is": "flag", "flag": "leader"}, "pays_him": False}
    near = upline(1, steps=COMPRESSED, max_distance=1, unfilled="company")

    stopped = plan_of(bonus(rates=by_step("0.1"), pays=near | {"stop": stop}))
    blocked = plan_of(bonus(rates=by_step("0.1"), pays=near, eligibility=otherwise("block")))

    assert (team.pays(stopped), [line[3] for line in team.keeps(stopped)]) == ([], ["10.00"])
    assert (team.pays(blocked), [line[3] for line in team.keeps(blocked)]) == ([], ["10.00"])


def test_a_table_that_asks_for_the_earner_leaves_nothing_to_the_company():
    team = line_of("AB").ranked(A="silver").sells("B", "100.00")
    rates = by_rank({"none": ["0.01", "0.01"], "silver": ["0.05", "0.04"]})
    plan = plan_of(
        bonus(rates=rates, pays=upline(unfilled="company")),
        ladders=[given_ladder("rank", "silver")],
    )

    assert (team.pays(plan), team.keeps(plan)) == ([("A", 1, "B", "5.00")], [])


# How much


def test_rates_by_kind_and_the_companys_part_of_them():
    team = line_of("AB").sells("B", "100.00", "retail").sells("B", "10.00", "autoship")
    rates = {"by": "kind", "table": {"retail": ["0.10"], "autoship": ["0.20", "0.05"]}}
    plan = plan_of(bonus(rates=rates, pays=upline(unfilled="company")))

    assert team.pays(plan) == [("A", 1, "B", "10.00"), ("A", 1, "B", "2.00")]
    assert team.keeps(plan) == [("-", 2, "B", "0.50")]


def test_rates_by_the_band_of_the_earners_volume():
    team = line_of("ABCD").sells("D", "100.00").sells("C", "50.00").sells("B", "49.99")
    bands = [{"at": "50.00", "rates": ["0.01", "0.01"]}, {"at": "100.00", "rates": ["0.05"]}]
    plan = plan_of(bonus(rates={"by": "band", "metric": "pv", "bands": bands}))

    assert team.pays(plan) == [("C", 1, "D", "1.00")]


PACKAGES = [
    {"code": "p1", "name": "P1", "value": "50.00"},
    {"code": "p2", "name": "P2", "value": "100.00"},
]


def test_the_smaller_package_decides_rate_and_base():
    team = Team(A=None, B="A", C="A", D="B", E="B").holding(A=1, B=0, C=1, D=0, E=1)
    team.sells("B", "50").sells("C", "100").sells("D", "50").sells("E", "100")
    table = {
        "p1": ["0.05", "0.04", "0.03", "0.02", "0.01"],
        "p2": ["0.10", "0.09", "0.08", "0.07", "0.06"],
    }
    base = {"of": "order", "volume": "cv", "smaller_package": True}
    rates = {"by": "package", "whose": "smaller", "table": table}
    plan = plan_of(bonus(base=base, rates=rates, pays=upline(5)), packages=PACKAGES)

    assert team.pays(plan) == [
        ("A", 1, "B", "2.50"),
        ("A", 1, "C", "10.00"),
        ("B", 1, "D", "2.50"),
        ("B", 1, "E", "2.50"),
        ("A", 2, "D", "2.00"),
        ("A", 2, "E", "9.00"),
    ]


def test_who_has_no_package_has_no_row():
    team = Team(A=None, B="A", C="B").holding(A=1).sells("C", "100.00")
    rates = {"by": "package", "whose": "earner", "table": {"p2": ["0.10", "0.09"]}}

    plan = plan_of(bonus(rates=rates), packages=PACKAGES)
    smaller = plan_of(bonus(rates=rates | {"whose": "smaller"}), packages=PACKAGES)

    assert team.pays(plan) == [("A", 2, "C", "9.00")]
    assert team.pays(smaller) == []


def test_an_amount_for_each_order():
    team = line_of("ABC").sells("C", "7.00").sells("C", "0.01")
    flat = bonus(base={"of": "flat", "per": "order"}, rates=by_step("25.00", "1.50"), unit="amount")

    assert team.pays(plan_of(flat)) == [
        ("B", 1, "C", "25.00"),
        ("B", 1, "C", "25.00"),
        ("A", 2, "C", "1.50"),
        ("A", 2, "C", "1.50"),
    ]


def test_an_amount_for_each_of_a_count():
    team = Team(A=None, B="A", C="B", D="B", E="B")
    frontline = {"scope": "levels", "tree": "sponsor", "first": 1, "last": 1}
    recruits = metric("recruits", what="members", scope=frontline)
    counted = bonus(
        base={"of": "metric", "metric": "recruits"}, rates=by_step("100.00"), unit="amount"
    )

    plan = plan_of(counted, metrics=[recruits])

    assert team.pays(plan) == [("A", 1, "B", "300.00")]


# Differences


def differential(**less: str) -> Document:
    shares = {"r1": "0.10", "r2": "0.15", "r3": "0.19", "r4": "0.21"}
    rates = by_rank({rank: [share] * 4 for rank, share in shares.items()})
    return bonus(rates=rates, pays=upline(4), less={"than": "paid_below", "minimum": "0"} | less)


LADDERS = [given_ladder("rank", "r1", "r2", "r3", "r4")]


def test_each_gets_what_is_not_yet_paid_below():
    team = line_of("ABCDP").ranked(A="r4", B="r3", C="r2", D="r1").sells("P", "100.00")

    assert team.pays(plan_of(differential(), ladders=LADDERS)) == [
        ("D", 1, "P", "10.00"),
        ("C", 2, "P", "5.00"),
        ("B", 3, "P", "4.00"),
        ("A", 4, "P", "2.00"),
    ]


def test_a_rate_that_is_no_higher_gets_nothing_or_the_minimum():
    team = line_of("ABCP").ranked(A="r4", B="r1", C="r3").sells("P", "100.00")

    without = plan_of(differential(), ladders=LADDERS)
    with_minimum = plan_of(differential(minimum="0.01"), ladders=LADDERS)

    assert team.pays(without) == [("C", 1, "P", "19.00"), ("A", 3, "P", "2.00")]
    assert team.pays(with_minimum) == [
        ("C", 1, "P", "19.00"),
        ("B", 2, "P", "1.00"),
        ("A", 3, "P", "2.00"),
    ]


def test_a_minimum_is_not_paid_without_a_rate():
    team = line_of("ABP").ranked(B="r3").sells("P", "100.00")

    assert team.pays(plan_of(differential(minimum="0.01"), ladders=LADDERS)) == [
        ("B", 1, "P", "19.00")
    ]


@pytest.mark.parametrize(
    ("policy", "paid"), [("lost", "4.00"), ("compress", "19.00"), ("held", "4.00")]
)
def test_a_lost_part_of_a_difference_is_nobody_elses(policy, paid):
    team = line_of("ABP").ranked(A="r3", B="r2").marked("ok", "A").sells("P", "100.00")
    plan = plan_of(differential() | {"eligibility": otherwise(policy)}, ladders=LADDERS)

    assert [line[3] for line in team.pays(plan)] == [paid]


def test_an_override_is_the_difference_to_the_leaders_own_rate():
    team = Team(Dan=None, Pat="Dan", Gina="Pat", Sam="Gina", Beth="Gina", Gus="Gina")
    team.ranked(Dan="diamond", Pat="platinum", Gina="gold", Gus="gold")
    team.sells("Sam", "300.00").sells("Beth", "200.00").sells("Gus", "50.00")
    leader = {"is": "rank", "ladder": "rank", "rank": "gold", "which": "paid_as"}
    scope = {"scope": "group", "tree": "sponsor", "include_self": True, "until": leader}
    override = bonus(
        base={"of": "metric", "metric": "group_cv"},
        factor="0.40",
        sources=leader,
        rates=by_rank({"gold": ["0.05"], "platinum": ["0.07"], "diamond": ["0.09"]}),
        pays=upline(1),
        less={"than": "source", "minimum": "0.01"},
    )
    plan = plan_of(
        override,
        metrics=[metric("group_cv", volume="cv", scope=scope)],
        ladders=[given_ladder("rank", "gold", "platinum", "diamond")],
    )

    # 2 % of Gina's 500.00 x 0.40; Gus and Gina are both Gold: 1 % of 50.00 x 0.40
    assert team.pays(plan) == [("Pat", 1, "Gina", "4.00"), ("Gina", 1, "Gus", "0.20")]


def test_a_leg_is_deducted_at_a_least_rate():
    team = Team(YOU=None, A="YOU").ranked(YOU="r2").sells("A", "2000.00")
    less = {"than": "source", "minimum": "0", "source_minimum": "0.10"}
    rates = by_rank({"r1": ["0.12"], "r2": ["0.15"]})
    plan = plan_of(bonus(rates=rates, pays=upline(1), less=less), ladders=LADDERS)

    assert team.pays(plan) == [("YOU", 1, "A", "100.00")]


# What is paid on


def test_only_sources_who_meet_the_condition_on_the_day_of_their_order():
    team = Team(Lisa=None, Megan="Lisa")
    team.joined = {"Megan": 10}
    team.sells("Megan", "132.00", day=10).sells("Megan", "78.00", day=70)
    team.sells("Megan", "147.00", day=71)
    soon = {"is": "joined_within", "days": 60}

    assert team.pays(plan_of(bonus(rates=by_step("0.20"), sources=soon))) == [
        ("Lisa", 1, "Megan", "26.40"),
        ("Lisa", 1, "Megan", "15.60"),
    ]


def test_a_line_is_left_to_the_bonus_that_was_paid_on_it():
    team = line_of("ABC").marked("new", "C").sells("C", "100.00").sells("B", "100.00")
    first = bonus("fast_start", rates=by_step("0.20"), sources={"is": "flag", "flag": "new"})
    second = bonus(exclusion={"scope": "line", "bonuses": ["fast_start"]})

    assert team.pays(plan_of(first, second)) == [("A", 1, "B", "10.00")]


def test_a_line_on_which_nothing_came_out_is_left_to_the_next_bonus():
    team = line_of("AB").sells("B", "0.40")
    first = bonus("direct", rates=by_step("0.01"))
    second = bonus(exclusion={"scope": "line", "bonuses": ["direct"]})
    plan = plan_of(first, second, money=money_of(zero_amounts="keep"))

    assert team.pays(plan, "direct") == [("A", 1, "B", "0.00")]
    assert team.pays(plan) == [("A", 1, "B", "0.04")]


def test_an_earner_paid_on_the_same_line_is_left_out():
    team = line_of("ABC").sells("C", "100.00")
    first = bonus("direct", rates=by_step("0.20"))
    second = bonus(exclusion={"scope": "line_and_earner", "bonuses": ["direct"]})

    assert team.pays(plan_of(first, second)) == [("A", 2, "C", "5.00")]


def test_the_tree_of_the_bonus_is_walked():
    team = Team(A=None, B="A", C="A").sells("C", "100.00")
    team.enrollers["C"] = "B"

    assert team.pays(plan_of(bonus(pays=upline(tree="enroller")))) == [
        ("B", 1, "C", "10.00"),
        ("A", 2, "C", "5.00"),
    ]


def test_lines_of_nothing_pay_nothing():
    team = line_of("AB").sells("B", "0.00")

    assert team.pays(plan_of(bonus())) == []


def test_circles_are_refused():
    with pytest.raises(CycleError):
        Team(A="B", B="A").sells("A", "1.00").pays(plan_of(bonus()))


def test_too_many_units_are_refused():
    team = Team(A=None, B="A", C="B", D="B")
    frontline = {"scope": "levels", "tree": "sponsor", "first": 1, "last": 1}
    recruits = metric("recruits", what="members", scope=frontline)
    base = {"of": "metric", "metric": "recruits"}
    amounts = bonus(base=base, rates=by_step("9000000000000"), unit="amount")

    with pytest.raises(CapacityError):
        team.pays(plan_of(amounts, metrics=[recruits]))


# The source himself


def test_a_retail_margin_goes_to_the_seller():
    team = line_of("AB").sells("B", "9.00").sells("A", "4.35")
    margin = bonus(
        base={"of": "order", "volume": "margin"}, pays={"who": "source"}, rates=by_step("1")
    )

    assert team.pays(plan_of(margin)) == [("B", 0, "B", "9.00"), ("A", 0, "A", "4.35")]


def test_rates_of_a_seller_by_kind():
    team = line_of("A").sells("A", "100.00", "retail").sells("A", "100.00", "preferred")
    rates = {"by": "kind", "table": {"preferred": ["0.10"], "retail": ["0.25"]}}

    assert team.pays(plan_of(bonus(pays={"who": "source"}, rates=rates))) == [
        ("A", 0, "A", "25.00"),
        ("A", 0, "A", "10.00"),
    ]


def test_an_ineligible_seller_leaves_it_to_the_company():
    team = line_of("AB").marked("ok", "A").sells("B", "10.00").sells("A", "20.00")
    seller = bonus(pays={"who": "source"}, rates=by_step("0.10"))
    plan = plan_of(seller | {"eligibility": otherwise("company")})

    assert team.pays(plan) == [("A", 0, "A", "2.00")]
    assert team.keeps(plan) == [("-", 0, "B", "1.00")]


# Whatever the tree

SHARES = st.lists(st.sampled_from(["0", "0.01", "0.05", "0.10"]), min_size=3, max_size=3).filter(
    lambda shares: any(share != "0" for share in shares)
)
NAMES = [chr(ord("a") + place) for place in range(12)]
A_TEAM = st.tuples(
    st.lists(st.integers(0, 100), min_size=len(NAMES), max_size=len(NAMES)),
    st.sets(st.sampled_from(NAMES)),
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 9999)), max_size=8),
)


def team_of(drawn) -> Team:
    """Everybody under somebody before him; a tenth of them under nobody."""
    above, active, sales = drawn
    team = Team(
        **{
            name: NAMES[pick % place] if place and pick % 10 else None
            for place, (name, pick) in enumerate(zip(NAMES, above, strict=True))
        }
    ).marked("active", active)
    for name, cv in sales:
        team.sells(name, f"{cv // 100}.{cv % 100:02d}")
    return team


def without_inactive(team: Team, active: set[str]) -> Team:
    """The same people, each under his next active upline; the inactive have nobody below."""

    def next_active(name: str | None) -> str | None:
        while name is not None and name not in active:
            name = team.above[name]
        return name

    small = Team(**{name: next_active(team.above[name]) for name in team.names})
    small.sales = team.sales
    return small


@settings(max_examples=60, deadline=None)
@given(A_TEAM, SHARES, st.sampled_from(["nobody", "company"]))
def test_compression_pays_as_if_the_others_were_not_in_the_tree(drawn, shares, unfilled):
    team = team_of(drawn)
    small = without_inactive(team, drawn[1])
    rates = by_step(*shares)

    compressed = plan_of(bonus(rates=rates, pays=upline(steps=COMPRESSED, unfilled=unfilled)))
    physical = plan_of(bonus(rates=rates, pays=upline(unfilled=unfilled)))

    assert team.pays(compressed) == small.pays(physical)
    assert team.keeps(compressed) == small.keeps(physical)


@settings(max_examples=60, deadline=None)
@given(A_TEAM, SHARES)
def test_passing_over_the_ineligible_is_counting_the_eligible(drawn, shares):
    team = team_of(drawn)
    rates = by_step(*shares)

    counted = plan_of(bonus(rates=rates, pays=upline(steps=COMPRESSED)))
    eligible = plan_of(
        bonus(rates=rates, eligibility={"when": ACTIVE, "otherwise": "compress"}, pays=upline())
    )

    assert team.pays(counted) == team.pays(eligible)


@settings(max_examples=60, deadline=None)
@given(A_TEAM, SHARES, st.sampled_from(["boundary", "everyone"]))
def test_a_generation_of_everybody_is_a_physical_step(drawn, shares, pays):
    team = team_of(drawn)
    rates = by_step(*shares)
    everybody = {"is": "not", "of": {"is": "flag", "flag": "nobody"}}
    closes = {"boundary": everybody, "boundary_belongs_to": "generation_he_closes", "pays": pays}

    generations = plan_of(bonus(rates=rates, pays=upline(steps={"count": "generations"} | closes)))

    assert sorted(team.pays(generations)) == sorted(team.pays(plan_of(bonus(rates=rates))))


@settings(max_examples=60, deadline=None)
@given(A_TEAM, SHARES, st.permutations(range(len(NAMES))), st.sampled_from(["lost", "block"]))
def test_the_order_of_members_changes_nothing(drawn, shares, ids, policy):
    team = team_of(drawn)
    other = Team(
        **{name: team.above[name] for name in sorted(NAMES, key=lambda n: ids[ord(n) - 97])}
    )
    other.flags, other.sales = team.flags, team.sales
    when = {"when": ACTIVE, "otherwise": policy}

    plan = plan_of(bonus(rates=by_step(*shares), eligibility=when))

    assert team.pays(plan) == other.pays(plan)


@settings(max_examples=60, deadline=None)
@given(A_TEAM, st.lists(st.integers(0, 3), min_size=len(NAMES), max_size=len(NAMES)))
def test_differences_on_a_line_never_pay_more_than_the_highest_rate(drawn, levels):
    team = team_of(drawn)
    ranks = [None, "r1", "r2", "r3"]
    team.ranked(**{name: ranks[level] for name, level in zip(NAMES, levels, strict=True)})
    money = money_of(zero_amounts="keep")
    plan = plan_of(differential(), ladders=LADDERS, money=money)
    rates = dict(zip(ranks, (0, 10, 15, 19), strict=True))

    paid = team.paid(plan)["unilevel"].ledger
    got = [0] * len(team.sales)
    for block in paid:
        for line, rate in zip(block.line, block.rate, strict=True):
            got[line] += rate

    for line, (seller, *_) in enumerate(team.sales):
        above, upline_of = [], team.above[seller]
        while upline_of is not None and len(above) < 4:
            above.append(rates[team.ranks[upline_of]] * 10_000)
            upline_of = team.above[upline_of]
        assert got[line] == max(above, default=0)

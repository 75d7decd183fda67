"""Bonuses on what others were paid: matches, matches of matches, and what limits leave of them."""

import numpy as np
import pytest

from commissions.engine.awards import items_of
from commissions.engine.facts import Facts
from commissions.engine.result import Block
from tests.engine.documents import (
    Document,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    load,
    upline,
)
from tests.engine.documents import metric as metric_of
from tests.engine.walking import OK, Team


def own(code: str = "own", **parts: object) -> Document:
    """What everybody is paid on his own figures: all of them."""
    given: Document = {"pays": {"who": "source"}, "rates": by_step("1")}
    return bonus(code, **(given | parts))


def commissions(*bonuses: str, per: str = "line", after_limits: bool = False) -> Document:
    return {"of": "commissions", "bonuses": bonuses, "per": per, "after_limits": after_limits}


def match(*bonuses: str, per: str = "line", steps: int = 1, **parts: object) -> Document:
    given: Document = {"base": commissions(*bonuses, per=per), "pays": upline(steps)}
    return bonus("match", **(given | {"rates": by_step("0.10")} | parts))


def plan_of(*bonuses: Document, **parts: object):
    return load(document(bonuses=list(bonuses), **parts))


def test_earnings_of_everybody_below_are_matched_level_by_level():
    team = Team(John=None, Mary="John", Nancy="Mary", Karla="Nancy", Mike="Karla", Anne="Mike")
    for name in team.names[1:]:
        team.sells(name, "100.00")
    rates = by_step("0.05", "0.02", "0.01", "0.01", "0.01")
    plan = plan_of(own(), match("own", steps=5, rates=rates))

    assert [line[1:] for line in team.pays(plan, "match") if line[0] == "John"] == [
        (1, "Mary", "5.00"),
        (2, "Nancy", "2.00"),
        (3, "Karla", "1.00"),
        (4, "Mike", "1.00"),
        (5, "Anne", "1.00"),
    ]


def test_each_line_by_itself_or_the_sum_of_a_member():
    team = Team(A=None, B="A").sells("B", "0.05").sells("B", "0.05").sells("B", "10.00")

    by_line = plan_of(own(), match("own"))
    by_member = plan_of(own(), match("own", per="member"))

    assert team.pays(by_line, "match") == [("A", 1, "B", "1.00")]
    assert team.pays(by_member, "match") == [("A", 1, "B", "1.01")]


def test_several_bonuses_are_matched_by_rank():
    team = Team(Mary=None, r1="Mary", r2="Mary").ranked(Mary="silver")
    team.sells("r1", "100.00").sells("r2", "50.00", "retail")
    plan = plan_of(
        own("first"),
        own("second", rates={"by": "kind", "table": {"retail": ["0.50"]}}),
        own("third", rates=by_step("0.30")),
        match(
            "first", "second", per="member", rates=by_rank({"leader": ["0.25"], "silver": ["0.5"]})
        ),
        ladders=[given_ladder("rank", "leader", "silver", "gold")],
    )

    assert team.pays(plan, "match") == [("Mary", 1, "r1", "50.00"), ("Mary", 1, "r2", "37.50")]


def test_a_match_of_a_match():
    """C has 21 % and is paid 21.00. B has 19 %, nothing of the difference, and matches 20 % of what
    was paid below him; A has 19 % and matches 15 % of B's match."""
    team = Team(A=None, B="A", C="B", P="C").ranked(A="n5", B="n6", C="n7").sells("P", "100.00")
    difference = bonus(
        "difference",
        rates=by_rank({"n5": ["0.19"] * 3, "n6": ["0.19"] * 3, "n7": ["0.21"] * 3}),
        less={"than": "paid_below", "minimum": "0"},
    )
    again = match(
        "difference",
        "match",
        rates=by_rank({"n5": ["0.15"], "n6": ["0.20"], "n7": ["0.15"]}),
        exclusion={"scope": "line_and_earner", "bonuses": ["difference"]},
    )
    plan = plan_of(difference, again, ladders=[given_ladder("rank", "n5", "n6", "n7")])

    assert team.pays(plan, "difference") == [("C", 1, "P", "21.00")]
    assert team.pays(plan, "match") == [("B", 1, "C", "4.20"), ("A", 1, "B", "0.63")]


def test_who_had_a_difference_on_the_line_does_not_match_it():
    team = Team(A=None, B="A", C="B", P="C").ranked(A="n5", B="n7", C="n6").sells("P", "100.00")
    difference = bonus(
        "difference",
        rates=by_rank({"n5": ["0.19"] * 3, "n6": ["0.19"] * 3, "n7": ["0.21"] * 3}),
        less={"than": "paid_below", "minimum": "0"},
    )
    again = match(
        "difference",
        "match",
        exclusion={"scope": "line_and_earner", "bonuses": ["difference"]},
    )
    plan = plan_of(difference, again, ladders=[given_ladder("rank", "n5", "n6", "n7")])

    # B has 2 % of P's line and no match of C's; A matches B's 2.00
    assert team.pays(plan, "match") == [("A", 1, "B", "0.20")]


def test_passes_go_on_until_nothing_is_left_to_match():
    names = "ABCDEFGH"
    team = Team(**{name: names[i - 1] if i else None for i, name in enumerate(names)})
    team.sells("H", "1000.00")

    plan = plan_of(own(), match("own", "match"))

    assert team.pays(plan, "match") == [
        ("G", 1, "H", "100.00"),
        ("F", 1, "G", "10.00"),
        ("E", 1, "F", "1.00"),
        ("D", 1, "E", "0.10"),
        ("C", 1, "D", "0.01"),
    ]


def test_what_is_held_or_kept_is_not_matched():
    team = Team(A=None, B="A").marked("ok", "A").sells("B", "100.00")
    for policy in ("held", "company", "lost"):
        plan = plan_of(own(eligibility={"when": OK, "otherwise": policy}), match("own"))

        assert team.pays(plan, "match") == []


def test_sources_of_a_match_are_those_who_were_paid():
    team = Team(A=None, B="A", C="B").marked("ok", "B").sells("C", "100.00").sells("B", "10.00")

    plan = plan_of(own(), match("own", sources=OK))

    assert team.pays(plan, "match") == [("A", 1, "B", "1.00")]


def test_a_match_by_the_kind_of_the_order_below():
    team = Team(A=None, B="A").sells("B", "100.00", "retail").sells("B", "10.00", "autoship")
    rates = {"by": "kind", "table": {"autoship": ["0.50"]}}

    assert team.pays(plan_of(own(), match("own", rates=rates)), "match") == [("A", 1, "B", "5.00")]


def paid_block(amounts: dict[int, int]) -> Block:
    """A ledger block of these amounts, each member's own line."""
    earner = np.array(list(amounts), np.int32)
    amount = np.array(list(amounts.values()), np.int64)
    whole = np.full(len(earner), 1_000_000, np.int32)
    rank = np.zeros(len(earner), np.int16)
    nobody = np.full(len(earner), -1, np.int32)
    return Block(0, 0, earner, nobody, nobody, np.abs(amount), whole, amount, rank)


@pytest.mark.parametrize(
    ("per", "after_limits", "bases"),
    [
        ("line", False, [6000, 4000, 1000]),
        ("line", True, [5400, 3600, 1000]),
        ("member", False, [10000, 1000]),
        ("member", True, [9000, 1000]),
    ],
)
def test_what_a_limit_cut_is_taken_off_the_base(per, after_limits, bases):
    team = Team(A=None, B="A", C="A").sells("B", "60.00").sells("B", "40.00").sells("C", "10.00")
    limit = {
        "code": "cap", "name": "Cap", "scope": "member", "bonuses": ["own"], "amount": "90.00",
        "share": None, "metric": None, "enforcement": "pro_rata", "overflow": "lost",
    }  # fmt: skip
    matched = match("own") | {"base": commissions("own", per=per, after_limits=after_limits)}
    plan = plan_of(own(), matched, limits=[limit])
    facts = Facts(team.snapshot(plan), plan)
    earlier = {"own": team.paid(plan)["own"].ledger, "cap": [paid_block({1: -1000})]}

    assert items_of(plan.bonus("match"), facts, earlier).base.tolist() == bases


def test_whole_units_of_money_are_matched_in_hundredths():
    team = Team(A=None, B="A").sells("B", "100.49")
    money = {"scale": 0, "rounding": "half_up", "granularity": "line", "zero_amounts": "omit"}
    plan = plan_of(own(), match("own"), money=money)
    facts = Facts(team.snapshot(plan), plan)

    earlier = {"own": team.paid(plan)["own"].ledger}

    assert items_of(plan.bonus("match"), facts, earlier).base.tolist() == [10000]


def test_sources_of_a_metric_are_asked_on_the_last_day():
    team = Team(A=None, B="A", C="A").sells("B", "10.00").sells("C", "10.00")
    team.joined = {"B": 340, "C": 339}  # the period ends on day 400
    soon = {"is": "joined_within", "days": 60}
    on_pv = bonus(base={"of": "metric", "metric": "pv"}, sources=soon, pays=upline(1))

    plan = plan_of(on_pv | {"rates": by_step("0.10")}, metrics=[metric_of("pv")])

    assert team.pays(plan) == [("A", 1, "B", "1.00")]


def test_a_metric_is_paid_on_where_it_is_above_nothing():
    team = Team(A=None, B="A", C="A").sells("C", "10.00")
    paid_on = bonus(base={"of": "metric", "metric": "pv"}, rates=by_step("0.10"), pays=upline(1))
    plan = plan_of(paid_on, metrics=[metric_of("pv")])

    items = items_of(plan.bonus("unilevel"), Facts(team.snapshot(plan), plan), {})

    assert (items.source.tolist(), items.line.tolist(), items.base.tolist()) == ([2], [-1], [1000])

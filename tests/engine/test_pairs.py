"""Pairs: published cases (ids of `shared/cases`), and what holds for any legs."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.plan import Plan
from tests.engine.closing import BINARY, Closed, close
from tests.engine.documents import (
    Document,
    bonus,
    by_rank,
    by_step,
    document,
    given_ladder,
    load,
)

FLAGGED = {"is": "flag", "flag": "ok"}
LOST = {"when": FLAGGED, "otherwise": "lost"}


def pairs(**parts: Any) -> Document:
    given: Document = {"who": "pairs", "tree": "placement", "volume": "cv", "cycle": None}
    rest = {"after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None}
    return given | rest | parts


def binary(rates: Document | None = None, **parts: Any) -> Document:
    """10 % of the weaker leg; `parts` of the bonus that are no part of `pays` go by their names."""
    own = {name: parts.pop(name) for name in ("eligibility", "unit", "sources") if name in parts}
    table = rates or by_step("0.10")
    return bonus("binary", ledger_type="binary_bonus", pays=pairs(**parts), rates=table, **own)


def plan(rates: Document | None = None, **parts: Any) -> Plan:
    return load(document(bonuses=[binary(rates, **parts)]))


def legs(left: str, right: str) -> list[tuple[str, str]]:
    return [("left", left), ("right", right)]


GUIDE = {
    "you": None,
    "l1": "you/left",
    "r1": "you/right",
    "l2": "l1/left",
    "l3": "l1/right",
    "r2": "r1/left",
    "r3": "r1/right",
}
FIRST = [("l2", "100"), ("l3", "100"), ("r2", "300"), ("r3", "200")]
SECOND = [("l2", "400"), ("r2", "100")]


def test_two_periods_with_carry_forward():  # bin-01
    first = close(plan(), GUIDE, FIRST)
    second = close(plan(), GUIDE, SECOND, state=first.result.state)

    assert first.paid("binary") == {"you": ["20.00"], "l1": ["10.00"], "r1": ["20.00"]}
    assert first.legs("binary") == ("0.00", "300.00")
    assert first.legs("binary", "r1") == ("100.00", "0.00")
    assert second.paid("binary") == {"you": ["40.00"]}
    assert second.legs("binary") == ("0.00", "0.00")


def test_two_periods_with_full_flush():  # bin-01, the variant
    flushing = plan(after_payout="flush")
    first = close(flushing, GUIDE, FIRST)
    second = close(flushing, GUIDE, SECOND, state=first.result.state)

    assert first.legs("binary") == ("0.00", "0.00")
    assert second.paid("binary") == {"you": ["10.00"]}


@pytest.mark.parametrize("mode", ["carry", "net_off"])
def test_matched_volume_leaves_both_legs(mode: str):  # bin-03 a
    closed = close(plan(after_payout=mode), BINARY, legs("800", "300"))

    assert closed.paid("binary") == {"you": ["30.00"]}
    assert closed.legs("binary") == ("500.00", "0.00")


def test_carry_is_capped_by_an_amount():  # bin-03 c
    closed = close(plan(carry_cap={"amount": "200"}), BINARY, legs("1000", "200"))

    assert closed.legs("binary") == ("200.00", "0.00")


def test_carried_legs_are_added_to_the_period():  # bin-03 d
    state = {"pairs.binary.left": [300_00, 0, 0], "pairs.binary.right": [400_00, 0, 0]}

    closed = close(plan(), BINARY, legs("200", "100"), state=state)

    assert closed.paid("binary") == {"you": ["50.00"]}
    assert closed.legs("binary") == ("0.00", "0.00")


def test_a_leg_is_the_whole_subtree_and_never_oneself():  # bin-03 e, single node
    deep = {
        "n1": None,
        "n2": "n1/left",
        "n3": "n1/right",
        "n4": "n2/left",
        "n5": "n2/right",
        "n6": "n4/left",
    }

    closed = close(plan(), deep, [("n6", "400"), ("n3", "400"), ("n1", "500")])
    alone = close(plan(), {"n1": None}, [("n1", "500")])

    assert closed.paid("binary") == {"n1": ["40.00"]}
    assert closed.legs("binary", "n4") == ("400.00", "0.00")
    assert alone.paid("binary") == {}


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("keep_both", ("800.00", "300.00")),
        ("weaker_to_zero", ("800.00", "0.00")),
        ("flush", ("0.00", "0.00")),
    ],
)
def test_legs_of_the_ineligible(policy: str, left: tuple[str, str]):  # bin-03, notes
    asked = plan(if_ineligible=policy, eligibility=LOST)

    closed = close(asked, BINARY, legs("800", "300"), flags={"ok": [0, 1, 1]})

    assert closed.paid("binary") == {}
    assert closed.legs("binary") == left


def test_of_equal_legs_both_are_the_weaker():
    asked = plan(if_ineligible="weaker_to_zero", eligibility=LOST)

    closed = close(asked, BINARY, legs("300", "300"), flags={"ok": [0, 1, 1]})

    assert closed.legs("binary") == ("0.00", "0.00")


@pytest.mark.parametrize("policy", ["company", "held"])
def test_a_part_that_goes_elsewhere_is_matched_all_the_same(policy: str):
    asked = plan(eligibility={"when": FLAGGED, "otherwise": policy})

    closed = close(asked, BINARY, legs("800", "300"), flags={"ok": [0, 1, 1]})

    assert closed.paid("binary") == {}
    assert closed.legs("binary") == ("500.00", "0.00")
    assert closed.kept("binary") == (["30.00"] if policy == "company" else [])
    assert closed.held("binary") == ({"you": ["30.00"]} if policy == "held" else {})


def limit(scope: str) -> Document:
    given: Document = {"code": "cap", "name": "Cap", "scope": scope, "bonuses": ["binary"]}
    cap = {"amount": "5000", "share": None, "metric": None}
    return given | cap | {"enforcement": "pro_rata", "overflow": "lost"}


def test_cap_on_money_leaves_the_legs_alone():  # bin-04
    capped = load(document(bonuses=[binary()], limits=[limit("member")]))

    closed = close(capped, BINARY, legs("80000", "90000"))

    assert closed.paid("binary") == {"you": ["8000.00"]}
    assert closed.paid("cap") == {"you": ["-3000.00"]}
    assert closed.legs("binary") == ("0.00", "10000.00")


def test_positions_of_one_owner_share_a_cap():  # bin-04
    capped = load(document(bonuses=[binary()], limits=[limit("person")]))
    people = {"a": None, "al": "a/left", "ar": "a/right"} | {
        "b": None,
        "bl": "b/left",
        "br": "b/right",
    }
    sales = [(leg, "30000") for leg in ("al", "ar", "bl", "br")]

    closed = close(capped, people, sales, owner=[0, 1, 2, 0, 4, 5])

    assert closed.paid("binary") == {"a": ["3000.00"], "b": ["3000.00"]}
    assert closed.paid("cap") == {"a": ["-500.00"], "b": ["-500.00"]}


def in_a_row(rule: Plan, *periods: tuple[str, str], **columns: Any) -> list[Closed]:
    """The periods, each with what the left and the right one sold, one after the other."""
    closed: list[Closed] = []
    for left, right in periods:
        state = closed[-1].result.state if closed else None
        closed.append(close(rule, BINARY, legs(left, right), state=state, **columns))
    return closed


def test_three_chained_periods():  # bin-06
    weeks = in_a_row(plan(), ("10000", "5000"), ("8000", "6000"), ("7000", "9000"))

    assert [week.paid("binary")["you"] for week in weeks] == [["500.00"], ["600.00"], ["900.00"]]
    assert [week.legs("binary")[0] for week in weeks] == ["5000.00", "7000.00", "5000.00"]


def test_carry_is_capped_by_the_mean_of_what_was_matched():  # bin-07
    capped = plan(carry_cap={"times": "5", "periods": 4})

    *_, last = in_a_row(
        capped, ("8000", "8000"), ("9000", "9000"), ("7500", "7500"), ("60000", "10000")
    )

    assert last.paid("binary") == {"you": ["1000.00"]}
    assert last.legs("binary") == ("43125.00", "0.00")
    assert last.state("pairs.binary.matched.3") == {"you": 9000_00}
    assert "pairs.binary.matched.4" not in last.result.state


def test_the_lower_of_two_carry_caps_holds():
    capped = plan(carry_cap={"times": "2", "periods": 1, "amount": "150"})

    first, second = in_a_row(capped, ("1000", "50"), ("1000", "300"))

    assert first.legs("binary") == ("100.00", "0.00")
    assert second.legs("binary") == ("150.00", "0.00")


def test_a_carry_cap_is_rounded_down():
    closed = close(plan(carry_cap={"times": "0.5", "periods": 3}), BINARY, legs("300", "100"))

    # half of 33.33, which is what 100.00 in three periods are on average
    assert closed.legs("binary") == ("16.66", "0.00")


GATED = BINARY | {"l2": "left/left", "l3": "l2/left", "r2": "right/left"}
GATE_SALES = [
    ("left", "3000"),
    ("l2", "3000"),
    ("l3", "3000"),
    ("right", "10000"),
    ("r2", "10000"),
]


def test_gate_counts_people_and_pays_volume():  # bin-11
    gated = plan(by_step("0.05"), gate={"more": 2, "fewer": 1, "window": "lifetime"})
    first = close(gated, GATED, GATE_SALES)
    joined = [0] * len(GATED) + [1_010]
    more = GATED | {"l4": "l3/left"}
    state = {name: np.append(values, 0) for name, values in first.result.state.items()}
    second = close(gated, more, [("l4", "5000")], state=state, joined=joined)

    assert first.paid("binary") == {"you": ["450.00"]}
    assert first.legs("binary") == ("0.00", "11000.00")
    assert second.paid("binary") == {"you": ["250.00"]}
    assert second.legs("binary") == ("0.00", "6000.00")


@pytest.mark.parametrize(
    ("new", "paid"), [("left l2 right", ["450.00"]), ("left r2 right", ["450.00"]), ("left l2", [])]
)
def test_gate_on_the_period_counts_its_joiners(new: str, paid: list[str]):  # bin-11, other window
    gated = plan(by_step("0.05"), gate={"more": 2, "fewer": 1, "window": "period"})
    joined = [1_010 if who in new.split() else 0 for who in GATED]

    closed = close(gated, GATED, GATE_SALES, joined=joined)

    assert closed.paid("binary").get("you", []) == paid


@pytest.mark.parametrize("mode", ["carry", "net_off", "flush"])
def test_a_closed_gate_keeps_both_legs(mode: str):
    gated = plan(after_payout=mode, gate={"more": 2, "fewer": 1, "window": "lifetime"})

    closed = close(gated, BINARY, legs("800", "300"))

    assert closed.paid("binary") == {}
    assert closed.legs("binary") == ("800.00", "300.00")


RANKED = given_ladder("rank", "influencer", "saphire")
BY_CYCLE = by_rank({"influencer": ["15"], "saphire": ["20"]})


@pytest.mark.parametrize(("rank", "amount"), [(2, "180.00"), (1, "135.00")])
def test_whole_cycles_at_an_amount_by_rank(rank: int, amount: str):  # bin-13
    cycles = binary(BY_CYCLE, cycle="200", after_payout="net_off", unit="amount")
    ranked = load(document(bonuses=[cycles], ladders=[RANKED]))

    given = {"rank": [rank, 0, 0]}
    closed = close(ranked, BINARY, legs("1800", "20800"), given=given)

    assert closed.paid("binary") == {"you": [amount]}
    assert closed.legs("binary") == ("0.00", "19000.00")


def test_a_share_of_cycles_has_a_unit_a_cycle_as_base():
    cycles = plan(by_step("0.50"), cycle="200", after_payout="net_off")

    closed = close(cycles, BINARY, legs("1000", "550"))

    [block] = closed.result.ledger
    assert block.base.tolist() == [200]
    assert closed.paid("binary") == {"you": ["1.00"]}


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        ("net_off", ("600.00", "150.00")),
        ("carry", ("450.00", "0.00")),
        ("flush", ("0.00", "0.00")),
    ],
)
def test_what_cycles_leave(mode: str, after: tuple[str, str]):
    cycles = plan(by_step("1"), cycle="200", after_payout=mode)

    assert close(cycles, BINARY, legs("1000", "550")).legs("binary") == after


def test_less_than_a_cycle_stays_in_both_legs():
    closed = close(plan(by_step("1"), cycle="200"), BINARY, legs("190", "150"))

    assert closed.paid("binary") == {}
    assert closed.legs("binary") == ("190.00", "150.00")


@pytest.mark.parametrize(
    ("rank", "amount"), [("bronze", "2000.00"), ("silver", "4000.00"), ("gold", "6000.00")]
)
def test_rate_by_rank(rank: str, amount: str):  # bin-15
    table = by_rank({"bronze": ["0.02"], "silver": ["0.04"], "gold": ["0.06"]})
    ranks = ["bronze", "silver", "gold"]
    ranked = load(document(bonuses=[binary(table)], ladders=[given_ladder("rank", *ranks)]))

    given = {"rank": [ranks.index(rank) + 1, 0, 0]}
    closed = close(ranked, BINARY, legs("100000", "200000"), given=given)

    assert closed.paid("binary") == {"you": [amount]}


RANKS = ("bronze", "silver", "gold")


@pytest.mark.parametrize(
    ("level", "amount", "left_over"),
    [
        (0, "10.00", ("700.00", "500.00")),
        (1, "30.00", ("500.00", "300.00")),
        (2, "60.00", ("200.00", "0.00")),
        (3, "55.00", ("250.00", "50.00")),
    ],
)
def test_the_most_volume_may_go_by_rank(level: int, amount: str, left_over: tuple[str, str]):
    """Silver is not listed and has no limit; the fixed one is above all that others match."""
    table = {"none": "100", "bronze": "300", "gold": "550"}
    most = {"ladder": "rank", "which": "paid_as", "table": table}
    rules = pairs(most_by_rank=most, most_volume="600", after_payout="net_off")
    document_of = bonus("binary", ledger_type="binary_bonus", pays=rules, rates=by_step("0.10"))
    ranked = load(document(bonuses=[document_of], ladders=[given_ladder("rank", *RANKS)]))

    closed = close(ranked, BINARY, legs("800", "600"), given={"rank": [level, 0, 0]})

    assert closed.paid("binary") == {"you": [amount]}
    assert closed.legs("binary") == left_over


def test_cycles_and_what_is_flushed_go_by_the_most_of_the_rank():
    most = {"ladder": "rank", "which": "title", "table": {"bronze": "500", "gold": "10000"}}
    parts = {"most_by_rank": most, "over_most": "flush", "cycle": "200"}

    def after(level: int, **more: str) -> tuple[str, str]:
        rules = binary(by_step("1"), after_payout="net_off", **parts, **more)
        ranked = load(document(bonuses=[rules], ladders=[given_ladder("rank", *RANKS)]))
        closed = close(ranked, BINARY, legs("1300", "700"), given={"rank": [level, 0, 0]})
        return closed.legs("binary")

    assert after(1) == ("0.00", "0.00")
    assert after(2) == after(3) == ("700.00", "100.00")
    assert after(1, stronger="300") == ("0.00", "0.00")
    assert after(3, stronger="300") == ("400.00", "100.00")


def test_most_volume_keeps_the_rest_in_the_legs():
    closed = close(plan(most_volume="500"), BINARY, legs("800", "600"))

    assert closed.paid("binary") == {"you": ["50.00"]}
    assert closed.legs("binary") == ("300.00", "100.00")


@pytest.mark.parametrize(
    ("parts", "left_over"),
    [
        ({"most_volume": "500"}, ("0.00", "0.00")),
        ({"most_volume": "600"}, ("200.00", "0.00")),
        ({"most_volume": "500", "cycle": "200"}, ("0.00", "0.00")),
        ({"most_volume": "650", "cycle": "200", "after_payout": "net_off"}, ("200.00", "0.00")),
        (
            {
                "most_volume": "200", "cycle": "100", "stronger": "200", "after_payout": "net_off"
            },
            ("0.00", "0.00"),
        ),
    ],
)  # fmt: skip
def test_legs_that_had_more_than_is_matched_may_be_flushed(parts, left_over):
    closed = close(plan(over_most="flush", **parts), BINARY, legs("800", "600"))

    assert closed.legs("binary") == left_over


@pytest.mark.parametrize("mode", ["carry", "net_off", "flush"])
def test_a_leg_below_zero_is_carried_on(mode: str):
    rule = plan(after_payout=mode)
    first = close(rule, BINARY, legs("100", "100"))
    second = close(rule, BINARY, legs("0", "40"), [("left", "60")], state=first.result.state)
    third = close(rule, BINARY, legs("100", "0"), state=second.result.state)

    assert second.paid("binary") == {}
    assert second.legs("binary") == ("-60.00", "0.00" if mode == "flush" else "40.00")
    assert third.paid("binary") == ({} if mode == "flush" else {"you": ["4.00"]})
    assert third.legs("binary")[1] == "0.00"


def test_volume_counts_from_the_sources_that_are_wanted():
    closed = close(plan(sources=FLAGGED), GUIDE, FIRST, flags={"ok": [0, 0, 0, 1, 0, 1, 1]})

    assert closed.paid("binary") == {"you": ["10.00"], "r1": ["20.00"]}


def test_who_has_no_rate_is_paid_nothing_for_what_is_matched():
    table = by_rank({"gold": ["0.06"]})
    ranked = load(
        document(bonuses=[binary(table)], ladders=[given_ladder("rank", "bronze", "gold")])
    )

    closed = close(ranked, BINARY, legs("800", "300"), given={"rank": [1, 0, 0]})

    assert closed.paid("binary") == {}
    assert closed.legs("binary") == ("500.00", "0.00")


# For any legs


@st.composite
def rules(draw: st.DrawFn) -> Document:
    optional: Document = {}
    if draw(st.booleans()):
        optional["most_volume"] = str(draw(st.integers(0, 60)))
    if draw(st.booleans()):
        optional["gate"] = {"more": 2, "fewer": 1, "window": draw(st.sampled_from(WINDOWS))}
    caps = [None, {"amount": "25"}, {"times": "1.5", "periods": 3}]
    return pairs(
        cycle=draw(st.sampled_from([None, "7", "20"])),
        after_payout=draw(st.sampled_from(["carry", "net_off", "flush"])),
        if_ineligible=draw(st.sampled_from(["keep_both", "weaker_to_zero", "flush"])),
        carry_cap=draw(st.sampled_from(caps)),
        **optional,
    )


WINDOWS = ["period", "lifetime"]
Figures = list[int]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str | None]:
    """Random binary trees: each is put to a free side of somebody before him."""
    people: dict[str, str | None] = {"p0": None}
    free = ["p0/left", "p0/right"]
    for place in range(1, draw(st.integers(1, 12))):
        side = draw(st.sampled_from(free))
        free.remove(side)
        people[f"p{place}"] = side
        free += [f"p{place}/left", f"p{place}/right"]
    return people


def below(people: dict[str, str | None], head: str) -> set[str]:
    """Everybody in the subtree, the head included."""
    under = {who for who, place in people.items() if place and place.partition("/")[0] == head}
    return {head}.union(*(below(people, who) for who in under))


def leg_of(people: dict[str, str | None], who: str, side: str, sold: dict[str, int]) -> int:
    heads = [head for head, place in people.items() if place == f"{who}/{side}"]
    return sum(sold[other] for head in heads for other in below(people, head))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rule=rules(), people=trees())
def test_volume_is_matched_carried_on_or_flushed(
    data: st.DataObject, rule: Document, people: dict[str, str | None]
):
    figures = st.lists(st.integers(0, 9_999), min_size=len(people), max_size=len(people))
    sold = dict(zip(people, data.draw(figures), strict=True))
    back = dict(zip(people, data.draw(figures), strict=True)) if data.draw(st.booleans()) else {}
    carried = {f"pairs.binary.{side}": data.draw(figures) for side in ("left", "right")}
    ok = data.draw(st.lists(st.booleans(), min_size=len(people), max_size=len(people)))
    document_ = document(bonuses=[binary(by_step("1")) | {"pays": rule, "eligibility": LOST}])
    sales = [(who, f"{n // 100}.{n % 100:02}") for who, n in sold.items()]
    refunds = [(who, f"{n // 100}.{n % 100:02}") for who, n in back.items()]

    closed = close(load(document_), people, sales, refunds, state=carried, flags={"ok": ok})

    net = {who: sold[who] - back.get(who, 0) for who in people}
    paid = closed.paid("binary")
    for place, who in enumerate(people):
        before = [
            carried[f"pairs.binary.{side}"][place] + leg_of(people, who, side, net)
            for side in ("left", "right")
        ]
        after = [closed.state(f"pairs.binary.{side}").get(who, 0) for side in ("left", "right")]
        [units] = paid.get(who, ["0"])
        cycle = int(rule["cycle"] or 0) * 100
        matched = int(Decimal(units)) * cycle if cycle else int(units.replace(".", ""))
        flushed = [one - matched - rest for one, rest in zip(before, after, strict=True)]
        assert 0 <= matched <= max(0, min(before))
        assert matched == 0 or ok[place]
        assert min(flushed) >= 0
        assert all(rest >= min(one, 0) for one, rest in zip(before, after, strict=True))
        if rule["after_payout"] == "net_off" and rule["carry_cap"] is None and ok[place]:
            assert flushed == [0, 0]


# Cycles that take more of one leg


def uneven(**parts: Any) -> Plan:
    given: dict[str, Any] = {"cycle": "100", "stronger": "200", "after_payout": "net_off"}
    return plan(by_step("14"), unit="amount", **(given | parts))


@pytest.mark.parametrize(
    ("left", "right", "cycles", "after"),
    [
        ("260", "200", 1, ("60.00", "100.00")),
        ("1000", "400", 4, ("200.00", "0.00")),
        ("400", "1000", 4, ("0.00", "200.00")),
        ("300", "300", 2, ("0.00", "0.00")),
        ("299.99", "300", 1, ("199.99", "100.00")),
        ("200", "100", 1, ("0.00", "0.00")),
        ("199.99", "5000", 1, ("99.99", "4800.00")),
        ("99.99", "5000", 0, ("99.99", "5000.00")),
        ("900", "900", 6, ("0.00", "0.00")),
    ],
)
def test_each_cycle_takes_the_larger_part_of_the_leg_that_is_ahead_then(
    left: str, right: str, cycles: int, after: tuple[str, str]
):
    closed = close(uneven(), BINARY, legs(left, right))

    assert closed.paid("binary") == ({"you": [f"{14 * cycles}.00"]} if cycles else {})
    assert closed.legs("binary") == after


def test_uneven_cycles_go_up_to_the_most_volume():
    closed = close(uneven(most_volume="250"), BINARY, legs("1000", "700"))

    assert closed.paid("binary") == {"you": ["28.00"]}
    assert closed.legs("binary") == ("600.00", "500.00")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3_000), st.integers(0, 3_000), st.integers(1, 60), st.integers(1, 90))
def test_uneven_cycles_are_those_taken_one_after_the_other(a: int, b: int, small: int, more: int):
    volumes = [Decimal(n).scaleb(-2) for n in (small, small + more)]
    rule = uneven(cycle=str(volumes[0]), stronger=str(volumes[1]))
    closed = close(rule, BINARY, legs(*(str(Decimal(n).scaleb(-2)) for n in (a, b))))

    sides, cycles = [a, b], 0
    while max(sides) >= small + more and min(sides) >= small:
        ahead = 0 if sides[0] >= sides[1] else 1
        sides[ahead] -= small + more
        sides[1 - ahead] -= small
        cycles += 1

    assert closed.paid("binary") == ({"you": [f"{14 * cycles}.00"]} if cycles else {})
    assert [Decimal(side) * 100 for side in closed.legs("binary")] == sides

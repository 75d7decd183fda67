"""Orders by who bought and when: first orders, first days, the size of an order.

asha
  bela      joined on day 1010, asha on day 1000
"""

from dataclasses import replace

import pytest

from commissions.engine.calculate import calculate
from commissions.engine.errors import SnapshotError
from tests.engine.closing import close
from tests.engine.documents import (
    COMPANY,
    METRICS,
    at_least,
    bonus,
    by_step,
    document,
    group,
    levels,
    load,
    metric,
    upline,
)
from tests.engine.small import company, known, of
from tests.engine.test_language import faults_of

TEAM = {"asha": None, "bela": "asha"}
JOINED = [1_000, 1_010]
# The buyer's first, second and third order, on three days; he joined on day 1005.
ORDERS = [
    ("bela", "100.00", "retail", 1_005, 1, 1_005),
    ("bela", "20.00", "retail", 1_015, 2, 1_005),
    ("bela", "3.00", "retail", 1_025, 3, 1_005),
]


def measured(orders=ORDERS, **parts):
    whole = document(metrics=[*METRICS, metric("it", volume="pv", **parts)])
    facts = known(whole, TEAM, orders, joined=JOINED)
    return [figure / 100 for figure in of(facts, facts.metric("it")).values()]


@pytest.mark.parametrize(
    ("asked", "counted"),
    [
        ({"last": 1}, 100),
        ({"first": 2}, 23),
        ({"first": 2, "last": 2}, 20),
        ({"within_days": 10}, 120),
        ({"within_days": 9}, 100),
        ({"first": 2, "within_days": 10}, 20),
    ],
)
def test_orders_count_by_their_number_and_by_how_long_their_buyer_is_there(asked, counted):
    whole = document(metrics=[*METRICS, metric("it", volume="pv", orders=asked)])
    facts = known(whole, TEAM, ORDERS, joined=JOINED)

    assert of(facts, facts.metric("it")) == {"asha": 0, "bela": 100 * counted}


def test_what_came_back_counts_as_the_order_it_came_back_of():
    whole = document(metrics=[*METRICS, metric("it", volume="pv", orders={"last": 1})])
    back = [
        ("bela", "30.00", "retail", 1_020, 1, 1_005),
        ("bela", "5.00", "retail", 1_020, 2, 1_005),
    ]

    facts = known(whole, TEAM, ORDERS, back, joined=JOINED)

    assert of(facts, facts.metric("it"))["bela"] == 70_00


@pytest.mark.parametrize(
    ("scope", "since", "asha", "bela"),
    [
        # 10 days: of bela, who sold, 1010 to 1020; of the buyer 1005 to 1015; of who is measured
        # 1000 to 1010 for asha and 1010 to 1020 for bela.
        (group(), "seller", 120, 120),
        (group(), "buyer", 120, 120),
        (group(), "member", 100, 20),
        (levels(1, 1), "member", 100, 0),
        (COMPANY, "member", 100, 20),
        ({"scope": "own"}, "member", 0, 20),
        (group(include_self=False), "member", 100, 0),
    ],
)
def test_first_days_are_those_of_seller_buyer_or_the_member_measured(scope, since, asha, bela):
    window = {"window": "first_days", "length": 10, "since": since}

    assert measured(scope=scope, **window) == [asha, bela]


def test_first_days_of_the_member_go_on_into_the_next_period():
    window = {"window": "first_days", "length": 40, "since": "member"}
    plan = load(document(metrics=[*METRICS, metric("it", volume="pv", scope=group(), **window)]))
    first = close(plan, TEAM, ORDERS, joined=JOINED)

    second = close(plan, TEAM, [("bela", "7.00", "retail", 1_029)], joined=JOINED,
                   state=first.result.state)  # fmt: skip

    assert first.state("metric.it.total") == {"asha": 123_00, "bela": 23_00}
    assert second.state("metric.it.total") == {"asha": 130_00, "bela": 30_00}


def test_first_days_pass_over_uplines_whose_days_are_over():
    """A chain of ten, of whom the first and the fifth are new: only they are looked at."""
    people = {f"p{n}": f"p{n - 1}" if n else None for n in range(10)}
    joined = [1_000 if n in (0, 4) else 0 for n in range(10)]
    window = {"window": "first_days", "length": 20, "since": "member"}
    whole = document(metrics=[*METRICS, metric("it", volume="pv", scope=group(), **window)])

    facts = known(whole, people, [("p9", "1.00", "retail", 1_010)], joined=joined)

    assert {who for who, figure in of(facts, facts.metric("it")).items() if figure} == {"p0", "p4"}


def test_a_first_order_pays_and_the_others_pay_the_levels():
    plan = load(
        document(
            bonuses=[
                bonus("first", rates=by_step("0.45"), pays=upline(1), orders={"last": 1}),
                bonus("levels", rates=by_step("0.05"), pays=upline(1), orders={"first": 2}),
            ]
        )
    )

    closed = close(plan, TEAM, ORDERS)

    assert closed.paid("first") == {"asha": ["45.00"]}
    assert closed.paid("levels") == {"asha": ["1.00", "0.15"]}


def test_a_first_order_can_be_paid_at_payment():
    first = bonus("first", rates=by_step("0.2"), pays=upline(1), orders={"last": 1})

    load(document(bonuses=[first | {"trigger": "payment"}]))


def test_only_volume_of_these_orders_is_in_the_legs():
    pays = {"who": "pairs", "tree": "placement", "volume": "cv", "cycle": None,
            "after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None}  # fmt: skip
    plan = load(document(bonuses=[bonus("binary", pays=pays, rates=by_step("0.10"),
                                        orders={"last": 1})]))  # fmt: skip
    people = {"you": None, "left": "you/left", "right": "you/right"}
    sales = [("left", "100", "retail", 1_005, 1, 0), ("right", "80", "retail", 1_005, 1, 0),
             ("right", "90", "retail", 1_006, 2, 0)]  # fmt: skip

    closed = close(plan, people, sales)

    assert closed.paid("binary") == {"you": ["8.00"]}
    assert closed.legs("binary") == ("20.00", "0.00")


@pytest.mark.parametrize(
    ("amount", "paid"),
    [("14.99", None), ("15", "5.00"), ("24.99", "5.00"), ("25", "10.00"), ("1000", "10.00")],
)
def test_an_amount_by_the_size_of_the_order(amount, paid):
    bands = [{"at": "15", "rates": ["5"]}, {"at": "25", "rates": ["10"]}]
    gift = bonus("gift", base={"of": "flat", "per": "order"}, pays=upline(1), unit="amount",
                 rates={"by": "figure", "volume": "pv", "bands": bands})  # fmt: skip

    closed = close(load(document(bonuses=[gift])), TEAM, [("bela", amount)])

    assert closed.paid("gift") == ({"asha": [paid]} if paid else {})


def test_no_more_than_so_much_of_a_line_or_of_a_member():
    line = bonus(
        "line",
        base={"of": "order", "volume": "cv", "at_most": "50"},
        pays=upline(1),
        rates=by_step("0.1"),
    )
    member = bonus("member", base={"of": "metric", "metric": "cv", "at_most": "110"},
                   pays=upline(1), rates=by_step("0.1"))  # fmt: skip

    closed = close(load(document(bonuses=[line, member])), TEAM, ORDERS)

    assert closed.paid("line") == {"asha": ["5.00", "2.00", "0.30"]}
    assert closed.paid("member") == {"asha": ["11.00"]}


def test_steps_beyond_the_end_of_the_table_pay_as_its_last():
    chain = {"a": None, "b": "a", "c": "b", "d": "c", "e": "d"}
    pays = upline(4, further_steps="as_last")
    plan = load(document(bonuses=[bonus(pays=pays, rates=by_step("0.1", "0.05"))]))

    closed = close(plan, chain, [("e", "100")])

    assert closed.paid("unilevel") == {"d": ["10.00"], "c": ["5.00"], "b": ["5.00"], "a": ["5.00"]}


# What goes wrong


def test_a_plan_that_asks_who_bought_needs_to_be_told():
    plan = load(document(bonuses=[bonus(orders={"last": 1})]))
    told = company(TEAM, [("bela", "1.00")])
    untold = replace(told, lines=replace(told.lines, buyer={}))

    with pytest.raises(SnapshotError, match="asks who bought, and the number of buyers is not"):
        calculate(untold, plan)


METRIC = {"code": "it", "name": "It", "scope": {"scope": "own"}}


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"bonuses": [bonus(orders={})]}, "$.bonuses[0].orders: leaves out no order, so it says "
         "nothing"),
        ({"bonuses": [bonus(orders={"first": 3, "last": 2})]},
         "$.bonuses[0].orders.last: is less than the first, which is 3"),
        ({"bonuses": [bonus(base={"of": "metric", "metric": "pv"}, orders={"last": 1})]},
         "$.bonuses[0].orders: goes by order lines, and this bonus is not paid on any"),
        ({"metrics": [*METRICS, METRIC | {"what": "members", "orders": {"last": 1}}]},
         "$.metrics[3].orders: has no meaning where members are counted, not order lines"),
        ({"metrics": [*METRICS, METRIC | {"what": "volume", "volume": "pv", "since": "buyer"}]},
         "$.metrics[3].since: has no meaning but for first days of order lines"),
        ({"metrics": [*METRICS, METRIC | {"what": "sum"}]},
         "$.metrics[3].parts: names no metric, so there would be nothing to add up"),
        ({"metrics": [*METRICS, METRIC | {"what": "sum", "parts": {"it": "1"}}]},
         "$.metrics[3]: asks for itself: it would have to be known before it can be known"),
        ({"metrics": [*METRICS, METRIC | {"what": "sum", "parts": {"xv": "1"}}]},
         '$.metrics[3].parts.xv: "xv" is no metric of this plan: cv, gv, it, pv'),
        ({"bonuses": [bonus(base={"of": "metric", "metric": "pv"}, rates={
            "by": "figure", "volume": "pv", "bands": [{"at": "0", "rates": ["0.1"]}]})]},
         "$.bonuses[0].rates: goes by a figure of order lines, and this bonus is not paid on any"),
    ],
)  # fmt: skip
def test_faults_of_orders_and_sums_are_named(parts, fault):
    assert faults_of(document(**parts)) == [fault]


def test_a_sum_adds_other_metrics_up_each_so_many_times():
    recruits = metric("recruits", what="members", scope=levels(1, 1), where=at_least("pv", "100"))
    points = metric("points", what="sum", parts={"gv": "2", "recruits": "50.5"})
    facts = known(document(metrics=[*METRICS, recruits, points]), TEAM, ORDERS)

    assert of(facts, facts.metric("points")) == {"asha": 246_00 + 50_50, "bela": 246_00}

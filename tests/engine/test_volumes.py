"""Figures derived from an order line: each step is rounded by itself, and the parts add up."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError, EngineError
from tests.engine.documents import document, metric, money
from tests.engine.small import hundredths, known

ALONE = {"sam": None}
WATERFALL = [
    {"code": "pv"},
    {"code": "vendor", "of": "pv", "rate": "0.30"},
    {"code": "gross", "of": "pv", "less": ["vendor"]},
    {"code": "company", "of": "gross", "rate": "0.30"},
    {"code": "remainder", "of": "gross", "less": ["company"]},
    {"code": "bonus_pool", "of": "remainder", "rate": "0.035"},
    {"code": "leadership_pool", "of": "remainder", "rate": "0.015"},
    {"code": "commission", "of": "remainder", "less": ["bonus_pool", "leadership_pool"]},
    {"code": "seller", "of": "commission", "rate": "0.60"},
    {"code": "override", "of": "commission", "less": ["seller"]},
]
CODES = [step["code"] for step in WATERFALL[1:]]


def lines(volumes, sales, rounding="half_up", **more):
    plan = document(volumes=volumes, metrics=[], money=money(rounding=rounding))
    return known(plan, ALONE, sales, **more)


@pytest.mark.parametrize(
    ("price", "figures"),
    [
        ("79.00", "23.70 55.30 16.59 38.71 1.35 0.58 36.78 22.07 14.71"),
        ("99.00", "29.70 69.30 20.79 48.51 1.70 0.73 46.08 27.65 18.43"),
        ("10.00", "3.00 7.00 2.10 4.90 0.17 0.07 4.66 2.80 1.86"),
    ],
)
def test_a_price_runs_down_to_the_override_pool(price, figures):
    facts = lines(WATERFALL, [("sam", price)])

    assert [facts.volume(code).tolist() for code in CODES] == [
        [hundredths(figure)] for figure in figures.split()
    ]


@given(
    price=st.integers(1, 10**9).map(lambda cents: str(Decimal(cents) / 100)),
    rounding=st.sampled_from(["half_even", "half_up", "toward_zero", "away_from_zero"]),
)
@settings(max_examples=30, deadline=None)
def test_the_parts_add_up_and_a_refund_is_the_sale_with_its_sign_turned(price, rounding):
    facts = lines(WATERFALL, [("sam", price)], rounding, refunds=[("sam", price)])

    parts = ("vendor", "company", "bonus_pool", "leadership_pool", "seller", "override")
    assert sum(int(facts.volume(code)[0]) for code in parts) == hundredths(price)
    for code in CODES:
        assert facts.volume(code, "refunds").tolist() == [-int(facts.volume(code)[0])]


def test_each_step_is_rounded_as_the_plan_says():
    step = [{"code": "pv"}, {"code": "part", "of": "pv", "rate": "0.05"}]
    sales = [("sam", "12.35"), ("sam", "12.50"), ("sam", "12.30")]

    found = {
        rounding: lines(step, sales, rounding).volume("part").tolist()
        for rounding in ("half_even", "half_up", "toward_zero", "away_from_zero")
    }

    assert found == {
        "half_even": [62, 62, 62],
        "half_up": [62, 63, 62],
        "toward_zero": [61, 62, 61],
        "away_from_zero": [62, 63, 62],
    }


def test_fixed_amounts_go_by_the_kind_of_order_line():
    volumes = [
        {"code": "pv"},
        {"code": "sponsor", "amounts": {"retail": "8.00", "enrolment_kit": "10.00"}},
        {"code": "rest", "of": "pv", "less": ["sponsor"]},
    ]
    sales = [("sam", "39.00"), ("sam", "50.00", "enrolment_kit"), ("sam", "20.00", "autoship")]

    facts = lines(volumes, sales, refunds=[("sam", "39.00")])

    assert facts.volume("sponsor").tolist() == [800, 1000, 0]
    assert facts.volume("rest").tolist() == [3100, 4000, 2000]
    assert facts.volume("sponsor", "refunds").tolist() == [-800]
    assert facts.volume("rest", "refunds").tolist() == [-3100]


def test_a_figure_of_some_kinds_is_zero_on_others():
    volumes = [{"code": "pv", "kinds": ["retail"]}, {"code": "half", "of": "pv", "rate": "0.5"}]

    facts = lines(volumes, [("sam", "10.00"), ("sam", "30.00", "autoship")])

    assert facts.volume("pv").tolist() == [1000, 0]
    assert facts.volume("half").tolist() == [500, 0]


def test_metrics_sum_derived_figures():
    plan = document(volumes=WATERFALL, metrics=[metric("override")])

    facts = known(plan, ALONE, [("sam", "79.00"), ("sam", "99.00")], [("sam", "10.00")])

    assert facts.metric("override").tolist() == [1471 + 1843 - 186]


def test_a_figure_too_large_for_its_rate_is_refused():
    volumes = [{"code": "pv"}, {"code": "part", "of": "pv", "rate": "0.999999"}]

    assert lines(volumes, [("sam", "90000000000.00")]).volume("part").tolist() == [8999991000000]
    with pytest.raises(CapacityError, match="too large for its rate"):
        lines(volumes, [("sam", "9000000000000.00")]).volume("part")


def test_figures_that_derive_from_each_other_are_refused():
    circle = [{"code": "one", "of": "two"}, {"code": "two", "of": "one"}]

    with pytest.raises(EngineError, match="one"):
        lines(circle, [("sam", "1.00")]).volume("one")

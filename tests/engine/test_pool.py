"""Pools: published cases (ids of `shared/cases`), and that none is ever overpaid."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import CapacityError
from commissions.engine.plan import Plan
from commissions.engine.pool import shared
from tests.engine.closing import Closed, close
from tests.engine.documents import (
    COMPANY,
    METRICS,
    Document,
    bonus,
    by_step,
    document,
    given_ladder,
    has_rank,
    load,
    metric,
    money,
)

TURNOVER = metric("turnover", volume="cv", scope=COMPANY)
ORDERS = {"code": "orders", "name": "Orders", "what": "orders", "scope": COMPANY}
FLAGGED = {"is": "flag", "flag": "ok"}
EQUAL: Document = {"by": "equal"}
BY_PV: Document = {"by": "metric", "metric": "pv"}


def pool(rate: str = "1", *, shares: Document = EQUAL, **parts: Any) -> Document:
    """The whole turnover for those with the mark, what is left over for the company."""
    pays = {"who": "pool", "shares": shares, "remainder": "company", "if_nobody": "company"}
    own = {name: parts.pop(name) for name in ("remainder", "if_nobody") if name in parts}
    given: Document = {
        "ledger_type": "pool_share",
        "base": {"of": "metric", "metric": "turnover"},
        "pays": pays | own,
        "rates": by_step(rate),
        "eligibility": {"when": FLAGGED, "otherwise": "lost"},
    }
    return bonus("pool", **(given | parts))


def plan(bonus: Document, **parts: Any) -> Plan:
    return load(document(bonuses=[bonus], metrics=[*METRICS, TURNOVER, ORDERS], **parts))


def share_out(turnover: str, people: int, rule: Plan, state: Any = None) -> Closed:
    """The turnover, made by somebody without the mark, for so many with it."""
    names = dict.fromkeys(["seller", *(f"e{n}" for n in range(1, people + 1))])
    flags = {"ok": [0] + [1] * people}
    return close(rule, names, [("seller", turnover)], flags=flags, state=state)


@pytest.mark.parametrize(
    ("turnover", "people", "each", "left"),
    [
        ("1000", 4, "250.00", []),
        ("100", 3, "33.33", ["0.01"]),
        ("10000", 100, "100.00", []),
    ],
)
def test_equal_shares(turnover: str, people: int, each: str, left: list[str]):  # pol-02 a, b, c
    closed = share_out(turnover, people, plan(pool()))

    assert closed.paid("pool") == {f"e{n}": [each] for n in range(1, people + 1)}
    assert closed.kept("pool") == left


@pytest.mark.parametrize(
    ("turnover", "points", "paid"),
    [
        ("1500", ["5000", "5000"], {"e1": ["750.00"], "e2": ["750.00"]}),
        ("1000", ["10000", "2500"], {"e1": ["800.00"], "e2": ["200.00"]}),
    ],
)
def test_shares_in_proportion(
    turnover: str, points: list[str], paid: dict[str, list[str]]
):  # pol-02 d, e
    closed = by_points(turnover, dict(zip(["e1", "e2"], points, strict=True)), "e1 e2")

    assert closed.paid("pool") == paid
    assert closed.kept("pool") == []


def test_the_unqualified_have_no_share():  # pol-02 f
    closed = by_points("1000", {"e1": "5000", "e2": "5000"}, "e1")

    assert closed.paid("pool") == {"e1": ["1000.00"]}


def test_points_of_all_points():  # pol-04
    closed = by_points("10000", {"m": "500", "others": "4500"}, "m others")

    assert closed.paid("pool") == {"m": ["1000.00"], "others": ["9000.00"]}


def by_points(turnover: str, points: dict[str, str], qualified: str) -> Closed:
    """Points are bought by autoship; all the turnover is retail."""
    volumes: list[Document] = [
        {"code": "pv"},
        {"code": "points", "of": "pv", "kinds": ["autoship"]},
        {"code": "retail", "of": "pv", "kinds": ["retail"]},
    ]
    metrics = [metric("points"), metric("turnover", volume="retail", scope=COMPANY)]
    bonuses = [pool(shares={"by": "metric", "metric": "points"})]
    names = dict.fromkeys(["seller", *points])
    sales = [("seller", turnover), *((who, n, "autoship") for who, n in points.items())]
    return close(
        load(document(volumes=volumes, metrics=metrics, bonuses=bonuses)),
        names,
        sales,
        flags={"ok": [who in qualified.split() for who in names]},
    )


RANKS = given_ladder("rank", "silver", "gold")


def by_rank(**shares: int) -> Document:
    return {"by": "rank", "ladder": "rank", "shares": shares}


def test_shares_by_rank():  # gen-03
    rule = plan(pool("0.0625", shares=by_rank(silver=4_994, gold=6)), ladders=[RANKS])
    names = {"seller": None, "one": None, "six": None}
    columns = {"given": {"rank": [0, 1, 2]}, "flags": {"ok": [1, 1, 1]}}

    closed = close(rule, names, [("seller", "10000000")], **columns)

    assert closed.paid("pool") == {"one": ["624250.00"], "six": ["750.00"]}
    assert closed.kept("pool") == []


def test_those_without_a_rank_may_have_shares():
    rule = plan(pool("1", shares=by_rank(none=1, gold=3)), ladders=[RANKS])
    columns = {"given": {"rank": [0, 2]}, "flags": {"ok": [1, 1]}}

    closed = close(rule, {"seller": None, "gold": None}, [("seller", "100")], **columns)

    assert closed.paid("pool") == {"seller": ["25.00"], "gold": ["75.00"]}


def test_a_part_of_the_turnover_for_one_rank_of_fifty():  # pol-05
    only_silver = {
        "is": "all",
        "of": [has_rank("silver"), {"is": "not", "of": has_rank("gold")}],
    }
    rule = plan(
        pool("0.30", eligibility={"when": only_silver, "otherwise": "lost"}), ladders=[RANKS]
    )
    names = dict.fromkeys(["seller", "gold", *(f"m{n}" for n in range(50))])
    given = {"rank": [0, 2] + [1] * 50}

    closed = close(rule, names, [("seller", "100000")], given=given)

    assert closed.paid("pool") == {f"m{n}": ["600.00"] for n in range(50)}
    assert closed.result.totals["pool"] == 30_000_00


def test_largest_remainder_goes_to_those_who_lost_most():
    closed = share_out("100", 3, plan(pool(remainder="largest_remainder")))

    assert closed.paid("pool") == {"e1": ["33.34"], "e2": ["33.33"], "e3": ["33.33"]}
    assert closed.kept("pool") == []


def test_the_pool_itself_is_rounded_as_the_plan_says():
    closed = share_out("10.01", 1, plan(pool("0.5"), money=money(rounding="half_up")))

    assert closed.paid("pool") == {"e1": ["5.01"]}


def test_factor_makes_money_of_volume():
    closed = share_out("1000", 2, plan(pool("0.1", factor="0.5")))

    assert closed.paid("pool") == {"e1": ["25.00"], "e2": ["25.00"]}


def test_an_amount_for_each_order_of_the_company():
    rule = plan(pool("7.50", base={"of": "metric", "metric": "orders"}, unit="amount"))
    names = {"seller": None, "e1": None, "e2": None}

    closed = close(rule, names, [("seller", "1")] * 5, flags={"ok": [0, 1, 1]})

    assert closed.paid("pool") == {"e1": ["18.75"], "e2": ["18.75"]}


def test_money_of_whole_units_is_shared_in_whole_units():
    closed = share_out("100.60", 3, plan(pool(), money=money(scale=0)))

    assert closed.paid("pool") == {"e1": ["33"], "e2": ["33"], "e3": ["33"]}
    assert closed.kept("pool") == ["2"]


def test_nobody_in_it_leaves_the_pool_to_the_company():
    closed = share_out("100", 0, plan(pool()))

    assert closed.paid("pool") == {}
    assert closed.kept("pool") == ["100.00"]


def test_nobody_in_it_carries_the_pool_on():
    rule = plan(pool(if_nobody="carry"))
    first = share_out("100", 0, rule)
    second = share_out("50", 0, rule, first.result.state)
    state = {name: [*values, 0, 0] for name, values in second.result.state.items()}
    third = share_out("30", 2, rule, state)
    fourth = share_out("30", 2, rule, third.result.state)

    assert first.kept("pool") == second.kept("pool") == []
    assert third.paid("pool") == {"e1": ["90.00"], "e2": ["90.00"]}
    assert fourth.paid("pool") == {"e1": ["15.00"], "e2": ["15.00"]}


def test_no_points_at_all_are_nobody_in_it():
    rule = plan(pool(shares=BY_PV, eligibility={"when": FLAGGED, "otherwise": "lost"}))

    assert share_out("100", 2, rule).kept("pool") == ["100.00"]


def test_a_turnover_below_zero_is_no_pool():
    rule = plan(pool())
    names = {"seller": None, "e1": None}

    closed = close(rule, names, [], [("seller", "100")], flags={"ok": [0, 1]})

    assert closed.paid("pool") == {}
    assert closed.kept("pool") == []


WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any)


@settings(max_examples=60, deadline=None)
@given(whole=st.integers(0, 10**15), weights=WEIGHTS)
def test_a_pool_is_never_overpaid(whole: int, weights: list[int]):
    parts, left = shared(whole, np.array(weights), "company")
    fair, nothing = shared(whole, np.array(weights), "largest_remainder")

    exact = [whole * weight // sum(weights) for weight in weights]
    assert parts.tolist() == exact
    assert left == whole - sum(exact)
    assert (int(fair.sum()), nothing) == (whole, 0)
    assert set((fair - parts).tolist()) <= {0, 1}
    lost = [whole * weight % sum(weights) for weight in weights]
    got = [rest for rest, more in zip(lost, fair - parts, strict=True) if more]
    went_without = [rest for rest, more in zip(lost, fair - parts, strict=True) if not more]
    assert max(went_without, default=0) <= min(got, default=max(lost))


def test_shares_that_do_not_fit_are_refused():
    with pytest.raises(CapacityError):
        shared(100, np.full(4, 2**62), "company")

"""Refunds take back what was paid on sums: in one run, and over a state file."""

from copy import deepcopy
from decimal import Decimal

import pytest

from commissions.simulation.calendar import periods
from commissions.simulation.periods import run, run_period, span
from commissions.simulation.story import explain
from tests.engine.documents import COMPANY, METRICS, bonus, by_step, metric, upline
from tests.simulation.companies import UNILEVEL, Folder

PEOPLE = "distributor,sponsor,placement,leg\nAsha,,,\nBela,Asha,Asha,left\nDina,Asha,Asha,right\n"
HEAD = "order,buyer,kind,date,pv,cv,margin,refund_of\n"
SALES = (
    "o1,Asha,self_consumption,2024-01-15,600,600,0,\n"
    "o2,Bela,self_consumption,2024-01-16,200,200,0,\n"
    "o3,Dina,self_consumption,2024-01-17,200,200,0,\n"
)
FIRST = "r1,,,2024-02-03,300,300,0,o1\n"
LATER = "r2,,,2024-03-04,150,150,0,o1\nr3,,,2024-03-05,50,50,0,o2\nr4,,,2024-04-01,150,150,0,o1\n"
POOL = bonus(
    "pool",
    base={"of": "metric", "metric": "turnover"},
    pays={"who": "pool", "shares": {"by": "equal"}, "remainder": "company",
          "if_nobody": "company"},
    rates=by_step("0.10"),
)  # fmt: skip
MATCH = bonus(
    "match",
    base={"of": "commissions", "bonuses": ["unilevel"], "per": "member", "after_limits": False},
    pays=upline(1, start="source"),
    rates=by_step("0.50"),
)
PAIRS = bonus(
    "binary",
    pays={"who": "pairs", "tree": "placement", "volume": "cv", "cycle": None,
          "after_payout": "carry", "if_ineligible": "keep_both", "carry_cap": None},
    rates=by_step("0.10"),
)  # fmt: skip
AT_ONCE = bonus("partner", trigger="payment", pays={"who": "source"}, rates=by_step("0.10"))
CAP = {
    "code": "cap", "name": "Cap", "scope": "member", "bonuses": ["partner", "unilevel"],
    "amount": "30", "share": None, "metric": None, "enforcement": "pro_rata", "overflow": "held",
}  # fmt: skip
EVERYTHING = {
    "bonuses": [AT_ONCE, UNILEVEL, MATCH, POOL, PAIRS],
    "metrics": [*METRICS, metric("turnover", volume="cv", scope=COMPANY)],
    "limits": [CAP],
}


def folder(path, orders, **parts):
    return Folder(path, PEOPLE, HEAD + orders, **deepcopy(EVERYTHING | parts))


def taken(period, code):
    return {
        row["distributor"]: (row["amount"], row["refund"])
        for row in (*period["ledger"], *period["retained"])
        if row["bonus"] == code and row["reverses"] is not None
    }


def test_pool_goes_back_with_each_refund(tmp_path):
    parts = {"bonuses": [POOL], "limits": []}

    found = folder(tmp_path, SALES + FIRST + LATER, **parts).run()["periods"]

    # 100.00 for three, 33.33 each and 0.01 for the company; then 70.00, 50.00, 35.00.
    people = ("Asha", "Bela", "Dina")
    assert taken(found[1], "pool") == dict.fromkeys(people, ("-10.00", "r1"))
    assert taken(found[2], "pool") == dict.fromkeys(people, ("-6.67", None))
    assert taken(found[3], "pool") == dict.fromkeys(people, ("-5.00", "r4"))
    numbers = [row["number"] for period in found for row in period["ledger"]]
    undone = [row["reverses"] for row in found[1]["ledger"]]
    assert undone == [row["number"] for row in found[0]["ledger"]]
    assert len(set(numbers)) == len(numbers)


def test_line_taken_back_is_explained(tmp_path):
    company = folder(tmp_path, SALES + FIRST + LATER, bonuses=[POOL], limits=[]).read()
    outcomes, _ = run(company)
    first, several = (outcome.reversed[0].line.number for outcome in outcomes[1:3])

    assert "takes back line 1, worked out again" in explain(company, outcomes, first)
    assert "for r1" in explain(company, outcomes, first)
    assert "for several refunds" in explain(company, outcomes, several)


def test_all_that_is_sold_comes_back_and_nobody_keeps_anything(tmp_path):
    back = "".join(f"r{n},,,2024-0{n + 2}-03,,,,o{n}\n" for n in (1, 2, 3))

    found = folder(tmp_path, SALES + back).run(until=None)["periods"]

    rows = [row for period in found for row in (*period["ledger"], *period["retained"])]
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["distributor"]] = sums.get(row["distributor"], Decimal(0)) + Decimal(row["amount"])
    assert len(rows) > 20
    assert set(sums.values()) == {Decimal("0.00")}
    left = {row["name"]: row["figure"] for row in found[-1]["carried"] if row["name"] != "wallet"}
    assert left == {}


@pytest.mark.parametrize("window", [None, 45])
def test_run_in_parts_is_the_run_as_one(tmp_path, window):
    rule = {"reversal": plan_rule(window)}
    whole = folder(tmp_path, SALES + FIRST + LATER, **rule).run()
    state = folder(tmp_path, SALES, **rule).run()
    parts = list(state["periods"])

    for orders in (FIRST, LATER):
        state = folder(tmp_path, orders, **rule).run(state["state"])
        parts += state["periods"]

    assert parts == whole["periods"]
    assert state["state"] == whole["state"]


def plan_rule(window):
    return {
        "commissions": "proportional",
        "derived": True,
        "window_days": window,
        "volume_counts_in": "period_of_refund",
        "reevaluate_rank": "never",
    }


def test_nothing_is_kept_of_plans_that_pay_orders_alone(tmp_path):
    company = folder(tmp_path, SALES, bonuses=[UNILEVEL], limits=[]).read()

    carried = company.carried
    for period in periods("month", *span(company, None)):
        _, carried = run_period(company, period, carried)

    assert carried.ledger
    assert carried.closed == []

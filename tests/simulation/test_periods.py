"""Period after period: calendars, what is carried, what refunds take back."""

import json
from datetime import date
from itertools import pairwise

import pytest

from commissions.simulation.calendar import periods
from commissions.simulation.faults import InputError
from commissions.simulation.printing import as_json
from tests.simulation.companies import UNILEVEL, Folder, amounts

PEOPLE = "distributor,sponsor\nAsha,\nBela,Asha\nDina,Bela\n"
HEAD = "order,line,buyer,kind,date,pv,cv,margin,refund_of\n"
MATCH = {
    **UNILEVEL,
    "code": "match",
    "name": "Match",
    "ledger_type": "matching",
    "base": {
        "of": "commissions",
        "bonuses": ["unilevel"],
        "per": "line",
        "after_limits": False,
    },
    "pays": {**UNILEVEL["pays"], "start": "upline", "max_steps": 1},
    "rates": {"by": "step", "table": ["0.50"]},
}


def day(text):
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("calendar", "first", "last", "codes"),
    [
        ("month", "2023-12-31", "2024-02-01", ["2023-12", "2024-01", "2024-02"]),
        ("day", "2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("week", "2024-12-30", "2025-01-06", ["2025-W01", "2025-W02"]),
        ("quarter", "2023-10-01", "2024-01-01", ["2023-Q4", "2024-Q1"]),
        ("all", "2023-10-05", "2024-01-01", ["all"]),
    ],
)
def test_periods_follow_one_another_without_a_gap(calendar, first, last, codes):
    found = list(periods(calendar, day(first), day(last)))

    assert [period.code for period in found] == codes
    assert found[0].starts_on <= day(first)
    assert found[-1].ends_on >= day(last)
    for before, after in pairwise(found):
        assert after.starts_on == before.ends_on + 1


def test_refund_of_an_earlier_period_takes_back_commissions_and_what_came_of_them(tmp_path):
    orders = (
        HEAD
        + "o1,,Dina,self_consumption,2024-01-15,100,100,,\n"
        + "r1,,Dina,,2024-02-03,25,25,,o1\n"
        + "r2,,,,2024-02-05,75,75,,o1\n"
    )

    january, february = Folder(tmp_path, PEOPLE, orders, bonuses=[UNILEVEL, MATCH]).run()["periods"]

    assert amounts(january) == [
        ("Bela", "o1", "10.00"),
        ("Asha", "o1", "5.00"),
        ("Asha", "o1", "5.00"),
    ]
    keys = ("number", "refund", "reverses", "amount")
    assert [tuple(line[key] for key in keys) for line in february["ledger"]] == [
        (4, "r1", 1, "-2.50"),
        (5, "r1", 2, "-1.25"),
        (6, "r1", 3, "-1.25"),
        (7, "r2", 1, "-7.50"),
        (8, "r2", 2, "-3.75"),
        (9, "r2", 3, "-3.75"),
    ]  # fmt: skip
    assert [row["carried"] for row in february["payable"]] == ["-10.00", "-10.00"]


def test_refund_lowers_the_volume_of_its_own_period(tmp_path):
    orders = (
        HEAD
        + "o1,,Dina,self_consumption,2024-01-15,100,100,,\n"
        + "o2,,Dina,self_consumption,2024-02-15,30,30,,\n"
        + "r1,,,,2024-02-03,50,50,,o1\n"
    )

    periods = Folder(tmp_path, PEOPLE, orders).run()["periods"]

    volume = [
        row["figure"]
        for period in periods
        for row in period["figures"]
        if (row["distributor"], row["metric"]) == ("Dina", "pv")
    ]
    assert volume == ["100.00", "-20.00"]


def test_refund_within_the_period_leaves_what_is_left_of_the_line(tmp_path):
    orders = (
        HEAD
        + "o1,a,Dina,self_consumption,2024-01-15,100,100,,\n"
        + "o1,b,Dina,self_consumption,2024-01-15,100,60,,\n"
        + "r1,a,,,2024-01-16,20,20,,o1\n"
        + "r2,b,,,2024-01-17,,,,o1\n"
    )

    [january] = Folder(tmp_path, PEOPLE, orders).run()["periods"]

    assert amounts(january) == [("Bela", "o1", "8.00"), ("Asha", "o1", "4.00")]


@pytest.mark.parametrize(
    ("refund", "fault"),
    [
        ("r1,,,,2024-02-03,101,100,,o1", "pv: more than was sold"),
        ("r1,,,,2024-01-03,1,1,,o1", "date: comes before the order"),
        ("r1,,,,2024-02-03,1,1,,o9", 'refund_of: there is no order "o9"'),
        ("r1,,Asha,,2024-02-03,1,1,,o1", 'buyer: order "o1" has the buyer "Dina"'),
        ("r1,b,,,2024-02-03,1,1,,o1", 'refund_of: there is no order "o1", line b'),
    ],
)
def test_refund_that_does_not_fit_its_order_is_refused(tmp_path, refund, fault):
    orders = HEAD + "o1,,Dina,self_consumption,2024-01-15,100,100,,\n" + refund + "\n"

    with pytest.raises(InputError, match=r"orders\.csv, line 3") as refused:
        Folder(tmp_path, PEOPLE, orders).read()

    assert fault in str(refused.value)


def test_two_runs_with_the_state_between_them_are_one_run(tmp_path):
    january = "o1,,Dina,self_consumption,2024-01-15,100,100,,\no2,,Bela,retail,2024-01-16,70,70,,\n"
    february = "o3,,Dina,retail,2024-02-15,10,10,,\nr1,,,,2024-02-16,40,40,,o1\n"
    parts = {
        "bonuses": [UNILEVEL, MATCH],
        "payout": {"minimum": "12.00", "when": None, "hold_days": 3},
    }
    (tmp_path / "whole").mkdir()

    whole = Folder(tmp_path / "whole", PEOPLE, HEAD + january + february, **parts).run()
    first = Folder(tmp_path, PEOPLE, HEAD + january, **parts).run()
    second = Folder(tmp_path, PEOPLE, HEAD + february, **parts).run(json.loads(as_json(first)))

    assert [*first["periods"], *second["periods"]] == whole["periods"]
    assert second["state"] == whole["state"]


def test_order_in_a_closed_period_is_refused(tmp_path):
    folder = Folder(tmp_path, PEOPLE, HEAD + "o1,,Dina,retail,2024-01-31,1,1,,\n")

    with pytest.raises(InputError, match="lies in a period that the state has already closed"):
        folder.read({"until": "2024-01-31"})


def test_bonus_at_payment_counts_into_the_close(tmp_path):
    limit = {
        "code": "cap",
        "name": "Cap",
        "scope": "member",
        "bonuses": ["unilevel"],
        "amount": "8.00",
        "share": None,
        "metric": None,
        "enforcement": "pro_rata",
        "overflow": "lost",
    }
    orders = HEAD + "o1,,Dina,self_consumption,2024-01-15,100,100,,\n"
    paid = {**UNILEVEL, "trigger": "payment"}

    [january] = Folder(tmp_path, PEOPLE, orders, bonuses=[paid], limits=[limit]).run()["periods"]

    assert [(line["distributor"], line["bonus"], line["amount"]) for line in january["ledger"]] == [
        ("Bela", "unilevel", "10.00"),
        ("Asha", "unilevel", "5.00"),
        ("Bela", "cap", "-2.00"),
    ]
    assert {row["distributor"]: row["payable"] for row in january["payable"]} == {
        "Bela": "8.00",
        "Asha": "5.00",
    }


def test_run_goes_on_to_a_later_day_without_orders(tmp_path):
    folder = Folder(tmp_path, PEOPLE, HEAD + "o1,,Dina,retail,2024-01-15,1,1,,\n")

    codes = [period["period"] for period in folder.run(until=day("2024-03-01"))["periods"]]

    assert codes == ["2024-01", "2024-02", "2024-03"]

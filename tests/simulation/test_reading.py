"""Files as they come: what they mean, and every fault of them at once."""

import pytest

from commissions.simulation.faults import InputError
from tests.simulation.companies import Folder, amounts

PEOPLE = """distributor,sponsor,flags
Asha,,
Bela,Asha,
Carol,Bela,customer
"""
ORDERS = """order,buyer,kind,date,pv,cv,margin
o1,Carol,retail,2024-01-15,200,200,
o2,Bela,self_consumption,2024-01-20,50,40.50,
"""


def faults_of(folder, state=None):
    with pytest.raises(InputError) as refused:
        folder.read(state)
    return [str(fault) for fault in refused.value.faults]


def test_customers_order_is_his_sponsors_and_he_earns_nothing(tmp_path):
    [period] = Folder(tmp_path, PEOPLE, ORDERS).run()["periods"]

    assert amounts(period) == [
        ("Bela", "o1", "20.00"),
        ("Asha", "o1", "10.00"),
        ("Asha", "o2", "4.05"),
    ]
    assert [line["buyer"] for line in period["ledger"]] == ["Carol", "Carol", "Bela"]
    assert {row["distributor"] for row in period["figures"]} == {"Asha", "Bela"}


def test_every_fault_of_every_file_is_named_at_once(tmp_path):
    people = "distributor,sponsor,joined\nAsha,,2024-13-01\nBela,Nobody,\nBela,Asha,\n"
    orders = (
        "order,buyer,kind,date,pv,cv,margin\n"
        "o1,Dina,retail,2024-01-15,1,1,\n"
        "o2,Asha,gift,,1.005,-1,\n"
        "r1,,,2024-01-16,1,1,,\n"
    )

    assert faults_of(Folder(tmp_path, people, orders)) == [
        'distributors.csv, line 2, joined: "2024-13-01" is no date such as 2024-01-31',
        'distributors.csv, line 3, sponsor: there is no distributor "Nobody"',
        'distributors.csv, line 4, distributor: "Bela" is there twice, first on line 3',
        'orders.csv, line 2, buyer: there is no distributor "Dina"',
        'orders.csv, line 3, cv: "-1" is no figure such as 12.50',
        "orders.csv, line 3, date: is missing",
        'orders.csv, line 3, kind: "gift" is not a kind of order of the plan: '
        "retail, preferred, self_consumption, autoship, enrolment_kit",
        'orders.csv, line 3, pv: "1.005" has more than two decimals or is too large',
        "orders.csv, line 4: has 8 cells under 7 columns",
    ]


@pytest.mark.parametrize(
    ("people", "orders", "fault"),
    [
        ("distributor,boss\nAsha,\n", ORDERS, "distributors.csv, line 1, boss: is not a column"),
        (PEOPLE, "order,buyer,date\no,Asha,2024-01-01\n", "orders.csv, line 1, cv: there is no"),
        (PEOPLE, "order,order,cv,pv,margin\n", "orders.csv, line 1, order: the column is there"),
        ('distributor\n"Asha\n', ORDERS, "distributors.csv, line 2: is not CSV"),
        (PEOPLE + "Dina,Carol,\n", ORDERS, 'line 5, sponsor: "Carol" is a customer'),
        ("distributor,flags\nAsha,customer\n", ORDERS, "line 2, sponsor: a customer needs one"),
        (PEOPLE, ORDERS + "o1,Asha,retail,2024-01-01,1,1,\n", "line 4, line: line 1 of order"),
    ],
)  # fmt: skip
def test_fault(tmp_path, people, orders, fault):
    assert any(fault in found for found in faults_of(Folder(tmp_path, people, orders)))


def test_nobody_buys_or_stands_above_before_he_joined(tmp_path):
    people = "distributor,sponsor,joined\nAsha,,2024-02-01\nBela,Asha,2024-01-01\n"
    orders = "order,buyer,kind,date,pv,cv,margin\no1,Asha,retail,2024-01-15,1,1,\n"

    assert faults_of(Folder(tmp_path, people, orders)) == [
        'distributors.csv, line 3, sponsor: "Asha" joined later than who stands under him',
        'orders.csv, line 2, date: "Asha" had not joined yet',
    ]


def test_who_has_no_day_of_joining_joined_with_his_sponsor(tmp_path):
    people = "distributor,sponsor,joined\nBela,Asha,\nAsha,,2024-02-01\nDina,,\n"
    orders = (
        "order,buyer,kind,date,pv,cv,margin\n"
        "o1,Dina,retail,2024-01-15,1,1,\no2,Bela,retail,2024-02-15,1,1,\n"
    )

    january, february = Folder(tmp_path, people, orders).run()["periods"]

    assert {row["distributor"] for row in january["figures"]} == {"Dina"}
    assert {row["distributor"] for row in february["figures"]} == {"Asha", "Bela", "Dina"}


def test_plan_faults_come_with_their_paths(tmp_path):
    folder = Folder(tmp_path, PEOPLE, ORDERS, currency="euro")

    assert faults_of(folder) == [
        'plan.json, $.currency: "euro" is not made of three letters as in ISO 4217'
    ]


def test_state_of_people_and_ladders_that_are_not_there_is_refused(tmp_path):
    state = {
        "carried": {"wallet": {"Zoe": "1.00", "Asha": "0.005"}, "pair.binary.left": {}},
        "titles": {"fame": {}},
        "mood": {},
    }

    assert faults_of(Folder(tmp_path, PEOPLE, ORDERS), state) == [
        "state.json, carried.pair.binary.left: is nothing that is carried: pairs, metric, rank, "
        "run, missed, rest, once, due, held, limit, pool, reward, wallet",
        "state.json, carried.wallet.Asha: must have no more than 2 decimals",
        "state.json, carried.wallet.Zoe: there is no such distributor",
        "state.json, mood: is no part of a state: carried, titles, highest, until, last_number, "
        "bought, sold, ledger, closed",
        "state.json, titles.fame: is no ladder of the plan",
    ]

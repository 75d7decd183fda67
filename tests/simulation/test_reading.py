"""Files as they come: what they mean, and every fault of them at once."""

import pytest

from commissions.simulation.calendar import TooManyPeriods
from commissions.simulation.faults import InputError
from commissions.simulation.reading import read_company
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
        (PEOPLE.replace(",", ";"), ORDERS, "line 1: its columns must be separated by commas"),
        (PEOPLE, ORDERS.replace(",", "\t"), "line 1: its columns must be separated by commas"),
        ("distributor,sponsor\n", ORDERS, "distributors.csv: there is nobody in it"),
        ("", ORDERS, "distributors.csv, line 1, distributor: there is no such column"),
        (PEOPLE, ORDERS + "o3,Asha,retail,20240101,1,1,\n", '"20240101" is no date such as'),
        (PEOPLE, ORDERS + "o3,Asha,retail,2024-01-01,1e3,1,\n", '"1e3" is no figure such as'),
        (PEOPLE, ORDERS + "o3,Asha,retail,2024-01-01,\u0665,1,\n", "is no figure such as 12.50"),
        (PEOPLE, ORDERS + "o3,Asha,retail,2024-01-01,NaN,1,\n", '"NaN" is no figure such as'),
    ],
)  # fmt: skip
def test_fault(tmp_path, people, orders, fault):
    assert any(fault in found for found in faults_of(Folder(tmp_path, people, orders)))


def test_a_circle_is_named_by_those_in_it(tmp_path):
    people = "distributor,sponsor,placement\nAsha,Chloe,\nBela,Asha,\nChloe,Bela,\nDina,Asha,Dina\n"

    assert faults_of(Folder(tmp_path, people, "order,buyer,date,cv,pv,margin\n")) == [
        'distributors.csv, line 2, sponsor: goes in a circle: "Asha" under "Chloe" under "Bela" '
        'under "Asha"',
        'distributors.csv, line 5, placement: goes in a circle: "Dina" under "Dina"',
    ]


def test_orders_are_not_held_against_people_who_can_not_be_read(tmp_path):
    folder = Folder(tmp_path, "distributor;sponsor\nAsha;\n", ORDERS)

    assert faults_of(folder) == [
        "distributors.csv, line 1: its columns must be separated by commas"
    ]


def test_a_file_with_a_mark_of_its_encoding_is_read(tmp_path):
    folder = Folder(tmp_path, "\ufeff" + PEOPLE, "\ufeff" + ORDERS)
    plan = folder.path / "plan.json"
    plan.write_text("\ufeff" + plan.read_text())

    assert len(folder.run()["periods"]) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"schema": 2, "schema": 2}', 'has "schema" twice in one object'),
        ('{"schema": NaN}', "has NaN, which is no number"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"schema": ' + "9" * 5_000 + "}", "has a number of too many digits"),
        ('{"schema": 2,}', "is no JSON"),
        ("", "is no JSON"),
    ],
)
@pytest.mark.parametrize("file", ["plan.json", "state.json"])
def test_a_document_that_says_nothing_certain_is_refused(tmp_path, file, text, fault):
    folder = Folder(tmp_path, PEOPLE, ORDERS)
    folder.write("state.json", "{}")
    folder.write(file, text)
    names = ("plan.json", "distributors.csv", "orders.csv", "state.json")

    with pytest.raises(InputError) as refused:
        read_company(*(tmp_path / name for name in names))

    [found] = refused.value.faults
    assert found.file == file
    assert fault in found.message


@pytest.mark.parametrize("figure", ["1e400", "9" * 30, "\u0665", ""])
def test_a_figure_of_a_state_is_a_plain_one_that_fits(tmp_path, figure):
    [fault] = faults_of(Folder(tmp_path, PEOPLE, ORDERS), {"carried": {"wallet": {"Asha": figure}}})

    assert fault.startswith("state.json, carried.wallet.Asha: is ")


def test_a_ledger_that_no_run_printed_is_refused(tmp_path):
    line = {
        "number": 1, "earner": "Asha", "source": "Asha", "bonus": "unilevel", "level": 1,
        "order": [], "line": "1", "amount": "1.00",
    }  # fmt: skip

    [fault] = faults_of(Folder(tmp_path, PEOPLE, ORDERS), {"ledger": [line]})

    assert "line 1 is not as a run printed it" in fault


def test_a_state_is_an_object(tmp_path):
    folder = Folder(tmp_path, PEOPLE, ORDERS)

    assert faults_of(folder, []) == ["state.json: is no state: it must be an object"]


def test_a_date_far_off_is_refused_before_anything_is_computed(tmp_path):
    folder = Folder(tmp_path, PEOPLE, ORDERS + "o3,Asha,retail,9999-12-31,1,1,\n")

    with pytest.raises(TooManyPeriods) as refused:
        folder.run()

    assert str(refused.value) == (
        "2024-01-15 to 9999-12-31 are more than 1200 periods: is a date wrong?"
    )


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
        "run, missed, rest, times, once, due, held, limit, pool, reward, wallet",
        "state.json, carried.wallet.Asha: must have no more than 2 decimals",
        "state.json, carried.wallet.Zoe: there is no such distributor",
        "state.json, mood: is no part of a state: carried, titles, highest, until, last_number, "
        "bought, sold, ledger, closed",
        "state.json, titles.fame: is no ladder of the plan",
    ]

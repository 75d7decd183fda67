"""Where people go who were given no place."""

import pytest

from commissions.simulation.faults import InputError
from tests.simulation.companies import Folder

HEAD = "order,buyer,kind,date,pv,cv,margin\n"


def placed(folder):
    return {
        person.name: (person.placement, person.leg)
        for person in folder.read().distributors.values()
        if person.placement
    }


def matrix(strategy, width=2):
    return {"matrix": {"width": width, "strategy": strategy}}


def test_breadth_first_fills_level_by_level(tmp_path):
    people = "distributor,sponsor\nA,\n" + "".join(f"{name},A\n" for name in "BCDEFGH")

    found = placed(Folder(tmp_path, people, HEAD, **matrix("breadth_first")))

    assert found == {
        "B": ("A", 0), "C": ("A", 1), "D": ("B", 0), "E": ("B", 1), "F": ("C", 0), "G": ("C", 1),
        "H": ("D", 0),
    }  # fmt: skip


def test_spillover_goes_under_the_sponsor_and_respects_given_places(tmp_path):
    people = "distributor,sponsor,placement,leg\nA,,,\nX,A,B,right\nB,A,,\nC,B,,\nD,B,,\nE,B,,\n"

    found = placed(Folder(tmp_path, people, HEAD, **matrix("breadth_first")))

    assert found == {
        "X": ("B", 1), "B": ("A", 0), "C": ("B", 0), "D": ("C", 0), "E": ("C", 1)
    }  # fmt: skip


def test_order_is_that_of_joining(tmp_path):
    people = "distributor,sponsor,joined\nA,,2024-01-01\nB,A,2024-01-03\nC,A,2024-01-02\n"

    found = placed(Folder(tmp_path, people, HEAD, **matrix("breadth_first")))

    assert found == {"C": ("A", 0), "B": ("A", 1)}


def test_weaker_leg_is_that_with_less_volume_before_he_joined(tmp_path):
    people = (
        "distributor,sponsor,placement,leg,joined\n"
        "A,,,,2024-01-01\nL,A,A,left,2024-01-01\nR,A,A,right,2024-01-01\n"
        "N,A,,,2024-01-10\nM,A,,,2024-01-20\n"
    )
    orders = (
        HEAD
        + "o1,L,retail,2024-01-05,5,5,\no2,R,retail,2024-01-06,3,3,\n"
        + "o3,N,retail,2024-01-12,9,9,\n"
    )

    found = placed(Folder(tmp_path, people, orders, **matrix("weaker_leg")))

    assert found["N"] == ("R", 1)
    assert found["M"] == ("L", 0)


def test_least_populated_goes_where_fewer_people_are(tmp_path):
    people = (
        "distributor,sponsor,placement,leg\n"
        "A,,,\nL,A,A,left\nR,A,A,right\nL1,L,L,left\nN,A,,\nM,A,,\nK,A,,\n"
    )

    found = placed(Folder(tmp_path, people, HEAD, **matrix("least_populated")))

    assert (found["N"], found["M"], found["K"]) == (("R", 0), ("L", 1), ("R", 1))


def test_without_a_matrix_a_leg_alone_means_the_sponsor(tmp_path):
    people = "distributor,sponsor,leg\nA,,\nB,A,2\nC,A,\n"

    assert placed(Folder(tmp_path, people, HEAD)) == {"B": ("A", 1)}


@pytest.mark.parametrize(
    ("people", "fault"),
    [
        ("A,,,\nB,A,A,1\nC,A,A,1\n", 'there is no free place for "C" under "A"'),
        ("A,,,\nB,A,A,\nC,A,A,\nD,A,A,\n", 'there is no free place for "D" under "A"'),
        ("A,,B,\nB,,A,\n", 'placement: goes in a circle: "A" under "B" under "A"'),
        ("A,B,,1\nB,,A,\n", '"B" stands above himself'),
        ("A,,,\nB,A,A,3\n", '"3" is no leg: left, right or a number from 1 to 2'),
    ],
)
def test_place_that_is_none_is_refused(tmp_path, people, fault):
    head = "distributor,sponsor,placement,leg\n"

    with pytest.raises(InputError, match=r"distributors\.csv") as refused:
        Folder(tmp_path, head + people, HEAD, **matrix("breadth_first")).read()

    assert fault in str(refused.value)

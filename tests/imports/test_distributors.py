from datetime import date

import pytest
from django.db import connection

from accounts.imports.errors import ImportStopped
from commerce.models import Customer
from genealogy.models import (
    Distributor,
    DistributorAttribute,
    DistributorPosition,
    GenealogyNode,
)
from genealogy.services.enrolment import EnrolmentRefused, enrol_distributor
from genealogy.services.tree_check import find_breaks

HEADER = "distributor_number,sponsor_number,joined_on,customer_id,country\n"


def test_network_is_booked_with_tree_positions_and_accounts(shop):
    first, second, third = Distributor.objects.order_by("number")

    assert second.sponsor == second.enroller == first
    assert third.display_name == "Distributor D-000003"
    assert (third.external_reference, third.country) == ("33", "France")
    assert (first.downline_count, first.direct_referral_count) == (2, 1)
    assert third.history.get().history_change_reason == "Imported"
    account = Customer.objects.get(distributor=third)
    assert (account.kind, account.external_reference) == ("self", "33")
    position = DistributorPosition.objects.get(distributor=third)
    assert (position.parent, position.valid_from) == (second, date(2010, 12, 1))
    assert [n.depth for n in GenealogyNode.objects.order_by("lft")] == [0, 1, 2]
    assert find_breaks() == []


def test_next_number_comes_after_the_imported_ones(shop):
    new = enrol_distributor(
        sponsor=None, display_name="Nia Rees", joined_on=date(2011, 1, 1), actor=None
    )

    assert int(new.number.removeprefix("D-")) > 3


@pytest.mark.parametrize("part_size", [1, 2, 100])
def test_sponsors_may_stand_further_down(files, part_size):
    files.book(
        "distributors",
        HEADER + "D-4,D-3,2011-01-01,,\nD-3,D-2,2011-01-01,,\nD-1,,2011-01-01,,\n"
        "D-2,D-1,2011-01-01,,\n",
        part_size=part_size,
    )

    assert [n.distributor.number for n in GenealogyNode.objects.order_by("lft")] == [
        "D-1",
        "D-2",
        "D-3",
        "D-4",
    ]
    assert find_breaks() == []


def test_unknown_sponsors_and_circles_are_rejected(files):
    files.book(
        "distributors",
        HEADER + "D-1,,2011-01-01,,\nD-2,D-9,2011-01-01,,\nD-3,D-2,2011-01-01,,\n"
        "D-4,D-5,2011-01-01,,\nD-5,D-4,2011-01-01,,\nD-6,D-6,2011-01-01,,\nD-7,D-4,2011-01-01,,\n",
        part_size=2,
    )

    assert files.reasons() == [
        (3, "sponsor_number", "Unknown sponsor: D-9"),
        (4, "sponsor_number", "Upline has an unknown sponsor: D-9, above D-2"),
        (5, "sponsor_number", "Sponsors stand in a circle: D-4 under D-5 under D-4"),
        (6, "sponsor_number", "Sponsors stand in a circle: D-5 under D-4 under D-5"),
        (7, "sponsor_number", "Sponsors stand in a circle: D-6 under D-6"),
        (8, "sponsor_number", "Sponsors stand in a circle: D-4 under D-5 under D-4"),
    ]
    assert Distributor.objects.get().number == "D-1"


def test_a_later_file_hangs_under_the_books(shop):
    shop.book("distributors", HEADER + "D-000009,D-000003,2011-01-01,99,\n")

    assert GenealogyNode.objects.get(distributor__number="D-000009").depth == 3
    assert find_breaks() == []


def test_second_run_changes_nothing(shop):
    before = Distributor.history.count()

    report = shop.book("distributors", HEADER + "D-000002,D-000001,2010-12-01,22,UK\n")

    assert report.by_state["unchanged"].lines == 1
    assert Distributor.history.count() == before


def test_differences_to_the_books_are_rejected(shop):
    shop.book(
        "distributors",
        HEADER + "D-000003,D-000001,2010-12-01,33,\nD-000002,D-000001,2010-12-02,22,\n"
        "D-000010,D-000001,2010-12-01,33,\n",
    )

    assert shop.reasons() == [
        (
            2,
            "sponsor_number",
            "Already booked with another sponsor_number: "
            "D-000003 has D-000002, the file says D-000001",
        ),
        (
            3,
            "joined_on",
            "Already booked with another joined_on: "
            "D-000002 has 2010-12-01, the file says 2010-12-02",
        ),
        (4, "customer_id", "Reference belongs to somebody else: 33 is distributor D-000003"),
    ]


def test_a_reference_of_a_customer_is_not_given_to_a_distributor(shop):
    shop.book(
        "customers",
        "customer_id,distributor_number,kind,first_name,last_name\n44,D-000003,retail,Ada,May\n",
    )
    customer = Customer.objects.get(external_reference="44")
    taken = f"44 is customer {customer.number}"

    shop.book("distributors", HEADER + "D-000004,D-000003,2010-12-02,44,\n")

    assert shop.reasons() == [
        (2, "customer_id", f"Reference belongs to somebody else: {taken}"),
    ]
    with pytest.raises(EnrolmentRefused, match=f"44 belongs to customer {customer.number}"):
        enrol_distributor(
            sponsor=None, display_name="Nia Rees", joined_on=date(2011, 1, 1), actor=None,
            external_reference="44",
        )  # fmt: skip


def test_stop_books_nothing_of_the_part(files):
    with pytest.raises(ImportStopped, match="Distributor named twice in the file"):
        files.book(
            "distributors",
            HEADER + "D-1,,2011-01-01,,\nD-1,,2011-01-01,,\n",
            on_error="stop",
        )

    assert not Distributor.objects.exists()
    connection.check_constraints()


HOLDING = "distributor_number,sponsor_number,joined_on,package,marks\n"


def held():
    rows = DistributorAttribute.objects.order_by("distributor__number", "kind", "code")
    fields = ("distributor__number", "kind", "code", "valid_from", "valid_to", "reason")
    return list(rows.values_list(*fields))


def test_packages_and_marks_hold_from_the_day_of_joining_on(files):
    day = date(2011, 1, 1)

    files.book(
        "distributors", HOLDING + "D-1,,2011-01-01,gold,trained  approved\nD-2,D-1,2011-01-01,,\n"
    )

    assert held() == [
        ("D-1", "mark", "approved", day, None, "Imported"),
        ("D-1", "mark", "trained", day, None, "Imported"),
        ("D-1", "package", "gold", day, None, "Imported"),
    ]


def test_what_is_no_code_or_differs_from_the_books_is_rejected(files):
    files.book("distributors", HOLDING + "D-1,,2011-01-01,gold,approved\n")

    files.book(
        "distributors",
        HOLDING + "D-1,,2011-01-01,silver,\nD-2,D-1,2011-01-01,Gold!,\nD-3,D-1,2011-01-01,,a-b\n",
    )

    assert files.reasons() == [
        (
            2,
            "package",
            "Already booked with another package: D-1 joined with gold, the file says silver",
        ),
        (3, "package", "No code of a plan: small letters, digits, _: Gold!"),
        (4, "marks", "No code of a plan: small letters, digits, _: a-b"),
    ]
    report = files.book("distributors", HOLDING + "D-1,,2011-01-01,gold,approved\n")
    assert report.by_state["unchanged"].lines == 1
    assert len(held()) == 2

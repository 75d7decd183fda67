"""Territories: a small tree without circles, who belongs where when, and the filter over it."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from genealogy.models import Distributor, Territory, TerritoryAssignment
from genealogy.services.territories import AssignmentRefused, assign_territory
from tests.cast import at


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def world(cast):
    """Kingdom, in it England with London and Bristol; Scotland beside England."""
    places = {}
    for code, name, parent in (
        ("uk", "Kingdom", None),
        ("en", "England", "uk"),
        ("lo", "London", "en"),
        ("br", "Bristol", "en"),
        ("sc", "Scotland", "uk"),
    ):
        places[code] = Territory.objects.create(code=code, name=name, parent=places.get(parent))
    return places


def depths():
    return dict(Territory.objects.values_list("code", "depth"))


def names_in(territory, on=None):
    people = Distributor.objects.in_territory(territory, on)
    return sorted(people.values_list("display_name", flat=True))


def test_the_depth_is_counted_by_the_database(world):
    assert depths() == {"uk": 1, "en": 2, "lo": 3, "br": 3, "sc": 2}

    run("update genealogy_territory set depth = 4 where code = 'lo'")
    assert depths()["lo"] == 3
    world["en"].parent = world["sc"]
    world["en"].save()

    assert depths() == {"uk": 1, "sc": 2, "en": 3, "lo": 4, "br": 4}


def test_circles_are_refused_by_form_and_database(world):
    world["uk"].parent = world["lo"]

    with pytest.raises(ValidationError, match="lies in Kingdom itself"):
        world["uk"].full_clean()
    with pytest.raises(IntegrityError, match="lie in a circle"):
        run(
            "update genealogy_territory set parent_id = %s where id = %s",
            world["lo"].pk,
            world["uk"].pk,
        )
    with pytest.raises(IntegrityError, match="lie in a circle"):
        run("update genealogy_territory set parent_id = id where code = 'sc'")
    assert depths()["uk"] == 1


def test_territories_lie_five_deep_at_most(world):
    place = world["lo"]
    for n in (4, 5):
        place = Territory.objects.create(code=f"l{n}", name=f"Level {n}", parent=place)

    with pytest.raises(ValidationError, match="5 deep at most"):
        Territory(code="l6", name="Level 6", parent=place).full_clean()
    with pytest.raises(IntegrityError, match="territory_depth"), transaction.atomic():
        Territory.objects.create(code="l6", name="Level 6", parent=place)
    world["en"].parent = world["sc"]
    with pytest.raises(ValidationError, match="5 deep at most"):
        world["en"].full_clean()
    with pytest.raises(IntegrityError, match="territory_depth"), transaction.atomic():
        world["en"].save()
    assert depths()["l5"] == 5


def test_the_filter_takes_what_lies_in_it_along(cast, world):
    assign_territory(distributor=cast.ben, territory=world["en"], actor=None)
    assign_territory(distributor=cast.chloe, territory=world["lo"], actor=None)
    assign_territory(distributor=cast.stella, territory=world["sc"], actor=None)

    assert names_in(world["uk"]) == ["Ben Cole", "Chloe Martin", "Stella Stone"]
    assert names_in(world["en"]) == ["Ben Cole", "Chloe Martin"]
    assert names_in(world["lo"]) == ["Chloe Martin"]
    assert names_in(world["br"]) == []


def test_who_moves_is_where_he_was_on_each_day(cast, world, time_machine):
    time_machine.move_to(at("2026-11-20"))
    for code, day in (("lo", date(2026, 3, 1)), ("sc", date(2026, 6, 1)), ("sc", None)):
        assign_territory(distributor=cast.ben, territory=world[code], actor=None, valid_from=day)
    assign_territory(distributor=cast.ben, territory=None, actor=None, valid_from=date(2026, 9, 1))

    assert [
        names_in(world["sc"], date(2026, month, day))
        for month, day in ((5, 31), (6, 1), (8, 31), (9, 1))
    ] == [[], ["Ben Cole"], ["Ben Cole"], []]
    assert names_in(world["lo"], date(2026, 5, 31)) == ["Ben Cole"]
    assert names_in(world["uk"]) == []
    assert TerritoryAssignment.objects.count() == 2


@pytest.mark.parametrize(
    ("code", "day", "message"),
    [
        ("sc", date(2026, 2, 1), "Until 2026-03-01 it is written down already"),
        ("sc", date(2030, 1, 1), "begins today or earlier"),
        ("br", date(2026, 4, 1), "Bristol is out of use"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused_whole(cast, world, code, day, message):
    assign_territory(
        distributor=cast.ben, territory=world["lo"], actor=None, valid_from=date(2026, 3, 1)
    )
    Territory.objects.filter(code="br").update(is_active=False)

    with pytest.raises(AssignmentRefused, match=message):
        assign_territory(
            distributor=cast.ben,
            territory=Territory.objects.get(code=code),
            actor=None,
            valid_from=day,
        )

    assert TerritoryAssignment.objects.get().valid_to is None


def test_the_database_keeps_one_territory_a_day_and_the_past(cast, world):
    assign_territory(
        distributor=cast.ben, territory=world["lo"], actor=None, valid_from=date(2026, 3, 1)
    )

    with pytest.raises(IntegrityError, match="one_at_a_time"):
        run(
            "insert into genealogy_territoryassignment"
            " (distributor_id, territory_id, valid_from, reason, recorded_at)"
            " values (%s, %s, '2026-05-01', '', now())",
            cast.ben.pk,
            world["sc"].pk,
        )
    with pytest.raises(DatabaseError, match="made assignment is final"):
        run("update genealogy_territoryassignment set territory_id = %s", world["sc"].pk)
    assign_territory(distributor=cast.ben, territory=None, actor=None, valid_from=date(2026, 4, 1))
    with pytest.raises(DatabaseError, match="ended assignment is final"):
        run("update genealogy_territoryassignment set valid_to = null")


def test_staff_assign_and_filter_in_the_admin(cast, world, client):
    client.force_login(cast.user("mona"))
    url = "/admin/genealogy/territoryassignment/add/"
    answer = {"distributor": cast.ben.pk, "territory": world["lo"].pk, "reason": "Lives there"}

    refused = client.post(url, {**answer, "valid_from": "2030-01-01"})
    done = client.post(url, {**answer, "valid_from": "2026-03-01"})
    moved = client.post(url, {**answer, "territory": world["sc"].pk, "valid_from": "2026-06-01"})
    listed = client.get("/admin/genealogy/distributor/?territory=uk").content.decode()

    assert "begins today or earlier" in refused.content.decode()
    assert (done.status_code, moved.status_code) == (302, 302)
    rows = TerritoryAssignment.objects.order_by("pk")
    assert [(row.territory, row.assigned_by, row.valid_to) for row in rows] == [
        (world["lo"], cast.user("mona"), date(2026, 6, 1)),
        (world["sc"], cast.user("mona"), None),
    ]
    assert cast.ben.number in listed
    assert cast.chloe.number not in listed
    assert (
        cast.ben.number
        not in client.get("/admin/genealogy/distributor/?territory=en").content.decode()
    )


def test_a_territory_is_changed_with_a_reason_and_not_into_a_circle(cast, world, client):
    client.force_login(cast.user("mona"))
    url = f"/admin/genealogy/territory/{world['uk'].pk}/change/"
    answer = {"code": "uk", "name": "United Kingdom", "is_active": "on"}

    circle = client.post(url, {**answer, "parent": world["lo"].pk, "change_reason": "Try"})
    done = client.post(url, {**answer, "change_reason": "Its full name"})

    assert "lies in United Kingdom itself" in circle.content.decode()
    assert done.status_code == 302
    world["uk"].refresh_from_db()
    assert world["uk"].name == "United Kingdom"
    assert world["uk"].history.latest().history_change_reason == "Its full name"

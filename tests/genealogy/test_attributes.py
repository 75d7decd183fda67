"""Packages, given ranks and marks: said over time, corrected by saying anew, never changed."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import AuditEvent
from genealogy.models import DistributorAttribute
from genealogy.services.attributes import (
    Attribute,
    AttributeRefused,
    end_attribute,
    set_attribute,
)

pytestmark = pytest.mark.django_db

GOLD, SILVER = Attribute("package", "gold"), Attribute("package", "silver")
STAR = Attribute("rank", "star", "honour")
APPROVED, TRAINED = Attribute("mark", "approved"), Attribute("mark", "trained")
MARCH, JUNE, JULY = date(2026, 3, 1), date(2026, 6, 1), date(2026, 7, 1)


def say(cast, attribute, start, end=None, reason="Bought it"):
    return set_attribute(
        distributor=cast.ben, attribute=attribute, valid_from=start, valid_to=end,
        actor=cast.user("mona"), reason=reason,
    )  # fmt: skip


def said(cast, *, now=True):
    rows = DistributorAttribute.objects.filter(distributor=cast.ben)
    rows = rows.filter(superseded_at=None) if now else rows
    return [
        (row.code, row.valid_from, row.valid_to)
        for row in rows.order_by("valid_from", "code", "pk")
    ]


def test_what_is_said_later_takes_the_place_of_what_was_said_of_the_same_days(cast):
    say(cast, GOLD, MARCH)
    say(cast, SILVER, JUNE)

    assert said(cast) == [("gold", MARCH, JUNE), ("silver", JUNE, None)]
    assert len(said(cast, now=False)) == 3
    first, second = DistributorAttribute.objects.filter(code="gold").order_by("pk")
    assert first.superseded_at is not None
    assert (second.reason, second.actor) == ("Bought it", cast.user("mona"))


def test_a_span_in_the_middle_leaves_both_sides(cast):
    say(cast, GOLD, MARCH)
    say(cast, SILVER, JUNE, JULY)

    assert said(cast) == [("gold", MARCH, JUNE), ("silver", JUNE, JULY), ("gold", JULY, None)]


def test_the_same_once_more_changes_nothing(cast):
    row = say(cast, GOLD, MARCH)
    again = say(cast, GOLD, JUNE)

    assert again == row
    assert len(said(cast, now=False)) == 1
    assert AuditEvent.objects.filter(action="distributor.attribute_set").count() == 1


def test_it_ends_and_nothing_is_left_to_end(cast):
    say(cast, GOLD, MARCH)
    how = {"distributor": cast.ben, "attribute": Attribute("package"), "valid_from": JUNE,
           "actor": cast.user("mona"), "reason": "Given back"}  # fmt: skip

    assert end_attribute(**how) == 1
    assert said(cast) == [("gold", MARCH, JUNE)]
    assert end_attribute(**how) == 0
    assert AuditEvent.objects.filter(action="distributor.attribute_ended").count() == 1


def test_marks_stand_beside_one_another_and_ranks_beside_packages(cast):
    for attribute in (APPROVED, TRAINED, STAR, GOLD):
        say(cast, attribute, MARCH)

    assert [code for code, _, _ in said(cast)] == ["approved", "gold", "star", "trained"]


@pytest.mark.parametrize(
    ("start", "end", "reason", "refusal"),
    [
        (date(2026, 1, 4), None, "x", "joined on 2026-01-05, after 2026-01-04"),
        (JUNE, JUNE, "x", "It ends after it begins."),
        (JUNE, None, "  ", "Say why."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(cast, start, end, reason, refusal):
    with pytest.raises(AttributeRefused, match=refusal):
        say(cast, GOLD, start, end, reason)

    assert said(cast, now=False) == []
    assert not AuditEvent.objects.filter(action__startswith="distributor.attribute").exists()


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_the_database_keeps_what_was_said(cast):
    row = say(cast, GOLD, MARCH)
    table = "genealogy_distributorattribute"

    for change in ("code = 'silver'", "valid_to = '2026-05-01'", "recorded_at = now()"):
        with pytest.raises(DatabaseError, match="what was said is final"):
            run(f"update {table} set {change}")
    with pytest.raises(DatabaseError, match="what was said stays"):
        run(f"delete from {table}")
    with pytest.raises(DatabaseError, match="what was said stays"):
        run(f"set constraints all immediate; truncate {table}")
    run(f"update {table} set superseded_at = '2020-01-01'")
    row.refresh_from_db()
    assert row.superseded_at > row.recorded_at
    with pytest.raises(DatabaseError, match="superseding is final"):
        run(f"update {table} set superseded_at = null")


@pytest.mark.parametrize(
    ("kind", "ladder", "code", "rule"),
    [
        ("package", "", "silver", "one_package"),
        ("rank", "honour", "moon", "one_rank"),
        ("mark", "", "approved", "mark_once"),
        ("medal", "", "gold", "kind_known"),
        ("mark", "honour", "star", "ladder_of_rank"),
        ("rank", "", "star", "ladder_of_rank"),
        ("mark", "", "", "says_what_and_why"),
    ],
)
def test_the_database_refuses_two_at_a_time_and_what_is_none(cast, kind, ladder, code, rule):
    for attribute in (GOLD, STAR, APPROVED):
        say(cast, attribute, MARCH)

    with pytest.raises(IntegrityError, match=rule):
        run(
            "insert into genealogy_distributorattribute (distributor_id, kind, ladder, code, "
            "valid_from, recorded_at, reason) values (%s, %s, %s, %s, '2026-06-01', now(), 'x')",
            cast.ben.pk, kind, ladder, code,
        )  # fmt: skip

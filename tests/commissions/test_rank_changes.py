"""What a final period leaves of ranks: a row for each change, one event each, levels on people.

    Asha                    October: Ben 100 PV, Chloe 240, Dmitri 900
   /    \\                   November: Ben 300 PV, Chloe nothing, Dmitri 900
 Ben    Stella
  |
Chloe
  |
Dmitri
"""

from datetime import date
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.event_rows import publish_rows
from accounts.models import Event, Notification
from commissions.models import RankChange
from commissions.services import finalize, projections
from commissions.services.claims import claim_volume
from commissions.services.finalize import finalize_period
from genealogy.models import Distributor, Rank
from genealogy.services.enrolment import enrol_distributor
from tests.cast import Cast, at, gather_paying
from tests.commissions.steps import calculated, closed
from tests.remembered import remembered

pytestmark = pytest.mark.django_db


@pytest.fixture
def october(db) -> Cast:
    return remembered(october_closed)


@pytest.fixture
def november(db) -> Cast:
    return remembered(november_closed)


def october_closed() -> Cast:
    company = gather_paying()
    company.buys("ben", 5, at("2026-10-03"))
    company.buys("chloe", 12, at("2026-10-04"))
    company.buys("dmitri", 45, at("2026-10-05"))
    claim_volume()
    closed(company, "2026-10")
    return company


def november_closed() -> Cast:
    october = october_closed()
    october.buys("ben", 15, at("2026-11-03"))
    october.buys("dmitri", 45, at("2026-11-05"))
    claim_volume()
    closed(october, "2026-11")
    return october


def changes(code: str) -> dict[str, tuple[int, int]]:
    rows = RankChange.objects.filter(period__code=code).select_related("distributor")
    return {row.distributor.display_name: (row.level_from, row.level_to) for row in rows}


def told(name: str, code: str) -> list[str]:
    """Whom of the cast the event of a period went to."""
    return sorted(
        Event.objects.filter(name=name, ref=code, stream__key__startswith="user:").values_list(
            "stream_id", flat=True
        )
    )


def stream(cast: Cast, name: str) -> str:
    return f"user:{cast.user(name).pk}"


def test_a_first_rank_is_written_down_with_its_figures(october: Cast) -> None:
    assert changes("2026-10") == {
        "Ben Cole": (0, 1),
        "Chloe Martin": (0, 2),
        "Dmitri Orlov": (0, 1),
    }
    row = RankChange.objects.get(distributor=october.chloe)
    assert (row.pv, row.gv, row.legs, row.active) == (240, 1140, 1, True)
    assert row.version == october.plan
    assert row.is_highest


def test_a_rise_and_a_fall_are_written_down(november: Cast) -> None:
    # Ben's line has 1,200.00 GV and he 300.00 PV: Silver. Chloe has no PV: none.
    assert changes("2026-11") == {"Ben Cole": (1, 2), "Chloe Martin": (2, 0)}
    fall = RankChange.objects.get(distributor=november.chloe, period__code="2026-11")
    assert (fall.pv, fall.gv, fall.is_highest, fall.rises) == (0, 900, False, False)


def test_a_rank_that_was_held_before_is_not_the_highest_again(company: Cast) -> None:
    for month, pieces in (("2026-09", 6), ("2026-10", 0), ("2026-11", 7)):
        company.buys("ben", 1, at(f"{month}-03"))
        if pieces:
            company.buys("chloe", pieces, at(f"{month}-04"))
        claim_volume()
        closed(company, month)

    rows = RankChange.objects.filter(distributor=company.chloe).order_by("pk")
    assert [(row.level_from, row.level_to, row.is_highest) for row in rows] == [
        (0, 1, True),
        (1, 0, False),
        (0, 1, False),
    ]


def test_whoever_changes_is_told_once(november: Cast) -> None:
    assert told("level.promoted", "2026-11") == [stream(november, "ben")]
    assert told("level.demoted", "2026-11") == [stream(november, "chloe")]
    promoted = Event.objects.get(name="level.promoted", ref="2026-11")
    assert promoted.facts == {"rank": "Silver", "period": "November 2026"}
    assert Notification.objects.filter(event=promoted, user=november.user("ben")).exists()


def test_finalizing_again_writes_and_tells_nothing_more(november: Cast) -> None:
    rows, events = RankChange.objects.count(), Event.objects.count()
    period = RankChange.objects.filter(period__code="2026-11").first().period

    finalize_period(period=period, actor=november.user("felix"))

    assert (RankChange.objects.count(), Event.objects.count()) == (rows, events)


def test_a_finalization_that_fails_leaves_no_change_behind(october: Cast, monkeypatch) -> None:
    october.buys("ben", 15, at("2026-11-03"))
    claim_volume()
    run = calculated(october, "2026-11")

    def fail(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr(finalize, "tell_everybody", fail)
    finalize.approve_period(period=run.period, actor=october.user("felix"))
    with pytest.raises(RuntimeError, match="power cut"):
        finalize_period(period=run.period, actor=october.user("felix"))

    assert changes("2026-11") == {}
    assert told("level.promoted", "2026-11") == []


def test_who_cannot_sign_in_is_written_down_and_not_told(company: Cast) -> None:
    Distributor.objects.filter(pk=company.ben.pk).update(user=None)
    company.buys("ben", 5, at("2026-10-03"))
    claim_volume()

    closed(company, "2026-10")

    assert changes("2026-10") == {"Ben Cole": (0, 1)}
    assert told("level.promoted", "2026-10") == []


def test_the_statements_do_not_grow_with_the_people(company: Cast) -> None:
    def statements(code: str, names: tuple[str, ...]) -> int:
        for name in names:
            company.buys(name, 10, at(f"{code}-03"))
        claim_volume()
        period = calculated(company, code).period
        finalize.approve_period(period=period, actor=company.user("felix"))
        with CaptureQueriesContext(connection) as queries:
            finalize_period(period=period, actor=company.user("felix"))
        return len(queries)

    one = statements("2026-10", ("dmitri",))
    many = statements("2026-11", ("dmitri", "ben", "chloe", "stella", "asha"))

    # Nothing but what posts to a wallet for the first time may differ, and that is set-based too.
    assert many == one


@pytest.mark.parametrize("verb", ["update {} set level_to = 5", "delete from {}", "truncate {}"])
def test_the_database_keeps_changes_as_they_are(october: Cast, verb: str) -> None:
    statement = f"set constraints all immediate; {verb.format('commissions_rankchange')}"

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_database_refuses_a_change_into_the_same_rank(october: Cast) -> None:
    row = RankChange.objects.first()
    row.pk, row.distributor, row.level_from = None, october.stella, row.level_to

    with pytest.raises(DatabaseError, match="rankchange_changes"), transaction.atomic():
        row.save(force_insert=True)


def test_the_changes_of_earlier_periods_are_filled_in_alike(november: Cast) -> None:
    columns = [field.attname for field in RankChange._meta.concrete_fields if field.name != "id"]
    recorded = sorted(RankChange.objects.values_list(*columns))
    migration = import_module("commissions.migrations.0018_fill_rank_changes").Migration

    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table commissions_rankchange disable trigger user")
        cursor.execute("delete from commissions_rankchange")
        cursor.execute("alter table commissions_rankchange enable trigger user")
        cursor.execute(migration.operations[0].sql)

    assert recorded
    assert sorted(RankChange.objects.values_list(*columns)) == recorded


# On the people


def test_the_user_level_follows_the_paid_as_rank(november: Cast) -> None:
    levels = dict(Distributor.objects.values_list("display_name", "level"))

    assert levels == {
        "Asha Rao": 0,
        "Ben Cole": 2,
        "Chloe Martin": 0,
        "Dmitri Orlov": 1,
        "Stella Stone": 0,
    }


def test_ranks_and_levels_can_be_rebuilt(november: Cast, capsys) -> None:
    call_command("check_projections")
    before = list(Distributor.objects.order_by("pk").values())
    diamond = Rank.objects.get(code="diamond")
    Distributor.objects.filter(pk=november.ben.pk).update(
        level=4, paid_as_rank=diamond, highest_rank=None, next_rank_target=None
    )

    found = {each.column for each in projections.differences()}
    projections.refresh()

    assert found == {"level", "paid_as_rank_id", "highest_rank_id", "next_rank_target_id"}
    assert projections.differences() == []
    assert list(Distributor.objects.order_by("pk").values()) == before


def test_who_has_no_figures_yet_keeps_the_ranks_he_came_with(october: Cast) -> None:
    gold = Rank.objects.get(code="gold")
    late = enrol_distributor(
        sponsor=october.asha, display_name="Late Lena", joined_on=date(2026, 11, 20), actor=None
    )
    Distributor.objects.filter(pk=late.pk).update(paid_as_rank=gold, highest_rank=gold, level=3)

    assert projections.differences() == []


# Publishing by a query


def test_a_query_that_misses_a_fact_publishes_nothing(october: Cast) -> None:
    before = Event.objects.count()

    with pytest.raises(KeyError, match="rank"), transaction.atomic():
        publish_rows(
            "level.promoted",
            "select user_id, 'x' as ref, '{\"period\": \"May\"}'::jsonb as facts "
            "from genealogy_distributor where user_id is not null",
            {},
        )

    assert Event.objects.count() == before

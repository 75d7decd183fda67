"""Somebody gets another sponsor: who may, from when, what is written, and the way back.

        Asha
       /    \\
     Ben    Stella
      |
    Chloe
      |
    Dmitri
"""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Event
from genealogy.models import Distributor, DistributorPosition, GenealogyNode, GenealogyPath, Move
from genealogy.services import moves
from genealogy.services.moves import MoveRefused, Place
from genealogy.services.tree_check import find_breaks
from tests.genealogy.moving import asked, sponsor_of, today, tomorrow


def test_moved_line_stands_under_the_new_sponsor_with_all_below(cast):
    move = asked(cast, "chloe", "stella")

    assert (move.status, move.people, move.needs_approval) == ("done", 2, False)
    assert sponsor_of(cast.chloe) == cast.stella
    assert find_breaks() == []
    above = GenealogyPath.objects.filter(descendant=cast.dmitri, path_type="sponsor")
    assert {path.ancestor_id: path.depth for path in above} == {
        cast.asha.pk: 3,
        cast.stella.pk: 2,
        cast.chloe.pk: 1,
        cast.dmitri.pk: 0,
    }
    sizes = dict(GenealogyNode.objects.values_list("distributor__display_name", "size"))
    assert sizes == {
        "Asha Rao": 5,
        "Ben Cole": 1,
        "Stella Stone": 3,
        "Chloe Martin": 2,
        "Dmitri Orlov": 1,
    }
    counts = dict(Distributor.objects.values_list("display_name", "direct_referral_count"))
    assert (counts["Asha Rao"], counts["Ben Cole"], counts["Stella Stone"]) == (2, 0, 1)


def test_the_enroller_stays_when_the_sponsor_changes(cast):
    asked(cast, "chloe", "stella")

    assert Distributor.objects.get(pk=cast.chloe.pk).enroller == cast.ben


def test_a_move_is_in_the_history_the_audit_trail_and_the_news(cast):
    move = asked(cast, "chloe", "stella", reason="Moved to Leeds")

    latest = cast.chloe.history.first()
    assert (latest.sponsor_id, latest.history_change_reason) == (cast.stella.pk, "Moved to Leeds")
    assert latest.history_user == cast.user("ada")
    done = AuditEvent.objects.get(action="move.done")
    assert (done.entity_id, done.actor, done.reason) == (
        move.number,
        cast.user("ada"),
        "Moved to Leeds",
    )
    assert (done.before["parent"], done.after["parent"]) == (cast.ben.number, cast.stella.number)
    heard = Event.objects.filter(name="distributor.moved")
    assert {event.stream_id for event in heard} == {f"user:{cast.user('chloe').pk}", "staff"}


def test_positions_say_who_stood_where_on_each_day_and_what_was_believed(cast):
    before = timezone.now()
    since = today() - timedelta(days=3)
    asked(cast, "chloe", "stella", effective_on=since)
    of_chloe = DistributorPosition.objects.filter(distributor=cast.chloe)

    assert of_chloe.as_of(since - timedelta(days=1)).get().parent == cast.ben
    assert of_chloe.as_of(since).get().parent == cast.stella
    assert of_chloe.as_of(today()).get().parent == cast.stella
    assert of_chloe.as_of(since, known_at=before).get().parent == cast.ben
    assert of_chloe.as_of(today(), known_at=before).get().parent == cast.ben


@pytest.mark.parametrize(
    ("who", "to", "changes", "field", "words"),
    [
        ("ben", "ben", {}, "to_parent", "under themselves"),
        ("ben", "dmitri", {}, "to_parent", "stands below"),
        ("ben", "asha", {}, "to_parent", "stands there already"),
        ("chloe", "stella", {"reason": "  "}, "reason", "Say why"),
        ("chloe", "stella", {"effective_on": date(2020, 1, 1)}, "effective_on", "joined on"),
        ("chloe", None, {"to": Place(None, 1)}, "to_leg", "place under somebody"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(cast, who, to, changes, field, words):
    with pytest.raises(MoveRefused, match=words) as refused:
        asked(cast, who, to, **changes)

    assert refused.value.field == field
    assert not Move.objects.exists()
    assert find_breaks() == []


def test_nobody_comes_under_somebody_who_left(cast):
    Distributor.objects.filter(pk=cast.stella.pk).update(status="terminated")
    cast.stella.refresh_from_db()

    with pytest.raises(MoveRefused, match="has left the company"):
        asked(cast, "chloe", "stella")


def test_two_who_stood_under_each_other_in_turn_never_do_so_on_one_day(cast):
    """Ben goes to Stella five days ago; before that, Stella cannot be put under Ben."""
    asked(cast, "stella", "dmitri", effective_on=today() - timedelta(days=5))
    asked(cast, "stella", "asha", effective_on=today() - timedelta(days=2))

    with pytest.raises(MoveRefused, match="choose a later day"):
        asked(cast, "ben", "stella", effective_on=today() - timedelta(days=4))
    asked(cast, "ben", "stella", effective_on=today() - timedelta(days=2))

    assert find_breaks() == []


def test_a_move_of_many_waits_for_a_second_person(cast, settings):
    settings.MOVE_ALONE_UP_TO = 2
    move = asked(cast, "ben", "stella")

    assert (move.status, sponsor_of(cast.ben)) == ("requested", cast.asha)
    with pytest.raises(MoveRefused, match="somebody else"):
        moves.decide_move(move=move, approve=True, reason="", actor=cast.user("ada"))
    done = moves.decide_move(move=move, approve=True, reason="Fine", actor=cast.user("mona"))

    assert (done.status, done.decided_by) == ("done", cast.user("mona"))
    assert sponsor_of(cast.ben) == cast.stella
    with pytest.raises(MoveRefused, match="not waiting for approval"):
        moves.decide_move(move=move, approve=True, reason="", actor=cast.user("mona"))


def test_a_declined_move_changes_nothing(cast, settings):
    settings.MOVE_ALONE_UP_TO = 2
    move = asked(cast, "ben", "stella")
    with pytest.raises(MoveRefused, match="Say why"):
        moves.decide_move(move=move, approve=False, reason=" ", actor=cast.user("mona"))

    declined = moves.decide_move(
        move=move, approve=False, reason="Stella does not want it", actor=cast.user("mona")
    )

    assert (declined.status, sponsor_of(cast.ben)) == ("declined", cast.asha)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("decided_by_id = requested_by_id", "four_eyes"),
        ("status = 'done', done_at = now()", "approved"),
        ("reason = ''", "has_reason"),
        ("to_parent_id = distributor_id", "not_under_oneself"),
    ],
)
def test_the_database_keeps_the_rules_of_a_move(cast, settings, change, rule):
    settings.MOVE_ALONE_UP_TO = 2
    asked(cast, "ben", "stella")

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"update genealogy_move set {change}")


def test_a_done_move_stays_as_it_is(cast):
    asked(cast, "chloe", "stella")

    for statement in ("update genealogy_move set reason = 'x'", "delete from genealogy_move"):
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)


def test_one_move_of_somebody_is_open_at_a_time(cast):
    asked(cast, "chloe", "stella", effective_on=tomorrow())

    with pytest.raises(MoveRefused, match="still open"):
        asked(cast, "chloe", "asha")

    assert Move.objects.count() == 1


def test_a_move_of_a_later_day_is_done_on_that_day_and_once(cast):
    move = asked(cast, "chloe", "stella", effective_on=tomorrow())
    assert (move.status, moves.do_due_moves(), sponsor_of(cast.chloe)) == (
        "scheduled",
        [],
        cast.ben,
    )
    Move.objects.filter(pk=move.pk).update(effective_on=today())

    assert moves.do_due_moves() == [move]
    assert moves.do_due_moves() == []

    assert sponsor_of(cast.chloe) == cast.stella
    assert find_breaks() == []


def test_a_move_that_became_impossible_is_cancelled_with_the_cause(cast):
    move = asked(cast, "chloe", "stella", effective_on=tomorrow())
    Distributor.objects.filter(pk=cast.stella.pk).update(status="terminated")
    Move.objects.filter(pk=move.pk).update(effective_on=today())

    assert moves.do_due_moves() == []

    move.refresh_from_db()
    assert move.status == "cancelled"
    assert move.decision_reason == f"{cast.stella.number} has left the company."
    assert sponsor_of(cast.chloe) == cast.ben


def test_cancelled_before_its_day(cast):
    move = asked(cast, "chloe", "stella", effective_on=tomorrow())

    assert moves.cancel_move(
        move=move, reason="Changed her mind", actor=cast.user("mona")
    ).status == ("cancelled")
    with pytest.raises(MoveRefused, match="cancelled already"):
        moves.cancel_move(move=move, reason="Again", actor=cast.user("mona"))


def test_undone_by_a_move_back_and_only_once(cast):
    move = asked(cast, "chloe", "stella")

    back = moves.undo_move(
        move=move, effective_on=today(), reason="A mistake", actor=cast.user("mona")
    )

    assert (back.undoes, back.to_parent, back.status) == (move, cast.ben, "done")
    assert sponsor_of(cast.chloe) == cast.ben
    assert find_breaks() == []
    move = Move.objects.get(pk=move.pk)
    with pytest.raises(MoveRefused, match="undone already"):
        moves.undo_move(move=move, effective_on=today(), reason="x", actor=cast.user("mona"))


def test_an_undoing_that_is_declined_may_be_asked_for_again(cast, settings):
    move = asked(cast, "chloe", "stella")
    settings.MOVE_ALONE_UP_TO = 1
    again = {"effective_on": today(), "reason": "A mistake", "actor": cast.user("ada")}
    back = moves.undo_move(move=move, **again)
    with pytest.raises(MoveRefused, match="undone already"):
        moves.undo_move(move=Move.objects.get(pk=move.pk), **again)
    moves.decide_move(move=back, approve=False, reason="No", actor=cast.user("mona"))

    second = moves.undo_move(move=Move.objects.get(pk=move.pk), **again)
    moves.decide_move(move=second, approve=True, reason="", actor=cast.user("mona"))

    assert sponsor_of(cast.chloe) == cast.ben


def test_what_was_written_about_a_position_stays(cast):
    for statement in (
        "update genealogy_distributorposition set parent_id = null",
        "update genealogy_distributorposition set superseded_at = now(), valid_from = '2030-01-01'",
        "delete from genealogy_distributorposition",
    ):
        with pytest.raises(IntegrityError, match="stays"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)


COLUMNS = """(id, number, display_name, country, sponsor_id, joined_on, status, auto_ship_active,
    notes, personal_pv, group_pv, current_month_pv, current_month_gv, lifetime_pv,
    direct_referral_count, total_commission_earned, total_payout_requested, created_at, updated_at)
"""
VALUES = "'x', '', {sponsor}, now(), 'active', false, '', 0, 0, 0, 0, 0, 0, 0, 0, now(), now()"
UNDER = "update genealogy_distributor set {parent} = {above} where id = {below}"


def written(*statements: str) -> None:
    """By raw SQL, round all services, up to where a commit would check it."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("set constraints all immediate")


def test_a_circle_is_refused_by_the_database(cast):
    asha, ben, dmitri = cast.asha.pk, cast.ben.pk, cast.dmitri.pk

    with pytest.raises(IntegrityError, match="would stand below himself in the sponsor tree"):
        written(UNDER.format(parent="sponsor_id", above=dmitri, below=ben))
    with pytest.raises(IntegrityError, match="would stand below himself in the placement tree"):
        written(
            UNDER.format(parent="leg = 1, placement_parent_id", above=asha, below=ben),
            UNDER.format(parent="leg = 1, placement_parent_id", above=ben, below=asha),
        )


def test_a_circle_of_new_people_is_refused_by_the_database(db):
    circle = ((9001, 9002), (9002, 9003), (9003, 9001))

    with pytest.raises(IntegrityError, match="would stand below himself"):
        written(
            *[
                f"insert into genealogy_distributor {COLUMNS} "
                f"values ({own}, 'D-{own}', {VALUES.format(sponsor=sponsor)})"
                for own, sponsor in circle
            ]
        )

"""Staff move people and end memberships in the admin; a second person decides on large moves."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from genealogy.models import Distributor, Move
from tests.genealogy.moving import asked, sponsor_of, today, tomorrow


@pytest.fixture
def as_staff(cast, client):
    def sign_in(name: str):
        client.force_login(cast.user(name))
        return client

    return sign_in


def move_page(person) -> str:
    return reverse("admin:genealogy_distributor_move", args=[person.number])


def desk(move) -> str:
    return reverse("admin:genealogy_move_desk", args=[move.number])


def answers(cast, **changes):
    return {
        "tree": "sponsor",
        "to_parent": cast.stella.number,
        "to_leg": "",
        "effective_on": str(today()),
        "reason": "Asked for by both",
    } | changes


def test_the_form_begins_with_today(cast, as_staff):
    page = as_staff("ada").get(move_page(cast.chloe)).content.decode()

    assert f'value="{today()}"' in page


def test_a_move_is_looked_at_before_it_is_asked_for(cast, as_staff):
    client = as_staff("ada")

    page = client.post(move_page(cast.chloe), answers(cast))

    text = " ".join(strip_tags(page.content.decode()).split())
    assert not Move.objects.exists()
    assert "2 before, 2 after" in text
    lost, gained = text.split("No longer above")[1].split("Newly above")
    assert str(cast.ben) in lost
    assert str(cast.stella) in gained
    answer = client.post(move_page(cast.chloe), answers(cast, confirmed="yes"), follow=True)

    assert "Chloe Martin is moved." in answer.content.decode()
    assert sponsor_of(cast.chloe) == cast.stella


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to_parent": "D-999999"}, "There is no distributor D-999999."),
        ({"to_leg": "1"}, "The sponsor tree has no legs to choose."),
        ({"effective_on": "31.31.2026"}, "Enter a valid date."),
        ({"effective_on": "2020-01-01"}, "joined on 05 January 2026."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(cast, as_staff, changes, words):
    page = as_staff("ada").post(move_page(cast.chloe), answers(cast, confirmed="yes", **changes))

    assert words in page.content.decode()
    assert not Move.objects.exists()
    assert sponsor_of(cast.chloe) == cast.ben


def test_a_large_move_is_approved_on_its_desk(cast, as_staff, settings):
    settings.MOVE_ALONE_UP_TO = 1
    move = asked(cast, "chloe", "stella")
    own = as_staff("ada").get(desk(move)).content.decode()
    assert 'value="approve"' not in own
    assert 'value="cancel"' in own
    refused = as_staff("ada").post(desk(move), {"verb": "approve", "reason": ""})
    assert "approved by somebody else" in refused.content.decode()

    page = as_staff("mona").post(desk(move), {"verb": "approve", "reason": ""}, follow=True)

    assert "Chloe Martin is moved." in page.content.decode()
    assert 'value="undo"' in page.content.decode()


def test_a_move_is_undone_on_its_desk(cast, as_staff):
    move = asked(cast, "chloe", "stella")
    answer = {"verb": "undo", "effective_on": str(today()), "reason": "A mistake"}

    page = as_staff("mona").post(desk(move), answer, follow=True)

    assert "Undoes</dt>" in page.content.decode()
    assert sponsor_of(cast.chloe) == cast.ben


def test_a_move_is_cancelled_only_with_a_reason(cast, as_staff):
    move = asked(cast, "chloe", "stella", effective_on=tomorrow())
    client = as_staff("mona")

    page = client.post(desk(move), {"verb": "cancel", "reason": " "})
    assert "Say why the move is cancelled." in page.content.decode()
    client.post(desk(move), {"verb": "cancel", "reason": "Changed her mind"})

    move.refresh_from_db()
    assert move.status == "cancelled"


def test_those_who_may_only_read_change_nothing(cast, as_staff):
    move = asked(cast, "chloe", "stella", effective_on=tomorrow())
    client = as_staff("fiona")

    assert client.get(desk(move)).status_code == 200
    assert client.post(desk(move), {"verb": "cancel", "reason": "x"}).status_code == 403

    move.refresh_from_db()
    assert move.status == "scheduled"


def test_a_membership_ends_and_goes_on_in_the_admin(cast, as_staff):
    client = as_staff("mona")
    page = reverse("admin:genealogy_distributor_leave", args=[cast.ben.number])

    answer = {"downline": "roll_up", "reason": "Asked to leave"}
    looked = " ".join(strip_tags(client.post(page, answer).content.decode()).split())
    assert "Directs who get another sponsor 1" in looked
    assert sponsor_of(cast.chloe) == cast.ben
    ended = client.post(page, answer | {"confirmed": "yes"}, follow=True)
    assert "Ben Cole has left the company." in ended.content.decode()
    assert "Take back" in ended.content.decode()
    assert sponsor_of(cast.chloe) == cast.asha
    client.post(page, {"reason": "Came back"})

    assert Distributor.objects.get(pk=cast.ben.pk).status == "active"


def test_a_desk_takes_the_same_statements_whatever_the_size(cast, as_staff, settings):
    settings.MOVE_ALONE_UP_TO = 1
    move = asked(cast, "chloe", "stella")
    client = as_staff("mona")
    client.get(desk(move))

    with CaptureQueriesContext(connection) as few:
        client.get(desk(move))
    deeper = asked(cast, "dmitri", "asha", effective_on=tomorrow())
    with CaptureQueriesContext(connection) as more:
        client.get(desk(deeper))
    assert len(few) == len(more)

"""The bell, the list behind it, and the JSON for those without a socket."""

import json

import pytest
from django.db import transaction

from accounts.event_types import EVENTS
from accounts.events import publish, words
from accounts.models import Event, Notification, User
from tests.accounts.test_users import signed_in

pytestmark = pytest.mark.django_db


def tell(user: User, number: int) -> None:
    with transaction.atomic():
        publish(
            "commission.earned",
            users=[user],
            ref=f"O-{number}",
            bonus="Level income",
            order=f"O-{number}",
            amount="4.00",
            currency="GBP",
        )


def test_event_without_the_facts_of_its_words_is_refused(cast) -> None:
    with pytest.raises(KeyError, match="without amount, currency"):
        publish("order.paid", users=[cast.user("chloe")], order="O-1")

    assert not Event.objects.exists()


def test_event_that_is_older_than_its_words_is_still_shown(cast) -> None:
    chloe = cast.user("chloe")
    tell(chloe, 1)
    event = Event.objects.get()
    event.facts = {}

    assert words(event)["body"] == "\u2013 on order \u2013."


def test_staff_reads_other_words_than_the_person(cast) -> None:
    publish(
        "kyc.submitted", users=[cast.user("chloe")], staff=True, document="Passport", person="Chloe"
    )

    titles = [words(event)["title"] for event in Event.objects.order_by("pk")]

    assert titles == ["Your Passport was received", "Passport of Chloe waits for review"]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_can_be_put_into_words(name: str) -> None:
    facts = dict.fromkeys(EVENTS[name].needs, "1.00") | {"currency": "GBP"}

    text = words(Event(name=name, stream_id="user:1", facts=facts))

    assert text["title"]
    assert "{" not in text["title"] + text["body"]


def test_bell_counts_what_is_unread(cast) -> None:
    chloe = cast.user("chloe")
    client = signed_in(chloe)
    for number in range(2):
        tell(chloe, number)

    assert "Notifications, 2 unread" in client.get("/notifications/bell/").content.decode()

    client.post("/notifications/read/")
    assert "unread" not in client.get("/notifications/bell/").content.decode()


def test_list_pages_by_the_number_in_the_stream(cast, django_assert_max_num_queries) -> None:
    chloe = cast.user("chloe")
    client = signed_in(chloe)
    for number in range(31):
        tell(chloe, number)

    with django_assert_max_num_queries(8):
        first = client.get("/notifications/").content.decode()
    assert "on order O-30." in first
    assert "on order O-0." not in first
    assert "?before=2" in first

    second = client.get("/notifications/?before=2").content.decode()
    assert "on order O-0." in second
    assert "on order O-1." not in second


def test_empty_list_says_what_will_come(cast) -> None:
    page = signed_in(cast.user("chloe")).get("/notifications/").content.decode()

    assert "No notifications yet" in page


def test_opening_marks_as_read_and_leads_to_the_thing(cast) -> None:
    chloe = cast.user("chloe")
    client = signed_in(chloe)
    tell(chloe, 1)
    tell(chloe, 2)

    answer = client.post("/notifications/2/open/")

    assert answer.url == "/earnings/"
    assert Notification.objects.get(read_at=None).event.seq == 1
    assert "order O-2" not in client.get("/notifications/?show=unread").content.decode()


def test_nobody_opens_or_reads_the_notification_of_another(cast) -> None:
    tell(cast.user("chloe"), 1)
    client = signed_in(cast.user("ben"))

    assert client.post("/notifications/1/open/").status_code == 404
    client.post("/notifications/read/")

    assert Notification.objects.unread().count() == 1


def test_json_gives_what_the_socket_would(cast) -> None:
    chloe = cast.user("chloe")
    client = signed_in(chloe)
    for number in range(3):
        tell(chloe, number)
    tell(cast.user("ben"), 9)

    answer = client.get("/events/", {"after": json.dumps({f"user:{chloe.pk}": 1})}).json()

    assert [event["ref"] for event in answer["events"]] == ["O-1", "O-2"]
    assert answer["cursor"] == {f"user:{chloe.pk}": 3}
    assert (answer["reset"], answer["more"]) == (False, False)


def test_json_of_a_foreign_stream_is_silent(cast) -> None:
    ben = cast.user("ben")
    tell(ben, 1)
    client = signed_in(cast.user("chloe"))

    answer = client.get("/events/", {"after": json.dumps({f"user:{ben.pk}": 0, "staff": 0})})

    assert answer.json()["events"] == []
    assert client.get("/events/", {"after": "nonsense"}).status_code == 400


def test_page_carries_the_cursor_from_before_its_data(cast) -> None:
    chloe = cast.user("chloe")
    tell(chloe, 1)

    page = signed_in(chloe).get("/notifications/").content.decode()

    assert f"{{&quot;user:{chloe.pk}&quot;: 1}}" in page

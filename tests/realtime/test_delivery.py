"""In order, at least once, shown once, from the cursor on."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import consumers
from accounts.events import publish
from accounts.models import Event, EventStream, Notification, User
from accounts.queries import start_cursor as heads
from accounts.services import delivery
from tests.realtime.hearing import Ear, database, numbers, sign_in, tell

pytestmark = pytest.mark.asyncio


async def test_event_published_while_listening_arrives_at_once(asha: User) -> None:
    ear = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    assert await ear.hear() == {"type": "caught_up"}

    await database(tell)(asha, 7)

    heard = await ear.hear(timeout=1)
    assert heard | {"at": ""} == {
        "type": "event",
        "stream": f"user:{asha.pk}",
        "seq": 1,
        "name": "order.paid",
        "notify": False,
        "ref": "O-7",
        "at": "",
        "title": "Order O-7 is paid",
        "body": "£1.00",
        "url": "",
    }
    await ear.close()


async def test_events_between_page_and_connection_are_replayed_in_order(asha: User) -> None:
    session, rendered = await database(sign_in)(asha), await database(heads)(asha)
    for number in range(450):
        await database(tell)(asha, number)

    ear = await Ear(session).open(rendered)

    assert numbers(await ear.hear_until("caught_up")) == list(range(1, 451))
    await ear.close()


async def test_reconnection_resumes_after_the_last_event_seen(asha: User) -> None:
    session = await database(sign_in)(asha)
    for number in range(5):
        await database(tell)(asha, number)

    ear = await Ear(session).open({f"user:{asha.pk}": 3})

    assert numbers(await ear.hear_until("caught_up")) == [4, 5]
    await ear.close()


async def test_without_a_resume_message_it_starts_from_now(
    asha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "RESUME_SECONDS", 0.2)
    await database(tell)(asha, 1)

    ear = await Ear(await database(sign_in)(asha)).open()

    assert await ear.hear() == {"type": "caught_up"}
    await database(tell)(asha, 2)
    assert (await ear.hear())["seq"] == 2
    await ear.close()


async def test_lost_poke_is_healed_by_the_sweep(
    asha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "GRACE", timedelta(seconds=-1))
    ear = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    await ear.hear_until("caught_up")
    await database(tell)(asha, 1, is_poked=False)
    assert await ear.receive_nothing(timeout=0.3)

    assert await database(delivery.poke_forgotten)() == 1

    assert (await ear.hear(timeout=1))["seq"] == 1
    assert await database(Event.objects.filter(poked_at=None).count)() == 0
    await ear.close()


async def test_lost_poke_is_healed_by_the_socket_itself(
    asha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SWEEP_SECONDS", 0.5)
    ear = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    await ear.hear_until("caught_up")

    await database(tell)(asha, 1, is_poked=False)

    assert (await ear.hear(timeout=1.5))["seq"] == 1
    await ear.close()


async def test_many_writers_leave_no_gap_and_no_repeat(asha: User) -> None:
    ear = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    await ear.hear_until("caught_up")

    def write(start: int) -> None:
        try:
            for number in range(start, start + 10):
                tell(asha, number, is_poked=number % 3 != 0)
        finally:
            connection.close()

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(None, write, n * 10) for n in range(5)))
    await database(tell)(asha, 50)

    heard = [await ear.hear() for _ in range(51)]
    assert numbers(heard) == list(range(1, 52))
    assert {message["ref"] for message in heard} == {f"O-{number}" for number in range(51)}
    assert await ear.receive_nothing(timeout=0.3)
    await ear.close()


@pytest.fixture
def no_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just written is old enough to go."""
    monkeypatch.setattr(delivery, "RETENTION", timedelta(seconds=-1))


def write_four_and_trim_two(user: User) -> str:
    for number in range(4):
        tell(user, number)
        if number == 1:
            assert delivery.prune_events() == 2
    return sign_in(user)


async def test_trimmed_history_is_a_reset(asha: User, no_retention: None) -> None:
    session = await database(write_four_and_trim_two)(asha)

    ear = await Ear(session).open({f"user:{asha.pk}": 1})

    assert await ear.hear() == {"type": "reset", "cursor": {f"user:{asha.pk}": 4}}
    assert await ear.hear() == {"type": "caught_up"}
    await ear.close()


async def test_cursor_at_the_edge_of_the_trimmed_history_is_no_reset(
    asha: User, no_retention: None
) -> None:
    session = await database(write_four_and_trim_two)(asha)

    ear = await Ear(session).open({f"user:{asha.pk}": 2})

    assert numbers(await ear.hear_until("caught_up")) == [3, 4]
    await ear.close()


async def test_cursor_ahead_of_the_stream_is_a_reset(asha: User) -> None:
    session = await database(sign_in)(asha)
    await database(tell)(asha, 1)

    ear = await Ear(session).open({f"user:{asha.pk}": 99})

    assert await ear.hear() == {"type": "reset", "cursor": {f"user:{asha.pk}": 1}}
    await ear.close()


async def test_prune_keeps_what_stands_in_a_notification(asha: User, no_retention: None) -> None:
    def publish_both() -> None:
        with transaction.atomic():
            publish("user.reactivated", users=[asha], person="Asha")
        tell(asha, 1)

    await database(publish_both)()

    assert await database(delivery.prune_events)() == 1
    assert (await database(Notification.objects.get)()).user_id == asha.pk
    assert await database(EventStream.objects.get)(key=f"user:{asha.pk}", seq=2)


async def test_fleeting_events_go_sooner(asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FLEETING_RETENTION", timedelta(seconds=-1))

    def publish_both() -> None:
        with transaction.atomic():
            publish("commission.estimated", users=[asha])
        tell(asha, 1)

    await database(publish_both)()

    assert await database(delivery.prune_events)() == 1
    assert (await database(Event.objects.get)()).name == "order.paid"


async def test_idle_socket_stays_open_past_the_layers_timeouts(asha: User) -> None:
    ear = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    await ear.hear_until("caught_up")

    await asyncio.sleep(7)

    await database(tell)(asha, 1)
    assert (await ear.hear(timeout=1))["seq"] == 1
    await ear.close()


async def test_ping_is_answered(asha: User) -> None:
    ear = await Ear(await database(sign_in)(asha)).open({})
    await ear.hear_until("caught_up")

    await ear.say({"type": "ping"})

    assert await ear.hear() == {"type": "pong"}
    await ear.close()


@pytest.mark.parametrize(
    ("text", "code"), [("x" * 70_000, 1009), ("not json", 4400), ("[1]", 4400), ("{}", 4400)]
)
async def test_message_that_is_no_message_closes_the_socket(
    asha: User, text: str, code: int
) -> None:
    ear = await Ear(await database(sign_in)(asha)).open()

    await ear.say(text)

    assert await ear.hear() == {"type": "close", "code": code}
    await ear.close()


async def test_eleventh_socket_of_a_user_is_refused_until_one_closes(asha: User) -> None:
    session = await database(sign_in)(asha)
    ears = [await Ear(session).open({}) for _ in range(10)]
    for ear in ears:
        await ear.hear_until("caught_up")

    eleventh = await Ear(session).open({})
    assert await eleventh.hear() == {"type": "close", "code": 4429}
    await eleventh.close()

    await ears.pop().close()
    again = await Ear(session).open({})
    assert await again.hear() == {"type": "caught_up"}
    for ear in [again, *ears]:
        await ear.close()
    assert asha.pk not in consumers.open_sockets


async def test_slow_reading_of_one_does_not_hold_up_the_others(
    asha: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = consumers.read_events

    def slow_for_ben(streams: tuple[str, ...], *rest: Any) -> consumers.Reading:
        if streams == (f"user:{ben.pk}",):
            time.sleep(2)
        return read(streams, *rest)

    monkeypatch.setattr(consumers, "read_events", slow_for_ben)
    slow = await Ear(await database(sign_in)(ben)).open(await database(heads)(ben))
    quick = await Ear(await database(sign_in)(asha)).open(await database(heads)(asha))
    assert await quick.hear(timeout=1) == {"type": "caught_up"}

    started = time.monotonic()
    await database(tell)(asha, 1)
    assert (await quick.hear(timeout=1))["seq"] == 1
    assert time.monotonic() - started < 0.5

    assert await slow.hear(timeout=3) == {"type": "caught_up"}
    await slow.close()
    await quick.close()

"""Nobody hears what is not for him: streams come from the session, never from the client."""

import pytest
from django.db import transaction

from accounts.event_types import EVENTS, STAFF_PERMISSIONS
from accounts.events import publish
from accounts.models import User
from accounts.permissions import ROLE_PERMISSIONS
from accounts.queries import read_events, start_cursor, streams_of
from tests.realtime.hearing import Ear, database, make_user, numbers, sign_in, tell

ROLES = ["admin", "manager", "support", "finance", "auditor", "distributor"]


def tell_everybody_everything(people: list[User]) -> None:
    """Each event of the registry to each person and once to the staff."""
    for name, kind in EVENTS.items():
        facts = dict.fromkeys(kind.needs, "1.00") | {"currency": "GBP"}
        with transaction.atomic():
            publish(name, users=people, staff=True, ref="everything", **facts)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_hears_its_own_stream_and_what_its_rights_allow_of_the_staffs(
    db: None, role: str
) -> None:
    listener = make_user("listener@example.com", role)
    stranger = make_user("stranger@example.com")
    tell_everybody_everything([listener, stranger])

    reading = read_events(
        streams_of(listener),
        listener.role_permissions,
        {f"user:{listener.pk}": 0, f"user:{stranger.pk}": 0, "staff": 0},
    )

    heard = {(message["stream"], message["name"]) for message in reading.messages}
    own = {(f"user:{listener.pk}", name) for name in EVENTS}
    of_the_staff = {
        ("staff", name)
        for name in EVENTS
        if role != "distributor"
        and STAFF_PERMISSIONS[name.partition(".")[0]] in ROLE_PERMISSIONS[role]
    }
    assert heard == own | of_the_staff


def test_every_event_says_which_of_the_staff_hear_it() -> None:
    assert {name.partition(".")[0] for name in EVENTS} == set(STAFF_PERMISSIONS)


def test_support_hears_nothing_of_money(db: None) -> None:
    sam = make_user("sam@example.com", "support")
    tell_everybody_everything([])

    reading = read_events(streams_of(sam), sam.role_permissions, {"staff": 0})

    families = {message["name"].partition(".")[0] for message in reading.messages}
    assert families == {
        *("user", "order", "kyc", "level", "referral", "team", "distributor", "enrolment"),
    }


@pytest.mark.asyncio
async def test_cursor_of_a_foreign_stream_opens_nothing(asha: User, ben: User) -> None:
    session = await database(sign_in)(asha)
    await database(tell)(ben, 1)
    await database(tell)(None, 2)

    ear = await Ear(session).open({f"user:{ben.pk}": 0, "staff": 0})

    assert await ear.hear() == {"type": "caught_up"}
    await database(tell)(ben, 3)
    await database(tell)(None, 4)
    assert await ear.receive_nothing(timeout=0.5)
    await ear.close()


@pytest.mark.asyncio
async def test_cursor_of_any_shape_does_no_harm(asha: User) -> None:
    session = await database(sign_in)(asha)
    await database(tell)(asha, 1)
    mine = f"user:{asha.pk}"
    for cursor in (
        None,
        7,
        [],
        "x",
        {mine: "0"},
        {mine: True},
        {mine: -5},
        {mine: 2**70},
        {mine: 1.5},
    ):
        ear = await Ear(session).open()
        await ear.say({"type": "resume", "cursor": cursor})

        assert await ear.hear() == {"type": "caught_up"}
        await ear.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("session", ["", "0" * 32, "../../etc"])
async def test_socket_without_a_session_is_closed(transactional_db: None, session: str) -> None:
    ear = await Ear(session).open({"staff": 0})

    assert await ear.hear() == {"type": "close", "code": 4401}
    await ear.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "origin",
    [
        None,
        b"",
        b"null",
        b"https://evil.example",
        b"https://portal.example.evil.example",
        b"https://evil.example/portal.example",
        b"https://portal.example:8443",
    ],
)
async def test_page_of_another_site_cannot_open_a_socket(asha: User, origin: bytes | None) -> None:
    ear = Ear(await database(sign_in)(asha), origin=origin)

    assert not await ear.connect()

    await ear.close()


@pytest.mark.asyncio
async def test_staff_hears_the_staff_stream(transactional_db: None) -> None:
    ada = await database(make_user)("ada@example.com", "admin")
    ear = await Ear(await database(sign_in)(ada)).open(await database(start_cursor)(ada))
    await ear.hear_until("caught_up")

    await database(tell)(None, 1)

    message = await ear.hear(timeout=1)
    assert (message["stream"], numbers([message]), message["notify"]) == ("staff", [1], False)
    await ear.close()

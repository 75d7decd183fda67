"""An open socket does not outlive the right to it."""

import time

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import consumers
from accounts.models import User
from accounts.queries import start_cursor as heads
from accounts.services.users import change_role, suspend_user
from tests.realtime.hearing import Ear, database, make_user, numbers, sign_in, tell

pytestmark = pytest.mark.asyncio
PASSWORD, NEW_PASSWORD = "a long passphrase", "quite another one"


async def listening(user: User) -> tuple[Ear, str]:
    session = await database(sign_in)(user)
    ear = await Ear(session).open(await database(heads)(user))
    await ear.hear_until("caught_up")
    return ear, session


async def is_hung_up(ear: Ear, code: int) -> None:
    started = time.monotonic()
    assert await ear.hear(timeout=1) == {"type": "bye"}
    assert await ear.hear(timeout=1) == {"type": "close", "code": code}
    assert time.monotonic() - started < 1
    await ear.close()


async def test_suspension_closes_the_socket_at_once(asha: User) -> None:
    ear, _ = await listening(asha)
    ada = await database(make_user)("ada@example.com", "admin")

    await database(suspend_user)(user=asha, actor=ada, reason="Chargebacks")

    await is_hung_up(ear, 4403)


async def test_sign_out_closes_the_sockets_of_that_session_only(asha: User) -> None:
    here, session = await listening(asha)
    there, _ = await listening(asha)

    def sign_out() -> None:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session
        client.post("/accounts/logout/")

    await database(sign_out)()

    await is_hung_up(here, 4401)
    await database(tell)(asha, 1)
    assert numbers([await there.hear()]) == [1]
    await there.close()


async def test_password_change_closes_the_other_sessions(asha: User) -> None:
    other, _ = await listening(asha)

    def change() -> None:
        client = Client()
        client.force_login(asha, backend="django.contrib.auth.backends.ModelBackend")
        answer = client.post(
            "/accounts/password/change/",
            {
                "oldpassword": PASSWORD,
                "password1": "quite another one",
                "password2": "quite another one",
            },
        )
        assert answer.status_code == 302

    await database(change)()

    await is_hung_up(other, 4401)


async def test_role_change_closes_the_socket_and_the_next_one_hears_other_streams(
    transactional_db: None,
) -> None:
    sam = await database(make_user)("sam@example.com", "support")
    ada = await database(make_user)("ada@example.com", "admin")
    ear, session = await listening(sam)

    await database(change_role)(user=sam, role="distributor", actor=ada, reason="Left the staff")

    await is_hung_up(ear, 4403)
    again = await Ear(session).open({f"user:{sam.pk}": 1, "staff": 0})
    assert await again.hear() == {"type": "caught_up"}
    await database(tell)(None, 1)
    assert await again.receive_nothing(timeout=0.5)
    await again.close()


async def test_expired_session_ends_at_the_next_sweep_without_any_poke(
    asha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SWEEP_SECONDS", 0.5)
    ear, session = await listening(asha)

    await database(Session.objects.filter(session_key=session).update)(expire_date=timezone.now())

    await is_hung_up(ear, 4401)


async def test_suspended_person_cannot_connect_again(asha: User) -> None:
    _, session = await listening(asha)
    await database(User.objects.filter(pk=asha.pk).update)(status="suspended")

    ear = await Ear(session).open()

    assert await ear.hear() == {"type": "close", "code": 4403}
    await ear.close()

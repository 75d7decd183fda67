"""The same over the wire: uvicorn as `make run` starts it, and the `websockets` client."""

import asyncio
import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from mlmcrm.servers import Valkey
from tests import stack
from tests.realtime.hearing import database, sign_in, tell

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest.fixture
def valkey(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    """A Valkey of this test's own, so that it may die."""
    server = Valkey(tmp_path)
    (tmp_path / "logs").mkdir()
    url = server.start()
    monkeypatch.setenv("REDIS_URL", url)
    layer = {**settings.CHANNEL_LAYERS["default"]}
    layer["CONFIG"] = {"hosts": [url], "prefix": "mlmcrm.0"}
    settings.CHANNEL_LAYERS = {"default": layer}
    yield server
    server.stop()


@pytest.fixture
def url(transactional_db: None, valkey: Valkey) -> Iterator[str]:
    web, url = stack.start_web()
    yield url
    web.stop()


def socket(url: str, session: str, origin: str | None = None) -> Any:
    return connect(
        url.replace("http:", "ws:") + "/ws/events/",
        origin=url if origin is None else origin,
        additional_headers={"Cookie": f"{django_settings.SESSION_COOKIE_NAME}={session}"},
    )


async def hear(ear: ClientConnection, timeout: float = 3) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(ear.recv(), timeout))


async def resume(ear: ClientConnection, cursor: dict[str, int]) -> list[dict[str, Any]]:
    await ear.send(json.dumps({"type": "resume", "cursor": cursor}))
    heard = [await hear(ear)]
    while heard[-1]["type"] != "caught_up":
        heard.append(await hear(ear))
    return heard[:-1]


async def test_commit_reaches_the_client_in_milliseconds(url: str, asha: User) -> None:
    async with socket(url, await database(sign_in)(asha)) as ear:
        assert await resume(ear, {}) == []
        delays = []
        for number in range(40):
            started = time.monotonic()
            await database(tell)(asha, number)
            assert (await hear(ear))["seq"] == number + 1
            delays.append(time.monotonic() - started)

    assert statistics.median(delays) < 0.2
    assert max(delays) < 1


async def test_socket_that_is_idle_for_seven_seconds_stays_open(url: str, asha: User) -> None:
    async with socket(url, await database(sign_in)(asha)) as ear:
        await resume(ear, {})

        await asyncio.sleep(7)

        await database(tell)(asha, 1)
        assert (await hear(ear))["seq"] == 1


async def test_death_of_valkey_loses_nothing(url: str, asha: User, valkey: Valkey) -> None:
    async with socket(url, await database(sign_in)(asha)) as ear:
        await resume(ear, {})
        await database(tell)(asha, 1)
        assert (await hear(ear))["seq"] == 1

        os.kill(int(valkey.client().info("server")["process_id"]), signal.SIGKILL)
        await database(tell)(asha, 2)
        valkey.start()
        await database(tell)(asha, 3)

        # The socket's own sweep makes up for pokes that nobody could carry.
        assert [(await hear(ear, timeout=30))["seq"] for _ in range(2)] == [2, 3]


async def test_stranger_and_foreign_page_are_turned_away(url: str, asha: User) -> None:
    session = await database(sign_in)(asha)
    with pytest.raises(InvalidStatus, match="403"):
        async with socket(url, session, origin="https://evil.example"):
            pass

    async with socket(url, "nobody") as ear:
        with pytest.raises(ConnectionClosed) as closed:
            await hear(ear)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_message_of_more_than_64_kilobytes_ends_the_connection(url: str, asha: User) -> None:
    async with socket(url, await database(sign_in)(asha)) as ear:
        await ear.send("x" * 70_000)

        with pytest.raises(ConnectionClosed) as closed:
            await hear(ear)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009

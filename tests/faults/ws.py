"""Real sockets under faults: `python -m tests.faults.ws [--clients 50] [--events 40] [--mutant]`.

With `--both` the mutant has its turn after the product.

A writer tells people things while the web process and Valkey are killed with -9 and one poke in
twenty is dropped. The clients reconnect from their cursor as a browser does. In the end everybody
must have been shown all of his events, in order, once, and nobody anything else.

The mutant sends the events themselves over the channel layer, as the layer's own tutorial does.
It has to fail; a runner that lets it pass proves nothing.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DROPPED = 0.05
SETTLE_SECONDS, MUTANT_SETTLE_SECONDS = 30.0, 2.0


@dataclass
class Client:
    """A browser: it keeps a cursor, shows what is new, and comes back when it is cut off."""

    session: str
    stream: str
    url: str
    cursor: int = 0
    shown: list[int] = field(default_factory=list)
    repeats: int = 0
    foreign: int = 0
    reconnections: int = -1

    async def run(self) -> None:
        from websockets.exceptions import WebSocketException

        delay = 0.2
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                await self.listen()
                delay = 0.2
            await asyncio.sleep(random.uniform(0.1, delay))
            delay = min(delay * 2, 3)

    async def listen(self) -> None:
        from websockets.asyncio.client import connect

        address = self.url.replace("http:", "ws:") + "/ws/events/"
        headers = {"Cookie": f"sessionid={self.session}"}
        async with connect(address, origin=self.url, additional_headers=headers) as socket:
            self.reconnections += 1
            resume = {"type": "resume", "cursor": {self.stream: self.cursor}}
            await socket.send(json.dumps(resume))
            async for text in socket:
                self.take(json.loads(text))

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] != "event":
            return
        if message["stream"] != self.stream:
            self.foreign += 1
        elif message["seq"] <= self.cursor:
            self.repeats += 1
        else:
            self.cursor = message["seq"]
            self.shown.append(message["seq"])


def tell(user_id: int, *, is_mutant: bool) -> None:
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer
    from django.db import connection, transaction

    from accounts.events import group_of, publish, user_stream
    from accounts.models import EventStream

    stream = user_stream(user_id)
    is_dropped = random.random() < DROPPED
    with transaction.atomic():
        publish("order.paid", users=[user_id], order="O-1", amount="1.00", currency="GBP")
        if is_mutant or is_dropped:
            connection.run_on_commit.clear()
    if is_mutant and not is_dropped:
        seq = EventStream.objects.get(pk=stream).seq
        payload = {"type": "event", "stream": stream, "seq": seq}
        with suppress(Exception):
            send = async_to_sync(get_channel_layer().group_send)
            send(group_of(stream), {"type": "payload", "payload": payload})


def write_all(user_ids: list[int], rounds: int, is_mutant: bool) -> None:
    from django.db import connection

    for _ in range(rounds):
        for user_id in random.sample(user_ids, len(user_ids)):
            tell(user_id, is_mutant=is_mutant)
        time.sleep(0.15)
    connection.close()


def found(count: int, *, is_mutant: bool) -> list[tuple[int, str]]:
    """People who have heard nothing yet, and the sessions they are signed in with."""
    from django.test import Client as Browser

    from accounts.models import User

    people = []
    for number in range(count):
        name = f"{'mutant-' * is_mutant}listener-{number}"
        user = User.objects.create_user(f"{name}@example.com")
        browser = Browser()
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        people.append((user.pk, browser.cookies["sessionid"].value))
    return people


def sweep_once() -> None:
    """What the beat does every few seconds."""
    from django.db import connection

    from accounts.services.delivery import poke_forgotten

    with suppress(Exception):
        poke_forgotten()
    connection.close()


async def sweep() -> None:
    while True:
        await asyncio.to_thread(sweep_once)
        await asyncio.sleep(1)


class Web:
    """The web process, which can be killed and comes back on the same port."""

    def __init__(self, port: int, is_mutant: bool) -> None:
        from mlmcrm.supervisor import children

        (command,) = [
            child.command for child in children("127.0.0.1", port, Path()) if child.name == "web"
        ]
        if is_mutant:
            place = command.index("mlmcrm.asgi:application")
            command[place] = "tests.faults.ws_mutant:application"
        self.command = command
        self.url = f"http://127.0.0.1:{port}"

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            env=os.environ | {"MLMCRM_PROCESS": "web"},
            stderr=asyncio.subprocess.DEVNULL,
        )
        from tests.stack import answers

        while not await asyncio.to_thread(answers, f"{self.url}/healthz"):
            if self.process.returncode is not None:
                raise RuntimeError("The web process did not start.")
            await asyncio.sleep(0.1)

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


async def trial(options: argparse.Namespace, folder: Path, *, is_mutant: bool) -> bool:
    from mlmcrm import servers
    from tests.stack import free_port

    random.seed(options.seed)
    people = await asyncio.to_thread(found, options.clients, is_mutant=is_mutant)
    web = Web(free_port(), is_mutant)
    await web.start()
    clients = [Client(session, f"user:{pk}", web.url) for pk, session in people]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    tasks.append(asyncio.create_task(sweep()))
    await asyncio.sleep(2)
    ids = [pk for pk, _ in people]
    writing = asyncio.create_task(asyncio.to_thread(write_all, ids, options.events, is_mutant))
    await asyncio.sleep(2)
    await web.kill()
    await web.start()
    await asyncio.sleep(1)
    valkey = servers.Valkey(folder)
    os.kill(int(valkey.client().info("server")["process_id"]), signal.SIGKILL)
    await asyncio.sleep(1)
    await asyncio.to_thread(valkey.start)
    await writing
    expected = list(range(1, options.events + 1))
    deadline = time.monotonic() + (MUTANT_SETTLE_SECONDS if is_mutant else SETTLE_SECONDS)
    while time.monotonic() < deadline and any(c.shown != expected for c in clients):
        await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await web.kill()
    return report(clients, expected)


def report(clients: list[Client], expected: list[int]) -> bool:
    lost = sum(len(set(expected) - set(client.shown)) for client in clients)
    wrong = sum(client.shown != sorted(set(client.shown)) for client in clients)
    foreign = sum(client.foreign for client in clients)
    print(
        f"{len(clients)} clients, {len(expected)} events each: {lost} lost, {wrong} shown out of "
        f"order or twice, {foreign} foreign; {sum(c.repeats for c in clients)} repeats dropped, "
        f"{sum(c.reconnections for c in clients)} reconnections"
    )
    return not (lost or wrong or foreign)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--mutant", action="store_true")
    parser.add_argument("--both", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="mlmcrm-faults-")))
        return 0 if run(options, folder, held) else 1


def run(options: argparse.Namespace, folder: Path, held: ExitStack) -> bool:
    from mlmcrm import servers

    for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "MLMCRM_ENV": "development",
        "MLMCRM_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "mlmcrm.settings",
        "DATABASE_POOL_SIZE": "16",
    }
    held.callback(servers.remove, folder)
    os.environ |= held.enter_context(servers.lease(folder, durable=False))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    turns = (False, True) if options.both else (options.mutant,)
    passed = [asyncio.run(trial(options, folder, is_mutant=is_mutant)) for is_mutant in turns]
    return passed == [True, False] if options.both else passed == [True]


if __name__ == "__main__":
    sys.exit(main())

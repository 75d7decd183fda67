"""PostgreSQL and Valkey for development and tests: real servers out of wheels.

Each data folder has its own pair. Whoever needs them takes a `lease`: the first lease starts what
is not running, the last one to end stops it, and what a `kill -9` left running is used again.
DATABASE_URL and REDIS_URL replace either of them by a server of one's own.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from mlmcrm.servers.folder import (
    data_dir,
    development_environment,
    locked,
    make_data_dir,
    read_state,
    write_state,
)
from mlmcrm.servers.postgres import Postgres
from mlmcrm.servers.programs import ServerError
from mlmcrm.servers.valkey import Valkey

__all__ = [
    "Postgres",
    "ServerError",
    "Valkey",
    "all_outside",
    "data_dir",
    "development_environment",
    "heal",
    "lease",
    "remove",
]


def all_outside(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DATABASE_URL") and environ.get("REDIS_URL"))


@contextmanager
def lease(folder: Path, *, durable: bool = True) -> Iterator[dict[str, str]]:
    """Keeps the servers of this folder up for the length of the block; gives their addresses."""
    make_data_dir(folder)
    with open(folder / "servers.lease", "w") as held:
        try:
            with locked(folder / "servers.lock"):
                fcntl.flock(held, fcntl.LOCK_SH)
                addresses = start(folder, durable=durable)
            yield addresses
        finally:
            with locked(folder / "servers.lock"):
                fcntl.flock(held, fcntl.LOCK_UN)
                with suppress(BlockingIOError):
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stop(folder)


def start(folder: Path, *, durable: bool = True) -> dict[str, str]:
    """Starts what the environment leaves to us and is not running; gives both addresses."""
    addresses = {}
    for name, server in embedded(folder, durable).items():
        outside = os.environ.get(name)
        addresses[name] = outside or server.start()
        if not outside:
            write_state(folder, **{name: addresses[name]})
    return addresses


def embedded(folder: Path, durable: bool = True) -> dict[str, Postgres | Valkey]:
    return {"DATABASE_URL": Postgres(folder, durable), "REDIS_URL": Valkey(folder)}


def heal(folder: Path) -> bool:
    """Starts again what died under a lease. True when something had."""
    state = read_state(folder)
    dead = [
        server
        for name, server in embedded(folder).items()
        if os.environ.get(name) == state.get(name) and not server.is_running()
    ]
    with locked(folder / "servers.lock"):
        for server in dead:
            server.start()
    return bool(dead)


def remove(folder: Path) -> None:
    """Stops the servers and deletes the folder, wherever its cluster stands."""
    stop(folder)
    shutil.rmtree(Postgres(folder).home(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def stop(folder: Path) -> None:
    Valkey(folder).stop()
    Postgres(folder).stop()

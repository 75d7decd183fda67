"""`make run`: servers, migrations, demo company, then web, worker and beat under one roof.

A child that dies is started again, a server that dies too; Ctrl-C or SIGTERM stops all of it in
order. When the supervisor itself is killed, the kernel tells the children to end.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from mlmcrm import servers

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
STOP_SECONDS = 25.0
LONGEST_PAUSE = 15.0
STEADY_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def say(text: str = "") -> None:
    print(text, flush=True)


def end_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process of ours and how often it had to be started."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    environ: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=os.environ | self.environ | {"MLMCRM_PROCESS": self.name},
            start_new_session=True,
            preexec_fn=end_with_parent,
        )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def revive(self) -> None:
        """Starts it again once its pause is over; each death in a row doubles the pause."""
        age = time.monotonic() - self.started
        if self.is_running():
            if age > STEADY_SECONDS:
                self.pause = 0.0
        elif age > self.pause:
            code = self.process.returncode if self.process else None
            self.pause = min(max(self.pause * 2, 0.5), LONGEST_PAUSE)
            say(f"{self.name} ended with code {code}; starting it again.")
            self.start()

    def ask_to_end(self) -> None:
        if self.process and self.is_running():
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Waits until the deadline, then ends the whole process group."""
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not end in time; killing it.")
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def children(host: str, port: int, folder: Path) -> list[Child]:
    python = [sys.executable, "-m"]
    # As root Celery warns of pickles, which our queue refuses.
    celery = [sys.executable, "-W", "ignore:You're running the worker with superuser", "-m",
              "celery", "--quiet", "--app", "mlmcrm"]  # fmt: skip
    return [
        Child("web", [
            *python, "uvicorn", "mlmcrm.asgi:application", "--host", host, "--port", str(port),
            "--lifespan", "off", "--no-access-log", "--log-level", "warning", "--no-proxy-headers",
            "--no-server-header", "--timeout-graceful-shutdown", "5", "--ws-max-size", "65536",
        ]),
        Child("worker", [
            *celery, "worker", "--loglevel", "WARNING", "--pool", "prefork", "--without-gossip",
            "--without-mingle", "--without-heartbeat",
        ]),
        Child("beat", [
            *celery, "beat", "--loglevel", "WARNING", "--schedule", str(folder / "beat-schedule"),
            "--pidfile", "",
        ]),
    ]  # fmt: skip


def choose_port(host: str, wanted: int) -> int:
    """The wanted port, or the next free one, and says so."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            if port != wanted:
                say(f"Port {wanted} is taken, so this runs on port {port}.")
            return port
    raise servers.ServerError(f"No free port from {wanted} to {wanted + 99}.")


def prepare() -> None:
    """Migrates, and loads the demo company into an empty database."""
    import django

    django.setup()
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, interactive=False)
    if not apps.get_model("genealogy", "Distributor").objects.exists():
        say("The database is empty: loading the demo company.")
        call_command("load_demo")
    connections.close_all()


def demo_sign_ins() -> list[tuple[str, ...]]:
    """Who can sign in to the demo company; nobody when the database holds something else."""
    from django.contrib.auth import get_user_model
    from django.core.management import get_commands
    from django.db import connections

    rows: list[tuple[str, ...]] = import_module(
        f"{get_commands()['load_demo']}.management.commands.load_demo"
    ).DEMO_SIGN_INS
    known = set(
        get_user_model().objects.filter(email__in=[text for row in rows for text in row])
        .values_list("email", flat=True)
    )  # fmt: skip
    connections.close_all()
    return [row for row in rows if known & set(row)]


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = [tuple(str(text) for text in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Supervisor:
    """Keeps the children running. The web comes first, so that a page is there soonest."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.address = f"http://{host}:{port}/"
        self.folder = folder
        self.web, *self.others = children(host, port, folder)
        self.greeted = False

    def run(self) -> None:
        try:
            self.web.start()
            prepare()
            while True:
                self.tick()
        finally:
            self.stop()

    def tick(self) -> None:
        if servers.heal(self.folder):
            say("A server had ended and was started again.")
        for child in (self.web, *self.others) if self.greeted else (self.web,):
            child.revive()
        if not self.greeted and answers(self.address):
            self.greet()
            for child in self.others:
                child.start()
        time.sleep(1.0 if self.greeted else 0.1)

    def greet(self) -> None:
        self.greeted = True
        say(f"\nReady at {self.address}\n")
        sign_ins = demo_sign_ins()
        if sign_ins:
            say("Sign in as")
            for line in table(sign_ins):
                say(f"  {line}")
            say()
        say("Ctrl-C stops everything.")

    def stop(self) -> None:
        """Asks all to end, waits for what they have in hand. A second Ctrl-C changes nothing."""
        hear_stop(signal.SIG_IGN)
        say("Stopping.")
        family = (*self.others, self.web)
        for child in family:
            child.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        for child in family:
            child.end(deadline)


def hear_stop(handler: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")
    hear_stop(interrupt)
    folder = servers.data_dir()
    host = os.environ.get("HOST") or "127.0.0.1"
    try:
        port = choose_port(host, int(os.environ.get("PORT") or DEFAULT_PORT))
        say("Starting PostgreSQL and Valkey.")
        with servers.lease(folder) as addresses:
            os.environ.update(addresses)
            os.environ.setdefault("PORTAL_URL", f"http://localhost:{port}")
            Supervisor(host, port, folder).run()
    except servers.ServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        say("Stopped.")


if __name__ == "__main__":
    main()

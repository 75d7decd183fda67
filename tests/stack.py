"""The application as processes of its own, against the databases of the test that asks for it."""

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings

from mlmcrm import celery_app
from mlmcrm.supervisor import children, end_with_parent

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
outputs = tempfile.TemporaryDirectory(prefix="mlmcrm-processes-")
atexit.register(outputs.cleanup)


def environ() -> dict[str, str]:
    """The environment of this test process, with the address of its test database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = quote(settings.DATABASES["default"]["NAME"])
    return os.environ | {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}


@dataclass
class Running:
    """A process of the application and the file that has what it printed."""

    name: str
    process: subprocess.Popen
    output: Path

    def printed(self) -> str:
        return self.output.read_text(errors="replace")

    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """`kill -9`, pool processes and all."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


def start(name: str, port: int = 0) -> Running:
    """Starts web, worker or beat with the very command that `make run` uses."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=outputs.name))
    (command,) = [
        child.command for child in children("127.0.0.1", port, folder) if child.name == name
    ]
    output = folder / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ() | {"MLMCRM_PROCESS": name}, stdout=out,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=end_with_parent,
        )  # fmt: skip
    return Running(name, process, output)


def start_web() -> tuple[Running, str]:
    """The web process, once it answers, and its address."""
    port = free_port()
    running = start("web", port)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/healthz"), running)
    return running, url


def start_worker() -> Running:
    """The Celery worker, once it listens."""
    running = start("worker")
    wait_for(worker_answers, running)
    return running


def wait_for(condition, running: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert running.is_running(), running.printed()
        assert time.monotonic() < deadline, running.printed()
        time.sleep(0.05)


def worker_answers() -> bool:
    return bool(celery_app.control.inspect(timeout=1, limit=1).ping())


def is_idle() -> bool:
    """No task waits and none is being worked on."""
    with celery_app.connection_for_read() as connection:
        waiting = connection.default_channel.client.llen(settings.CELERY_TASK_DEFAULT_QUEUE)
    active = celery_app.control.inspect(timeout=1, limit=1).active() or {}
    return not waiting and not any(active.values())


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

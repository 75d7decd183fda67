import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mlmcrm import servers, supervisor
from mlmcrm.servers.programs import is_alive

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_said_and_another_one_used(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        port = supervisor.choose_port("127.0.0.1", taken)

    assert port != taken
    assert f"Port {taken} is taken, so this runs on port {port}." in capsys.readouterr().out


@pytest.fixture
def child():
    child = supervisor.Child("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.ask_to_end()
    child.end(time.monotonic() + 5)


def test_a_child_that_died_is_started_again_after_a_growing_pause(child, capsys):
    child.start()
    first = child.process.pid
    child.process.kill()
    child.process.wait()

    child.revive()
    second = child.process.pid
    child.process.kill()
    child.process.wait()
    child.revive()

    assert second != first
    assert child.process.pid == second
    assert child.pause == 0.5
    assert "sleeper ended with code -9; starting it again." in capsys.readouterr().out


def test_a_child_that_does_not_listen_is_killed(capsys):
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )
    child = supervisor.Child("deaf", [sys.executable, "-c", deaf])
    child.start()
    time.sleep(0.5)

    child.ask_to_end()
    child.end(time.monotonic() + 0.2)

    assert child.process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    """`make run` in a data folder of its own, up to the greeting."""
    folder = tmp_path_factory.mktemp("data") / "of a run"
    own = {"DATABASE_URL", "REDIS_URL", "CACHE_URL", "MEDIA_ROOT"}
    process = subprocess.Popen(
        [sys.executable, "-m", "mlmcrm.supervisor"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k not in own}
        | {"MLMCRM_DATA_DIR": str(folder), "PORT": "8460"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = ""
    for line in process.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    process.printed, process.folder = printed, folder
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    process.stdout.close()
    shutil.rmtree(servers.Postgres(folder).home(), ignore_errors=True)


def child_processes(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def web_process(application):
    return next(pid for pid in child_processes(application.pid) if "uvicorn" in command_of(pid))


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status
    except OSError:
        return None


def eventually(question, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_run_serves_heals_and_stops_cleanly(application):
    assert application.poll() is None, application.printed
    url = re.search(r"Ready at (http://\S+)", application.printed)[1]
    assert "Sign in as" in application.printed
    assert status(f"{url}readyz") == 200
    assert status(f"{url}accounts/login/") == 200

    web = web_process(application)
    os.kill(web, signal.SIGKILL)
    os.kill(servers.Postgres(application.folder).pid(), signal.SIGKILL)

    assert eventually(lambda: status(f"{url}readyz") == 200 and web_process(application) != web)

    family = child_processes(application.pid)
    postgres = servers.Postgres(application.folder).pid()
    application.send_signal(signal.SIGINT)

    assert application.wait(60) == 0
    assert application.stdout.read().endswith("Stopped.\n")
    for pid in (*family, postgres):
        assert not is_alive(pid), command_of(pid)
    assert status(f"{url}healthz") is None

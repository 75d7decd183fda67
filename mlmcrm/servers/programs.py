"""Finding, starting and watching server programs, as root and as an ordinary user.

A root user's servers run as `nobody`. Where that user cannot reach the programs or the data (a
clone in a home folder closed to others), they stand under /var/lib/mlmcrm instead; no folder of
the user's is opened for it.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

NOBODY = 65534
REACHABLE_HOME = Path("/var/lib/mlmcrm")
LOG_SIZE = 10 * 2**20


class ServerError(Exception):
    """A server is missing or does not start. The message says what to do."""


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
            open_to_all(Path(scratch, "new"))
            with suppress(OSError):  # another process was first
                os.rename(Path(scratch, "new"), copy)
    return copy


def open_to_all(tree: Path) -> None:
    """Readable for everyone, whatever umask the tree was made under."""
    for path in (tree, *tree.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)


launched: dict[int, subprocess.Popen[bytes]] = {}


def launch(
    command: list[str], *, uid: int, cwd: Path, log: Path, config: str = ""
) -> subprocess.Popen[bytes]:
    """Starts a server in its own session, so that Ctrl-C reaches us and not the server."""
    if log.exists() and log.stat().st_size > LOG_SIZE:
        log.write_text("")
    drop: dict[str, Any] = {"user": uid, "group": uid, "extra_groups": []} if is_root() else {}
    with tempfile.TemporaryFile() as stdin, log.open("ab") as out:
        stdin.write(config.encode())
        stdin.seek(0)
        process = subprocess.Popen(
            command, stdin=stdin, stdout=out, stderr=out, cwd=cwd, start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, umask=0o077, **drop,
        )  # fmt: skip
    launched[process.pid] = process
    return process


def is_alive(pid: int) -> bool:
    """Runs, and is not the remains of a child that nobody has waited for."""
    if pid in launched:
        launched[pid].poll()
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

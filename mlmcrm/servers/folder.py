"""The data folder of one installation: its secrets in development and what its servers remember."""

import base64
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DATABASE = ROLE = "mlmcrm"


def data_dir() -> Path:
    """MLMCRM_DATA_DIR, else `.data` beside the code."""
    default = Path(__file__).resolve().parents[2] / ".data"
    return Path(os.environ.get("MLMCRM_DATA_DIR") or default).absolute()


def make_data_dir(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    (folder / "logs").mkdir(exist_ok=True, mode=0o700)
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
    made_up: dict[str, str] = json.loads(path.read_text())
    return addresses | made_up


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

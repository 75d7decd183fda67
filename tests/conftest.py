"""The suite runs on the real servers, started once and shared by all workers of a run.

They live in a folder of their own beside the development data, and do not wait for the disk.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from mlmcrm import servers

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
held = ExitStack()

os.environ["MLMCRM_ENV"] = "development"
os.environ["DJANGO_SETTINGS_MODULE"] = "mlmcrm.settings"
# Playwright's synchronous interface runs an event loop that Django takes for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
if WORKER:
    # Each worker has a Redis database to itself; number 0 stays with the run's first process.
    number = int(WORKER.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"
else:
    os.environ["MLMCRM_DATA_DIR"] = str(servers.data_dir() / "tests")
    os.environ.update(held.enter_context(servers.lease(servers.data_dir(), durable=False)))

import pytest  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def pytest_unconfigure(config: pytest.Config) -> None:
    held.close()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Uploaded files of a test go to a folder of that test."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and cached sessions do not reach from one test into the next."""
    from django.core.cache import cache

    yield
    cache.clear()

"""The suite runs on the real servers, started once and shared by all workers of a run.

They live in a folder of their own beside the development data, and do not wait for the disk.
"""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack

from mlmcrm import servers

held = ExitStack()
atexit.register(held.close)


def redis_database(number: int) -> str:
    return f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"


os.environ["MLMCRM_ENV"] = "development"
os.environ["DJANGO_SETTINGS_MODULE"] = "mlmcrm.settings"
# Playwright's synchronous interface runs an event loop, which Django takes for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
if worker := os.environ.get("PYTEST_XDIST_WORKER", ""):
    # Two Redis databases for each worker: number 0 and 32 stay with the run's first process.
    number = int(worker.removeprefix("gw")) + 1
else:
    number = 0
    os.environ["MLMCRM_DATA_DIR"] = str(servers.data_dir() / "tests")
    os.environ.update(held.enter_context(servers.lease(servers.data_dir(), durable=False)))
os.environ["REDIS_URL"] = redis_database(number)
os.environ["CACHE_URL"] = redis_database(number + 32)
os.environ["MEDIA_ROOT"] = held.enter_context(tempfile.TemporaryDirectory(prefix="mlmcrm-media-"))

import django  # noqa: E402
import pytest  # noqa: E402

django.setup()


def pytest_configure(config: pytest.Config) -> None:
    from django.db import connection
    from django.test import TransactionTestCase

    from tests import snapshot

    connection.settings_dict["TEST"]["NAME"] = f"test_{snapshot.fingerprint()}"
    TransactionTestCase._fixture_teardown = lambda case: snapshot.restore()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    from tests import snapshot

    with django_db_blocker.unblock():
        snapshot.take()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and cached sessions do not reach from one test into the next."""
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture
def cast(db):
    """The small company of tests/cast.py."""
    from tests.cast import gather

    return gather()

"""The suite runs on the real servers, started once and shared by all workers of a run.

They live in a folder of their own beside the development data, and do not wait for the disk.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from mlmcrm import servers

held = ExitStack()


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


def pytest_configure(config: pytest.Config) -> None:
    django.setup()
    from django.db import connection
    from django.test import TransactionTestCase

    from tests import snapshot

    connection.settings_dict["TEST"]["NAME"] = f"test_{snapshot.fingerprint()}"
    TransactionTestCase._fixture_teardown = lambda case: snapshot.restore()


def pytest_unconfigure(config: pytest.Config) -> None:
    held.close()


# What migrations and post_migrate put there is there for every test.
SEEDED = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "commerce_volumecutoff",
    "django_content_type",
    "genealogy_rank",
}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Emptying the tables after a transactional test goes past the append-only triggers."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.sql_flush

    def sql_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        emptied = [table for table in tables if table not in SEEDED]
        return [
            "set local session_replication_role = replica",
            *flush(self, style, emptied, **options),
            "update commerce_volumecutoff set open_from = '1900-01-01'",
        ]

    DatabaseOperations.sql_flush = sql_flush


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

"""What every test may use."""

from collections.abc import Iterator
from contextlib import ExitStack

import django
import pytest

django.setup()
KINDS = ("year", "slow", "engine", "browser", "other")


def pytest_configure(config: pytest.Config) -> None:
    from django.db import connection
    from django.test import TransactionTestCase

    from tests import snapshot

    connection.settings_dict["TEST"]["NAME"] = f"test_{snapshot.fingerprint()}"
    TransactionTestCase._fixture_teardown = lambda case: snapshot.restore()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker waits for it at the end.

    Of two workers each is given half of the list. One begins with the longest test and the slow
    ones; the other with the engine's, which share what they draw and need no database while the
    first one makes it, and with those that need a browser.
    """
    kinds: dict[str, list[pytest.Item]] = {name: [] for name in KINDS}
    for item in items:
        kinds[kind_of(item)].append(item)
    first, second = kinds["year"] + kinds["slow"], kinds["engine"] + kinds["browser"]
    others, left = kinds["other"], max(0, len(items) // 2 - len(first))
    items[:] = first + others[:left] + second + others[left:]


def kind_of(item: pytest.Item) -> str:
    if item.path.name == "test_real_year.py":
        return "year"
    if item.get_closest_marker("slow"):
        return "slow"
    folder = item.path.parent.name
    return folder if folder in ("engine", "browser") else "other"


@pytest.fixture(scope="session")
def turn() -> Iterator[ExitStack]:
    """One worker at a time sees to its database."""
    from mlmcrm.servers.folder import data_dir, locked

    with ExitStack() as turn:
        turn.enter_context(locked(data_dir() / "test-database.lock"))
        yield turn


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    turn, django_db_modify_db_settings_parallel_suffix, django_db_createdb, django_db_blocker
) -> None:
    from tests import snapshot

    with django_db_blocker.unblock():
        snapshot.copy_database(anew=django_db_createdb)


@pytest.fixture(scope="session")
def django_db_setup(turn, django_db_setup, django_db_blocker) -> None:
    from tests import snapshot

    with django_db_blocker.unblock():
        snapshot.take()
        snapshot.offer_database()
    turn.close()


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
    from tests.remembered import remembered

    return remembered(gather)

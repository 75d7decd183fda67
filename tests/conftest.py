"""What every test may use."""

from collections.abc import Iterator

import django
import pytest

django.setup()


def pytest_configure(config: pytest.Config) -> None:
    from django.db import connection
    from django.test import TransactionTestCase

    from tests import snapshot

    connection.settings_dict["TEST"]["NAME"] = f"test_{snapshot.fingerprint()}"
    TransactionTestCase._fixture_teardown = lambda case: snapshot.restore()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test begins first, so that no worker waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_real_year.py")


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
    from tests.remembered import remembered

    return remembered(gather)

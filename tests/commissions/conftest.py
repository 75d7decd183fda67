"""Fixtures; what they are made of needs Django to be set up, so it is imported inside."""

import pytest


@pytest.fixture
def company(db):
    """The cast, paying by the demo plan."""
    from tests.cast import gather_paying
    from tests.remembered import remembered

    return remembered(gather_paying)

"""Fixtures; what they are made of needs Django to be set up, so it is imported inside."""

import pytest


@pytest.fixture
def company(cast):
    """The cast, paying by the demo plan."""
    assert cast.plan
    return cast

"""Fixtures; what they are made of is in company.py, which needs Django to be set up."""

import pytest


@pytest.fixture
def people(db):
    from tests.payouts.company import hire

    return hire()


@pytest.fixture
def asha(people):
    from tests.payouts.company import seller

    return seller(people["asha"], "D-900001", "Asha Rao")


@pytest.fixture
def ben(people):
    from tests.payouts.company import seller

    return seller(people["ben"], "D-900002", "=HYPERLINK(1)")


@pytest.fixture
def fiona(people):
    return people["fiona"]


@pytest.fixture
def felix(people):
    return people["felix"]

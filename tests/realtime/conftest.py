from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def asha(transactional_db: None) -> "User":
    from tests.realtime.hearing import make_user  # models are loaded by now

    return make_user("asha@example.com")


@pytest.fixture
def ben(transactional_db: None) -> "User":
    from tests.realtime.hearing import make_user

    return make_user("ben@example.com")

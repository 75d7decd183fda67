import threading

import pytest
from django.db import connection, transaction

from mlmcrm.locks import advisory_lock, lock_number, try_advisory_lock


def elsewhere(work):
    """What another session gets to see of the lock, asked in a thread with its own connection."""
    answers = []

    def run():
        try:
            with transaction.atomic():
                answers.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    return answers[0]


@pytest.mark.django_db(transaction=True)
def test_lock_is_held_to_the_end_of_the_transaction():
    with transaction.atomic():
        advisory_lock("period:1")

        assert elsewhere(lambda: try_advisory_lock("period:1")) is False
        assert elsewhere(lambda: try_advisory_lock("period:2")) is True

    assert elsewhere(lambda: try_advisory_lock("period:1")) is True


@pytest.mark.django_db(transaction=True)
def test_lock_goes_with_a_rollback():
    with transaction.atomic():
        advisory_lock("period:1")
        transaction.set_rollback(True)

    assert elsewhere(lambda: try_advisory_lock("period:1")) is True


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [advisory_lock, try_advisory_lock])
def test_lock_wants_a_transaction(lock):
    with pytest.raises(transaction.TransactionManagementError):
        lock("period:1")


def test_lock_number_is_a_signed_64_bit_number():
    numbers = {lock_number(f"name {n}") for n in range(1000)}

    assert len(numbers) == 1000
    assert all(-(2**63) <= number < 2**63 for number in numbers)

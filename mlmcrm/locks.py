"""Named locks in PostgreSQL, held until the transaction ends, however it ends.

Whoever holds one and takes another keeps to the order in docs/architecture.md.
"""

import hashlib

from django.db import connection, transaction


def advisory_lock(name: str) -> None:
    """Waits for the lock of that name and holds it until the surrounding transaction ends."""
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(name)])


def try_advisory_lock(name: str) -> bool:
    """Takes the lock if it is free; False when someone else has it."""
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number(name)])
        (taken,) = cursor.fetchone()
    return bool(taken)


def lock_number(name: str) -> int:
    """64 bits of the name's SHA-256, signed as PostgreSQL wants them."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This needs a transaction.")

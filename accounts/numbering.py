"""The numbers people see: D-000123, O-2026-000045, PB-000003. Gaps are normal, repeats are not."""

from django.db import connection

KINDS = {
    "D": "distributor",
    "E": "enrolment",
    "M": "move",
    "C": "customer",
    "O": "order",
    "PAY": "payment",
    "R": "refund",
    "P": "payout",
    "PB": "payout_batch",
    "K": "kyc_document",
    "T": "team",
}


def take_numbers(prefix: str, count: int = 1, *, infix: str = "") -> list[str]:
    """The next numbers of a kind, from a sequence of the database; safe under concurrency."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval(%s) from generate_series(1, %s)", [_sequence(prefix), count])
        middle = f"{infix}-" if infix else ""
        return [f"{prefix}-{middle}{value:06d}" for (value,) in cursor.fetchall()]


def take_number(prefix: str, *, infix: str = "") -> str:
    return take_numbers(prefix, infix=infix)[0]


def skip_numbers(prefix: str, highest: int) -> None:
    """Move the sequence past a number that came in from outside, so that it is not given again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select setval(%s, greatest(%s, (select last_value from " + _sequence(prefix) + ")))",
            [_sequence(prefix), highest],
        )


def _sequence(prefix: str) -> str:
    return f"number_{KINDS[prefix]}"

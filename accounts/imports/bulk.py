"""Rows by COPY, with primary keys taken beforehand so that rows of one part can point at others."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection


def take_ids(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)",
            [table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_rows(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows whose values are in the order of the columns (names apart by spaces)."""
    names = ", ".join(columns.split())
    with connection.cursor() as cursor:
        with cursor.copy(f"copy {table} ({names}) from stdin") as copy:
            write = copy.write_row
            for row in rows:
                write(row)


def rows_by(query: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()  # type: ignore[no-any-return]


def count_anew(tables: Iterable[str]) -> None:
    """Let the database look at tables again, so that its plans know how much came in."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"analyze {table}")

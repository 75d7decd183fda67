"""Rows by COPY, with primary keys taken beforehand so that rows of one part can point at others."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def rules_at_the_end(*tables: str) -> Iterator[None]:
    """Fill empty tables without a look at each row: keys, foreign keys and indexes are made, and
    check all rows, when the rows are there.

    Within a transaction, so that nobody sees the tables without. A primary key that others point at
    stays. Raises IntegrityError at the end for what the rules refuse.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RULES, [list(tables)])
        rules = cursor.fetchall()
        cursor.execute(_INDEXES, [list(tables)])
        indexes = cursor.fetchall()
        for table, name, _ in rules:
            cursor.execute(f"alter table {table} drop constraint {name}")
        for name, _ in indexes:
            cursor.execute(f"drop index {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, rule in rules:
            cursor.execute(f"alter table {table} add constraint {name} {rule}")


_RULES = """
select c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid)
from pg_constraint c
where c.conrelid::regclass::text = any(%s) and c.contype in ('p', 'u', 'f') and not exists (
  select 1 from pg_constraint f where f.contype = 'f' and f.conindid = c.conindid
    and c.contype <> 'f')
order by c.contype = 'f'
"""
_INDEXES = """
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
where indrelid::regclass::text = any(%s)
  and not exists (select 1 from pg_constraint where conindid = indexrelid)
"""

"""Companies that many tests begin with: founded by the services once, afterwards brought back.

    cast = remembered(gather)       the first time a process asks, gather() founds the company; then
                                    its rows are copied in and its objects are made of a pickle

The rows are those that the founding left, to the byte, in tables like those that a close makes. A
test may do with its company what it likes.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils import timezone
from time_machine import escape_hatch

from tests import snapshot

Founded = TypeVar("Founded")
CHECKS = """
select format('alter table %%I add constraint %%I %%s', %(table)s, conname,
              pg_get_constraintdef(oid))
from pg_constraint
where conrelid = to_regclass(%(table)s) and contype = 'c' and conname not in (
    select conname from pg_constraint where conrelid = to_regclass(%(parent)s))
order by conname
"""
DEFAULTS = """
select format('alter table %%I alter %%I set default %%s', %(table)s, attname,
              pg_get_expr(adbin, adrelid))
from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum
where adrelid = to_regclass(%(table)s) and attgenerated = '' order by attnum
"""
INDEXES = """
select pg_get_indexdef(indexrelid) from pg_index
where indrelid = to_regclass(%(table)s)
and not exists (select from pg_constraint where conindid = indexrelid)
order by indexrelid
"""
PARTITION = """
select inhparent::regclass::text, pg_get_expr(relpartbound, pg_class.oid)
from pg_class join pg_inherits on inhrelid = pg_class.oid
where pg_class.oid = to_regclass(%s)
"""


@dataclass
class Memory:
    """A founding: what it returned, how the tables it made are made again, and the rows it left in
    these and in others. `refilled` are those of them that were not empty before."""

    answer: bytes
    statements: list[str] = field(default_factory=list)
    refilled: list[str] = field(default_factory=list)
    rows: dict[str, bytes] = field(default_factory=dict)


_memories: dict[tuple[str, str, date], Memory] = {}


def remembered(found: Callable[[], Founded]) -> Founded:
    """What `found()` returns, a copy of one's own, and in the database what it wrote.

    Remembered is only what was founded today, in a database as the migrations left it.
    """
    key = (found.__module__, found.__qualname__, timezone.localdate())
    if escape_hatch.is_travelling() or (key not in _memories and differing()):
        return found()
    with transaction.atomic():
        if key not in _memories:
            return remember(key, found)
        bring_back(_memories[key])
    answer: Founded = pickle.loads(_memories[key].answer)
    return answer


def remember(key: tuple[str, str, date], found: Callable[[], Founded]) -> Founded:
    answer = found()
    memory = Memory(pickle.dumps(answer), new_tables())
    for table, (first, now) in differing().items():
        memory.rows[table] = now
        if first:
            memory.refilled.append(table)
    _memories[key] = memory
    return answer


def differing() -> dict[str, tuple[bytes, bytes]]:
    """The tables that are not as the migrations left them, with their rows at first and now."""
    kept = set(snapshot.tables(snapshot.SCHEMA))
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(set(snapshot.tables("public")) - kept):
            found[table] = (b"", rows_of(cursor, "public", table))
        for table in snapshot.changed(cursor, kept):
            first, now = (rows_of(cursor, schema, table) for schema in (snapshot.SCHEMA, "public"))
            if first != now:
                found[table] = (first, now)
    return found


def rows_of(cursor: Any, schema: str, table: str) -> bytes:
    with cursor.copy(f'COPY {schema}."{table}" TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)


def new_tables() -> list[str]:
    """How the partitions are made that stand beside what the migrations made."""
    statements = []
    with connection.cursor() as cursor:
        new = set(snapshot.tables("public")) - set(snapshot.tables(snapshot.SCHEMA))
        for table in sorted(new):
            cursor.execute(PARTITION, [table])
            parent, bound = cursor.fetchone()
            statements.append(f"create table {table} (like {parent} including constraints)")
            for query in (DEFAULTS, CHECKS, INDEXES):
                cursor.execute(query, {"table": table, "parent": parent})
                statements += [statement for (statement,) in cursor.fetchall()]
            statements.append(f"alter table {parent} attach partition {table} {bound}")
    return statements


def bring_back(memory: Memory) -> None:
    with connection.cursor() as cursor:
        for statement in memory.statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in memory.refilled:
            cursor.execute(f'DELETE FROM public."{table}"')
        for table, rows in memory.rows.items():
            with cursor.copy(f'COPY public."{table}" FROM STDIN') as copy:
                copy.write(rows)
        cursor.execute("SET LOCAL session_replication_role = origin")

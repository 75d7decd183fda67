"""The database as the migrations left it: copied to every worker, to come back to after tests
that commit.

Django's own flush cannot do it: append-only tables refuse to be emptied, and it forgets what
migrations put in. Triggers rest while we clean up, and tables that a test made go away.
"""

import hashlib
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = "snapshot"
LARGE = 32 * 2**20
"""Bytes of rows from which the tables are cut off: dead rows would be read again by later tests."""


def fingerprint() -> str:
    """Names a test database by what built it, so that a changed migration makes a new one."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    for name in ("requirements.txt", "mlmcrm/triggers.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:10]


def copy_database(*, anew: bool) -> None:
    """Spares a worker the migrations where another one has been through them. `anew`: no copies
    of what was there before this run."""
    name, ready = connection.settings_dict["TEST"]["NAME"], f"test_{fingerprint()}_ready"
    with connection._nodb_cursor() as cursor:
        if anew:
            cursor.execute(f'DROP DATABASE IF EXISTS "{ready}"')
        elif exists(cursor, ready) and not exists(cursor, name):
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{ready}"')


def offer_database() -> None:
    """Leaves this worker's database to the others as it is now."""
    name, ready = connection.settings_dict["NAME"], f"test_{fingerprint()}_ready"
    connection.close()
    with connection._nodb_cursor() as cursor:
        if not exists(cursor, ready):
            cursor.execute(f'CREATE DATABASE "{ready}" TEMPLATE "{name}"')


def exists(cursor, database: str) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [database])
    return cursor.fetchone()[0]


def tables(schema: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
            " AND relkind = 'r' ORDER BY relname",
            [schema],
        )
        return [name for (name,) in cursor.fetchall()]


def take() -> None:
    """Copies every table once. A database kept from an earlier run is brought back first."""
    if tables(SCHEMA):
        restore()
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for name in tables("public"):
            cursor.execute(f'CREATE TABLE {SCHEMA}."{name}" AS TABLE public."{name}"')


def restore() -> None:
    kept = set(tables(SCHEMA))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            for name in set(tables("public")) - kept:
                cursor.execute(f'DROP TABLE IF EXISTS public."{name}" CASCADE')
            names = changed(cursor, kept)
            empty(cursor, names)
            for name in names:
                cursor.execute(f'SELECT EXISTS (SELECT FROM {SCHEMA}."{name}")')
                # What was empty stays so; tables with generated columns are among these.
                if cursor.fetchone()[0]:
                    cursor.execute(f'INSERT INTO public."{name}" SELECT * FROM {SCHEMA}."{name}"')
        finally:
            cursor.execute("SET session_replication_role = origin")


def empty(cursor, names: list[str]) -> None:
    cursor.execute(
        "SELECT coalesce(sum(pg_relation_size(format('public.%%I', name)::regclass)), 0)"
        " FROM unnest(%s::text[]) name",
        [names],
    )
    if cursor.fetchone()[0] >= LARGE:
        # The tables that refer to these are empty, or among them.
        listed = ", ".join(f'public."{name}"' for name in names)
        cursor.execute(f"TRUNCATE {listed} CASCADE")
        return
    for name in names:
        cursor.execute(f'DELETE FROM public."{name}"')


def changed(cursor, names: set[str]) -> list[str]:
    """Of these tables the ones that hold something now or held something at first."""
    cursor.execute(
        " UNION ALL ".join(
            f"""SELECT '{name}' WHERE EXISTS (SELECT FROM public."{name}")
            OR EXISTS (SELECT FROM {SCHEMA}."{name}")"""
            for name in sorted(names)
        )
    )
    return [name for (name,) in cursor.fetchall()]

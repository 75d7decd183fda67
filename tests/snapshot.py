"""The database as the migrations left it, to come back to after tests that commit.

Django's own flush cannot do it: append-only tables refuse to be emptied, and it forgets what
migrations put in. Triggers rest while we clean up, and tables that a test made go away.
"""

import hashlib
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = "snapshot"


def fingerprint() -> str:
    """Names a test database by what built it, so that a changed migration makes a new one."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    for name in ("requirements.txt", "mlmcrm/triggers.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:10]


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
            for name in changed(cursor, kept):
                cursor.execute(f'DELETE FROM public."{name}"')
                cursor.execute(f'SELECT EXISTS (SELECT FROM {SCHEMA}."{name}")')
                # What was empty stays so; tables with generated columns are among these.
                if cursor.fetchone()[0]:
                    cursor.execute(f'INSERT INTO public."{name}" SELECT * FROM {SCHEMA}."{name}"')
        finally:
            cursor.execute("SET session_replication_role = origin")


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

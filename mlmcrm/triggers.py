"""Rules that hold below the ORM, as reversible migration operations.

Each function returns one RunSQL. The trigger names say what they refuse, and each has a test
that goes round the ORM.
"""

from django.db.migrations import RunSQL

from mlmcrm.transitions import Edges

_REFUSE = """
create or replace function mlmcrm_refuse() returns trigger language plpgsql as $$
begin
  raise exception '%', tg_argv[0] using errcode = '23001';
end $$;
"""


def append_only(table: str) -> RunSQL:
    """Rows of the table may be inserted, never updated, deleted or truncated."""
    message = f"{table} is append-only"
    return RunSQL(
        f"""{_REFUSE}
        create trigger {table}_append_only before update or delete on {table}
          for each row execute function mlmcrm_refuse('{message}');
        create trigger {table}_no_truncate before truncate on {table}
          for each statement execute function mlmcrm_refuse('{message}');
        """,
        f"""
        drop trigger {table}_append_only on {table};
        drop trigger {table}_no_truncate on {table};
        """,
    )


def status_edges(table: str, edges: Edges, column: str = "status") -> RunSQL:
    """The column moves only along the given edges, whoever writes it."""
    allowed = ", ".join(
        f"'{source}>{target}'" for source, targets in edges.items() for target in targets
    )
    return RunSQL(
        f"""{_REFUSE}
        create trigger {table}_{column}_edges before update of {column} on {table}
          for each row when (old.{column} is distinct from new.{column}
            and not (old.{column} || '>' || new.{column} = any (array[{allowed}])))
          execute function mlmcrm_refuse('{table}: this change of {column} is not allowed');
        """,
        f"drop trigger {table}_{column}_edges on {table};",
    )


def frozen_when(table: str, condition: str, columns: list[str], name: str) -> RunSQL:
    """The columns may not change while the old row meets the condition (SQL over `old`)."""
    changed = " or ".join(f"old.{column} is distinct from new.{column}" for column in columns)
    message = f"{table}: {name.replace('_', ' ')} is final"
    return RunSQL(
        f"""{_REFUSE}
        create trigger {table}_{name} before update on {table}
          for each row when (({condition}) and ({changed}))
          execute function mlmcrm_refuse('{message}');
        """,
        f"drop trigger {table}_{name} on {table};",
    )

"""Who changed a master record, when and why: the audit trail people read."""

from typing import Any

from django.db import connection, models
from simple_history.models import HistoricalRecords


def history(**kwargs: Any) -> HistoricalRecords:
    """History rows with a reason of any length and the acting user kept even when he leaves."""
    return HistoricalRecords(
        history_change_reason_field=models.TextField(null=True),
        history_user_id_field=models.BigIntegerField(null=True),
        history_user_getter=_acting_user,
        history_user_setter=_set_acting_user,
        **kwargs,
    )


def explain_change(instance: Any, *, actor: Any, reason: str) -> None:
    """Says who changes this row and why, for the history row that its next save writes."""
    instance._history_user = actor
    instance._change_reason = reason


def _acting_user(historical_instance: Any) -> Any:
    from django.contrib.auth import get_user_model  # the user model itself has history

    return get_user_model().objects.filter(pk=historical_instance.history_user_id).first()


def _set_acting_user(historical_instance: Any, user: Any) -> None:
    historical_instance.history_user_id = user.pk if user is not None else None


_COPY_TO_HISTORY = """
insert into {history}
  ({columns}, history_date, history_type, history_user_id, history_change_reason)
select {columns}, statement_timestamp(), %s, %s, %s from {table} where id = any(%s) order by id
"""


def record_many(model: Any, ids: list[int], *, kind: str, actor: Any, reason: str) -> None:
    """History rows for what a set-based statement wrote: `kind` is + for new, ~ for changed."""
    historical = model.history.model
    tracked = [field for field in historical.tracked_fields if field.concrete]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in tracked)
    query = _COPY_TO_HISTORY.format(
        history=historical._meta.db_table, table=model._meta.db_table, columns=columns
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [kind, actor.pk if actor else None, reason, ids])

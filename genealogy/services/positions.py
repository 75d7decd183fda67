"""Under whom somebody stood, from day to day, and what was known of it when."""

from datetime import date

from django.db import connection

from accounts.models import User
from genealogy.models import Distributor


def record_position(
    *,
    distributor: Distributor,
    tree: str,
    parent: Distributor | None,
    valid_from: date,
    actor: User | None,
    leg: int | None = None,
    reason: str = "",
) -> None:
    """Write down under whom a distributor stands from a day on, until a next position begins.

    What was written before about that day and later is superseded, not changed: what was believed
    until now can still be read.
    """
    record_positions_of_many(
        [distributor.pk],
        tree,
        parent=parent,
        leg=leg,
        valid_from=valid_from,
        actor=actor,
        reason=reason,
    )


def record_positions_of_many(
    distributor_ids: list[int],
    tree: str,
    *,
    parent: Distributor | None,
    valid_from: date,
    actor: User | None,
    reason: str,
    leg: int | None = None,
) -> None:
    """The same for many people at once who all come under one parent. One statement."""
    parent_id, actor_id = parent.pk if parent else None, actor.pk if actor else None
    with connection.cursor() as cursor:
        cursor.execute(
            "select genealogy_record_positions(%s, %s::bigint[], %s, %s, %s, %s, %s)",
            [tree, distributor_ids, parent_id, leg, valid_from, actor_id, reason],
        )


def stood_below(*, above: Distributor, below: Distributor, tree: str, since: date) -> date | None:
    """The first day, from `since` on, on which `below` stood anywhere under `above`; None if never.

    A path counts only while all its steps held at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STOOD_BELOW,
            {"below": below.pk, "above": above.pk, "tree": tree, "since": since},
        )
        found: date | None = cursor.fetchone()[0]
    return found


_STOOD_BELOW = """
with recursive up(parent, days) as (
  select %(below)s::bigint, daterange(%(since)s, null)
  union all
  select p.parent_id, up.days * daterange(p.valid_from, (
    select min(n.valid_from) from genealogy_distributorposition n
    where n.distributor_id = p.distributor_id and n.tree = p.tree and n.superseded_at is null
      and n.valid_from > p.valid_from))
  from up join genealogy_distributorposition p on p.distributor_id = up.parent
  where p.tree = %(tree)s and p.superseded_at is null
    and up.parent <> %(above)s and not isempty(up.days)
)
select min(lower(days)) from up where parent = %(above)s and not isempty(days)
"""

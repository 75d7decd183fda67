"""Under whom somebody stood, from day to day, and what was known of it when."""

from datetime import date

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import User
from genealogy.models import Distributor, DistributorPosition


@transaction.atomic(savepoint=False)
def record_position(
    *,
    distributor: Distributor,
    tree: str,
    parent: Distributor | None,
    valid_from: date,
    actor: User | None,
    leg: int | None = None,
    reason: str = "",
) -> DistributorPosition:
    """Write down under whom a distributor stands from a day on.

    What was written before about that day and later is superseded, not changed: what was believed
    until now can still be read. The part of it that still holds is written again.
    """
    standing = DistributorPosition.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=valid_from),
        distributor=distributor,
        tree=tree,
        superseded_at=None,
    )
    replaced = list(standing.order_by("valid_from"))
    if replaced:
        with connection.cursor() as cursor:
            cursor.execute(
                "update genealogy_distributorposition set superseded_at = clock_timestamp() "
                "where id = any(%s)",
                [[row.pk for row in replaced]],
            )
    for row in replaced:
        if row.valid_from < valid_from:
            row.pk, row.valid_to, row.superseded_at = None, valid_from, None
            row.save(force_insert=True)
    return DistributorPosition.objects.create(
        distributor=distributor,
        tree=tree,
        parent=parent,
        leg=leg,
        valid_from=valid_from,
        actor=actor,
        reason=reason,
    )


@transaction.atomic(savepoint=False)
def record_positions_of_many(
    distributor_ids: list[int],
    tree: str,
    *,
    parent: Distributor | None,
    valid_from: date,
    actor: User | None,
    reason: str,
) -> None:
    """The same for many people at once who all come under one parent without a leg."""
    parent_id, actor_id = parent.pk if parent else None, actor.pk if actor else None
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, [distributor_ids, tree, valid_from])
        replaced = [row[0] for row in cursor.fetchall()]
        cursor.execute(_STILL_HOLDS, [valid_from, replaced, valid_from])
        cursor.execute(
            _NOW_HOLDS,
            [tree, parent_id, valid_from, actor_id, reason, distributor_ids],
        )


_SUPERSEDE = """
update genealogy_distributorposition set superseded_at = clock_timestamp()
where distributor_id = any(%s) and tree = %s and superseded_at is null
  and (valid_to is null or valid_to > %s)
returning id
"""
_STILL_HOLDS = """
insert into genealogy_distributorposition
  (distributor_id, tree, parent_id, leg, valid_from, valid_to, recorded_at, actor_id, reason)
select distributor_id, tree, parent_id, leg, valid_from, %s, clock_timestamp(), actor_id, reason
from genealogy_distributorposition where id = any(%s) and valid_from < %s
"""
_NOW_HOLDS = """
insert into genealogy_distributorposition
  (distributor_id, tree, parent_id, leg, valid_from, recorded_at, actor_id, reason)
select id, %s, %s, null, %s, clock_timestamp(), %s, %s from unnest(%s::bigint[]) as id
"""


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
  select parent_id, daterange(valid_from, valid_to) * daterange(%(since)s, null)
  from genealogy_distributorposition
  where distributor_id = %(below)s and tree = %(tree)s and superseded_at is null
    and daterange(valid_from, valid_to) && daterange(%(since)s, null)
  union all
  select p.parent_id, up.days * daterange(p.valid_from, p.valid_to)
  from up join genealogy_distributorposition p on p.distributor_id = up.parent
  where p.tree = %(tree)s and p.superseded_at is null
    and up.days && daterange(p.valid_from, p.valid_to) and up.parent <> %(above)s
)
select min(lower(days)) from up where parent = %(above)s
"""

"""Volume entries: written once per paid or refunded line, and counted on a day that is open."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.imports.bulk import copy_rows, take_ids
from mlmcrm.locks import require_transaction
from mlmcrm.money import ZERO

COLUMNS = (
    "id kind order_item_id refund_item_id reverses_id distributor_id order_class "
    "pv cv margin occurred_at counts_on created_at"
)


class NewVolume(NamedTuple):
    """What one paid line gives a distributor, or one refunded line takes back (negative)."""

    kind: str
    order_item_id: int
    distributor_id: int
    order_class: str
    pv: Decimal
    cv: Decimal
    margin: Decimal
    occurred_at: datetime
    refund_item_id: int | None = None
    reverses_id: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.pv or self.cv or self.margin)


def record_volume(entries: Iterable[NewVolume]) -> list[int]:
    """Write volume entries by COPY; returns their ids in order.

    Holds the cut-off FOR SHARE until the caller's transaction ends, so that no period closes
    between here and the commit; what happened before the cut-off counts on the first open day.
    """
    require_transaction()
    new = list(entries)
    if not new:
        return []
    open_from = hold_cutoff()
    now = timezone.now()
    ids = take_ids("commerce_volumeentry", len(new))
    rows = (_row(pk, entry, open_from, now) for pk, entry in zip(ids, new, strict=True))
    copy_rows("commerce_volumeentry", COLUMNS, rows)
    return ids


def hold_cutoff() -> date:
    """The first open day, which stays so until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select open_from from commerce_volumecutoff where id = 1 for share")
        (open_from,) = cursor.fetchone()
    return open_from  # type: ignore[no-any-return]


@lru_cache(10_000)
def _day_of(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(settings.COMPANY_TIMEZONE)).date()


def hundredths(value: Decimal) -> int:
    scaled = value.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than two decimal places")
    return int(scaled)


def part_of(whole: Decimal, quantity: int, before: int, after: int) -> Decimal:
    """What of an amount for `quantity` pieces falls to the pieces from `before` to `after`.

    Cut at exact shares of the whole, so any sequence of parts adds up to it: 10.00 for 3 pieces
    gives 3.33, 3.34, 3.33.
    """
    return _share(whole, quantity, after) - _share(whole, quantity, before)


def _share(whole: Decimal, quantity: int, pieces: int) -> Decimal:
    cents, rest = divmod(hundredths(whole) * pieces, quantity)
    return ZERO + Decimal(cents + (2 * rest >= quantity)).scaleb(-2)


def _row(pk: int, entry: NewVolume, open_from: date, now: datetime) -> tuple[object, ...]:
    return (
        pk,
        entry.kind,
        entry.order_item_id,
        entry.refund_item_id,
        entry.reverses_id,
        entry.distributor_id,
        entry.order_class,
        hundredths(entry.pv),
        hundredths(entry.cv),
        hundredths(entry.margin),
        entry.occurred_at,
        max(_day_of(entry.occurred_at), open_from),
        now,
    )


def volumes_of_subtrees(tops: list[int]) -> dict[int, int]:
    """PV, in hundredths, that whole subtrees of the placement tree ever sold, by their tops."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_SUBTREES, [tops])
        return dict(cursor.fetchall())


_OF_SUBTREES = """
select top.distributor_id, coalesce(sum(v.pv), 0)::bigint
from genealogy_genealogynode top
join genealogy_genealogynode n on n.tree = top.tree and n.lft between top.lft and top.rgt
left join commerce_volumeentry v on v.distributor_id = n.distributor_id
where top.tree = 'placement' and top.distributor_id = any(%s)
group by top.distributor_id
"""

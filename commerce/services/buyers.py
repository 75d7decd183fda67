"""The how-manieth order of its buyer each paid order is, and from which day the buyer counts.

Both are said once, when the order is paid, and stay: plans ask for first orders and first days
(`commissions.engine.orders`), and a period is computed again years later. A distributor who buys
for himself counts from the day he joined; any other customer from the day he was entered, or from
that of his first paid order where that was before.

    Rosa, entered on 3 May, pays on 3 May, 20 May and 8 July      1, 2, 3, each since 3 May
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from commerce.models import Customer
from mlmcrm.locks import require_transaction


class NewlyPaid(NamedTuple):
    """An order that is being paid: whose, and when the money came."""

    customer_id: int
    paid_at: datetime


class OfBuyer(NamedTuple):
    """What a paid order says of its buyer."""

    number: int
    since: date


def number_paid(orders: Sequence[NewlyPaid]) -> list[OfBuyer]:
    """For each of the orders, its buyer's number and first day; set-based, in the order given.

    Of one buyer they are numbered by the time of payment, those of one moment as they come, and
    after all that he paid before. Holds the buyers' rows until the transaction ends, so that
    nobody else numbers an order of theirs: the caller writes the numbers before.
    """
    hold_buyers(order.customer_id for order in orders)
    params: dict[str, Any] = {
        "customers": [order.customer_id for order in orders],
        "moments": [order.paid_at for order in orders],
        "zone": settings.COMPANY_TIMEZONE,
    }
    with connection.cursor() as cursor:
        # A statement of its own: what others paid while this one waited is seen by now.
        cursor.execute(_NUMBER, params)
        return [OfBuyer(*row) for row in cursor.fetchall()]


def hold_buyers(customer_ids: Iterable[int]) -> None:
    """Hold customers in the order of their ids: before their orders, which come under them in the
    order of locks (docs/architecture.md)."""
    require_transaction()
    rows = Customer.objects.select_for_update(of=("self",), no_key=True)
    list(rows.filter(pk__in=set(customer_ids)).order_by("pk").values_list("pk"))


_NUMBER = """
with paid as (
  select customer_id, paid_at, place
  from unnest(%(customers)s::bigint[], %(moments)s::timestamptz[]) with ordinality
    as p(customer_id, paid_at, place)
), buyer as (
  select c.id, coalesce(last.buyer_number, 0) as so_far,
         case when c.kind = 'self' then d.joined_on
              else coalesce(last.buyer_since, least(
                (c.created_at at time zone %(zone)s)::date,
                (p.first_at at time zone %(zone)s)::date)) end as since
  from (select customer_id, min(paid_at) as first_at from paid group by 1) p
  join commerce_customer c on c.id = p.customer_id
  left join genealogy_distributor d on d.id = c.distributor_id
  left join lateral (
    select o.buyer_number, o.buyer_since from commerce_order o
    where o.customer_id = c.id and o.buyer_number is not null
    order by o.buyer_number desc limit 1
  ) last on true
)
select b.so_far + row_number() over (partition by b.id order by p.paid_at, p.place), b.since
from paid p join buyer b on b.id = p.customer_id
order by p.place
"""

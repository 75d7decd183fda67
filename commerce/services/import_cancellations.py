"""Cancellations from a file become refunds of what the same customer bought before.

A cancelled line takes back pieces of the same product at the same price, from the most recent
order first, over several orders if need be. What cannot be matched whole is rejected: a part of a
line is never booked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, rows_by, take_ids
from accounts.imports.kinds import Part, Record
from accounts.numbering import take_numbers
from commerce.models import Order, RefundItem
from commerce.services.import_lines import Invoice
from commerce.services.volume import NewVolume, part_of, record_volume
from mlmcrm.money import ZERO

Key = tuple[int, int, Decimal]


@dataclass
class Sold:
    """A line that was sold, with the pieces that did not come back yet."""

    item_id: int
    order_id: int
    paid_at: datetime
    quantity: int
    refunded: int
    total: Decimal
    distributor_id: int | None
    order_class: str
    entry_id: int | None
    pv: int | None
    cv: int | None
    margin: int | None

    @property
    def left(self) -> int:
        return self.quantity - self.refunded


@dataclass
class Taken:
    """Pieces of one sold line that one cancelled line takes back."""

    sold: Sold
    line: int
    before: int
    after: int

    @property
    def amount(self) -> Decimal:
        return part_of(self.sold.total, self.sold.quantity, self.before, self.after)

    def share(self, hundredths: int | None) -> Decimal:
        whole = Decimal(hundredths or 0).scaleb(-2)
        return part_of(whole, self.sold.quantity, self.before, self.after)


@dataclass
class RefundDraft:
    reference: str
    order_id: int
    refunded_at: datetime
    taken: list[Taken] = field(default_factory=list)


def book_cancellations(
    part: Part, cancellations: list[Invoice], products: dict[str, int], fresh: dict[int, int]
) -> None:
    """Book the cancellations of a part in the order of the file.

    `fresh` says from which line of the file each item of this part came, so that a sale further
    down is not taken for an earlier one.
    """
    invoices = [invoice for invoice in cancellations if invoice.numbered()]
    if not invoices:
        return
    booked, used_orders = _booked(invoices)
    keys = {_key(i, r, products) for i in invoices for _, r in i.numbered()}
    shelf = _shelf(keys)
    drafts: list[RefundDraft] = []
    for invoice in invoices:
        orders = used_orders[invoice.reference]
        by_order: dict[int, RefundDraft] = {}
        for number, record in invoice.numbered():
            if booked.get((invoice.reference, number)) == -record.values["quantity"]:
                record.leave()
                continue
            candidates = _before(
                shelf[_key(invoice, record, products)], invoice, record, orders, fresh
            )
            taken = _take(candidates, number, record, part)
            for piece in taken:
                order_id = piece.sold.order_id
                draft = by_order.setdefault(
                    order_id, RefundDraft(invoice.reference, order_id, invoice.placed_at)
                )
                draft.taken.append(piece)
        drafts.extend(by_order.values())
    if drafts:
        _write(drafts, part)


def _key(invoice: Invoice, record: Record, products: dict[str, int]) -> Key:
    return (invoice.buyer.id, products[record.values["sku"]], record.values["unit_price"])


def _booked(
    invoices: list[Invoice],
) -> tuple[dict[tuple[str, int], int], dict[str, set[int]]]:
    """Pieces already taken back by cancellation and line, and the orders each one touched."""
    rows = RefundItem.objects.filter(
        refund__external_reference__in=[invoice.reference for invoice in invoices]
    ).values_list("refund__external_reference", "external_line", "quantity", "refund__order_id")
    pieces: dict[tuple[str, int], int] = defaultdict(int)
    orders: dict[str, set[int]] = defaultdict(set)
    for reference, line, quantity, order_id in rows:
        pieces[reference or "", line or 0] += quantity
        orders[reference or ""].add(order_id)
    return pieces, orders


def _shelf(keys: set[Key]) -> dict[Key, list[Sold]]:
    """What could come back, most recent first, by customer, product and price."""
    customers, products, prices = zip(*keys, strict=True)
    rows = rows_by(_SHELF, [list(customers), list(products), list(prices)])
    shelf: dict[Key, list[Sold]] = defaultdict(list)
    for customer_id, product_id, price, *facts in rows:
        shelf[customer_id, product_id, price].append(Sold(*facts))
    return shelf


_SHELF = """
select o.customer_id, i.product_id, i.unit_price,
       i.id, o.id, o.paid_at, i.quantity, i.refunded_quantity, i.total_price,
       o.distributor_id, o.order_class, v.id, v.pv, v.cv, v.margin
from unnest(%s::bigint[], %s::bigint[], %s::numeric[]) as k(customer_id, product_id, unit_price)
join commerce_orderitem i on i.product_id = k.product_id and i.unit_price = k.unit_price
  and i.refunded_quantity < i.quantity
join commerce_order o on o.id = i.order_id and o.customer_id = k.customer_id
  and o.paid_at is not null and o.external_reference is not null
left join commerce_volumeentry v on v.order_item_id = i.id and v.kind = 'sale'
order by o.paid_at desc, i.id desc
"""


def _before(
    candidates: list[Sold],
    invoice: Invoice,
    record: Record,
    used_orders: set[int],
    fresh: dict[int, int],
) -> Iterable[Sold]:
    """Those sold before the cancellation, in time and in the file."""
    return (
        sold
        for sold in candidates
        if sold.left
        and sold.paid_at <= invoice.placed_at
        and fresh.get(sold.item_id, 0) < record.line
        and sold.order_id not in used_orders
    )


def _take(candidates: Iterable[Sold], line: int, record: Record, part: Part) -> list[Taken]:
    """Take the pieces of one line, all or none; rejects the line when they are not there."""
    wanted = -record.values["quantity"]
    price = record.values["unit_price"]
    taken: list[Taken] = []
    missing = wanted
    for sold in candidates:
        pieces = min(sold.left, missing)
        taken.append(Taken(sold, line, sold.refunded, sold.refunded + pieces))
        missing -= pieces
        if not missing:
            break
    if missing:
        _reject(record, wanted, wanted - missing, part)
        return []
    if sum((piece.amount for piece in taken), ZERO) != wanted * price:
        column = part.mapping.column_of("unit_price")
        record.reject(column, "The pieces cannot be refunded in whole hundredths", str(price))
        return []
    for piece in taken:
        piece.sold.refunded = piece.after
    return taken


def _reject(record: Record, wanted: int, found: int, part: Part) -> None:
    values = record.values
    buyer = f"customer {values['customer']}" if values["customer"] else "the walk-in account"
    detail = (
        f"{wanted} of {values['sku']} at {values['unit_price']} for {buyer}, "
        f"{found} were left to take back"
    )
    rule = "Cancellation of more than was bought" if found else "Cancellation without a sale"
    record.reject(part.mapping.column_of("order"), rule, detail)


# Writing


def _write(drafts: list[RefundDraft], part: Part) -> None:
    now = timezone.now()
    refund_ids = take_ids("commerce_refund", len(drafts))
    numbers = take_numbers("R", len(drafts))
    item_ids = iter(take_ids("commerce_refunditem", sum(len(d.taken) for d in drafts)))
    refunds: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    volume: list[NewVolume] = []
    for pk, number, draft in zip(refund_ids, numbers, drafts, strict=True):
        amount = sum((taken.amount for taken in draft.taken), ZERO)
        refunds.append(
            (
                pk,
                number,
                draft.order_id,
                draft.reference,
                amount,
                settings.COMPANY_CURRENCY,
                f"Cancellation {draft.reference}",
                draft.refunded_at,
                part.actor.pk if part.actor else None,
                now,
            )
        )
        for taken in draft.taken:
            item_id = next(item_ids)
            pieces = taken.after - taken.before
            items.append((item_id, pk, taken.sold.item_id, taken.line, pieces, taken.amount))
            if entry := _taken_back(taken, item_id, draft.refunded_at):
                volume.append(entry)
    copy_rows(
        "commerce_refund",
        "id number order_id external_reference amount currency reason refunded_at actor_id "
        "created_at",
        refunds,
    )
    copy_rows(
        "commerce_refunditem", "id refund_id order_item_id external_line quantity amount", items
    )
    _mark(drafts, part)
    if not part.is_dry:
        record_volume(volume)


def _taken_back(taken: Taken, refund_item_id: int, refunded_at: datetime) -> NewVolume | None:
    sold = taken.sold
    if sold.entry_id is None or sold.distributor_id is None:
        return None
    return NewVolume(
        kind="refund",
        order_item_id=sold.item_id,
        distributor_id=sold.distributor_id,
        order_class=sold.order_class,
        pv=-taken.share(sold.pv),
        cv=-taken.share(sold.cv),
        margin=-taken.share(sold.margin),
        occurred_at=refunded_at,
        refund_item_id=refund_item_id,
        reverses_id=sold.entry_id,
    )


def _mark(drafts: list[RefundDraft], part: Part) -> None:
    """Bring items, orders and customers in line with the refunds just written."""
    sold = {taken.sold.item_id: taken.sold.refunded for d in drafts for taken in d.taken}
    orders = list({draft.order_id for draft in drafts})
    given_back: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for draft in drafts:
        given_back[draft.order_id] += sum((taken.amount for taken in draft.taken), ZERO)
    with connection.cursor() as cursor:
        cursor.execute(
            "update commerce_orderitem i set refunded_quantity = t.refunded "
            "from unnest(%s::bigint[], %s::int[]) as t(id, refunded) where i.id = t.id",
            [list(sold), list(sold.values())],
        )
        cursor.execute(_MARK_ORDERS, [orders])
        cursor.execute(
            """update commerce_customer c set lifetime_value = lifetime_value - t.amount
               from (select o.customer_id, sum(g.amount) as amount
                     from unnest(%s::bigint[], %s::numeric[]) as g(order_id, amount)
                     join commerce_order o on o.id = g.order_id group by 1) t
               where c.id = t.customer_id""",
            [list(given_back), list(given_back.values())],
        )
    record_many(Order, orders, kind="~", actor=part.actor, reason="Cancelled in the imported file")


_MARK_ORDERS = """
update commerce_order o
set payment_status = case when t.all_back then 'refunded' else 'partially_refunded' end,
    status = case when t.all_back then 'refunded' else o.status end,
    updated_at = now()
from (select order_id, bool_and(refunded_quantity = quantity) as all_back
      from commerce_orderitem where order_id = any(%s) group by 1) t
where o.id = t.order_id
"""

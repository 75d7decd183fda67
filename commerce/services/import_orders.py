"""Paid orders from a file of their lines: what is a sale, what is not, and the booking of sales.

Lines with one order reference are one order, paid at once, at the time of its first line.
Cancellations are booked after the sales of their part, by `import_cancellations`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, rows_by, take_ids
from accounts.imports.kinds import Field, ImportKind, Part, Record
from accounts.numbering import take_numbers
from commerce.models import Customer, Order, OrderItem, Product
from commerce.services.customers import walk_in_account
from commerce.services.import_cancellations import book_cancellations
from commerce.services.placing import CLASS_OF_KIND, OWN_USE
from commerce.services.volume import NewVolume, record_volume
from mlmcrm.money import CENT, quantise

FIELDS = {
    "order": Field(required=True, longest=60),
    "sku": Field(required=True, longest=50),
    "description": Field(longest=200),
    "quantity": Field("integer", required=True),
    "unit_price": Field("number", required=True),
    "placed_at": Field("moment", required=True),
    "customer": Field(longest=60),
}
REASON = "Imported"
PROVIDER = "import"
MOST = Decimal(10) ** 12
PRICE_STEP = Decimal("0.0001")
ORDER_COLUMNS = """id number external_reference customer_id distributor_id order_class status
    payment_status subtotal discount_amount tax_amount shipping_amount total currency
    payment_method payment_reference shipping_address billing_address shipping_method
    tracking_number placed_at paid_at notes created_at updated_at"""
ITEM_COLUMNS = """id order_id line_number product_id description quantity unit_price total_price
    unit_pv unit_cv unit_margin refunded_quantity created_at"""
PAYMENT_COLUMNS = """id number order_id amount currency method provider reference status
    received_at created_at"""


@dataclass(frozen=True)
class Buyer:
    """A customer as far as booking needs him."""

    id: int
    kind: str
    distributor_id: int | None


@dataclass(frozen=True)
class Ware:
    id: int
    name: str
    is_commissionable: bool
    price: Decimal
    distributor_price: Decimal | None
    pv: Decimal
    cv: Decimal


@dataclass
class Invoice:
    """The lines of one order, in the order of the file; rejected ones keep their line number."""

    reference: str
    records: list[Record] = field(default_factory=list)
    buyer: Buyer | None = None
    placed_at: datetime | None = None

    def numbered(self) -> list[tuple[int, Record]]:
        """The lines still to be booked with their numbers within the order."""
        return [(n, r) for n, r in enumerate(self.records, start=1) if r.is_open]


def book_orders(part: Part) -> None:
    """Book one part: new orders with items, payments and volume, then cancellations.

    Nothing is published: these sales are history. Lines whose order the books have are compared
    with it and left.
    """
    invoices = _invoices(part)
    wares = _wares(part)
    _find_buyers(part, invoices)
    sales, cancellations = [], []
    for invoice in invoices.values():
        is_cancellation = _is_cancellation(invoice, part)
        for record in invoice.records:
            if record.is_open:
                _check(record, wares, is_cancellation, part)
        (cancellations if is_cancellation else sales).append(invoice)
    fresh = _without_booked(sales, wares, part)
    sold = _write(fresh, wares, part)
    book_cancellations(part, cancellations, {sku: ware.id for sku, ware in wares.items()}, sold)


def _invoices(part: Part) -> dict[str, Invoice]:
    invoices: dict[str, Invoice] = {}
    for record in part.records:
        reference = record.values.get("order")
        if reference:
            invoices.setdefault(reference, Invoice(reference)).records.append(record)
    return invoices


def _is_cancellation(invoice: Invoice, part: Part) -> bool:
    patterns = part.memory.get("cancellation")
    if patterns is None:
        patterns = part.mapping.pattern_option("cancellation")
        part.memory["cancellation"] = patterns
    return any(pattern.fullmatch(invoice.reference) for pattern in patterns)


def _wares(part: Part) -> dict[str, Ware]:
    """The products of the part by SKU."""
    known: dict[str, Ware] = part.memory.setdefault("wares", {})
    skus = {record.values["sku"] for record in part.open_records()} - known.keys()
    rows = Product.objects.filter(sku__in=skus).values_list(
        "sku", "id", "name", "is_commissionable", "price", "distributor_price", "pv", "cv"
    )
    known.update((sku, Ware(*facts)) for sku, *facts in rows)
    return known


def _find_buyers(part: Part, invoices: dict[str, Invoice]) -> None:
    """Give each invoice its customer and time; reject lines of unknown or differing customers."""
    references = {record.values["customer"] for record in part.open_records()}
    rows = Customer.objects.filter(external_reference__in=references - {""}).values_list(
        "external_reference", "id", "kind", "distributor_id"
    )
    known = {reference: Buyer(*facts) for reference, *facts in rows}
    if "" in references and part.mapping.options.get("missing_customer") == "walk_in":
        account = walk_in_account(part.actor)
        known[""] = Buyer(account.pk, account.kind, None)
    column = part.mapping.column_of("customer")
    for invoice in invoices.values():
        named: str | None = None
        for record in invoice.records:
            if not record.is_open:
                continue
            reference = record.values["customer"]
            named = reference if named is None else named
            if reference not in known:
                record.reject(column, "Unknown customer" if reference else "No customer", reference)
            elif reference != named:
                record.reject(column, "Another customer than on the order's first line", reference)
            else:
                invoice.buyer = known[reference]
                moment = record.values["placed_at"]
                invoice.placed_at = min(invoice.placed_at or moment, moment)


def _check(record: Record, wares: dict[str, Ware], is_cancellation: bool, part: Part) -> None:
    """Reject a line that is neither a sale nor a cancellation, with the reason."""
    values = record.values
    quantity, price = values["quantity"], values["unit_price"]
    column_of = part.mapping.column_of
    if quantity == 0:
        record.reject(column_of("quantity"), "No pieces")
    elif quantity < 0 and not is_cancellation:
        record.reject(column_of("quantity"), "Stock correction: negative quantity on a sale")
    elif quantity > 0 and is_cancellation:
        record.reject(column_of("quantity"), "Positive quantity on a cancellation")
    elif price < 0:
        record.reject(column_of("unit_price"), "Negative price", str(price))
    elif price != price.quantize(PRICE_STEP) or price * abs(quantity) >= MOST:
        record.reject(column_of("unit_price"), "A price that cannot be booked", str(price))
    elif (total := price * quantity) != total.quantize(CENT):
        record.reject(
            column_of("unit_price"), "The line is not a whole number of hundredths", str(total)
        )
    elif values["sku"] not in wares:
        record.reject(column_of("sku"), "Unknown product", values["sku"])


def _without_booked(sales: list[Invoice], wares: dict[str, Ware], part: Part) -> list[Invoice]:
    """The new orders. The lines of the others are left when the books have them just so."""
    booked = _booked_lines([invoice.reference for invoice in sales])
    fresh = []
    for invoice in sales:
        if invoice.reference not in booked:
            fresh.append(invoice)
            continue
        lines = booked[invoice.reference]
        for number, record in invoice.numbered():
            values = record.values
            asked = (wares[values["sku"]].id, values["quantity"], values["unit_price"])
            if lines.get(number) == asked:
                record.leave()
            else:
                column = part.mapping.column_of("order")
                record.reject(
                    column, "Order already booked with other lines", f"{invoice.reference}/{number}"
                )
    return fresh


def _booked_lines(references: list[str]) -> dict[str, dict[int, tuple[int, int, Decimal]]]:
    rows = OrderItem.objects.filter(order__external_reference__in=references).values_list(
        "order__external_reference", "line_number", "product_id", "quantity", "unit_price"
    )
    booked: dict[str, dict[int, tuple[int, int, Decimal]]] = {}
    for reference, number, *line in rows:
        booked.setdefault(reference, {})[number] = tuple(line)
    return booked


# Writing


def _write(invoices: list[Invoice], wares: dict[str, Ware], part: Part) -> dict[int, int]:
    """Write new orders; returns for each new item the line of the file it came from."""
    invoices = [invoice for invoice in invoices if invoice.numbered()]
    if not invoices:
        return {}
    now = timezone.now()
    order_ids = take_ids("commerce_order", len(invoices))
    item_ids = iter(take_ids("commerce_orderitem", sum(len(i.numbered()) for i in invoices)))
    rate = _VolumeRate.of(part)
    items: list[tuple[Any, ...]] = []
    orders: list[tuple[Any, ...]] = []
    volume: list[NewVolume] = []
    sold: dict[int, int] = {}
    numbers = _order_numbers(invoices)
    for pk, number, invoice in zip(order_ids, numbers, invoices, strict=True):
        order_class = CLASS_OF_KIND[Customer.Kind(invoice.buyer.kind)]
        total = Decimal(0)
        for line, record in invoice.numbered():
            item_id = next(item_ids)
            ware = wares[record.values["sku"]]
            units = rate.units(ware, record.values["unit_price"], invoice.buyer, order_class)
            row, entry = _item(item_id, pk, line, record, ware, units, invoice, order_class, now)
            items.append(row)
            total += row[7]
            sold[item_id] = record.line
            if entry and not entry.is_empty:
                volume.append(entry)
        orders.append(_order(pk, number, invoice, order_class, total, part, now))
    copy_rows("commerce_order", ORDER_COLUMNS, orders)
    copy_rows("commerce_orderitem", ITEM_COLUMNS, items)
    copy_rows("commerce_payment", PAYMENT_COLUMNS, _payments(orders, now))
    record_many(Order, order_ids, kind="+", actor=part.actor, reason=REASON)
    _count_sales(orders)
    if not part.is_dry:
        record_volume(volume)
    return sold


def _order_numbers(invoices: list[Invoice]) -> list[str]:
    years = [timezone.localtime(invoice.placed_at).year for invoice in invoices]
    numbers = {
        year: iter(take_numbers("O", years.count(year), infix=str(year))) for year in set(years)
    }
    return [next(numbers[year]) for year in years]


@dataclass(frozen=True)
class _VolumeRate:
    """Volume as shares of the price that was paid, or as the product says."""

    by_price: bool
    pv: Decimal
    cv: Decimal
    margin: Decimal

    @classmethod
    def of(cls, part: Part) -> "_VolumeRate":
        said = part.mapping.options.get("volume", "product")
        if said == "product":
            return cls(False, Decimal(0), Decimal(0), Decimal(0))
        shares = (
            Decimal(str(said.get(key, 0)))
            for key in ("pv_of_price", "cv_of_price", "margin_of_price")
        )
        return cls(True, *shares)

    def units(
        self, ware: Ware, price: Decimal, buyer: Buyer, order_class: str
    ) -> tuple[Decimal, Decimal, Decimal]:
        """PV, CV and margin of one piece."""
        zero = Decimal(0)
        if not ware.is_commissionable or buyer.distributor_id is None:
            return zero, zero, zero
        earns_margin = order_class not in OWN_USE
        if self.by_price:
            margin = price * self.margin if earns_margin else zero
            units = (price * self.pv, price * self.cv, margin)
        else:
            floor = ware.price if ware.distributor_price is None else ware.distributor_price
            units = (ware.pv, ware.cv, max(price - floor, zero) if earns_margin else zero)
        return tuple(unit.quantize(PRICE_STEP) for unit in units)  # type: ignore[return-value]


def _item(
    pk: int,
    order_id: int,
    line: int,
    record: Record,
    ware: Ware,
    units: tuple[Decimal, Decimal, Decimal],
    invoice: Invoice,
    order_class: str,
    now: datetime,
) -> tuple[tuple[Any, ...], NewVolume | None]:
    values = record.values
    quantity, price = values["quantity"], values["unit_price"]
    pv, cv, margin = units
    description = values["description"] or ware.name
    row = (pk, order_id, line, ware.id, description, quantity, price, price * quantity)
    row += (pv, cv, margin, 0, now)
    if invoice.buyer is None or invoice.buyer.distributor_id is None or not (pv or cv or margin):
        return row, None
    entry = NewVolume(
        kind="sale",
        order_item_id=pk,
        distributor_id=invoice.buyer.distributor_id,
        order_class=order_class,
        pv=quantise(pv * quantity),
        cv=quantise(cv * quantity),
        margin=quantise(margin * quantity),
        occurred_at=invoice.placed_at,
    )
    return row, entry


def _order(
    pk: int,
    number: str,
    invoice: Invoice,
    order_class: str,
    total: Decimal,
    part: Part,
    now: datetime,
) -> tuple[Any, ...]:
    method = part.mapping.options.get("payment_method", "import")
    return (
        pk,
        number,
        invoice.reference,
        invoice.buyer.id,
        invoice.buyer.distributor_id,
        order_class,
        "confirmed",
        "paid",
        total,
        0,
        0,
        0,
        total,
        settings.COMPANY_CURRENCY,
        method,
        invoice.reference,
        "{}",
        "{}",
        "",
        "",
        invoice.placed_at,
        invoice.placed_at,
        "",
        now,
        now,
    )


def _payments(orders: list[tuple[Any, ...]], now: datetime) -> list[tuple[Any, ...]]:
    ids = take_ids("commerce_payment", len(orders))
    numbers = take_numbers("PAY", len(orders))
    return [
        (pk, number, o[0], o[12], o[13], o[14], PROVIDER, o[2], "received", o[21], now)
        for pk, number, o in zip(ids, numbers, orders, strict=True)
    ]


def _count_sales(orders: list[tuple[Any, ...]]) -> None:
    """Value and first and last order of the customers, from the orders just written."""
    rows_by(
        """with new as (
             select customer_id, sum(total) as total,
                    min((paid_at at time zone %s)::date) as first,
                    max((paid_at at time zone %s)::date) as last
             from commerce_order where id = any(%s) group by 1)
           update commerce_customer c
           set lifetime_value = lifetime_value + new.total,
               first_order_on = least(first_order_on, new.first),
               last_order_on = greatest(last_order_on, new.last)
           from new where c.id = new.customer_id returning c.id""",
        [settings.COMPANY_TIMEZONE, settings.COMPANY_TIMEZONE, [order[0] for order in orders]],
    )


ORDERS = ImportKind(
    name="orders",
    label="Orders",
    fields=FIELDS,
    book=book_orders,
    mappings=Path(__file__).resolve().parent.parent / "mappings",
    group="order",
    has_amounts=True,
    options=frozenset({"cancellation", "missing_customer", "volume", "payment_method"}),
)

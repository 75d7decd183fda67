"""Paid orders from a file of their lines: what is a sale, what is not, and the booking of sales.

Lines with one order reference are one order, paid at once, at the time of its first line.
Cancellations are booked after the sales of their part, by `import_cancellations`.
"""

from decimal import Decimal
from pathlib import Path

from accounts.imports.kinds import Field, ImportKind, Part, Record
from commerce.models import Customer, OrderItem, Product
from commerce.services.buyers import hold_buyers
from commerce.services.customers import walk_in_account
from commerce.services.import_cancellations import book_cancellations
from commerce.services.import_lines import Buyer, Invoice, Ware
from commerce.services.import_sales import PRICE_STEP, write_sales
from mlmcrm.money import CENT

FIELDS = {
    "order": Field(required=True, longest=60),
    "sku": Field(required=True, longest=50),
    "description": Field(longest=200),
    "quantity": Field("integer", required=True),
    "unit_price": Field("number", required=True),
    "placed_at": Field("moment", required=True),
    "customer": Field(longest=60),
}
MOST = Decimal(10) ** 12


def book_orders(part: Part) -> None:
    """Book one part: new orders with items, payments and volume, then cancellations.

    Nothing is published: these sales are history. Lines whose order the books have are compared
    with it and left.
    """
    invoices = _invoices(part)
    wares = _wares(part)
    _find_buyers(part, invoices)
    sales: list[Invoice] = []
    cancellations: list[Invoice] = []
    for invoice in invoices.values():
        is_cancellation = _is_cancellation(invoice, part)
        for record in invoice.records:
            if record.is_open:
                _check(record, wares, is_cancellation, part)
        (cancellations if is_cancellation else sales).append(invoice)
    if cancellations:
        hold_buyers(invoice.buyer.id for invoice in invoices.values())
    fresh = _without_booked(sales, wares, part)
    sold = write_sales(fresh, wares, part)
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
    known.update((row[0], Ware(*row[1:])) for row in rows)
    return known


def _find_buyers(part: Part, invoices: dict[str, Invoice]) -> None:
    """Give each invoice its customer and time; reject lines of unknown or differing customers."""
    references = {record.values["customer"] for record in part.open_records()}
    rows = Customer.objects.filter(external_reference__in=references - {""}).values_list(
        "external_reference", "id", "kind", "distributor_id"
    )
    known = {row[0] or "": Buyer(*row[1:]) for row in rows}
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
                invoice.placed_at = min(invoice.placed_at, moment)


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


def _booked_lines(references: list[str]) -> dict[str, dict[int, tuple[object, ...]]]:
    rows = OrderItem.objects.filter(order__external_reference__in=references).values_list(
        "order__external_reference", "line_number", "product_id", "quantity", "unit_price"
    )
    booked: dict[str, dict[int, tuple[object, ...]]] = {}
    for reference, number, *line in rows:
        booked.setdefault(reference or "", {})[number] = tuple(line)
    return booked


ORDERS = ImportKind(
    name="orders",
    label="Orders",
    fields=FIELDS,
    book=book_orders,
    mappings=Path(__file__).resolve().parent.parent / "mappings",
    tables=(
        "commerce_order",
        "commerce_orderitem",
        "commerce_payment",
        "commerce_refund",
        "commerce_refunditem",
        "commerce_volumeentry",
    ),
    group="order",
    has_amounts=True,
    options=frozenset({"cancellation", "missing_customer", "volume", "payment_method"}),
)

"""Products from a price list, or from order lines where a company has nothing better."""

import re
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, take_ids
from accounts.imports.kinds import Field, ImportKind, Part, Record
from accounts.models import User
from commerce.models import Product
from mlmcrm.money import CENT

FIELDS = {
    "sku": Field(required=True, longest=50),
    "name": Field(required=True, longest=200),
    "price": Field("number", required=True),
    "quantity": Field("integer"),
    "distributor_price": Field("number"),
    "pv": Field("number"),
    "cv": Field("number"),
    "is_commissionable": Field("truth"),
}
REASON = "Imported"
COLUMNS = """id sku name description short_description price distributor_price currency pv cv
    is_commissionable dimensions images is_subscription tax_code shipping_class inventory_tracked
    stock_quantity min_stock_level status created_at updated_at"""
MOST = Decimal(10) ** 12


def book_products(part: Part) -> None:
    """Add the products the list of products lacks; one that is there is left as it is.

    With the option `from_orders` the first sale of a SKU at a price makes the product, its other
    lines are repeats, and a SKU that was never sold at a price becomes a free product at the end.
    """
    from_orders = part.mapping.options.get("from_orders", False)
    skus = {record.values["sku"] for record in part.open_records()}
    booked = Product.objects.filter(sku__in=skus).in_bulk(field_name="sku")
    fresh: dict[str, Record] = {}
    for record in part.open_records():
        sku = record.values["sku"]
        if sku in booked:
            _compare(record, booked[sku], part, from_orders)
        elif sku in fresh and from_orders:
            record.leave()
        elif sku in fresh:
            record.reject(part.mapping.column_of("sku"), "SKU named twice in the file", sku)
        elif from_orders and not part.is_last and not _is_sale(record):
            part.postpone(record)
        elif _is_possible(record, part):
            fresh[sku] = record
    if from_orders:
        _leave_repeats(part, fresh)
    if fresh:
        _write(fresh, part, part.actor)


def _is_sale(record: Record) -> bool:
    values = record.values
    return values["price"] > 0 and (values["quantity"] or 0) > 0 and bool(values["name"])


def _leave_repeats(part: Part, fresh: dict[str, Record]) -> None:
    """Of the lines that wait for a sale, one for each SKU is enough."""
    kept: dict[str, Record] = {}
    for record in part.postponed:
        sku = record.values["sku"]
        if sku in fresh or sku in kept:
            record.leave()
        else:
            kept[sku] = record
    part.postponed[:] = kept.values()


def _compare(record: Record, product: Product, part: Part, from_orders: bool) -> None:
    if not from_orders and record.values["price"] != product.price:
        column = part.mapping.column_of("price")
        detail = f"{product.sku} has {product.price}"
        record.reject(column, f"Already booked with another {column}", detail)
    else:
        record.leave()


def _is_possible(record: Record, part: Part) -> bool:
    """Whether prices and volume are such as a product can have; else the line is rejected."""
    values = record.values
    for name in ("price", "distributor_price", "pv", "cv"):
        value = values[name]
        if value is None:
            continue
        if name in ("price", "distributor_price") and value != value.quantize(CENT):
            if part.mapping.options.get("from_orders"):
                continue
            record.reject(part.mapping.column_of(name), "Not a whole number of hundredths")
            return False
        if not 0 <= value < MOST:
            if part.mapping.options.get("from_orders"):
                values[name] = Decimal(0)
                continue
            record.reject(part.mapping.column_of(name), "Negative or too large", str(value))
            return False
    if (values["distributor_price"] or 0) > values["price"]:
        column = part.mapping.column_of("distributor_price")
        record.reject(column, "Distributor price above the retail price")
        return False
    return True


def _write(fresh: dict[str, Record], part: Part, actor: User | None) -> None:
    ids = take_ids("commerce_product", len(fresh))
    options = part.mapping.options
    patterns = part.mapping.pattern_option("not_commissionable")
    share = Decimal(str(options.get("distributor_price_share", 0)))
    now = timezone.now()
    rows = (
        _row(pk, record.values, patterns, share, now)
        for pk, record in zip(ids, fresh.values(), strict=True)
    )
    copy_rows("commerce_product", COLUMNS, rows)
    record_many(Product, ids, kind="+", actor=actor, reason=REASON)


def _row(
    pk: int, values: dict[str, Any], patterns: list[re.Pattern[str]], share: Decimal, now: Any
) -> tuple[Any, ...]:
    counts = values["is_commissionable"] is not False
    counts = counts and not any(pattern.fullmatch(values["sku"]) for pattern in patterns)
    price = values["price"].quantize(CENT, ROUND_HALF_EVEN)
    reduced = values["distributor_price"]
    if reduced is None and share:
        reduced = (price * share).quantize(CENT, ROUND_HALF_EVEN)
    pv = price if values["pv"] is None else values["pv"]
    cv = pv if values["cv"] is None else values["cv"]
    return (
        pk,
        values["sku"],
        values["name"] or values["sku"],
        "",
        "",
        price,
        reduced,
        settings.COMPANY_CURRENCY,
        pv if counts else 0,
        cv if counts else 0,
        counts,
        "{}",
        "[]",
        False,
        "",
        "",
        False,
        0,
        0,
        "active",
        now,
        now,
    )


PRODUCTS = ImportKind(
    name="products",
    label="Products",
    fields=FIELDS,
    book=book_products,
    mappings=Path(__file__).resolve().parent.parent / "mappings",
    tables=("commerce_product",),
    options=frozenset({"from_orders", "not_commissionable", "distributor_price_share"}),
)

"""Writing new orders of an import: order, items, payment and volume by COPY."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, rows_by, take_ids
from accounts.imports.kinds import Part, Record
from accounts.numbering import take_numbers
from commerce.models import Customer, Order
from commerce.services.buyers import NewlyPaid, OfBuyer, number_paid
from commerce.services.import_lines import Buyer, Invoice, Ware
from commerce.services.placing import CLASS_OF_KIND, OWN_USE
from commerce.services.volume import NewVolume, record_volume
from genealogy.services.referrals import PaidOrder, complete_referrals
from mlmcrm.money import ZERO, quantise

PROVIDER = "import"
PRICE_STEP = Decimal("0.0001")
NOTHING = (Decimal(0), Decimal(0), Decimal(0))
ORDER_COLUMNS = """id number external_reference customer_id distributor_id order_class status
    payment_status subtotal discount_amount tax_amount shipping_amount total currency
    payment_method payment_reference shipping_address billing_address shipping_method
    tracking_number placed_at paid_at buyer_number buyer_since notes created_at updated_at"""
ITEM_COLUMNS = """id order_id line_number product_id description quantity unit_price total_price
    unit_pv unit_cv unit_margin refunded_quantity created_at"""
PAYMENT_COLUMNS = """id number order_id amount currency method provider reference status
    received_at created_at"""

Units = tuple[Decimal, Decimal, Decimal]


@dataclass(frozen=True)
class VolumeRate:
    """PV, CV and margin of a piece: as the product says, or as shares of the price paid."""

    by_price: bool
    pv: Decimal = ZERO
    cv: Decimal = ZERO
    margin: Decimal = ZERO

    @classmethod
    def of(cls, part: Part) -> "VolumeRate":
        said = part.mapping.options.get("volume", "product")
        if said == "product":
            return cls(by_price=False)
        pv, cv, margin = (
            Decimal(str(said.get(f"{name}_of_price", 0))) for name in ("pv", "cv", "margin")
        )
        return cls(True, pv, cv, margin)

    def units(self, ware: Ware, price: Decimal, buyer: Buyer, order_class: str) -> Units:
        if not ware.is_commissionable or buyer.distributor_id is None:
            return NOTHING
        if self.by_price:
            pv, cv, margin = price * self.pv, price * self.cv, price * self.margin
        else:
            floor = ware.price if ware.distributor_price is None else ware.distributor_price
            pv, cv, margin = ware.pv, ware.cv, max(price - floor, ZERO)
        if order_class in OWN_USE:
            margin = ZERO
        return pv.quantize(PRICE_STEP), cv.quantize(PRICE_STEP), margin.quantize(PRICE_STEP)


@dataclass
class Sale:
    """One new order while it is written."""

    id: int
    number: str
    invoice: Invoice
    order_class: str
    now: datetime
    of_buyer: OfBuyer
    total: Decimal = ZERO

    def item(
        self, item_id: int, line: int, record: Record, ware: Ware, units: Units
    ) -> tuple[Any, ...]:
        """The row of one item; adds its price to the order's total."""
        values = record.values
        price, quantity = values["unit_price"], values["quantity"]
        total = price * quantity
        self.total += total
        description = values["description"] or ware.name
        head = (item_id, self.id, line, ware.id, description, quantity, price, total)
        return (*head, *units, 0, self.now)

    def volume(self, item_id: int, quantity: int, units: Units) -> NewVolume | None:
        distributor_id = self.invoice.buyer.distributor_id
        if distributor_id is None or not any(units):
            return None
        pv, cv, margin = (quantise(unit * quantity) for unit in units)
        entry = NewVolume(
            kind="sale",
            order_item_id=item_id,
            distributor_id=distributor_id,
            order_class=self.order_class,
            pv=pv,
            cv=cv,
            margin=margin,
            occurred_at=self.invoice.placed_at,
        )
        return None if entry.is_empty else entry

    def order(self, method: str) -> tuple[Any, ...]:
        invoice, total = self.invoice, self.total
        return (
            self.id,
            self.number,
            invoice.reference,
            invoice.buyer.id,
            invoice.buyer.distributor_id,
            self.order_class,
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
            self.of_buyer.number,
            self.of_buyer.since,
            "",
            self.now,
            self.now,
        )

    def payment(self, payment_id: int, number: str, method: str) -> tuple[Any, ...]:
        return (
            payment_id,
            number,
            self.id,
            self.total,
            settings.COMPANY_CURRENCY,
            method,
            PROVIDER,
            self.invoice.reference,
            "received",
            self.invoice.placed_at,
            self.now,
        )


def write_sales(invoices: list[Invoice], wares: dict[str, Ware], part: Part) -> dict[int, int]:
    """Write new orders; returns for each new item the line of the file it came from."""
    sales = _sales([invoice for invoice in invoices if invoice.numbered()])
    if not sales:
        return {}
    count = sum(len(sale.invoice.numbered()) for sale in sales)
    item_ids = iter(take_ids("commerce_orderitem", count))
    rate = VolumeRate.of(part)
    items: list[tuple[Any, ...]] = []
    volume: list[NewVolume] = []
    line_of: dict[int, int] = {}
    for sale in sales:
        for line, record in sale.invoice.numbered():
            item_id, ware = next(item_ids), wares[record.values["sku"]]
            price = record.values["unit_price"]
            units = rate.units(ware, price, sale.invoice.buyer, sale.order_class)
            items.append(sale.item(item_id, line, record, ware, units))
            line_of[item_id] = record.line
            if entry := sale.volume(item_id, record.values["quantity"], units):
                volume.append(entry)
    _write_documents(sales, items, part)
    complete_referrals(_own_orders(sales), actor=part.actor, is_history=True)
    if not part.is_dry:
        record_volume(volume)
    return line_of


def _own_orders(sales: list[Sale]) -> list[PaidOrder]:
    return [
        PaidOrder(distributor_id, sale.number, sale.invoice.placed_at)
        for sale in sales
        if sale.order_class in OWN_USE and (distributor_id := sale.invoice.buyer.distributor_id)
    ]


def _sales(invoices: list[Invoice]) -> list[Sale]:
    now = timezone.now()
    ids = take_ids("commerce_order", len(invoices))
    numbers = _order_numbers(invoices)
    paid = [NewlyPaid(invoice.buyer.id, invoice.placed_at) for invoice in invoices]
    of_buyers = number_paid(paid)
    return [
        Sale(pk, next(numbers), invoice, CLASS_OF_KIND[Customer.Kind(invoice.buyer.kind)], now, his)
        for pk, invoice, his in zip(ids, invoices, of_buyers, strict=True)
    ]


def _order_numbers(invoices: list[Invoice]) -> Iterator[str]:
    years = [timezone.localtime(invoice.placed_at).year for invoice in invoices]
    numbers = {
        year: iter(take_numbers("O", years.count(year), infix=str(year))) for year in set(years)
    }
    return (next(numbers[year]) for year in years)


def _write_documents(sales: list[Sale], items: list[tuple[Any, ...]], part: Part) -> None:
    method = part.mapping.options.get("payment_method", "import")
    ids = [sale.id for sale in sales]
    payment_ids = take_ids("commerce_payment", len(sales))
    payment_numbers = take_numbers("PAY", len(sales))
    payments = zip(sales, payment_ids, payment_numbers, strict=True)
    copy_rows("commerce_order", ORDER_COLUMNS, (sale.order(method) for sale in sales))
    copy_rows("commerce_orderitem", ITEM_COLUMNS, items)
    copy_rows(
        "commerce_payment",
        PAYMENT_COLUMNS,
        (sale.payment(pk, number, method) for sale, pk, number in payments),
    )
    record_many(Order, ids, kind="+", actor=part.actor, reason="Imported")
    zone = settings.COMPANY_TIMEZONE
    rows_by(_COUNT_SALES, {"zone": zone, "ids": ids})


_COUNT_SALES = """
with new as (
  select customer_id, sum(total) as total,
         min((paid_at at time zone %(zone)s)::date) as first,
         max((paid_at at time zone %(zone)s)::date) as last
  from commerce_order where id = any(%(ids)s) group by 1
)
update commerce_customer c
set lifetime_value = lifetime_value + new.total,
    first_order_on = least(first_order_on, new.first),
    last_order_on = greatest(last_order_on, new.last)
from new where c.id = new.customer_id returning c.id
"""

"""Placing an order: prices and volumes are frozen as they are on the day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.history import explain_change
from accounts.models import User
from accounts.numbering import take_number
from commerce.models import Customer, Order, OrderItem, Product
from mlmcrm.money import ZERO, quantise

CLASS_OF_KIND = {
    Customer.Kind.SELF: Order.OrderClass.SELF_CONSUMPTION,
    Customer.Kind.RETAIL: Order.OrderClass.RETAIL,
    Customer.Kind.PREFERRED: Order.OrderClass.PREFERRED,
    Customer.Kind.WALK_IN: Order.OrderClass.RETAIL,
}
OWN_USE = {
    Order.OrderClass.SELF_CONSUMPTION,
    Order.OrderClass.AUTOSHIP,
    Order.OrderClass.ENROLMENT_KIT,
}


class OrderRefused(Exception):
    """The order cannot be placed as asked; the words say why."""


@dataclass(frozen=True)
class OrderLine:
    """Pieces of a product; the price list's price unless another was agreed."""

    product: Product
    quantity: int
    unit_price: Decimal | None = None


@dataclass(frozen=True)
class Charges:
    """What stands on an order beside its lines."""

    discount: Decimal = ZERO
    tax: Decimal = ZERO
    shipping: Decimal = ZERO
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)


@transaction.atomic
def place_order(
    *,
    customer: Customer,
    lines: Sequence[OrderLine],
    actor: User | None,
    order_class: str | None = None,
    placed_at: datetime | None = None,
    charges: Charges | None = None,
    external_reference: str | None = None,
    notes: str = "",
) -> Order:
    """Write an order whose prices and volumes are frozen as they are now. It counts once paid.

    A distributor buys at the distributor price; what a customer pays above it is the margin of
    the distributor who serves him. An enrolment kit carries no volume. Raises OrderRefused.
    """
    order_class = order_class or CLASS_OF_KIND[Customer.Kind(customer.kind)]
    _refuse_order_unless_possible(customer, lines, order_class)
    charges = charges or Charges()
    placed_at = placed_at or timezone.now()
    items = [_frozen_item(n, line, customer, order_class) for n, line in enumerate(lines, start=1)]
    subtotal = sum((item.total_price for item in items), ZERO)
    if charges.discount > subtotal:
        raise OrderRefused(f"A discount of {charges.discount} is more than the goods cost.")
    order = Order(
        number=take_number("O", infix=str(timezone.localtime(placed_at).year)),
        external_reference=external_reference or None,
        customer=customer,
        distributor=customer.distributor,
        order_class=order_class,
        subtotal=subtotal,
        discount_amount=charges.discount,
        tax_amount=charges.tax,
        shipping_amount=charges.shipping,
        total=subtotal - charges.discount + charges.tax + charges.shipping,
        currency=settings.COMPANY_CURRENCY,
        billing_address=charges.addresses.get("billing", {}),
        shipping_address=charges.addresses.get("shipping", {}),
        placed_at=placed_at,
        notes=notes,
    )
    save_order(order, actor, "Placed")
    for item in items:
        item.order = order
    OrderItem.objects.bulk_create(items)
    return order


def _refuse_order_unless_possible(
    customer: Customer, lines: Sequence[OrderLine], order_class: str
) -> None:
    if customer.status != Customer.Status.ACTIVE:
        raise OrderRefused(
            f"Customer {customer.number} is {customer.get_status_display().lower()}."
        )
    if not lines:
        raise OrderRefused("An order needs at least one line.")
    if order_class in OWN_USE and customer.kind != Customer.Kind.SELF:
        label = Order.OrderClass(order_class).label.lower()
        raise OrderRefused(f"Only a distributor's own account takes an order of class {label}.")
    for line in lines:
        _refuse_line_unless_possible(line)


def _refuse_line_unless_possible(line: OrderLine) -> None:
    product = line.product
    if product.status != Product.Status.ACTIVE:
        raise OrderRefused(f"{product.sku} is {product.get_status_display().lower()}.")
    if product.currency != settings.COMPANY_CURRENCY:
        raise OrderRefused(f"{product.sku} is priced in {product.currency}.")
    if line.quantity < 1:
        raise OrderRefused(f"{product.sku}: the quantity must be at least 1.")
    if line.unit_price is not None:
        if line.unit_price < 0:
            raise OrderRefused(f"{product.sku}: a price cannot be negative.")
        total = line.unit_price * line.quantity
        if total != quantise(total):
            raise OrderRefused(f"{product.sku}: {total} is not a whole number of hundredths.")


def _frozen_item(number: int, line: OrderLine, customer: Customer, order_class: str) -> OrderItem:
    product = line.product
    floor = product.price if product.distributor_price is None else product.distributor_price
    own_use = order_class in OWN_USE
    price = line.unit_price
    if price is None:
        price = floor if own_use else product.price
    counts = product.is_commissionable and order_class != Order.OrderClass.ENROLMENT_KIT
    earns_margin = counts and not own_use and customer.distributor_id is not None
    return OrderItem(
        line_number=number,
        product=product,
        description=product.name,
        quantity=line.quantity,
        unit_price=price,
        total_price=quantise(price * line.quantity),
        unit_pv=product.pv if counts else 0,
        unit_cv=product.cv if counts else 0,
        unit_margin=max(price - floor, Decimal(0)) if earns_margin else 0,
    )


def save_order(order: Order, actor: User | None, reason: str) -> None:
    explain_change(order, actor=actor, reason=reason)
    order.save()

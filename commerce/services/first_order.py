"""What a new distributor may order with the enrolment: for own use, unpaid until it is paid.

A kit, a product on the shelf KIT_SHELF, goes on an order of its own that carries no volume: nobody
earns by somebody's joining.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import User
from commerce.models import Customer, Order, Product
from commerce.services.placing import OrderLine, OrderRefused, place_order
from genealogy.models import Distributor
from mlmcrm.money import ZERO

KIT_SHELF = "enrolment-kit"
MOST_PIECES = 99
SHOWN = 20

Lines = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """Pieces of a product at the price for a distributor's own use."""

    product: Product
    quantity: int

    @property
    def price(self) -> Decimal:
        own: Decimal | None = self.product.distributor_price
        retail: Decimal = self.product.price
        return retail if own is None else own

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


@dataclass(frozen=True)
class Summary:
    rows: list[Row]
    currency: str

    @property
    def total(self) -> Decimal:
        return sum((row.total for row in self.rows), ZERO)


def products_on_offer(search: str = "") -> QuerySet[Product]:
    """What can be ordered now, by name; of a search what has it in its name or SKU."""
    rows = Product.objects.filter(
        status=Product.Status.ACTIVE, currency=settings.COMPANY_CURRENCY
    ).order_by("name", "sku")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(sku__iexact=search))
    return rows


def summary_of(lines: Lines) -> Summary:
    """The lines with today's prices; what is not on offer any more is left out."""
    products = _products(lines)
    rows = [
        Row(products[line["sku"]], line["quantity"]) for line in lines if line["sku"] in products
    ]
    return Summary(rows, settings.COMPANY_CURRENCY)


def obstacle_to(lines: Lines) -> str:
    """Why the lines cannot be ordered now, by the first that stands in the way."""
    products = _products(lines)
    for line in lines:
        if line["sku"] not in products:
            return f"{line['sku']} is not sold any more. Take it off the order."
        if not 1 <= line["quantity"] <= MOST_PIECES:
            return f"{line['sku']}: between 1 and {MOST_PIECES} pieces."
    return ""


def place_first_order(*, distributor: Distributor, lines: Lines, actor: User) -> list[Order]:
    """Place what was asked for on the own account, kits apart. Raises OrderRefused."""
    if obstacle := obstacle_to(lines):
        raise OrderRefused(obstacle)
    customer = Customer.objects.get(kind=Customer.Kind.SELF, distributor=distributor)
    rows = summary_of(lines).rows
    kits = [row for row in rows if row.product.category and row.product.category.code == KIT_SHELF]
    goods = [row for row in rows if row not in kits]
    return [
        place_order(
            customer=customer,
            lines=[OrderLine(row.product, row.quantity) for row in part],
            actor=actor,
            order_class=order_class,
            notes="Ordered with the enrolment",
        )
        for part, order_class in (
            (goods, Order.OrderClass.SELF_CONSUMPTION),
            (kits, Order.OrderClass.ENROLMENT_KIT),
        )
        if part
    ]


def _products(lines: Lines) -> dict[str, Product]:
    rows = products_on_offer().filter(sku__in=[line["sku"] for line in lines])
    return {row.sku: row for row in rows.select_related("category")}

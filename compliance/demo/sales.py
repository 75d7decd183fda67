"""The network and its orders, booked by the same services as everybody's."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.numbering import take_number
from commerce.models import Customer, Order, OrderItem, Product, ProductCategory
from commerce.services.orders import OrderLine, RefundLine, pay_order, place_order, refund_order
from compliance.demo.figures import Figures
from compliance.demo.staff import PASSWORD, SIGN_INS, open_account
from genealogy.models import Distributor
from genealogy.services.enrolment import enrol_distributor
from mlmcrm.money import CENT

DISTRIBUTOR_SHARE = Decimal("0.80")
VOLUME_SHARE = Decimal("0.50")


def enrol_network(figures: Figures, actor: User) -> dict[str, Distributor]:
    """Everybody under his sponsor, by the number of the file, each with a user."""
    signing_in = {sign_in.number: sign_in for sign_in in SIGN_INS if sign_in.number}
    people: dict[str, Distributor] = {}
    for member in figures.distributors:
        sign_in = signing_in.get(member.number)
        email = sign_in.email if sign_in else member.person.email
        user = open_account(member.name, email, "distributor", PASSWORD if sign_in else None)
        people[member.number] = enrol_distributor(
            sponsor=people.get(member.sponsor),
            display_name=member.name,
            joined_on=member.joined_on,
            actor=actor,
            user=user,
            country=member.person.country,
            external_reference=member.reference,
        )
    return people


def register_customers(figures: Figures, people: dict[str, Distributor]) -> dict[str, Customer]:
    """Whose account an order is on, by the customer number of the file."""
    accounts = {
        customer.distributor.external_reference: customer
        for customer in Customer.objects.filter(kind="self").select_related("distributor")
        if customer.distributor
    }
    for member in figures.customers:
        accounts[member.reference] = Customer.objects.create(
            number=take_number("C"),
            external_reference=member.reference,
            kind=Customer.Kind.RETAIL,
            distributor=people[member.sponsor],
            first_name=member.person.first_name,
            last_name=member.person.last_name,
            email=member.person.email,
            country=member.person.country,
        )
    return accounts


# Orders


@dataclass
class Invoice:
    """The lines of one invoice of the file."""

    number: str
    customer: str
    moment: datetime
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.number.startswith("C")


def invoices(figures: Figures) -> list[Invoice]:
    """The orders and cancellations of the file, in the order they happened."""
    found: dict[str, Invoice] = {}
    for row in figures.order_lines():
        number = row["InvoiceNo"]
        if number not in found:
            found[number] = Invoice(number, row["CustomerID"].split(".")[0], row["InvoiceDate"])
        found[number].lines.append(row)
    return sorted(found.values(), key=lambda invoice: (invoice.moment, invoice.number))


def list_products(all_invoices: Iterable[Invoice]) -> dict[str, Product]:
    """The price list: retail as sold most dearly, the distributor's a fifth lower."""
    prices: dict[str, list[Decimal]] = defaultdict(list)
    names: dict[str, str] = {}
    for invoice in all_invoices:
        for row in invoice.lines:
            price = Decimal(row["UnitPrice"])
            if price > 0 and row["Description"] and row["StockCode"][:5].isdigit():
                prices[row["StockCode"]].append(price)
                names[row["StockCode"]] = row["Description"].strip().capitalize()
    shelf = ProductCategory.objects.create(code="gifts", name="Home and gifts")
    products = [_product(sku, names[sku], max(found), shelf) for sku, found in prices.items()]
    return {product.sku: product for product in Product.objects.bulk_create(products)}


def _product(sku: str, name: str, price: Decimal, shelf: ProductCategory) -> Product:
    volume = (price * VOLUME_SHARE).quantize(CENT)
    return Product(
        sku=sku,
        name=name,
        category=shelf,
        price=price.quantize(CENT),
        distributor_price=(price * DISTRIBUTOR_SHARE).quantize(CENT),
        currency="GBP",
        pv=volume,
        cv=volume,
    )


def sell(
    all_invoices: Iterable[Invoice], accounts: dict[str, Customer], products: dict[str, Product]
) -> None:
    """Place, pay and refund what the file says."""
    ledger: dict[tuple[str, str], list[OrderItem]] = defaultdict(list)
    for invoice in all_invoices:
        account = accounts[invoice.customer]
        if invoice.is_cancellation:
            _cancel(invoice, ledger)
        elif order := _place(invoice, account, products):
            for item in order.items.select_related("product"):
                ledger[invoice.customer, item.product.sku].append(item)


def _place(invoice: Invoice, account: Customer, products: dict[str, Product]) -> Order | None:
    lines = [
        OrderLine(
            product=products[row["StockCode"]],
            quantity=int(row["Quantity"]),
            unit_price=Decimal(row["UnitPrice"]),
        )
        for row in invoice.lines
        if row["StockCode"] in products and int(row["Quantity"]) > 0 and Decimal(row["UnitPrice"])
    ]
    if not lines:
        return None
    order = place_order(
        customer=account,
        lines=lines,
        actor=None,
        placed_at=invoice.moment,
        external_reference=invoice.number,
    )
    pay_order(
        order=order,
        method="card",
        reference=f"card-{invoice.number}",
        actor=None,
        received_at=invoice.moment,
    )
    return order


def _cancel(invoice: Invoice, ledger: dict[tuple[str, str], list[OrderItem]]) -> None:
    """Refund the pieces that an order of the same customer has left; what fits none is left out."""
    for row in invoice.lines:
        pieces = -int(row["Quantity"])
        for item in ledger[invoice.customer, row["StockCode"]]:
            if 0 < pieces <= item.quantity - item.refunded_quantity:
                refund_order(
                    order=item.order,
                    lines=[RefundLine(item=item, quantity=pieces)],
                    actor=None,
                    reason="Sent back by the customer",
                    refunded_at=invoice.moment,
                    external_reference=f"{invoice.number}/{row['StockCode']}",
                )
                item.refresh_from_db()
                break

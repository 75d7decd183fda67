"""A placed order is paid and, perhaps, refunded: each step in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts import audit
from accounts.events import publish, told_together
from accounts.models import User
from accounts.numbering import take_number
from commerce.models import (
    Customer,
    Order,
    OrderItem,
    Payment,
    Refund,
    RefundItem,
    VolumeEntry,
)
from commerce.models.order import ORDER_EDGES
from commerce.services.buyers import NewlyPaid, hold_buyers, number_paid
from commerce.services.placing import Charges, OrderLine, OrderRefused, place_order, save_order
from commerce.services.volume import NewVolume, part_of, record_volume
from genealogy.models import Distributor
from genealogy.services.referrals import PaidOrder, complete_referrals
from mlmcrm.money import ZERO, allocate, quantise
from mlmcrm.transitions import TransitionRefused, sources

__all__ = [
    "Charges",
    "OrderLine",
    "OrderRefused",
    "PaymentRefused",
    "RefundLine",
    "RefundRefused",
    "pay_order",
    "place_order",
    "refund_order",
]


class PaymentRefused(Exception):
    """The payment cannot be booked on this order."""


class RefundRefused(Exception):
    """The refund asks for what the order does not have."""


@dataclass(frozen=True)
class RefundLine:
    item: OrderItem
    quantity: int


# Paying


@transaction.atomic
@told_together()
def pay_order(
    *,
    order: Order,
    method: str,
    reference: str,
    actor: User | None,
    received_at: datetime | None = None,
    provider: str = "manual",
) -> Payment:
    """Book the whole amount of an order as received; from now on its volume counts.

    The order becomes its customer's next one, and keeps that number whatever comes back of it.
    Idempotent: the same provider and reference give back the payment booked before. Publishes
    order.paid. Raises PaymentRefused.
    """
    order = _locked(order)
    booked = Payment.objects.filter(provider=provider, reference=reference).first()
    if booked:
        return _same_payment(booked, order)
    if order.status != Order.Status.PENDING or order.paid_at:
        state = order.get_payment_status_display().lower()
        raise PaymentRefused(
            f"Order {order.number} is {order.get_status_display().lower()} and {state}."
        )
    received_at = received_at or timezone.now()
    payment = Payment.objects.create(
        number=take_number("PAY"),
        order=order,
        amount=order.total,
        currency=order.currency,
        method=method,
        provider=provider,
        reference=reference,
        status=Payment.Status.RECEIVED,
        received_at=received_at,
        verified_by=actor,
    )
    order.payment_status = Order.PaymentStatus.PAID
    order.payment_method, order.payment_reference = method, reference
    order.paid_at = received_at
    ((order.buyer_number, order.buyer_since),) = number_paid(
        [NewlyPaid(order.customer_id, received_at)]
    )
    _move(order, Order.Status.CONFIRMED, actor, f"Paid by {method}, {reference}")
    record_volume(_sale_volume(order))
    _count_sale(order)
    _complete_referral(order, actor)
    _tell("order.paid", order, order.total, actor)
    return payment


def _same_payment(booked: Payment, order: Order) -> Payment:
    if booked.order_id != order.pk:
        raise PaymentRefused(
            f"Reference {booked.reference} is already booked on order {booked.order.number}."
        )
    return booked


def _sale_volume(order: Order) -> Iterable[NewVolume]:
    if order.distributor_id is None or order.paid_at is None:
        return
    for item in order.items.order_by("line_number"):
        entry = NewVolume(
            kind=VolumeEntry.Kind.SALE,
            order_item_id=item.pk,
            distributor_id=order.distributor_id,
            order_class=order.order_class,
            pv=quantise(item.unit_pv * item.quantity),
            cv=quantise(item.unit_cv * item.quantity),
            margin=quantise(item.unit_margin * item.quantity),
            occurred_at=order.paid_at,
        )
        if not entry.is_empty:
            yield entry


def _count_sale(order: Order) -> None:
    day = timezone.localtime(order.paid_at).date()
    Customer.objects.filter(pk=order.customer_id).update(
        lifetime_value=F("lifetime_value") + order.total,
        first_order_on=Least(F("first_order_on"), day),
        last_order_on=Greatest(F("last_order_on"), day),
    )


def _complete_referral(order: Order, actor: User | None) -> None:
    """What somebody referred buys for himself completes his referral; paying to join does not."""
    is_own = order.customer.kind == Customer.Kind.SELF
    if is_own and order.distributor_id and order.order_class != Order.OrderClass.ENROLMENT_KIT:
        paid = PaidOrder(order.distributor_id, order.number, order.paid_at or timezone.now())
        complete_referrals([paid], actor=actor)


# Refunding


@transaction.atomic
def refund_order(
    *,
    order: Order,
    lines: Sequence[RefundLine],
    actor: User | None,
    reason: str,
    refunded_at: datetime | None = None,
    external_reference: str = "",
) -> Refund:
    """Give back pieces of a paid order: money by exact share, volume as negative entries.

    With an external reference it is idempotent per order. Publishes order.refunded. Raises
    RefundRefused.
    """
    order = _locked(order)
    if external_reference:
        booked = order.refunds.filter(external_reference=external_reference).first()
        if booked:
            return booked
    refunded_at = refunded_at or timezone.now()
    _refuse_refund_unless_possible(order, lines, reason, refunded_at)
    items = {item.pk: item for item in order.items.order_by("line_number").select_for_update()}
    taken = _take_pieces(order, items, lines)
    refund = Refund.objects.create(
        number=take_number("R"),
        order=order,
        external_reference=external_reference or None,
        amount=sum((line.amount for line in taken), ZERO),
        currency=order.currency,
        reason=reason,
        refunded_at=refunded_at,
        actor=actor,
    )
    for line in taken:
        line.refund = refund
    RefundItem.objects.bulk_create(taken)
    OrderItem.objects.bulk_update(items.values(), ["refunded_quantity"])
    record_volume(_refund_volume(refund, taken))
    _close_if_all_went_back(order, list(items.values()), actor, reason)
    Customer.objects.filter(pk=order.customer_id).update(
        lifetime_value=F("lifetime_value") - refund.amount
    )
    _tell("order.refunded", order, refund.amount, actor)
    return refund


def _refuse_refund_unless_possible(
    order: Order, lines: Sequence[RefundLine], reason: str, refunded_at: datetime
) -> None:
    if order.paid_at is None:
        raise RefundRefused(f"Order {order.number} was not paid, so nothing can be refunded.")
    if refunded_at < order.paid_at:
        raise RefundRefused(f"Order {order.number} was paid only at {order.paid_at}.")
    if not reason.strip():
        raise RefundRefused("A refund needs a reason.")
    if not lines:
        raise RefundRefused("A refund needs at least one line.")


def _take_pieces(
    order: Order, items: dict[int, OrderItem], lines: Sequence[RefundLine]
) -> list[RefundItem]:
    """The refund's lines; raises the refunded quantity of the items in memory."""
    paid = _paid_amounts(order, list(items.values()))
    taken = []
    for line in lines:
        item = items.get(line.item.pk)
        if item is None:
            raise RefundRefused(f"This line does not belong to order {order.number}.")
        left = item.quantity - item.refunded_quantity
        if not 1 <= line.quantity <= left:
            raise RefundRefused(
                f"{item.description}: {line.quantity} pieces were asked back, {left} are left."
            )
        before, after = item.refunded_quantity, item.refunded_quantity + line.quantity
        amount = part_of(paid[item.pk], item.quantity, before, after)
        taken.append(RefundItem(order_item=item, quantity=line.quantity, amount=amount))
        item.refunded_quantity = after
    return taken


def _paid_amounts(order: Order, items: list[OrderItem]) -> dict[int, Decimal]:
    """What was paid for each line, with its share of discount and tax; shipping stays out."""
    goods = order.total - order.shipping_amount
    prices = [item.total_price for item in items]
    if goods == order.subtotal or not any(prices):
        return {item.pk: item.total_price for item in items}
    return dict(zip((item.pk for item in items), allocate(goods, prices), strict=True))


def _refund_volume(refund: Refund, taken: list[RefundItem]) -> Iterable[NewVolume]:
    sales = VolumeEntry.objects.filter(
        kind=VolumeEntry.Kind.SALE, order_item__in=[line.order_item_id for line in taken]
    ).in_bulk(field_name="pk")
    by_item = {sale.order_item_id: sale for sale in sales.values()}
    pieces_left = {line.order_item_id: line.order_item.refunded_quantity for line in taken}
    entries = []
    for line in reversed(taken):
        after = pieces_left[line.order_item_id]
        pieces_left[line.order_item_id] = before = after - line.quantity
        if sale := by_item.get(line.order_item_id):
            entries.append(_taken_back(sale, line, refund.refunded_at, before, after))
    return reversed(entries)


def _taken_back(
    sale: VolumeEntry, line: RefundItem, refunded_at: datetime, before: int, after: int
) -> NewVolume:
    pieces = line.order_item.quantity
    return NewVolume(
        kind=VolumeEntry.Kind.REFUND,
        order_item_id=sale.order_item_id,
        distributor_id=sale.distributor_id,
        order_class=sale.order_class,
        pv=-part_of(sale.pv, pieces, before, after),
        cv=-part_of(sale.cv, pieces, before, after),
        margin=-part_of(sale.margin, pieces, before, after),
        occurred_at=refunded_at,
        refund_item_id=line.pk,
        reverses_id=sale.pk,
    )


def _close_if_all_went_back(
    order: Order, items: list[OrderItem], actor: User | None, reason: str
) -> None:
    if all(item.refunded_quantity == item.quantity for item in items):
        order.payment_status = Order.PaymentStatus.REFUNDED
        _move(order, Order.Status.REFUNDED, actor, reason)
    elif order.payment_status != Order.PaymentStatus.PARTIALLY_REFUNDED:
        order.payment_status = Order.PaymentStatus.PARTIALLY_REFUNDED
        save_order(order, actor, reason)


# Shared by the steps


def _locked(order: Order) -> Order:
    """The order as it is now, held behind its buyer."""
    hold_buyers([order.customer_id])
    rows = Order.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer", "distributor__user").get(pk=order.pk)


def _move(order: Order, to: str, actor: User | None, reason: str) -> None:
    if order.status not in sources(ORDER_EDGES, to):
        raise TransitionRefused(order, order.status, to)
    order.status = to
    save_order(order, actor, reason)


def _tell(name: str, order: Order, amount: Decimal, actor: User | None) -> None:
    seller: Distributor | None = order.distributor
    publish(
        name,
        users=[seller.user] if seller else [],
        staff=True,
        ref=order.number,
        order=order.number,
        amount=amount,
        currency=order.currency,
    )
    audit.record(
        actor=actor,
        action=name,
        target=order,
        after={"amount": str(amount), "currency": order.currency},
    )

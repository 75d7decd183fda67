"""What staff book on an order: a payment, or pieces that come back."""

from typing import Any

from django import forms

from accounts.models import User
from commerce.models import Order
from commerce.services.orders import (
    PaymentRefused,
    RefundLine,
    RefundRefused,
    pay_order,
    refund_order,
)
from mlmcrm.money import format_money
from mlmcrm.transitions import TransitionRefused

REFUSALS = (PaymentRefused, RefundRefused, TransitionRefused)


class PaymentForm(forms.Form):
    """The whole amount, received in some way, under the reference the provider gave it."""

    permission = "commerce.pay_order"
    method = forms.ChoiceField(
        choices=[("bank_transfer", "Bank transfer"), ("card", "Card"), ("cash", "Cash")]
    )
    reference = forms.CharField(
        max_length=100,
        help_text="From the bank statement or the card terminal. Each reference counts once.",
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order

    def book(self, actor: User) -> str:
        payment = pay_order(order=self.order, actor=actor, **self.cleaned_data)
        return f"{format_money(payment.amount, payment.currency)} is booked as received."


class RefundForm(forms.Form):
    """How many pieces of each line come back, and why."""

    permission = "commerce.refund_order"
    reason = forms.CharField(max_length=300, help_text="Stands on the refund.")

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.lines = {
            f"line_{item.line_number}": item
            for item in order.items.all()
            if item.quantity > item.refunded_quantity
        }
        for name, item in self.lines.items():
            left = item.quantity - item.refunded_quantity
            self.fields[name] = forms.IntegerField(
                label=item.description,
                min_value=0,
                max_value=left,
                initial=0,
                required=False,
                help_text=f"{left} of {item.quantity} can come back.",
            )
        self.order_fields([*self.lines, "reason"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not self.taken():
            raise forms.ValidationError("Say how many pieces of which line come back.")
        return cleaned

    def taken(self) -> list[RefundLine]:
        return [
            RefundLine(item=item, quantity=pieces)
            for name, item in self.lines.items()
            if (pieces := self.cleaned_data.get(name))
        ]

    def book(self, actor: User) -> str:
        refund = refund_order(
            order=self.order,
            lines=self.taken(),
            actor=actor,
            reason=self.cleaned_data["reason"],
        )
        return f"{format_money(refund.amount, refund.currency)} goes back as {refund.number}."

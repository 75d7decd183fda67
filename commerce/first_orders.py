"""The first order as a step of the enrolment, offered to the app that enrols."""

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.models import User
from commerce.services.first_order import (
    MOST_PIECES,
    SHOWN,
    Row,
    Summary,
    obstacle_to,
    place_first_order,
    products_on_offer,
    summary_of,
)
from commerce.services.placing import OrderRefused
from genealogy.models import Distributor
from genealogy.services.enrolment import EnrolmentRefused

Lines = Sequence[dict[str, Any]]


class FirstOrderForm(forms.Form):
    """Quantities of what is chosen already, and of what a search found."""

    def __init__(self, data: Any, lines: Lines, search: str) -> None:
        super().__init__(data, prefix="pieces")
        self.search = search
        chosen = summary_of(lines).rows
        taken = {row.product.pk for row in chosen}
        found = list(products_on_offer(search).exclude(pk__in=taken)[: SHOWN + 1])
        self.has_more = len(found) > SHOWN
        self.rows = [*chosen, *(Row(product, 0) for product in found[:SHOWN])]
        for row in self.rows:
            self.fields[row.product.sku] = forms.IntegerField(
                label=f"Pieces of {row.product.name}",
                min_value=0,
                max_value=MOST_PIECES,
                required=False,
                initial=row.quantity,
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "input-pieces"}),
            )

    def with_fields(self) -> list[tuple[Row, Any]]:
        return [(row, self[row.product.sku]) for row in self.rows]

    @property
    def lines(self) -> list[tuple[str, int]]:
        return [(sku, quantity) for sku, quantity in self.cleaned_data.items() if quantity]


class OfferOfProducts:
    """What the shop offers to those who enrol."""

    template = "commerce/_first_order.html"

    def is_offered(self) -> bool:
        return products_on_offer().exists()

    def form(self, data: Any, lines: Lines, search: str) -> FirstOrderForm:
        return FirstOrderForm(data, lines, search)

    def summary(self, lines: Lines) -> Summary:
        return summary_of(lines)

    def obstacle(self, lines: Lines) -> str:
        return obstacle_to(lines)

    def place(self, distributor: Distributor, lines: Lines, actor: User) -> list[str]:
        try:
            orders = place_first_order(distributor=distributor, lines=lines, actor=actor)
        except OrderRefused as refused:
            raise EnrolmentRefused(str(refused)) from refused
        return [order.number for order in orders]

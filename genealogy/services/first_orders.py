"""What may be ordered together with an enrolment: an app further down offers it."""

from collections.abc import Sequence
from typing import Any, Protocol

from accounts.models import User
from genealogy.models import Distributor

Lines = Sequence[dict[str, Any]]


class FirstOrders(Protocol):
    """The optional step of an enrolment in which something is ordered.

    Lines are `{"sku": "TEA", "quantity": 2}`, as they are kept with the enrolment.
    """

    template: str

    def is_offered(self) -> bool:
        """Whether there is anything to order now."""

    def form(self, data: Any, lines: Lines, search: str) -> Any:
        """A form of quantities whose `lines` are what was asked for, as (sku, quantity)."""

    def summary(self, lines: Lines) -> Any:
        """Rows and total at today's prices for a distributor's own use."""

    def obstacle(self, lines: Lines) -> str:
        """Why these lines cannot be ordered now; nothing where they can."""

    def place(self, distributor: Distributor, lines: Lines, actor: User) -> list[str]:
        """Place the order, unpaid, in the caller's transaction; returns its numbers."""


class _Nothing:
    template = ""

    def is_offered(self) -> bool:
        return False

    def form(self, data: Any, lines: Lines, search: str) -> Any:
        raise LookupError("Nothing is offered.")

    def summary(self, lines: Lines) -> Any:
        return None

    def obstacle(self, lines: Lines) -> str:
        return "Nothing can be ordered at present." if lines else ""

    def place(self, distributor: Distributor, lines: Lines, actor: User) -> list[str]:
        return []


_OFFERS: list[FirstOrders] = []


def offer_first_orders(offer: FirstOrders) -> None:
    """Let an app further down offer what is ordered with an enrolment. Called in `ready()`."""
    if not _OFFERS:
        _OFFERS.append(offer)


def first_orders() -> FirstOrders:
    return _OFFERS[0] if _OFFERS else _Nothing()

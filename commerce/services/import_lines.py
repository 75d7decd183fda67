"""What the import of orders works with: buyers, wares, and the lines of one order together."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from accounts.imports.kinds import Record


@dataclass(frozen=True)
class Buyer:
    """A customer as far as booking needs him."""

    id: int
    kind: str
    distributor_id: int | None


@dataclass(frozen=True)
class Ware:
    """A product as far as booking needs it."""

    id: int
    name: str
    is_commissionable: bool
    price: Decimal
    distributor_price: Decimal | None
    pv: Decimal
    cv: Decimal


NOBODY = Buyer(0, "", None)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Invoice:
    """The lines of one order, in the order of the file; rejected ones keep their line number."""

    reference: str
    records: list[Record] = field(default_factory=list)
    buyer: Buyer = NOBODY
    placed_at: datetime = NEVER

    def numbered(self) -> list[tuple[int, Record]]:
        """The lines still to be booked with their numbers within the order."""
        return [(n, r) for n, r in enumerate(self.records, start=1) if r.state == "booked"]

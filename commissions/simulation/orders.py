"""orders.csv: what was sold and what came back.

Every column that is no column of the order itself is a figure of the plan by its code. A refund
names the order it belongs to (`refund_of`) and has positive figures; without any the whole line
comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from commissions.engine.plan import Plan
from commissions.engine.snapshot import EITHER_SIGN
from commissions.simulation.company import CUSTOMER, Carried, Distributor, OrderLine, Refund
from commissions.simulation.faults import InputFault
from commissions.simulation.table import Row, read_rows

KNOWN = ("line", "buyer", "seller", "kind", "date", "quantity", "refund_of")
FIRST = "1"


@dataclass(slots=True)
class Book:
    """The orders as far as they are read. `sold`: every line by order and number."""

    plan: Plan
    people: Mapping[str, Distributor]
    carried: Carried
    figures: tuple[str, ...]
    sold: dict[tuple[str, str], OrderLine] = field(default_factory=dict)
    refunds: list[Refund] = field(default_factory=list)
    returned: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)


def read_orders(
    plan: Plan,
    path: Path,
    people: Mapping[str, Distributor],
    carried: Carried,
    faults: list[InputFault],
) -> tuple[tuple[OrderLine, ...], tuple[Refund, ...]]:
    """The sale lines and the refunds in the order of the file."""
    figures = tuple(volume.code for volume in plan.volumes if is_given(volume))
    book = Book(plan, people, carried, figures)
    rows = list(read_rows(path, needed=("order", *figures), known=KNOWN, faults=faults))
    for row in rows:
        if not row.text("refund_of"):
            read_line(book, row)
    number_orders(book)
    for row in rows:
        if row.text("refund_of"):
            read_refund(book, row)
    return tuple(book.sold.values()), tuple(book.refunds)


def is_given(volume: object) -> bool:
    """Whether a figure comes with the order; the others are derived."""
    return getattr(volume, "of", None) is None and getattr(volume, "amounts", None) is None


def read_line(book: Book, row: Row) -> None:
    order, line = row.needed("order"), row.text("line") or FIRST
    buyer = read_buyer(book, row)
    day = read_date(book, row)
    kind = read_kind(book.plan, row)
    volumes = {code: row.hundredths(code, signed=code == EITHER_SIGN) for code in book.figures}
    if (order, line) in book.sold or (order, line) in book.carried.sold:
        row.fault("line", f'line {line} of order "{order}" is there twice')
    if buyer is None or day is None or kind is None:
        return
    seller = buyer.name if CUSTOMER not in buyer.flags else buyer.sponsor or ""
    for name in dict.fromkeys((buyer.name, seller)):
        if name in book.people and day < (book.people[name].joined or day):
            row.fault("date", f'"{name}" had not joined yet')
    quantity = row.hundredths("quantity") if row.text("quantity") else None
    book.sold[order, line] = OrderLine(
        order, line, buyer.name, seller, kind, day, volumes, quantity, since=buyer.joined or 0
    )


def number_orders(book: Book) -> None:
    """Each buyer's orders by their days, those of one day as the file has them."""
    numbers: dict[tuple[str, str], int] = {}
    so_far = dict(book.carried.bought)
    for line in sorted(book.sold.values(), key=lambda line: line.day):
        if (line.buyer, line.order) not in numbers:
            so_far[line.buyer] = so_far.get(line.buyer, 0) + 1
            numbers[line.buyer, line.order] = so_far[line.buyer]
    for key, line in book.sold.items():
        book.sold[key] = replace(line, number=numbers[line.buyer, line.order])


def read_buyer(book: Book, row: Row) -> Distributor | None:
    named = [column for column in ("buyer", "seller") if row.text(column)]
    if len(named) != 1:
        row.fault("buyer", "an order has a buyer, or a seller who is credited with it")
        return None
    name = row.text(named[0])
    if name not in book.people and book.people:
        row.fault(named[0], f'there is no distributor "{name}"')
    return book.people.get(name)


def read_date(book: Book, row: Row) -> int | None:
    row.needed("date")
    day = row.day("date")
    last = book.carried.last_day
    if day is not None and last is not None and day <= last:
        row.fault("date", "lies in a period that the state has already closed")
    return day


def read_kind(plan: Plan, row: Row) -> int | None:
    """The place of the kind in the plan; a plan with one kind needs no word for it."""
    kind = row.text("kind") or (plan.kinds[0] if len(plan.kinds) == 1 else "")
    if kind in plan.kinds:
        return plan.kinds.index(kind)
    row.fault("kind", f'"{kind}" is not a kind of order of the plan: {", ".join(plan.kinds)}')
    return None


# Refunds


def read_refund(book: Book, row: Row) -> None:
    day, sale = read_date(book, row), refunded_line(book, row)
    if day is None or sale is None:
        return
    if day < sale.day:
        row.fault("date", f'comes before the order "{sale.order}" was made')
    for column, what in (("buyer", sale.buyer), ("seller", sale.seller)):
        if row.text(column) and row.text(column) != what:
            row.fault(column, f'order "{sale.order}" has the {column} "{what}"')
    refund = Refund(
        row.text("order"),
        sale.key,
        day,
        refunded_figures(book, row, sale),
        refunded_pieces(book, row, sale),
    )
    refuse_too_much(book, row, sale, refund)
    book.refunds.append(refund)


def refuse_too_much(book: Book, row: Row, sale: OrderLine, refund: Refund) -> None:
    """Adds up what came back of a line, figure by figure; "" is its measure over earlier runs."""
    so_far = book.returned.setdefault(sale.key, {"": book.carried.returned.get(sale.key, 0)})
    parts = {"": (sale.part(refund), sale.whole)}
    parts |= {code: (figure, sale.volumes[code]) for code, figure in refund.volumes.items()}
    for code, (part, whole) in parts.items():
        so_far[code] = so_far.get(code, 0) + part
        if abs(so_far[code]) > abs(whole):
            row.fault(code or "refund_of", f'more than was sold on order "{sale.order}"')


def refunded_line(book: Book, row: Row) -> OrderLine | None:
    order, line = row.text("refund_of"), row.text("line")
    lines = [sale for sale in (*book.carried.sold.values(), *book.sold.values())
             if sale.order == order and line in ("", sale.line)]  # fmt: skip
    if len(lines) == 1:
        return lines[0]
    what = f'"{order}"' + (f", line {line}" if line else "")
    row.fault("refund_of", f"there is no order {what}" if not lines else
              f"order {what} has {len(lines)} lines: name one in the column line")  # fmt: skip
    return None


def refunded_figures(book: Book, row: Row, sale: OrderLine) -> dict[str, int]:
    if not any(row.text(code) for code in (*book.figures, "quantity")):
        return dict(sale.volumes)
    return {code: row.hundredths(code, signed=code == EITHER_SIGN) for code in sale.volumes}


def refunded_pieces(book: Book, row: Row, sale: OrderLine) -> int | None:
    if sale.quantity is None:
        if row.text("quantity"):
            row.fault("quantity", f'order "{sale.order}" was made without one')
        return None
    if row.text("quantity"):
        return row.hundredths("quantity")
    if any(row.text(code) for code in book.figures):
        row.fault("quantity", f'how much of order "{sale.order}" came back?')
    return sale.quantity

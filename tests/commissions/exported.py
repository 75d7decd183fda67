"""The facts of a period as the simulator's files, and its lines in the words of both.

lines, state = simulated(folder, document, period, state)
assert booked(period) == lines
"""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from commerce.models import Customer, Order, VolumeEntry
from commissions.earnings import line_by_key
from commissions.engine import load_plan
from commissions.models import CommissionPeriod, LedgerEntry
from commissions.simulation.periods import run
from commissions.simulation.printing import as_document
from commissions.simulation.reading import read_company
from genealogy.models import Distributor, DistributorAttribute, DistributorPosition

Line = tuple[Any, ...]
FIGURES = ("pv", "cv", "margin")


def simulated(
    folder: Path, document: dict[str, Any], period: CommissionPeriod, state: Any = None
) -> tuple[Counter[Line], Any]:
    """What `simulate_plan` makes of the period's facts: its lines, and what it hands on."""
    found = worked_out(folder, document, period, state)
    return lines_in(found), found["state"]


def lines_in(found: dict[str, Any]) -> Counter[Line]:
    """The lines of what `worked_out` gives."""
    (last,) = found["periods"]
    return Counter(
        (row["distributor"], row["bonus"], row["level"], row["order"], row["amount"])
        for row in last["ledger"]
    )


def worked_out(
    folder: Path, document: dict[str, Any], period: CommissionPeriod, state: Any = None
) -> dict[str, Any]:
    """All that `simulate_plan` makes of the period's facts, as its JSON."""
    folder.mkdir(exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(document))
    write(folder / "distributors.csv", people_of(period))
    write(folder / "orders.csv", orders_of(period, document))
    where = None
    if state is not None:
        where = folder / "state.json"
        where.write_text(json.dumps(state))
    files = ("plan.json", "distributors.csv", "orders.csv")
    company = read_company(*(folder / name for name in files), where)
    until = (period.ends_on - type(period.ends_on)(1970, 1, 1)).days
    found: dict[str, Any] = json.loads(
        json.dumps(as_document(company, *run(company, "month", until)), default=str)
    )
    return found


def booked(period: CommissionPeriod) -> Counter[Line]:
    """The period's lines in the books, at payment and at the close."""
    lines = LedgerEntry.objects.filter(run__period=period).select_related(
        "distributor", "bonus", "volume_entry__order_item__order"
    )
    return Counter(
        (
            line.distributor.number,
            line.bonus.code,
            line.level,
            order_of(line),
            str(line.amount),
        )
        for line in lines
    )


def order_of(line: LedgerEntry) -> str | None:
    """The order a line was paid on. One that takes a line of no order back names the refund, if it
    was a single one; the simulator names none."""
    undone = line_by_key(line.reverses_id) if line.reverses_id else line
    if undone is None or undone.volume_entry is None:
        return None
    return str(undone.volume_entry.order_item.order.number)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def people_of(period: CommissionPeriod) -> list[dict[str, Any]]:
    """Everybody, with places and what each holds on the period's last day, and their customers."""
    held = DistributorAttribute.objects.filter(superseded_at=None, valid_from__lte=period.ends_on)
    held = held.exclude(valid_to__lte=period.ends_on)
    ladders = sorted({f"rank_{row.ladder}" for row in held if row.ladder})
    rows = []
    for person in Distributor.objects.order_by("pk"):
        mine = held.filter(distributor=person)
        place = DistributorPosition.objects.filter(distributor=person, tree="placement").last()
        parent = place and place.parent
        package = mine.filter(kind="package").first()
        gone = mine.filter(kind="status", code="left").first()
        rows.append(
            {
                "distributor": person.number,
                "sponsor": person.sponsor.number if person.sponsor else "",
                "enroller": person.enroller.number if person.enroller else "",
                "placement": parent.number if parent else "",
                "leg": place.leg if parent else "",
                "joined": person.joined_on,
                "package": package.code if package else "",
                "flags": " ".join(mine.filter(kind="mark").values_list("code", flat=True)),
                "left_on": gone.valid_from if gone else "",
                **dict.fromkeys(ladders, ""),
                **{f"rank_{row.ladder}": row.code for row in mine.filter(kind="rank")},
            }
        )
    if not any(row["package"] for row in rows):
        for row in rows:
            del row["package"]
    return rows + [customer_row(customer, rows[0]) for customer in customers()]


def customers() -> list[Customer]:
    return list(Customer.objects.exclude(kind__in=["self", "walk_in"]).order_by("pk"))


def customer_row(customer: Customer, like: dict[str, Any]) -> dict[str, Any]:
    """A customer, who is there from the day from which his orders count him."""
    first = customer.orders.paid().order_by("buyer_number").first()
    seller = customer.distributor
    return dict.fromkeys(like, "") | {
        "distributor": customer.number,
        "sponsor": seller.number if seller else "",
        "joined": first.buyer_since if first else "",
        "flags": "customer",
    }


def name_of_buyer(order: Order) -> str:
    """The distributor himself, or his customer."""
    customer = order.customer
    seller = customer.distributor
    return seller.number if seller and customer.kind == "self" else customer.number


def orders_of(period: CommissionPeriod, document: dict[str, Any]) -> list[dict[str, Any]]:
    """The period's sales and refunds with the figures that the plan knows."""
    plan = load_plan(document)
    figures = [volume.code for volume in plan.volumes if volume.code in FIGURES]
    entries = VolumeEntry.objects.counting_in(period.starts_on, period.ends_on).order_by("pk")
    rows = []
    for entry in entries.select_related(
        "order_item__order__customer__distributor", "refund_item__refund"
    ):
        is_refund = entry.refund_item is not None
        order = entry.order_item.order.number
        pieces = entry.refund_item.quantity if entry.refund_item else entry.order_item.quantity
        rows.append(
            {
                "order": f"R{entry.pk}" if is_refund else order,
                "buyer": "" if is_refund else name_of_buyer(entry.order_item.order),
                "kind": "" if is_refund else entry.order_class,
                "date": entry.counts_on,
                "quantity": pieces,
                "refund_of": order if is_refund else "",
                **{code: abs(getattr(entry, code)) for code in figures},
            }
        )
    return rows + [order_row(order, rows[0]) for order in without_volume(period)]


def without_volume(period: CommissionPeriod) -> list[Order]:
    """Orders that give no volume, as kits do: they count among those of their buyers."""
    paid = Order.objects.filter(paid_at__date__range=(period.starts_on, period.ends_on))
    return list(paid.filter(items__volume_entries=None).select_related("customer__distributor"))


def order_row(order: Order, like: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(like, "0") | {
        "order": order.number,
        "buyer": name_of_buyer(order),
        "kind": order.order_class,
        "date": order.paid_at and order.paid_at.date(),
        "quantity": "1",
        "refund_of": "",
    }

"""Customers of distributors from a file. Consent to marketing is never taken from one."""

from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.history import record_many
from accounts.imports.bulk import copy_rows, take_ids
from accounts.imports.kinds import Field, ImportKind, Part, Record
from accounts.models import User
from accounts.numbering import take_numbers
from commerce.models import Customer
from genealogy.models import Distributor

FIELDS = {
    "external_reference": Field(required=True, longest=60),
    "distributor": Field(required=True, longest=20),
    "kind": Field(longest=9),
    "first_name": Field(longest=100),
    "last_name": Field(longest=100),
    "email": Field(longest=254),
    "phone": Field(longest=20),
    "country": Field(longest=60),
    "date_of_birth": Field("date"),
    "language": Field(longest=10),
}
REASON = "Imported"
COLUMNS = """id number external_reference kind distributor_id first_name last_name email phone
    country date_of_birth preferred_language billing_address shipping_addresses payment_methods
    marketing_opt_in auto_ship_enabled loyalty_points lifetime_value status notes created_at
    updated_at"""
KINDS = {Customer.Kind.RETAIL, Customer.Kind.PREFERRED}


def book_customers(part: Part) -> None:
    """Add customers under their distributors; one whose reference is there is left as it is."""
    records = part.open_records()
    sellers = dict(
        Distributor.objects.filter(
            number__in={record.values["distributor"] for record in records}
        ).values_list("number", "id")
    )
    booked = dict(
        Customer.objects.filter(
            external_reference__in={record.values["external_reference"] for record in records}
        ).values_list("external_reference", "distributor__number")
    )
    fresh: dict[str, Record] = {}
    for record in records:
        reference = record.values["external_reference"]
        if reference in fresh:
            column = part.mapping.column_of("external_reference")
            record.reject(column, "Customer named twice in the file", reference)
        elif reference in booked:
            _compare(record, booked[reference], part)
        elif _is_possible(record, sellers, part):
            fresh[reference] = record
    if fresh:
        _write(list(fresh.values()), sellers, part.actor)


def _compare(record: Record, seller: str | None, part: Part) -> None:
    if record.values["distributor"] == seller:
        record.leave()
    else:
        column = part.mapping.column_of("distributor")
        detail = f"{record.values['external_reference']} belongs to {seller or 'nobody'}"
        record.reject(column, "Already booked under another distributor", detail)


def _is_possible(record: Record, sellers: dict[str, int], part: Part) -> bool:
    values = record.values
    if values["distributor"] not in sellers:
        column = part.mapping.column_of("distributor")
        record.reject(column, "Unknown distributor", values["distributor"])
    elif (values["kind"] or Customer.Kind.RETAIL) not in KINDS:
        record.reject(part.mapping.column_of("kind"), "Not a kind of customer", values["kind"])
    elif values["email"] and "@" not in values["email"]:
        record.reject(part.mapping.column_of("email"), "Not an e-mail address", values["email"])
    return record.is_open


def _write(records: list[Record], sellers: dict[str, int], actor: User | None) -> None:
    ids = take_ids("commerce_customer", len(records))
    numbers = take_numbers("C", len(records))
    now = timezone.now()
    rows = (
        _row(pk, number, record.values, sellers, now)
        for pk, number, record in zip(ids, numbers, records, strict=True)
    )
    copy_rows("commerce_customer", COLUMNS, rows)
    record_many(Customer, ids, kind="+", actor=actor, reason=REASON)


def _row(
    pk: int, number: str, values: dict[str, Any], sellers: dict[str, int], now: Any
) -> tuple[Any, ...]:
    return (
        pk,
        number,
        values["external_reference"],
        values["kind"] or Customer.Kind.RETAIL,
        sellers[values["distributor"]],
        values["first_name"],
        values["last_name"],
        values["email"],
        values["phone"],
        values["country"],
        values["date_of_birth"],
        values["language"] or "en",
        "{}",
        "[]",
        "[]",
        False,
        False,
        0,
        0,
        "active",
        "",
        now,
        now,
    )


CUSTOMERS = ImportKind(
    name="customers",
    label="Customers",
    fields=FIELDS,
    book=book_customers,
    mappings=Path(__file__).resolve().parent.parent / "mappings",
    tables=("commerce_customer",),
)

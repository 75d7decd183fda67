"""The demo company's files with their days moved into the present, by whole months.

November 2011 becomes the current month, so the month before it is the one that gets closed. What
would lie in the future is left out. Every third of those who sponsored nobody is not a distributor
but a retail customer of the one above, so that there are retail sales too.

Customers and invoices get a 1 before their number, and distributors count from D-100001, so that
the whole of the data can be imported beside the demo company without meeting it.
"""

import csv
import gzip
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from compliance.demo.people import Person, person
from compliance.demo.staff import SIGN_INS

NETWORK = Path(settings.BASE_DIR) / "genealogy" / "demo" / "distributors.csv"
ORDERS = Path(settings.BASE_DIR) / "commerce" / "demo" / "orders.csv.gz"
OPEN_MONTH = date(2011, 11, 1)
FIRST_NUMBER = 100_001
MARK = "1"
INVOICE = re.compile(r"(\D*)(\d+)")


@dataclass(frozen=True)
class Member:
    """A line of the network file with the invented person who stands for it.

    `number` and `sponsor` are the file's; `own_number` is the demo company's, D-100001 at the top.
    """

    number: str
    own_number: str
    sponsor: str
    joined_on: date
    reference: str
    person: Person
    name: str
    is_customer: bool


@dataclass(frozen=True)
class Figures:
    """Both files as of a moment, shifted so that the open month is the current one."""

    now: datetime

    @property
    def months(self) -> int:
        """By how many whole months the days are moved."""
        return (self.now.year - OPEN_MONTH.year) * 12 + self.now.month - OPEN_MONTH.month

    @property
    def open_month(self) -> date:
        return self.shifted(OPEN_MONTH)

    @property
    def closed_month(self) -> date:
        return self.shifted(date(OPEN_MONTH.year, OPEN_MONTH.month - 1, 1))

    def shifted(self, day: date) -> date:
        """The same day of the month, or its last where the month is shorter."""
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

    @cached_property
    def members(self) -> list[Member]:
        with NETWORK.open(newline="") as file:
            rows = list(csv.DictReader(file))
        sponsors = {row["sponsor_number"] for row in rows}
        named = {sign_in.number: sign_in.name for sign_in in SIGN_INS if sign_in.number}
        taken = set(named.values())
        return [self._member(place, row, sponsors, named, taken) for place, row in enumerate(rows)]

    def _member(
        self,
        place: int,
        row: dict[str, str],
        sponsors: set[str],
        named: dict[str, str],
        taken: set[str],
    ) -> Member:
        number = row["distributor_number"]
        invented = person(place, row["country"])
        name = named.get(number) or invented.name
        if number not in named and name in taken:
            name = person(place + 1000, row["country"]).name
        return Member(
            number=number,
            own_number=f"D-{FIRST_NUMBER + place}",
            sponsor=row["sponsor_number"],
            joined_on=self.shifted(date.fromisoformat(row["joined_on"])),
            reference=f"{MARK}{row['customer_id']}",
            person=invented,
            name=name,
            is_customer=number not in sponsors and number not in named and place % 3 == 0,
        )

    @cached_property
    def distributors(self) -> list[Member]:
        return [member for member in self.members if not member.is_customer]

    @cached_property
    def customers(self) -> list[Member]:
        return [member for member in self.members if member.is_customer]

    @cached_property
    def own_numbers(self) -> dict[str, str]:
        return {member.number: member.own_number for member in self.members}

    # The files to import, line by line

    def distributor_rows(self) -> Iterator[dict[str, object]]:
        for member in self.distributors:
            yield {
                "distributor_number": member.own_number,
                "sponsor_number": self.own_numbers.get(member.sponsor, ""),
                "joined_on": member.joined_on,
                "display_name": member.name,
                "customer_id": member.reference,
                "country": member.person.country,
            }

    def customer_rows(self) -> Iterator[dict[str, object]]:
        for member in self.customers:
            yield {
                "customer_id": member.reference,
                "distributor_number": self.own_numbers[member.sponsor],
                "kind": "retail",
                "first_name": member.person.first_name,
                "last_name": member.person.last_name,
                "email": member.person.email,
                "country": member.person.country,
            }

    def order_rows(self) -> Iterator[dict[str, object]]:
        """The lines of the order file that are not in the future, their moments shifted."""
        with gzip.open(ORDERS, "rt", newline="") as file:
            for row in csv.DictReader(file):
                moment = datetime.fromisoformat(row["InvoiceDate"])
                placed = datetime.combine(self.shifted(moment.date()), moment.time())
                if timezone.make_aware(placed) < self.now:
                    yield row | {
                        "InvoiceDate": placed,
                        "InvoiceNo": INVOICE.sub(rf"\g<1>{MARK}\g<2>", row["InvoiceNo"]),
                        "CustomerID": f"{MARK}{row['CustomerID']}",
                    }

"""The register of a batch as files: what the bank is told to pay, readable by people and machines.

Rendered once at export and kept byte for byte. Text that a spreadsheet would run as a formula is
made inert; account numbers are text, so that no leading zero gets lost.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import xlsxwriter
from django.utils import timezone

from commissions.models import Payout, PayoutBatch

HEADER = [
    "line",
    "payout_number",
    "distributor_number",
    "beneficiary",
    "method",
    "account",
    "routing",
    "address",
    "amount",
    "currency",
    "approved_by",
    "approved_at_utc",
    "approval_hash",
]
AMOUNT_COLUMN = HEADER.index("amount")
WIDTHS = [6, 15, 18, 30, 16, 30, 16, 40, 14, 9, 28, 20, 20]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")

ACCOUNT_KEYS = ("iban", "account_number", "vpa", "email", "wallet_address", "account_id")
ROUTING_KEYS = ("sort_code", "ifsc", "routing_number", "bic", "network", "provider")
ADDRESS_KEYS = ("line1", "line2", "city", "postcode", "country")


@dataclass(frozen=True)
class Register:
    """A batch with its items, in the order of payout numbers, ready to be written."""

    batch: PayoutBatch
    payouts: list[Payout]
    generated_at: datetime

    @property
    def control_sum(self) -> Decimal:
        return sum((payout.net_amount for payout in self.payouts), Decimal("0.00"))

    def rows(self) -> Iterator[list[str | int | Decimal]]:
        for line, payout in enumerate(self.payouts, start=1):
            yield [line, *item_cells(payout)]

    def totals(self) -> list[str | int | Decimal]:
        empty = [""] * (AMOUNT_COLUMN - 2)
        return ["Total", len(self.payouts), *empty, self.control_sum, self.batch.currency]

    def facts(self) -> list[tuple[str, str]]:
        """What the file says about itself."""
        local = timezone.localtime(self.generated_at)
        return [
            ("batch", self.batch.number),
            ("payouts", str(len(self.payouts))),
            ("control_sum", f"{self.control_sum:.2f}"),
            ("currency", self.batch.currency),
            ("content_sha256", self.batch.content_hash),
            ("made_by", self.batch.created_by.email),
            ("approved_by", self.batch.approved_by.email if self.batch.approved_by else ""),
            ("generated_at_utc", self.generated_at.astimezone(UTC).isoformat(timespec="seconds")),
            ("generated_at_local", local.isoformat(timespec="seconds")),
        ]


def item_cells(payout: Payout) -> list[str | int | Decimal]:
    details = payout.method.details
    approver, approved_at = payout.approved_by, payout.approved_at
    return [
        payout.number,
        payout.distributor.number,
        payout.method.holder_name,
        payout.method.get_kind_display(),
        first_of(details, ACCOUNT_KEYS),
        first_of(details, ROUTING_KEYS),
        ", ".join(details[key] for key in ADDRESS_KEYS if details.get(key)),
        payout.net_amount,
        payout.currency,
        approver.email if approver else "",
        approved_at.astimezone(UTC).isoformat(timespec="seconds") if approved_at else "",
        payout.approval_hash,
    ]


def first_of(details: dict[str, str], keys: tuple[str, ...]) -> str:
    return next((details[key] for key in keys if details.get(key)), "")


def inert(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def render_csv(register: Register) -> bytes:
    """UTF-8 with a byte order mark, CRLF: header, items, totals row, a blank line, the facts."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(HEADER)
    for row in [*register.rows(), register.totals()]:
        writer.writerow([csv_cell(value) for value in row])
    writer.writerow([])
    writer.writerows((name, inert(value)) for name, value in register.facts())
    return buffer.getvalue().encode("utf-8-sig")


def csv_cell(value: str | int | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return inert(value) if isinstance(value, str) else str(value)


def render_xlsx(register: Register) -> bytes:
    """Two sheets: `Payouts` with the items and a totals row, `Batch` with the facts."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": register.batch.number, "created": register.generated_at})
        bold = book.add_format({"bold": True})
        text = book.add_format({"num_format": "@"})
        money = book.add_format({"num_format": "#,##0.00"})
        total = book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
        sheet = book.add_worksheet("Payouts")
        sheet.freeze_panes(1, 2)
        for column, (name, width) in enumerate(zip(HEADER, WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, name, bold)
        for line, row in enumerate(register.rows(), start=1):
            write_row(sheet, line, row, text, money)
        write_row(sheet, len(register.payouts) + 1, register.totals(), bold, total)
        about = book.add_worksheet("Batch")
        about.set_column(0, 0, 22)
        about.set_column(1, 1, 70)
        for line, (name, value) in enumerate(register.facts()):
            about.write_string(line, 0, name, bold)
            about.write_string(line, 1, value, text)
    return buffer.getvalue()


def write_row(
    sheet: xlsxwriter.worksheet.Worksheet,
    line: int,
    row: list[str | int | Decimal],
    text: xlsxwriter.format.Format,
    number: xlsxwriter.format.Format,
) -> None:
    """Text as typed text, never as a formula; amounts as numbers."""
    for column, value in enumerate(row):
        if isinstance(value, Decimal):
            sheet.write_number(line, column, value, number)
        elif isinstance(value, int):
            sheet.write_number(line, column, value)
        else:
            sheet.write_string(line, column, value, text)

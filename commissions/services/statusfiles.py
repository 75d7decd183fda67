"""What the bank says became of a batch: a CSV file, booked whole or not at all.

payout_number,status,amount,bank_reference,reason
P-000012,completed,120.50,FT26325A001,
P-000013,failed,80.00,,Account closed
"""

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.db import transaction

from accounts.audit import record
from accounts.events import told_together
from accounts.models import User
from commissions.models import Payout, PayoutBatch, StatusFile
from commissions.services.batches import BatchRefused, locked, must, settle_if_ended
from commissions.services.payouts import complete_payout, fail_payout, hold_payees, return_payout
from mlmcrm.money import quantise

HEADER = ["payout_number", "status", "amount", "bank_reference", "reason"]
OUTCOMES = ("completed", "failed", "returned")
MAX_BYTES = 512 * 1024
IMPORTABLE = (PayoutBatch.Status.EXPORTED, PayoutBatch.Status.SETTLED)


@dataclass(frozen=True)
class LineError:
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.column}: {self.message}"


@dataclass(frozen=True)
class StatusLine:
    """One line as it stands in the file."""

    line: int
    payout_number: str
    status: str
    amount: str
    bank_reference: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """One checked line with its payout; `is_new` is false when it was booked before."""

    line: StatusLine
    payout: Payout
    is_new: bool


@dataclass
class Preview:
    """What an import would do, or why it cannot."""

    sha256: str
    outcomes: list[Outcome] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)
    imported_before: StatusFile | None = None

    @property
    def new(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.is_new]

    @property
    def counts(self) -> Counter[str]:
        return Counter(outcome.line.status for outcome in self.new)

    @property
    def sums(self) -> dict[str, Decimal]:
        sums = dict.fromkeys(OUTCOMES, Decimal("0.00"))
        for outcome in self.new:
            sums[outcome.line.status] += outcome.payout.net_amount
        return sums


class StatusFileRefused(BatchRefused):
    """The file has errors; nothing of it was booked."""

    def __init__(self, errors: list[LineError]) -> None:
        self.errors = errors
        super().__init__(f"{errors[0]} ({len(errors)} in all)" if errors else "Empty file.")


def template_csv() -> bytes:
    """An empty status file with the right header."""
    return (",".join(HEADER) + "\r\n").encode()


def preview_status_file(*, batch: PayoutBatch, content: bytes) -> Preview:
    """Check a file against a batch without changing anything."""
    preview = Preview(sha256=hashlib.sha256(content).hexdigest())
    preview.imported_before = batch.status_files.filter(sha256=preview.sha256).first()
    if batch.status not in IMPORTABLE:
        preview.errors.append(
            LineError(1, "file", f"{batch.number} is {batch.status}; export it first.")
        )
        return preview
    lines, preview.errors = read_lines(content)
    if not preview.errors:
        preview.outcomes, preview.errors = match_lines(batch, lines)
    return preview


@transaction.atomic
@told_together()
def import_status_file(
    *, batch: PayoutBatch, file_name: str, content: bytes, actor: User
) -> StatusFile:
    """Book what the bank says: all lines in one transaction, or none.

    The same file again gives the first import and books nothing; a line that was booked before is
    passed over. Raises StatusFileRefused with every error by line and column.
    """
    must(actor, "commissions.add_payoutbatch", "import status files")
    batch = locked(batch.pk)
    preview = preview_status_file(batch=batch, content=content)
    if preview.imported_before:
        return preview.imported_before
    if preview.errors:
        raise StatusFileRefused(preview.errors)
    hold_payees(outcome.payout for outcome in preview.new)
    for outcome in sorted(preview.new, key=lambda outcome: outcome.payout.pk):
        book(outcome, actor)
    counts = preview.counts
    status_file = StatusFile.objects.create(
        batch=batch,
        file_name=file_name[-200:],
        sha256=preview.sha256,
        completed_count=counts["completed"],
        failed_count=counts["failed"] + counts["returned"],
        imported_by=actor,
    )
    record(
        actor=actor,
        action="status_file.imported",
        target=batch,
        after={"file": status_file.file_name, "sha256": preview.sha256, **counts},
    )
    settle_if_ended(batch, actor)
    return status_file


def book(outcome: Outcome, actor: User) -> None:
    line, payout = outcome.line, outcome.payout
    if line.status == "failed":
        return fail_payout(payout, line.reason, actor)
    if payout.status == Payout.Status.PROCESSING:
        complete_payout(payout, line.bank_reference, actor)
    if line.status == "returned":
        return_payout(payout, line.reason, actor)
    return None


# Reading


def read_lines(content: bytes) -> tuple[list[StatusLine], list[LineError]]:
    """The lines of the file, or what is wrong with its shape."""
    if len(content) > MAX_BYTES:
        return [], [LineError(1, "file", f"It is larger than {MAX_BYTES // 1024} KB.")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], [LineError(1, "file", "It is not UTF-8 text.")]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return [], [LineError(1, "file", f"It is not a CSV file: {error}.")]
    if not rows or [name.strip().lower() for name in rows[0]] != HEADER:
        return [], [LineError(1, "header", f"The header is {','.join(HEADER)}.")]
    lines, errors = [], []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) == len(HEADER):
            lines.append(StatusLine(number, *(cell.strip() for cell in row)))
        elif any(cell.strip() for cell in row):
            message = f"{len(row)} columns instead of {len(HEADER)}."
            errors.append(LineError(number, "line", message))
    if not lines and not errors:
        errors.append(LineError(2, "file", "There is no line in it."))
    return lines, errors


def match_lines(
    batch: PayoutBatch, lines: list[StatusLine]
) -> tuple[list[Outcome], list[LineError]]:
    """Each line with its payout, and every error of every line."""
    payouts = {
        payout.number: payout
        for payout in Payout.objects.filter(number__in={line.payout_number for line in lines})
        .select_related("distributor", "method", "batch")
        .order_by("pk")
    }
    references = Counter(line.bank_reference for line in lines if line.bank_reference)
    taken = dict(
        Payout.objects.filter(reference_number__in=references).values_list(
            "reference_number", "number"
        )
    )
    outcomes, errors, seen = [], [], set()
    for line in lines:
        payout = payouts.get(line.payout_number)
        found = line_errors(batch, line, payout)
        if line.payout_number in seen:
            found.append(("payout_number", "This payout stands in the file twice."))
        seen.add(line.payout_number)
        owner = taken.get(line.bank_reference, line.payout_number)
        if owner != line.payout_number:
            found.append(("bank_reference", f"{owner} has this reference already."))
        elif line.status == "completed" and references[line.bank_reference] > 1:
            found.append(("bank_reference", "This reference stands in the file twice."))
        errors += [LineError(line.line, column, message) for column, message in found]
        if payout and not found:
            outcomes.append(Outcome(line, payout, is_new=payout.status != line.status))
    return outcomes, errors


def line_errors(
    batch: PayoutBatch, line: StatusLine, payout: Payout | None
) -> list[tuple[str, str]]:
    """What is wrong with one line: pairs of column and message."""
    if payout is None:
        return [("payout_number", f"There is no payout {line.payout_number or 'without number'}.")]
    if payout.batch_id != batch.pk:
        where = f"in batch {payout.batch}" if payout.batch else "in no batch"
        return [("payout_number", f"{payout.number} is {where}, not in {batch.number}.")]
    if line.status not in OUTCOMES:
        return [("status", f"It is one of {', '.join(OUTCOMES)}.")]
    errors = []
    if read_amount(line.amount) != payout.net_amount:
        errors.append(("amount", f"{payout.number} is {payout.net_amount:.2f}."))
    if line.status == "completed" and not line.bank_reference:
        errors.append(("bank_reference", "A completed payout has the bank's reference."))
    if len(line.bank_reference) > 100:
        errors.append(("bank_reference", "It is longer than 100 characters."))
    if line.status != "completed" and not line.reason:
        errors.append(("reason", "Say why, so that the distributor can act on it."))
    errors += contradiction(line, payout)
    return errors


def contradiction(line: StatusLine, payout: Payout) -> list[tuple[str, str]]:
    """A line that does not follow from what was booked before."""
    follows = {
        Payout.Status.PROCESSING: OUTCOMES,
        Payout.Status.COMPLETED: ("completed", "returned"),
        Payout.Status.FAILED: ("failed",),
        Payout.Status.RETURNED: ("returned",),
    }
    if line.status not in follows.get(Payout.Status(payout.status), ()):
        return [("status", f"{payout.number} is {payout.status}; it cannot become {line.status}.")]
    repeated = line.status == payout.status == Payout.Status.COMPLETED
    if repeated and line.bank_reference != payout.reference_number:
        return [("bank_reference", f"{payout.number} was paid under another reference.")]
    return []


def read_amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
        return quantise(amount) if amount.is_finite() and amount == quantise(amount) else None
    except InvalidOperation:
        return None

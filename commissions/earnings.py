"""What a distributor earned: by period, by bonus, line by line. Final lines only.

A line of a close appears when its period is finalized, a line at payment as soon as it is written;
the ledger table holds nothing else. A line is named by its period, run and place: 2026-10, 1-45.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts.csv_files import as_text
from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry
from commissions.models.ledger import PLACE_BITS
from genealogy.models import Distributor
from mlmcrm.money import ZERO

PAGE = 50


@dataclass
class PeriodTotal:
    """A period with what it brought at payment and at its close."""

    period: CommissionPeriod
    at_payment: Decimal = ZERO
    at_close: Decimal = ZERO
    lines: int = 0

    @property
    def total(self) -> Decimal:
        return self.at_payment + self.at_close

    @property
    def is_open(self) -> bool:
        return self.period.status == CommissionPeriod.Status.OPEN

    @property
    def is_final(self) -> bool:
        return self.period.status == CommissionPeriod.Status.FINALIZED


def period_totals(distributor: Distributor) -> list[PeriodTotal]:
    """Every period with a line for the distributor or still on its way, newest first."""
    sums = (
        LedgerEntry.objects.filter(distributor=distributor)
        .values("run__period", "run__kind")
        .annotate(total=Sum("amount"), lines=Count("id"))
        .order_by()
    )
    rows = list(sums)
    wanted = Q(pk__in={row["run__period"] for row in rows})
    periods = CommissionPeriod.objects.filter(wanted | ~Q(status="finalized"))
    totals = {period.pk: PeriodTotal(period) for period in periods.order_by("-starts_on")}
    for row in rows:
        total = totals[row["run__period"]]
        total.lines += row["lines"]
        if row["run__kind"] == CommissionRun.Kind.PAYMENT:
            total.at_payment += row["total"]
        else:
            total.at_close += row["total"]
    return list(totals.values())


@dataclass
class BonusTotal:
    """What one bonus brought in a period, and what refunds took back of it."""

    code: str
    name: str
    trigger: str
    total: Decimal
    taken_back: Decimal
    lines: int


class PeriodLines:
    """The lines of one distributor in one period."""

    def __init__(self, distributor: Distributor, period: CommissionPeriod) -> None:
        self.distributor = distributor
        self.period = period

    @cached_property
    def runs(self) -> dict[int, CommissionRun]:
        """The runs of the period that can have final lines, by number."""
        runs = CommissionRun.objects.filter(period=self.period, status__in=["started", "done"])
        return {run.number: run for run in runs}

    @cached_property
    def entries(self) -> QuerySet[LedgerEntry]:
        # The runs are named so that the database opens only their partitions.
        pks = [run.pk for run in self.runs.values()]
        return LedgerEntry.objects.filter(run__in=pks, distributor=self.distributor)

    def by_bonus(self) -> list[BonusTotal]:
        sums = (
            self.entries.values("bonus__code", "bonus__name", "bonus__trigger", "bonus__position")
            .annotate(
                total=Sum("amount"),
                taken_back=Sum("amount", filter=Q(reverses_id__isnull=False)),
                lines=Count("id"),
            )
            .order_by("bonus__position", "bonus__code")
        )
        return [
            BonusTotal(
                code=row["bonus__code"],
                name=row["bonus__name"],
                trigger=row["bonus__trigger"],
                total=row["total"],
                taken_back=row["taken_back"] or ZERO,
                lines=row["lines"],
            )
            for row in sums
        ]

    def page(self, bonus: str = "", after: str = "") -> tuple[list[LedgerEntry], str]:
        """Fifty lines, newest first, below the line named `after`; and the name to go on from."""
        lines = self.entries.filter(bonus__code=bonus) if bonus else self.entries
        if after:
            lines = lines.filter(pk__lt=self.key(after))
        found = list(with_sources(lines).order_by("-pk")[: PAGE + 1])
        return found[:PAGE], reference(found[PAGE - 1]) if len(found) > PAGE else ""

    def key(self, name: str) -> int:
        return line_key(self.runs, name)

    def every(self) -> Iterator[LedgerEntry]:
        """All lines in the order they were written, for an export."""
        return with_sources(self.entries).order_by("pk").iterator(chunk_size=2000)


def with_sources(lines: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """Lines with all that a row shows, in one statement."""
    return lines.select_related(
        "run__period", "bonus", "source_distributor", "volume_entry__order_item__order"
    )


def reference(line: LedgerEntry) -> str:
    """The name of a line within its period: run number and place, 1-45."""
    return f"{line.run.number}-{place_of(line.pk)}"


def place_of(key: int) -> int:
    """The place of a line in its run, out of its key."""
    return key & ((1 << PLACE_BITS) - 1)


def line_key(runs: dict[int, CommissionRun], name: str) -> int:
    """The key of a line by its name; -1 for a name that cannot be one."""
    number, _, place = name.partition("-")
    if not (number.isdecimal() and place.isdecimal() and len(name) < 20):
        return -1
    run = runs.get(int(number))
    return (run.pk << PLACE_BITS) + int(place) if run else -1


def find_line(period: CommissionPeriod, name: str) -> LedgerEntry | None:
    """The final line of a period with this name."""
    runs = {run.number: run for run in CommissionRun.objects.filter(period=period)}
    return line_by_key(line_key(runs, name))


def line_by_key(key: int) -> LedgerEntry | None:
    """A final line with all that its story needs."""
    lines = LedgerEntry.objects.filter(run__in=[key >> PLACE_BITS], pk=key)
    return lines.select_related(
        "run__period",
        "bonus__version__plan",
        "distributor",
        "source_distributor",
        "volume_entry__order_item__order",
        "volume_entry__order_item__product",
        "volume_entry__distributor",
        "volume_entry__refund_item__refund",
    ).first()


# Export

HEADINGS = [
    "Line",
    "Period",
    "Paid",
    "Bonus",
    "Source number",
    "Source name",
    "Order",
    "Level",
    "Base",
    "Rate",
    "Amount",
    "Currency",
    "Takes back line",
]


def taken_back_name(line: LedgerEntry, runs: dict[int, tuple[str, int]]) -> str:
    """The full name of the line that this one takes back, 2026-10/1-45; empty for a sale."""
    if line.reverses_id is None:
        return ""
    code, number = runs[line.reverses_id >> PLACE_BITS]
    return f"{code}/{number}-{place_of(line.reverses_id)}"


def export_row(line: LedgerEntry, runs: dict[int, tuple[str, int]]) -> list[Any]:
    """The columns of HEADINGS; `runs` names each run by period code and number."""
    source, entry = line.source_distributor, line.volume_entry
    at_payment = line.run.kind == CommissionRun.Kind.PAYMENT
    return [
        reference(line),
        line.period.code,
        "at payment" if at_payment else "at close",
        as_text(line.bonus.name),
        source.number if source else "",
        as_text(source.display_name) if source else "",
        entry.order_item.order.number if entry else "",
        line.level,
        line.base,
        line.rate,
        line.amount,
        line.period.currency,
        taken_back_name(line, runs),
    ]

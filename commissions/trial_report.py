"""A trial's report as its page shows it: figures, charts, and who gains and loses most."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from accounts.charts import Series
from accounts.csv_files import as_text
from commissions.known import seen
from commissions.models import PlanTrial, TrialEarning
from commissions.services.plan_reading import loaded
from commissions.services.trials import periods_done

PAGE = 25
HEADINGS = [
    "Distributor", "Name", "Paid", "By this plan", "Change", "Rank paid as", "Rank by this plan",
]  # fmt: skip


@dataclass
class Row:
    """One thing before and after."""

    name: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


class TrialReport:
    """Reads what a trial found. Money as decimals; shares of the commissionable volume."""

    def __init__(self, trial: PlanTrial) -> None:
        self.trial, self.report = trial, trial.report

    @property
    def done(self) -> int:
        return periods_done(self.trial)

    @property
    def whole(self) -> Row:
        return row_of("All", self.report)

    @property
    def share_before(self) -> Decimal | None:
        return self._share(self.whole.before)

    @property
    def share_after(self) -> Decimal | None:
        return self._share(self.whole.after)

    def _share(self, paid: Decimal) -> Decimal | None:
        volume = Decimal(self.report["volume"])
        return (paid / volume).quantize(Decimal("0.0001")) if volume > 0 else None

    @property
    def periods(self) -> list[Row]:
        return [row_of(row["name"], row) for row in self.report["periods"]]

    @property
    def bonuses(self) -> list[Row]:
        return [row_of(row["name"], row) for row in self.report["bonuses"]]

    @property
    def rewards(self) -> list[Row]:
        """What is given besides money, by how many; a trial from before this was told has none."""
        return [row_of(row["name"], row) for row in self.report.get("rewards", ())]

    @property
    def ranks(self) -> list[dict[str, Any]]:
        """From the highest rank down; what stands in no rank last."""
        return [row | {"name": row["name"] or "No rank"} for row in reversed(self.report["ranks"])]

    @property
    def distribution(self) -> list[Series]:
        """How many lose and gain how much, losses on the left."""
        rows = self.report["distribution"]
        points = [(class_name(row), Decimal(row["count"])) for row in rows]
        return [Series("Distributors", points)]

    @property
    def sides(self) -> str:
        """How many gain and how many lose."""
        winners, losers = (self.report[side]["count"] for side in ("winners", "losers"))
        return f"{winners:,} gain, {losers:,} lose"

    @property
    def changes_anything(self) -> bool:
        return self.trial.earnings.exists()

    @property
    def gains(self) -> QuerySet[TrialEarning]:
        """Those who gain most."""
        rows = self.trial.earnings.select_related("distributor").filter(change__gt=0)
        return rows.order_by("-change", "distributor")[:PAGE]

    @property
    def losses(self) -> QuerySet[TrialEarning]:
        """Those who lose most."""
        rows = self.trial.earnings.select_related("distributor").filter(change__lt=0)
        return rows.order_by("change", "distributor")[:PAGE]

    def every(self) -> Iterator[list[Any]]:
        """A line for the file for each distributor for whom something differs, losses first."""
        names = self.rank_names()
        rows = self.trial.earnings.select_related("distributor").order_by("change", "distributor")
        for row in rows.iterator(chunk_size=2_000):
            yield [
                row.distributor.number,
                as_text(row.distributor.display_name),
                row.before,
                row.after,
                row.change,
                names.get(row.rank_before, ""),
                names.get(row.rank_after, ""),
            ]

    def rank_names(self) -> dict[int, str]:
        ranks = seen(loaded(self.trial.version)).ranks
        return {level: rank.name for level, rank in enumerate(ranks, 1)}


def row_of(name: str, row: dict[str, Any]) -> Row:
    return Row(name, Decimal(row["before"]), Decimal(row["after"]))


def class_name(row: dict[str, Any]) -> str:
    """A class of the distribution by where it begins: minus 50, plus under 1, plus 1,000."""
    sign = "\u2212" if row["sign"] < 0 else "+"
    return f"{sign}{row['from']:,}" if row["from"] else f"{sign}<1"

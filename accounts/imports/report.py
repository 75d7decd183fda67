"""What became of every line, with sums that must add up to the file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from accounts.imports.errors import ImportRefused
from accounts.imports.kinds import Record, Rejection
from accounts.imports.parts import Sums

STATES = ("booked", "unchanged", "rejected")
SHOWN = 50


class SumsDiffer(ImportRefused):
    """Booked, unchanged and rejected lines are not the file. Nothing explains this but a fault."""


@dataclass
class Report:
    """Outcome by state and, for the rejected lines, by column and rule."""

    file: Sums
    by_state: dict[str, Sums] = field(default_factory=lambda: {key: Sums() for key in STATES})
    by_rule: dict[tuple[str, str], Sums] = field(default_factory=dict)
    first_rejects: list[dict[str, Any]] = field(default_factory=list)
    is_dry: bool = False
    is_partial: bool = False
    seconds: float = 0.0

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            self.by_state[record.state].add(record.quantity, record.amount)
            if record.rejection:
                self._add_rejection(record, record.rejection)

    def _add_rejection(self, record: Record, rejection: Rejection) -> None:
        key = (rejection.column, rejection.rule)
        self.by_rule.setdefault(key, Sums()).add(record.quantity, record.amount)
        if len(self.first_rejects) < SHOWN:
            self.first_rejects.append(
                {"line": record.line, "column": rejection.column, "reason": rejection.reason}
            )

    @property
    def accounted(self) -> Sums:
        return sum(self.by_state.values(), Sums())

    def prove(self) -> None:
        """Raises SumsDiffer unless every line, piece and penny of the file is accounted for."""
        if not self.is_partial and self.accounted != self.file:
            raise SumsDiffer(f"The file has {self.file}, accounted for are {self.accounted}.")

    def as_json(self) -> dict[str, Any]:
        rules = sorted(self.by_rule.items(), key=lambda item: -item[1].lines)
        return {
            "file": self.file.as_json(),
            **({"tried": self.accounted.as_json()} if self.is_partial else {}),
            **{state: sums.as_json() for state, sums in self.by_state.items()},
            "reasons": [
                {"column": column, "rule": rule, **sums.as_json()} for (column, rule), sums in rules
            ],
            "first_rejects": self.first_rejects,
            "dry_run": self.is_dry,
            "partial": self.is_partial,
            "seconds": round(self.seconds, 1),
        }

    def as_text(self, with_amounts: bool) -> str:
        """The report as a table for the terminal."""
        rows = [("file", self.file), *self.by_state.items()]
        lines = [_row(name, sums, with_amounts) for name, sums in rows]
        if self.by_rule:
            lines.append("rejected because:")
            ordered = sorted(self.by_rule.items(), key=lambda item: -item[1].lines)
            for (column, rule), sums in ordered:
                label = f"{rule} ({column})" if column and column not in rule else rule
                lines.append(_row(f"  {label}", sums, with_amounts))
        return "\n".join(lines)

    @property
    def outcome(self) -> str:
        """One sentence for a notice."""
        booked, unchanged, rejected = (self.by_state[state].lines for state in STATES)
        return f"{booked:,} lines booked, {unchanged:,} unchanged, {rejected:,} rejected."


def _row(name: str, sums: Sums, with_amounts: bool) -> str:
    row = f"{name:<58}{sums.lines:>10,} lines"
    if with_amounts:
        row += f"{sums.quantity:>13,} pieces{sums.amount:>19,.4f}"
    return row


class Rejects:
    """The rejects file: the original cells with line, column and reason, ready to be corrected."""

    def __init__(self, path: Path | None, columns: list[str]) -> None:
        self.path = path
        self._columns = columns
        self._file: Any = None

    def __enter__(self) -> "Rejects":
        if self.path:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            self.path.touch(mode=0o600)
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "column", "reason", *self._columns])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def write(self, records: Iterable[Record]) -> None:
        if not self._file:
            return
        for record in records:
            if record.rejection:
                why = record.rejection
                self._writer.writerow([record.line, why.column, why.reason, *record.cells])
        self._file.flush()

"""A CSV file as rows that know where they stand, and say so when something is wrong with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from commissions.engine.snapshot import LARGEST_VOLUME
from commissions.simulation.faults import InputFault

EPOCH = date(1970, 1, 1)
FIGURE = re.compile(r"-?[0-9]+(\.[0-9]+)?|-?\.[0-9]+")
OTHER_SEPARATORS = (";", "\t", "|")
LARGEST = Decimal(LARGEST_VOLUME).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file. A cell that is empty or not there reads as nothing."""

    file: str
    line: int
    cells: Mapping[str, str]
    faults: list[InputFault]

    def fault(self, column: str, message: str) -> None:
        self.faults.append(InputFault(self.file, self.line, column, message))

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def needed(self, column: str) -> str:
        if not self.text(column):
            self.fault(column, "is missing")
        return self.text(column)

    def day(self, column: str) -> int | None:
        """A date as a day counted from 1970-01-01."""
        if not self.text(column):
            return None
        try:
            day = date.fromisoformat(self.text(column))
        except ValueError:
            day = None
        if day is None or day.isoformat() != self.text(column):
            self.fault(column, f'"{self.text(column)}" is no date such as 2024-01-31')
            return None
        return (day - EPOCH).days

    def hundredths(self, column: str, *, signed: bool = False) -> int:
        """A decimal of at most two places as a whole number of hundredths; nothing is zero."""
        text = self.text(column)
        number = Decimal(text if FIGURE.fullmatch(text) else 0)
        if (text and not FIGURE.fullmatch(text)) or (number < 0 and not signed):
            self.fault(column, f'"{text}" is no figure such as 12.50')
        elif abs(number) > LARGEST or number.scaleb(2) != int(number.scaleb(2)):
            self.fault(column, f'"{text}" has more than two decimals or is too large')
        else:
            return int(number.scaleb(2))
        return 0


def read_rows(
    path: Path, *, needed: Collection[str], known: Collection[str], faults: list[InputFault]
) -> Iterator[Row]:
    """The rows of a CSV file in UTF-8; a header that can't be used is a fault and there are none.

    `known`: the other columns it may have. Cells are stripped; empty lines are passed over.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(InputFault(path.name, 0, "", f"can't be read: {error}"))
        return
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not usable(path.name, header, needed, known, faults):
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            row = Row(
                path.name,
                reader.line_num,
                dict(zip(header, (cell.strip() for cell in cells), strict=False)),
                faults,
            )
            if len(cells) > len(header):
                row.fault("", f"has {len(cells)} cells under {len(header)} columns")
            else:
                yield row
    except csv.Error as error:
        faults.append(InputFault(path.name, reader.line_num, "", f"is not CSV: {error}"))


def usable(
    file: str,
    header: list[str],
    needed: Collection[str],
    known: Collection[str],
    faults: list[InputFault],
) -> bool:
    before = len(faults)
    if len(header) == 1 and any(mark in header[0] for mark in OTHER_SEPARATORS):
        faults.append(InputFault(file, 1, "", "its columns must be separated by commas"))
        return False
    for name in needed:
        if name not in header:
            faults.append(InputFault(file, 1, name, "there is no such column"))
    for name in dict.fromkeys(header):
        if name not in needed and name not in known:
            options = ", ".join([*needed, *known])
            faults.append(InputFault(file, 1, name, f"is not a column; known: {options}"))
        if header.count(name) > 1:
            faults.append(InputFault(file, 1, name, "the column is there more than once"))
    return len(faults) == before

"""What is wrong with input files: every fault at once, with file, line and column."""

from __future__ import annotations

from typing import NamedTuple


class InputFault(NamedTuple):
    """`orders.csv, line 4, kind: ...`; line 0 is the file as a whole, "" no column."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = [self.file, f"line {self.line}" if self.line else "", self.column]
        return f"{', '.join(part for part in place if part)}: {self.message}"


class InputError(ValueError):
    """Files that can't be computed; nothing was. `faults` lists every reason found."""

    def __init__(self, faults: list[InputFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))

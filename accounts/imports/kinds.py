"""What kinds of files there are. Each app registers its own, with the fields a mapping may fill."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accounts.models import User

if TYPE_CHECKING:
    from accounts.imports.mapping import Mapping


@dataclass(frozen=True)
class Field:
    """A value a line has: text, integer, number, date, moment or truth."""

    type: str = "text"
    required: bool = False
    longest: int = 200


@dataclass(frozen=True)
class Rejection:
    """Why a line was not booked: a short rule that can be counted, and what is particular."""

    column: str
    rule: str
    detail: str = ""

    @property
    def reason(self) -> str:
        return f"{self.rule}: {self.detail}" if self.detail else self.rule


class Record:
    """One line of the file on its way into the books."""

    __slots__ = ("amount", "cells", "line", "quantity", "rejection", "state", "values")

    def __init__(self, line: int, cells: list[str]) -> None:
        self.line = line
        self.cells = cells
        self.values: dict[str, Any] = {}
        self.rejection: Rejection | None = None
        self.state = "booked"
        self.quantity = 0
        self.amount: Decimal | int = 0

    def reject(self, column: str, rule: str, detail: str = "") -> None:
        self.rejection = Rejection(column, rule, detail)
        self.state = "rejected"

    def leave(self) -> None:
        """The line is in the books already, or repeats one that is."""
        self.state = "unchanged"

    @property
    def is_open(self) -> bool:
        return self.state == "booked"


@dataclass
class Part:
    """Lines that are booked in one transaction. What is postponed comes again in the next part."""

    records: list[Record]
    mapping: "Mapping"
    actor: User | None
    is_last: bool = False
    is_dry: bool = False
    memory: dict[str, Any] = field(default_factory=dict)
    postponed: list[Record] = field(default_factory=list)

    def open_records(self) -> list[Record]:
        return [record for record in self.records if record.state == "booked"]

    def postpone(self, record: Record) -> None:
        self.postponed.append(record)


@dataclass(frozen=True)
class ImportKind:
    """A kind of file: its fields, how a part of it is booked, and what is done after the last.

    `group` names the field whose equal values stay in one part. `has_amounts` says that lines have
    quantity and unit price, so that the report sums them. `tables` are those that grow by a file.
    """

    name: str
    label: str
    fields: dict[str, Field]
    book: Callable[[Part], None]
    mappings: Path
    group: str = ""
    has_amounts: bool = False
    finish: Callable[[User | None], None] | None = None
    options: frozenset[str] = frozenset()
    tables: tuple[str, ...] = ()


KINDS: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    """Called in `ready()` of the app that owns the rows."""
    KINDS[kind.name] = kind

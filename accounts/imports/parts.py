"""Cutting a stream of lines into parts, so that what belongs together is booked together."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from accounts.imports.errors import CellRefused, MappingRefused, WrongEncoding
from accounts.imports.kinds import Record
from accounts.imports.mapping import Mapping
from accounts.imports.reader import open_table, sha256_of

PART_SIZE = 5000


@dataclass
class Sums:
    """Lines with the pieces and the money on them."""

    lines: int = 0
    quantity: int = 0
    amount: Decimal = Decimal(0)

    def add(self, quantity: int, amount: Decimal | int) -> None:
        self.lines += 1
        self.quantity += quantity
        self.amount += amount

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.lines + other.lines, self.quantity + other.quantity, self.amount + other.amount
        )

    def as_json(self) -> dict[str, object]:
        return {"lines": self.lines, "quantity": self.quantity, "amount": f"{self.amount:f}"}


@dataclass
class Survey:
    """What one look over the whole file tells, before anything is booked."""

    sha256: str
    encoding: str
    columns: list[str]
    sums: Sums = field(default_factory=Sums)
    scattered: dict[str, int] = field(default_factory=dict)


def survey_file(path: Path, mapping: Mapping, name: str = "") -> Survey:
    """Read the file once from end to end. Raises ImportRefused.

    Finds the encoding, binds the mapping to the header, adds up all lines as they stand there,
    and finds the groups (invoices) whose lines do not stand together.
    """
    for encoding in mapping.dialect.encodings:
        try:
            return _survey(path, mapping, encoding, name)
        except WrongEncoding:
            if encoding == mapping.dialect.encodings[-1]:
                raise
    raise MappingRefused(f"The mapping {mapping.name} names no encoding.")


def _survey(path: Path, mapping: Mapping, encoding: str, name: str) -> Survey:
    with open_table(path, mapping.dialect, encoding=encoding, name=name) as table:
        mapping.bind(table.columns, table.name)
        survey = Survey(sha256_of(path), encoding, table.columns)
        measure = Measure(mapping)
        grouping = _Grouping(mapping.group_place)
        for _, cells in table.lines():
            survey.sums.add(*measure(cells))
            grouping.see(cells)
        survey.scattered = grouping.scattered(path, mapping, encoding, name)
    return survey


class Measure:
    """Pieces and money of a line straight from its cells; what cannot be read counts as nothing."""

    def __init__(self, mapping: Mapping) -> None:
        by_name = {source.name: source for source in mapping.sources}
        self._sources = mapping.kind.has_amounts and (by_name["quantity"], by_name["unit_price"])

    def __call__(self, cells: list[str]) -> tuple[int, Decimal | int]:
        if not self._sources:
            return 0, 0
        try:
            quantity, price = (source.read(cells) for source in self._sources)
        except (CellRefused, IndexError):
            return 0, 0
        if quantity is None or price is None:
            return 0, 0
        return quantity, quantity * price

    def of(self, record: Record) -> tuple[int, Decimal | int]:
        """The same for a line whose cells were read, as far as they could be."""
        if not self._sources:
            return 0, 0
        quantity, price = record.values.get("quantity"), record.values.get("unit_price")
        if quantity is None or price is None:
            return self(record.cells)
        return quantity, quantity * price


class _Grouping:
    """Which group keys come again after others stood between."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._last = ""
        self._seen: set[int] = set()
        self._again: set[str] = set()

    def see(self, cells: list[str]) -> None:
        if self._place < 0 or len(cells) <= self._place:
            return
        key = cells[self._place]
        if key == self._last:
            return
        self._last = key
        if hash(key) in self._seen:
            self._again.add(key)
        self._seen.add(hash(key))

    def scattered(self, path: Path, mapping: Mapping, encoding: str, name: str) -> dict[str, int]:
        """Each key that comes again, with the number of its lines."""
        if not self._again:
            return {}
        with open_table(path, mapping.dialect, encoding=encoding, name=name) as table:
            keys = (row[self._place] for _, row in table.lines() if len(row) > self._place)
            return dict(Counter(key for key in keys if key in self._again))


def cut(
    records: Iterable[Record], scattered: dict[str, int], place: int, size: int = PART_SIZE
) -> Iterator[list[Record]]:
    """Parts of about `size` lines. Lines with one key stay together; those of a scattered key are
    kept back until the last of them has come."""
    part: list[Record] = []
    waiting: dict[str, list[Record]] = {}
    last = None
    for record in records:
        key = record.cells[place] if 0 <= place < len(record.cells) else None
        if key in scattered:
            family = waiting.setdefault(key, [])
            family.append(record)
            if len(family) == scattered[key]:
                part.extend(waiting.pop(key))
            continue
        if len(part) >= size and (key is None or key != last):
            yield part
            part = []
        part.append(record)
        last = key
    if part:
        yield part

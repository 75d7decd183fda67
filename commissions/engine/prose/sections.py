"""Readable text in sections: titles, paragraphs, tables; and the same as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FIGURE = re.compile(r"[\d.,]+( ?%| [A-Z]{3}| days?)?$|[\u2013-]?$")


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[tuple[str, bool], ...]:
        """Each head with whether its column holds figures, which people read from the right."""
        return tuple(
            (name, all(FIGURE.match(row[place]) for row in self.rows))
            for place, name in enumerate(self.head)
        )

    @property
    def cells(self) -> tuple[tuple[tuple[str, bool], ...], ...]:
        """The rows with the same mark for each cell."""
        marks = [is_figure for _, is_figure in self.columns]
        return tuple(tuple(zip(row, marks, strict=True)) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Section:
    """A title, what is said under it, and tables after that."""

    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...] = ()


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """A document with a heading for each section."""
    return "\n".join([f"# {title}", *(line for each in sections for line in markdown_of(each))])


def markdown_of(section: Section) -> Iterator[str]:
    yield f"\n## {section.title}"
    for paragraph in section.paragraphs:
        yield f"\n{paragraph}"
    for table in section.tables:
        yield ""
        yield row(table.head)
        yield row(["---"] * len(table.head))
        yield from (row(cells) for cells in table.rows)


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

"""The list as it stands in its address: what is open, what each row shows and where it leads."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from genealogy.columns import Cell, Column, known
from genealogy.queries import Day, Hit, More, Row

MOST_OPEN = 20


@dataclass(frozen=True)
class State:
    """Everything the address of a list says: where it begins, what is open, what is shown."""

    root: str = ""
    opens: tuple[str, ...] = ()
    at: str = ""
    columns: tuple[str, ...] = ()
    filters: dict[str, str] = field(default_factory=dict)
    day: Day | None = None

    @classmethod
    def of(cls, query: QueryDict, filters: dict[str, str], day: Day | None = None) -> "State":
        return cls(
            root=query.get("root", ""),
            opens=tuple(dict.fromkeys(query.getlist("open")))[-MOST_OPEN:],
            at=query.get("at", ""),
            columns=tuple(known(query.getlist("columns"))),
            filters=filters,
            day=day,
        )

    def query(self, **more: Any) -> str:
        pairs = {
            "root": self.root,
            "open": self.opens,
            "at": self.at,
            "columns": self.columns,
            **self.filters,
            **more,
        }
        query = urlencode({name: value for name, value in pairs.items() if value}, doseq=True)
        return "&".join(part for part in (query, self.day and self.day.query) if part)

    def url(self, **more: Any) -> str:
        query = self.query(**more)
        return reverse("genealogy:list") + (f"?{query}" if query else "")

    def beginning_with(self, number: str) -> "State":
        """The same list of somebody else: columns and filters stay, nothing is open."""
        return replace(self, root=number, opens=(), at="")


@dataclass
class Line:
    """A row of the list with its cells and the addresses it leads to."""

    row: Row | Hit
    cells: list[Cell]
    here_url: str
    toggle_url: str = ""
    children_url: str = ""
    at_url: str = ""


@dataclass
class MoreLine:
    """The row with which a list of children goes on, with and without script."""

    more: More
    url: str
    children_url: str


def lines_of(rows: list[Row | More], state: State, columns: list[Column]) -> list[Line | MoreLine]:
    """The rows of an opened list; each toggle leads to the address with that row opened or shut."""
    lines: list[Line | MoreLine] = []
    way: dict[int, str] = {}
    for place, row in enumerate(rows):
        if isinstance(row, More):
            lines.append(_more_line(row, state))
            continue
        number = row.distributor.number
        way[row.level] = number
        above = way.get(row.level - 1, "") if row.level > 2 else ""
        lines.append(
            Line(
                row=row,
                cells=[column.cell(row) for column in columns],
                here_url=state.beginning_with(number).url(),
                toggle_url=_toggled(row, state, rows[place + 1 :], above).url(),
                children_url=_children_url(number, state, level=row.level),
            )
        )
    return lines


def _toggled(row: Row, state: State, following: list[Row | More], above: str) -> State:
    number = row.distributor.number
    if not row.is_open:
        return replace(state, opens=(*state.opens, number))
    below = takewhile(lambda other: other.level > row.level, following)
    inside = {other.distributor.number for other in below if isinstance(other, Row)}
    left = [other for other in state.opens if other not in inside and other != number]
    if above and above not in left:
        left.append(above)
    return replace(state, opens=tuple(left), at="")


def _more_line(more: More, state: State) -> MoreLine:
    shown = {"after": more.after, "shown": more.shown}
    skip = {"skip": ",".join(more.skip)} if more.skip else {}
    return MoreLine(
        more=more,
        url=state.beginning_with(more.parent).url(**shown),
        children_url=_children_url(more.parent, state, level=more.parent_level, **shown, **skip),
    )


def _children_url(number: str, state: State, **more: Any) -> str:
    query = replace(state, opens=(), at="", filters={}).query(**more)
    return f"{reverse('genealogy:children', args=[number])}?{query}"


def hit_lines(hits: Iterable[Hit], state: State, columns: list[Column]) -> list[Line]:
    """The rows of a filtered list; each leads to its place in the list that opens."""
    unfiltered = replace(state, filters={}, opens=())
    return [
        Line(
            row=hit,
            cells=[column.cell(hit) for column in columns],
            here_url=unfiltered.beginning_with(hit.distributor.number).url(),
            at_url=replace(unfiltered, at=hit.distributor.number).url(),
        )
        for hit in hits
    ]

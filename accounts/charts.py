"""Where the marks of a chart go: plain arithmetic, drawn by templates/components/chart.html.

The plot is stretched to the width it gets, so only the marks live in the SVG; every label is
text beside it and stays readable at any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from babel.numbers import format_compact_currency, format_compact_decimal

WIDTH = 1000
HEIGHT = 240
LOCALE = "en_GB"


@dataclass
class Series:
    """A named line or set of bars: points are (label, value), the same labels in each series."""

    name: str
    points: Sequence[tuple[str, Decimal]]


@dataclass
class Mark:
    x: float
    y: float
    width: float
    height: float
    tone: int
    text: str


@dataclass
class Line:
    tone: int
    path: str
    area: str
    dots: list[Mark]


@dataclass
class Chart:
    kind: str
    labels: list[str]
    names: list[str]
    ticks: list[str]
    grid: list[float]
    zero: float
    rows: list[tuple[str, list[Any]]]
    bars: list[Mark] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    unit: str = "count"
    currency: str = ""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not self.labels


def draw(series: Any, *, kind: str, unit: str, currency: str) -> Chart:
    """Lay out a list of (label, value) pairs, or several Series, as "bar", "stack" or "line"."""
    groups = _grouped(series)
    labels = [str(label) for label, _ in groups[0].points] if groups else []
    values = [[Decimal(value or 0) for _, value in group.points] for group in groups]
    reach = _stacked_reach(values) if kind == "stack" else [v for row in values for v in row]
    low, high, step = _scale(reach)
    steps = int((high - low) / step)
    ticks = [high - step * i for i in range(steps + 1)]
    chart = Chart(
        kind=kind,
        labels=labels,
        names=[group.name for group in groups],
        ticks=[_tick(value, unit, currency) for value in ticks],
        grid=[HEIGHT * i / steps for i in range(steps + 1)],
        zero=_y(Decimal(0), low, high),
        rows=[(label, [row[i] for row in values]) for i, label in enumerate(labels)],
        unit=unit,
        currency=currency,
    )
    if kind == "line":
        chart.lines = [_line(row, tone, low, high) for tone, row in enumerate(values)]
    elif kind == "stack":
        chart.bars = _stack(values, low, high)
    else:
        chart.bars = _bars(values, low, high)
    return chart


def spark(values: Sequence[Decimal]) -> str:
    """The path of a sparkline in a box of 100 by 32."""
    if len(values) < 2:
        return "M0 16H100"
    low, high = min(values), max(values)
    span = (high - low) or Decimal(1)
    along = 100 / (len(values) - 1)
    dots = [
        f"{i * along:.1f} {30 - float((v - low) / span) * 28:.1f}" for i, v in enumerate(values)
    ]
    return "M" + "L".join(dots)


def _grouped(series: Any) -> list[Series]:
    given = list(series)
    named = [one for one in given if isinstance(one, Series)]
    return named if len(named) == len(given) else [Series("", given)]


def _scale(values: list[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """The lowest and highest gridline and the step between: 0 to 8,700 gives 0, 10,000, 2,500."""
    top, bottom = max([*values, Decimal(0)]), min([*values, Decimal(0)])
    reach = (top - bottom) or Decimal(1)
    unit = Decimal(10) ** (reach.adjusted() - 1)
    sizes = [unit * size for size in (1, 2, Decimal("2.5"), 5, 10, 20, 25, 50)]
    step = next((size for size in sizes if reach / size <= 5), sizes[-1])
    high = (top / step).to_integral_value(ROUND_CEILING) * step
    low = (bottom / step).to_integral_value(ROUND_FLOOR) * step
    return low, high if high > low else low + step, step


def _tick(value: Decimal, unit: str, currency: str) -> str:
    if unit == "money":
        text = format_compact_currency(value, currency, locale=LOCALE, fraction_digits=1)
    else:
        text = format_compact_decimal(value, locale=LOCALE, fraction_digits=1)
    return str(text).replace("-", "\u2212")


def _y(value: Decimal, low: Decimal, high: Decimal) -> float:
    return round(float((high - value) / (high - low)) * HEIGHT, 2)


def _bars(values: list[list[Decimal]], low: Decimal, high: Decimal) -> list[Mark]:
    if not values or not values[0]:
        return []
    band = WIDTH / len(values[0])
    width = min(band * 0.62 / len(values), 64)
    start = (band - width * len(values)) / 2
    zero = _y(Decimal(0), low, high)
    marks = []
    for tone, row in enumerate(values):
        for i, value in enumerate(row):
            y = _y(value, low, high)
            x = round(i * band + start + tone * width, 2)
            tall = round(abs(zero - y), 2)
            marks.append(Mark(x, min(y, zero), round(width * 0.94, 2), tall, tone, f"{value:,}"))
    return marks


def _stacked_reach(values: list[list[Decimal]]) -> list[Decimal]:
    """How high and how low the piles go: what is taken away hangs below zero."""
    piles = list(zip(*values, strict=True))
    above = [sum((v for v in pile if v > 0), Decimal(0)) for pile in piles]
    return above + [sum((v for v in pile if v < 0), Decimal(0)) for pile in piles]


def _stack(values: list[list[Decimal]], low: Decimal, high: Decimal) -> list[Mark]:
    """Parts of a whole, piled up in the order of the series."""
    if not values or not values[0]:
        return []
    band = WIDTH / len(values[0])
    width = min(band * 0.62, 72)
    marks = []
    for i, pile in enumerate(zip(*values, strict=True)):
        tops = {True: Decimal(0), False: Decimal(0)}
        for tone, value in enumerate(pile):
            begin = tops[value >= 0]
            tops[value >= 0] = end = begin + value
            y, foot = _y(max(begin, end), low, high), _y(min(begin, end), low, high)
            x = round(i * band + (band - width) / 2, 2)
            marks.append(Mark(x, y, width, round(foot - y, 2), tone, f"{value:,}"))
    return marks


def _line(row: list[Decimal], tone: int, low: Decimal, high: Decimal) -> Line:
    band = WIDTH / max(len(row), 1)
    dots = [
        Mark(round((i + 0.5) * band, 2), _y(value, low, high), 0, 0, tone, f"{value:,}")
        for i, value in enumerate(row)
    ]
    path = "M" + "L".join(f"{dot.x} {dot.y}" for dot in dots) if dots else ""
    zero = _y(Decimal(0), low, high)
    area = f"{path}L{dots[-1].x} {zero}L{dots[0].x} {zero}Z" if dots else ""
    return Line(tone, path, area, dots)

"""Where the boxes of the drawn tree go: plain arithmetic, drawn by templates/genealogy/_tree.svg.

Each leaf takes a column, a parent stands over the middle of its children:

    root           x = (0 + 2) / 2 columns
    ├── a          column 0
    ├── b          column 1
    └── +4 more    column 2
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from genealogy.models import Distributor
from genealogy.queries import DrawnNode

WIDTH, HEIGHT = 184, 76
MORE_HEIGHT = 40
GAP_X, GAP_Y = 16, 52
VIEW = (1000, 620)
LONGEST_NAME = 20
TONES = {"active": "good", "on_hold": "wait", "terminated": "bad", "inactive": "calm"}


@dataclass
class Box:
    """One person, or the "+N more" of his sponsor, at its place."""

    x: float
    y: float
    drawn: DrawnNode
    more: int = 0
    is_root: bool = False

    width = WIDTH

    @property
    def height(self) -> int:
        return MORE_HEIGHT if self.more else HEIGHT

    @property
    def distributor(self) -> Distributor:
        return self.drawn.node.distributor

    @property
    def tone(self) -> str:
        return TONES[self.distributor.status]

    @property
    def short_name(self) -> str:
        name = self.distributor.display_name
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"

    @property
    def downline(self) -> int:
        return self.drawn.node.size - 1


@dataclass
class TreeDrawing:
    """Boxes and the lines between them, and the part of the plane that is seen first."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    view: str = ""


def lay_out(root: DrawnNode) -> TreeDrawing:
    """Places for a root and all that is drawn below it; the first view has the root on top."""
    drawing = TreeDrawing()
    columns = iter(range(1_000_000))
    top = _place(drawing, root, 0, columns)
    top.is_root = True
    drawing.boxes.sort(key=lambda box: (box.y, box.x))
    left = top.x + WIDTH / 2 - VIEW[0] / 2
    drawing.view = f"{left:g} -24 {VIEW[0]} {VIEW[1]}"
    return drawing


def _place(drawing: TreeDrawing, node: DrawnNode, level: int, columns: Iterator[int]) -> Box:
    below = [_place(drawing, child, level + 1, columns) for child in node.children]
    if node.hidden and node.children:
        more = Box(_x(next(columns)), _y(level + 1), node, more=node.hidden)
        drawing.boxes.append(more)
        below.append(more)
    x = (below[0].x + below[-1].x) / 2 if below else _x(next(columns))
    box = Box(x, _y(level), node)
    drawing.boxes.append(box)
    drawing.edges += [_edge(box, child) for child in below]
    return box


def _x(column: int) -> float:
    return float(column * (WIDTH + GAP_X))


def _y(level: int) -> float:
    return float(level * (HEIGHT + GAP_Y))


def _edge(upper: Box, lower: Box) -> str:
    x1, y1 = upper.x + WIDTH / 2, upper.y + HEIGHT
    x2, y2 = lower.x + WIDTH / 2, lower.y
    middle = (y1 + y2) / 2
    return f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"

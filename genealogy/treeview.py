"""Where the boxes of the drawn tree go: plain arithmetic, drawn by templates/genealogy/_tree.html.

A parent stands over the middle of its children. Children of whom nothing further is drawn hang
below each other on a trunk, so that a generation stays in sight:

        root
      ┌───┴────┐
      a        b
      ├─ a1    ├─ b1
      └─ a2    └─ +4 more
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from genealogy.models import Distributor
from genealogy.queries import DrawnNode

WIDTH, HEIGHT = 184, 76
MORE_HEIGHT = 40
GAP_X, GAP_Y = 40, 52
INDENT, GAP_HUNG = 24, 14
VIEW = (1000, 640)
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
    top = _place(drawing, root, 0.0, columns)
    top.is_root = True
    drawing.boxes.sort(key=lambda box: (box.y, box.x))
    left = top.x + WIDTH / 2 - VIEW[0] / 2
    drawing.view = f"{left:g} -24 {VIEW[0]} {VIEW[1]}"
    return drawing


def _place(drawing: TreeDrawing, node: DrawnNode, y: float, columns: Iterator[int]) -> Box:
    if node.children and not any(child.children for child in node.children):
        return _hang(drawing, node, y, columns)
    children = _largest_in_the_middle(node.children)
    below = [_place(drawing, child, y + HEIGHT + GAP_Y, columns) for child in children]
    if node.hidden and node.children:
        more = Box(_x(next(columns)), y + HEIGHT + GAP_Y, node, more=node.hidden)
        drawing.boxes.append(more)
        below.append(more)
    x = (below[0].x + below[-1].x) / 2 if below else _x(next(columns))
    box = Box(x, y, node)
    drawing.boxes.append(box)
    drawing.edges += [_edge(box, child) for child in below]
    return box


def _largest_in_the_middle(nodes: list[DrawnNode]) -> list[DrawnNode]:
    """Nodes given largest first, in the order 5 3 1 2 4: what matters stands under the parent."""
    return nodes[0::2][::-1] + nodes[1::2]


def _hang(drawing: TreeDrawing, node: DrawnNode, y: float, columns: Iterator[int]) -> Box:
    """A parent with its last drawn generation below it, one under the other."""
    box = Box(_x(next(columns)), y, node)
    hung = [Box(box.x + INDENT, 0.0, child) for child in node.children]
    if node.hidden:
        hung.append(Box(box.x + INDENT, 0.0, node, more=node.hidden))
    bottom = y + HEIGHT
    for below in hung:
        below.y = bottom + GAP_HUNG
        bottom = below.y + below.height
        drawing.edges.append(_branch(box, below))
    drawing.boxes += [box, *hung]
    return box


def _x(column: int) -> float:
    return float(column * (WIDTH + GAP_X))


def _edge(upper: Box, lower: Box) -> str:
    x1, y1 = upper.x + WIDTH / 2, upper.y + HEIGHT
    x2, y2 = lower.x + WIDTH / 2, lower.y
    middle = (y1 + y2) / 2
    return f"M{x1:g} {y1:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"


def _branch(upper: Box, lower: Box) -> str:
    trunk, side = upper.x + INDENT / 2, lower.y + lower.height / 2
    return f"M{trunk:g} {upper.y + HEIGHT:g}V{side:g}H{lower.x:g}"

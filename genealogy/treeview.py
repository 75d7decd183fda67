"""Where the boxes of the drawn tree go: plain arithmetic, drawn by templates/genealogy/_tree.html.

A parent stands over the middle of its children. Children of whom nothing further is drawn hang
below each other on a trunk, so that a generation stays in sight:

        root
      ┌───┴────┐
      a        b
      ├─ a1    ├─ b1
      └─ a2    └─ +4 more
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from genealogy.models import Distributor
from genealogy.models.node import Tree
from genealogy.queries import DrawnNode

WIDTH, HEIGHT = 216, 100
SMALL_HEIGHT = 44
GAP_X, GAP_Y = 32, 52
INDENT, GAP_HUNG = 24, 14
MARGIN = 24
MOST_BESIDE = 3
LONGEST_NAME, LONGEST_RANK, LONGEST_CALL = 22, 14, 9
"""Room for a text, in letters of the usual width."""
WIDE, BROAD, CAPITAL = 1.9, 1.7, 1.3
BROAD_LETTERS = "WM@ШЩЖЮФЫ"
TONES = {"active": "good", "on_hold": "wait", "terminated": "bad", "inactive": "calm"}
ICONS = {"good": "check", "wait": "clock", "bad": "x", "calm": "minus"}


@dataclass
class Box:
    """One person, an empty place, or the "+N more" of a parent, at its place."""

    x: float
    y: float
    drawn: DrawnNode
    more: int = 0
    is_root: bool = False
    tree: str = Tree.SPONSOR

    width = WIDTH

    @property
    def height(self) -> int:
        return SMALL_HEIGHT if self.more or self.is_empty else HEIGHT

    @property
    def is_empty(self) -> bool:
        return self.drawn.node is None

    @property
    def distributor(self) -> Distributor:
        return self.drawn.distributor

    @property
    def tone(self) -> str:
        return TONES[self.distributor.status]

    @property
    def icon(self) -> str:
        return ICONS[self.tone]

    @property
    def is_reduced(self) -> bool:
        return self.drawn.is_reduced

    @property
    def is_spillover(self) -> bool:
        """Drawn in the placement tree under somebody else than his sponsor."""
        is_placed = self.tree == Tree.PLACEMENT and not self.is_reduced
        return is_placed and self.distributor.is_spillover

    @property
    def leg(self) -> str:
        """Where it stands under its parent in the placement tree."""
        return "" if self.more else self.drawn.leg_name

    @property
    def short_name(self) -> str:
        room = LONGEST_NAME - (len(self.leg) + 2 if self.leg else 0)
        return shortened(self.distributor.display_name, room)

    @property
    def call_name(self) -> str:
        """The first name, large, for when the drawing is seen from afar."""
        return shortened(self.distributor.display_name.split(" ")[0], LONGEST_CALL)

    @property
    def short_rank(self) -> str:
        rank = self.distributor.paid_as_rank
        return shortened(rank.name, LONGEST_RANK) if rank else "No rank"

    @property
    def volume(self) -> str:
        return f"{self.distributor.current_month_gv:,.2f}".replace("-", "\u2212")

    @property
    def downline(self) -> str:
        """How many stand below, in words; nothing where nobody does."""
        below = self.drawn.node.size - 1 if self.drawn.node else 0
        return f"{below:,} below" if below else ""

    @property
    def empty(self) -> str:
        return f"{self.drawn.places} empty places" if self.drawn.places > 1 else "Empty place"

    @property
    def hidden(self) -> str:
        return f"{self.more:,} more"


def shortened(text: str, longest: int) -> str:
    """As much of a text as has room beside an ellipsis, by the widths of its letters."""
    room = float(longest)
    for place, letter in enumerate(text):
        room -= width_of(letter)
        if room < 0:
            kept = text[: max(1, place - 1)]
            while len(kept) > 1 and width_of(text[len(kept)]) == 0:
                kept = kept[:-1]
            return isolated(f"{kept.rstrip()}…")
    return isolated(text)


def isolated(text: str) -> str:
    """A text that may be written from right to left, marked so that it reads from its own side."""
    is_from_the_right = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    return f"\u2068{text}\u2069" if is_from_the_right else text


def width_of(letter: str) -> float:
    """About how wide a letter is drawn, 1 for a small Latin one; marks above or below take none."""
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return WIDE
    if letter in BROAD_LETTERS:
        return BROAD
    return CAPITAL if letter.isupper() else 1


@dataclass
class TreeDrawing:
    """Boxes and the lines between them, and the part of the plane they take, at scale one."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    left: float = 0
    width: float = 0
    height: float = 0

    @property
    def view(self) -> str:
        return f"{self.left:g} {-MARGIN} {self.width:g} {self.height:g}"


def lay_out(root: DrawnNode, tree: str = Tree.SPONSOR) -> TreeDrawing:
    """Places for a root and all that is drawn below it.

    In the sponsor tree the largest lines stand in the middle; in the placement tree the legs
    stand from left to right.
    """
    drawing = TreeDrawing()
    columns = iter(range(1_000_000))
    top = _place(drawing, root, 0.0, columns, tree)
    top.is_root = True
    for box in drawing.boxes:
        box.tree = tree
    drawing.boxes.sort(key=lambda box: (box.y, box.x))
    drawing.left = min(box.x for box in drawing.boxes) - MARGIN
    drawing.width = max(box.x + box.width for box in drawing.boxes) + MARGIN - drawing.left
    drawing.height = max(box.y + box.height for box in drawing.boxes) + 2 * MARGIN
    return drawing


def _place(
    drawing: TreeDrawing, node: DrawnNode, y: float, columns: Iterator[int], tree: str
) -> Box:
    beside = y == 0 and (tree == Tree.PLACEMENT or len(node.children) <= MOST_BESIDE)
    if node.children and not beside and not any(child.children for child in node.children):
        return _hang(drawing, node, y, columns)
    children = node.children
    if tree == Tree.SPONSOR:
        children = _largest_in_the_middle(children)
    below = [_place(drawing, child, y + HEIGHT + GAP_Y, columns, tree) for child in children]
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
    return f"M{x1:g} {y1:g}V{(y1 + y2) / 2:g}H{x2:g}V{y2:g}"


def _branch(upper: Box, lower: Box) -> str:
    trunk, side = upper.x + INDENT / 2, lower.y + lower.height / 2
    return f"M{trunk:g} {upper.y + HEIGHT:g}V{side:g}H{lower.x:g}"

"""What the tests of another day share: its days, and how its pages are read."""

import re
from datetime import date

BEFORE, MOVED, CAME = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 24)
THEN = f"on={BEFORE}"


def row_of(page: str, number: str) -> str:
    """The words of a row."""
    found = re.search(rf'<tr role="row"\s+data-number="{number}".*?</tr>', page, re.S).group()
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def labels_of(page: str) -> list[str]:
    """What each person of a drawing is called."""
    return re.findall(r'class="node[^"]*"[^>]*?aria-label="([^"]+)"', page, re.S)

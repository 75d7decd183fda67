"""Who gets what answer, for every route of the product.

Viewpoints: somebody who is not signed in; Chloe, whose things they are; Ben above her; Dmitri
below her; Stella beside her; and one of each staff role. Out of scope is 404, in scope without the
right is 403, and whoever is not signed in is sent to the sign-in page.
"""

from dataclasses import dataclass

VIEWPOINTS = [
    "anon",
    "own",
    "up",
    "down",
    "other",
    "admin",
    "manager",
    "support",
    "finance",
    "auditor",
]

# method, route, arguments, then a status for each viewpoint.
TABLE = """
"""


@dataclass(frozen=True)
class Row:
    method: str
    route: str
    arguments: str
    expected: list[int]


def _read(table: str) -> list[Row]:
    rows = []
    for line in filter(None, map(str.strip, table.splitlines())):
        if not line.startswith("#"):
            method, route, arguments, *expected = line.split()
            rows.append(Row(method, route, arguments, [int(status) for status in expected]))
    return rows


ROUTES = _read(TABLE)

# model: who may list and open it, and who may add to it.
ADMIN_MODELS: dict[str, tuple[str, str]] = {}

"""Two trees that nobody here made up, as import files, and what they look like in plain Python.

The *network* (tests/data/online-retail) has 4,372 people on 27 levels and real orders. The
*animals* (tests/data/animals) are 3,999 on 14 levels; numbers go by their order in the file, and
everybody orders by this rule: one order on the 5th, for himself, of as many sacks of feed as his
name has letters, at 10.00 and 10 PV each.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from commerce.models import Product
from genealogy.models import Distributor

DATA = Path(__file__).parents[1] / "data"
NETWORK = DATA / "online-retail" / "distributors.csv"
RETAIL = DATA / "online-retail" / "orders.csv.gz"
ANIMALS = DATA / "animals" / "animals.csv.gz"
FIRST_LINES = 6_000
FEED = "FEED"


@dataclass(frozen=True)
class Tree:
    """Who stands under whom, by number; parents come before their children."""

    above: dict[str, str]

    @cached_property
    def below(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for number, parent in self.above.items():
            found[parent].append(number)
        return found

    @cached_property
    def depth(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for number, parent in self.above.items():
            found[number] = found[parent] + 1 if parent else 0
        return found

    @cached_property
    def size(self) -> dict[str, int]:
        """How many people each line has, its top among them."""
        found = dict.fromkeys(self.above, 1)
        for number, parent in reversed(self.above.items()):
            if parent:
                found[parent] += found[number]
        return found

    @property
    def top(self) -> str:
        (number,) = self.below[""]
        return number

    @property
    def deepest(self) -> str:
        return max(self.depth, key=self.depth.__getitem__)

    def way_to(self, number: str) -> list[str]:
        """From the top down to somebody."""
        way = [number]
        while self.above[way[-1]]:
            way.append(self.above[way[-1]])
        return way[::-1]

    def line(self, number: str) -> list[str]:
        """Somebody and everybody below, parents first."""
        found = [number]
        for each in found:
            found += self.below.get(each, [])
        return found

    def levels(self, number: str) -> list[int]:
        """How many people stand on each level below somebody."""
        counts: dict[int, int] = defaultdict(int)
        for each in self.line(number)[1:]:
            counts[self.depth[each] - self.depth[number]] += 1
        return [counts[level] for level in sorted(counts)]


def network_tree() -> Tree:
    with NETWORK.open(newline="") as file:
        return Tree({r["distributor_number"]: r["sponsor_number"] for r in csv.DictReader(file)})


def bring_in_network(folder: Path, *, with_orders: bool = False) -> Tree:
    """The people as they are, and the first lines of the real orders."""
    call_command("import_distributors", NETWORK, verbosity=0)
    if with_orders:
        orders = folder / "orders.csv"
        with gzip.open(RETAIL, "rt", newline="") as file, orders.open("w") as cut:
            cut.writelines(islice(file, FIRST_LINES + 1))
        options = {"mapping": "online-retail", "on_error": "skip", "verbosity": 0}
        for kind in ("products", "orders"):
            call_command(f"import_{kind}", orders, rejects=folder / f"{kind}.rejects", **options)
    return network_tree()


def animals() -> list[dict[str, str]]:
    with gzip.open(ANIMALS, "rt", newline="") as file:
        return list(csv.DictReader(file))


def bring_in_animals(
    folder: Path, month: str, *, below: str = "animal", with_orders: bool = False
) -> Tree:
    """The animals of a kind, who joined on the 1st of a month, and what they ordered by the rule.

    `month` is a code such as 2011-03.
    """
    kind = _kind(below)
    number = {row["synset"]: f"D-{place:06d}" for place, row in enumerate(kind, 1)}
    tree = Tree({number[row["synset"]]: number.get(row["parent"], "") for row in kind})
    people = [
        (own, above, f"{month}-01", row["name"], own)
        for (own, above), row in zip(tree.above.items(), kind, strict=True)
    ]
    header = "distributor_number,sponsor_number,joined_on,display_name,customer_id"
    _import("distributors", folder, header, people)
    if with_orders:
        Product.objects.create(
            sku=FEED,
            name="Feed",
            price=10,
            distributor_price=10,
            pv=10,
            cv=10,
            currency=settings.COMPANY_CURRENCY,
        )
        orders = [
            (own, FEED, len(name), "10.00", f"{month}-05 12:00", own)
            for own, _, _, name, _ in people
        ]
        _import("orders", folder, "order,sku,quantity,unit_price,placed_at,customer_id", orders)
    return tree


def _kind(name: str) -> list[dict[str, str]]:
    """The rows of a kind of animal and of everything that is one."""
    found: set[str] = set()
    rows = animals()
    for row in rows:
        if row["parent"] in found or (not found and row["name"] == name):
            found.add(row["synset"])
    return [row for row in rows if row["synset"] in found]


def _import(kind: str, folder: Path, header: str, rows: Iterable[tuple[object, ...]]) -> None:
    path = folder / f"{kind}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    call_command(f"import_{kind}", path, verbosity=0)


def sizes_in_the_books(tree: str = "sponsor") -> dict[str, tuple[int, int]]:
    """Depth and size of everybody as the index has them."""
    nodes = Distributor.objects.filter(nodes__tree=tree)
    return {
        number: (depth, size)
        for number, depth, size in nodes.values_list("number", "nodes__depth", "nodes__size")
    }

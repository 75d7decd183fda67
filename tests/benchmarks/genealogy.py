"""How long the trees take at a million: asked, grown, moved and loaded, beside a stored closure.

    python -m tests.benchmarks.genealogy                      1,000,000 distributors
    python -m tests.benchmarks.genealogy 100000 --chain 5000

A generated company gets a database of its own. What is timed is the product's own functions;
`database` is what their statements take, `whole` with all that Python does around them. Beside them
stand the same questions put to the closure table of the seeds (one row for each person and each
above), made from the same tree where it stays below forty million rows. Medians, in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tests.benchmarks.close import drop, recreate

SIZE = 1_000_000
SAMPLES = 200
LARGEST_CLOSURE = 40_000_000
MOVED = 10_000
BARS = {
    "downline count": 0.2,
    "is X under Y": 0.2,
    "children page": 1.0,
    "page of a level": 0.5,
    "path to the top": 1.0,
    "leg totals of the top": 150.0,
    "enrol": 1.0,
    f"move of {MOVED:,}": 200.0,
    "load of all people, s": 30.0,
    "index of both trees, MB": 450.0,
}
CHAIN_BARS = {"path to the top": 10.0, f"move of {MOVED:,}": 300.0}
CLOSURE = """
create schema rival;
create unlogged table rival.path (ancestor bigint, descendant bigint, depth int);
insert into rival.path
  select ancestor_id, descendant_id, depth from genealogy_paths where path_type = 'sponsor';
create unique index on rival.path (ancestor, descendant);
create index on rival.path (descendant);
create index on rival.path (ancestor, depth);
analyze rival.path;
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Time the trees beside a stored closure.")
    parser.add_argument("size", nargs="?", type=int, default=SIZE)
    parser.add_argument("--chain", type=int, default=0, help="length of a straight line inside")
    options = parser.parse_args()
    if "MLMCRM_TREES" in os.environ:
        return measure(options.size, options.chain)
    from mlmcrm import servers

    folder = servers.data_dir() / "bench"
    with servers.lease(folder) as addresses:
        name = f"bench_trees_{options.size}_{options.chain}"
        recreate(addresses["DATABASE_URL"], name)
        database, _, rest = addresses["DATABASE_URL"].partition("?")
        url = database.rpartition("/")[0] + f"/{name}" + (f"?{rest}" if rest else "")
        environment = os.environ | addresses | {
            "DATABASE_URL": url, "MLMCRM_ENV": "development", "MLMCRM_DATA_DIR": str(folder),
            "MLMCRM_TREES": "measure", "DJANGO_SETTINGS_MODULE": "mlmcrm.settings",
            "MOVE_ALONE_UP_TO": "100000000",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.benchmarks.genealogy", *sys.argv[1:]]
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            drop(addresses["DATABASE_URL"], name)


@dataclass
class Timer:
    """Milliseconds of whole calls, and of the statements in them."""

    whole: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def time(self, call: Callable[[], object]) -> None:
        from django.db import connection

        spent = 0.0

        def add(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal spent
            since = perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                spent += perf_counter() - since

        since = perf_counter()
        with connection.execute_wrapper(add):
            call()
        self.whole.append((perf_counter() - since) * 1000)
        self.database.append(spent * 1000)


@dataclass
class Report:
    bars: dict[str, float]
    is_within: bool = True

    def head(self) -> None:
        print(f"\n{'':28}{'database':>10}{'whole':>10}{'closure':>10}{'bar':>8}")

    def show(self, name: str, timer: Timer, closure: Timer | None = None) -> None:
        ours, whole = statistics.median(timer.database), statistics.median(timer.whole)
        rival = f"{statistics.median(closure.database):10.3f}" if closure else f"{'':10}"
        self.line(name, f"{ours:10.3f}{whole:10.3f}{rival}", ours)

    def line(self, name: str, figures: str, value: float) -> None:
        bar = self.bars.get(name)
        if bar is None:
            print(f"{name:28}{figures}")
            return
        verdict = "within" if value <= bar else "BEYOND"
        self.is_within &= value <= bar
        print(f"{name:28}{figures}{bar:8g}  {verdict}", flush=True)


def measure(size: int, chain: int) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.benchmarks.loading import load_sales, put_to_rest
    from tests.benchmarks.network import generate

    call_command("migrate", verbosity=0)
    network = generate(size, chain=chain)
    report = Report(BARS | (CHAIN_BARS if chain else {}))
    print(f"{size:,} distributors" + (f", a chain of {chain:,} among them" if chain else ""))
    seconds = load_trees(network)
    load_sales(network)
    project_volume()
    put_to_rest()
    has_closure = make_closure()
    report.head()
    for name, ours, rival in questions(size):
        report.show(name, ours, rival if has_closure else None)
    for name, timer in changes():
        report.show(name, timer)
    report.line("load of all people, s", f"{seconds:30.1f}", seconds)
    megabytes = index_size()
    report.line("index of both trees, MB", f"{megabytes:30.0f}", megabytes)
    if has_closure:
        print(f"{'closure, MB':28}{table_size('rival.path'):30.0f}")
    print(f"breaks found afterwards: {breaks()}")
    return 0 if report.is_within and not breaks() else 1


def load_trees(network: Any) -> float:
    """People, positions and both indexes, by sets; returns seconds."""
    from genealogy.models import PlacementRule
    from genealogy.services.tree_index import rebuild_tree
    from tests.benchmarks.loading import load_people

    PlacementRule.objects.create(width=2, waiting_days=None)
    since = perf_counter()
    load_people(network)
    rebuild_tree("sponsor")
    rebuild_tree("placement")
    return perf_counter() - since


def project_volume() -> None:
    """This month's PV and GV, as claims keep them on each distributor."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """update genealogy_distributor d set current_month_pv = coalesce(v.pv, 0)
               from (select distributor_id, sum(pv) as pv from commerce_volumeentry group by 1) v
               where v.distributor_id = d.id"""
        )
        cursor.execute(
            """update genealogy_distributor d set current_month_gv = s.gv from (
                 select n.distributor_id, n.size, (
                   sum(d.current_month_pv) over (order by n.lft
                     rows between current row and unbounded following))::bigint as gv
                 from genealogy_genealogynode n join genealogy_distributor d
                   on d.id = n.distributor_id where n.tree = 'sponsor') s
               where s.distributor_id = d.id and s.size > 1"""
        )


def make_closure() -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(depth + 1)::bigint from genealogy_genealogynode where tree = 'sponsor'"
        )
        (rows,) = cursor.fetchone()
        if rows > LARGEST_CLOSURE:
            print(f"a closure would have {rows:,} rows: left out")
            return False
        since = perf_counter()
        for statement in CLOSURE.split(";")[:-1]:
            cursor.execute(statement)
    print(f"closure of {rows:,} rows made in {perf_counter() - since:.0f} s")
    return True


def asked(sql: str, *params: object) -> Callable[[], object]:
    def ask() -> object:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()

    return ask


def timed(calls: Iterable[Callable[[], object]]) -> Timer:
    """A call is made once before its time is taken, so that what it reads is in memory."""
    timer = Timer()
    for call in calls:
        call()
        timer.time(call)
    return timer


def questions(size: int) -> Iterator[tuple[str, Timer, Timer | None]]:
    from genealogy import queries
    from genealogy.models import Distributor
    from genealogy.queries import Filters
    from genealogy.queries.figures import sponsor_legs
    from genealogy.services.moves import stands_below

    people = sample(size)
    nodes = [queries.sponsor_nodes().get(distributor=person) for person in people]
    top = queries.sponsor_nodes().get(depth=0)
    pairs = list(zip(people, reversed(people), strict=True))
    closure = {
        "count": "select count(*) from rival.path where ancestor = %s and depth > 0",
        "under": "select 1 from rival.path where ancestor = %s and descendant = %s",
        "level": "select descendant from rival.path where ancestor = %s and depth = 5 limit 50",
        "path": "select ancestor from rival.path where descendant = %s order by depth desc",
    }
    yield (
        "downline count",
        timed(lambda p=p: Distributor(pk=p.pk).downline_count for p in people),
        timed(asked(closure["count"], p.pk) for p in people),
    )
    yield (
        "is X under Y",
        timed(lambda x=x, y=y: stands_below(x, y, "sponsor") for x, y in pairs),
        timed(asked(closure["under"], y.pk, x.pk) for x, y in pairs),
    )
    yield "children page", timed(lambda p=p: queries.children_page(p, 1) for p in people), None
    yield (
        "page of a level",
        timed(
            lambda n=n: list(Filters(level=5).within(n).order_by("lft")[: queries.PAGE])
            for n in nodes
        ),
        timed(asked(closure["level"], p.pk) for p in people),
    )
    yield (
        "path to the top",
        timed(lambda p=p: queries.upline_ids(p.pk, None) for p in people),
        timed(asked(closure["path"], p.pk) for p in people),
    )
    yield (
        "search to the way down",
        timed(
            lambda n=n: queries.opened(top, at=queries.search(top, n.distributor.number)[0])
            for n in nodes[:50]
        ),
        None,
    )
    yield "leg totals of the top", timed([lambda: sponsor_legs(top)] * 5), None


def sample(size: int) -> list[Any]:
    """People spread over the company, half of them with at least a hundred below."""
    from genealogy.models import Distributor

    anybody = Distributor.objects.order_by("pk")
    step = max(size * 2 // SAMPLES, 1)
    first = anybody.first().pk  # type: ignore[union-attr]
    spread = list(anybody.filter(pk__in=range(first, first + size, step)))
    large = anybody.filter(nodes__tree="sponsor", nodes__size__gt=100)
    return spread + list(large[:: max(large.count() * 2 // SAMPLES, 1)])


def changes() -> Iterator[tuple[str, Timer]]:
    from django.utils import timezone

    from accounts.models import User
    from genealogy.models import Distributor, GenealogyNode
    from genealogy.services.enrolment import enrol_distributor
    from genealogy.services.moves import Place, request_move

    staff = User.objects.create_user("mover@example.com", role="admin")
    today = timezone.localdate()
    sponsors = list(Distributor.objects.order_by("pk")[::10_007])
    yield "enrol", once(lambda p=p: stand_under(p, today) for p in saved_under(sponsors, today))
    yield (
        "enrol, all that goes along",
        once(
            lambda s=s: enrol_distributor(
                sponsor=s, display_name="New", joined_on=today, actor=None
            )
            for s in sponsors
        ),
    )
    sizes = GenealogyNode.objects.filter(tree="sponsor", size__range=(MOVED // 2, MOVED * 2))
    moved = min(sizes.select_related("distributor"), key=lambda node: abs(node.size - MOVED))
    homes = [p for p in sponsors if not within(p, moved)][:7]

    def move(to: Any) -> object:
        person = Distributor.objects.get(pk=moved.distributor_id)
        return request_move(
            distributor=person, tree="sponsor", to=Place(to), effective_on=today, reason="Timed",
            actor=staff,
        )  # fmt: skip

    yield f"move of {MOVED:,}", once(lambda to=to: move(to) for to in homes)


def saved_under(sponsors: list[Any], today: Any) -> Iterator[Any]:
    """New distributors who are in no tree yet."""
    from accounts.numbering import take_number
    from genealogy.models import Distributor

    for sponsor in sponsors:
        yield Distributor.objects.create(
            number=take_number("D"), display_name="New", sponsor=sponsor, joined_on=today
        )


def stand_under(person: Any, today: Any) -> object:
    """What an enrolment does in a tree: the node, the counts of everybody above, the position."""
    from genealogy.services.positions import record_position
    from genealogy.services.tree import insert_node

    insert_node(person)
    return record_position(
        distributor=person, tree="sponsor", parent=person.sponsor, valid_from=today, actor=None
    )


def within(person: Any, node: Any) -> bool:
    from genealogy.models import GenealogyNode

    own = GenealogyNode.objects.get(tree="sponsor", distributor=person)
    return bool(node.lft <= own.lft <= node.rgt)


def once(calls: Iterable[Callable[[], object]]) -> Timer:
    timer = Timer()
    for call in calls:
        with committed():
            timer.time(call)
    return timer


@contextmanager
def committed() -> Iterator[None]:
    """The commit is left out of the figures: how long a disk takes to say so is its own affair."""
    from django.db import transaction

    with transaction.atomic():
        yield


def index_size() -> float:
    return table_size("genealogy_genealogynode")


def table_size(name: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_total_relation_size(%s) / 1e6", [name])
        return float(cursor.fetchone()[0])


def breaks() -> int:
    from genealogy.services.tree_check import find_breaks

    return sum(len(find_breaks(tree)) for tree in ("sponsor", "placement"))


if __name__ == "__main__":
    sys.exit(main())

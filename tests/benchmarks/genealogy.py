"""How long the trees take at a million: asked, grown, moved and loaded, beside a stored closure.

    python -m tests.benchmarks.genealogy                      1,000,000 distributors
    python -m tests.benchmarks.genealogy 100000 --chain 5000
    python -m tests.benchmarks.genealogy 100000 --keep        load once, ask it again next time

A generated company gets a database of its own. What is timed is the product's own functions, as
pages and services call them (`timing` says what counts). Beside them stand the same questions put
to the closure table of the seeds (one row for each person and each above), made from the same tree
where it stays below forty million rows. Medians, in milliseconds. The load is timed when it is
done: into empty tables, whose indexes and checks are made when the rows are there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from tests.benchmarks.close import drop, recreate
from tests.benchmarks.timing import Report, Timer, once, timed

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
    "enrol, in the trees": 1.0,
    f"move of {MOVED:,}": 200.0,
    "load of all people, s": 30.0,
    "index of both trees, MB": 450.0,
}
CHAIN_BARS = {
    "path up the chain": 10.0,
    f"move of {MOVED:,}": 300.0,
}
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
Question = tuple[str, Timer, Timer | None]


def main() -> int:
    parser = argparse.ArgumentParser(description="Time the trees beside a stored closure.")
    parser.add_argument("size", nargs="?", type=int, default=SIZE)
    parser.add_argument("--chain", type=int, default=0, help="length of a straight line inside")
    parser.add_argument("--keep", action="store_true", help="keep the database for the next time")
    options = parser.parse_args()
    if "MLMCRM_TREES" in os.environ:
        return measure(options.size, options.chain)
    from mlmcrm import servers

    folder = servers.data_dir() / "bench"
    with servers.lease(folder) as addresses:
        name = f"bench_trees_{options.size}_{options.chain}"
        if not (options.keep and exists(addresses["DATABASE_URL"], name)):
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
            if not options.keep:
                drop(addresses["DATABASE_URL"], name)


def exists(address: str, name: str) -> bool:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [name])
        return found.fetchone() is not None


def measure(size: int, chain: int) -> int:
    import django

    django.setup()
    report = Report(BARS | (CHAIN_BARS if chain else {}))
    print(f"{size:,} distributors" + (f", a chain of {chain:,} among them" if chain else ""))
    if not rows("select to_regclass('bench_load')")[0][0]:
        load(size, chain)
    if not has_closure():
        make_closure()
    ((seconds, megabytes),) = rows("select seconds, megabytes from bench_load")
    report.head()
    for name, ours, rival in questions(size, chain):
        report.show(name, ours, rival)
    for name, timer in changes(size, chain):
        report.show(name, timer)
    report.line("load of all people, s", f"{seconds:30.1f}", seconds)
    report.line("index of both trees, MB", f"{megabytes:30.0f}", megabytes)
    if has_closure():
        print(f"{'closure, MB':32}{table_size('rival.path'):30.0f}")
    print(f"breaks found afterwards: {breaks()}")
    return 0 if report.is_within and not breaks() else 1


def load(size: int, chain: int) -> None:
    """The company, and how long it took."""
    from django.core.management import call_command

    from genealogy.models import PlacementRule
    from genealogy.services.tree_index import build_trees
    from tests.benchmarks.loading import figures_of, load_people, put_to_rest
    from tests.benchmarks.network import generate

    call_command("migrate", verbosity=0)
    PlacementRule.objects.create(width=2, waiting_days=None)
    network = generate(size, chain=chain)
    figures = figures_of(network)
    since = perf_counter()
    load_people(network, figures)
    print(f"people and positions: {perf_counter() - since:.1f} s", flush=True)
    build_trees()
    seconds = perf_counter() - since
    megabytes = table_size("genealogy_genealogynode")
    put_to_rest()
    execute("create table bench_load as select %s::float as seconds, %s::float as megabytes",
            seconds, megabytes)  # fmt: skip


def has_closure() -> bool:
    return bool(rows("select to_regclass('rival.path')")[0][0])


def make_closure() -> None:
    from django.db import transaction

    ((count,),) = rows(
        "select sum(depth + 1)::bigint from genealogy_genealogynode where tree = 'sponsor'"
    )
    if count > LARGEST_CLOSURE:
        print(f"a closure would have {count:,} rows: left out")
        return
    since = perf_counter()
    with transaction.atomic():
        for statement in CLOSURE.split(";")[:-1]:
            execute(statement)
    print(f"closure of {count:,} rows made in {perf_counter() - since:.0f} s")


def execute(sql: str, *params: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def rows(sql: str, *params: object) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def asked(sql: str, *params: object) -> Callable[[], object]:
    return lambda: rows(sql, *params)


def questions(size: int, chain: int) -> Iterator[Question]:
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

    def beside(name: str, *whose: Any) -> Timer | None:
        calls = (asked(closure[name], *(p.pk for p in each)) for each in zip(*whose, strict=True))
        return timed(calls) if has_closure() else None

    yield (
        "downline count",
        timed(lambda p=p: Distributor(pk=p.pk).downline_count for p in people),
        beside("count", people),
    )
    yield (
        "is X under Y",
        timed(lambda x=x, y=y: stands_below(x, y, "sponsor") for x, y in pairs),
        beside("under", reversed(people), people),
    )
    yield "children page", timed(lambda p=p: queries.children_page(p, 1) for p in people), None
    yield (
        "page of a level",
        timed(
            lambda n=n: list(Filters(level=5).within(n).order_by("lft")[: queries.PAGE])
            for n in nodes
        ),
        beside("level", people),
    )
    yield (
        "path to the top",
        timed(lambda p=p: queries.upline_ids(p.pk, None) for p in people),
        beside("path", people),
    )
    if chain:
        lowest = in_chain(size, chain)[-1]
        yield "path up the chain", timed([lambda: queries.upline_ids(lowest, None)] * 20), None
    yield (
        "search to the way down",
        timed(
            lambda n=n: queries.opened(top, at=queries.search(top, n.distributor.number)[0])
            for n in nodes[:50]
            if queries.is_near(n, top)
        ),
        None,
    )
    yield "leg totals of the top", timed([lambda: sponsor_legs(top)] * 20), None


def in_chain(size: int, chain: int) -> range:
    """The ids of those who stand in a straight line, from the top down."""
    from tests.benchmarks.network import FIRST_ID

    return range(FIRST_ID + size // 2, FIRST_ID + size // 2 + chain)


def sample(size: int) -> list[Any]:
    """People spread over the company, half of them with at least a hundred below."""
    from genealogy.models import Distributor

    anybody = Distributor.objects.order_by("pk")
    step = max(size * 2 // SAMPLES, 1)
    first = anybody.first().pk  # type: ignore[union-attr]
    spread = list(anybody.filter(pk__in=range(first, first + size, step)))
    large = anybody.filter(nodes__tree="sponsor", nodes__size__gt=100)
    return spread + list(large[:: max(large.count() * 2 // SAMPLES, 1)])


def changes(size: int, chain: int) -> Iterator[tuple[str, Timer]]:
    from django.utils import timezone

    from accounts.models import User
    from genealogy.models import Distributor
    from genealogy.services.enrolment import enrol_distributor
    from genealogy.services.moves import Place, request_move

    staff = User.objects.create_user(f"mover-{perf_counter()}@example.com", role="admin")
    today = timezone.localdate()
    line = set(in_chain(size, chain))
    sponsors = [p for p in Distributor.objects.order_by("pk")[:: size // 100] if p.pk not in line]

    def in_the_trees() -> Timer:
        return once(lambda p=p: stand_under(p, today) for p in saved_under(sponsors, today))

    def with_all() -> Timer:
        facts = {"display_name": "New", "joined_on": today, "actor": None}
        return once(lambda s=s: enrol_distributor(sponsor=s, **facts) for s in sponsors)

    yield "enrol, each line the first time", in_the_trees()
    yield "enrol, in the trees", in_the_trees()
    yield "enrol, all that goes along", with_all()
    moved, home = whom_to_move(line)
    others = [p for p in sponsors if not within(p, moved)]

    def move(to: Any) -> object:
        person = Distributor.objects.get(pk=moved)
        return request_move(
            distributor=person, tree="sponsor", to=Place(to), effective_on=today, reason="Timed",
            actor=staff,
        )  # fmt: skip

    homes = [to for other in others[-4:] for to in (other, home)]
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


def whom_to_move(line: set[int]) -> tuple[int, Any]:
    """Who has about ten thousand people below, of the chain if there is one; and his sponsor."""
    from genealogy.models import Distributor, GenealogyNode

    nodes = GenealogyNode.objects.filter(tree="sponsor", size__gt=MOVED // 2)
    sizes = nodes.filter(distributor__in=line) if line else nodes
    found = min(sizes.select_related("distributor"), key=lambda node: abs(node.size - MOVED))
    print(f"{'':32}{found.size:,} people are moved, from level {found.depth:,}")
    return found.distributor_id, Distributor.objects.get(pk=found.distributor.sponsor_id)


def within(person: Any, top_id: int) -> bool:
    from genealogy.models import GenealogyNode

    nodes = GenealogyNode.objects.filter(tree="sponsor")
    own, top = nodes.get(distributor=person), nodes.get(distributor=top_id)
    return bool(top.lft <= own.lft <= top.rgt)


def table_size(name: str) -> float:
    return float(rows("select pg_total_relation_size(%s) / 1e6", name)[0][0])


def breaks() -> int:
    from genealogy.services.tree_check import find_breaks

    return sum(len(find_breaks(tree)) for tree in ("sponsor", "placement"))


if __name__ == "__main__":
    sys.exit(main())

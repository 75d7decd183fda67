"""How long the pages of a genealogy take on the server, over a generated network.

    python -m tests.benchmarks.pages                    100,000 distributors
    python -m tests.benchmarks.pages 1000000 --plans
    python -m tests.benchmarks.pages --browser          and in Chromium, through the web process

The reader is the distributor on top, so that each page is about the whole company. Times are
milliseconds in the process that serves the page, database included, medians and worst of the
rounds after the first. `--plans` prints how the database answers the statements of the lists.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from time import monotonic
from typing import Any

from tests.benchmarks.close import drop, recreate

SIZE = 100_000
ROUNDS = 12
BAR = 300
FIRST_PAGE = "list"
BROWSED = (
    FIRST_PAGE, "way down to somebody", "level 8", "search by name", "drawn, sponsor",
    "drawn, placement", "figures", "card",
)  # fmt: skip
# What the loader leaves the same for all: when they joined, what they are, what they sold.
VARIED = """
update genealogy_distributor set
  joined_on = date '2024-01-01' + (id * 7919 % 1050)::int,
  status = (array['active', 'active', 'active', 'inactive', 'on_hold'])[id % 5 + 1],
  paid_as_rank_id = case when id % 3 = 0 then (select min(id) from genealogy_rank)
                         when id % 97 = 0 then (select max(id) from genealogy_rank) end,
  current_month_pv = case when id % 4 = 0 then 0 else id % 50000 end,
  current_month_gv = 9000 * (select n.size from genealogy_genealogynode n
                             where n.distributor_id = genealogy_distributor.id
                               and n.tree = 'sponsor')
"""
# Positions that begin one after the other over three years, and five hundred who were moved from
# their sponsor's sponsor since.
DATED = [
    "set session_replication_role = replica",
    """update genealogy_distributorposition p set
         valid_from = date '2024-01-01' + (1050 * (p.distributor_id - low) / (high - low + 1))::int,
         recorded_at = date '2024-01-01' + (1050 * (p.distributor_id - low) / (high - low + 1))::int
       from (select min(id) as low, max(id) as high from genealogy_distributor) ends""",
    """create temporary table moved as
       select p.id, p.distributor_id, p.tree, above.parent_id, p.valid_from, p.recorded_at
       from genealogy_distributorposition p
       join genealogy_distributorposition above
         on above.distributor_id = p.parent_id and above.tree = p.tree
       where p.tree = 'sponsor' and above.parent_id is not null and p.valid_from < '2026-11-10'
       order by p.distributor_id * 7919 % 100003 limit 500""",
    """update genealogy_distributorposition
       set valid_from = '2026-11-10', recorded_at = '2026-11-20'
       where id in (select id from moved)""",
    """insert into genealogy_distributorposition
         (distributor_id, tree, parent_id, valid_from, recorded_at, reason)
       select distributor_id, tree, parent_id, valid_from, '2026-11-20', ''
       from moved""",
    """insert into genealogy_distributorposition
         (distributor_id, tree, parent_id, valid_from, recorded_at, superseded_at, reason)
       select distributor_id, tree, parent_id, valid_from, recorded_at, '2026-11-20', ''
       from moved""",
    """update genealogy_distributor set joined_on = '2024-01-01'
       where id = (select min(id) from genealogy_distributor)""",
    "set session_replication_role = origin",
]
LATELY, LONG_AGO = "on=2026-10-31", "on=2025-03-01"


def main() -> int:
    parser = argparse.ArgumentParser(description="Time the pages of a genealogy.")
    parser.add_argument("size", nargs="?", type=int, default=SIZE)
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--browser", action="store_true", help="and as a real browser sees them")
    parser.add_argument("--only", default="", help="part of the names of the pages to time")
    options = parser.parse_args()
    if "MLMCRM_PAGES_SIZE" in os.environ:
        return measure(options)
    from mlmcrm import servers

    folder = servers.data_dir() / "bench"
    with servers.lease(folder) as addresses:
        name = f"bench_pages_{options.size}"
        recreate(addresses["DATABASE_URL"], name)
        database, _, rest = addresses["DATABASE_URL"].partition("?")
        url = database.rpartition("/")[0] + f"/{name}" + (f"?{rest}" if rest else "")
        environment = os.environ | addresses | {
            "DATABASE_URL": url, "MLMCRM_ENV": "development", "MLMCRM_DATA_DIR": str(folder),
            "MLMCRM_PAGES_SIZE": str(options.size),
            "DJANGO_SETTINGS_MODULE": "mlmcrm.settings",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.benchmarks.pages", *sys.argv[1:]]
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            drop(addresses["DATABASE_URL"], name)


def measure(options: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from genealogy.models import Distributor
    from tests.benchmarks.loading import load_network
    from tests.benchmarks.network import generate

    call_command("migrate", verbosity=0)
    load_network(generate(options.size))
    finish_loading()
    top = Distributor.objects.order_by("pk")[0]
    deep = Distributor.objects.filter(positions__valid_from__lt="2026-10-01").order_by("-pk")[0]
    wide = Distributor.objects.order_by("-direct_referral_count", "pk")[0]
    pages = addresses_of(deep, wide)
    pages = {name: pages[name] for name in pages if options.only in name}
    worst = [time_pages(top, pages).get(FIRST_PAGE, 0)]
    if options.plans:
        show_plans(top)
    if options.browser:
        from tests.benchmarks.browsing import browse

        seen = {name: pages[name].format(top=top.number) for name in BROWSED if name in pages}
        opened = browse(top.user, seen, f"/genealogy/?at={wide.number}", wide.number)
        worst.append(opened.get(FIRST_PAGE, 0))
    return 0 if max(worst) <= BAR else 1


def finish_loading() -> None:
    from django.db import connection

    from genealogy.services.tree_index import rebuild_tree
    from tests.benchmarks.loading import put_to_rest

    with connection.cursor() as cursor:
        for statement in (VARIED, *DATED):
            cursor.execute(statement)
    rebuild_tree("placement")
    put_to_rest()


def addresses_of(deep: Any, wide: Any) -> dict[str, str]:
    """Name and address of each page; the first page of a list is one with fifty children."""
    return {
        FIRST_PAGE: f"/genealogy/?root={wide.number}",
        "fifty children": f"/genealogy/{wide.number}/children/?level=1",
        "way down to somebody": f"/genealogy/?at={deep.number}",
        "level 1": "/genealogy/?level=1",
        "level 8": "/genealogy/?level=8",
        "a rank few have": "/genealogy/?rank=diamond",
        "a rank many have": "/genealogy/?rank=bronze",
        "on hold": "/genealogy/?status=on_hold",
        "no PV, level 20": "/genealogy/?activity=inactive&level=20",
        "joined in a week": "/genealogy/?joined_from=2026-03-02&joined_to=2026-03-08",
        "search by name": "/genealogy/search/?q=butor%201234",
        "search by number": f"/genealogy/search/?q={deep.number}",
        "drawn, sponsor": "/genealogy/drawn/?depth=4",
        "drawn, placement": "/genealogy/drawn/?tree=placement&depth=4",
        "figures": "/genealogy/figures/",
        "card": "/genealogy/{top}/",
        **pages_then("last month", LATELY, wide, deep),
        **pages_then("long ago", LONG_AGO, wide, wide),
    }


def pages_then(when: str, on: str, wide: Any, deep: Any) -> dict[str, str]:
    """The pages as of another day; `deep` had joined by then."""
    return {
        f"{when}: list": f"/genealogy/?root={wide.number}&{on}",
        f"{when}: children": f"/genealogy/{wide.number}/children/?level=1&{on}",
        f"{when}: way down": f"/genealogy/?at={deep.number}&{on}",
        f"{when}: search by name": f"/genealogy/search/?q=butor%2012&{on}",
        f"{when}: drawn, sponsor": f"/genealogy/drawn/?depth=4&{on}",
        f"{when}: drawn, place": f"/genealogy/drawn/?tree=placement&depth=4&{on}",
        f"{when}: figures": f"/genealogy/figures/?{on}",
        f"{when}: card": f"/genealogy/{{top}}/?{on}",
        f"{when}: known then": f"/genealogy/?root={wide.number}&{on}&known=2026-11-15",
    }


def time_pages(top: Any, addresses: dict[str, str]) -> dict[str, float]:
    """Print a line for each page; returns the worst time of each."""
    from django.db import connection, reset_queries
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client(headers={"accept": "text/html"}, SERVER_NAME="localhost")
    top.user = User.objects.create_user("top@example.com", email_verified=True)
    top.save(update_fields=["user"])
    staff = User.objects.create_user("staff@example.com", role="admin", email_verified=True)
    print(f"\n{'page':28}{'median ms':>10}{'worst ms':>10}{'statements':>12}{'KiB':>8}")
    worst = {}
    for name, address in addresses.items():
        url = address.format(top=top.number)
        client.force_login(staff if "known=" in url else top.user)
        reset_queries()  # the log of a development server is full after loading
        with CaptureQueriesContext(connection) as statements:
            response = client.get(url)
        count = len(statements)
        if response.status_code not in (200, 302):
            raise SystemExit(f"{url} answers {response.status_code}")
        times = [timed(client, url) for _ in range(ROUNDS)]
        worst[name] = max(times)
        size = len(response.content) / 1024
        print(f"{name:28}{statistics.median(times):10.0f}{worst[name]:10.0f}{count:12}{size:8.0f}")
    return worst


def timed(client: Any, url: str) -> float:
    since = monotonic()
    client.get(url)
    return (monotonic() - since) * 1000


def show_plans(top: Any) -> None:
    """How the lists are answered: children, a level, and each kind of filter."""
    from datetime import date

    from genealogy import queries
    from genealogy.models import GenealogyNode, Rank

    root = GenealogyNode.objects.get(distributor=top, tree="sponsor")
    ranks = {rank.code: rank for rank in Rank.objects.all()}
    children = queries.sponsor_nodes().filter(distributor__sponsor=top)
    pages = {
        "children": children.order_by("distributor_id"),
        **{
            name: filters.within(root).order_by("lft")
            for name, filters in {
                "level 1": queries.Filters(level=1),
                "level 8": queries.Filters(level=8),
                "a rank few have": queries.Filters(rank=ranks["diamond"]),
                "on hold": queries.Filters(status="on_hold"),
                "joined in a week": queries.Filters(
                    joined_from=date(2026, 3, 2), joined_to=date(2026, 3, 8)
                ),
            }.items()
        },
    }
    for name, nodes in pages.items():
        print(f"\n{name}\n{nodes[: queries.PAGE + 1].explain(analyze=True, costs=False)}")


if __name__ == "__main__":
    sys.exit(main())

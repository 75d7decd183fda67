"""Many processes change the trees, what people hold and the clock at once; then all is exact.

    python -m tests.faults.moves --processes 8 --seconds 60
    python -m tests.faults.moves --without-tree-locks        the control: must find the trees wrong

Own servers, own database. Each process moves random people of one small company in both trees, has
others enrolled, by hand, by themselves and from files, lets some leave and come back, says what
they hold, sells to them, and closes one day of the past after the other, as fast as it can
(`race_steps.py`). Nobody may stand below himself, wait for ever or die in a deadlock, of which the
database counts none; whatever is refused is refused in words. In the end the index equals the
parents and the positions of today, nobody got a sponsor who had left, and the ledger holds. The
control goes on, turn after turn, until the trees are wrong. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from mlmcrm import servers

ROOT = Path(__file__).resolve().parents[2]
TURNS = 8
SAME_PLACES = """
select count(*) from genealogy_distributor d
left join lateral (
  select * from genealogy_distributorposition p
  where p.distributor_id = d.id and p.tree = %s and p.superseded_at is null
  order by p.valid_from desc limit 1) p on true
where (p.parent_id, p.leg) is distinct from ({parent}, {leg})
"""
WRONG = {
    "positions under a sponsor who had left": """
select count(*) from genealogy_distributorposition p
join genealogy_distributorattribute a on a.distributor_id = p.parent_id and a.code = 'left'
where p.tree = 'sponsor' and p.recorded_at > a.recorded_at and p.reason not like '% left: %'
  and (a.superseded_at is null or p.recorded_at < a.superseded_at)""",
    "people whose status is not what is said of today": """
select count(*) from genealogy_distributor d
where (d.status = 'terminated') <> exists (
  select 1 from genealogy_distributorattribute a where a.distributor_id = d.id
    and a.code = 'left' and a.superseded_at is null and a.valid_to is null)""",
    "people with another number of directs than is counted": """
select count(*) from genealogy_distributor d where d.direct_referral_count <> (
  select count(*) from genealogy_distributor c where c.sponsor_id = d.id)""",
    "people who still wait for a place": """
select count(*) from genealogy_waiting w join genealogy_distributor d on d.id = w.distributor_id
where (w.settled_at is null) <> (d.placement_parent_id is null)""",
    "sessions that wait for a lock": """
select count(*) from pg_stat_activity where wait_event_type = 'Lock'""",
    "deadlocks": """
select deadlocks from pg_stat_database where datname = current_database()""",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Move overlapping lines from many processes.")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-tree-locks", action="store_true", help="the control")
    parser.add_argument("--mover", action="store_true", help="be one of the processes")
    options = parser.parse_args()
    os.environ |= {"MLMCRM_ENV": "development", "MOVE_ALONE_UP_TO": "1000000"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "mlmcrm.settings"
    if options.mover:
        print(json.dumps(keep_moving(options)))
        return 0
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    folder = servers.data_dir() / f"moves-{os.getpid()}"
    os.environ["MLMCRM_DATA_DIR"] = str(folder)
    try:
        with servers.lease(folder) as addresses:
            os.environ |= addresses
            report = carry_out(options)
    finally:
        servers.remove(folder)
    print(json.dumps(report))
    return 0 if report["as_it_should"] else 1


def carry_out(options: argparse.Namespace) -> dict[str, Any]:
    prepare(options.people)
    counts: Counter[str] = Counter()
    is_found = False
    for turn in range(TURNS if options.without_tree_locks else 1):
        counts.update(race(options, turn))
        wrong = what_is_wrong()
        is_found = any(found.startswith(("sponsor:", "placement:")) for found in wrong)
        if is_found:
            break
    is_well = not wrong and not counts["died"] and not counts["failed"]
    return {
        "seed": options.seed,
        **dict(sorted(counts.items())),
        "wrong": wrong[:20],
        "as_it_should": is_found if options.without_tree_locks else is_well,
    }


def race(options: argparse.Namespace, turn: int) -> Counter[str]:
    """All processes at once until the time is over: what they did, added up."""
    first = options.seed * 1000 + turn * options.processes
    movers = [start_mover(options, first + number) for number in range(options.processes)]
    counts: Counter[str] = Counter()
    for mover in movers:
        said, _ = mover.communicate(timeout=options.seconds + 120)
        counts.update(json.loads(said.splitlines()[-1]) if mover.returncode == 0 else {"died": 1})
    return counts


def prepare(people: int) -> None:
    """A migrated database with a company of some hundred."""
    import django

    django.setup()
    from django.core.management import call_command

    from tests.faults.race_steps import found

    call_command("migrate", verbosity=0)
    found(people)


def start_mover(options: argparse.Namespace, seed: int) -> subprocess.Popen[str]:
    control = ["--without-tree-locks"] if options.without_tree_locks else []
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.moves", "--mover", "--seed",
         str(seed), "--seconds", str(options.seconds), *control],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def keep_moving(options: argparse.Namespace) -> dict[str, int]:
    """Until the time is over: what was done and what was refused, counted by kind."""
    import django

    django.setup()
    from django.conf import settings

    from genealogy.services import locks
    from tests.faults.race_steps import REFUSALS, STEPS

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    if options.without_tree_locks:
        locks.advisory_lock = lambda name: None
    draw, counts = random.Random(options.seed), Counter()
    until = time.monotonic() + options.seconds
    while time.monotonic() < until:
        (step,) = draw.choices(list(STEPS), list(STEPS.values()))
        try:
            step(draw)
            counts[step.__name__] += 1
        except REFUSALS as refusal:
            counts["refused" if str(refusal) else "failed"] += 1
        except Exception as error:
            counts["failed"] += 1
            print(step.__name__, type(error).__name__, error, file=sys.stderr)
    return dict(counts)


def what_is_wrong() -> list[str]:
    from django.db import connection

    from commissions.services import verification
    from genealogy.models import Move
    from genealogy.services.tree_check import find_breaks
    from genealogy.services.tree_index import TreeBroken, rebuild_tree

    wrong = []
    places = {"sponsor": ("d.sponsor_id", "null"), "placement": ("d.placement_parent_id", "d.leg")}
    with connection.cursor() as cursor:
        for what, query in WRONG.items():
            cursor.execute(query)
            (found,) = cursor.fetchone()
            wrong += [f"{found} {what}"] if found else []
    for tree, (parent, leg) in places.items():
        wrong += [f"{tree}: {found.number} {found.what}" for found in find_breaks(tree)]
        with connection.cursor() as cursor:
            cursor.execute(SAME_PLACES.format(parent=parent, leg=leg), [tree])
            (differing,) = cursor.fetchone()
        wrong += [f"{tree}: {differing} positions differ from the parents"] if differing else []
        try:
            rebuild_tree(tree)
        except TreeBroken as circle:
            wrong.append(f"{tree}: {circle}")
    left_open = Move.objects.open().count()
    wrong += [f"{left_open} moves are left open"] if left_open else []
    return wrong + list(verification.find_breaks())


if __name__ == "__main__":
    sys.exit(main())

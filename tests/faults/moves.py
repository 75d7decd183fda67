"""Many processes move overlapping lines at once; afterwards the trees are exact.

    python -m tests.faults.moves --processes 8 --seconds 60

Own servers, own database. Each process moves random people of one small company in both trees, has
others enrolled and lets some leave, as fast as it can. Nobody may stand below himself, wait for
ever or die in a deadlock, and in the end the index equals the parents and the positions of today.
The last line is JSON.
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
SAME_PLACES = """
select count(*) from genealogy_distributor d
left join lateral (
  select * from genealogy_distributorposition p
  where p.distributor_id = d.id and p.tree = %s and p.superseded_at is null
  order by p.valid_from desc limit 1) p on true
where (p.parent_id, p.leg) is distinct from ({parent}, {leg})
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Move overlapping lines from many processes.")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
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
    movers = [start_mover(options, number) for number in range(options.processes)]
    counts: Counter[str] = Counter()
    for mover in movers:
        said, _ = mover.communicate(timeout=options.seconds + 120)
        counts.update(json.loads(said.splitlines()[-1]) if mover.returncode == 0 else {"died": 1})
    wrong = what_is_wrong()
    return {
        "seed": options.seed,
        **dict(sorted(counts.items())),
        "wrong": wrong,
        "as_it_should": not wrong and not counts["died"] and not counts["failed"],
    }


def prepare(people: int) -> None:
    """A migrated database with a company of some hundred, grown at random."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import User
    from genealogy.models import Distributor
    from genealogy.services.enrolment import enrol_distributor

    call_command("migrate", verbosity=0)
    User.objects.create_user("ada@example.com", role="admin")
    draw = random.Random(7)
    grown: list[Distributor] = []
    for number in range(people):
        above = draw.choice(grown) if grown else None
        joined = timezone.localdate()
        grown.append(
            enrol_distributor(
                sponsor=above, display_name=f"N {number}", joined_on=joined, actor=None
            )
        )


def start_mover(options: argparse.Namespace, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.moves", "--mover", "--seed",
         str(options.seed * 1000 + number), "--seconds", str(options.seconds)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def keep_moving(options: argparse.Namespace) -> dict[str, int]:
    """Until the time is over: what was done and what was refused, counted by kind."""
    import django

    django.setup()
    from django.db import Error

    from genealogy.services.enrolment import EnrolmentRefused
    from genealogy.services.moves import MoveRefused
    from genealogy.services.terminations import TerminationRefused

    draw, counts = random.Random(options.seed), Counter()
    until = time.monotonic() + options.seconds
    steps = {change_sponsor: 10, change_place: 10, enrol: 3, leave: 1}
    while time.monotonic() < until:
        (step,) = draw.choices(list(steps), list(steps.values()))
        try:
            step(draw)
            counts[step.__name__] += 1
        except (MoveRefused, EnrolmentRefused, TerminationRefused):
            counts["refused"] += 1
        except Error as error:
            counts["failed"] += 1
            print(type(error).__name__, error, file=sys.stderr)
    return dict(counts)


def somebody(draw: random.Random) -> Any:
    from genealogy.models import Distributor

    return draw.choice(Distributor.objects.filter(status="active").only("id", "number"))


def change_sponsor(draw: random.Random) -> None:
    from genealogy.services.moves import Place

    move(draw, "sponsor", Place(somebody(draw)))


def change_place(draw: random.Random) -> None:
    from genealogy.services.moves import Place

    move(draw, "placement", Place(somebody(draw), draw.randint(1, 3)))


def move(draw: random.Random, tree: str, to: Any) -> None:
    from django.utils import timezone

    from accounts.models import User
    from genealogy.services.moves import request_move

    request_move(
        distributor=somebody(draw),
        tree=tree,
        to=to,
        effective_on=timezone.localdate(),
        reason="Race",
        actor=User.objects.get(role="admin"),
    )


def enrol(draw: random.Random) -> None:
    from django.utils import timezone

    from genealogy.services.enrolment import enrol_distributor

    enrol_distributor(
        sponsor=somebody(draw), display_name="New", joined_on=timezone.localdate(), actor=None
    )


def leave(draw: random.Random) -> None:
    from accounts.models import User
    from genealogy.services.terminations import terminate_distributor

    terminate_distributor(
        distributor=somebody(draw),
        downline=draw.choice(["stay", "roll_up"]),
        reason="Race",
        actor=User.objects.get(role="admin"),
    )


def what_is_wrong() -> list[str]:
    from django.db import connection

    from genealogy.models import Move
    from genealogy.services.tree_check import find_breaks
    from genealogy.services.tree_index import rebuild_tree

    wrong = []
    places = {"sponsor": ("d.sponsor_id", "null"), "placement": ("d.placement_parent_id", "d.leg")}
    for tree, (parent, leg) in places.items():
        wrong += [f"{tree}: {found.number} {found.what}" for found in find_breaks(tree)]
        with connection.cursor() as cursor:
            cursor.execute(SAME_PLACES.format(parent=parent, leg=leg), [tree])
            (differing,) = cursor.fetchone()
        wrong += [f"{tree}: {differing} positions differ from the parents"] if differing else []
        rebuild_tree(tree)  # raises for a circle
    left_open = Move.objects.open().count()
    return wrong + ([f"{left_open} moves are left open"] if left_open else [])


if __name__ == "__main__":
    sys.exit(main())

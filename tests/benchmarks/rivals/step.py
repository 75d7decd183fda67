"""A step of the rivals' benchmark in a process of its own: `load` or `run`, and the options."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
from pathlib import Path
from time import monotonic
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")

PLAN = Path(__file__).parent.parent / "plan.json"


def main() -> None:
    import django

    django.setup()
    step, options = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(load(options) if step == "load" else measure(options)))


def load(options: dict[str, Any]) -> float:
    from tests.benchmarks import loading
    from tests.benchmarks.network import generate
    from tests.benchmarks.rivals import tables

    since = monotonic()
    network = generate(options["size"], chain=options["chain"])
    loading.load(network, definition(options["per_line"]))
    tables.load(network)
    return monotonic() - since


def definition(per_line: bool) -> dict[str, Any]:
    """The plan; with `per_line` its unilevel is paid on each order line."""
    plan: dict[str, Any] = json.loads(PLAN.read_text())
    if per_line:
        (unilevel,) = (bonus for bonus in plan["bonuses"] if bonus["code"] == "unilevel")
        unilevel["base"] = {"of": "order", "volume": "sold_cv", "smaller_package": False}
    return plan


def measure(options: dict[str, Any]) -> dict[str, Any]:
    run, ours = measure_ours(options["rounds"])
    result = options | {"ours": ours, "server": moved_by_server(run), "orders": orders()}
    if options["ours"]:
        return result
    forget_rivals()
    return result | {
        "sql": measure_sql(options["per_line"]),
        "equal": compare(run),
        "walk": measure_walk(options["share"]),
        "function": measure_function(),
    }


def measure_ours(rounds: int) -> tuple[Any, dict[str, Any]]:
    from commissions.services.periods import close_period
    from commissions.services.runs import calculate, waiting_runs
    from tests.benchmarks.close import PERIOD, PHASES, calculate_once
    from tests.benchmarks.loading import checkers, period_named

    at_rest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    closer, _ = checkers()
    if period_named(PERIOD).status == "open":
        close_period(period=period_named(PERIOD), actor=closer)
    for interrupted in waiting_runs():
        calculate(interrupted)
    taken = [calculate_once(closer) for _ in range(2 + rounds)][2:]
    run = period_named(PERIOD).runs.filter(kind="close", status="done").get()
    return run, {
        "total": statistics.median(t["total"] for t in taken),
        "totals": [t["total"] for t in taken],
        "rows": run.line_count,
        "phases": {name: statistics.median(t[name] for t in taken) for name in PHASES},
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_rest) * 1024,
        "computing": computed_alone(run.period, rounds),
    }


def computed_alone(period: Any, rounds: int) -> float:
    """Seconds that computing takes by itself; in a close the standings are written meanwhile, and
    after one the server still has the rows to bring to disk."""
    from django.db import connection

    from commissions.services.calculation import read_facts, work_out_closed

    with connection.cursor() as cursor:
        cursor.execute("checkpoint")
    snapshot, taken = read_facts(period), []
    for _ in range(rounds):
        since = monotonic()
        work_out_closed(period, snapshot)
        taken.append(monotonic() - since)
    return statistics.median(taken)


def orders() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from rival.line")
        return int(cursor.fetchone()[0])


def forget_rivals() -> None:
    """What an earlier measurement of this database left behind."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("drop table if exists rival.path, rival_line")
        cursor.execute("drop index if exists rival.line_seller_idx")
        cursor.execute("drop function if exists rival.volumes")


def measure_sql(per_line: bool) -> dict[str, Any]:
    import psycopg
    from django.db import connection

    from tests.benchmarks.rivals import set_based

    taken = []
    for _ in range(3):
        with connection.cursor() as cursor:
            for name in OUTCOME:
                cursor.execute(f"drop table if exists rival.{name}")
        with psycopg.connect(os.environ["DATABASE_URL"]) as own:
            taken.append(set_based.run(own, per_line))
    steps = {name: statistics.median(t[name] for t in taken) for name in taken[0]}
    with connection.cursor() as cursor:
        cursor.execute(f"select sum(count) from ({set_based.TOTALS}) t(bonus, earner, sum, count)")
        rows = int(cursor.fetchone()[0])
    return {"total": sum(steps.values()), "rows": rows, "steps": steps}


OUTCOME = (
    "unilevel", "matching", "generation", "binary", "volume", "prefix", "gv", "rank", "pointer",
    "pprefix", "ledger", "standing",
)  # fmt: skip


def compare(run: Any) -> bool:
    """Whether every earner has the same total and number of lines of each bonus."""
    from django.db import connection

    from tests.benchmarks.rivals import set_based

    ours = f"""
    select b.code, l.distributor_id, sum(l.amount)::bigint, count(*)
    from {run.ledger_table} l join commissions_bonus b on b.id = l.bonus_id group by 1, 2"""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select count(*) from (({ours}) except ({set_based.TOTALS})) t union all "
            f"select count(*) from (({set_based.TOTALS}) except ({ours})) t"
        )
        return [count for (count,) in cursor.fetchall()] == [0, 0]


def measure_walk(share: int) -> dict[str, Any]:
    from tests.benchmarks.rivals import upline_walk

    steps = upline_walk.run(share)
    rows = int(steps.pop("rows"))
    steps["compute"], steps["write"] = steps["compute"] * share, steps["write"] * share
    return {"total": sum(steps.values()), "rows": rows * share, "steps": steps}


def measure_function() -> dict[str, Any]:
    from tests.benchmarks.rivals import volume_function

    steps = volume_function.run()
    steps.pop("called")
    return {"total": sum(steps.values()), "steps": steps}


def moved_by_server(run: Any) -> float:
    """Seconds the server alone takes to move the same rows in one session: the facts read to
    nowhere, ledger and standings written from files, committed. What no program could save."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("set max_parallel_workers_per_gather = 0")
        cursor.execute("select current_setting('data_directory')")
        folder = Path(cursor.fetchone()[0])
        files = {
            table: folder / f"{table}.rows" for table in (run.ledger_table, run.standing_table)
        }
        for table, file in files.items():
            cursor.execute(f"copy (select * from {table}) to '{file}' (format binary)")
        since = monotonic()
        for query in FACTS:
            cursor.execute(f"copy ({query}) to '/dev/null' (format binary)")
        with transaction.atomic():
            for table, file in files.items():
                cursor.execute(f"create table rival.{table} (like {table} including constraints)")
                cursor.execute(f"copy rival.{table} from '{file}' (format binary, freeze)")
        taken = monotonic() - since
        for table, file in files.items():
            cursor.execute(f"drop table rival.{table}")
            file.unlink()
        cursor.execute("reset max_parallel_workers_per_gather")
    return taken


FACTS = (
    "select id, distributor_id, order_class, counts_on, pv, cv, margin from commerce_volumeentry",
    "select distributor_id, parent_id, leg, valid_from, id from genealogy_distributorposition",
    "select id, enroller_id from genealogy_distributor",
)


if __name__ == "__main__":
    main()

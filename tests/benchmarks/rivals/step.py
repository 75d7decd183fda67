"""One size of the rivals' benchmark, in a process of its own: size, share, chain."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")

PLAN = Path(__file__).parent.parent / "plan.json"
ROUNDS = 4


def main() -> None:
    import django

    django.setup()
    from tests.benchmarks.loading import load
    from tests.benchmarks.network import generate
    from tests.benchmarks.rivals import tables

    size, share, chain = (int(argument) for argument in sys.argv[1:4])
    network = generate(size, chain=chain)
    load(network, PLAN)
    tables.load(network)
    run, ours = measure_ours()
    result = {
        "size": size,
        "share": share,
        "orders": int(network.order_id.size),
        "ours": ours,
        "raw": raw_seconds(run),
        "sql": measure_sql(),
        "equal": compare(run),
        "walk": measure_walk(share),
        "function": measure_function(),
    }
    print(json.dumps(result))


def measure_ours() -> tuple[Any, dict[str, Any]]:
    from commissions.services.periods import close_period
    from tests.benchmarks.close import PERIOD, PHASES, calculate_once
    from tests.benchmarks.loading import checkers, period_named

    closer, _ = checkers()
    close_period(period=period_named(PERIOD), actor=closer)
    taken = [calculate_once(closer) for _ in range(ROUNDS)][1:]
    run = period_named(PERIOD).runs.filter(kind="close", status="done").get()
    return run, {
        "total": statistics.median(t["total"] for t in taken),
        "rows": run.line_count,
        "phases": {name: statistics.median(t[name] for t in taken) for name in PHASES},
    }


def measure_sql() -> dict[str, Any]:
    import psycopg
    from django.db import connection

    from tests.benchmarks.rivals import set_based

    taken = []
    for _ in range(3):
        with connection.cursor() as cursor:
            for name in OUTCOME:
                cursor.execute(f"drop table if exists rival.{name}")
        with psycopg.connect(os.environ["DATABASE_URL"]) as own:
            taken.append(set_based.run(own))
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


def raw_seconds(run: Any) -> float:
    """A file of as many bytes as the run wrote, written and synced, and one as it read, read."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_total_relation_size(%s) + pg_total_relation_size(%s), "
            "pg_relation_size('commerce_volumeentry') + "
            "pg_relation_size('genealogy_distributorposition')",
            [run.ledger_table, run.standing_table],
        )
        written, read = cursor.fetchone()
    block = os.urandom(1 << 20)
    with tempfile.NamedTemporaryFile(dir=os.environ["MLMCRM_DATA_DIR"]) as file:
        since = monotonic()
        for _ in range(written >> 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        for _ in range(read >> 20):
            file.read(1 << 20)
        return monotonic() - since


if __name__ == "__main__":
    main()

"""How long the close of a period takes: generated distributors with three orders each.

    python -m tests.benchmarks.close                    10,000, 100,000 and 1,000,000
    python -m tests.benchmarks.close 100000 --rounds 5
    python -m tests.benchmarks.close 100000 --asking --chain 5000

Each size gets a database of its own in the benchmark's data folder. It is loaded by COPY in one
process; another one, whose memory is measured, closes the period and calculates it repeatedly. The
figures are medians over the rounds after the first; the first warms the caches. `commit` is what
is left: figures and warnings for the control room, the marks on run and period, the commit itself.
`cpu` is the processor time of this process and its database session: what a busy machine hides.
At the end pages that explain single lines of the final close are opened (`stories`). `--asking`:
by a plan that asks for what standings do not have; `--chain`: so many people in a straight line.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, process_time
from typing import Any

SIZES = (10_000, 100_000, 1_000_000)
PHASES = ("read", "compute", "write", "index", "check", "commit")
BARS = {100_000: 3.0, 1_000_000: 30.0}
MEMORY_BAR = 3 * 1024
STORY_BAR = 200
PERIOD = "2026-10"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time the close of a period at growing sizes.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--asking", action="store_true", help="by a plan that asks for more")
    parser.add_argument("--chain", type=int, default=0, help="length of a straight line")
    options = parser.parse_args(arguments)
    results = [measured_apart(size, options) for size in options.sizes]
    show(results)
    return 0 if all(within_bars(result) for result in results) else 1


def measured_apart(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Load and run in processes of their own, on servers that stay up between them."""
    from mlmcrm import servers

    folder = servers.data_dir() / "bench"
    with servers.lease(folder) as addresses:
        database, _, rest = addresses["DATABASE_URL"].partition("?")
        name = f"bench_{size}"
        recreate(addresses["DATABASE_URL"], name)
        url = database.rpartition("/")[0] + f"/{name}" + (f"?{rest}" if rest else "")
        environment = os.environ | addresses | {
            "DATABASE_URL": url, "MLMCRM_ENV": "development", "MLMCRM_DATA_DIR": str(folder),
        }  # fmt: skip
        seconds = json.loads(part("load", size, options, environment))
        result: dict[str, Any] = json.loads(part("run", size, options, environment))
        drop(addresses["DATABASE_URL"], name)
    return result | {"load": seconds}


def part(step: str, size: int, options: argparse.Namespace, environment: dict[str, str]) -> str:
    asked = json.dumps(vars(options) | {"size": size})
    command = [sys.executable, "-m", "tests.benchmarks.close_step", step, asked]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def recreate(address: str, name: str) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name}")


def drop(address: str, name: str) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")


def within_bars(result: dict[str, Any]) -> bool:
    bar = BARS.get(result["size"])
    in_time = bar is None or result["total"] <= bar
    return in_time and result["memory"] <= MEMORY_BAR and has_quick_stories(result)


def has_quick_stories(result: dict[str, Any]) -> bool:
    worst: float = result["stories"]["all"]["worst"]
    return worst <= STORY_BAR


def show(results: list[dict[str, Any]]) -> None:
    print(f"\nseconds, median of {results[0]['rounds']} warm rounds\n")
    print(row("distributors", *PHASES, "total", "cpu", "lines", "lines/s", "MiB"))
    for result in results:
        phases = (f"{result['phases'][name]:.3f}" for name in PHASES)
        total, lines = result["total"], result["lines"]
        speed = f"{lines / total:,.0f}"
        print(row(f"{result['size']:,}", *phases, f"{total:.2f}", f"{result['cpu']:.2f}",
                  f"{lines:,}", speed, f"{result['memory']:,}"))  # fmt: skip
    print()
    for result in results:
        bar = BARS.get(result["size"])
        said = "no bar" if bar is None else f"bar {bar:g} s"
        verdict = "within" if within_bars(result) else "BEYOND"
        print(
            f"{result['size']:>9,}: closing the books {result['close']:.2f} s, "
            f"finalizing {result['finalize']:.2f} s, loading {result['load']:.1f} s; "
            f"{said}, {MEMORY_BAR:,} MiB: {verdict}"
        )
    show_stories(results)


def show_stories(results: list[dict[str, Any]]) -> None:
    names = ("median", "p95", "worst", "cpu")
    print("\nmilliseconds of the page that explains a line\n")
    print("line and reader".ljust(26) + row("distributors", "pages", *names))
    for result in results:
        for kind, story in result["stories"].items():
            times = (f"{story[name]:.0f}" for name in names)
            print(kind.ljust(26) + row(f"{result['size']:,}", f"{story['pages']:,}", *times))
    print()
    for result in results:
        worst = result["stories"]["all"]["worst"]
        verdict = "within" if has_quick_stories(result) else "BEYOND"
        print(
            f"{result['size']:>9,}: explaining a line {worst:.0f} ms at worst; "
            f"bar {STORY_BAR} ms: {verdict}"
        )


def row(*cells: str) -> str:
    return "".join(cell.rjust(12) for cell in cells)


def measure(size: int, rounds: int) -> dict[str, Any]:
    """In the process that is measured: close once, calculate several times, finalize once."""
    from commissions.services.finalize import approve_period, finalize_period
    from commissions.services.periods import close_period
    from tests.benchmarks.loading import checkers, period_named
    from tests.benchmarks.stories import time_stories

    closer, approver = checkers()
    since = monotonic()
    close_period(period=period_named(PERIOD), actor=closer)
    close = monotonic() - since
    taken = [calculate_once(closer) for _ in range(rounds)][1:]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    approve_period(period=period_named(PERIOD), actor=approver)
    since = monotonic()
    finalize_period(period=period_named(PERIOD), actor=approver)
    finalize = monotonic() - since
    return {
        "size": size,
        "rounds": len(taken),
        "phases": {name: statistics.median(t[name] for t in taken) for name in PHASES},
        "total": statistics.median(t["total"] for t in taken),
        "cpu": statistics.median(t["cpu"] for t in taken),
        "lines": taken[0]["lines"],
        "memory": memory,
        "close": close,
        "finalize": finalize,
        "stories": time_stories(period_named(PERIOD)),
    }


def calculate_once(actor: Any) -> dict[str, float]:
    from commissions.services.runs import calculate, start_run
    from tests.benchmarks.loading import period_named

    run = start_run(period=period_named(PERIOD), actor=actor)
    since, worked = monotonic(), processor_seconds()
    calculate(run.pk)
    total = monotonic() - since
    cpu = processor_seconds() - worked
    run.refresh_from_db()
    if run.status != run.Status.DONE:
        raise SystemExit(f"The run is {run.status}: {run.error}")
    phases: dict[str, float] = dict(run.totals["seconds"])
    phases["commit"] = total - sum(phases.values())
    return phases | {"total": total, "cpu": cpu, "lines": run.line_count}


def processor_seconds() -> float:
    """Of this process and of its database session, where that runs on this machine."""
    from django.db import connection

    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    try:
        fields = session.read_text().rpartition(")")[2].split()
    except OSError:
        return process_time()
    ticks = int(fields[11]) + int(fields[12])
    return process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())

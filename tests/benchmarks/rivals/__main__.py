"""The close beside its rivals on the same data, results equal to the cent.

    python -m tests.benchmarks.rivals                       10,000 to 1,000,000 distributors
    python -m tests.benchmarks.rivals 1000000 --per-line    a line an order line and level
    python -m tests.benchmarks.rivals 1000000 5000000 --ours --chain 5000
    python -m tests.benchmarks.rivals 1000000 --only load      then run, as often as wanted, drop

The plan: seven unilevel levels with dynamic compression, opened by five ranks, a match over three
levels, a generation bonus on the groups of leaders, a binary with carry. Half of the distributors
have a rank. Without `--per-line` there is one line a source and level.

Ours reads, computes, writes, indexes, checks and commits, with all that a period needs (standings,
carried state, totals), in a process that has only this to do: its memory is counted. The check
holds every earner's sum in the table against the engine's; no rival makes one. `compute` holds the
writing of the standings beside it, on the same processors; computing is timed by itself too.
The set-based SQL writes the same ledger lines and standings, the other rivals bare tables. The
plain walk pays the unilevel alone, on some 15,000 of the order lines where all would take hours,
and is scaled up; the function is called for 2,000 distributors and scaled up. Both are marked with
a tilde then.
The server alone: PostgreSQL reads the same facts to nowhere and takes the same ledger and standings
out of files, in one session, without a program beside it.

`--ours` leaves the rivals out. With `--chain` each size is measured a second time with so many
distributors in a straight line. `--only` does one part, for what takes long to load and is timed
more than once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.network import ORDERS_EACH

PARTS = ("load", "run", "drop")
SIZES = (10_000, 100_000, 1_000_000)
ORDERS_TO_WALK = 15_000
LEAST_WITH_BARS = 100_000
SECONDS = {100_000: 0.8, 1_000_000: 8.0}
SECONDS_PER_LINE = {1_000_000: 15.0}
LEAST_TIMES_SQL, LEAST_TIMES_WALK, MOST_TIMES_RAW = 4, 40, 2.5
MOST_COMPUTE, MOST_TIMES_CHAIN, MOST_TIMES_FIVE = 0.20, 1.15, 7
MOST_BYTES = 1_536


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure the close against its rivals.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--chain", type=int, default=0, help="length of a straight line")
    parser.add_argument("--per-line", action="store_true", help="unilevel on each order line")
    parser.add_argument("--ours", action="store_true", help="without the rivals")
    parser.add_argument("--rounds", type=int, default=5, help="after two that warm the caches")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part, left as it is")
    options = parser.parse_args(arguments)
    common = {
        "per_line": options.per_line, "ours": options.ours, "rounds": options.rounds,
        "parts": options.only or PARTS,
    }  # fmt: skip
    totals: dict[int, float] = {}
    for size in options.sizes:
        common["share"] = max(1, ORDERS_EACH * size // ORDERS_TO_WALK)
        result = done_apart(common | {"size": size, "chain": 0})
        chained = None
        if options.chain:
            chained = done_apart(common | {"size": size, "chain": options.chain, "ours": True})
        if result is None:
            continue
        show(result)
        totals[size] = result["ours"]["total"]
        if chained is not None:
            show(chained)
            times = chained["ours"]["total"] / totals[size]
            bar(f"a chain of {options.chain:,} costs", times, MOST_TIMES_CHAIN)
        if size // 5 in totals:
            bar(f"{size:,} cost", totals[size] / totals[size // 5], MOST_TIMES_FIVE)
    return 0


def done_apart(options: dict[str, Any]) -> dict[str, Any] | None:
    """The parts that are wanted, each in a process of its own; what `run` measured, if it ran."""
    from mlmcrm import servers
    from tests.benchmarks.close import drop, recreate

    folder, parts = servers.data_dir() / "bench", options["parts"]
    result: dict[str, Any] | None = None
    with servers.lease(folder) as addresses:
        name = database_name(options)
        database, _, rest = addresses["DATABASE_URL"].partition("?")
        url = database.rpartition("/")[0] + f"/{name}" + (f"?{rest}" if rest else "")
        environment = os.environ | addresses | {
            "DATABASE_URL": url, "MLMCRM_ENV": "development", "MLMCRM_DATA_DIR": str(folder),
        }  # fmt: skip
        if "load" in parts:
            recreate(addresses["DATABASE_URL"], name)
            step("load", options, environment)
        if "run" in parts:
            result = json.loads(step("run", options, environment))
        if "drop" in parts:
            drop(addresses["DATABASE_URL"], name)
    return result


def database_name(options: dict[str, Any]) -> str:
    lines = "_lines" if options["per_line"] else ""
    chain = f"_chain_{options['chain']}" if options["chain"] else ""
    return f"rivals_{options['size']}{lines}{chain}"


def step(name: str, options: dict[str, Any], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.rivals.step", name, json.dumps(options)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def show(result: dict[str, Any]) -> None:
    size, ours = result["size"], result["ours"]
    total, phases = ours["total"], ours["phases"]
    chain = f", {result['chain']:,} of them in a straight line" if result["chain"] else ""
    print(f"\n{size:,} distributors{chain}, {result['orders']:,} order lines")
    line("ours", total, total, ours["rows"], phases)
    print("  rounds: " + ", ".join(f"{seconds:.2f}" for seconds in ours["totals"]))
    if "sql" in result:
        sql, walk, function = result["sql"], result["walk"], result["function"]
        line("set-based SQL", sql["total"], total, sql["rows"], sql["steps"])
        mark = "~" if result["share"] > 1 else ""
        line("upline walk, bulk_create", walk["total"], total, walk["rows"], walk["steps"], mark)
        line("function a distributor", function["total"], total, 0, function["steps"], "~")
        print(f"  every earner's total of each bonus equal to the SQL's: {result['equal']}")
    if size < LEAST_WITH_BARS:
        return
    if "sql" in result:
        least("the SQL takes", sql["total"] / total, LEAST_TIMES_SQL)
        least("the walk takes", walk["total"] / total, LEAST_TIMES_WALK)
    seconds = (SECONDS_PER_LINE if result["per_line"] else SECONDS).get(size)
    if seconds:
        bar("seconds:", total, seconds)
    alone = ours["computing"]
    bar(f"computing alone takes {alone:.2f} s, a share of", alone / total, MOST_COMPUTE)
    bar("bytes of memory a distributor:", ours["memory"] / size, MOST_BYTES)
    raw = result["server"]
    bar(f"the server alone moves these rows in {raw:.2f} s, times", total / raw, MOST_TIMES_RAW)


def line(name: str, total: float, ours: float, rows: int, steps: dict, mark: str = "") -> None:
    told = ", ".join(f"{step} {seconds:.2f}" for step, seconds in steps.items())
    print(f"  {name:<26}{mark}{total:>10.2f} s {total / ours:>8.1f}x {rows:>12,} rows   {told}")


def bar(what: str, value: float, most: float) -> None:
    print(f"  {what} {value:,.2f}, at most {most:,}: {'within' if value <= most else 'BEYOND'}")


def least(what: str, times: float, least_times: float) -> None:
    verdict = "within" if times >= least_times else "BELOW"
    print(f"  {what} {times:.1f} times as long, at least {least_times}: {verdict}")


if __name__ == "__main__":
    sys.exit(main())

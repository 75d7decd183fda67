"""The close beside its rivals on the same data, results equal to the cent.

    python -m tests.benchmarks.rivals                  10,000 and 100,000 distributors
    python -m tests.benchmarks.rivals 1000000 --share 20

One process for each size. Ours reads, computes, writes, indexes, checks and commits, with all that
a period needs (standings, carried state, totals). The set-based SQL writes the same ledger lines
and standings, the other rivals bare tables. Half of the distributors have a rank. The plain walk
pays the unilevel alone, of every `share`-th order where all would take hours, and is scaled up; the
function is called for 2,000 distributors and scaled up. Both are marked with a tilde then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

SIZES = (10_000, 100_000)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the close against its rivals.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument(
        "--share", type=int, default=1, help="the plain walk takes every n-th order"
    )
    parser.add_argument(
        "--chain", type=int, default=0, help="a straight line of so many in the tree"
    )
    options = parser.parse_args()
    for size in options.sizes:
        show(measured_apart(size, options.share, options.chain))
    return 0


def measured_apart(size: int, share: int, chain: int) -> dict:
    from mlmcrm import servers
    from tests.benchmarks.close import drop, recreate

    folder = servers.data_dir() / "bench"
    with servers.lease(folder) as addresses:
        name = f"rivals_{size}"
        database, _, rest = addresses["DATABASE_URL"].partition("?")
        url = database.rpartition("/")[0] + f"/{name}" + (f"?{rest}" if rest else "")
        recreate(addresses["DATABASE_URL"], name)
        environment = os.environ | addresses | {
            "DATABASE_URL": url, "MLMCRM_ENV": "development", "MLMCRM_DATA_DIR": str(folder),
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.benchmarks.rivals.step"]
        done = subprocess.run(
            [*command, str(size), str(share), str(chain)],
            env=environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        drop(addresses["DATABASE_URL"], name)
    return json.loads(done.stdout.splitlines()[-1])


def show(result: dict) -> None:
    ours = result["ours"]["total"]
    print(f"\n{result['size']:,} distributors, {result['orders']:,} order lines")
    line("ours", ours, ours, result["ours"]["rows"], result["ours"]["phases"])
    line(
        "set-based SQL", result["sql"]["total"], ours, result["sql"]["rows"], result["sql"]["steps"]
    )
    mark = "~" if result["share"] > 1 else ""
    walk = result["walk"]
    line("upline walk, bulk_create", walk["total"], ours, walk["rows"], walk["steps"], mark)
    function = result["function"]
    line("function a distributor", function["total"], ours, 0, function["steps"], "~")
    compute = result["ours"]["phases"]["compute"]
    print(f"compute is {compute / ours:.0%} of ours; raw file I/O of the same bytes takes")
    print(f"{result['raw']:.2f} s, ours is {ours / result['raw']:.1f} times that")
    print(f"every earner's total of each bonus equal to the SQL's: {result['equal']}")


def line(name: str, total: float, ours: float, rows: int, steps: dict, mark: str = "") -> None:
    told = ", ".join(f"{step} {seconds:.2f}" for step, seconds in steps.items())
    print(f"  {name:<26}{mark}{total:>10.2f} s {total / ours:>8.1f}x {rows:>12,} rows   {told}")


if __name__ == "__main__":
    sys.exit(main())

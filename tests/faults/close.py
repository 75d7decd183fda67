"""kill -9 in the middle of a close, again and again; afterwards the books equal an undisturbed one.

    python -m tests.faults.close --seed 1                  the close of the product: must be equal
    python -m tests.faults.close --seed 1 --naive          the control: must not be
    python -m tests.faults.close --seed 1 --both           one after the other

Own servers, own database, own worker. A fault strikes when the run has come to a phase that the
seed chose: a child of the worker dies, the whole worker, the database session at work, the whole
database, or nothing dies while the task is delivered twice more. Then what died is started again,
as the supervisor would. The claims and the final step are interrupted as well. The last line is
JSON, with `--both` the last two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from mlmcrm import servers

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "2026-10"
RUN_PHASES = ("read", "compute", "write", "index", "check", "store")
VICTIMS = ("child", "worker", "session", "database", "duplicate")
LONGEST_WAIT = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill what closes a period, compare the books.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=20_000, help="distributors")
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--naive", action="store_true", help="aim at the naive task instead")
    parser.add_argument("--both", action="store_true", help="aim at one, then at the other")
    options = parser.parse_args()
    os.environ["MLMCRM_ENV"] = "development"
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    folder = servers.data_dir() / f"faults-{os.getpid()}"
    os.environ["MLMCRM_DATA_DIR"] = str(folder)
    try:
        with servers.lease(folder) as addresses:
            reports = carry_out(options, addresses)
    finally:
        servers.remove(folder)
    for report in reports:
        print(json.dumps(report))
    return 0 if all(report["as_it_should"] for report in reports) else 1


def carry_out(options: argparse.Namespace, addresses: dict[str, str]) -> list[dict[str, Any]]:
    calm = addresses | {"DATABASE_URL": database_named(addresses["DATABASE_URL"], "calm")}
    prepare(addresses["DATABASE_URL"], calm, options.size)
    expected = json.loads(module("tests.faults.outcome", calm).splitlines()[-1])
    os.environ.update(addresses | {"DATABASE_URL": database_named(calm["DATABASE_URL"], "chaos")})
    os.environ["DJANGO_SETTINGS_MODULE"] = "mlmcrm.settings"
    import django

    django.setup()
    aims = (Chaos, Naive) if options.both else (Naive,) if options.naive else (Chaos,)
    return [trial(aim, options, addresses, expected) for aim in aims]


def trial(
    aim: type[Chaos],
    options: argparse.Namespace,
    addresses: dict[str, str],
    expected: dict[str, Any],
) -> dict[str, Any]:
    since, is_naive = time.monotonic(), aim is Naive
    start_over(addresses)
    chaos = aim(options)
    try:
        chaos.go()
        found = chaos.found()
    finally:
        chaos.stop()
    different = {
        name: [expected[name], found[name]] for name in found if expected[name] != found[name]
    }
    breaks = [] if is_naive else verify()
    is_equal = not different and not breaks
    return {
        "seed": options.seed,
        "faults": dict(chaos.struck),
        "attempts": chaos.attempts,
        "lines": expected["close_lines"],
        "different": different,
        "breaks": breaks,
        "paid_times": round(found["close_total"] / max(1, expected["close_total"]), 3),
        "seconds": round(time.monotonic() - since, 1),
        "as_it_should": is_equal != is_naive,
    }


# Preparing


def database_named(url: str, name: str) -> str:
    base, mark, rest = url.partition("?")
    return base.rpartition("/")[0] + f"/{name}{mark}{rest}"


def prepare(address: str, calm: dict[str, str], size: int) -> None:
    """A loaded database, twice; all its volume still waits to be claimed."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create database calm")
    wanted = json.dumps({"size": size, "chain": 0, "asking": False})
    module("tests.benchmarks.close_step", calm, "load", wanted)
    with psycopg.connect(calm["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "insert into commissions_volumequeue select id from commerce_volumeentry"
        )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create database loaded template calm")


def start_over(addresses: dict[str, str]) -> None:
    """The loaded database for a trial, and an empty queue."""
    from django.db import connection as ours

    ours.close()
    with psycopg.connect(addresses["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("drop database if exists chaos with (force)")
        connection.execute("create database chaos template loaded")
    with redis.Redis.from_url(addresses["REDIS_URL"]) as queue:
        queue.flushall()


def module(name: str, addresses: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments], cwd=ROOT, env=os.environ | addresses,
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def verify() -> list[str]:
    from commissions.services.verification import find_breaks

    return list(find_breaks())


# The worker and what happens to it


class Chaos:
    """The product's close under faults: what dies is started again until the period is final."""

    include: tuple[str, ...] = ()

    def __init__(self, options: argparse.Namespace) -> None:
        self.random = random.Random(options.seed)
        self.left: int = options.faults
        self.struck: Counter[str] = Counter()
        self.attempts = 0
        self.output = tempfile.TemporaryFile()  # noqa: SIM115
        self.worker = self.start_worker()

    def start_worker(self) -> subprocess.Popen[bytes]:
        include = [f"--include={name}" for name in self.include]
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "--app", "mlmcrm", "worker",
             "--loglevel", "ERROR", "--concurrency", "2", "--without-gossip", "--without-mingle",
             "--without-heartbeat", *include],
            cwd=ROOT, env=os.environ | {"MLMCRM_PROCESS": "worker"}, stdout=self.output,
            stderr=self.output, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def stop(self) -> None:
        kill_group(self.worker)
        self.output.close()

    def heal(self) -> None:
        """What the supervisor would start again, servers first."""
        for server in servers.embedded(servers.data_dir()).values():
            if not server.is_running():
                server.start()
        if self.worker.poll() is not None:
            self.worker = self.start_worker()

    def strike(self, victim: str) -> None:
        """One fault; what it cuts off is noticed by everybody at their next step."""
        self.struck[victim] += 1
        self.left -= 1
        if victim == "child":
            children = children_of(self.worker.pid)
            for pid in self.random.sample(children, min(1, len(children))):
                kill(pid)
        elif victim == "worker":
            kill_group(self.worker)
        elif victim == "session":
            for pid in self.sessions():
                kill(pid)
        elif victim == "database":
            kill(servers.embedded(servers.data_dir())["DATABASE_URL"].pid() or 0)
        else:
            self.duplicate()
        self.heal()

    def sessions(self) -> list[int]:
        """The database sessions that are at work, but for our own."""
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            rows = connection.execute(
                "select pid from pg_stat_activity where datname = current_database() "
                "and state <> 'idle' and pid <> pg_backend_pid() limit 1"
            )
            return [row[0] for row in rows]

    # The way of the period

    def go(self) -> None:
        self.claim()
        self.patiently(self.close)
        while True:
            self.patiently(self.calculate_once)
            if not self.left:
                break
        self.patiently(self.approve)
        self.finalize()

    def claim(self) -> None:
        """Claims run in the worker; it dies in the middle of them."""
        for victim in ("child", "session"):
            self.send("commissions.tasks.claim_volume")
            time.sleep(self.random.uniform(0.2, 1.2))
            if self.left:
                self.strike(victim)

    def close(self) -> None:
        from commissions.services.periods import close_period
        from tests.benchmarks.loading import checkers

        period = self.period()
        if period.status == "open":
            close_period(period=period, actor=checkers()[0])

    def calculate_once(self) -> None:
        """Have the period calculated; while faults are left, strike in a phase of the seed's."""
        from commissions.services.runs import start_run
        from tests.benchmarks.loading import checkers

        if self.period().status in ("closed", "calculated"):
            start_run(period=self.period(), actor=checkers()[0])
        deadline = time.monotonic() + LONGEST_WAIT
        while self.period().status == "calculating":
            if time.monotonic() > deadline:
                raise SystemExit("The run does not come to an end.")
            if self.left and self.reached(self.random.choice(RUN_PHASES)):
                self.strike(self.random.choice(VICTIMS))
            self.send("commissions.tasks.sweep_runs")
            time.sleep(0.2)

    def reached(self, phase: str) -> bool:
        """Waits until the run is in that phase; False when the run ends before."""
        from django.core.cache import cache

        run = self.period().runs.order_by("-number").first()
        key = f"commissions.progress.{run.pk}"
        cache.delete(key)
        self.send("commissions.tasks.calculate_run", run.pk)
        until = time.monotonic() + 8
        while time.monotonic() < until:
            if cache.get(key) == phase:
                return True
            if cache.get(key) is None:
                time.sleep(0.005)
            elif self.period().status != "calculating":
                return False
            time.sleep(0.002)
        return False

    def duplicate(self) -> None:
        run = self.period().runs.order_by("-number").first()
        for _ in range(2):
            self.send("commissions.tasks.calculate_run", run.pk)

    def approve(self) -> None:
        from commissions.services.finalize import approve_period
        from tests.benchmarks.loading import checkers

        if self.period().status == "calculated":
            approve_period(period=self.period(), actor=checkers()[1])

    def finalize(self) -> None:
        """Twice at once, killed at some moment, until it is final."""
        command = [sys.executable, "manage.py", "finalize_period", PERIOD, "--as",
                   "approver@example.com"]  # fmt: skip
        for delay in (self.random.uniform(0.8, 2.5), self.random.uniform(0.8, 3.5), None):
            pair = [
                subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
                for _ in range(2)
            ]  # fmt: skip
            if delay is not None:
                time.sleep(delay)
                self.struck["finalizer"] += 1
                for process in pair:
                    kill_group(process)
            for process in pair:
                process.wait()
            self.patiently(self.period)
        if self.period().status != "finalized":
            raise SystemExit("The period did not become final.")

    def found(self) -> dict[str, Any]:
        from tests.faults.outcome import outcome

        self.attempts = sum(self.period().runs.values_list("attempts", flat=True))
        return outcome()

    # Helping

    def period(self) -> Any:
        from commissions.models import CommissionPeriod

        return self.patiently(lambda: CommissionPeriod.objects.get(code=PERIOD))

    def patiently(self, step: Callable[[], Any]) -> Any:
        """Do it again while the database is away; each step can bear to be done again."""
        from django.db import DatabaseError, close_old_connections, connection

        until = time.monotonic() + LONGEST_WAIT
        while True:
            try:
                return step()
            except DatabaseError:
                if time.monotonic() > until:
                    raise
                with suppress(DatabaseError):
                    connection.close()
                close_old_connections()
                self.heal()
                time.sleep(0.05)

    def send(self, name: str, *arguments: Any) -> None:
        from mlmcrm import celery_app

        celery_app.send_task(name, args=arguments)


class Naive(Chaos):
    """The control: the same faults on a task that pays as it goes."""

    include = ("tests.faults.naive",)

    def go(self) -> None:
        from tests.faults import naive

        naive.make_tables()
        self.patiently(self.close)
        self.send("tests.faults.naive.close", PERIOD)
        until = time.monotonic() + LONGEST_WAIT
        paid = 0
        while not self.patiently(naive.is_done) and time.monotonic() < until:
            lines = self.patiently(naive.paid)["close_lines"]
            if self.left and lines > paid:
                paid = lines
                self.strike(self.random.choice(("child", "worker")))
                self.send("tests.faults.naive.close", PERIOD)
            time.sleep(0.02)

    def found(self) -> dict[str, Any]:
        from tests.faults import naive

        return self.patiently(naive.paid)


# Killing only what we started


def children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with suppress(FileNotFoundError):
        return [int(child) for child in children.read_text().split()]
    return []


def kill(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())

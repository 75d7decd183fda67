from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.management.acting import actor_named, add_actor, add_period, period_named
from commissions.services.opening import PeriodRefused
from commissions.services.runs import calculate, start_run


class Command(BaseCommand):
    help = "Calculate a closed period, here and now or (--queue) by a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_period(parser)
        add_actor(parser)
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = actor_named(options["actor"], "commissions.close_period")
        try:
            run = start_run(period=period_named(options["code"]), actor=actor)
        except PeriodRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["queue"]:
            self.stdout.write(f"{run} is waiting for a worker.")
            return
        calculate(run.pk)
        run.refresh_from_db()
        if run.status == run.Status.FAILED:
            raise CommandError(run.error)
        if run.status == run.Status.STARTED:
            self.stdout.write(f"{run} is being calculated by a worker.")
            return
        self.stdout.write(f"{run}: {run.line_count} lines, {run.total_amount}")
        for name, seconds in run.totals["seconds"].items():
            self.stdout.write(f"  {name:8} {seconds:8.3f} s")
        for warning in run.warnings:
            self.stdout.write(f"  {warning}")

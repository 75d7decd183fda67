from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.management.acting import actor_named, add_actor
from commissions.services.opening import PeriodRefused, holes, month_of, open_period


class Command(BaseCommand):
    help = "Open a period: a month by its code, or any days with --starts and --ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the period's code; 2026-10 alone is that month")
        parser.add_argument("--starts", type=date.fromisoformat, help="first day")
        parser.add_argument("--ends", type=date.fromisoformat, help="last day, included")
        parser.add_argument("--name", default="")
        parser.add_argument("--frequency", choices=["daily", "weekly", "monthly"])
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = actor_named(options["actor"], "commissions.close_period")
        starts, ends, name = options["starts"], options["ends"], options["name"]
        if starts is None and ends is None:
            try:
                month = month_of(date.fromisoformat(f"{options['code']}-01"))
            except ValueError:
                raise CommandError(
                    "Give --starts and --ends, or a month such as 2026-10."
                ) from None
            starts, ends, name = month.starts_on, month.ends_on, name or month.name
        elif starts is None or ends is None:
            raise CommandError("Give both --starts and --ends.")
        try:
            period = open_period(
                code=options["code"],
                name=name,
                starts_on=starts,
                ends_on=ends,
                frequency=options["frequency"] or "monthly",
                actor=actor,
            )
        except PeriodRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{period.name} is open, {starts} to {ends}.")
        for first, last in holes():
            self.stderr.write(f"No period covers {first} to {last}.")

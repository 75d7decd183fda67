from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.management.acting import actor_named, add_actor, add_period, period_named
from commissions.services.periods import PeriodRefused, close_period


class Command(BaseCommand):
    help = "Close the books of a period: nothing recorded later can count in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_period(parser)
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = actor_named(options["actor"], "commissions.close_period")
        try:
            period = close_period(period=period_named(options["code"]), actor=actor)
        except PeriodRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{period.name} is closed. Input {period.input_hash}")

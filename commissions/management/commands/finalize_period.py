from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.management.acting import actor_named, add_actor, add_period, period_named
from commissions.services.finalize import finalize_period
from commissions.services.opening import PeriodRefused


class Command(BaseCommand):
    help = "Make an approved period final: its lines, wallets, ranks and certificate. Safe twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_period(parser)
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = actor_named(options["actor"], "commissions.finalize_period")
        try:
            period = finalize_period(period=period_named(options["code"]), actor=actor)
        except PeriodRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{period.name} is final: {period.total_commissions}")
        for name, value in (period.certificate or {}).items():
            self.stdout.write(f"  {name:15} {value}")

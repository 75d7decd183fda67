from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.management.acting import add_period, period_named
from commissions.services.facts import FactsRefused
from commissions.services.opening import PeriodRefused
from commissions.services.replay import replay


class Command(BaseCommand):
    help = "Compute a closed period again from the facts and compare with what was recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_period(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        period = period_named(options["code"])
        try:
            proofs = replay(period)
        except (PeriodRefused, FactsRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        for proof in proofs:
            self.stdout.write(f"{proof.name:15} {'same' if proof.is_same else 'DIFFERENT'}")
            self.stdout.write(f"  recorded      {proof.recorded}")
            self.stdout.write(f"  replayed      {proof.replayed}")
        if different := [proof.name for proof in proofs if not proof.is_same]:
            raise CommandError(f"{period.name} replays differently: {', '.join(different)}.")
        self.stdout.write(f"{period.name} replays the same.")

from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.engine.errors import EngineError
from commissions.simulation.calendar import TooManyPeriods
from commissions.simulation.command import HELP, add_options, simulate
from commissions.simulation.faults import InputError


class Command(BaseCommand):
    help = HELP
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = simulate(Namespace(**options))
        except (InputError, EngineError, TooManyPeriods, LookupError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text, ending="")

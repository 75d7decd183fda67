from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.services import projections


class Command(BaseCommand):
    help = "Compare the figures kept on distributors with the facts; --fix puts them right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="bring the figures in line")

    def handle(self, *args: Any, **options: Any) -> None:
        found = projections.differences()
        for difference in found:
            self.stdout.write(
                f"{difference.number} {difference.column}: "
                f"stored {difference.stored}, true {difference.true}"
            )
        if found and options["fix"]:
            changed = projections.refresh()
            self.stdout.write(f"{len(found)} figures of {changed} distributors put right.")
        elif found:
            raise CommandError(f"{len(found)} figures differ. --fix puts them right.")
        else:
            self.stdout.write("All projections agree with the facts.")

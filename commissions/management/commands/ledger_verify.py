from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commissions.services.verification import find_breaks


class Command(BaseCommand):
    help = "Check that the books hold; one line for each break, and exit code 1 if there is any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--strict", action="store_true", help="late work counts as a break as well"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for line in find_breaks(strict=options["strict"]):
            self.stdout.write(line)
            count += 1
        if count:
            raise CommandError(f"{count} breaks.")
        self.stdout.write("The ledger holds.")

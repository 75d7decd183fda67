from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import consent_projections
from commissions.services import projections, team_figures
from genealogy.services import referral_codes
from genealogy.services.teams import mark_stale


class Command(BaseCommand):
    help = "Compare the figures kept on people and teams with the facts; --fix sets them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="bring the figures in line")

    def handle(self, *args: Any, **options: Any) -> None:
        team_figures.measure()
        found = [*projections.differences(), *team_figures.differences()]
        codes = referral_codes.code_differences()
        consents = consent_projections.differences()
        for difference in found:
            self.stdout.write(
                f"{difference.number} {difference.column}: "
                f"stored {difference.stored}, true {difference.true}"
            )
        for number, stored, true in codes:
            self.stdout.write(f"{number} referral_code: stored {stored}, true {true or 'none'}")
        for user_id, column, stored, true in consents:
            self.stdout.write(f"user {user_id} {column}: stored {stored}, true {true}")
        count = len(found) + len(codes) + len(consents)
        if count and options["fix"]:
            self._put_right()
            self.stdout.write(f"{count} figures put right.")
        elif count:
            raise CommandError(f"{count} figures differ. --fix puts them right.")
        else:
            self.stdout.write("All projections agree with the facts.")

    def _put_right(self) -> None:
        projections.refresh()
        mark_stale()
        team_figures.measure()
        referral_codes.refresh_accounts()
        consent_projections.refresh()

from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from commerce.models import Order
from compliance.demo.company import found
from compliance.demo.staff import PASSWORD, SIGN_INS
from genealogy.models import Distributor

DEMO_SIGN_INS = [
    (sign_in.role, sign_in.name, sign_in.email, PASSWORD, sign_in.look_at) for sign_in in SIGN_INS
]


class Command(BaseCommand):
    help = "Load the demo company: invented people, real orders, one month closed and one open."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in (User, Distributor, Order):
            if model.objects.exists():
                raise CommandError(
                    f"There are {model._meta.verbose_name_plural} already. "
                    "The demo company is only loaded into an empty database."
                )
        begun = perf_counter()
        found(self._say)
        self._say(f"Loaded in {perf_counter() - begun:.0f} s")

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()

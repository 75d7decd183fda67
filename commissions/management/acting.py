"""What the commands about periods share: finding the period, and whose deed it is."""

from argparse import ArgumentParser

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError

from accounts.models import User
from accounts.permissions import require
from commissions.models import CommissionPeriod


def add_period(parser: ArgumentParser) -> None:
    parser.add_argument("code", help="the period's code, such as 2026-10")


def add_actor(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="actor", required=True, metavar="EMAIL", help="who does it, by e-mail address"
    )


def period_named(code: str) -> CommissionPeriod:
    try:
        return CommissionPeriod.objects.get(code=code)
    except CommissionPeriod.DoesNotExist:
        raise CommandError(f"There is no period {code}.") from None


def actor_named(email: str, permission: str) -> User:
    """The active user of that address, who has to hold the permission as on the page."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None or not user.is_active:
        raise CommandError(f"There is no active user {email}.")
    try:
        require(user, permission)
    except PermissionDenied:
        raise CommandError(f"{email} may not do this ({permission}).") from None
    return user

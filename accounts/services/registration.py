"""Accounts of people who join: made once their address is known to be theirs."""

from dataclasses import dataclass
from datetime import date

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import audit
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import Profile, User


class RegistrationRefused(Exception):
    """The account cannot be made; the message says why."""


@dataclass(frozen=True)
class Registration:
    """What an account is made from. The address was confirmed by a link that came to it."""

    email: str
    first_name: str
    last_name: str
    birth_date: date | None
    country: str
    phone: str = ""


def user_of_address(email: str) -> User | None:
    """The account that signs in with an address, or has confirmed it beside its own."""
    mine = Q(email=email) | Q(emailaddress__email=email, emailaddress__verified=True)
    return User.objects.filter(mine).distinct().first() if email else None


@transaction.atomic
def register_user(*, registration: Registration, password_hash: str) -> User:
    """Make the account with its confirmed address and profile, and tell the staff.

    The password comes hashed (`make_password`): that takes its time, and callers hold locks.
    Publishes user.registered. Raises RegistrationRefused when an account has the address.
    """
    refusal = RegistrationRefused("An account has this address. Sign in with it.")
    if user_of_address(registration.email):
        raise refusal
    try:
        with transaction.atomic():
            user = User.objects.create(
                email=registration.email,
                password=password_hash,
                email_verified=True,
                phone=registration.phone,
            )
    except IntegrityError as error:
        if "accounts_user_email" not in str(error):
            raise
        raise refusal from error
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    complete_profile(user=user, registration=registration)
    publish("user.registered", users=[user], staff=True, person=user.get_full_name())
    audit.record(actor=user, action="user.registered", target=user)
    return user


@transaction.atomic
def complete_profile(*, user: User, registration: Registration) -> Profile:
    """Fill in what the profile of an account does not say yet; what it says stays."""
    profile, _ = Profile.objects.get_or_create(user=user)
    profile.first_name = profile.first_name or registration.first_name
    profile.last_name = profile.last_name or registration.last_name
    profile.date_of_birth = profile.date_of_birth or registration.birth_date
    if registration.country and not profile.address:
        profile.address = {"country": registration.country}
    explain_change(profile, actor=user, reason="Enrolled")
    profile.save()
    user.profile = profile
    return profile

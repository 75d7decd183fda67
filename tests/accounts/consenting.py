"""Texts in force, and people who answer them."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import ConsentText
from accounts.services.consents import give, withdraw


def text_of(purpose, version="1", days=0):
    """A text that came, or comes, into force some days from today."""
    return ConsentText.objects.create(
        purpose=purpose,
        version=version,
        title="What we ask",
        body="First.\n\nSecond.",
        effective_from=timezone.localdate() + timedelta(days=days),
    )


def says_yes(user, text, **more):
    return give(user=user, text=text, actor=user, channel="portal", **more)


def says_no(user, purpose):
    return withdraw(user=user, purpose=purpose, actor=user, channel="portal")

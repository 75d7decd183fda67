"""What follows when somebody signs in or out: the audit record, and an end to open connections."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit import record
from accounts.events import poke_after_commit, user_stream
from accounts.models import User


def record_sign_in(*, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(actor=user, action="user.signed_in", target=user)


def record_sign_out(*, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(actor=user, action="user.signed_out", target=user)


def record_password_change(*, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The new password ends every other session; their open connections hear of it at once."""
    record(actor=user, action="user.password_changed", target=user)
    hang_up(user.pk)


def end_connections(*, instance: Session, **kwargs: Any) -> None:
    """A session that is gone before its time has open connections that must go with it."""
    if instance.expire_date > timezone.now():
        user_id = instance.get_decoded().get(SESSION_KEY)
        if user_id:
            hang_up(int(user_id))


def hang_up(user_id: int) -> None:
    """After the commit the person's connections ask whether they still hold; a sweep asks too."""
    poke_after_commit([user_stream(user_id)])

"""Letting people in, keeping them out, and what role they have."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.audit import record
from accounts.events import publish
from accounts.history import explain_change
from accounts.models import User
from accounts.services.sessions import hang_up


class UserChangeRefused(ValidationError):
    """This change of a user is not allowed; the message says why."""


@transaction.atomic
def suspend_user(*, user: User, actor: User, reason: str) -> User:
    """Keep the user out at once: open pages stop working, live connections are closed.

    Raises UserChangeRefused for oneself, without a reason, and when already suspended.
    """
    user = _locked(user, actor, reason)
    if user.status == User.Status.SUSPENDED:
        raise UserChangeRefused("This user is suspended already.")
    _refuse_last_admin(user)
    changes = {"status": User.Status.SUSPENDED, "suspended_reason": reason}
    _change(user, actor, "user.suspended", reason, changes)
    _tell("user.suspended", user, reason=reason)
    return user


@transaction.atomic
def reactivate_user(*, user: User, actor: User, reason: str) -> User:
    """Let a suspended, inactive or pending user in again. Raises UserChangeRefused."""
    user = _locked(user, actor, reason)
    if user.status == User.Status.ACTIVE:
        raise UserChangeRefused("This user is active already.")
    changes = {"status": User.Status.ACTIVE, "suspended_reason": ""}
    _change(user, actor, "user.reactivated", reason, changes)
    _tell("user.reactivated", user)
    return user


@transaction.atomic
def change_role(*, user: User, role: str, actor: User, reason: str) -> User:
    """Give the user another role; it counts from the next request and the next live reading.

    Raises UserChangeRefused for oneself, an unknown role, and the last active admin.
    """
    user = _locked(user, actor, reason)
    if role not in User.Role.values:
        raise UserChangeRefused("There is no such role.")
    if role == user.role:
        raise UserChangeRefused("The user has this role already.")
    _refuse_last_admin(user)
    _change(user, actor, "user.role_changed", reason, {"role": role})
    _tell("user.role_changed", user, role=str(User.Role(role).label))
    return user


def _locked(user: User, actor: User, reason: str) -> User:
    """The user as he is now, held along with the admins, of whom one has to remain."""
    if user.pk == actor.pk:
        raise UserChangeRefused("Nobody changes his own access.")
    if not reason.strip():
        raise UserChangeRefused("A reason is needed.")
    rows = User.objects.filter(Q(pk=user.pk) | _ADMINS).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}[user.pk]


_ADMINS = Q(role=User.Role.ADMIN, status=User.Status.ACTIVE)


def _refuse_last_admin(user: User) -> None:
    """At least one active admin has to remain."""
    if user.role == User.Role.ADMIN and not User.objects.filter(_ADMINS).exclude(pk=user.pk):
        raise UserChangeRefused("This is the last active admin.")


def _change(user: User, actor: User, action: str, reason: str, changes: dict[str, Any]) -> None:
    """Write the fields with history and raise the version that open connections compare."""
    before = {name: getattr(user, name) for name in changes}
    for name, value in changes.items():
        setattr(user, name, value)
    user.authz_version += 1
    explain_change(user, actor=actor, reason=reason)
    user.save(update_fields=[*changes, "authz_version", "updated_at"])
    user.refresh_from_db(fields=["is_active", "is_staff"])
    record(actor=actor, action=action, target=user, before=before, after=changes, reason=reason)
    hang_up(user.pk)


def _tell(name: str, user: User, **facts: str) -> None:
    publish(name, users=[user], staff=True, person=user.get_full_name(), **facts)

"""Evidence of who did what, written in the transaction of the deed itself."""

import hashlib
from typing import Any

from django.db import models
from structlog.contextvars import get_contextvars

from accounts.models import AuditEvent, User


def record(
    *,
    actor: User | None,
    action: str,
    target: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Write one append-only audit event. The caller passes no secret: bank and identity numbers
    go in as their last four characters or not at all."""
    context = get_contextvars()
    return AuditEvent.objects.create(
        actor=actor,
        action=action,
        entity_type=target._meta.label_lower,
        entity_id=str(getattr(target, "number", "") or getattr(target, "code", "") or target.pk),
        before=before,
        after=after,
        reason=reason,
        ip_address=context.get("ip"),
        user_agent=str(context.get("agent") or "")[:300],
        session_id=_digest(str(context.get("session") or "")),
        request_id=str(context.get("request_id") or ""),
    )


def _digest(session_key: str) -> str:
    """Tells sessions apart without being the key to one."""
    return hashlib.sha256(session_key.encode()).hexdigest() if session_key else ""

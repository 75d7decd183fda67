from django.db import models

from accounts.models.user import User


class AuditEvent(models.Model):
    """One act by one person on one record: the evidence, append-only in the database.

    It stands in the topmost app so that every app may write it; compliance seals and reads it.
    """

    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    entity_type = models.CharField(max_length=60)
    entity_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    session_id = models.CharField(max_length=64, blank=True, help_text="Hash of the session key.")
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["entity_type", "entity_id"], name="accounts_audit_entity"),
            models.Index(fields=["actor", "-id"], name="accounts_audit_actor"),
            models.Index(fields=["created_at"], name="accounts_audit_created"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"

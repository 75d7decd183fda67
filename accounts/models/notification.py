from django.db import models

from accounts.models.event import Event
from accounts.models.user import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> "NotificationQuerySet":
        return self.filter(user=user)

    def unread(self) -> "NotificationQuerySet":
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """An event that one person is told about, and whether it was read."""

    user = models.ForeignKey(User, models.PROTECT, related_name="notifications")
    event = models.ForeignKey(Event, models.PROTECT, related_name="notifications")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event"], name="accounts_notification_once_per_event"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="accounts_notification_user"),
            models.Index(
                fields=["user"],
                name="accounts_notification_unread",
                condition=models.Q(read_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.event.name

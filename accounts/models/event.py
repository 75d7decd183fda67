from django.db import models


class EventStream(models.Model):
    """One ordered line of events, such as everything that is told to one user."""

    key = models.CharField(max_length=60, primary_key=True)
    seq = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.key


class EventQuerySet(models.QuerySet["Event"]):
    def after(self, stream: str, seq: int) -> "EventQuerySet":
        return self.filter(stream_id=stream, seq__gt=seq).order_by("seq")


class Event(models.Model):
    """Something that happened, as told to one stream; the number within the stream is the cursor.

    The serial id is never a cursor: ids commit out of order, the stream's own number does not.
    """

    stream = models.ForeignKey(EventStream, models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    name = models.CharField(max_length=60)
    ref = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    poked_at = models.DateTimeField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "seq"], name="accounts_event_stream_seq")
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="accounts_event_unpoked",
                condition=models.Q(poked_at__isnull=True),
            ),
            models.Index(fields=["name", "ref"], name="accounts_event_name_ref"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.ref}"

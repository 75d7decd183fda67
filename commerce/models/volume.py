from django.db import models
from django.db.models import Q

from accounts.models import User
from commerce.models.order import OrderItem
from commerce.models.refund import RefundItem
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField


class VolumeCutoff(models.Model):
    """The first day whose books are still open: one row, moved when a period is closed.

    Whoever records volume holds it FOR SHARE, whoever closes a period FOR UPDATE; so nothing can
    slip into a period that is being closed.
    """

    open_from = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="commerce_volumecutoff_one_row")
        ]

    def __str__(self) -> str:
        return f"open from {self.open_from}"


class VolumeEntryQuerySet(models.QuerySet["VolumeEntry"]):
    def visible_to(self, user: User) -> "VolumeEntryQuerySet":
        if user.has_perm("commerce.view_volumeentry"):
            return self
        return self.filter(distributor__user=user)

    def counting_in(self, starts_on: object, ends_on: object) -> "VolumeEntryQuerySet":
        return self.filter(counts_on__range=(starts_on, ends_on))


class VolumeEntry(models.Model):
    """Volume that a paid or refunded order line gave a distributor. Append-only.

    `occurred_at` is when the money moved; `counts_on` is the day whose period it belongs to: the
    same day in the company's time zone, or the first open day when that period was closed before
    the entry was recorded. A refund carries negative volume and points at the sale it takes back.
    """

    class Kind(models.TextChoices):
        SALE = "sale", "Sale"
        REFUND = "refund", "Refund"

    kind = models.CharField(max_length=6, choices=Kind)
    order_item = models.ForeignKey(OrderItem, models.PROTECT, related_name="volume_entries")
    refund_item = models.OneToOneField(
        RefundItem, models.PROTECT, null=True, related_name="volume_entry"
    )
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversed_by")
    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="volume_entries")
    order_class = models.CharField(max_length=16)
    pv = HundredthsField("PV")
    cv = HundredthsField("CV")
    margin = HundredthsField(default=0)
    occurred_at = models.DateTimeField()
    counts_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VolumeEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "volume entries"
        indexes = [
            models.Index(fields=["counts_on", "id"], name="commerce_volume_counts_on"),
            models.Index(fields=["distributor", "counts_on"], name="commerce_volume_distributor"),
            models.Index(
                fields=["counts_on"], condition=Q(kind="refund"), name="commerce_volume_refunds"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order_item"],
                condition=Q(kind="sale"),
                name="commerce_volume_one_sale_per_line",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="sale",
                    pv__gte=0,
                    cv__gte=0,
                    margin__gte=0,
                    refund_item__isnull=True,
                    reverses__isnull=True,
                )
                | Q(
                    kind="refund",
                    pv__lte=0,
                    cv__lte=0,
                    margin__lte=0,
                    refund_item__isnull=False,
                    reverses__isnull=False,
                ),
                name="commerce_volume_sign_follows_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pv} PV"

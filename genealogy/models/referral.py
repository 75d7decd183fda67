import uuid

from django.db import models
from django.db.models import F, Q

from accounts.history import history
from accounts.models import User
from genealogy.models.distributor import Distributor

REFERRAL_EDGES = {"pending": ("completed", "cancelled")}
DEEPEST_TIER = 9


class ReferralProgram(models.Model):
    """How the company lets distributors invite others: one row, changed by staff with a reason.

    What a tier pays is not said here: rates, the least payout and its rhythm belong to the plan.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    is_open = models.BooleanField(
        default=True, help_text="While closed, links say so and no code brings anybody in."
    )
    max_tier_level = models.PositiveSmallIntegerField(
        default=3, help_text="Up to which distance a referral is kept: 1 is who gave the code."
    )
    cookie_days = models.PositiveSmallIntegerField(
        default=30, help_text="How long a device that opened a link remembers its code."
    )

    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="genealogy_referralprogram_only_one"),
            models.CheckConstraint(
                condition=Q(max_tier_level__range=(1, DEEPEST_TIER)),
                name="genealogy_referralprogram_tiers",
                violation_error_message=f"Between 1 and {DEEPEST_TIER} tiers.",
            ),
            models.CheckConstraint(
                condition=Q(cookie_days__range=(1, 90)),
                name="genealogy_referralprogram_cookie_days",
                violation_error_message="A device remembers a code for 1 to 90 days.",
            ),
        ]

    def __str__(self) -> str:
        return "Referral program"

    @classmethod
    def current(cls) -> "ReferralProgram":
        return cls.objects.get(pk=1)


class ReferralCode(models.Model):
    """A code under which a distributor invites others, kept for good so that it never means
    anybody else. It works until it is closed, also when a newer one is shown in its place."""

    OPEN_STATUSES = (Distributor.Status.ACTIVE, Distributor.Status.INACTIVE)

    distributor = models.ForeignKey(Distributor, models.PROTECT, related_name="referral_codes")
    code = models.CharField(max_length=16, unique=True)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["distributor"],
                condition=Q(is_current=True),
                name="genealogy_referralcode_one_current",
                violation_error_message="The distributor has a code already.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-HJKMNP-Z2-9]{8,16}$"),
                name="genealogy_referralcode_readable",
                violation_error_message="A code has no letters that are read for one another.",
            ),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(closed_at__isnull=True),
                name="genealogy_referralcode_current_is_open",
                violation_error_message="A closed code is nobody's current one.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_open(self) -> bool:
        """Whether it brings anybody in now: not closed, and its distributor is with the company."""
        return self.closed_at is None and self.distributor.status in self.OPEN_STATUSES


class ReferralClick(models.Model):
    """Somebody opened a link: under which code, when, on what kind of device. Nothing else.

    No address, no browser, nothing that names anybody; `token` is what the device remembers.
    """

    class Device(models.TextChoices):
        PHONE = "phone", "Phone"
        TABLET = "tablet", "Tablet"
        COMPUTER = "computer", "Computer"
        UNKNOWN = "unknown", "Unknown"

    code = models.ForeignKey(ReferralCode, models.PROTECT, related_name="clicks")
    token = models.UUIDField(unique=True, default=uuid.uuid4)
    device = models.CharField(max_length=8, choices=Device)
    clicked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(device__in=["phone", "tablet", "computer", "unknown"]),
                name="genealogy_referralclick_device_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code_id} on a {self.device}"


class ReferralQuerySet(models.QuerySet["Referral"]):
    def visible_to(self, user: User) -> "ReferralQuerySet":
        """Staff with the right see all; a distributor what he is credited with."""
        if user.has_perm("genealogy.view_referral"):
            return self
        return self.filter(referrer__user=user)


class Referral(models.Model):
    """A distributor came through somebody's code: tier 1 is whose code it was, tier 2 who had
    referred that one, and so on up to the program's depth, as it was on the day."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    class Channel(models.TextChoices):
        LINK = "link", "Link on the same device"
        CODE = "code", "Typed code"

    referrer = models.ForeignKey(Distributor, models.PROTECT, related_name="referrals_given")
    referred = models.ForeignKey(Distributor, models.PROTECT, related_name="referrals_received")
    tier = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    code = models.ForeignKey(ReferralCode, models.PROTECT, related_name="referrals")
    click = models.ForeignKey(
        ReferralClick, models.PROTECT, null=True, blank=True, related_name="referrals"
    )
    channel = models.CharField(max_length=4, choices=Channel)
    first_order = models.CharField(max_length=30, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ReferralQuerySet.as_manager()
    history = history()

    class Meta:
        ordering = ["-id"]
        permissions = [("cancel_referral", "Can cancel referrals and close codes")]
        indexes = [
            models.Index(fields=["referrer", "tier", "-id"], name="genealogy_referral_referrer"),
            models.Index(fields=["status"], name="genealogy_referral_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["referred", "tier"],
                name="genealogy_referral_referred_once",
                violation_error_message="Everybody is referred once, at enrolment.",
            ),
            models.UniqueConstraint(
                fields=["referrer", "referred"], name="genealogy_referral_credited_once"
            ),
            models.CheckConstraint(
                condition=~Q(referrer=F("referred")),
                name="genealogy_referral_not_oneself",
                violation_error_message="Nobody can refer themselves.",
            ),
            models.CheckConstraint(
                condition=Q(tier__range=(1, DEEPEST_TIER)), name="genealogy_referral_tier_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "completed", "cancelled"]),
                name="genealogy_referral_status_known",
            ),
            models.CheckConstraint(
                condition=Q(channel="link", click__isnull=False)
                | Q(channel="code", click__isnull=True),
                name="genealogy_referral_channel_shown",
                violation_error_message="A link is known by its click, a typed code by itself.",
            ),
            models.CheckConstraint(
                condition=Q(status="completed", completed_at__isnull=False) & ~Q(first_order="")
                | ~Q(status="completed") & Q(completed_at__isnull=True, first_order=""),
                name="genealogy_referral_completed_by_order",
                violation_error_message="A completed referral names its first order.",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                & ~Q(cancelled_reason="")
                | ~Q(status="cancelled") & Q(cancelled_at__isnull=True, cancelled_reason=""),
                name="genealogy_referral_cancelled_with_reason",
                violation_error_message="A cancelled referral says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referred_id} referred by {self.referrer_id}, tier {self.tier}"

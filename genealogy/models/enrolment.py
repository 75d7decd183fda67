from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ConsentText, User
from genealogy.models.distributor import Distributor
from genealogy.models.referral import ReferralClick, ReferralCode

ENROLMENT_EDGES = {
    "open": ("invited", "cancelled", "expired"),
    "invited": ("completed", "cancelled", "expired"),
}
UNDER_WAY = ("open", "invited")
MOST_MESSAGES = 5
NOTHING_PERSONAL = {
    "first_name": "",
    "last_name": "",
    "country": "",
    "birth_date": None,
    "email": "",
    "phone": "",
    "order_lines": None,
}


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def visible_to(self, user: User) -> "EnrolmentQuerySet":
        """Staff with the right see all; a distributor those that he began for somebody."""
        if user.has_perm("genealogy.view_enrolment"):
            return self
        return self.filter(started_by=user)

    def under_way(self) -> "EnrolmentQuerySet":
        return self.filter(status__in=UNDER_WAY)

    def with_people(self) -> "EnrolmentQuerySet":
        return self.select_related(
            "code__distributor__user",
            "click",
            "distributor__sponsor",
            "place_parent",
            "started_by__profile",
        )


class Enrolment(models.Model):
    """An enrolment under way: what somebody who wants to join, his sponsor or the staff have typed
    so far. Once it is over nothing personal is left in it, so it has no history table either."""

    class Status(models.TextChoices):
        OPEN = "open", "Begun"
        INVITED = "invited", "Waits for the person"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"

    class Placement(models.TextChoices):
        RULE = "rule", "By the company's rule"
        WAIT = "wait", "In the holding tank"
        BY_HAND = "by_hand", "Chosen by hand"

    number = models.CharField(max_length=20, unique=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    started_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: the person himself, by a link or a code.",
    )
    is_sign_in = models.BooleanField(
        "sign-in alone",
        default=False,
        help_text="The distributor exists, and is asked to sign in for the first time.",
    )
    distributor = models.ForeignKey(
        Distributor,
        models.PROTECT,
        null=True,
        related_name="enrolments",
        help_text="Who the person became, or who is asked to sign in.",
    )
    code = models.ForeignKey(ReferralCode, models.PROTECT, null=True, related_name="enrolments")
    click = models.ForeignKey(ReferralClick, models.PROTECT, null=True, related_name="+")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    birth_date = models.DateField("date of birth", null=True)
    email = models.EmailField("e-mail", max_length=254, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    placement = models.CharField(max_length=7, choices=Placement, blank=True)
    place_parent = models.ForeignKey(Distributor, models.PROTECT, null=True, related_name="+")
    place_leg = models.PositiveSmallIntegerField(null=True)
    agreed_to = models.ManyToManyField(ConsentText, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    paper_signed_on = models.DateField(
        null=True, help_text="The day on which the agreement was signed on paper, if it was."
    )
    order_lines = models.JSONField(
        null=True, help_text="SKU and quantity of what is ordered; empty: not asked yet."
    )
    link_digest = models.CharField(max_length=64, blank=True, editable=False)
    link_wanted_at = models.DateTimeField(null=True)
    link_sent_at = models.DateTimeField("message sent at", null=True)
    messages_sent = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(
        null=True, help_text="When the person opened the link, which shows whose address it is."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=300, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "expires_at"], name="genealogy_enrolment_status"),
            models.Index(fields=["started_by", "-id"], name="genealogy_enrolment_starter"),
            models.Index(
                fields=["link_wanted_at"],
                condition=Q(link_wanted_at__isnull=False),
                name="genealogy_enrolment_to_send",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "invited", "completed", "cancelled", "expired"]),
                name="genealogy_enrolment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(placement__in=["", "rule", "wait", "by_hand"]),
                name="genealogy_enrolment_placement_known",
            ),
            models.CheckConstraint(
                condition=Q(is_sign_in=True, distributor__isnull=False, code__isnull=True)
                | Q(is_sign_in=False, code__isnull=False),
                name="genealogy_enrolment_by_code_or_sign_in",
                violation_error_message="Somebody joins by a code, or is a distributor already.",
            ),
            models.CheckConstraint(
                condition=Q(is_sign_in=True)
                | Q(status="completed", distributor__isnull=False)
                | ~Q(status="completed") & Q(distributor__isnull=True),
                name="genealogy_enrolment_completed_as_somebody",
                violation_error_message="A completed enrolment names its distributor.",
            ),
            models.CheckConstraint(
                condition=Q(placement="by_hand", place_parent__isnull=False, place_leg__gte=1)
                | ~Q(placement="by_hand") & Q(place_parent__isnull=True, place_leg__isnull=True),
                name="genealogy_enrolment_place_by_hand",
                violation_error_message="A place chosen by hand is a leg of somebody.",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=UNDER_WAY,
                    ended_at__isnull=True,
                    ended_reason="",
                )
                | Q(
                    ended_at__isnull=False,
                    link_wanted_at__isnull=True,
                    first_name="",
                    last_name="",
                    country="",
                    birth_date__isnull=True,
                    email="",
                    phone="",
                    order_lines__isnull=True,
                ),
                name="genealogy_enrolment_over_is_empty",
                violation_error_message="Nothing personal is kept of an enrolment that is over.",
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | ~Q(ended_reason=""),
                name="genealogy_enrolment_cancelled_with_reason",
                violation_error_message="A cancelled enrolment says why.",
            ),
            models.CheckConstraint(
                condition=~Q(status="invited") | ~Q(email=""),
                name="genealogy_enrolment_invited_by_email",
                violation_error_message="Who is invited has an e-mail address.",
            ),
            models.CheckConstraint(
                condition=Q(messages_sent__lte=MOST_MESSAGES),
                name="genealogy_enrolment_messages_bounded",
                violation_error_message=f"At most {MOST_MESSAGES} messages for one enrolment.",
            ),
            models.UniqueConstraint(
                fields=["link_digest"],
                condition=~Q(link_digest=""),
                name="genealogy_enrolment_one_link",
            ),
            models.UniqueConstraint(
                fields=["distributor"],
                condition=Q(is_sign_in=True, status__in=UNDER_WAY),
                name="genealogy_enrolment_one_sign_in",
                violation_error_message="This distributor was asked to sign in already.",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY and self.expires_at > timezone.now()

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    @property
    def sponsor(self) -> Distributor | None:
        """Under whom the person comes, or stands already."""
        if self.is_sign_in:
            return self.distributor.sponsor if self.distributor else None
        return self.code.distributor if self.code else None

    @property
    def person(self) -> str:
        """The name as far as it is known; after the end that of the distributor, or nothing."""
        typed = f"{self.first_name} {self.last_name}".strip()
        return typed or (self.distributor.display_name if self.distributor else "")

    @property
    def progress(self) -> str:
        """How far it is, in words that tell nothing of what the person typed."""
        if self.status == self.Status.COMPLETED and self.distributor:
            return f"Joined as {self.distributor.number}"
        if self.status != self.Status.INVITED:
            return str(self.get_status_display())
        if self.agreed_at:
            return "Agreed to the texts"
        if self.is_confirmed:
            return "Opened the link"
        return "Message on its way" if self.link_wanted_at else "Message sent"

    @property
    def link_valid_until(self) -> datetime | None:
        if self.link_sent_at is None:
            return None
        return self.link_sent_at + timedelta(days=settings.ENROLMENT_LINK_DAYS)

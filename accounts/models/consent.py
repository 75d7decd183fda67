from datetime import date

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.user import User

written_plainly = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Letters, digits, dots and dashes only."
)


class ConsentTextQuerySet(models.QuerySet["ConsentText"]):
    def in_force(self, on: date | None = None) -> "ConsentTextQuerySet":
        """One text for each purpose: the latest that is effective on a day (today).

        Of two that begin on the same day the one published later.
        """
        begun = self.filter(effective_from__lte=on or timezone.localdate())
        return begun.order_by("purpose", "-effective_from", "-pk").distinct("purpose")


class ConsentText(models.Model):
    """What people are asked to agree to for one purpose, in the words of one version.

    Published once and never changed: a consent names the words that were read.
    """

    class Purpose(models.TextChoices):
        DISTRIBUTOR_AGREEMENT = "distributor_agreement", "Distributor agreement"
        DATA_PROCESSING = "data_processing", "Use of your data"
        MARKETING = "marketing", "News and offers"
        CONTACT_UPLINE = "contact_upline", "Your contact for the people above you"
        CONTACT_DOWNLINE = "contact_downline", "Your contact for the people you sponsor"

    purpose = models.CharField(max_length=24, choices=Purpose)
    version = models.CharField(max_length=20, validators=[written_plainly])
    title = models.CharField(max_length=200)
    body = models.TextField("text", help_text="An empty line begins a new paragraph.")
    effective_from = models.DateField()
    published_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", editable=False
    )
    published_at = models.DateTimeField(auto_now_add=True)

    objects = ConsentTextQuerySet.as_manager()

    class Meta:
        ordering = ["purpose", "-effective_from", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "version"],
                name="accounts_consenttext_version_once",
                violation_error_message="There is a text of this purpose and version already.",
            ),
            models.CheckConstraint(
                condition=Q(
                    purpose__in=[
                        "distributor_agreement",
                        "data_processing",
                        "marketing",
                        "contact_upline",
                        "contact_downline",
                    ]
                ),
                name="accounts_consenttext_purpose_known",
            ),
            models.CheckConstraint(
                condition=~Q(version="") & ~Q(title="") & ~Q(body=""),
                name="accounts_consenttext_has_words",
                violation_error_message="A text needs a version, a title and words.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, version {self.version}"


CONTACT_PURPOSES = (ConsentText.Purpose.CONTACT_UPLINE, ConsentText.Purpose.CONTACT_DOWNLINE)


class ConsentQuerySet(models.QuerySet["Consent"]):
    def newest(self) -> "ConsentQuerySet":
        """The newest row of each user and purpose: what holds, given or withdrawn."""
        rows = self.order_by("user_id", "text__purpose", "-pk")
        return rows.distinct("user_id", "text__purpose")


class Consent(models.Model):
    """One answer of a user to one text: given, or taken back. The newest of a purpose holds.

    Append-only in the database. `shows_email` and `shows_phone` say which of the two a consent to
    a published contact is about; of other purposes both are false.
    """

    class Channel(models.TextChoices):
        PORTAL = "portal", "Portal"
        ENROLMENT = "enrolment", "Enrolment"
        PAPER = "paper", "On paper"

    user = models.ForeignKey(User, models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="consents")
    is_given = models.BooleanField()
    shows_email = models.BooleanField(default=False)
    shows_phone = models.BooleanField(default=False)
    channel = models.CharField(max_length=9, choices=Channel)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="accounts_consent_user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["portal", "enrolment", "paper"]),
                name="accounts_consent_channel_known",
            ),
            models.CheckConstraint(
                condition=Q(is_given=True) | Q(shows_email=False, shows_phone=False),
                name="accounts_consent_withdrawn_shows_nothing",
                violation_error_message="What was withdrawn publishes nothing.",
            ),
        ]

    def __str__(self) -> str:
        return f"{'Given' if self.is_given else 'Withdrawn'}: {self.text}"

    @property
    def shown(self) -> str:
        """What of a contact it lets be seen, in words; "" where it is about none."""
        if self.shows_email and self.shows_phone:
            return "e-mail and phone"
        return "e-mail" if self.shows_email else "phone" if self.shows_phone else ""

from django.db import models
from django.db.models import Q

from accounts.history import history
from accounts.models.user import User
from mlmcrm.encryption import seal, unseal


class Profile(models.Model):
    """Who a user is in private life: names, address and what the person consented to."""

    user = models.OneToOneField(User, models.PROTECT, primary_key=True, related_name="profile")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    avatar = models.CharField(max_length=200, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(max_length=50, default="UTC")
    locale = models.CharField(max_length=10, default="en-GB")
    address = models.JSONField(default=dict, blank=True)
    emergency_contact = models.JSONField(default=dict, blank=True)
    tax_id_sealed = models.TextField(blank=True, editable=False)
    tax_id_last4 = models.CharField(max_length=4, blank=True, editable=False)
    marketing_consent = models.BooleanField(default=False)
    marketing_consent_at = models.DateTimeField(null=True, blank=True)
    data_processing_consent = models.BooleanField(default=False)
    data_processing_consent_at = models.DateTimeField(null=True, blank=True)
    consent_text_version = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = history(excluded_fields=["tax_id_sealed"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(marketing_consent=False)
                | (Q(marketing_consent_at__isnull=False) & ~Q(consent_text_version="")),
                name="accounts_profile_marketing_consent_recorded",
                violation_error_message="Consent needs its time and the version of the text.",
            ),
            models.CheckConstraint(
                condition=Q(data_processing_consent=False)
                | (Q(data_processing_consent_at__isnull=False) & ~Q(consent_text_version="")),
                name="accounts_profile_processing_consent_recorded",
                violation_error_message="Consent needs its time and the version of the text.",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def _tax_id_context(self) -> str:
        return f"accounts_profile|tax_id|{self.user_id}"

    @property
    def tax_id(self) -> str:
        return (
            unseal(self.tax_id_sealed, context=self._tax_id_context) if self.tax_id_sealed else ""
        )

    @tax_id.setter
    def tax_id(self, value: str) -> None:
        self.tax_id_sealed = seal(value, context=self._tax_id_context) if value else ""
        self.tax_id_last4 = value[-4:]

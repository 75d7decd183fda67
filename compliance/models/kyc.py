import uuid

from django.db import models
from django.db.models import F, Q

from accounts.history import history
from accounts.models import User
from mlmcrm.encryption import seal, seal_bytes, unseal, unseal_bytes

KYC_EDGES = {"pending": ("verified", "rejected"), "verified": ("expired",)}


class KYCDocumentQuerySet(models.QuerySet["KYCDocument"]):
    def visible_to(self, user: User) -> "KYCDocumentQuerySet":
        if user.has_perm("compliance.view_kycdocument"):
            return self
        return self.filter(user=user)

    def waiting(self) -> "KYCDocumentQuerySet":
        return self.filter(status="pending").order_by("submitted_at", "pk")


class KYCDocument(models.Model):
    """An identity paper somebody sent in, what he declared with it, and what the reviewer said.

    A resubmission is a new row that names the one before it; earlier versions stay.
    """

    class DocumentType(models.TextChoices):
        AADHAAR = "aadhaar", "Aadhaar card"
        PAN = "pan", "PAN card"
        PASSPORT = "passport", "Passport"
        DRIVING_LICENCE = "driving_licence", "Driving licence"

    class Status(models.TextChoices):
        PENDING = "pending", "In review"
        VERIFIED = "verified", "Verified"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"

    class Reason(models.TextChoices):
        UNREADABLE = "unreadable", "The picture cannot be read"
        INCOMPLETE = "incomplete", "A side of the document is missing"
        DOCUMENT_EXPIRED = "document_expired", "The document has expired"
        TYPE_MISMATCH = "type_mismatch", "It is another kind of document"
        NAME_MISMATCH = "name_mismatch", "The name differs"
        BIRTH_DATE_MISMATCH = "birth_date_mismatch", "The date of birth differs"
        ADDRESS_MISMATCH = "address_mismatch", "The address differs"
        NUMBER_INVALID = "number_invalid", "The document number differs"
        AADHAAR_NOT_MASKED = "aadhaar_not_masked", "The Aadhaar number is not masked"
        NOT_ACCEPTED = "not_accepted", "The document cannot be accepted"

    number = models.CharField(max_length=20, unique=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="kyc_documents")
    resubmission_of = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="resubmission"
    )
    document_type = models.CharField(max_length=15, choices=DocumentType)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    document_number_sealed = models.TextField(editable=False, blank=True)
    document_number_last4 = models.CharField("number ends in", max_length=4)
    document_number_index = models.CharField(
        max_length=64, editable=False, help_text="Blind index for finding the same paper twice."
    )
    full_name = models.CharField(max_length=200)
    date_of_birth = models.DateField()
    address_line = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=60)
    expires_on = models.DateField(null=True, blank=True)
    submitted_at = models.DateTimeField(auto_now_add=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    rejection_code = models.CharField(max_length=20, choices=Reason, blank=True)
    rejection_note = models.TextField(blank=True, help_text="Shown to the distributor.")

    objects = KYCDocumentQuerySet.as_manager()
    history = history(excluded_fields=["document_number_sealed", "document_number_index"])

    class Meta:
        verbose_name = "KYC document"
        ordering = ["-id"]
        permissions = [("review_kycdocument", "Can review KYC documents")]
        indexes = [
            models.Index(fields=["status", "submitted_at"], name="compliance_kyc_queue"),
            models.Index(fields=["reviewed_at"], name="compliance_kyc_reviewed"),
            models.Index(fields=["document_number_index"], name="compliance_kyc_number"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["pending", "verified", "rejected", "expired"],
                    document_type__in=["aadhaar", "pan", "passport", "driving_licence"],
                ),
                name="compliance_kyc_choices_known",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status="pending"),
                name="compliance_kyc_one_in_review",
                violation_error_message="A document is already in review.",
            ),
            models.CheckConstraint(
                condition=Q(status="pending", reviewed_by__isnull=True)
                | (~Q(status="pending") & Q(reviewed_at__isnull=False, reviewed_by__isnull=False)),
                name="compliance_kyc_reviewed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                name="compliance_kyc_four_eyes",
                violation_error_message="Nobody reviews his own document.",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(rejection_code=""),
                name="compliance_kyc_rejection_has_reason",
                violation_error_message="A rejection needs its reason.",
            ),
            models.CheckConstraint(
                condition=~Q(document_type="aadhaar") | Q(document_number_sealed=""),
                name="compliance_kyc_aadhaar_number_not_kept",
                violation_error_message="Of an Aadhaar number only the last four digits are kept.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_document_type_display()} {self.number}"

    @property
    def masked_number(self) -> str:
        return f"ends in {self.document_number_last4}"

    @property
    def _context(self) -> str:
        return f"compliance_kycdocument|document_number|{self.token}"

    @property
    def document_number(self) -> str:
        sealed = self.document_number_sealed
        return unseal(sealed, context=self._context) if sealed else ""

    @document_number.setter
    def document_number(self, value: str) -> None:
        keep = value and self.document_type != self.DocumentType.AADHAAR
        self.document_number_sealed = seal(value, context=self._context) if keep else ""
        self.document_number_last4 = value[-4:]


class KYCImage(models.Model):
    """One side of a document: re-encoded, stripped of its metadata, sealed. Append-only."""

    class Side(models.TextChoices):
        FRONT = "front", "Front"
        BACK = "back", "Back"

    document = models.ForeignKey(KYCDocument, models.PROTECT, related_name="images")
    side = models.CharField(max_length=5, choices=Side)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sealed_content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "side"], name="compliance_kycimage_one_per_side"
            ),
            models.CheckConstraint(
                condition=Q(side__in=["front", "back"]), name="compliance_kycimage_side_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} of {self.document_id}"

    @property
    def _context(self) -> str:
        return f"compliance_kycimage|content|{self.token}"

    @property
    def content(self) -> bytes:
        """The JPEG itself. Show it only through a view that checks and records the access."""
        return unseal_bytes(bytes(self.sealed_content), context=self._context)

    @content.setter
    def content(self, value: bytes) -> None:
        self.sealed_content = seal_bytes(value, context=self._context)

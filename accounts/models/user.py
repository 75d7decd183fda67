import secrets
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from accounts.history import history

STAFF_ROLES = ("admin", "manager", "support", "finance", "auditor")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, role="admin", email_verified=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())

    def staff(self) -> models.QuerySet["User"]:
        return self.filter(is_staff=True, is_active=True)


def new_referral_code() -> str:
    """Eight characters without those that are read for one another."""
    return "".join(secrets.choice("ABCDEFGHJKMNPQRSTUVWXYZ23456789") for _ in range(8))


class User(AbstractBaseUser):
    """Somebody who signs in: a distributor, a customer's owner, or staff in one of five roles."""

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        MANAGER = "manager", "Manager"
        DISTRIBUTOR = "distributor", "Distributor"
        SUPPORT = "support", "Support"
        FINANCE = "finance", "Finance"
        AUDITOR = "auditor", "Auditor"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        SUSPENDED = "suspended", "Suspended"
        PENDING = "pending", "Pending"

    class KYCStatus(models.TextChoices):
        MISSING = "missing", "Not submitted"
        PENDING = "pending", "In review"
        VERIFIED = "verified", "Verified"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"

    class SubscriptionTier(models.TextChoices):
        BASIC = "basic", "Basic"
        PREMIUM = "premium", "Premium"
        PRO = "pro", "Pro"

    email = models.EmailField(
        max_length=254,
        unique=True,
        error_messages={"unique": "A user with this e-mail address already exists."},
    )
    username = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    role = models.CharField(max_length=12, choices=Role, default=Role.DISTRIBUTOR)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    suspended_reason = models.TextField(blank=True)
    email_verified = models.BooleanField(default=False)
    phone_verified = models.BooleanField(default=False)
    two_factor_enabled = models.BooleanField(default=False)
    login_attempts = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    referral_code = models.CharField(max_length=16, unique=True, default=new_referral_code)
    subscription_tier = models.CharField(
        max_length=8, choices=SubscriptionTier, default=SubscriptionTier.BASIC
    )
    subscription_expires_on = models.DateField(null=True, blank=True)
    kyc_status = models.CharField(max_length=8, choices=KYCStatus, default=KYCStatus.MISSING)
    kyc_verified_at = models.DateTimeField(null=True, blank=True)
    kyc_verified_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+"
    )
    kyc_document_number = models.CharField(max_length=20, blank=True)
    authz_version = models.PositiveIntegerField(
        default=0, help_text="Rises when role, status or password change; open sockets compare it."
    )
    created_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    is_active = models.GeneratedField(
        expression=Q(status="active"), output_field=models.BooleanField(), db_persist=True
    )
    is_staff = models.GeneratedField(
        expression=Q(role__in=STAFF_ROLES), output_field=models.BooleanField(), db_persist=True
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    objects = UserManager()
    history = history(excluded_fields=["password", "last_login", "is_active", "is_staff"])

    class Meta:
        ordering = ["email"]
        indexes = [models.Index(fields=["role", "status"], name="accounts_user_role_status")]
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")),
                name="accounts_user_email_lower",
                violation_error_message="An e-mail address is kept in lower case.",
            ),
            models.UniqueConstraint(
                fields=["phone"],
                condition=~Q(phone="") & Q(phone_verified=True),
                name="accounts_user_verified_phone_unique",
                violation_error_message="This phone number is verified for another user.",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{field}__in": values}),
                    name=f"accounts_user_{field}_known",
                    violation_error_message=f"Not a known {field.replace('_', ' ')}.",
                )
                for field, values in (
                    ("role", ["admin", "manager", "distributor", "support", "finance", "auditor"]),
                    ("status", ["active", "inactive", "suspended", "pending"]),
                    ("kyc_status", ["missing", "pending", "verified", "rejected", "expired"]),
                    ("subscription_tier", ["basic", "premium", "pro"]),
                )
            ),
            models.CheckConstraint(
                condition=~Q(kyc_status="verified") | Q(kyc_verified_at__isnull=False),
                name="accounts_user_kyc_verified_dated",
                violation_error_message="A verified identity needs the time of verification.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    @cached_property
    def role_permissions(self) -> frozenset[str]:
        """The `app.codename` permissions of the group that carries this role's name."""
        rows = Permission.objects.filter(group__name=self.role).values_list(
            "content_type__app_label", "codename"
        )
        return frozenset(f"{app}.{codename}" for app, codename in rows)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.status == self.Status.ACTIVE and perm in self.role_permissions

    def has_perms(self, perms: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.status == self.Status.ACTIVE and any(
            perm.startswith(f"{app_label}.") for perm in self.role_permissions
        )

    def get_full_name(self) -> str:
        profile = getattr(self, "profile", None)
        return profile.full_name if profile and profile.full_name else self.email

    def get_short_name(self) -> str:
        profile = getattr(self, "profile", None)
        return profile.first_name if profile and profile.first_name else self.email

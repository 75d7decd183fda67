import django.db.models.deletion
import simple_history.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0012_fill_user_level"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalReferralProgram",
            fields=[
                ("id", models.PositiveSmallIntegerField(db_index=True, default=1, editable=False)),
                (
                    "is_open",
                    models.BooleanField(
                        default=True,
                        help_text="While closed, links say so and no code brings anybody in.",
                    ),
                ),
                (
                    "max_tier_level",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Up to which distance a referral is kept: 1 is who gave the code.",
                    ),
                ),
                (
                    "cookie_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="How long a device that opened a link remembers its code.",
                    ),
                ),
                ("history_change_reason", models.TextField(null=True)),
                ("history_user_id", models.BigIntegerField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
            ],
            options={
                "verbose_name": "historical referral program",
                "verbose_name_plural": "historical referral programs",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReferralCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                ("is_current", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "distributor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral_codes",
                        to="genealogy.distributor",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReferralClick",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "device",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("tablet", "Tablet"),
                            ("computer", "Computer"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=8,
                    ),
                ),
                ("clicked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clicks",
                        to="genealogy.referralcode",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tier", models.PositiveSmallIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("link", "Link on the same device"), ("code", "Typed code")],
                        max_length=4,
                    ),
                ),
                ("first_order", models.CharField(blank=True, max_length=30)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "referred",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals_received",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals_given",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "click",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="genealogy.referralclick",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="genealogy.referralcode",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("cancel_referral", "Can cancel referrals and close codes")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalReferral",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("tier", models.PositiveSmallIntegerField(default=1)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("link", "Link on the same device"), ("code", "Typed code")],
                        max_length=4,
                    ),
                ),
                ("first_order", models.CharField(blank=True, max_length=30)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(blank=True, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("history_user_id", models.BigIntegerField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "referred",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "referrer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "click",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="genealogy.referralclick",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="genealogy.referralcode",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical referral",
                "verbose_name_plural": "historical referrals",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ReferralProgram",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "is_open",
                    models.BooleanField(
                        default=True,
                        help_text="While closed, links say so and no code brings anybody in.",
                    ),
                ),
                (
                    "max_tier_level",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Up to which distance a referral is kept: 1 is who gave the code.",
                    ),
                ),
                (
                    "cookie_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="How long a device that opened a link remembers its code.",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="genealogy_referralprogram_only_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_tier_level__range", (1, 9))),
                        name="genealogy_referralprogram_tiers",
                        violation_error_message="Between 1 and 9 tiers.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cookie_days__range", (1, 90))),
                        name="genealogy_referralprogram_cookie_days",
                        violation_error_message="A device remembers a code for 1 to 90 days.",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="referralcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("distributor",),
                name="genealogy_referralcode_one_current",
                violation_error_message="The distributor has a code already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referralcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-HJKMNP-Z2-9]{8,16}$")),
                name="genealogy_referralcode_readable",
                violation_error_message="A code has no letters that are read for one another.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referralcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_current", False), ("closed_at__isnull", True), _connector="OR"
                ),
                name="genealogy_referralcode_current_is_open",
                violation_error_message="A closed code is nobody's current one.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referralclick",
            constraint=models.CheckConstraint(
                condition=models.Q(("device__in", ["phone", "tablet", "computer", "unknown"])),
                name="genealogy_referralclick_device_known",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                fields=["referrer", "tier", "-id"], name="genealogy_referral_referrer"
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(fields=["status"], name="genealogy_referral_status"),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.UniqueConstraint(
                fields=("referred", "tier"),
                name="genealogy_referral_referred_once",
                violation_error_message="Everybody is referred once, at enrolment.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.UniqueConstraint(
                fields=("referrer", "referred"), name="genealogy_referral_credited_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(("referrer", models.F("referred")), _negated=True),
                name="genealogy_referral_not_oneself",
                violation_error_message="Nobody can refer themselves.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(("tier__range", (1, 9))), name="genealogy_referral_tier_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "completed", "cancelled"])),
                name="genealogy_referral_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "link"), ("click__isnull", False)),
                    models.Q(("channel", "code"), ("click__isnull", True)),
                    _connector="OR",
                ),
                name="genealogy_referral_channel_shown",
                violation_error_message="A link is known by its click, a typed code by itself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("completed_at__isnull", False),
                        ("status", "completed"),
                        models.Q(("first_order", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "completed"), _negated=True),
                        ("completed_at__isnull", True),
                        ("first_order", ""),
                    ),
                    _connector="OR",
                ),
                name="genealogy_referral_completed_by_order",
                violation_error_message="A completed referral names its first order.",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("cancelled_at__isnull", False),
                        ("status", "cancelled"),
                        models.Q(("cancelled_reason", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("status", "cancelled"), _negated=True),
                        ("cancelled_at__isnull", True),
                        ("cancelled_reason", ""),
                    ),
                    _connector="OR",
                ),
                name="genealogy_referral_cancelled_with_reason",
                violation_error_message="A cancelled referral says why.",
            ),
        ),
    ]

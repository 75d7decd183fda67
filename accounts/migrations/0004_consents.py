import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("distributor_agreement", "Distributor agreement"),
                            ("data_processing", "Use of your data"),
                            ("marketing", "News and offers"),
                            ("contact_upline", "Your contact for the people above you"),
                            ("contact_downline", "Your contact for the people you sponsor"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "version",
                    models.CharField(
                        max_length=20,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                "Letters, digits, dots and dashes only.",
                            )
                        ],
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                (
                    "body",
                    models.TextField(
                        help_text="An empty line begins a new paragraph.", verbose_name="text"
                    ),
                ),
                ("effective_from", models.DateField()),
                ("published_at", models.DateTimeField(auto_now_add=True)),
                (
                    "published_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["purpose", "-effective_from", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_given", models.BooleanField()),
                ("shows_email", models.BooleanField(default=False)),
                ("shows_phone", models.BooleanField(default=False)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("portal", "Portal"),
                            ("enrolment", "Enrolment"),
                            ("paper", "On paper"),
                        ],
                        max_length=9,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "text",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="accounts.consenttext",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.UniqueConstraint(
                fields=("purpose", "version"),
                name="accounts_consenttext_version_once",
                violation_error_message="There is a text of this purpose and version already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "purpose__in",
                        [
                            "distributor_agreement",
                            "data_processing",
                            "marketing",
                            "contact_upline",
                            "contact_downline",
                        ],
                    )
                ),
                name="accounts_consenttext_purpose_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("version", ""), _negated=True),
                    models.Q(("title", ""), _negated=True),
                    models.Q(("body", ""), _negated=True),
                ),
                name="accounts_consenttext_has_words",
                violation_error_message="A text needs a version, a title and words.",
            ),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["user", "-id"], name="accounts_consent_user"),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["portal", "enrolment", "paper"])),
                name="accounts_consent_channel_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_given", True),
                    models.Q(("shows_email", False), ("shows_phone", False)),
                    _connector="OR",
                ),
                name="accounts_consent_withdrawn_shows_nothing",
                violation_error_message="What was withdrawn publishes nothing.",
            ),
        ),
    ]

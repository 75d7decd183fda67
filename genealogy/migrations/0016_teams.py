import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import genealogy.models.team
import mlmcrm.money
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("genealogy", "0015_first_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalTeam",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(db_index=True, max_length=20)),
                (
                    "name",
                    models.CharField(
                        db_index=True,
                        error_messages={"unique": "There is a team of this name."},
                        max_length=80,
                    ),
                ),
                ("description", models.TextField(blank=True, max_length=1000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("closed", "Closed"),
                        ],
                        default="active",
                        max_length=9,
                    ),
                ),
                ("status_reason", models.TextField(blank=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("monthly_target", mlmcrm.money.HundredthsField(default=0)),
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
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lead",
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
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical team",
                "verbose_name_plural": "historical teams",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "name",
                    models.CharField(
                        error_messages={"unique": "There is a team of this name."},
                        max_length=80,
                        unique=True,
                    ),
                ),
                ("description", models.TextField(blank=True, max_length=1000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("closed", "Closed"),
                        ],
                        default="active",
                        max_length=9,
                    ),
                ),
                ("status_reason", models.TextField(blank=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("monthly_target", mlmcrm.money.HundredthsField(default=0)),
                ("members_count", models.PositiveIntegerField(default=0, editable=False)),
                ("active_members", models.PositiveIntegerField(default=0, editable=False)),
                ("new_members", models.PositiveIntegerField(default=0, editable=False)),
                ("total_earnings", mlmcrm.money.HundredthsField(default=0, editable=False)),
                ("commission_paid", mlmcrm.money.HundredthsField(default=0, editable=False)),
                ("current_month_earnings", mlmcrm.money.HundredthsField(default=0, editable=False)),
                ("target_achieved", models.BooleanField(default=False, editable=False)),
                ("score", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("bronze", "Bronze"),
                            ("silver", "Silver"),
                            ("gold", "Gold"),
                            ("platinum", "Platinum"),
                        ],
                        default="bronze",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("measured_at", models.DateTimeField(editable=False, null=True)),
                (
                    "stale_since",
                    models.DateTimeField(
                        editable=False,
                        help_text="Something it is measured from has changed since.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="led_teams",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="TeamMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("joined_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                ("left_reason", models.TextField(blank=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
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
                        related_name="team_memberships",
                        to="genealogy.distributor",
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="genealogy.team",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="team",
            index=models.Index(fields=["lead", "status"], name="genealogy_team_lead_status"),
        ),
        migrations.AddIndex(
            model_name="team",
            index=models.Index(fields=["-score"], name="genealogy_team_score"),
        ),
        migrations.AddIndex(
            model_name="team",
            index=models.Index(fields=["created_at"], name="genealogy_team_created"),
        ),
        migrations.AddIndex(
            model_name="team",
            index=models.Index(
                condition=models.Q(("stale_since__isnull", False)),
                fields=["stale_since"],
                name="genealogy_team_stale",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "closed"), _negated=True),
                fields=("lead",),
                name="genealogy_team_one_each_lead",
                violation_error_message="This distributor leads a team already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "suspended", "closed"])),
                name="genealogy_team_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "active"),
                    models.Q(("status_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="genealogy_team_reason_given",
                violation_error_message="A team is suspended or closed with a reason.",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verified_at__isnull", True), ("verified_by__isnull", True)),
                    models.Q(("verified_at__isnull", False), ("verified_by__isnull", False)),
                    _connector="OR",
                ),
                name="genealogy_team_verified_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(("monthly_target__gte", 0)),
                name="genealogy_team_target_not_negative",
                violation_error_message="A target is not negative.",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("monthly_target__gt", 0),
                        ("target_achieved", True),
                        ("current_month_earnings__gte", models.F("monthly_target")),
                    ),
                    ("target_achieved", False),
                    _connector="OR",
                ),
                name="genealogy_team_target_really_achieved",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("score__range", (0, 39)), ("tier", "bronze")),
                    models.Q(("score__range", (40, 59)), ("tier", "silver")),
                    models.Q(("score__range", (60, 79)), ("tier", "gold")),
                    models.Q(("score__range", (80, 100)), ("tier", "platinum")),
                    _connector="OR",
                ),
                name="genealogy_team_tier_by_score",
                violation_error_message="The tier follows from the score, 0 to 100.",
            ),
        ),
        migrations.AddIndex(
            model_name="teammembership",
            index=models.Index(fields=["team", "left_at"], name="genealogy_membership_team"),
        ),
        migrations.AddConstraint(
            model_name="teammembership",
            constraint=models.UniqueConstraint(
                condition=models.Q(("left_at__isnull", True)),
                fields=("distributor",),
                name="genealogy_membership_one_team",
                violation_error_message="The distributor is in a team already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="teammembership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("left_at__isnull", True),
                    ("left_at__gt", models.F("joined_at")),
                    _connector="OR",
                ),
                name="genealogy_membership_ordered",
                violation_error_message="Somebody leaves after he has joined.",
            ),
        ),
        migrations.AddConstraint(
            model_name="teammembership",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("distributor", "="),
                    (
                        genealogy.models.team._MomentRange(
                            "joined_at",
                            "left_at",
                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                        ),
                        "&&",
                    ),
                ],
                name="genealogy_membership_one_at_a_time",
                violation_error_message="The distributor was in a team at that time.",
            ),
        ),
    ]

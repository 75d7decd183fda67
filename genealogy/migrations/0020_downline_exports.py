import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from genealogy.models.export import EXPORT_EDGES
from mlmcrm.triggers import frozen_when, status_edges


class Migration(migrations.Migration):
    """Filtered downlines as files, which the readers order and which go after some days."""

    dependencies = [
        ("genealogy", "0019_territory_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DownlineExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "filters",
                    models.JSONField(
                        default=dict, help_text="As they stand in the address of the list."
                    ),
                ),
                ("columns", models.JSONField(default=list, help_text="Their keys, in order.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("deleted", "Deleted"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "rows",
                    models.PositiveIntegerField(
                        help_text="People in the finished file.", null=True
                    ),
                ),
                ("file_name", models.CharField(blank=True, max_length=100)),
                ("file_size", models.PositiveBigIntegerField(null=True)),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("delete_at", models.DateTimeField(help_text="When the file goes.", null=True)),
                (
                    "ordered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "root",
                    models.ForeignKey(
                        help_text="Whose downline; empty for everybody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="genealogy.distributor",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["queued", "running", "done", "failed", "cancelled", "deleted"],
                            )
                        ),
                        name="genealogy_export_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "done"), _negated=True),
                            models.Q(
                                ("delete_at__isnull", False),
                                ("file_size__isnull", False),
                                ("rows__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="genealogy_export_done_has_file",
                        violation_error_message="A finished export has a file and a day on which it goes.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["queued", "running"])),
                        fields=("ordered_by",),
                        name="genealogy_export_one_at_a_time",
                        violation_error_message="Another export is being made for you already.",
                    ),
                ],
            },
        ),
        status_edges("genealogy_downlineexport", EXPORT_EDGES),
        frozen_when(
            "genealogy_downlineexport",
            "old.status <> 'queued'",
            ["key", "ordered_by_id", "root_id", "filters", "columns"],
            "ordered_export",
        ),
    ]

from django.db import migrations, models

KNOWN = [
    ("direct_bonus", "Direct bonus"),
    ("level_income", "Level income"),
    ("binary_bonus", "Binary bonus"),
    ("reward_bonus", "Reward bonus"),
    ("retail", "Retail margin"),
    ("unilevel", "Unilevel"),
    ("matching", "Matching"),
    ("leadership", "Leadership"),
    ("fast_start", "Fast start"),
    ("rank_bonus", "Rank bonus"),
    ("car_bonus", "Car bonus"),
    ("differential", "Differential"),
    ("breakaway", "Breakaway"),
    ("matrix", "Matrix"),
    ("pool_share", "Pool share"),
    ("pass_up", "Pass-up"),
    ("adjustment", "Adjustment"),
]


class Migration(migrations.Migration):
    """The kinds of commission that the plan language can say."""

    dependencies = [("commissions", "0006_volume_queue")]

    operations = [
        migrations.AlterField(
            "bonus", "ledger_type", models.CharField(max_length=12, choices=KNOWN)
        ),
        migrations.RemoveConstraint("bonus", "commissions_bonus_type_known"),
        migrations.AddConstraint(
            "bonus",
            models.CheckConstraint(
                condition=models.Q(("ledger_type__in", [code for code, _ in KNOWN])),
                name="commissions_bonus_type_known",
            ),
        ),
    ]

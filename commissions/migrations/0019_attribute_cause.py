from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("commissions", "0018_fill_rank_changes"),
        ("genealogy", "0010_attributes_stand"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="estimatedifference",
            name="commissions_estimatedifference_known",
        ),
        migrations.AlterField(
            model_name="estimatedifference",
            name="cause",
            field=models.PositiveSmallIntegerField(
                choices=[
                    (1, "The period before became final"),
                    (2, "People joined or were moved"),
                    (3, "Orders were paid"),
                    (4, "Orders were refunded"),
                    (5, "Another plan version is in force"),
                    (6, "Bonuses at payment were settled"),
                    (7, "A package, mark or given rank changed"),
                ]
            ),
        ),
        migrations.AddConstraint(
            model_name="estimatedifference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cause__in", [1, 2, 3, 4, 5, 6, 7]), models.Q(("amount", 0), _negated=True)
                ),
                name="commissions_estimatedifference_known",
            ),
        ),
    ]

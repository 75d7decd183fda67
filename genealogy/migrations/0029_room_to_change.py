from django.db import migrations, models
import django.db.models.deletion

RANKS = {
    "rank": "title rank",
    "highest_rank": None,
    "next_rank_target": None,
}


class Migration(migrations.Migration):
    """Figures of distributors are changed where they lie, without a word to fifteen indexes."""

    dependencies = [("genealogy", "0028_until_the_next")]

    operations = [
        *[
            migrations.AlterField(
                model_name="distributor",
                name=name,
                field=models.ForeignKey(
                    blank=True,
                    db_index=False,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="genealogy.rank",
                    verbose_name=words,
                ),
            )
            for name, words in RANKS.items()
        ],
        migrations.RunSQL(
            "alter table genealogy_distributor set (fillfactor = 90)",
            "alter table genealogy_distributor reset (fillfactor)",
        ),
    ]

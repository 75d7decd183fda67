from django.db import migrations

RANKS = [
    ("bronze", "Bronze", 1, 100, 0, "0.05"),
    ("silver", "Silver", 2, 200, 1000, "0.07"),
    ("gold", "Gold", 3, 300, 2500, "0.10"),
    ("platinum", "Platinum", 4, 500, 5000, "0.12"),
    ("diamond", "Diamond", 5, 1000, 10000, "0.15"),
]


def seed(apps, schema_editor):
    rank = apps.get_model("genealogy", "Rank")
    for code, name, level, pv, gv, rate in RANKS:
        rank.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "level": level,
                "min_personal_pv": pv,
                "min_group_pv": gv,
                "commission_rate": rate,
            },
        )


def unseed(apps, schema_editor):
    apps.get_model("genealogy", "Rank").objects.filter(code__in=[row[0] for row in RANKS]).delete()


class Migration(migrations.Migration):
    dependencies = [("genealogy", "0002_genealogy_paths")]

    operations = [migrations.RunPython(seed, unseed)]

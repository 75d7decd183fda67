from django.db import migrations

UNDOES = "amount > 0 or (amount < 0 and reverses_id is not null)"
UNDOES_OR_CUTS = """
  amount > 0 or (amount < 0 and (reverses_id is not null or (
    source_distributor_id is null and volume_entry_id is null and level = 0 and rate = 1000000)))
"""
OLD, NEW = (
    f"commissions_ledgerentry_{name}"
    for name in ("negative_only_if_reversal", "negative_undoes_or_cuts")
)


def exchange(old: str, new: str, rule: str) -> str:
    return (
        f"alter table commissions_ledgerentry drop constraint {old}, "
        f"add constraint {new} check ({rule});"
    )


class Migration(migrations.Migration):
    """A line below zero takes another back, or is what a limit cuts: from nobody, on no order."""

    dependencies = [("commissions", "0007_ledger_types")]

    operations = [
        migrations.RunSQL(exchange(OLD, NEW, UNDOES_OR_CUTS), exchange(NEW, OLD, UNDOES)),
    ]

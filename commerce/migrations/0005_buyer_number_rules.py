import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from mlmcrm.triggers import frozen_when

# The rows that a statement wrote are looked at together, so many at once cost one look.
NO_GAPS = """
create function commerce_order_no_gaps() returns trigger language plpgsql as $$
begin
  if exists (
    select from placed p where p.buyer_number > 1 and not exists (
      select from commerce_order o
      where o.customer_id = p.customer_id and o.buyer_number = p.buyer_number - 1)
  ) then
    raise exception 'commerce_order: a number of the buyer''s is left out' using errcode = '23001';
  end if;
  return null;
end $$;
create trigger commerce_order_no_gaps_new after insert on commerce_order
  referencing new table as placed
  for each statement execute function commerce_order_no_gaps();
create trigger commerce_order_no_gaps after update on commerce_order
  referencing new table as placed
  for each statement execute function commerce_order_no_gaps();
"""
GAPS = """
drop trigger commerce_order_no_gaps on commerce_order;
drop trigger commerce_order_no_gaps_new on commerce_order;
drop function commerce_order_no_gaps();
"""


class Migration(migrations.Migration):
    """A paid order has its number, each buyer's run from 1 without a gap, and stay."""

    dependencies = [("commerce", "0004_number_paid_orders")]

    operations = [
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(
                    paid_at__isnull=True, buyer_number__isnull=True, buyer_since__isnull=True
                )
                | Q(paid_at__isnull=False, buyer_number__gte=1, buyer_since__isnull=False),
                name="commerce_order_paid_has_number",
                violation_error_message="A paid order has its number among those of its customer.",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                fields=("customer", "buyer_number"),
                name="commerce_order_buyer_number_unique",
                violation_error_message="The customer has an order of this number already.",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="commerce.customer",
            ),
        ),
        frozen_when(
            "commerce_order",
            "old.buyer_number is not null",
            ["buyer_number", "buyer_since"],
            "number_of_the_buyer",
        ),
        migrations.RunSQL(NO_GAPS, GAPS),
    ]

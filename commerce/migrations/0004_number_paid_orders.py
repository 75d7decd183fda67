from django.conf import settings
from django.db import migrations

NUMBER = """
with buyer as (
  select o.customer_id,
         case when c.kind = 'self' then d.joined_on
              else least((c.created_at at time zone %(zone)s)::date,
                         (min(o.paid_at) at time zone %(zone)s)::date) end as since
  from commerce_order o
  join commerce_customer c on c.id = o.customer_id
  left join genealogy_distributor d on d.id = c.distributor_id
  where o.paid_at is not null
  group by o.customer_id, c.kind, c.created_at, d.joined_on
), numbered as (
  select id, customer_id,
         row_number() over (partition by customer_id order by paid_at, id) as number
  from commerce_order where paid_at is not null
)
update commerce_order o
set buyer_number = n.number, buyer_since = b.since
from numbered n join buyer b on b.customer_id = n.customer_id
where o.id = n.id
"""


def number(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(NUMBER, {"zone": settings.COMPANY_TIMEZONE})


class Migration(migrations.Migration):
    """The orders that were paid before they were numbered, each buyer's by the time of payment."""

    dependencies = [
        ("commerce", "0003_buyer_numbers"),
        ("genealogy", "0001_initial"),
    ]

    operations = [migrations.RunPython(number, migrations.RunPython.noop)]

from django.db import migrations


class Migration(migrations.Migration):
    """Whoever is terminated has left since the day his status last became that.

    It is known from now on: periods that are closed were paid without it and stay as they are.
    """

    dependencies = [("genealogy", "0031_status_over_time")]

    operations = [
        migrations.RunSQL(
            """
            insert into genealogy_distributorattribute
              (distributor_id, kind, ladder, code, valid_from, recorded_at, reason)
            select d.id, 'status', '', 'left',
                   greatest(coalesce(since.day, d.updated_at::date), d.joined_on),
                   clock_timestamp(), 'Had left'
            from genealogy_distributor d
            left join lateral (
              select min(h.history_date)::date as day from genealogy_historicaldistributor h
              where h.id = d.id and h.status = 'terminated' and h.history_date > coalesce(
                (select max(o.history_date) from genealogy_historicaldistributor o
                 where o.id = d.id and o.status <> 'terminated'), '-infinity')
            ) since on true
            where d.status = 'terminated'
            """,
            """
            alter table genealogy_distributorattribute
              disable trigger genealogy_distributorattribute_no_delete;
            delete from genealogy_distributorattribute where kind = 'status';
            alter table genealogy_distributorattribute
              enable trigger genealogy_distributorattribute_no_delete;
            """,
        ),
    ]

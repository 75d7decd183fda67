from django.db import migrations


class Migration(migrations.Migration):
    """Whoever comes to hold something else notes himself and those above: their pages ask again."""

    dependencies = [("commissions", "0019_attribute_cause")]

    operations = [
        migrations.RunSQL(
            """
            create function commissions_note_attribute() returns trigger language plpgsql as $$
            begin
              insert into commissions_estimatenews (distributor_id, with_upline)
                select distinct distributor_id, true from newrows;
              return null;
            end $$;
            create trigger commissions_attribute_noted
              after insert on genealogy_distributorattribute
              referencing new table as newrows
              for each statement execute function commissions_note_attribute();
            create trigger commissions_attribute_superseded
              after update on genealogy_distributorattribute
              referencing new table as newrows
              for each statement execute function commissions_note_attribute();
            """,
            """
            drop trigger commissions_attribute_superseded on genealogy_distributorattribute;
            drop trigger commissions_attribute_noted on genealogy_distributorattribute;
            drop function commissions_note_attribute();
            """,
        ),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    """A move notes itself where the sponsor changes: a position that ends is not written any more."""

    dependencies = [
        ("commissions", "0022_reward_rules"),
        ("genealogy", "0026_enrolment_rules"),
    ]
    run_before = [("genealogy", "0028_until_the_next")]

    operations = [
        migrations.RunSQL(
            """
            drop trigger commissions_move_noted on genealogy_distributorposition;
            create or replace function commissions_note_move() returns trigger language plpgsql as $$
            begin
              insert into commissions_estimatenews (distributor_id, with_upline)
                select id, true from unnest(array[new.id, old.sponsor_id]) as id
                where id is not null;
              return null;
            end $$;
            create trigger commissions_move_noted after update of sponsor_id on genealogy_distributor
              for each row when (new.sponsor_id is distinct from old.sponsor_id)
              execute function commissions_note_move();
            """,
            """
            drop trigger commissions_move_noted on genealogy_distributor;
            create or replace function commissions_note_move() returns trigger language plpgsql as $$
            begin
              insert into commissions_estimatenews (distributor_id, with_upline)
                select id, true from unnest(array[new.distributor_id, new.parent_id]) as id
                where id is not null;
              return null;
            end $$;
            create trigger commissions_move_noted
              after update of valid_to, superseded_at on genealogy_distributorposition
              for each row when (new.tree = 'sponsor')
              execute function commissions_note_move();
            """,
        ),
    ]

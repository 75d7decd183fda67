from django.db import migrations


class Migration(migrations.Migration):
    """Whose estimate is another now and who has not been told of it; a move notes itself."""

    dependencies = [("commissions", "0013_estimates")]

    operations = [
        migrations.RunSQL(
            """
            create table commissions_estimatenews (
              id bigint generated always as identity primary key,
              distributor_id bigint not null,
              with_upline boolean not null,
              due_at timestamptz not null default now()
            );

            create function commissions_note_move() returns trigger language plpgsql as $$
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
            """
            drop trigger commissions_move_noted on genealogy_distributorposition;
            drop function commissions_note_move();
            drop table commissions_estimatenews;
            """,
        ),
    ]

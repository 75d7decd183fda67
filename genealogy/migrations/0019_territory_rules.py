from django.db import migrations

from mlmcrm.triggers import frozen_when


class Migration(migrations.Migration):
    """A territory's depth is counted by the database, which refuses circles on the way up; an
    assignment is made once and ended once."""

    dependencies = [("genealogy", "0018_territories")]

    operations = [
        migrations.RunSQL(
            """
            create function genealogy_territory_place() returns trigger language plpgsql as $$
            declare
              above bigint := new.parent_id;
              steps int := 1;
            begin
              -- Two moves at once could close a circle that neither of them sees.
              perform pg_advisory_xact_lock(hashtextextended('genealogy_territory', 0));
              while above is not null and steps < 100 loop
                if above = new.id then
                  raise exception 'genealogy_territory: territories lie in a circle'
                    using errcode = '23514';
                end if;
                steps := steps + 1;
                select parent_id into above from genealogy_territory where id = above;
              end loop;
              new.depth := steps;
              return new;
            end $$;
            create trigger genealogy_territory_place before insert or update on genealogy_territory
              for each row execute function genealogy_territory_place();
            create function genealogy_territory_parts() returns trigger language plpgsql as $$
            begin
              update genealogy_territory set depth = new.depth + 1 where parent_id = new.id;
              return null;
            end $$;
            create trigger genealogy_territory_parts after update on genealogy_territory
              for each row when (old.depth <> new.depth)
              execute function genealogy_territory_parts();
            """,
            """
            drop trigger genealogy_territory_parts on genealogy_territory;
            drop function genealogy_territory_parts();
            drop trigger genealogy_territory_place on genealogy_territory;
            drop function genealogy_territory_place();
            """,
        ),
        frozen_when(
            "genealogy_territoryassignment",
            "true",
            ["distributor_id", "territory_id", "valid_from", "recorded_at"],
            "made_assignment",
        ),
        frozen_when(
            "genealogy_territoryassignment",
            "old.valid_to is not null",
            ["valid_to"],
            "ended_assignment",
        ),
    ]

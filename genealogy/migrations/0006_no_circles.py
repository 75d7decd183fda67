from django.db import migrations

TREES = (("sponsor", "sponsor_id"), ("placement", "placement_parent_id"))

# A circle closes with the step that is written last. People come in after whom they stand under, so
# of new rows only those are looked at that came in before: a load of a million looks at none.
CIRCLE = """
create function genealogy_no_{tree}_circle() returns trigger language plpgsql as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Somebody can be moved only at the isolation level read committed.'
      using errcode = '25001';
  end if;
  -- Two moves at once: the second looks when the first is committed, and sees it.
  perform pg_advisory_xact_lock(hashtextextended('genealogy.circle.{tree}', 0));
  if exists (
    with recursive up(id) as (
      select {parent} from genealogy_distributor where id = new.id
      union
      select d.{parent} from up join genealogy_distributor d on d.id = up.id
    )
    select 1 from up where id = new.id
  ) then
    raise exception 'Distributor % would stand below himself in the {tree} tree.', new.number
      using errcode = '23514', constraint = 'genealogy_distributor_no_{tree}_circle',
            table = 'genealogy_distributor';
  end if;
  return null;
end $$;
create constraint trigger genealogy_no_{tree}_circle_moved
  after update of {parent} on genealogy_distributor deferrable initially deferred
  for each row when (new.{parent} is not null and new.{parent} is distinct from old.{parent})
  execute function genealogy_no_{tree}_circle();
create constraint trigger genealogy_no_{tree}_circle_new
  after insert on genealogy_distributor deferrable initially deferred
  for each row when (new.{parent} > new.id)
  execute function genealogy_no_{tree}_circle();
"""
NO_CIRCLE = """
drop trigger genealogy_no_{tree}_circle_new on genealogy_distributor;
drop trigger genealogy_no_{tree}_circle_moved on genealogy_distributor;
drop function genealogy_no_{tree}_circle();
"""
FINAL = """
create function genealogy_position_final() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.superseded_at is null and new.superseded_at is not null then
    old.superseded_at := new.superseded_at;
    if old is not distinct from new then
      return new;
    end if;
  end if;
  raise exception 'What was written about a position stays; a later row supersedes it.'
    using errcode = '23001', table = 'genealogy_distributorposition';
end $$;
create trigger genealogy_position_final before update or delete on genealogy_distributorposition
  for each row execute function genealogy_position_final();
"""
NOT_FINAL = """
drop trigger genealogy_position_final on genealogy_distributorposition;
drop function genealogy_position_final();
"""


class Migration(migrations.Migration):
    """Nobody stands below himself, whoever writes it; what was known of positions stays known."""

    dependencies = [("genealogy", "0005_level_index")]

    operations = [
        *[
            migrations.RunSQL(
                CIRCLE.format(tree=tree, parent=parent), NO_CIRCLE.format(tree=tree, parent=parent)
            )
            for tree, parent in TREES
        ],
        migrations.RunSQL(FINAL, NOT_FINAL),
    ]

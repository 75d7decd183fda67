from django.db import migrations

GAP = """
create function genealogy_gap_under(
  of_tree genealogy_tree, parent bigint, highest bigint,
  out low bigint, out high bigint, out level int
) language plpgsql stable set plan_cache_mode = force_generic_plan as $$
declare above genealogy_genealogynode;
begin
  if parent is not null then
    select * into above from genealogy_genealogynode n
      where n.tree = of_tree and n.distributor_id = parent;
    if not found then
      return;
    end if;
  end if;
  level := coalesce(above.depth + 1, 0);
  high := coalesce(above.rgt, highest) + 1;
  low := coalesce(above.lft, 0);
  low := coalesce((
    select n.rgt from genealogy_genealogynode n
    where n.tree = of_tree and n.depth = level and n.lft > low and n.lft < high
    order by n.lft desc limit 1), low);
end $$
"""
COUNT = """
create function genealogy_count(of_tree genealogy_tree, starts bigint[], people int[])
returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  with recursive up(id, parent, people) as (
    select d.id, case of_tree when 'sponsor' then d.sponsor_id else d.placement_parent_id end,
           c.people
    from unnest(starts, people) as c(start, people)
    join genealogy_distributor d on d.id = c.start
    union all
    select d.id, case of_tree when 'sponsor' then d.sponsor_id else d.placement_parent_id end,
           up.people
    from up join genealogy_distributor d on d.id = up.parent
  ), change as (
    select up.id, sum(up.people)::int as people from up group by 1 having sum(up.people) <> 0
  )
  update genealogy_genealogynode n set size = n.size + change.people
  from change where n.tree = of_tree and n.distributor_id = change.id;
  if of_tree = 'sponsor' then
    update genealogy_distributor d
      set direct_referral_count = d.direct_referral_count + sign(c.people)::int
      from unnest(starts, people) as c(start, people) where d.id = c.start;
  end if;
end $$
"""
LEAF = """
create function genealogy_add_leaf(
  of_tree genealogy_tree, who bigint, parent bigint, slice int, highest bigint
) returns bigint language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  gap record;
  room bigint;
begin
  select * into gap from genealogy_gap_under(of_tree, parent, highest);
  if gap.level is null then
    return null;
  end if;
  room := greatest(gap.high - gap.low - 1, 0);
  -- Without room he is nobody's label until everybody here is labelled anew.
  insert into genealogy_genealogynode (tree, distributor_id, lft, rgt, depth, size)
    values (of_tree, who,
            case when room > 0 then gap.low + 1 else -who end,
            case when room > 0 then gap.low + greatest(room / slice, 1) else -who end,
            gap.level, 1);
  perform genealogy_count(of_tree, array[parent], array[1]);
  return room;
end $$
"""
RECORD = """
create function genealogy_record_positions(
  of_tree genealogy_tree, who bigint[], above bigint, in_leg int, since date, by_whom bigint,
  why text
) returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  update genealogy_distributorposition set superseded_at = clock_timestamp()
    where distributor_id = any(who) and tree = of_tree and superseded_at is null
      and valid_from >= since;
  insert into genealogy_distributorposition
    (distributor_id, tree, parent_id, leg, valid_from, recorded_at, actor_id, reason)
    select id, of_tree, above, in_leg, since, clock_timestamp(), by_whom, why
    from unnest(who) as id;
end $$
"""


class Migration(migrations.Migration):
    """What every newcomer needs of a tree, as functions whose plans a session keeps."""

    dependencies = [("genealogy", "0029_room_to_change")]

    operations = [
        migrations.RunSQL(GAP, "drop function genealogy_gap_under"),
        migrations.RunSQL(COUNT, "drop function genealogy_count"),
        migrations.RunSQL(LEAF, "drop function genealogy_add_leaf"),
        migrations.RunSQL(RECORD, "drop function genealogy_record_positions"),
    ]

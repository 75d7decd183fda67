"""The benchmark plan as set-based SQL, as fast as we could make it: a rival to measure against.

Intervals of both trees stand ready in dense preorder (keeping them costs nothing here). Group
volumes are differences of one prefix sum, compressed uplines come from one recursive walk, levels
from hash joins of the pointer table with itself, in parallel where PostgreSQL allows. Sums run in
float8, which is exact for whole hundredths below 2**53 and much faster than numeric. Nothing is
logged before the ledger itself.
"""

from __future__ import annotations

from time import monotonic

import psycopg

SETTINGS = """
set work_mem = '1GB'; set maintenance_work_mem = '1GB';
set max_parallel_workers_per_gather = 2; set jit = off;
"""

HALF_EVEN = (
    "({v} * {bp} / 10000 + (({v} * {bp}) % 10000 > 5000 or "
    "(({v} * {bp}) % 10000 = 5000 and ({v} * {bp} / 10000) % 2 = 1))::int)"
)


def rounded(value: str, basis_points: str) -> str:
    return HALF_EVEN.format(v=value, bp=basis_points)


RATES = (500, 500, 400, 400, 300, 300, 200)
UNLOCKED = "(array[0, 3, 4, 5, 6, 7])[{rank} + 1]"


def levels() -> str:
    """p1 .. p7: the compressed uplines of a source p0, and the rank of each."""
    return "\n".join(
        f"left join rival.pointer p{k} on p{k}.id = p{k - 1}.ranked" for k in range(1, 8)
    )


def unilevel(per_line: bool) -> str:
    """Paid on what somebody sold in the period, or on each order line."""
    values = ", ".join(f"({k}, p{k}.id, p{k}.rank, {RATES[k - 1]})" for k in range(1, 8))
    paid_on = (
        "(select id as entry, seller, cv::bigint from rival.line)"
        if per_line
        else "(select null::bigint as entry, id as seller, cv from rival.pointer)"
    )
    return f"""
create table rival.unilevel as
select l.earner, p0.id as source, s.entry, l.level, s.cv as base, l.rate as rate,
       {rounded("s.cv", "l.rate")} as amount
from {paid_on} s join rival.pointer p0 on p0.id = s.seller
{levels()}
cross join lateral (values {values}) as l(level, earner, rank, rate)
where s.cv > 0 and l.earner is not null and {UNLOCKED.format(rank="l.rank")} >= l.level"""


def matching() -> str:
    return f"""
create table rival.matching as
with earned as (
  select earner, sum(amount::int) as base from rival.unilevel group by earner)
select l.earner, p0.id as source, l.level, e.base, l.rate, {rounded("e.base", "l.rate")} as amount
from earned e join rival.pointer p0 on p0.id = e.earner
left join rival.pointer p1 on p1.id = p0.matching
left join rival.pointer p2 on p2.id = p1.matching
left join rival.pointer p3 on p3.id = p2.matching
cross join lateral (values (1, p1.id, 1000), (2, p2.id, 500), (3, p3.id, 500))
  as l(level, earner, rate)
where l.earner is not null and e.base > 0"""


def generation() -> str:
    return f"""
create table rival.generation as
with leaders as (
  select case when p.rank > 3 then p.id else p.leading end as id,
         sum(p.cv::float8)::bigint as base
  from rival.pointer p group by 1)
select l.earner, p0.id as source, l.level, g.base, l.rate, {rounded("g.base", "l.rate")} as amount
from leaders g
join rival.pointer p0 on p0.id = g.id
left join rival.pointer p1 on p1.id = p0.leading
left join rival.pointer p2 on p2.id = p1.leading
left join rival.pointer p3 on p3.id = p2.leading
cross join lateral (values (1, p1.id, 300), (2, p2.id, 200), (3, p3.id, 100))
  as l(level, earner, rate)
where g.base > 0 and l.earner is not null"""


def steps(per_line: bool) -> list[tuple[str, str]]:
    return [*STEPS[:4], ("unilevel", unilevel(per_line)), *STEPS[4:]]


STEPS = [
    ("volumes", """
create unlogged table rival.volume as
select m.id, m.sponsor, m.lft, m.size, m.place, m.side, m.plft, m.psize, m.carry_l, m.carry_r,
       coalesce(s.pv, 0) as pv, coalesce(s.cv, 0) as cv
from rival.member m
left join (select seller, sum(pv) as pv, sum(cv) as cv from rival.line group by seller) s
  on s.seller = m.id"""),
    ("group volumes", """
create unlogged table rival.prefix as
select lft, sum(pv::float8) over (order by lft rows unbounded preceding) as upto from rival.volume;
create unlogged table rival.gv as
select v.id, v.sponsor, v.pv, v.cv, (l.upto - f.upto)::bigint + v.pv as gv
from rival.volume v
join rival.prefix f on f.lft = v.lft
join rival.prefix l on l.lft = v.lft + v.size - 1"""),
    ("ranks", """
create unlogged table rival.rank as
with legs as (
  select sponsor,
    count(*) filter (where gv >= 50000) as l2, count(*) filter (where gv >= 200000) as l3,
    count(*) filter (where gv >= 800000) as l4, count(*) filter (where gv >= 4000000) as l5
  from rival.gv group by sponsor)
select g.id, g.sponsor, g.cv, case
  when g.pv < 32000 then 0
  when g.gv < 200000 or coalesce(l.l2, 0) < 2 then 1
  when g.pv < 34000 or g.gv < 1000000 or l.l3 < 3 then 2
  when g.gv < 5000000 or l.l4 < 3 then 3
  when g.gv < 25000000 or l.l5 < 4 then 4 else 5 end as rank
from rival.gv g left join legs l on l.sponsor = g.id"""),
    ("pointers", """
create unlogged table rival.pointer as
with recursive walk as (
  select id, cv, rank, null::bigint as ranked, null::bigint as matching, null::bigint as leading
  from rival.rank where sponsor is null
  union all
  select c.id, c.cv, c.rank,
    case when w.rank > 0 then w.id else w.ranked end,
    case when w.rank > 1 then w.id else w.matching end,
    case when w.rank > 3 then w.id else w.leading end
  from walk w join rival.rank c on c.sponsor = w.id)
select * from walk;
analyze rival.pointer"""),
    ("matching", matching()),
    ("generation", generation()),
    ("binary", f"""
create unlogged table rival.pprefix as
select plft, sum(pv::float8) over (order by plft rows unbounded preceding) as upto
from rival.volume;
create table rival.binary as
with leg as (
  select v.place as id, v.side, (l.upto - f.upto)::bigint + v.pv as volume
  from rival.volume v
  join rival.pprefix f on f.plft = v.plft
  join rival.pprefix l on l.plft = v.plft + v.psize - 1
  where v.place is not null),
both_legs as (
  select id, coalesce(sum(volume) filter (where side = 0), 0)::bigint as l,
         coalesce(sum(volume) filter (where side = 1), 0)::bigint as r
  from leg group by id),
carried as (
  select r.id, r.rank, coalesce(b.l, 0) + v.carry_l as l, coalesce(b.r, 0) + v.carry_r as r
  from rival.rank r join rival.volume v on v.id = r.id left join both_legs b on b.id = r.id),
matched as (
  select id, rank, l, r, case when rank > 0 then least(l, r, 2500000) else 0 end as m from carried)
select id, m as base, {rounded("m", "1000")} as amount,
       case when rank > 0 then l - m else 0 end as carry_l,
       case when rank > 0 then r - m else 0 end as carry_r
from matched"""),
    ("ledger", """
create table rival.ledger as
select (1::bigint << 32) + row_number() over (order by earner) as id, entry as volume_entry_id,
       base, amount::bigint, 1 as run_id, bonus_id, earner::int as distributor_id,
       source::int as source_distributor_id, (rate * 100)::int as rate, level::smallint,
       r.rank::smallint as rank_level, null::bigint as reverses_id
from (
  select 1 as bonus_id, earner, source, entry, level, base, rate, amount
  from rival.unilevel where amount <> 0
  union all
  select 2, earner, source, null, level, base, rate, amount from rival.matching where amount <> 0
  union all
  select 3, earner, source, null, level, base, rate, amount
  from rival.generation where amount <> 0
  union all
  select 4, id, null, null, 0, base, 1000, amount from rival.binary where amount <> 0
) lines join rival.rank r on r.id = lines.earner order by earner;
alter table rival.ledger
  add check (amount > 0 or (amount < 0 and reverses_id is not null)),
  add check (run_id = 1 and id > 1::bigint << 32 and id < 2::bigint << 32);
create index on rival.ledger using brin (distributor_id, id) with (pages_per_range = 16);
create table rival.standing as
select 1 as run_id, g.id::int as distributor_id, g.sponsor::int as sponsor_id,
       coalesce(l.legs, 0)::int as legs, g.pv, g.cv, g.gv, r.rank::smallint as rank_level,
       r.rank::smallint as highest_level, r.rank::smallint as title_level, g.pv >= 5000 as active
from rival.gv g join rival.rank r on r.id = g.id
left join (select sponsor, count(*) filter (where gv > 0) as legs from rival.gv group by 1) l
  on l.sponsor = g.id;
create unique index on rival.standing (run_id, distributor_id)"""),
]  # fmt: skip

TOTALS = """
select 'unilevel', earner, sum(amount)::bigint, count(*) from rival.unilevel
  where amount <> 0 group by earner
union all
select 'matching', earner, sum(amount)::bigint, count(*) from rival.matching
  where amount <> 0 group by earner
union all
select 'generation', earner, sum(amount)::bigint, count(*) from rival.generation
  where amount <> 0 group by earner
union all
select 'binary', id, amount, 1 from rival.binary where amount <> 0
"""


def run(connection: psycopg.Connection, per_line: bool) -> dict[str, float]:
    """Seconds by step; the results stay in the schema `rival`, committed."""
    seconds = {}
    connection.execute(SETTINGS)
    for name, statement in steps(per_line):
        since = monotonic()
        connection.execute(statement)
        seconds[name] = monotonic() - since
    since = monotonic()
    connection.commit()
    return seconds | {"commit": monotonic() - since}

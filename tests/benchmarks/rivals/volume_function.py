"""The way of a stored function a member: own and group volume by a query over stored paths.

A closure table (each distributor with each of his uplines) and a function that sums the order lines
of one distributor and of all below him, called for everybody. Sampled at larger sizes.
"""

from __future__ import annotations

from time import monotonic

from django.db import connection

CREATE = """
create table rival.path as
with recursive walk as (
  select id as ancestor, id as descendant, 0 as depth from rival.member
  union all
  select m.sponsor, w.descendant, w.depth + 1
  from walk w join rival.member m on m.id = w.ancestor where m.sponsor is not null)
select * from walk;
create index on rival.path (ancestor); create index on rival.path (descendant);
create index on rival.line (seller);
analyze rival.path;
create function rival.volumes(distributor bigint, out personal numeric, out team numeric)
language plpgsql stable as $$
begin
  select coalesce(sum(l.pv::numeric), 0) into personal from rival.line l
  where l.seller = distributor;
  select coalesce(sum(l.pv::numeric), 0) into team
  from rival.path p join rival.line l on l.seller = p.descendant where p.ancestor = distributor;
end $$;
"""


def run(most: int = 2_000) -> dict[str, float]:
    """Seconds for all distributors, scaled up from a sample where there are more than `most`."""
    with connection.cursor() as cursor:
        since = monotonic()
        cursor.execute(CREATE)
        build = monotonic() - since
        cursor.execute("select count(*) from rival.member")
        members = cursor.fetchone()[0]
        called = min(members, most)
        since = monotonic()
        cursor.execute(
            "select sum(v.team) from (select id from rival.member order by md5(id::text) limit %s) "
            "m, rival.volumes(m.id) v",
            [called],
        )
        taken = monotonic() - since
    return {"build": build, "volumes": taken * members / called, "called": called}

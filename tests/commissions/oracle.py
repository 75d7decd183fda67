"""What the demo plan pays in a period, in plain SQL from the plan's words, not from the engine.

    assert expected(period) == recorded(period)

The words: *Partner* pays 2 % of CV at payment, on retail and preferred orders to the seller, on
own and autoship orders to who enrolled him. *Retail margin* pays a sale's margin to the seller.
*Unilevel* goes up the sponsor tree from each order line, passing over who is not active (50 PV) or
has no rank, up to seven people, at the rates of each one's rank. A *rank bonus* is paid for each
rank reached for the first time ever. Each line is rounded half to even. A refund in the month of
its sale counts as if less had been sold; a later one takes back its share of each line, rounded on
what has come back so far. Arithmetic is numeric throughout.
"""

from decimal import Decimal

from django.db import connection

from commissions.models import CommissionPeriod

PERSONAL = "('retail', 'preferred', 'self_consumption', 'autoship')"

HALF_EVEN = """
create or replace function pg_temp.cents(x numeric) returns numeric language sql immutable as $$
  select case when abs(x * 100 - trunc(x * 100)) = 0.5 and mod(trunc(x * 100), 2) = 0
              then trunc(x * 100) / 100 else round(x, 2) end
$$"""

CLOSE = f"""
with recursive members as (
  select distinct on (d.id) d.id, p.parent_id as sponsor_id
  from genealogy_distributor d
  join genealogy_distributorposition p on p.distributor_id = d.id and p.tree = 'sponsor'
   and p.valid_from <= %(ends_on)s
   and p.recorded_at <= %(cutoff_at)s
   and (p.superseded_at is null or p.superseded_at > %(cutoff_at)s)
  order by d.id, p.valid_from desc
), lines as (
  select s.id, s.distributor_id as seller, s.order_class,
         (s.cv + coalesce(sum(r.cv), 0)) / 100.0 as cv,
         (s.margin + coalesce(sum(r.margin), 0)) / 100.0 as margin
  from commerce_volumeentry s
  left join commerce_volumeentry r on r.reverses_id = s.id
   and r.counts_on between %(starts_on)s and %(ends_on)s
  where s.kind = 'sale' and s.counts_on between %(starts_on)s and %(ends_on)s
  group by s.id
), own as (
  select distributor_id as id, sum(pv) / 100.0 as pv from commerce_volumeentry
  where counts_on between %(starts_on)s and %(ends_on)s and order_class in {PERSONAL}
  group by distributor_id
), above as (
  select own.id as member, own.id as upline, own.pv from own
  union all
  select a.member, m.sponsor_id, a.pv from above a join members m on m.id = a.upline
  where m.sponsor_id is not null
), volumes as (
  select m.id, m.sponsor_id, coalesce(own.pv, 0) as pv, coalesce(g.gv, 0) as gv
  from members m left join own on own.id = m.id
  left join (select upline, sum(pv) as gv from above group by upline) g on g.upline = m.id
), standing as (
  select id, sponsor_id, pv >= 50 as active,
         case when not pv >= 100 then 0
              when not (pv >= 200 and gv >= 1000) then 1
              when not (pv >= 300 and gv >= 2500) then 2
              when not (pv >= 500 and gv >= 5000) then 3
              when not (pv >= 1000 and gv >= 10000) then 4 else 5 end as rank
  from volumes
), rates (rank, step, rate) as (
  select t.rank, r.step, r.rate from (values
    (1, array[0.05, 0.04, 0.03]),
    (2, array[0.05, 0.04, 0.03, 0.03]),
    (3, array[0.05, 0.05, 0.04, 0.03, 0.02]),
    (4, array[0.05, 0.05, 0.04, 0.03, 0.025, 0.02]),
    (5, array[0.05, 0.05, 0.04, 0.04, 0.03, 0.02, 0.02])) as t(rank, row)
  cross join unnest(t.row) with ordinality as r(rate, step)
), walk as (
  select l.id as line, l.cv, m.sponsor_id as person, 0 as used
  from lines l join members m on m.id = l.seller
  where l.order_class in {PERSONAL} and l.cv > 0 and m.sponsor_id is not null
  union all
  select w.line, w.cv, s.sponsor_id, w.used + (s.active and s.rank >= 1)::int
  from walk w join standing s on s.id = w.person
  where s.sponsor_id is not null and w.used + (s.active and s.rank >= 1)::int < 7
), ever as (
  select s.distributor_id as id, max(s.rank_level) as rank
  from commissions_standing s join commissions_commissionrun r on r.id = s.run_id
  join commissions_commissionperiod p on p.id = r.period_id
  where p.starts_on < %(starts_on)s and p.status = 'finalized' group by 1
), flat (rank, amount) as (values (1, 10), (2, 15), (3, 25), (4, 40), (5, 90))
select 'unilevel', coalesce(sum(pg_temp.cents(w.cv * r.rate)), 0)
from walk w join standing s on s.id = w.person and s.active and s.rank >= 1
join rates r on r.rank = s.rank and r.step = w.used + 1
union all
select 'retail', coalesce(sum(margin), 0) from lines
where margin > 0 and order_class in ('retail', 'preferred')
union all
select 'rank', coalesce(sum(f.amount), 0) from standing s
left join ever e on e.id = s.id
join flat f on f.rank <= s.rank and f.rank > coalesce(e.rank, 0)
"""

PAYMENT = """
select coalesce(sum(pg_temp.cents(s.cv / 100.0 * 0.02)), 0)
from commerce_volumeentry s join genealogy_distributor d on d.id = s.distributor_id
where s.kind = 'sale' and s.counts_on between %(starts_on)s and %(ends_on)s
  and (s.order_class in ('retail', 'preferred')
    or (s.order_class in ('self_consumption', 'autoship') and d.enroller_id is not null))
"""

TAKEN_BACK = """
with returned as (
  select r.reverses_id as sale, q.starts_on as sale_from, q.ends_on as sale_until, i.quantity,
         sum(ri.quantity) filter (where r.counts_on <= q.ends_on) as own,
         sum(ri.quantity) filter (where r.counts_on < %(starts_on)s) as before,
         sum(ri.quantity) as until
  from commerce_volumeentry r
  join commerce_refunditem ri on ri.id = r.refund_item_id
  join commerce_volumeentry s on s.id = r.reverses_id
  join commerce_orderitem i on i.id = s.order_item_id
  join commissions_commissionperiod q on s.counts_on between q.starts_on and q.ends_on
  where r.kind = 'refund' and r.counts_on <= %(ends_on)s
  group by r.reverses_id, q.starts_on, q.ends_on, i.quantity
), shares as (
  select b.code, l.amount / 100.0 as amount, run.kind,
         case run.kind when 'payment' then t.quantity else t.quantity - coalesce(t.own, 0) end
           as quantity,
         coalesce(t.before, 0) - case when run.kind = 'close' then
           least(coalesce(t.own, 0), coalesce(t.before, 0)) else 0 end as before,
         t.until - case when run.kind = 'close' then coalesce(t.own, 0) else 0 end as until
  from returned t
  join commissions_ledgerentry l on l.volume_entry_id = t.sale and l.reverses_id is null
  join commissions_commissionrun run on run.id = l.run_id
  join commissions_bonus b on b.id = l.bonus_id
  where run.kind = 'payment' or t.sale_until < %(starts_on)s
)
select code, sum(pg_temp.cents(amount * before / quantity)
                 - pg_temp.cents(amount * until / quantity))
from shares where quantity > 0 group by code
"""


def expected(period: CommissionPeriod) -> dict[str, Decimal]:
    """What each bonus of the demo plan comes to in a finalized period, reversals deducted."""
    days = {
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "cutoff_at": period.cutoff_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(HALF_EVEN)
        cursor.execute(CLOSE, days)
        sums = dict(cursor.fetchall())
        cursor.execute(PAYMENT, days)
        sums["partner"] = cursor.fetchone()[0]
        cursor.execute(TAKEN_BACK, days)
        for code, amount in cursor.fetchall():
            sums[code] += amount
    return {code: Decimal(amount).quantize(Decimal("0.01")) for code, amount in sums.items()}


def recorded(period: CommissionPeriod) -> dict[str, Decimal]:
    """What the ledger holds for the period, by bonus."""
    with connection.cursor() as cursor:
        cursor.execute(
            """select b.code, coalesce(sum(l.amount), 0) / 100.0 from commissions_bonus b
               left join commissions_ledgerentry l on l.bonus_id = b.id and l.run_id in (
                 select id from commissions_commissionrun where period_id = %s)
               group by b.code""",
            [period.pk],
        )
        return {code: Decimal(amount).quantize(Decimal("0.01")) for code, amount in cursor}

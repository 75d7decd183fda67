"""Does the ledger hold? Each check is one query that gives a sentence for each break it finds."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from commissions.models import CommissionPeriod, CommissionRun
from commissions.services.calculation import decimal_text, payments_of
from commissions.services.carried import state_hash, stored_state
from commissions.services.reward_rows import rewards_hash, stored_in


@dataclass(frozen=True)
class Check:
    """A rule over the books. `strict` ones also break while work is only late."""

    name: str
    query: str
    strict: bool = False


def find_breaks(*, strict: bool = False) -> Iterator[str]:
    """One line for each break, naming the rule and the row. Nothing when the books hold."""
    for check in CHECKS:
        if strict or not check.strict:
            with connection.cursor() as cursor:
                cursor.execute(check.query)
                yield from (f"{check.name}: {row[0]}" for row in cursor.fetchall())
    for period in CommissionPeriod.objects.filter(status="finalized").order_by("starts_on"):
        yield from certificate_breaks(period)


def certificate_breaks(period: CommissionPeriod) -> Iterator[str]:
    """The stored lines of a final period against its certificate."""
    proof = period.certificate or {}
    for kind, prefix in ((CommissionRun.Kind.CLOSE, ""), (CommissionRun.Kind.PAYMENT, "payment_")):
        run = period.runs.get(kind=kind, status=CommissionRun.Status.DONE)
        lines = payments_of(run)
        found = {"lines": lines.lines, "total": decimal_text(lines.total)}
        if kind == CommissionRun.Kind.PAYMENT:
            found["hash"] = lines.hash
        elif "state_hash" in proof:
            found["state_hash"] = state_hash(stored_state(run))
        if kind == CommissionRun.Kind.CLOSE and "rewards_hash" in proof:
            found["rewards_hash"] = rewards_hash(stored_in(run))
        for name, value in found.items():
            said = proof.get(prefix + name)
            if str(said) != str(value):
                yield f"certificate: {period.code} says {prefix}{name} {said}, the lines {value}"


CHECKS = [
    Check(
        "sum per currency",
        """select format('%s postings add up to %s hundredths', a.currency, sum(p.amount))
           from commissions_posting p join commissions_ledgeraccount a on a.id = p.account_id
           group by a.currency having sum(p.amount) <> 0""",
    ),
    Check(
        "entry balance",
        """select format('%s has %s legs that add up to %s hundredths', e.key, count(p.id),
                         coalesce(sum(p.amount), 0))
           from commissions_journalentry e
           left join commissions_posting p on p.entry_id = e.id
           left join commissions_ledgeraccount a on a.id = p.account_id
           group by e.id, e.key, a.currency having coalesce(sum(p.amount), 0) <> 0
             or count(p.id) = 0
           union all
           select format('%s has a single leg', e.key) from commissions_journalentry e
           where (select count(*) from commissions_posting p where p.entry_id = e.id) = 1""",
    ),
    Check(
        "account balance",
        """select format('%s of %s holds %s hundredths, its postings %s', a.kind,
                         coalesce(d.number, 'the company'), a.balance, coalesce(s.total, 0))
           from commissions_ledgeraccount a
           left join (select account_id, sum(amount) as total from commissions_posting group by 1) s
             on s.account_id = a.id
           left join genealogy_distributor d on d.id = a.distributor_id
           where a.kind in ('wallet', 'receivable') and a.balance <> coalesce(s.total, 0)""",
    ),
    Check(
        "wallet and debt signs",
        """select format('%s of %s is %s hundredths', a.kind, d.number, a.balance)
           from commissions_ledgeraccount a join genealogy_distributor d on d.id = a.distributor_id
           where (a.kind = 'wallet' and a.balance < 0) or (a.kind = 'receivable' and a.balance > 0)
        """,
    ),
    Check(
        "commissions are posted",
        """with lines as (
             select r.period_id, sum(l.amount) as total
             from (select run_id, sum(amount) as amount from commissions_ledgerentry group by 1) l
             join commissions_commissionrun r on r.id = l.run_id group by 1
           ), posted as (
             select split_part(e.key, ':', 2) as code, -sum(p.amount) as total
             from commissions_journalentry e
             join commissions_posting p on p.entry_id = e.id
             join commissions_ledgeraccount a on a.id = p.account_id
             where e.kind = 'commission' and a.kind = 'commission_expense' group by 1
           )
           select format('%s has lines of %s hundredths and postings of %s', p.code,
                         coalesce(l.total, 0), coalesce(w.total, 0))
           from commissions_commissionperiod p
           left join lines l on l.period_id = p.id left join posted w on w.code = p.code
           where coalesce(l.total, 0) <> coalesce(w.total, 0)""",
    ),
    Check(
        "line lineage",
        """select format('line %s points at a row that is not there', l.id)
           from commissions_ledgerentry l
           where not exists (select 1 from commissions_bonus b where b.id = l.bonus_id)
              or not exists (select 1 from genealogy_distributor d where d.id = l.distributor_id)
              or (l.source_distributor_id is not null and not exists (
                   select 1 from genealogy_distributor d where d.id = l.source_distributor_id))
              or (l.volume_entry_id is not null and not exists (
                   select 1 from commerce_volumeentry v where v.id = l.volume_entry_id))
              or not exists (select 1 from commissions_commissionrun r where r.id = l.run_id)
              or (l.reverses_id is not null and not exists (
                   select 1 from commissions_ledgerentry o where o.id = l.reverses_id
                   and o.distributor_id = l.distributor_id and o.bonus_id = l.bonus_id))""",
    ),
    Check(
        "line number",
        # An id holds its run, and alone it hashes like the same place in every other run.
        """select format('line %s is there %s times', id, count(*))
           from commissions_ledgerentry group by run_id, id having count(*) > 1""",
    ),
    Check(
        "reversal within what was earned",
        """select format('line %s of %s hundredths is undone by %s', o.id, o.amount, sum(r.amount))
           from commissions_ledgerentry r
           join commissions_ledgerentry o on o.id = r.reverses_id
           group by o.id, o.amount having abs(sum(r.amount)) > abs(o.amount)""",
    ),
    Check(
        "volume is claimed",
        """select format('entry %s is neither claimed nor waiting', v.id)
           from commerce_volumeentry v
           where not exists (
               select 1 from commissions_volumeclaim c where c.volume_entry_id = v.id)
             and not exists (
               select 1 from commissions_volumequeue q where q.volume_entry_id = v.id)
           union all
           select format('entry %s counts on %s, in %s, but was claimed for %s', v.id, v.counts_on,
                         coalesce(p.code, 'no period'), o.code)
           from commissions_volumeclaim c
           join commerce_volumeentry v on v.id = c.volume_entry_id
           join commissions_commissionrun r on r.id = c.run_id
           join commissions_commissionperiod o on o.id = r.period_id
           left join commissions_commissionperiod p on v.counts_on between p.starts_on and p.ends_on
           where p.id is distinct from o.id""",
    ),
    Check(
        "volume waits",
        """select format('entry %s counts on %s and is not claimed yet', v.id, v.counts_on)
           from commissions_volumequeue q join commerce_volumeentry v on v.id = q.volume_entry_id
           where v.created_at < now() - interval '60 seconds'""",
        strict=True,
    ),
    Check(
        "payouts in transit",
        """with posted as (
             select a.currency, sum(p.amount) as total from commissions_posting p
             join commissions_ledgeraccount a on a.id = p.account_id
             where a.kind = 'payouts_in_transit' group by 1
           ), under_way as (
             select currency, sum(amount * 100)::bigint as total from commissions_payout
             where status in ('requested', 'approved', 'processing') group by 1
           )
           select format('%s %s hundredths are in transit, payouts under way come to %s',
                         coalesce(p.currency, u.currency), coalesce(p.total, 0),
                         coalesce(u.total, 0))
           from posted p full join under_way u on u.currency = p.currency
           where coalesce(p.total, 0) <> coalesce(u.total, 0)""",
    ),
    Check(
        "payout postings",
        """select format('%s is %s but has the postings: %s', o.number, o.status,
                         coalesce(string_agg(e.kind, ', ' order by e.id), 'none'))
           from commissions_payout o
           left join commissions_journalentry e
             on split_part(e.key, ':', 1) = 'payout' and split_part(e.key, ':', 2)
                = o.request_key::text
           group by o.id, o.number, o.status
           having count(e.id) <> case o.status when 'returned' then 3
             when 'completed' then 2 when 'failed' then 2 when 'cancelled' then 2 else 1 end""",
    ),
    Check(
        "events are announced",
        """select format('event %s %s of %s was not announced', e.id, e.name, e.stream_id)
           from accounts_event e
           where e.poked_at is null and e.created_at < now() - interval '60 seconds'""",
        strict=True,
    ),
    Check(
        "runs come to an end",
        """select format('run %s of %s began %s and is not done', r.number, p.code, r.started_at)
           from commissions_commissionrun r join commissions_commissionperiod p
             on p.id = r.period_id
           where r.kind = 'close' and r.status = 'started'
             and r.started_at < now() - interval '1 hour'""",
        strict=True,
    ),
]

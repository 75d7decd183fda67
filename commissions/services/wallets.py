"""Commissions as money: from the company's expense to the wallets, in set-based statements.

Somebody who earned gets it into the wallet, after paying off what he owes. Somebody who has to
give back (a reversed commission) gives what the wallet holds; the rest becomes a debt, a receivable
below zero, that his next earnings pay first.
"""

from typing import Any

from django.db import connection

from accounts.models import User
from commissions.models import JournalEntry, LedgerAccount
from commissions.services.journal import get_account, take_key


def post_commissions(
    *,
    key: str,
    request_hash: str,
    kind: str,
    memo: str,
    owed: str,
    params: dict[str, Any],
    currency: str,
    actor: User | None,
) -> JournalEntry:
    """Post what a query says each distributor is owed, columns distributor_id and amount.

    Amounts are hundredths, below zero where something is taken back, one row a distributor. The
    same key again does nothing. Needs a transaction; the wallets are locked in one order.
    """
    entry, is_new = take_key(key=key, request_hash=request_hash, kind=kind, memo=memo, actor=actor)
    if is_new:
        expense = get_account(LedgerAccount.Kind.COMMISSION_EXPENSE, currency=currency)
        values = params | {"currency": currency, "entry": entry.pk, "expense": expense.pk}
        with connection.cursor() as cursor:
            for statement in (_MAKE_WALLETS, _LOCK, _MAKE_RECEIVABLES, _POST):
                cursor.execute(f"with owed as ({owed}) {statement}", values)
    return entry


_MAKE_WALLETS = """
insert into commissions_ledgeraccount (kind, distributor_id, currency, balance)
select 'wallet', o.distributor_id, %(currency)s, 0 from owed o
where o.amount <> 0 and not exists (
  select 1 from commissions_ledgeraccount a where a.kind = 'wallet'
  and a.distributor_id = o.distributor_id and a.currency = %(currency)s)
order by o.distributor_id
on conflict (kind, distributor_id, currency) do nothing
"""
_LOCK = """
select count(*) from (
  select a.id from commissions_ledgeraccount a
  where a.kind in ('wallet', 'receivable') and a.currency = %(currency)s
    and a.distributor_id in (select distributor_id from owed)
  order by a.id for no key update) locked
"""
_MAKE_RECEIVABLES = """
insert into commissions_ledgeraccount (kind, distributor_id, currency, balance)
select 'receivable', o.distributor_id, %(currency)s, 0
from owed o join commissions_ledgeraccount w on w.distributor_id = o.distributor_id
  and w.kind = 'wallet' and w.currency = %(currency)s
where w.balance + o.amount < 0
order by o.distributor_id
on conflict (kind, distributor_id, currency) do nothing
"""
_POST = """
, accounts as (
  select o.amount, w.id as wallet_id, w.balance, r.id as receivable_id,
         coalesce(-r.balance, 0) as debt
  from owed o
  join commissions_ledgeraccount w on w.distributor_id = o.distributor_id
    and w.kind = 'wallet' and w.currency = %(currency)s
  left join commissions_ledgeraccount r on r.distributor_id = o.distributor_id
    and r.kind = 'receivable' and r.currency = %(currency)s
  where o.amount <> 0
), split as (
  select wallet_id, receivable_id, amount,
         case when amount > 0 then amount - least(amount, debt)
              else greatest(amount, -balance) end as to_wallet
  from accounts
)
insert into commissions_posting (entry_id, account_id, amount)
select %(entry)s, wallet_id, to_wallet from split where to_wallet <> 0
union all
select %(entry)s, receivable_id, amount - to_wallet from split where amount <> to_wallet
union all
select %(entry)s, %(expense)s, -sum(amount) from owed having sum(amount) <> 0
"""

"""What the plan asks of payouts: how much at least, how long after the period, of whom.

A wallet of 150.00 of which 100.00 came by the close of July, by a plan that asks for thirty days:

    until 29 August    50.00 can be paid out, 100.00 is held
    from 30 August     150.00

What is taken back lessens at once what can be paid out: after a refund of 30.00 it is 20.00, and
120.00 from 30 August on. Minimum and condition are those of the plan in force today; the days are
those of the plan that the period was paid by.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from commissions.engine import Plan
from commissions.engine.prose import words
from commissions.models import LedgerAccount, Payout, Standing
from commissions.retold import alone
from commissions.services.plan_reading import loaded
from commissions.services.plans import version_for
from commissions.services.projections import current_period, last_final_run
from genealogy.models import Distributor
from mlmcrm.money import ZERO, format_money


@dataclass(frozen=True)
class Held:
    """A part of a wallet, and the first day on which it can be paid out."""

    amount: Decimal
    free_on: date


@dataclass(frozen=True)
class Wallet:
    """What a wallet holds, how much of it can be paid out today, and what later, soonest first."""

    balance: Decimal
    free: Decimal
    held: tuple[Held, ...]
    currency: str

    def __str__(self) -> str:
        """£150.00, of which £50.00 can be paid out today and £100.00 from 30 Aug 2026"""
        total = format_money(self.balance, self.currency)
        if not self.held:
            return total
        parts = [f"{format_money(self.free, self.currency)} can be paid out today"]
        for part in self.held:
            amount = format_money(part.amount, self.currency)
            parts.append(f"{amount} from {part.free_on:%-d %b %Y}")
        return f"{total}, of which {words.listed(parts)}"


def wallet_of(distributor: Distributor) -> Wallet:
    """The wallet as it is now, by one statement."""
    currency, today = settings.COMPANY_CURRENCY, timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute(_WALLET, [today, distributor.pk, currency])
        rows = cursor.fetchall()
    balance = rest = _hundredths(rows[0][0]) if rows else ZERO
    held: list[Held] = []
    # What was taken back came out of what is free, then out of what would have been free soonest.
    for _, free_on, credited in rows:
        amount = min(rest, _hundredths(credited or 0))
        rest -= amount
        if amount:
            held.insert(0, Held(amount, free_on))
    return Wallet(balance=balance, free=rest, held=tuple(held), currency=currency)


def _hundredths(amount: int | Decimal) -> Decimal:
    return Decimal(amount).scaleb(-2)


# The keys are those under which a close and the claims of a period post to the wallets. Read from
# the one wallet's postings, whatever the planner thinks of the journal; not at all where no period
# is held.
_WALLET = """
with planned as (
  select p.code, p.ends_on, (v.definition #>> '{payout,hold_days}')::int as days
  from commissions_commissionperiod p
  join commissions_planversion v on v.id = p.plan_version_id
), period as (
  select code, ends_on + days as free_on from planned
  where days > 0 and ends_on + days > %s
)
select w.balance, held.free_on, held.amount
from commissions_ledgeraccount w
left join lateral (
  with credit as materialized (
    select e.key, c.amount
    from commissions_posting c
    join commissions_journalentry e on e.id = c.entry_id and e.kind = 'commission'
    where c.account_id = w.id and c.amount > 0 and exists (select 1 from period)
  )
  select period.free_on, sum(credit.amount) as amount
  from credit
  join period on credit.key = 'finalize:' || period.code
    or starts_with(credit.key, 'payment:' || period.code || ':')
  group by period.free_on
) held on true
where w.kind = 'wallet' and w.distributor_id = %s and w.currency = %s
order by held.free_on desc
"""


def lock_wallet(distributor: Distributor) -> None:
    """Keep others from the wallet to the end of the transaction; a wallet not yet made is empty."""
    wallets = LedgerAccount.objects.filter(
        kind=LedgerAccount.Kind.WALLET, distributor=distributor, currency=settings.COMPANY_CURRENCY
    )
    wallets.select_for_update(no_key=True).first()


@dataclass(frozen=True)
class PayoutRules:
    """The least that is paid out, whether the plan says so, and the plan in force, if any."""

    minimum: Decimal
    is_by_plan: bool
    plan: Plan | None

    @property
    def floor(self) -> str:
        """£50.00 by the plan"""
        amount = format_money(self.minimum, settings.COMPANY_CURRENCY)
        return f"{amount} by the plan" if self.is_by_plan else amount


def rules_in_force() -> PayoutRules:
    """The larger of the company's own minimum and that of the plan of the period under way."""
    period, own = current_period(), settings.MIN_PAYOUT_AMOUNT
    fixed = period.plan_version if period else None
    version = fixed or version_for(period.starts_on if period else timezone.localdate())
    plan = loaded(version) if version else None
    asked = _hundredths(plan.payout.minimum) if plan else ZERO
    return PayoutRules(max(own, asked), asked > own, plan)


@dataclass(frozen=True)
class Release:
    """The plan's condition of a payout, and who meets it by the newest final period.

    `met` says so for those who have figures in it; who has none does not meet any condition.
    """

    asked: str
    period: str
    met: dict[int, bool]

    def lets(self, distributor: int) -> bool:
        return self.met.get(distributor, False)

    def text(self, distributor: int, who: str = "you") -> str:
        asked = f"The plan opens payouts to who {self.asked}."
        if distributor not in self.met:
            return f"{asked} The newest final period has no figures of {who}."
        verb = "met" if self.met[distributor] else "did not meet"
        return f"{asked} In {self.period}, the newest final period, {who} {verb} this."


def release_of(plan: Plan | None, distributors: Collection[int]) -> Release | None:
    """Hold the plan's condition against stored standings; None where the plan asks nothing."""
    if plan is None or plan.payout.when is None:
        return None
    asked, run = words.condition(plan.payout.when, plan), last_final_run()
    if run is None:
        return Release(asked, "", {})
    rows = Standing.objects.filter(run=run.pk, distributor__in=distributors)
    standings = list(rows.select_related("distributor").order_by("distributor_id"))
    meets = alone(standings, run.period, plan).meets(plan.payout.when).tolist()
    owners = [standing.distributor_id for standing in standings]
    return Release(asked, run.period.name, dict(zip(owners, meets, strict=True)))


def plan_obstacles(payouts: Collection[Payout]) -> dict[int, str]:
    """Why the plan keeps payouts back now, by their ids; who may be paid is not in it.

    As many statements for one as for many. Their money left the wallets when it was free, so the
    days are not asked again.
    """
    rules = rules_in_force()
    release = release_of(rules.plan, {payout.distributor_id for payout in payouts})
    found = {}
    for payout in payouts:
        if rules.is_by_plan and payout.amount < rules.minimum:
            found[payout.pk] = f"The smallest payout is {rules.floor}."
        elif release and not release.lets(payout.distributor_id):
            found[payout.pk] = release.text(payout.distributor_id, "the distributor")
    return found

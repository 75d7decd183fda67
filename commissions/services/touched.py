"""What a distributor has in the commissions: all that ending the contract touches.

    Estimated for November 2026      42.10
    October 2026, calculated         18.00      not final yet
    Wallet                          120.00      of which 100.00 is held
    Payouts under way                50.00
    Car bonus, instalments to come  600.00

Nothing is decided here, and parts that are nothing are left out.
"""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
from django.db import connection
from django.db.models import Sum

from commissions.estimate import estimate_close
from commissions.models import CommissionPeriod, CommissionRun, LedgerAccount, Payout
from commissions.needs import hundredths
from commissions.services import carried
from commissions.services.arrays import Lookup
from commissions.services.payout_rules import wallet_of
from commissions.services.projections import last_final_run
from commissions.standing import period_under_way, plan_in_force, plan_of
from genealogy.models import Distributor
from genealogy.services.effects import Touched

UNDER_WAY = ("requested", "approved", "processing")
CALCULATED = (CommissionPeriod.Status.CALCULATED, CommissionPeriod.Status.APPROVED)
WAITS = {
    "due": "instalments to come",
    "held": "held until the conditions are met",
    "limit": "held until there is room below the limit",
}
"""What bonuses and limits carry on for somebody, by the beginning of its name in the state."""


def touched_of(distributor: Distributor) -> list[Touched]:
    """Label, amount and currency of each part; only reads."""
    parts = (estimated, calculated, wallet, owed, payouts, waiting)
    return [each for part in parts for each in part(distributor) if each.amount]


def estimated(distributor: Distributor) -> Iterator[Touched]:
    """What the period under way would bring at its close."""
    period = period_under_way()
    version = plan_in_force(period)
    if period is None or version is None:
        return
    expected = estimate_close(distributor, period, plan_of(version))
    if expected is not None:
        yield Touched(f"Estimated for {period.name}", expected.total, period.currency)


def calculated(distributor: Distributor) -> Iterator[Touched]:
    """What closes came to that are not final: it stands in their own tables only."""
    runs = CommissionRun.objects.filter(
        kind=CommissionRun.Kind.CLOSE,
        status=CommissionRun.Status.DONE,
        period__status__in=CALCULATED,
    )
    for run in runs.select_related("period").order_by("period__starts_on"):
        with connection.cursor() as cursor:
            cursor.execute(
                f"select coalesce(sum(amount), 0) from {run.ledger_table} "
                "where distributor_id = %s",
                [distributor.pk],
            )
            (amount,) = cursor.fetchone()
        label = f"{run.period.name}, calculated and not final"
        yield Touched(label, hundredths(amount), run.period.currency)


def wallet(distributor: Distributor) -> Iterator[Touched]:
    """The balance, and what of it is held by the plan's days."""
    found = wallet_of(distributor)
    yield Touched("Wallet", found.balance, found.currency)
    for held in found.held:
        label = f"Of the wallet, held until {held.free_on:%-d %b %Y}"
        yield Touched(label, held.amount, found.currency)


def owed(distributor: Distributor) -> Iterator[Touched]:
    """What was taken back and the wallet could not give: below zero."""
    debts = LedgerAccount.objects.filter(
        kind=LedgerAccount.Kind.RECEIVABLE, distributor=distributor
    )
    for debt in debts.order_by("currency"):
        yield Touched("Owed to the company", debt.balance, debt.currency)


def payouts(distributor: Distributor) -> Iterator[Touched]:
    """Payouts that were asked for and have not arrived."""
    rows = Payout.objects.filter(distributor=distributor, status__in=UNDER_WAY)
    for row in rows.values("currency").annotate(amount=Sum("amount")).order_by("currency"):
        yield Touched("Payouts under way", row["amount"], row["currency"])


def waiting(distributor: Distributor) -> Iterator[Touched]:
    """Instalments of bonuses, and what they hold back, as the newest final period carried it on."""
    run = last_final_run()
    if run is None:
        return
    state = carried.read_state(run.pk, Lookup(np.array([distributor.pk], np.int64)))
    names = dict(run.period.frozen_plan.bonuses.values_list("code", "name"))
    sums: dict[tuple[str, str], Decimal] = {}
    for key, figures in sorted(state.items()):
        kind, _, rest = key.partition(".")
        if kind in WAITS:
            part = (kind, rest.partition(".")[0])
            sums[part] = sums.get(part, Decimal(0)) + hundredths(int(figures[0]))
    for (kind, code), amount in sums.items():
        label = f"{names.get(code, code)}, {WAITS[kind]}"
        yield Touched(label, amount, run.period.currency)

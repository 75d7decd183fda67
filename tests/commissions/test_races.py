from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from threading import Barrier
from time import monotonic, sleep

import pytest
from django.db import connection

from commissions.models import CommissionRun, JournalEntry, LedgerEntry
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import PeriodRefused
from commissions.services.periods import close_period
from commissions.services.runs import calculate, start_run
from commissions.services.verification import find_breaks
from tests.cast import at, gather
from tests.commissions.steps import balance, the_period

pytestmark = pytest.mark.django_db(transaction=True)

RACERS = 4


@pytest.fixture
def company(transactional_db):
    cast = gather()
    assert cast.plan
    return cast


def race(deed):
    """The same deed from several connections at one moment; what each gave, errors as values."""
    ready = Barrier(RACERS)

    def racer(_):
        ready.wait()
        try:
            return deed()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(racer, range(RACERS)))


def wait_until_done(run):
    """A worker that another test left running may be the one who calculates."""
    until = monotonic() + 20
    while run.status == "started" and monotonic() < until:
        sleep(0.05)
        run.refresh_from_db()
    assert run.status == "done", run.error


def test_racing_claimers_pay_once(company):
    for _ in range(6):
        company.buys(company.rosa, 3)

    taken = race(claim_volume)

    assert sum(taken) <= 6
    assert LedgerEntry.objects.count() == 6
    assert balance(company, "chloe") == Decimal("7.20")
    assert list(find_breaks()) == []


def test_racing_closers_close_once(company):
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()

    results = race(lambda: close_period(period=the_period("2026-10"), actor=company.user("fiona")))

    assert sum(isinstance(result, PeriodRefused) for result in results) == RACERS - 1
    assert the_period("2026-10").status == "closed"


def test_racing_workers_calculate_once_and_finalize_once(company):
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("chloe", 6, at("2026-10-06"))
    claim_volume()
    period = close_period(period=the_period("2026-10"), actor=company.user("fiona"))
    run = start_run(period=period, actor=company.user("fiona"))

    done = race(lambda: calculate(run.pk))
    wait_until_done(run)
    approve_period(period=the_period("2026-10"), actor=company.user("felix"))
    final = race(lambda: finalize_period(period=period, actor=company.user("felix")))

    assert sum(isinstance(result, CommissionRun) for result in done) <= 1
    assert [result.status for result in final] == ["finalized"] * RACERS
    assert JournalEntry.objects.filter(key="finalize:2026-10").count() == 1
    assert list(find_breaks()) == []


def test_orders_are_paid_while_a_period_closes(company):
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()
    rosa = company.rosa

    def sell_or_close():
        with suppress(PeriodRefused):
            close_period(period=the_period("2026-10"), actor=company.user("fiona"))
        return company.buys(rosa, 1, at("2026-10-31"))

    orders = race(sell_or_close)
    claim_volume()

    assert [order.paid_at for order in orders] == [at("2026-10-31")] * RACERS
    days = LedgerEntry.objects.exclude(volume_entry__order_item__order__customer__kind="self")
    assert {f"{line.volume_entry.counts_on}" for line in days} == {"2026-11-01"}
    assert list(find_breaks()) == []


def test_one_order_is_settled_quickly(company):
    company.buys(company.rosa, 1)
    claim_volume()
    taken = []
    for _ in range(20):
        company.buys(company.rosa, 1)
        since = monotonic()
        claim_volume()
        taken.append(monotonic() - since)

    assert sorted(taken)[len(taken) // 2] < 0.25

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, Event
from commerce.models import VolumeCutoff, VolumeEntry
from commissions.models import (
    CommissionPeriod,
    CommissionRun,
    JournalEntry,
    LedgerAccount,
    LedgerEntry,
    Standing,
    VolumeClaim,
)
from commissions.services import projections
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.opening import PeriodRefused
from commissions.services.periods import close_period
from commissions.services.replay import replay
from commissions.services.runs import calculate, start_run
from tests.cast import Cast, at

pytestmark = pytest.mark.django_db


def close(cast: Cast, code: str) -> CommissionPeriod:
    """Take a period the whole way: Fiona closes, Felix approves."""
    period = CommissionPeriod.objects.get(code=code)
    close_period(period=period, actor=cast.user("fiona"))
    run = start_run(period=period, actor=cast.user("fiona"))
    calculate(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.error
    approve_period(period=period, actor=cast.user("felix"))
    return finalize_period(period=period, actor=cast.user("felix"))


def wallet(company: Cast, name: str) -> Decimal:
    account = LedgerAccount.objects.filter(distributor=getattr(cast, name), kind="wallet").first()
    return account.balance if account else Decimal("0.00")


def test_a_month_is_closed_and_paid(company: Cast) -> None:
    company.buys("ben", 5, at("2026-10-05"))
    company.buys("chloe", 6, at("2026-10-06"))
    company.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()

    period = close(company, "2026-10")

    assert period.status == "finalized"
    assert [proof for proof in replay(period) if not proof.holds] == []
    assert projections.differences() == []

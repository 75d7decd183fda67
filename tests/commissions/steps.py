"""Steps that the tests of the close share."""

from decimal import Decimal

from commissions.models import CommissionPeriod, CommissionRun, LedgerAccount
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.periods import close_period
from commissions.services.runs import calculate, start_run
from tests.cast import Cast


def the_period(code: str) -> CommissionPeriod:
    return CommissionPeriod.objects.get(code=code)


def calculated(cast: Cast, code: str) -> CommissionRun:
    """Fiona closes the period and has it calculated."""
    period = the_period(code)
    close_period(period=period, actor=cast.user("fiona"))
    run = start_run(period=period, actor=cast.user("fiona"))
    calculate(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.error
    return run


def closed(cast: Cast, code: str) -> CommissionPeriod:
    """The whole way: Fiona closes and calculates, Felix approves and finalizes."""
    calculated(cast, code)
    approve_period(period=the_period(code), actor=cast.user("felix"))
    return finalize_period(period=the_period(code), actor=cast.user("felix"))


def balance(cast: Cast, name: str, kind: str = "wallet") -> Decimal:
    account = LedgerAccount.objects.filter(distributor=getattr(cast, name), kind=kind).first()
    return account.balance if account else Decimal("0.00")

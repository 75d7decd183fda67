"""A company whose plan asks something of payouts, and October closed by it.

October: Ben 100 PV, Chloe 120, Dmitri 200, nothing of Asha and Stella. It pays Asha 2.00,
Ben 26.40, Chloe 24.00 and Dmitri 10.00.
"""

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from commissions.services.claims import claim_volume
from commissions.services.payout_methods import add_payout_method
from commissions.services.payouts import PayoutRefused
from commissions.services.wallets import post_commissions
from tests.cast import at
from tests.commissions.plans import demo, pay_by
from tests.commissions.steps import closed
from tests.payouts.company import ask, bank

ACTIVE = {"is": "active"}
SILVER = {"is": "rank", "ladder": "rank", "rank": "silver", "which": "paid_as"}
OWN_PURCHASE = {"is": "at_least", "metric": "pv", "figure": "120.00"}


def plan_asking(minimum="0.00", when=None, hold_days=0):
    return demo() | {"payout": {"minimum": minimum, "when": when, "hold_days": hold_days}}


def sell_and_close(cast):
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    claim_volume()
    closed(cast, "2026-10")


def october(cast, **asked):
    """October is final by a plan that asks this; everybody is verified and has an account."""
    pay_by(cast, plan_asking(**asked))
    sell_and_close(cast)
    verify(cast)
    return cast


def verify(cast):
    User.objects.update(kyc_status="verified", kyc_verified_at=at("2026-10-31"))
    for distributor in cast.distributors.values():
        distributor.refresh_from_db()
        with time_machine.travel(at("2026-10-31"), tick=False):
            details = bank(distributor.number, distributor.display_name)
            add_payout_method(distributor=distributor, details=details, actor=distributor.user)


def on(day):
    return time_machine.travel(at(day), tick=False)


def take_back(distributor, cents, key="payment:2026-11:1"):
    """What a refund takes, as the books post it."""
    post_commissions(
        key=key,
        request_hash=key,
        kind="commission",
        memo="Refund",
        owed="select %(owner)s::bigint as distributor_id, %(cents)s::bigint as amount",
        params={"owner": distributor.pk, "cents": -cents},
        currency="GBP",
        actor=None,
    )


def refusal_of(distributor, amount):
    with pytest.raises(PayoutRefused) as refusal:
        ask(distributor, amount)
    return str(refusal.value)


def signed_in(user):
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    return client

"""The least that a plan pays out, and the days after the period; plan_steps.py has the figures."""

import uuid
from datetime import date
from decimal import Decimal

import pytest

from commissions.engine.payout import due_on
from commissions.models import CommissionPeriod
from commissions.services import payouts
from commissions.services.claims import claim_volume
from commissions.services.facts import day_number
from commissions.services.payout_rules import Held, wallet_of
from commissions.services.plan_reading import loaded
from tests.cast import at
from tests.commissions.plans import pay_by
from tests.commissions.steps import closed
from tests.payouts.company import ask, balance, check_ledger, pay_in
from tests.payouts.plan_steps import (
    october,
    on,
    plan_asking,
    refusal_of,
    sell_and_close,
    signed_in,
    take_back,
)
from tests.portal.conftest import text_of

pytestmark = pytest.mark.django_db


# The least


def test_the_larger_minimum_holds_and_says_whose_it_is(cast):
    october(cast, minimum="50.00")
    pay_in(cast.ben, Decimal("100.00"))

    with on("2026-11-10"):
        assert refusal_of(cast.ben, "49.99") == "The smallest payout is £50.00 by the plan."
        page = signed_in(cast.ben.user)
        assert "Smallest payout £50.00 By the plan" in text_of(page.get("/payouts/"))
        form = text_of(page.get("/payouts/new/"))
        assert "From £50.00 by the plan up to £126.40." in form
        assert ask(cast.ben, "50.00").amount == 50


def test_a_plan_that_asks_for_less_leaves_the_companys_own_minimum(cast):
    october(cast, minimum="5.00")

    with on("2026-11-10"):
        assert refusal_of(cast.ben, "9.99") == "The smallest payout is £10.00."
        assert ask(cast.ben, "10.00").amount == 10


def test_what_is_below_the_minimum_is_carried_until_it_is_reached(cast):
    october(cast, minimum="50.00")

    with on("2026-11-10"):
        assert refusal_of(cast.ben, "26.40") == (
            "Enough in the wallet: Your wallet holds £26.40; the smallest payout is £50.00 by the "
            "plan."
        )
        pay_in(cast.ben, Decimal("23.60"))
        assert ask(cast.ben, "50.00").amount == 50


# The days after the period


def test_what_a_period_earned_is_held_for_the_days_of_its_plan(cast):
    october(cast, hold_days=30)
    pay_in(cast.ben, Decimal("50.00"))
    period = CommissionPeriod.objects.get(code="2026-10")
    day = due_on(loaded(period.frozen_plan), day_number(period.ends_on))

    assert day == day_number(date(2026, 11, 30))
    with on("2026-11-29"):
        wallet = wallet_of(cast.ben)
        assert (wallet.balance, wallet.free) == (Decimal("76.40"), Decimal("50.00"))
        assert wallet.held == (Held(Decimal("26.40"), date(2026, 11, 30)),)
        assert refusal_of(cast.ben, "50.01") == (
            "Your wallet holds £76.40, of which £50.00 can be paid out today and £26.40 from "
            "30 Nov 2026; ask for £50.00 at most."
        )
    with on("2026-11-30"):
        assert wallet_of(cast.ben).free == Decimal("76.40")
        ask(cast.ben, "76.40")
    check_ledger()


def test_what_is_held_stands_on_the_pages_with_its_day(cast):
    october(cast, hold_days=30)
    pay_in(cast.ben, Decimal("50.00"))

    with on("2026-11-10"):
        page, waits = signed_in(cast.ben.user), "From 30 Nov 2026 £26.40"
        assert waits in text_of(page.get("/payouts/"))
        form = text_of(page.get("/payouts/new/"))
        assert waits in form
        assert "From £10.00 up to £50.00." in form
        assert "£50.00 of it ready for a payout" in text_of(page.get("/"))
        desk = f"/admin/commissions/payout/{ask(cast.ben, '20.00').number}/desk/"
        assert waits in text_of(signed_in(cast.user("fiona")).get(desk))


def test_a_refund_lessens_at_once_what_is_free_and_never_later(cast):
    october(cast, hold_days=30)
    pay_in(cast.ben, Decimal("50.00"))

    take_back(cast.ben, 3000)

    with on("2026-11-10"):
        assert wallet_of(cast.ben).free == Decimal("20.00")
        ask(cast.ben, "20.00")
    with on("2026-11-30"):
        assert wallet_of(cast.ben).free == Decimal("26.40")


def test_a_refund_of_more_than_is_free_takes_what_would_be_free_soonest(cast):
    october(cast, hold_days=30)
    cast.buys("ben", 5, at("2026-11-05"))
    cast.buys("chloe", 6, at("2026-11-06"))
    claim_volume()
    closed(cast, "2026-11")
    october_part, november_part = Decimal("26.40"), balance("wallet", cast.ben) - Decimal("26.40")

    take_back(cast.ben, 640, key="payment:2026-12:1")

    with on("2026-11-20"):
        assert wallet_of(cast.ben).free == 0
        assert wallet_of(cast.ben).held == (
            Held(october_part - Decimal("6.40"), date(2026, 11, 30)),
            Held(november_part, date(2026, 12, 30)),
        )
    take_back(cast.ben, 2200, key="payment:2026-12:2")
    with on("2026-11-30"):
        left = Held(november_part - 2, date(2026, 12, 30))
        assert (wallet_of(cast.ben).free, wallet_of(cast.ben).held) == (0, (left,))


def test_a_debt_is_paid_before_anything_is_held(cast):
    pay_by(cast, plan_asking(hold_days=30))
    take_back(cast.ben, 640, key="payment:2026-09:1")

    sell_and_close(cast)

    with on("2026-11-10"):
        assert wallet_of(cast.ben).held == (Held(Decimal("20.00"), date(2026, 11, 30)),)


def test_what_was_given_back_is_free_again_and_what_is_asked_twice_is_one(cast):
    october(cast, hold_days=30)
    pay_in(cast.ben, Decimal("50.00"))

    with on("2026-11-10"):
        key = uuid.uuid4()
        payout = ask(cast.ben, "50.00", key)
        assert ask(cast.ben, "50.00", key) == payout
        assert wallet_of(cast.ben).free == 0
        payouts.cancel_payout(payout=payout, actor=cast.ben.user)
        assert wallet_of(cast.ben).free == 50


def test_no_days_hold_nothing_back_of_what_was_earned_at_payment(cast):
    pay_by(cast, plan_asking())
    cast.buys("chloe", 30, at("2026-11-06"))
    claim_volume()

    with on("2026-11-10"):
        assert wallet_of(cast.ben).free == Decimal("12.00")


def test_days_hold_what_was_earned_at_payment_as_well(cast):
    pay_by(cast, plan_asking(hold_days=14))
    cast.buys("chloe", 30, at("2026-11-06"))
    claim_volume()

    with on("2026-12-13"):
        assert wallet_of(cast.ben).held == (Held(Decimal("12.00"), date(2026, 12, 14)),)
    with on("2026-12-14"):
        assert wallet_of(cast.ben).held == ()

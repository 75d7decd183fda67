"""What is paid out never comes to more than the plan has freed, in any order and under races."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commissions.services import runs
from commissions.services.opening import month_of, open_days
from commissions.services.payout_rules import wallet_of
from commissions.services.payouts import PayoutRefused
from tests.commissions.plans import pay_by
from tests.payouts.company import ask, balance, check_ledger, pay_in
from tests.payouts.plan_steps import october, on, plan_asking, take_back, verify
from tests.payouts.test_races import race, won

HOLD = 30
FIRST_DAY = date(2027, 1, 1)
MONTHS = [date(2027, month, 1) for month in (1, 2, 3)]


@pytest.mark.django_db(transaction=True)
def test_eight_requests_cannot_get_at_what_is_held(cast, monkeypatch):
    # A worker that another test left running is not to be told of the close.
    monkeypatch.setattr(runs, "send", lambda run_id: None)
    october(cast, hold_days=HOLD)
    pay_in(cast.ben, Decimal("50.00"))

    with on("2026-11-10"):
        results = race(lambda number: ask(cast.ben, "20.00"))

    assert len(won(results)) == 2
    assert balance("wallet", cast.ben) == Decimal("36.40")
    assert balance("payouts_in_transit") == Decimal("40.00")
    check_ledger()


class Books:
    """Ben's wallet in cents, kept a second time by hand."""

    def __init__(self, ben):
        self.ben, self.today, self.entries = ben, FIRST_DAY, 0
        self.credits: list[tuple[date, int]] = []
        self.balance = self.debt = self.taken = self.paid = 0

    def freed(self):
        return sum(cents for free_on, cents in self.credits if free_on <= self.today)

    def free(self):
        held = sum(cents for free_on, cents in self.credits if free_on > self.today)
        return max(0, self.balance - held)

    def days_pass(self, days):
        self.today += timedelta(days=days)

    def earn(self, month, cents):
        self.entries += 1
        key = f"payment:{month:%Y-%m}:{self.entries}"
        take_back(self.ben, -cents, key=key)
        owed = min(self.debt, cents)
        self.debt -= owed
        self.balance += cents - owed
        self.credits.append((month_of(month).ends_on + timedelta(days=HOLD), cents - owed))

    def refund(self, cents):
        self.entries += 1
        take_back(self.ben, cents, key=f"payment:2027-03:{self.entries}")
        taken = min(self.balance, cents)
        self.taken += taken
        self.balance -= taken
        self.debt += cents - taken

    def ask(self, cents):
        allowed = 1000 <= cents <= self.free()
        try:
            ask(self.ben, str(Decimal(cents).scaleb(-2)))
        except PayoutRefused:
            assert not allowed
            return
        assert allowed
        self.balance -= cents
        self.paid += cents
        assert self.paid + self.taken <= self.freed()

    def ask_all(self, less):
        self.ask(self.free() - less)


CENTS = st.integers(1, 20_000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(Books.earn), st.sampled_from(MONTHS), CENTS),
        st.tuples(st.just(Books.refund), CENTS),
        st.tuples(st.just(Books.days_pass), st.integers(1, 45)),
        st.tuples(st.just(Books.ask), CENTS),
        st.tuples(st.just(Books.ask_all), st.integers(-1, 1)),
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture
def ben(cast):
    pay_by(cast, plan_asking(hold_days=HOLD))
    for month in MONTHS:
        open_days(month_of(month))
    verify(cast)
    return cast.ben


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_nobody_is_paid_more_than_the_plan_has_freed(ben, steps):
    with transaction.atomic():
        books = Books(ben)
        for deed, *given_to in steps:
            with on(str(books.today)):
                deed(books, *given_to)
            with on(str(books.today)):
                wallet = wallet_of(ben)
            assert wallet.balance == Decimal(books.balance).scaleb(-2)
            assert wallet.free == Decimal(books.free()).scaleb(-2)
            assert wallet.free + sum(part.amount for part in wallet.held) == wallet.balance
        transaction.set_rollback(True)

"""Preparer, approver and beneficiary are different people: in the services, the admin, raw SQL."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from accounts.models import User
from commissions.services import batches, payouts
from commissions.services.payouts import PayoutRefused
from tests.payouts.company import approved, ask, method_of, statement

APPROVE_BY_HAND = """
    update commissions_payout set status = 'approved', approved_by_id = %s, approved_at = now(),
      approval_hash = 'x' where id = %s
"""


@pytest.fixture
def asha_in_finance(asha) -> User:
    """A beneficiary who also holds the right to approve."""
    User.objects.filter(pk=asha.user_id).update(role="finance")
    return User.objects.get(pk=asha.user_id)


def test_beneficiary_cannot_approve_the_own_payout(asha, asha_in_finance, fiona):
    payout = payouts.request_payout(
        distributor=asha,
        method=method_of(asha),
        amount=asha.ledger_accounts.get(kind="wallet").balance,
        request_key="8f6f2c0e-8d2f-4a39-9ad6-3c1a5f1c0001",
        actor=fiona,
    )

    with pytest.raises(PayoutRefused, match="paid to you"):
        payouts.approve_payout(payout=payout, actor=asha_in_finance)
    with pytest.raises(DatabaseError, match="beneficiary"), transaction.atomic():
        statement(APPROVE_BY_HAND, asha_in_finance.pk, payout.pk)


def test_requester_cannot_approve(asha, fiona):
    payout = payouts.request_payout(
        distributor=asha,
        method=method_of(asha),
        amount=asha.ledger_accounts.get(kind="wallet").balance,
        request_key="8f6f2c0e-8d2f-4a39-9ad6-3c1a5f1c0002",
        actor=fiona,
    )

    with pytest.raises(PayoutRefused, match="You requested it"):
        payouts.approve_payout(payout=payout, actor=fiona)
    with pytest.raises(DatabaseError, match="four_eyes"), transaction.atomic():
        statement(APPROVE_BY_HAND, fiona.pk, payout.pk)


@pytest.mark.parametrize("name", ["ada", "mona", "sue", "aled", "ben"])
def test_only_finance_approves(asha, people, name):
    payout = ask(asha)

    with pytest.raises(PayoutRefused, match="role"):
        payouts.approve_payout(payout=payout, actor=people[name])
    with pytest.raises(PayoutRefused, match="role"):
        payouts.refuse_payout(payout=payout, actor=people[name], reason="x")

    payout.refresh_from_db()
    assert payout.status == "requested"


@pytest.mark.parametrize("name", ["ada", "mona", "sue", "aled", "ben"])
def test_only_finance_makes_batches_and_opens_registers(asha, fiona, felix, people, name):
    payout = approved(asha, felix)

    with pytest.raises(PayoutRefused, match="role"):
        batches.create_batch(payouts=[payout.pk], actor=people[name])


def test_maker_cannot_approve_the_batch(asha, fiona, felix):
    batch = batches.create_batch(payouts=[approved(asha, felix).pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)

    with pytest.raises(PayoutRefused, match="You made this batch"):
        batches.approve_batch(batch=batch, actor=fiona, seen_hash=batch.content_hash)
    with pytest.raises(DatabaseError, match="four_eyes"), transaction.atomic():
        statement(
            "update commissions_payoutbatch set status = 'approved', approved_by_id = %s"
            " where id = %s",
            fiona.pk,
            batch.pk,
        )


def test_beneficiary_of_an_item_cannot_approve_the_batch(asha, asha_in_finance, fiona, felix):
    asha.user.role = "finance"
    batch = batches.create_batch(payouts=[approved(asha, felix).pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)

    with pytest.raises(PayoutRefused, match="paid to you"):
        batches.approve_batch(batch=batch, actor=asha_in_finance, seen_hash=batch.content_hash)
    with pytest.raises(DatabaseError, match="beneficiary"), transaction.atomic():
        statement(
            "update commissions_payoutbatch set status = 'approved', approved_by_id = %s"
            " where id = %s",
            asha_in_finance.pk,
            batch.pk,
        )


def test_beneficiary_cannot_make_the_batch(asha, asha_in_finance, felix):
    payout = approved(asha, felix)

    with pytest.raises(PayoutRefused, match="paid to you"):
        batches.create_batch(payouts=[payout.pk], actor=asha_in_finance)


def test_approval_cannot_be_rewritten(asha, fiona, felix):
    payout = approved(asha, felix)

    with pytest.raises(DatabaseError, match="payout approval is final"), transaction.atomic():
        statement(
            "update commissions_payout set approved_by_id = %s where id = %s", fiona.pk, payout.pk
        )
    with pytest.raises(DatabaseError, match="requested payout is final"), transaction.atomic():
        statement("update commissions_payout set amount = 900 where id = %s", payout.pk)


def test_admin_does_not_let_the_maker_approve(client, asha, fiona, felix):
    batch = batches.create_batch(payouts=[approved(asha, felix).pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)
    client.force_login(fiona)

    page = client.post(
        reverse("admin:commissions_payoutbatch_desk", args=[batch.number]),
        {"step": "approve", "seen_hash": batch.content_hash},
        follow=True,
    )

    batch.refresh_from_db()
    assert batch.status == "submitted"
    assert "You made this batch" in page.content.decode()


def test_admin_lets_another_person_approve(client, asha, fiona, felix):
    batch = batches.create_batch(payouts=[approved(asha, felix).pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)
    client.force_login(felix)

    client.post(
        reverse("admin:commissions_payoutbatch_desk", args=[batch.number]),
        {"step": "approve", "seen_hash": batch.content_hash},
    )

    batch.refresh_from_db()
    assert (batch.status, batch.approved_by) == ("approved", felix)

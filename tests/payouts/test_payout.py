"""Asking, approving, taking back: the states of a payout and where its money is."""

import uuid
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEvent, Event, User
from commissions.models import JournalEntry, Payout, PayoutBatch
from commissions.models.payout import PAYOUT_EDGES
from commissions.services import payouts
from commissions.services.eligibility import payout_checklist
from commissions.services.payout_methods import add_payout_method, shared_with
from commissions.services.payouts import PayoutRefused
from tests.payouts.company import approved, ask, balance, bank, check_ledger, method_of, statement


def test_request_sets_the_money_aside(asha):
    payout = ask(asha, "120.50")

    assert (payout.status, payout.amount, payout.net_amount) == (
        "requested",
        Decimal("120.50"),
        Decimal("120.50"),
    )
    assert balance("wallet", asha) == Decimal("379.50")
    assert balance("payouts_in_transit") == Decimal("120.50")
    assert JournalEntry.objects.get(key=f"payout:{payout.request_key}").kind == "payout_requested"
    event = Event.objects.get(name="payout.requested", stream_id=f"user:{asha.user_id}")
    assert (event.facts["amount"], event.facts["payout"]) == ("120.50", payout.number)
    assert AuditEvent.objects.get(action="payout.requested").entity_id == payout.number
    check_ledger()


def test_same_request_key_is_the_same_payout(asha):
    key = uuid.uuid4()

    first, second = ask(asha, "50.00", key), ask(asha, "50.00", key)

    assert first == second
    assert balance("wallet", asha) == Decimal("450.00")


def test_same_request_key_with_another_amount_is_refused(asha):
    key = uuid.uuid4()
    ask(asha, "50.00", key)

    with pytest.raises(PayoutRefused, match="already used"):
        ask(asha, "60.00", key)

    assert balance("wallet", asha) == Decimal("450.00")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("missing", "Send one"),
        ("pending", "reviewed"),
        ("rejected", "reason"),
        ("expired", "valid"),
    ],
)
def test_unverified_identity_is_told_before_and_refused_with_the_same_words(asha, status, words):
    User.objects.filter(pk=asha.user_id).update(kyc_status=status)

    checklist = payout_checklist(asha)

    assert [requirement.code for requirement in checklist.missing] == ["identity"]
    assert words in checklist.missing[0].text
    with pytest.raises(PayoutRefused, match=words) as refusal:
        ask(asha)
    assert refusal.value.code == "identity"
    assert not Payout.objects.exists()
    assert balance("wallet", asha) == Decimal("500.00")


@pytest.mark.parametrize("status", ["on_hold", "terminated"])
def test_held_account_is_refused(asha, status):
    asha.status = status
    asha.save()

    with pytest.raises(PayoutRefused) as refusal:
        ask(asha)

    assert refusal.value.code == "account"


@pytest.mark.parametrize("amount", ["9.99", "500.01", "10.001", "0", "-20.00"])
def test_amount_outside_the_limits_is_refused(asha, amount):
    with pytest.raises(PayoutRefused) as refusal:
        ask(asha, amount)

    assert refusal.value.code == "amount"
    assert balance("wallet", asha) == Decimal("500.00")


def test_wallet_below_the_minimum_is_told_on_the_checklist(asha):
    ask(asha, "495.00")

    assert [requirement.code for requirement in payout_checklist(asha).missing] == ["wallet"]


def test_changed_method_rests_before_money_goes_to_it(asha):
    former = method_of(asha)

    new = add_payout_method(distributor=asha, details=bank("D-000077", "Asha Rao"), actor=asha.user)

    former.refresh_from_db()
    assert (former.is_active, new.is_active) == (False, True)
    assert Event.objects.filter(name="payout_method.changed").count() == 2
    with pytest.raises(PayoutRefused, match="rest until"):
        ask(asha)


def test_same_method_again_changes_nothing(asha):
    former = method_of(asha)

    again = add_payout_method(distributor=asha, details=bank(asha.number, "Asha Rao"), actor=None)

    assert again == former


def test_changed_method_voids_what_was_approved_for_the_old_one(asha, fiona):
    payout = approved(asha, fiona)

    add_payout_method(distributor=asha, details=bank("D-000077", "Asha Rao"), actor=asha.user)

    payout.refresh_from_db()
    assert payout.status == "cancelled"
    assert balance("wallet", asha) == Decimal("500.00")
    check_ledger()


def test_two_distributors_with_the_same_account_are_noticed(asha, ben):
    add_payout_method(distributor=ben, details=bank(asha.number, "Ben Cole"), actor=ben.user)

    found = shared_with([method_of(asha)])

    assert list(found.values()) == [["D-900001", "D-900002"]]


def test_details_are_sealed_everywhere(asha):
    method = method_of(asha)

    assert method.last4 == "0001"
    assert "00900001" not in method.details_sealed
    assert method.details["account_number"] == "00900001"
    assert not hasattr(method.history.first(), "details_sealed")
    assert "00900001" not in str(AuditEvent.objects.values_list("before", "after"))
    assert "00900001" not in str(Event.objects.values_list("facts"))


def test_approval_is_bound_to_amount_payee_and_details(asha, fiona):
    payout = approved(asha, fiona)

    assert payouts.is_bound(payout)
    payout.amount += 1
    assert not payouts.is_bound(payout)


def test_cancelled_request_gives_the_money_back(asha):
    payout = payouts.cancel_payout(payout=ask(asha), actor=asha.user)

    assert payout.status == "cancelled"
    assert balance("wallet", asha) == Decimal("500.00")
    assert balance("payouts_in_transit") == 0
    check_ledger()


def test_strangers_cannot_cancel(asha, ben):
    payout = ask(asha)

    with pytest.raises(PayoutRefused):
        payouts.cancel_payout(payout=payout, actor=ben.user)

    assert balance("wallet", asha) == Decimal("400.00")


def test_approved_payout_is_not_cancelled_by_its_owner(asha, fiona):
    payout = approved(asha, fiona)

    with pytest.raises(PayoutRefused, match="approved"):
        payouts.cancel_payout(payout=payout, actor=asha.user)


def test_refusal_needs_a_reason_and_tells_it(asha, fiona):
    payout = ask(asha)

    with pytest.raises(PayoutRefused, match="Say why"):
        payouts.refuse_payout(payout=payout, actor=fiona, reason="  ")
    payouts.refuse_payout(payout=payout, actor=fiona, reason="The name differs.")

    payout.refresh_from_db()
    assert (payout.status, payout.failed_reason) == ("cancelled", "The name differs.")
    event = Event.objects.get(name="payout.cancelled", stream_id=f"user:{asha.user_id}")
    assert event.facts["reason"] == "The name differs."
    assert balance("wallet", asha) == Decimal("500.00")


@pytest.mark.parametrize("source", Payout.Status.values)
def test_database_refuses_every_other_transition(asha, fiona, source):
    payout = ask(asha)
    put_into(source, payout, fiona)

    for target in Payout.Status.values:
        if target == source or target in PAYOUT_EDGES.get(source, ()):
            continue
        with pytest.raises(DatabaseError), transaction.atomic():
            statement("update commissions_payout set status = %s where id = %s", target, payout.pk)
        payout.refresh_from_db()
        assert payout.status == source


def put_into(status, payout, maker):
    """Any state at once, past the triggers."""
    batch = PayoutBatch.objects.create(number="PB-T", currency="GBP", created_by=maker)
    statement("set constraints all immediate")
    statement("alter table commissions_payout disable trigger user")
    statement(
        """update commissions_payout set status = %s, approved_by_id = %s, approved_at = now(),
             approval_hash = 'x', failed_reason = 'x', batch_id = %s where id = %s""",
        status,
        maker.pk,
        batch.pk,
        payout.pk,
    )
    statement("set constraints all immediate")
    statement("alter table commissions_payout enable trigger user")

"""Batches: made by one, checked by another, exported once, bound to their content."""

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEvent, Event
from commissions.models import Payout, PayoutBatch, PayoutFile
from commissions.models.batch import BATCH_EDGES
from commissions.services import batches
from commissions.services.batches import BatchRefused
from commissions.services.payout_methods import add_payout_method
from mlmcrm.transitions import TransitionRefused
from tests.payouts.company import approved, ask, bank, exported, statement


@pytest.fixture
def submitted(asha, ben, fiona, felix):
    items = [approved(asha, felix, "100.00"), approved(ben, felix, "20.50")]
    batch = batches.create_batch(payouts=[item.pk for item in items], actor=fiona)
    return batches.submit_batch(batch=batch, actor=fiona)


def test_batch_counts_sums_and_locks_its_items(submitted):
    assert (submitted.status, submitted.item_count) == ("submitted", 2)
    assert str(submitted.control_sum) == "120.50"
    assert len(submitted.content_hash) == 64
    assert submitted.content_hash == batches.hash_of(submitted, batches.batch_items(submitted))


def test_only_approved_payouts_enter(asha, fiona):
    with pytest.raises(BatchRefused, match="requested, not approved"):
        batches.create_batch(payouts=[ask(asha).pk], actor=fiona)

    assert not PayoutBatch.objects.exists()


def test_a_payout_is_in_one_batch(asha, fiona, felix):
    payout = approved(asha, felix)
    first = batches.create_batch(payouts=[payout.pk], actor=fiona)

    with pytest.raises(BatchRefused, match=first.number):
        batches.create_batch(payouts=[payout.pk], actor=fiona)


def test_empty_choice_is_refused(fiona):
    with pytest.raises(BatchRefused, match="at least one"):
        batches.create_batch(payouts=[], actor=fiona)


def test_item_leaves_a_draft_and_stays_approved(asha, ben, fiona, felix):
    items = [approved(asha, felix), approved(ben, felix, "20.00")]
    batch = batches.create_batch(payouts=[item.pk for item in items], actor=fiona)

    batches.remove_from_batch(batch=batch, payout=items[0], actor=fiona, reason="Asked to wait")

    batch.refresh_from_db()
    items[0].refresh_from_db()
    assert (batch.item_count, str(batch.control_sum)) == (1, "20.00")
    assert (items[0].status, items[0].batch) == ("approved", None)


def test_locked_batch_gives_no_item_away(submitted, fiona):
    payout = submitted.payouts.first()

    with pytest.raises(BatchRefused, match="locked"):
        batches.remove_from_batch(batch=submitted, payout=payout, actor=fiona, reason="x")
    with pytest.raises(DatabaseError, match="locked"), transaction.atomic():
        statement("update commissions_payout set batch_id = null where id = %s", payout.pk)


def test_locked_batch_takes_no_item_in(submitted, asha, felix):
    late = approved(asha, felix, "10.00")

    with pytest.raises(DatabaseError, match="locked"), transaction.atomic():
        statement(
            "update commissions_payout set batch_id = %s where id = %s", submitted.pk, late.pk
        )


def test_reopened_batch_loses_its_hash(submitted, felix):
    batch = batches.reopen_batch(batch=submitted, actor=felix, reason="One is missing.")

    assert (batch.status, batch.content_hash) == ("draft", "")


def test_approval_is_of_what_was_seen(submitted, felix):
    with pytest.raises(BatchRefused, match="changed since you looked"):
        batches.approve_batch(batch=submitted, actor=felix, seen_hash="0" * 64)

    submitted.refresh_from_db()
    assert submitted.status == "submitted"


def test_changed_item_voids_the_approval(submitted, asha, felix):
    add_payout_method(distributor=asha, details=bank("D-000077", "Asha Rao"), actor=asha.user)

    with pytest.raises(BatchRefused, match="Not what was approved any more"):
        batches.approve_batch(batch=submitted, actor=felix, seen_hash=submitted.content_hash)


def test_item_changed_behind_the_back_is_not_exported(submitted, fiona, felix):
    batch = batches.approve_batch(batch=submitted, actor=felix, seen_hash=submitted.content_hash)
    statement("set constraints all immediate")
    statement("alter table commissions_payout disable trigger user")
    statement(
        "update commissions_payout set amount = 900, net_amount = 900 where batch_id = %s", batch.pk
    )

    with pytest.raises(BatchRefused, match="Not what was approved any more"):
        batches.export_batch(batch=batch, actor=fiona)

    assert not PayoutFile.objects.exists()
    assert set(batch.payouts.values_list("status", flat=True)) == {"approved"}


def test_export_sends_the_payouts_on_their_way(submitted, asha, fiona, felix):
    batch = batches.approve_batch(batch=submitted, actor=felix, seen_hash=submitted.content_hash)

    batch = batches.export_batch(batch=batch, actor=fiona)

    assert batch.status == "exported"
    assert set(batch.payouts.values_list("status", flat=True)) == {"processing"}
    assert sorted(batch.files.values_list("format", flat=True)) == ["csv", "xlsx"]
    event = Event.objects.get(name="payout.processing", stream_id=f"user:{asha.user_id}")
    assert event.facts["method"] == "Bank transfer ending in 0001"


def test_export_happens_once(asha, fiona, felix):
    batch = exported(fiona, felix, approved(asha, felix))

    with pytest.raises(TransitionRefused):
        batches.export_batch(batch=batch, actor=fiona)

    assert batch.files.count() == 2


def test_unapproved_batch_is_not_exported(submitted, fiona):
    with pytest.raises(TransitionRefused):
        batches.export_batch(batch=submitted, actor=fiona)

    assert not PayoutFile.objects.exists()


def test_download_gives_the_same_bytes_and_is_on_record(asha, fiona, felix):
    batch = exported(fiona, felix, approved(asha, felix))
    file = batch.files.get(format="csv")

    first = batches.open_file(file=file, actor=fiona)
    second = batches.open_file(file=file, actor=felix)

    assert first == second
    assert AuditEvent.objects.filter(action="payout_file.downloaded").count() == 2


def test_stored_file_is_sealed_and_final(asha, fiona, felix):
    batch = exported(fiona, felix, approved(asha, felix))
    file = batch.files.get(format="csv")

    assert b"00900001" not in bytes(file.sealed_content)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        PayoutFile.objects.filter(pk=file.pk).update(sha256="x")


def test_void_batch_frees_its_payouts(submitted, fiona):
    batch = batches.void_batch(batch=submitted, actor=fiona, reason="Wrong day.")

    assert (batch.status, batch.void_reason) == ("void", "Wrong day.")
    assert list(Payout.objects.values_list("status", "batch")) == [("approved", None)] * 2


def test_exported_batch_cannot_be_void(asha, fiona, felix):
    batch = exported(fiona, felix, approved(asha, felix))

    with pytest.raises(TransitionRefused):
        batches.void_batch(batch=batch, actor=fiona, reason="Too late.")


@pytest.mark.parametrize("source", PayoutBatch.Status.values)
def test_database_refuses_every_other_transition(fiona, felix, source):
    batch = PayoutBatch.objects.create(
        number="PB-T",
        currency="GBP",
        status=source,
        created_by=fiona,
        approved_by=felix,
        content_hash="x",
    )

    for target in PayoutBatch.Status.values:
        if target == source or target in BATCH_EDGES.get(source, ()):
            continue
        with pytest.raises(DatabaseError), transaction.atomic():
            PayoutBatch.objects.filter(pk=batch.pk).update(status=target)


@pytest.mark.parametrize(
    "stop",
    [
        "update accounts_user set kyc_status = 'expired' where email = 'asha@example.com'",
        "update genealogy_distributor set status = 'on_hold' where number = 'D-900001'",
    ],
)
def test_payee_who_cannot_be_paid_any_more_stops_the_batch(submitted, fiona, felix, stop):
    statement("set constraints all immediate")
    statement(stop)

    with pytest.raises(BatchRefused, match=r"not verified|on hold"):
        batches.approve_batch(batch=submitted, actor=felix, seen_hash=submitted.content_hash)

    batches.void_batch(batch=submitted, actor=fiona, reason="One is on hold.")
    payout = Payout.objects.get(distributor__number="D-900001")
    with pytest.raises(BatchRefused, match=r"not verified|on hold"):
        batches.create_batch(payouts=[payout.pk], actor=fiona)

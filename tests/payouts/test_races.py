"""Many at once: one payout leaves once, one wallet never goes below zero."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import EventStream
from commissions.models import JournalEntry, LedgerAccount, Payout, StatusFile
from commissions.services import batches, journal, payouts, statusfiles
from commissions.services.payouts import PayoutRefused
from genealogy.services.teams import create_team, suspend_team
from mlmcrm.transitions import TransitionRefused
from tests.payouts.company import approved, ask, balance, check_ledger, exported
from tests.waiting import deeds

RACERS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def race(run: Callable[[int], Any]) -> list[Any]:
    """Start all at the same moment; results, with a refusal in place of what was refused."""
    barrier = Barrier(RACERS)

    def one(number: int) -> Any:
        try:
            barrier.wait()
            return run(number)
        except (PayoutRefused, TransitionRefused) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(one, range(RACERS)))


def won(results: list[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, Exception)]


def test_eight_double_clicks_ask_once(asha):
    key = uuid.uuid4()

    results = race(lambda number: ask(asha, "400.00", key))

    assert {result.number for result in results} == {Payout.objects.get().number}
    assert balance("wallet", asha) == Decimal("100.00")
    check_ledger()


def test_eight_requests_cannot_overdraw_one_wallet(asha):
    results = race(lambda number: ask(asha, "120.00"))

    assert len(won(results)) == 4
    assert balance("wallet", asha) == Decimal("20.00")
    assert balance("payouts_in_transit") == Decimal("480.00")
    check_ledger()


def test_one_payout_is_approved_or_cancelled_once(asha, fiona, felix):
    payout = ask(asha, "100.00")
    deeds = [
        lambda: payouts.approve_payout(payout=payout, actor=fiona),
        lambda: payouts.approve_payout(payout=payout, actor=felix),
        lambda: payouts.cancel_payout(payout=payout, actor=asha.user),
        lambda: payouts.refuse_payout(payout=payout, actor=felix, reason="No."),
    ]

    results = race(lambda number: deeds[number % 4]())

    payout.refresh_from_db()
    given_back = JournalEntry.objects.filter(kind="payout_cancelled").count()
    assert given_back == (1 if payout.status == "cancelled" else 0)
    assert len(won(results)) in (1, 2)
    check_ledger()


def test_one_payout_enters_one_batch(asha, fiona, felix):
    payout = approved(asha, felix)

    results = race(lambda number: batches.create_batch(payouts=[payout.pk], actor=fiona))

    assert len(won(results)) == 1


def test_one_batch_is_exported_once(asha, fiona, felix):
    batch = batches.create_batch(payouts=[approved(asha, felix).pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)
    batch = batches.approve_batch(batch=batch, actor=felix, seen_hash=batch.content_hash)

    results = race(lambda number: batches.export_batch(batch=batch, actor=fiona))

    assert len(won(results)) == 1
    assert batch.files.count() == 2


def test_one_status_file_is_booked_once(asha, fiona, felix):
    payout = approved(asha, felix)
    batch = exported(fiona, felix, payout)
    content = (
        f"{','.join(statusfiles.HEADER)}\r\n{payout.number},completed,100.00,REF-1,\r\n".encode()
    )

    results = race(
        lambda number: statusfiles.import_status_file(
            batch=batch, file_name="a.csv", content=content, actor=fiona
        )
    )

    assert len({result.pk for result in results}) == StatusFile.objects.count() == 1
    assert balance("bank") == Decimal("100.00")
    assert balance("payouts_in_transit") == 0
    check_ledger()


def test_a_returned_batch_and_a_posting_to_the_same_wallets_do_not_wait_in_a_circle(
    asha, ben, fiona, felix
):
    """Ben asked before Asha; his wallet was made after hers."""
    items = [approved(ben, felix, "50.00"), approved(asha, felix, "100.00")]
    batch = exported(fiona, felix, *items)
    lines = [f"{item.number},failed,{item.net_amount},,Closed" for item in items]
    content = "\n".join([",".join(statusfiles.HEADER), *lines]).encode()
    first, second = LedgerAccount.objects.filter(kind="wallet").order_by("pk")
    expense = journal.get_account("commission_expense", currency="GBP")
    legs = [(first, Decimal(1)), (second, Decimal(1)), (expense, Decimal(-2))]
    with deeds() as begin:
        with transaction.atomic():
            LedgerAccount.objects.select_for_update().get(pk=first.pk)
            posted = begin(
                lambda: journal.post(key="test", kind="test", memo="", legs=legs, actor=None)
            )
            booked = begin(
                lambda: statusfiles.import_status_file(
                    batch=batch, file_name="a.csv", content=content, actor=fiona
                )
            )

        posted.result(20)
        assert booked.result(20).failed_count == 2
    check_ledger()


def test_a_payout_refused_and_a_team_changed_do_not_wait_in_a_circle(asha, felix):
    """Both count in Asha's team, and both tell the staff."""
    payout = ask(asha, "100.00")
    team = create_team(name="North", lead=asha, actor=None)
    with deeds() as begin:
        with transaction.atomic():
            EventStream.objects.select_for_update().get(key="staff")
            refused = begin(lambda: payouts.refuse_payout(payout=payout, actor=felix, reason="No."))
            suspended = begin(lambda: suspend_team(team=team, actor=felix, reason="Look at it"))

        assert refused.result(20).status == "cancelled"
        suspended.result(20)


def test_import_killed_half_way_books_nothing_and_then_once(asha, ben, fiona, felix):
    items = [approved(asha, felix, "100.00"), approved(ben, felix, "50.00")]
    batch = exported(fiona, felix, *items)
    lines = [f"{item.number},failed,{item.net_amount},,Closed" for item in items]
    content = "\n".join([",".join(statusfiles.HEADER), *lines]).encode()

    def book() -> StatusFile:
        return statusfiles.import_status_file(
            batch=batch, file_name="a.csv", content=content, actor=fiona
        )

    ended: list[Exception] = []
    # The staff's stream is held, so the import has booked both lines and waits when it is killed.
    with transaction.atomic():
        EventStream.objects.select_for_update().get(key="staff")
        thread = Thread(target=lambda: ended.append(outcome_of(book)))
        thread.start()
        kill_who_waits()
        thread.join(10)

    assert isinstance(ended[0], DatabaseError)
    assert set(Payout.objects.values_list("status", flat=True)) == {"processing"}
    assert balance("wallet", asha) == Decimal("400.00")
    assert not StatusFile.objects.exists()

    first = book()

    assert book() == first
    assert balance("wallet", asha) == balance("wallet", ben) == Decimal("500.00")
    check_ledger()


def outcome_of(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except DatabaseError as error:
        return error
    finally:
        connection.close()


def kill_who_waits() -> None:
    """End the backend that waits for a lock of ours, as a crash would."""
    deadline = monotonic() + 4
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_locks"
                " where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))"
            )
            if cursor.fetchall():
                return
        sleep(0.02)
    raise AssertionError("Nobody waits.")

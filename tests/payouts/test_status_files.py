"""What the bank says is booked once, whole or not at all."""

import pytest

from accounts.models import Event
from commissions.models import JournalEntry, StatusFile
from commissions.services import statusfiles
from commissions.services.statusfiles import StatusFileRefused
from tests.payouts.company import approved, balance, check_ledger, exported

HEAD = "payout_number,status,amount,bank_reference,reason"


@pytest.fixture
def items(asha, ben, felix):
    return [approved(asha, felix, "100.00"), approved(ben, felix, "20.00")]


@pytest.fixture
def batch(items, fiona, felix):
    return exported(fiona, felix, *items)


def say(batch, *lines):
    content = "\r\n".join([HEAD, *lines]).encode()
    return statusfiles.import_status_file(
        batch=batch, file_name="answer.csv", content=content, actor=batch.created_by
    )


def states(items):
    for item in items:
        item.refresh_from_db()
    return [item.status for item in items]


def test_completed_leaves_for_the_bank_and_failed_goes_back(batch, items, asha, ben):
    one, two = items

    status_file = say(
        batch,
        f"{one.number},completed,100.00,REF-1,",
        f"{two.number},failed,20.00,,Account closed",
    )

    assert (status_file.completed_count, status_file.failed_count) == (1, 1)
    assert states(items) == ["completed", "failed"]
    assert (one.reference_number, two.failed_reason) == ("REF-1", "Account closed")
    assert str(balance("wallet", asha)) == "400.00"
    assert str(balance("wallet", ben)) == "500.00"
    assert str(balance("bank")) == "100.00"
    assert balance("payouts_in_transit") == 0
    batch.refresh_from_db()
    assert batch.status == "settled"
    paid = Event.objects.filter(stream_id=f"user:{asha.user_id}").values_list("name", flat=True)
    assert {"payout.completed", "commission.paid"} <= set(paid)
    failed = Event.objects.get(name="payout.failed", stream_id=f"user:{ben.user_id}")
    assert failed.facts["reason"] == "Account closed"
    check_ledger()


def test_batch_settles_only_when_every_item_has_ended(batch, items):
    say(batch, f"{items[0].number},completed,100.00,REF-1,")

    batch.refresh_from_db()
    assert batch.status == "exported"


def test_returned_after_completion_comes_back(batch, items, asha):
    number = items[0].number
    say(batch, f"{number},completed,100.00,REF-1,", f"{items[1].number},completed,20,REF-2,")

    say(batch, f"{number},returned,100.00,REF-1,Beneficiary unknown")

    assert states(items) == ["returned", "completed"]
    assert str(balance("wallet", asha)) == "500.00"
    assert str(balance("bank")) == "20.00"
    check_ledger()


def test_returned_without_completion_books_both(batch, items, asha):
    say(batch, f"{items[0].number},returned,100.00,,Beneficiary unknown")

    assert states(items)[0] == "returned"
    assert str(balance("wallet", asha)) == "500.00"
    assert balance("bank") == 0
    check_ledger()


def test_same_file_again_changes_nothing(batch, items):
    line = f"{items[0].number},completed,100.00,REF-1,"
    first = say(batch, line)
    entries = JournalEntry.objects.count()

    assert say(batch, line) == first
    assert (StatusFile.objects.count(), JournalEntry.objects.count()) == (1, entries)


def test_line_booked_before_is_passed_over_in_another_file(batch, items):
    first, second = (
        f"{items[0].number},completed,100.00,REF-1,",
        f"{items[1].number},completed,20.00,REF-2,",
    )
    say(batch, first)

    status_file = say(batch, first, second)

    assert status_file.completed_count == 1
    assert states(items) == ["completed", "completed"]


@pytest.mark.parametrize(
    ("lines", "where", "words"),
    [
        (["P-999999,completed,100.00,R,"], (2, "payout_number"), "There is no payout"),
        (["{one},paid,100.00,R,"], (2, "status"), "It is one of"),
        (["{one},completed,99.99,R,"], (2, "amount"), "is 100.00"),
        (["{one},completed,1e2x,R,"], (2, "amount"), "is 100.00"),
        (["{one},completed,NaN,R,"], (2, "amount"), "is 100.00"),
        (["{one},completed,100.00,,"], (2, "bank_reference"), "bank's reference"),
        (["{one},failed,100.00,,"], (2, "reason"), "Say why"),
        (["{one},completed,100.00,R"], (2, "line"), "4 columns instead of 5"),
        (
            ["{one},completed,100.00,R1,", "{one},failed,100.00,,Closed"],
            (3, "payout_number"),
            "twice",
        ),
        (
            ["{one},completed,100.00,R1,", "{two},completed,20.00,R1,"],
            (2, "bank_reference"),
            "twice",
        ),
        ([], (2, "file"), "no line"),
    ],
)
def test_error_names_line_and_column_and_books_nothing(batch, items, lines, where, words):
    one, two = (item.number for item in items)
    entries = JournalEntry.objects.count()

    with pytest.raises(StatusFileRefused) as refusal:
        say(batch, *(line.format(one=one, two=two) for line in lines))

    found = refusal.value.errors[0]
    assert (found.line, found.column) == where
    assert words in found.message
    assert states(items) == ["processing", "processing"]
    assert JournalEntry.objects.count() == entries
    assert not StatusFile.objects.exists()


def test_one_bad_line_keeps_the_good_ones_out(batch, items):
    with pytest.raises(StatusFileRefused):
        say(batch, f"{items[0].number},completed,100.00,R,", "P-999999,completed,1.00,S,")

    assert states(items) == ["processing", "processing"]


def test_payout_of_another_batch_is_refused(batch, asha, fiona, felix):
    other = approved(asha, felix, "30.00")
    exported(fiona, felix, other)

    with pytest.raises(StatusFileRefused, match="not in"):
        say(batch, f"{other.number},completed,30.00,R,")


def test_completed_cannot_fail_afterwards(batch, items):
    say(batch, f"{items[0].number},completed,100.00,REF-1,")

    with pytest.raises(StatusFileRefused, match="cannot become failed"):
        say(batch, f"{items[0].number},failed,100.00,,Closed")


def test_reference_of_another_payout_is_refused(batch, items):
    say(batch, f"{items[0].number},completed,100.00,REF-1,")

    with pytest.raises(StatusFileRefused, match="has this reference already"):
        say(batch, f"{items[1].number},completed,20.00,REF-1,")


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"\xff\xfe\x00", "file"),
        (b"a,b,c\r\n", "header"),
        (b"", "header"),
        (b'"unclosed', "file"),
        (b"x" * (statusfiles.MAX_BYTES + 1), "file"),
    ],
)
def test_what_is_no_status_file_is_refused(batch, content, column):
    preview = statusfiles.preview_status_file(batch=batch, content=content)

    assert [error.column for error in preview.errors] == [column]


def test_template_has_the_documented_header():
    assert statusfiles.template_csv().decode().strip() == HEAD


def test_preview_changes_nothing(batch, items):
    content = f"{HEAD}\r\n{items[0].number},completed,100.00,R,\r\n".encode()

    preview = statusfiles.preview_status_file(batch=batch, content=content)

    assert not preview.errors
    assert (preview.counts["completed"], str(preview.sums["completed"])) == (1, "100.00")
    assert states(items) == ["processing", "processing"]

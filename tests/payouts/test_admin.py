"""The screens of finance, from the request to the bank: Fiona makes, Felix checks."""

import csv
import hashlib
import io
import re
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, User
from commissions.models import Payout, PayoutBatch, StatusFile
from commissions.services import batches, payouts
from commissions.services.payout_methods import add_payout_method
from tests.payouts.company import (
    approved,
    ask,
    balance,
    bank,
    check_ledger,
    exported,
    method_of,
)

pytestmark = pytest.mark.django_db
LIST, BATCHES = "/admin/commissions/payout/", "/admin/commissions/payoutbatch/"
LISTS = [
    LIST,
    BATCHES,
    "/admin/commissions/payoutmethod/",
    "/admin/commissions/payoutfile/",
    "/admin/commissions/statusfile/",
    "/admin/commissions/journalentry/",
    "/admin/commissions/posting/",
    "/admin/commissions/ledgeraccount/",
]
TABLE = re.compile(r'(?:FROM|UPDATE|INTO) "(\w+)"')
HEADER = "payout_number,status,amount,bank_reference,reason\r\n"


def signed_in(user: User) -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    return client


@pytest.fixture
def maker(fiona):
    return signed_in(fiona)


@pytest.fixture
def checker(felix):
    return signed_in(felix)


def desk(thing: Payout | PayoutBatch) -> str:
    return f"{LIST if isinstance(thing, Payout) else BATCHES}{thing.number}/desk/"


def file_of(batch: PayoutBatch, kind: str = "csv") -> str:
    return f"{BATCHES}{batch.number}/files/{kind}/"


def status_of(batch: PayoutBatch) -> str:
    return f"{BATCHES}{batch.number}/status/"


def words(answer) -> str:
    """What a reader sees of the page, tags left out."""
    assert answer.status_code == HTTPStatus.OK
    main = answer.content.decode().partition('id="main"')[2] or answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def buttons(client: Client, thing: Payout | PayoutBatch) -> set[str]:
    page = client.get(desk(thing)).content.decode()
    return set(re.findall(r'data-dialog="(\w+)"', page))


def step(client: Client, thing: Payout | PayoutBatch, name: str, **fields: str) -> str:
    answer = client.post(desk(thing), {"step": name, **fields}, follow=True)
    thing.refresh_from_db()
    return words(answer)


def act(client: Client, action: str, *items: Payout, confirmed: bool = False):
    chosen = {"action": action, "_selected_action": [item.pk for item in items]}
    return client.post(LIST, chosen | ({"confirmed": "yes"} if confirmed else {}), follow=True)


def bank_file(*lines: str, name: str = "bank.csv") -> io.BytesIO:
    file = io.BytesIO((HEADER + "".join(f"{line}\r\n" for line in lines)).encode())
    file.name = name
    return file


def checked(client: Client, batch: PayoutBatch, *lines: str):
    return client.post(status_of(batch), {"file": bank_file(*lines)})


def held(answer) -> dict[str, str]:
    """What the form below the preview would send."""
    return dict(answer.context["form"].initial)


# One payout


def test_desk_shows_what_one_decides_on_and_approves(asha, maker, fiona):
    payout = ask(asha, "120.50")

    page = words(maker.get(desk(payout)))
    assert "£120.50" in page
    assert "Bank transfer ending in 0001, Asha Rao" in page
    assert "£379.50" in page
    assert "Verified" in page
    assert buttons(maker, payout) == {"approve", "refuse"}

    assert f"{payout.number} is approved." in step(maker, payout, "approve")
    assert (payout.status, payout.approved_by) == ("approved", fiona)
    assert buttons(maker, payout) == {"refuse"}
    assert "It is approved already." in step(maker, payout, "approve")


def test_refusal_needs_a_reason_and_gives_the_money_back(asha, maker):
    payout = ask(asha)

    answer = maker.post(desk(payout), {"step": "refuse", "reason": " "})
    assert "This field is required." in words(answer)
    assert "Refuse this payout" not in words(answer)
    payout.refresh_from_db()
    assert payout.status == "requested"

    step(maker, payout, "refuse", reason="Please call us first")
    assert payout.status == "cancelled"
    assert "Please call us first" in words(maker.get(desk(payout)))
    assert balance("wallet", asha) == 500


def test_account_that_others_use_is_pointed_out(asha, ben, maker):
    add_payout_method(distributor=ben, details=bank("D-900001", "Ben"), actor=ben.user)
    payout = ask(asha)

    assert "The same account is used by others D-900002" in words(maker.get(desk(payout)))


def test_unknown_number_and_unknown_step(asha, maker):
    payout = ask(asha)

    assert maker.get(f"{LIST}P-999999/desk/").status_code == HTTPStatus.NOT_FOUND
    assert maker.get(f"{BATCHES}PB-999999/desk/").status_code == HTTPStatus.NOT_FOUND
    maker.post(desk(payout), {"step": "fly"})
    payout.refresh_from_db()
    assert payout.status == "requested"


# Many payouts


def test_bulk_approval_shows_count_sum_and_exclusions_first(asha, ben, maker, felix):
    first, second = ask(asha, "100.00"), ask(ben, "50.25")
    done = approved(asha, felix, "30.00")
    User.objects.filter(pk=ben.user_id).update(kyc_status="expired")

    answer = act(maker, "approve_selected", first, second, done)

    assert [row.number for row in answer.context["chosen"]] == [first.number]
    assert dict(answer.context["excluded"]) == {
        second: "The identity is not verified any more.",
        done: "It is approved already.",
    }
    assert "£100.00" in words(answer)
    assert "Approve these payouts" in words(answer)
    assert Payout.objects.filter(status="approved").count() == 1


def test_bulk_approval_looks_again_when_it_is_confirmed(asha, ben, maker):
    first, second = ask(asha), ask(ben)
    act(maker, "approve_selected", first, second)
    User.objects.filter(pk=ben.user_id).update(kyc_status="expired")

    page = words(act(maker, "approve_selected", first, second, confirmed=True))

    assert "1 of 1 payouts approved." in page
    assert f"{second.number} was left out. The identity is not verified any more." in page
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("approved", "requested")


def test_nothing_left_to_approve_offers_no_button(asha, maker, felix):
    payout = approved(asha, felix)

    answer = act(maker, "approve_selected", payout, confirmed=True)

    assert "Approve these payouts" not in words(answer)
    assert "It is approved already." in words(answer)


def test_too_many_at_once_are_refused(asha, maker, monkeypatch):
    monkeypatch.setattr("commissions.admin.payout.MAX_AT_ONCE", 1)

    page = words(act(maker, "approve_selected", ask(asha, "20.00"), ask(asha, "20.00")))

    assert "Choose 1 payouts at most." in page


# The course of a batch


def test_a_batch_from_the_list_to_the_bank_and_back(asha, ben, maker, checker, fiona, felix):
    items = [ask(asha, "100.00"), ask(ben, "50.25"), ask(asha, "20.00")]
    act(maker, "approve_selected", *items, confirmed=True)
    review = act(maker, "batch_selected", *items)
    assert "£170.25" in words(review)
    assert "Make the batch" in words(review)
    answer = act(maker, "batch_selected", *items, confirmed=True)
    batch = PayoutBatch.objects.get()
    assert answer.redirect_chain[-1][0] == desk(batch)

    assert step(maker, batch, "remove", payout=items[2].number).count(items[2].number) == 1
    assert (batch.item_count, str(batch.control_sum)) == (2, "150.25")
    step(maker, batch, "submit")
    assert batch.status == "submitted"

    refuse_the_maker(maker, batch)
    assert buttons(checker, batch) == {"approve", "reopen", "void"}
    assert f'value="{batch.content_hash}"' in checker.get(desk(batch)).content.decode()
    assert "has changed since" in step(checker, batch, "approve", seen_hash="0" * 64)
    assert batch.status == "submitted"
    step(checker, batch, "approve", seen_hash=batch.content_hash)
    assert (batch.status, batch.approved_by) == ("approved", felix)

    assert buttons(maker, batch) == {"export", "void"}
    step(maker, batch, "export")
    check_register(maker, batch, fiona)
    book_the_results(maker, batch, items)
    assert batch.status == "settled"
    check_ledger()


def refuse_the_maker(maker, batch):
    """Who made it sees why he cannot approve, and is refused whatever he sends."""
    for address in (desk(batch), f"{desk(batch)}?confirm=approve"):
        page = maker.get(address).content.decode()
        assert 'value="approve"' not in page
        assert "You made this batch; somebody else has to approve it." in page
    assert buttons(maker, batch) == {"reopen", "void"}
    page = step(maker, batch, "approve", seen_hash=batch.content_hash)
    assert "You made this batch" in page
    assert batch.status == "submitted"


def check_register(maker, batch, fiona):
    """The same bytes at each download, their SHA-256 on the page, each on record."""
    first, second = maker.get(file_of(batch)), maker.get(file_of(batch))
    assert first.content == second.content
    digest = hashlib.sha256(first.content).hexdigest()
    assert first["X-Content-SHA256"] == digest
    assert first["Content-Disposition"] == f'attachment; filename="{batch.number}-register.csv"'
    assert "no-store" in first["Cache-Control"]
    assert digest in words(maker.get(desk(batch)))
    assert maker.get(file_of(batch, "xlsx")).content.startswith(b"PK")
    downloads = AuditEvent.objects.filter(action="payout_file.downloaded", actor=fiona)
    assert [event.after["file"] for event in downloads.order_by("pk")] == [
        f"{batch.number}-register.csv",
        f"{batch.number}-register.csv",
        f"{batch.number}-register.xlsx",
    ]
    lines = list(csv.DictReader(io.StringIO(first.content.decode("utf-8-sig"))))
    total = next(line for line in lines if line["line"] == "Total")
    assert total["amount"] == str(batch.control_sum)
    paid = [line for line in lines if (line["payout_number"] or "").startswith("P-")]
    assert [line["account"] for line in paid] == ["00900001", "00900002"]


def book_the_results(maker, batch, items):
    """Errors first, by line and column; then a preview; then the booking, once."""
    first, second, _ = items
    wrong = checked(
        maker, batch, f"{first.number},completed,1.00,FT-1,", f"{second.number},failed,50.25,,"
    )
    errors = [(error.line, error.column) for error in wrong.context["preview"].errors]
    assert errors == [(2, "amount"), (3, "reason")]
    assert "Nothing can be booked from this file" in words(wrong)
    assert "Book these results" not in words(wrong)
    maker.post(status_of(batch), held(wrong))
    assert set(batch.payouts.values_list("status", flat=True)) == {"processing"}

    lines = [
        f"{first.number},completed,100.00,FT-1,",
        f"{second.number},failed,50.25,,Account closed",
    ]
    preview = checked(maker, batch, *lines)
    assert "Book these results" in words(preview)
    assert set(batch.payouts.values_list("status", flat=True)) == {"processing"}
    tampered = held(preview) | {"encoded": "cGF5b3V0"}
    assert "Check it again" in words(maker.post(status_of(batch), tampered, follow=True))
    assert not StatusFile.objects.exists()

    page = words(maker.post(status_of(batch), held(preview), follow=True))
    assert "Booked: 1 completed, 1 failed or returned." in page
    assert "Account closed" in page
    batch.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, first.reference_number) == ("completed", "FT-1")

    before = balance("bank"), AuditEvent.objects.count()
    again = checked(maker, batch, *lines)
    assert "This file was booked before" in words(again)
    assert "Book these results" not in words(again)
    maker.post(status_of(batch), held(again))
    assert (balance("bank"), AuditEvent.objects.count()) == before
    assert StatusFile.objects.count() == 1


def test_status_file_template_is_just_the_header(maker):
    answer = maker.get(f"{BATCHES}status-file/")

    assert answer.content.decode() == HEADER
    assert "attachment" in answer["Content-Disposition"]


def test_upload_without_file_says_so(asha, maker, fiona, felix):
    batch = exported(fiona, felix, approved(asha, fiona))

    assert "This field is required." in words(maker.post(status_of(batch), follow=True))
    assert maker.get(status_of(batch)).status_code == HTTPStatus.FOUND


def test_batch_is_opened_again_or_given_up_with_a_reason(asha, maker, checker, fiona):
    payout = approved(asha, fiona)
    batch = batches.create_batch(payouts=[payout.pk], actor=fiona)
    step(maker, batch, "submit")

    assert "This field is required." in words(checker.post(desk(batch), {"step": "reopen"}))
    step(checker, batch, "reopen", reason="One account looks wrong")
    assert (batch.status, batch.content_hash) == ("draft", "")
    assert buttons(maker, batch) == {"submit", "void"}

    page = step(maker, batch, "void", reason="Made twice")
    assert "This batch is void" in page
    assert "Made twice" in page
    assert buttons(maker, batch) == set()
    payout.refresh_from_db()
    assert (payout.status, payout.batch) == ("approved", None)


def test_steps_out_of_their_turn_are_refused(asha, maker, fiona, felix):
    batch = exported(fiona, felix, approved(asha, fiona))
    number = batch.payouts.get().number

    assert "does not exist" in step(maker, batch, "fly")
    for name in ("submit", "export", "void", "reopen", "remove"):
        step(maker, batch, name, reason="No", payout=number)
        assert batch.status == "exported"
    assert batch.payouts.get().number == number
    for name in ("submit", "approve", "export", "void", "nonsense"):
        assert words(maker.get(f"{desk(batch)}?confirm={name}"))


def test_damaged_register_is_not_given_out(asha, maker, fiona, felix, monkeypatch):
    batch = exported(fiona, felix, approved(asha, fiona))
    monkeypatch.setattr("commissions.services.batches.unseal_bytes", lambda *_, **__: b"other")

    page = words(maker.get(file_of(batch), follow=True))

    assert "does not match its SHA-256" in page


def test_desk_that_was_overtaken_says_so(asha, maker, fiona):
    batch = batches.create_batch(payouts=[approved(asha, fiona).pk], actor=fiona)
    step(maker, batch, "submit")

    assert "has moved on" in words(maker.get(f"{desk(batch)}?seen=draft"))
    assert "has moved on" not in words(maker.get(f"{desk(batch)}?seen=submitted"))


# Who may


@pytest.fixture
def company(asha, fiona, felix):
    return ask(asha, "20.00"), exported(fiona, felix, approved(asha, fiona))


@pytest.mark.parametrize("name", ["aled", "mona", "ada"])
def test_those_who_only_look_cannot_act(company, people, name):
    payout, batch = company
    client = signed_in(people[name])

    assert buttons(client, payout) == buttons(client, batch) == set()
    assert f"{batch.number}-register.csv" in words(client.get(desk(batch)))
    assert 'type="file"' not in client.get(desk(batch)).content.decode()
    assert "approve_selected" not in client.get(LIST).content.decode()
    for address, data in posts(payout, batch):
        assert client.post(address, data).status_code == HTTPStatus.FORBIDDEN, address
    for address in (file_of(batch), f"{BATCHES}status-file/"):
        assert client.get(address).status_code == HTTPStatus.FORBIDDEN, address
    assert act(client, "approve_selected", payout, confirmed=True).status_code == HTTPStatus.OK
    payout.refresh_from_db()
    assert payout.status == "requested"


@pytest.mark.parametrize(
    ("name", "status"), [("sue", HTTPStatus.FORBIDDEN), ("asha", HTTPStatus.NOT_FOUND)]
)
def test_others_see_nothing_of_it(company, people, name, status):
    payout, batch = company
    client = signed_in(people[name])

    for address in [*LISTS, desk(payout), desk(batch), file_of(batch), status_of(batch)]:
        assert client.get(address).status_code == status, address
    for address, data in posts(payout, batch):
        assert client.post(address, data).status_code == status, address
    assert not AuditEvent.objects.filter(action="payout_file.downloaded").exists()


def posts(payout, batch):
    return [
        (desk(payout), {"step": "approve"}),
        (desk(payout), {"step": "refuse", "reason": "No"}),
        (desk(batch), {"step": "void", "reason": "No"}),
        (status_of(batch), {"file": bank_file(f"{payout.number},completed,20.00,FT-1,")}),
    ]


def test_nobody_decides_on_money_of_his_own(asha, fiona, maker):
    payout = approved(asha, fiona)
    batch = batches.create_batch(payouts=[payout.pk], actor=fiona)
    User.objects.filter(pk=asha.user_id).update(role="finance")
    own = signed_in(User.objects.get(pk=asha.user_id))
    step(maker, batch, "submit")

    assert buttons(own, payout) == set()
    assert "paid to you" in step(own, batch, "approve", seen_hash=batch.content_hash)
    assert batch.status == "submitted"
    asked = ask(asha, "20.00")
    assert "You requested it" in step(own, asked, "approve")
    assert asked.status == "requested"


def test_no_page_shows_a_full_account_number(company, people, maker, asha):
    payout, batch = company
    method = method_of(asha)
    pages = [*LISTS, desk(payout), desk(batch), f"/admin/commissions/payoutmethod/{method.pk}/"]

    for address in pages:
        page = maker.get(address, follow=True).content.decode()
        assert "00900001" not in page, address
        assert "v1:" not in page, address
    assert "00900001" not in act(maker, "approve_selected", payout).content.decode()


# How quickly


@pytest.mark.parametrize("address", LISTS)
def test_lists_ask_the_same_number_of_queries(address, asha, ben, maker, fiona, felix):
    counts = []
    for seller in (asha, ben, asha):
        batch = exported(fiona, felix, approved(seller, fiona, "20.00"))
        item = batch.payouts.get()
        checked_file = checked(maker, batch, f"{item.number},completed,20.00,{item.number},")
        maker.post(status_of(batch), held(checked_file))
        counts.append(queries_of(maker, address))

    assert counts[0] == counts[2]


def queries_of(client: Client, address: str) -> list[str]:
    """The tables that a page reads or writes, in order."""
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == HTTPStatus.OK
    return [table for query in asked for table in TABLE.findall(query["sql"])[:1]]


def test_desks_and_review_ask_the_same_number_of_queries(asha, ben, maker, fiona):
    few = approved(asha, fiona)
    one = batches.create_batch(payouts=[few.pk], actor=fiona)
    many = [approved(seller, fiona, "20.00") for seller in (asha, ben, asha)]
    three = batches.create_batch(payouts=[item.pk for item in many], actor=fiona)

    assert queries_of(maker, desk(one)) == queries_of(maker, desk(three))
    assert queries_of(maker, desk(few)) == queries_of(maker, desk(many[1]))
    asked = [ask(seller, "20.00") for seller in (asha, ben, asha)]
    counts = []
    for rows in (asked[:1], asked):
        with CaptureQueriesContext(connection) as queries:
            act(maker, "approve_selected", *rows)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert payouts.approval_obstacle(asked[0], fiona) == ""

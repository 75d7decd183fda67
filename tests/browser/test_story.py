"""The main job, end to end, with two browsers signed in at once and everything real behind them.

An order is paid and Chloe sees her commission; she proves who she is and Sam verifies it; Fiona
closes the month, Felix approves it; Chloe asks for her money, it goes through a batch to the bank
and back; and Stella, who has no business there, finds none of those pages.
"""

import hashlib
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from commissions.models import CommissionPeriod, Payout, PayoutBatch, PayoutMethod
from commissions.services.claims import claim_volume
from commissions.services.payout_methods import add_payout_method
from commissions.services.verification import find_breaks
from compliance.models import KYCDocument
from tests.access_world import bank_details, picture
from tests.cast import at, gather


@pytest.fixture
def company(live):
    cast = gather()
    assert cast.plan
    return cast


@pytest.fixture
def last_month():
    return timezone.localdate().replace(day=1) - timedelta(days=1)


def toast(page, words):
    return page.locator("#toasts [data-toast]", has_text=words)


def press(page, name, confirm=None):
    """Follow a work button and, where it asks, confirm in its dialog."""
    page.get_by_role("link", name=name, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=confirm or name, exact=True).click()


def test_a_month_from_the_order_to_the_bank(company, new_page, last_month):
    cast, chloe = company, company.user("chloe")
    visited = []
    cast.buys("chloe", 6, at(f"{last_month:%Y-%m}-05"))
    cast.buys("dmitri", 10, at(f"{last_month:%Y-%m}-06"))
    cast.buys(cast.rosa, 4, at(f"{last_month:%Y-%m}-07"))
    claim_volume()

    seller = new_page(chloe)
    seller.goto("/")
    expect(seller.locator("#live[data-state=live]")).to_be_visible()
    see_a_commission_arrive(cast, seller)
    visited += prove_identity(cast, seller, new_page)
    visited += close_the_month(cast, seller, new_page, f"{last_month:%Y-%m}")
    visited += ask_for_the_money(cast, seller)
    visited += pay_it_out(cast, seller, new_page)
    nobody_else_sees(cast, new_page, visited)


def see_a_commission_arrive(cast, seller):
    """The first order warms the worker up; the second must show within a second."""
    cast.buys(cast.rosa, 1)
    expect(toast(seller, "You earned £0.40")).to_be_visible()
    figures = seller.locator("#figures")
    before = figures.inner_text()

    paid_at = time.monotonic()
    cast.buys(cast.rosa, 10)
    toast(seller, "You earned £4.00").wait_for(timeout=5_000)
    seconds = time.monotonic() - paid_at

    assert seconds < 1.0
    expect(figures).not_to_have_text(before)
    expect(figures).to_contain_text("£4.40")
    expect(seller.locator("#bell")).to_contain_text("2")


def prove_identity(cast, seller, new_page):
    seller.goto("/payouts/")
    expect(seller.get_by_role("main")).to_contain_text("Identity")
    seller.goto("/identity/")
    for label, value in {
        "Kind of document": "passport",
    }.items():
        seller.get_by_label(label).select_option(value)
    for label, value in {
        "Document number": "925076473",
        "Valid until": "2034-04-01",
        "Full name": "Chloe Martin",
        "Date of birth": "1990-04-01",
        "Street and number": "1 Quay Street",
        "City": "Bristol",
        "Postcode": "BS1 4DB",
        "Country": "United Kingdom",
    }.items():
        seller.get_by_label(label).fill(value)
    card = picture()
    seller.get_by_label("Picture of the front").set_input_files(
        {"name": card.name, "mimeType": "image/png", "buffer": card.read()}
    )
    seller.get_by_role("main").locator("form button[type=submit], form button").last.click()
    document = wait_for(lambda: KYCDocument.objects.filter(user=cast.user("chloe")).first())

    support = new_page(cast.user("sam"))
    support.goto("/admin/compliance/kycdocument/")
    support.get_by_role("link", name=document.number).click()
    review = support.url
    expect(support.get_by_role("main")).to_contain_text("Chloe Martin")
    expect(support.locator("img.picture")).to_be_visible()
    support.get_by_role("link", name="Verify", exact=True).click()
    support.get_by_role("dialog").locator("form .button-primary").click()

    expect(toast(seller, "Your identity is verified")).to_be_visible()
    assert User.objects.get(pk=cast.user("chloe").pk).kyc_status == "verified"
    return [review]


def close_the_month(cast, seller, new_page, code):
    period = CommissionPeriod.objects.get(code=code)
    room = f"/admin/commissions/commissionperiod/{period.pk}/control-room/"
    maker, checker = new_page(cast.user("fiona")), new_page(cast.user("felix"))
    maker.goto(room)
    press(maker, "Close the period")
    press(maker, "Calculate")
    wait_for(lambda: CommissionPeriod.objects.filter(code=code, status="calculated").first())
    maker.goto(room)
    expect(maker.get_by_role("main")).to_contain_text("Unilevel")
    expect(maker.get_by_role("link", name="Approve", exact=True)).to_have_count(0)

    checker.goto(room)
    press(checker, "Approve")
    press(checker, "Finalize and pay")
    wait_for(lambda: CommissionPeriod.objects.filter(code=code, status="finalized").first())

    expect(toast(seller, "Your commission for")).to_be_visible()
    return [room]


def ask_for_the_money(cast, seller):
    add_payout_method(
        distributor=cast.chloe, details=bank_details("Chloe Martin"), actor=cast.user("chloe")
    )
    PayoutMethod.objects.update(created_at=timezone.now() - timedelta(days=30))
    seller.goto("/payouts/new/")
    seller.get_by_label("Amount").fill("20.00")
    seller.get_by_role("main").locator("form .button-primary").click()
    payout = wait_for(lambda: Payout.objects.filter(distributor=cast.chloe).first())
    expect(seller.get_by_role("main")).to_contain_text(payout.number)
    return [f"/payouts/{payout.number}/"]


def pay_it_out(cast, seller, new_page):
    payout = Payout.objects.get(distributor=cast.chloe)
    maker, checker = new_page(cast.user("fiona")), new_page(cast.user("felix"))
    payout_desk = f"/admin/commissions/payout/{payout.number}/desk/"
    maker.goto(payout_desk)
    press(maker, "Approve")
    expect(toast(seller, f"Payout {payout.number} is approved")).to_be_visible()
    maker.goto("/admin/commissions/payout/")
    maker.locator(".action-select").check()
    maker.locator("select[name=action]").select_option("batch_selected")
    maker.locator("button[name=index]").click()
    maker.get_by_role("button", name="Make the batch").click()
    batch = wait_for(lambda: PayoutBatch.objects.first())
    press(maker, "Submit")
    expect(maker.get_by_role("link", name="Approve", exact=True)).to_have_count(0)

    checker.goto(f"/admin/commissions/payoutbatch/{batch.number}/desk/")
    press(checker, "Approve")
    press(checker, "Export")
    expect(toast(seller, f"Payout {payout.number} is on its way")).to_be_visible()
    content = download(checker, f"{batch.number}-register.csv")
    batch.refresh_from_db()
    assert hashlib.sha256(content).hexdigest() in checker.get_by_role("main").inner_text()
    assert f"{batch.control_sum}" in content.decode("utf-8-sig")
    assert batch.control_sum == payout.net_amount

    checker.get_by_label("Status file").set_input_files(
        {
            "name": "bank.csv",
            "mimeType": "text/csv",
            "buffer": "payout_number,status,amount,bank_reference,reason\r\n"
            f"{payout.number},completed,{payout.net_amount},FT-1,\r\n".encode(),
        }
    )
    checker.get_by_role("button", name="Check the file").click()
    checker.get_by_role("button", name="Book these results").click()
    expect(toast(seller, f"Payout {payout.number} has been paid")).to_be_visible()
    payout.refresh_from_db()
    assert (payout.status, payout.reference_number) == ("completed", "FT-1")
    assert list(find_breaks()) == []
    files = f"/admin/commissions/payoutbatch/{batch.number}/files/csv/"
    return [payout_desk, f"/admin/commissions/payoutbatch/{batch.number}/desk/", files]


def download(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).click()
    return Path(waiting.value.path()).read_bytes()


def nobody_else_sees(cast, new_page, visited):
    stranger = new_page(cast.user("stella"))
    stranger.expected_errors.append("404")
    for address in visited:
        assert stranger.goto(address).status == 404, address


def wait_for(look, seconds=15):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
    return found

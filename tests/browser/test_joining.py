"""The whole way in, in a real browser: by a link with the message that the worker sent, and by a
sponsor; on a phone, by keyboard, read aloud."""

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from genealogy.models import Distributor, Enrolment, PlacementRule
from tests.browser.looks import faults_of
from tests.cast import gather
from tests.genealogy.joining import SECRET, code_of, publish

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def company(live):
    cast = gather()
    publish(cast, "distributor_agreement", "data_processing", "marketing")
    PlacementRule.objects.create(width=2, waiting_days=7)
    assert cast.plan
    assert cast.tea
    return cast


def checked(page, name):
    """Readable by everybody, and no wider than the window."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"join-{name}.png", full_page=True, caret="initial")
    assert list(faults_of(page, both=False)) == [], name


def link_sent(live, address):
    """The link in the newest message to an address, as the worker wrote it out."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        _, _, after = live.worker.printed().rpartition(f"To: {address}")
        if found := re.search(r"https?://[^/\s]+(/join/link/\S+)", after):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"No message to {address}")


def who(page, *, name, email):
    first, last = name.split()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("Country").fill("Ireland")
    page.get_by_label("E-mail").fill(email)


def go_on(page, label="Go on", role="button"):
    """Press what leads to another page, and wait for the whole of that."""
    with page.expect_navigation():
        page.get_by_role(role, name=label, exact=True).click()


def rest_of_it(page, *, prefix, has_place):
    """From the opened link to the dashboard."""
    checked(page, f"{prefix}-link")
    go_on(page, "This is my address, go on")
    page.get_by_label("Date of birth").fill("1990-05-17")
    checked(page, f"{prefix}-you-again")
    go_on(page)
    if has_place:
        page.get_by_label("By the company's rule").check()
        checked(page, f"{prefix}-place")
        go_on(page)
    region = page.get_by_role("region", name="distributor_agreement 1")
    region.focus()
    expect(region).to_be_focused()
    go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("Without this nobody can join.")
    checked(page, f"{prefix}-agreement")
    page.get_by_label("I have read the agreement and agree to it").check()
    page.get_by_label("I agree that my data is used as described").check()
    go_on(page)
    page.get_by_label("Pieces of Breakfast tea").fill("2")
    checked(page, f"{prefix}-order")
    go_on(page)
    expect(page.get_by_text("£40.00").first).to_be_visible()
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_label("The same password again").fill(SECRET)
    checked(page, f"{prefix}-finish")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_by_a_link_from_the_code_to_the_identity_page(company, live, new_page, width, dark):
    page = new_page(width=width, dark=dark)
    prefix = f"{width}-link"
    page.goto(f"/r/{code_of(company.ben)}")
    checked(page, f"{prefix}-invitation")
    go_on(page, "Join")
    page.expected_errors.append("422")
    go_on(page)
    expect(page.get_by_role("alert")).to_be_visible()
    checked(page, f"{prefix}-you-errors")
    who(page, name="Nia Okoro", email="nia@example.com")
    page.get_by_label("Date of birth").fill("1990-05-17")
    go_on(page)
    expect(page.get_by_text("We have sent a message to nia@example.com")).to_be_visible()
    checked(page, f"{prefix}-message")

    phone = new_page(width=width, dark=dark)
    phone.expected_errors.append("422")
    phone.goto(link_sent(live, "nia@example.com"))
    rest_of_it(phone, prefix=prefix, has_place=True)
    phone.get_by_label("Now, right after this").check()
    go_on(phone, "Join")

    expect(phone).to_have_url(re.compile("/identity/$"))
    expect(phone.get_by_text("You are distributor D-")).to_be_visible()
    nia = Distributor.objects.get(display_name="Nia Okoro")
    assert nia.sponsor == company.ben
    phone.goto("/")
    checked(phone, f"{prefix}-dashboard")


def test_by_a_sponsor_who_sees_how_far_it_is(company, live, new_page):
    ben = new_page(company.user("ben"), width=390)
    ben.goto("/referrals/")
    go_on(ben, "Enrol somebody", "link")
    checked(ben, "sponsor-new")
    who(ben, name="Eve Lind", email="eve@example.com")
    go_on(ben)
    ben.get_by_label(re.compile("I choose later")).check()
    checked(ben, "sponsor-place")
    go_on(ben)
    checked(ben, "sponsor-order")
    go_on(ben)
    checked(ben, "sponsor-send")
    go_on(ben, "Send the invitation")
    expect(ben.get_by_text("A message to eve@example.com is on its way.")).to_be_visible()
    checked(ben, "sponsor-list")

    eve = new_page()
    eve.expected_errors.append("422")
    eve.goto(link_sent(live, "eve@example.com"))
    rest_of_it(eve, prefix="sponsor-1280", has_place=False)
    go_on(eve, "Join")

    expect(eve.get_by_text("Your identity papers are still wanted")).to_be_visible()
    ben.reload()
    expect(ben.get_by_text("Joined as D-")).to_be_visible()


def test_staff_pages_hold_at_every_width(company, new_page):
    mona = new_page(company.user("mona"), width=390)
    mona.expected_errors.append("422")
    mona.goto("/admin/genealogy/distributor/add/")
    go_on(mona, "Look at the names")
    checked(mona, "staff-enrol-errors")
    Distributor.objects.filter(pk=company.chloe.pk).update(user=None)
    mona.goto(f"/admin/genealogy/distributor/{company.chloe.number}/invite/")
    mona.get_by_label("E-mail").fill("chloe@example.org")
    checked(mona, "staff-invite")
    go_on(mona, "Send the invitation")
    expect(mona.get_by_text("A message asks Chloe Martin")).to_be_visible()
    enrolment = Enrolment.objects.get()
    mona.goto(f"/admin/genealogy/enrolment/{enrolment.number}/cancel/")
    checked(mona, "staff-cancel")

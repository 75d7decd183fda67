"""A person sends a paper in, a reviewer decides, and the person's open page tells him."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cast import gather
from tests.kyc.papers import picture_bytes, submitted

SHOTS = os.environ.get("SHOTS")


def shot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def company(live):
    return gather()


def test_verdict_appears_on_the_open_page(company, new_page):
    chloe, sam = new_page(company.user("chloe")), new_page(company.user("sam"))
    chloe.goto("/identity/")
    shot(chloe, "identity-missing")
    chloe.get_by_label("Kind of document").select_option("pan")
    chloe.get_by_label("Document number").fill("ABC")
    chloe.get_by_role("button", name="Send for review").click()
    expect(chloe.get_by_text("A PAN looks like").first).to_be_visible()
    shot(chloe, "identity-errors")
    chloe.get_by_label("Document number").fill("ABCPE1234F")
    chloe.get_by_label("Date of birth").fill("1990-05-17")
    chloe.get_by_label("Street and number").fill("12 Quay Street")
    chloe.get_by_label("City").fill("Bristol")
    chloe.get_by_label("Postcode").fill("BS1 4DJ")
    chloe.get_by_label("Country").fill("United Kingdom")
    picture = {"name": "front.jpg", "mimeType": "image/jpeg", "buffer": picture_bytes()}
    chloe.get_by_label("Picture of the front").set_input_files(picture)
    chloe.get_by_role("button", name="Send for review").click()
    expect(chloe.get_by_text("Your document is in review").first).to_be_visible()
    shot(chloe, "identity-pending")

    sam.goto("/admin/compliance/kycdocument/")
    shot(sam, "queue")
    sam.get_by_role("link", name="K-").first.click()
    expect(sam.get_by_role("img", name="Front of the PAN card")).to_be_visible()
    shot(sam, "review")
    expect(chloe.locator("#live")).to_have_attribute("data-state", "live")
    sam.get_by_role("link", name="Verify").click()
    shot(sam, "review-dialog")
    sam.get_by_role("button", name="Verify Chloe Martin").click()

    expect(chloe.locator("#identity-status")).to_contain_text(
        "Your identity is verified", timeout=2000
    )
    expect(chloe.locator("#toasts")).to_contain_text("Your identity is verified")
    expect(chloe.locator("#bell")).to_contain_text("unread")
    expect(sam.get_by_text("of Chloe Martin is verified.")).to_be_visible()
    shot(sam, "queue-empty")
    chloe.goto("/notifications/")
    shot(chloe, "notifications")
    chloe.get_by_role("button", name="Mark all as read").click()
    expect(chloe.locator("#bell")).not_to_contain_text("unread")
    shot(chloe, "notifications-read")


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (390, False), (390, True)])
def test_screens_hold_at_every_width_and_colour(company, new_page, width, dark):
    document = submitted(company.user("chloe"), full_name="Chloe Martins")
    submitted(company.user("dmitri"))
    for name, address in (
        ("chloe", "/identity/"),
        ("chloe", "/notifications/"),
        ("stella", "/identity/"),
        ("ada", "/admin/compliance/kycdocument/"),
        ("ada", f"/admin/compliance/kycdocument/{document.number}/review/"),
        ("ada", f"/admin/compliance/kycdocument/{document.number}/review/?confirm=reject"),
        ("ada", "/admin/accounts/user/"),
        ("ada", f"/admin/accounts/user/{document.user_id}/change/"),
        ("ada", f"/admin/accounts/user/{document.user_id}/access/suspend/"),
    ):
        page = new_page(company.user(name), width=width, dark=dark)
        page.goto(address)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        slug = address.strip("/").replace("/", "-").replace("?", "-")
        shot(page, f"{width}-{'dark' if dark else 'light'}-{name}-{slug}")
        assert overflow <= 0, address
        page.context.close()

"""The control room in two browsers: what one does, the other sees without a reload."""

from playwright.sync_api import expect

from commissions.services.claims import claim_volume
from tests.cast import at, gather
from tests.commissions.steps import the_period


def test_two_people_take_a_period_to_its_end(live, new_page):
    company = gather()
    assert company.plan
    for name, pieces in (("ben", 5), ("chloe", 6), ("dmitri", 10)):
        company.buys(name, pieces, at("2026-10-05"))
    claim_volume()
    room = f"/admin/commissions/commissionperiod/{the_period('2026-10').pk}/control-room/"
    closer, approver = new_page(company.user("fiona")), new_page(company.user("felix"))

    closer.goto(room)
    approver.goto(room)
    press(closer, "Close the period")
    expect(approver.get_by_role("link", name="Calculate")).to_be_visible()
    press(closer, "Calculate")
    expect(closer.get_by_role("heading", name="What comes out")).to_be_visible()
    expect(closer.get_by_text("You closed this period")).to_be_visible()
    expect(closer.get_by_role("link", name="Approve")).to_have_count(0)
    press(approver, "Approve")
    press(approver, "Finalize and pay")

    expect(approver.get_by_text("The commissions are in the wallets.")).to_be_visible()
    expect(closer.get_by_text("Total at payment")).to_be_visible()
    assert the_period("2026-10").status == "finalized"


def test_an_open_question_stays_while_the_room_moves_on(live, new_page):
    company = gather()
    assert company.plan
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()
    room = f"/admin/commissions/commissionperiod/{the_period('2026-10').pk}/control-room/"
    closer, other = new_page(company.user("fiona")), new_page(company.user("felix"))
    closer.goto(room)
    other.goto(room)

    other.get_by_role("link", name="Close the period").click()
    question = other.get_by_role("dialog")
    press(closer, "Close the period")
    expect(other.locator("#control-room")).to_have_attribute("data-behind", "yes")
    expect(question).to_be_visible()
    question.get_by_role("link", name="Cancel").click()

    expect(other.get_by_role("link", name="Calculate")).to_be_visible()
    expect(other.locator("#control-room")).not_to_have_attribute("data-behind", "yes")


def press(page, name):
    """Open the question and answer it."""
    page.get_by_role("link", name=name).click()
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def test_room_fits_a_telephone(live, new_page):
    company = gather()
    assert company.plan
    company.buys("ben", 5, at("2026-10-05"))
    claim_volume()
    page = new_page(company.user("felix"), width=390, dark=True)

    page.goto(f"/admin/commissions/commissionperiod/{the_period('2026-10').pk}/control-room/")

    expect(page.get_by_role("heading", name="October 2026")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

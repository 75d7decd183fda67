"""The portal's pages as they are used: readable by everybody, opened by mouse and keyboard."""

import pytest
from playwright.sync_api import expect

from commissions.models import CommissionPeriod, CommissionRun, LedgerEntry
from commissions.services.claims import claim_volume
from commissions.services.finalize import approve_period, finalize_period
from commissions.services.periods import close_period
from commissions.services.runs import start_run
from tests import stack
from tests.browser.looks import WIDTHS, faults_of
from tests.cast import at, gather


@pytest.fixture
def company(live):
    cast = gather()
    assert cast.plan
    cast.buys("ben", 5, at("2026-10-05"))
    cast.buys("chloe", 6, at("2026-10-06"))
    cast.buys("dmitri", 10, at("2026-10-07"))
    cast.buys(cast.rosa, 2, at("2026-10-08"))
    claim_volume()
    period = CommissionPeriod.objects.get(code="2026-10")
    close_period(period=period, actor=cast.user("fiona"))
    run = start_run(period=period, actor=cast.user("fiona"))
    stack.wait_for(lambda: CommissionRun.objects.get(pk=run.pk).status == "done", live.worker)
    approve_period(period=period, actor=cast.user("felix"))
    finalize_period(period=period, actor=cast.user("felix"))
    return cast


def pages_of(cast):
    line = LedgerEntry.objects.filter(distributor=cast.ben, bonus__code="unilevel").first()
    run = CommissionPeriod.objects.get(code="2026-10").runs.get(kind="close")
    order = cast.ben.orders.first()
    return [
        "/",
        "/genealogy/",
        f"/genealogy/?open={cast.dmitri.number}",
        "/genealogy/drawn/",
        "/genealogy/search/?q=m",
        f"/genealogy/{cast.chloe.number}/",
        "/earnings/",
        "/earnings/2026-10/",
        f"/earnings/2026-10/{run.number}-{line.pk & 0xFFFFFFFF}/",
        "/ranks/",
        "/ranks/?aim=2",
        "/ranks/?change=2026-10",
        "/orders/",
        f"/orders/{order.number}/",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_readable_by_everybody(company, new_page, width):
    page = new_page(company.user("ben"), width=width)

    for url in pages_of(company):
        response = page.goto(url)
        assert response.status == 200, url
        assert list(faults_of(page, preload=True)) == [], url


def test_staff_pages_are_readable_by_everybody(company, new_page):
    page = new_page(company.user("fiona"))

    for url in (
        "/",
        "/genealogy/",
        f"/genealogy/{company.ben.number}/",
        "/earnings/",
        f"/earnings/?distributor={company.ben.number}",
        "/ranks/",
        f"/ranks/?distributor={company.ben.number}",
    ):
        page.goto(url)
        assert list(faults_of(page, both=False, preload=True)) == [], url


def test_a_line_opens_by_mouse_and_by_keyboard(company, new_page):
    page = new_page(company.user("asha"))
    page.goto("/genealogy/")
    ben = page.locator("tr", has_text=company.ben.number)
    chloe = page.locator("tr", has_text=company.chloe.number)

    ben.locator(".tree-toggle").click()
    expect(chloe).to_be_visible()
    expect(ben).to_have_attribute("aria-expanded", "true")
    ben.focus()
    page.keyboard.press("ArrowLeft")
    expect(chloe).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(chloe).to_be_visible()
    chloe.locator(".tree-toggle").click()
    expect(page.locator("tr", has_text=company.dmitri.number)).to_have_attribute("aria-level", "4")


def test_a_card_comes_beside_the_drawing(company, new_page):
    page = new_page(company.user("asha"))
    page.goto("/genealogy/drawn/")

    page.get_by_label(f"Ben Cole, {company.ben.number}").click()

    expect(page.locator("#card")).to_contain_text("Level 1 below you")
    assert page.url.endswith("/genealogy/drawn/")


def test_figures_change_without_a_reload(company, new_page):
    page = new_page(company.user("chloe"))
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    expect(page.locator("#figures")).to_contain_text("Earned so far in November 2026")

    company.buys("dmitri", 10)

    expect(page.locator("#figures")).to_contain_text("£4.00", timeout=4000)
    expect(page.locator("#rank")).to_contain_text("200.00 GV")
    expect(page.locator("#toasts")).to_contain_text("You earned £4.00")


def test_an_upline_s_estimate_changes_without_a_reload(company, new_page):
    company.buys("ben", 6)
    claim_volume()
    dashboard, period = (new_page(company.user("ben")) for _ in range(2))
    dashboard.goto("/")
    period.goto("/earnings/2026-11/")
    for page in (dashboard, period):
        expect(page.locator("#live")).to_have_attribute("data-state", "live")
        expect(page.locator("main")).to_contain_text("Together, about £0.00")
        page.evaluate("window.isStillThisPage = true")

    company.buys("dmitri", 10)

    for page in (dashboard, period):
        expect(page.locator("main")).to_contain_text("Together, about £10.00", timeout=4000)
        assert page.evaluate("window.isStillThisPage")
        expect(page.locator("#toasts")).to_be_empty()


def test_without_script_the_tree_is_read_by_links(company, new_page):
    page = new_page(company.user("asha"), java_script_enabled=False)
    page.goto("/genealogy/")

    page.locator("tr", has_text=company.ben.number).locator(".tree-toggle").click()

    expect(page.locator("tr", has_text=company.chloe.number)).to_be_visible()

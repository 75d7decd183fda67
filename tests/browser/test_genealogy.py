"""The genealogy as it is used: by keyboard alone, on a phone, without script, read aloud."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from genealogy.models import Distributor, DownlineExport
from tests import stack
from tests.browser.looks import WIDTHS, faults_of
from tests.cast import gather
from tests.genealogy.moving import asked
from tests.portal.lines import enrol_under, place_the_company

YESTERDAY = f"on={timezone.localdate() - timedelta(days=1)}"


@pytest.fixture
def company(live):
    cast = gather()
    enrol_under(cast, "dmitri", 60)
    place_the_company(cast)
    Distributor.objects.filter(pk=cast.ben.pk).update(current_month_pv=90, current_month_gv=900)
    return cast


@pytest.mark.parametrize("width", WIDTHS)
def test_genealogy_pages_are_readable_by_everybody(company, new_page, width):
    page = new_page(company.user("asha"), width=width)

    for url in (
        f"/genealogy/?open={company.chloe.number}",
        f"/genealogy/?at={company.dmitri.number}&columns=joined&columns=status",
        "/genealogy/?level=4",
        "/genealogy/?rank=gold",
        "/genealogy/?joined_from=soon",
        "/genealogy/drawn/?depth=4",
        "/genealogy/drawn/?tree=placement&depth=3",
        "/genealogy/figures/",
        "/genealogy/exports/",
        f"/genealogy/?{YESTERDAY}&open={company.chloe.number}",
        f"/genealogy/drawn/?{YESTERDAY}&tree=placement&depth=3",
        f"/genealogy/figures/?{YESTERDAY}",
        f"/genealogy/{company.ben.number}/?{YESTERDAY}",
        "/genealogy/?on=soon",
    ):
        assert page.goto(url).status == 200, url
        assert list(faults_of(page, preload=True)) == [], url


def focused(page):
    return page.evaluate("document.activeElement.dataset.number ?? document.activeElement.tagName")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_the_list_is_walked_by_keyboard_alone(company, new_page):
    page = new_page(company.user("asha"))
    page.goto("/genealogy/")
    row = {name: page.locator(f'tr[data-number="{getattr(company, name).number}"]')
           for name in ("asha", "ben", "chloe", "dmitri", "stella")}  # fmt: skip
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page) == company.asha.number:
            break
    assert focused(page) == company.asha.number

    press(page, "ArrowDown", "ArrowRight")
    expect(row["chloe"]).to_be_visible()
    press(page, "ArrowRight", "ArrowRight")
    expect(row["dmitri"]).to_have_attribute("aria-level", "4")
    press(page, "End")
    assert focused(page) == company.stella.number
    press(page, "Home", "d")
    assert focused(page) == company.dmitri.number
    press(page, "ArrowLeft")
    assert focused(page) == company.chloe.number
    press(page, "ArrowLeft")
    expect(row["chloe"]).to_have_attribute("aria-expanded", "false")
    expect(row["dmitri"]).to_be_hidden()
    press(page, "Home", "Tab", "Tab", "Tab")
    assert focused(page) != company.ben.number, "Tab leaves the list after the links of one row"
    row["chloe"].focus()
    press(page, "Enter")
    page.wait_for_url(f"**/genealogy/{company.chloe.number}/")


def test_the_list_of_another_day_is_walked_by_keyboard_alone(company, new_page):
    """Stella was moved below Ben today: yesterday she stood beside him."""
    asked(company, "stella", "ben")
    page = new_page(company.user("asha"))
    page.goto(f"/genealogy/?{YESTERDAY}")
    row = {name: page.locator(f'tr[data-number="{getattr(company, name).number}"]')
           for name in ("asha", "ben", "chloe", "stella")}  # fmt: skip
    expect(row["stella"]).to_have_attribute("aria-level", "2")

    row["asha"].focus()
    press(page, "ArrowDown", "ArrowRight")
    expect(row["chloe"]).to_be_visible()
    press(page, "ArrowRight")
    assert focused(page) == company.chloe.number
    assert page.url.endswith(f"?{YESTERDAY}&open={company.ben.number}")
    page.reload()
    expect(row["chloe"]).to_be_visible()
    row["chloe"].focus()
    press(page, "Enter")
    page.wait_for_url(f"**/genealogy/{company.chloe.number}/?{YESTERDAY}")
    page.get_by_role("link", name="Back to today").click()
    page.wait_for_url(f"**/genealogy/{company.chloe.number}/")


@pytest.mark.parametrize("with_script", [True, False])
def test_another_day_is_chosen_by_form(company, new_page, with_script):
    asked(company, "stella", "ben")
    page = new_page(company.user("asha"), width=390, java_script_enabled=with_script)
    page.goto("/genealogy/drawn/?depth=3")

    page.get_by_text("As of today").click()
    page.locator("#day_on").fill(YESTERDAY.removeprefix("on="))
    page.get_by_role("form", name="As of").get_by_role("button", name="Show").click()

    expect(page.locator("#day-bar")).to_contain_text("As of")
    assert "depth=3" in page.url
    assert YESTERDAY in page.url
    label = re.compile(f"Ben Cole, {company.ben.number}, 62 below")
    expect(page.get_by_label(label)).to_be_attached()


def test_show_more_goes_on_where_the_keyboard_is(company, new_page):
    page = new_page(company.user("dmitri"))
    page.goto("/genealogy/")
    rows = page.locator("#downline tbody tr[data-number]")
    assert rows.count() == 51

    rows.first.focus()
    press(page, "End", "Enter")

    expect(rows).to_have_count(61)
    assert focused(page) == rows.nth(51).get_attribute("data-number")
    press(page, "ArrowUp")
    assert focused(page) == rows.nth(50).get_attribute("data-number")


def test_a_reload_shows_what_was_open(company, new_page):
    page = new_page(company.user("asha"))
    page.goto("/genealogy/")
    chloe = page.locator(f'tr[data-number="{company.chloe.number}"]')
    dmitri = page.locator(f'tr[data-number="{company.dmitri.number}"]')

    page.locator(f'tr[data-number="{company.ben.number}"] .tree-toggle').click()
    expect(chloe).to_be_visible()
    chloe.locator(".tree-toggle").click()
    expect(dmitri).to_be_visible()
    assert page.url.endswith(f"?open={company.chloe.number}")
    page.reload()

    expect(dmitri).to_be_visible()
    chloe.locator(".tree-toggle").click()
    assert page.url.endswith(f"?open={company.ben.number}")
    page.reload()
    expect(chloe).to_be_visible()
    expect(dmitri).to_have_count(0)


def test_the_list_says_to_a_screen_reader_what_it_is(company, new_page):
    page = new_page(company.user("asha"))
    page.goto(f"/genealogy/?open={company.ben.number}")
    grid = page.get_by_role("treegrid", name="Downline")

    expect(grid).to_be_visible()
    expect(grid.get_by_role("columnheader", name="GV this period")).to_be_visible()
    ben = grid.get_by_role("row", name=re.compile("Ben Cole"))
    for name, value in {"level": "2", "expanded": "true", "posinset": "1", "setsize": "2"}.items():
        expect(ben).to_have_attribute(f"aria-{name}", value)
    expect(ben.get_by_role("gridcell", name="900.00")).to_be_visible()


def test_columns_and_filters_are_chosen_by_form(company, new_page):
    page = new_page(company.user("asha"), width=390)
    page.goto("/genealogy/")

    page.get_by_text("Filter and columns").click()
    page.locator("#id_level").fill("1")
    page.get_by_label("Joined", exact=True).check()
    page.get_by_role("button", name="Show").click()

    expect(page.locator("#found tbody tr")).to_have_count(2)
    expect(page.locator("#found")).to_contain_text("5 Jan 2026")
    assert "level=1" in page.url
    page.get_by_role("link", name="Show Stella Stone in the list").click()
    expect(page.locator("tr.is-current")).to_contain_text("Stella Stone")


def test_without_script_lines_open_and_close_and_filters_work(company, new_page):
    page = new_page(company.user("asha"), java_script_enabled=False)
    page.goto("/genealogy/")
    toggle = {name: page.locator(f'tr[data-number="{getattr(company, name).number}"] .tree-toggle')
              for name in ("ben", "chloe", "dmitri")}  # fmt: skip

    toggle["ben"].click()
    toggle["chloe"].click()
    toggle["dmitri"].click()
    expect(page.locator("tr[data-number]")).to_have_count(55)
    toggle["dmitri"].click()
    toggle["chloe"].click()
    expect(page.locator("tr[data-number]")).to_have_count(4)
    page.get_by_text("Filter and columns").click()
    page.locator("#id_level").fill("3")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("#found tbody tr")).to_have_count(1)


def test_the_drawing_is_legible_near_and_far(company, new_page):
    page = new_page(company.user("asha"), width=390)
    page.goto("/genealogy/drawn/")
    name = page.locator(".node-current .node-name")
    far = page.locator(".node-current .node-far")
    assert name.bounding_box()["height"] >= 13

    for _ in range(6):
        page.get_by_role("button", name="Zoom out").click()

    expect(far).to_be_visible()
    expect(name).to_be_hidden()
    assert far.bounding_box()["height"] >= 13
    page.get_by_role("button", name="Centre on Asha Rao").click()
    expect(far).to_be_hidden()
    assert name.bounding_box()["height"] >= 13


def test_without_script_the_drawing_scrolls_at_its_size(company, new_page):
    page = new_page(company.user("asha"), width=390, java_script_enabled=False)
    page.goto("/genealogy/drawn/")

    assert page.locator(".node-current .node-name").bounding_box()["height"] >= 13
    page.get_by_role("link", name="Go to Asha Rao in the drawing").click()
    expect(page.locator(".node-current .node-name")).to_be_in_viewport()


def test_the_drawing_is_walked_by_keyboard(company, new_page):
    page = new_page(company.user("asha"), width=390)
    page.goto("/genealogy/drawn/?tree=placement&depth=3")
    canvas = page.locator("[data-panzoom]")
    seen = canvas.locator(":scope > svg")
    before = seen.get_attribute("viewBox")

    canvas.focus()
    press(page, "ArrowRight", "ArrowDown", "-")
    assert seen.get_attribute("viewBox") != before
    for _ in range(10):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
        if "Dmitri" in label:
            break
    expect(page.get_by_label(f"Right: Dmitri Orlov, {company.dmitri.number}")).to_be_in_viewport()
    press(page, "Enter")

    expect(page.locator("#card")).to_contain_text("Dmitri Orlov")
    expect(page.locator("#card h2")).to_be_in_viewport()


def test_spillover_is_marked_near_and_far(company, new_page):
    page = new_page(company.user("asha"), width=1280)
    page.goto("/genealogy/drawn/?tree=placement&depth=3")
    box = page.get_by_label(re.compile("Dmitri Orlov, .*, spillover"))
    expect(box.locator(".node-near").get_by_text("Spillover")).to_be_visible()

    for _ in range(6):
        page.get_by_role("button", name="Zoom out").click()

    far = box.locator(".node-far").get_by_text("Spillover")
    expect(far).to_be_visible()
    assert far.bounding_box()["height"] >= 12
    expect(box.locator(".node-far").get_by_text("Active")).to_be_visible()


def test_an_export_is_made_by_the_worker_and_downloaded(company, new_page, live):
    page = new_page(company.user("asha"))
    page.goto("/genealogy/?level=4")

    page.get_by_role("button", name="Export what was found").click()
    download = page.get_by_role("link", name=re.compile("Download the export"))
    expect(download).to_be_visible()
    with page.expect_download() as fetched:
        download.click()

    stack.wait_for(lambda: DownlineExport.objects.get().status == "done", live.worker)
    text = fetched.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 61
    assert {row[2] for row in rows[1:]} == {"4"}

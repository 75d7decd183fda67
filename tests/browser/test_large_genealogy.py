"""The genealogy of a hundred thousand distributors in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import expect

from genealogy.models import Distributor, GenealogyNode
from genealogy.services.tree_index import rebuild_tree
from tests.benchmarks.loading import figures_of, load_people
from tests.benchmarks.network import generate
from tests.cast import make_user
from tests.portal.conftest import queries_of

SIZE = 100_000
A_PAGE = 50


@pytest.fixture
def top(live):
    """The distributor at the top of a generated company, whose line is everybody."""
    network = generate(SIZE)
    load_people(network, figures_of(network))
    for tree in ("sponsor", "placement"):
        rebuild_tree(tree)
    with connection.cursor() as cursor:
        cursor.execute("analyze genealogy_distributor, genealogy_genealogynode")
    person = Distributor.objects.get(sponsor=None)
    person.user = make_user("Tara Top")
    person.save(update_fields=["user"])
    return person


def with_children(least, most=SIZE):
    """Somebody with so many children, two levels below the top or deeper."""
    below = Distributor.objects.filter(sponsor__sponsor__isnull=False)
    several = below.filter(direct_referral_count__range=(least, most))
    return several.order_by("-direct_referral_count", "-pk")[0]


def deepest():
    return GenealogyNode.objects.filter(tree="sponsor").order_by("-depth", "lft")[0].distributor


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_pages_over_many_are_readable_and_fit(top, new_page, width, dark):
    wide, deep = with_children(A_PAGE + 1), deepest()
    page = new_page(top.user, width=width, dark=dark)

    for url in (
        f"/genealogy/?root={wide.number}",
        f"/genealogy/?at={deep.number}",
        "/genealogy/?level=8&columns=joined&columns=status",
        "/genealogy/drawn/?depth=4",
        f"/genealogy/drawn/?depth=4&root={wide.number}",
        "/genealogy/drawn/?tree=placement&depth=4",
        "/genealogy/figures/",
    ):
        assert page.goto(url).status == 200, url
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        violations = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == [], url
        wider = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, url


def test_one_walks_among_many_by_keyboard_alone(top, new_page):
    """Searched for by number, opened, to the second fifty below, back, and to the card."""
    wide = with_children(A_PAGE + 10, 2 * A_PAGE)
    page = new_page(top.user)
    page.goto("/genealogy/")
    grid = page.get_by_role("treegrid", name="Downline")
    expect(grid).to_be_visible()

    reach(page, "#find-person")
    page.keyboard.type(wide.number)
    page.keyboard.press("Enter")
    found = grid.get_by_role("row", name=re.compile(wide.number))
    expect(found).to_have_class("is-current")
    reach(page, f'tr[data-number="{wide.number}"]')
    expect(found).to_have_attribute("aria-expanded", "false")
    before = grid.get_by_role("row").count()

    page.keyboard.press("ArrowRight")
    expect(grid.get_by_role("row")).to_have_count(before + A_PAGE + 1)
    page.keyboard.press("ArrowRight")
    first = page.locator(":focus")
    expect(first).to_have_attribute("aria-posinset", "1")
    expect(first).to_have_attribute("aria-setsize", str(wide.direct_referral_count))
    for _ in range(A_PAGE):
        page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_contain_text("Show more")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-posinset", str(A_PAGE + 1))
    expect(grid.get_by_role("row")).to_have_count(before + wide.direct_referral_count)
    page.keyboard.press("ArrowLeft")
    expect(found).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(grid.get_by_role("row")).to_have_count(before)
    assert wide.number not in page.url.split("open=")[-1]

    page.keyboard.press("Enter")
    page.wait_for_url(f"**/genealogy/{wide.number}/")


def test_the_drawing_of_many_is_walked_by_keyboard_alone(top, new_page):
    """From box to box, and to the card of one."""
    page = new_page(top.user, width=390)
    page.goto("/genealogy/drawn/?tree=placement&depth=4")
    canvas = page.locator("[data-panzoom]")
    expect(canvas).to_be_visible()
    below = Distributor.objects.get(placement_parent=top, leg=2)

    reach(page, "[data-panzoom] .node")
    for _ in range(40):
        if below.number in (page.locator(":focus").get_attribute("aria-label") or ""):
            break
        page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_accessible_name(re.compile(f"Right: .*{below.number}"))
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_contain_text(below.number)


def test_opening_a_line_asks_as_often_for_few_as_for_many(top, client):
    client.force_login(top.user)
    few, many = with_children(1, 1), with_children(A_PAGE + 1)
    counts = {
        person.number: [
            queries_of(client, url)
            for url in (
                f"/genealogy/{person.number}/children/?level=2",
                f"/genealogy/?root={person.number}",
                f"/genealogy/drawn/?root={person.number}&depth=4",
                f"/genealogy/{person.number}/",
            )
        ]
        for person in (few, many)
    }

    assert counts[few.number] == counts[many.number]


def reach(page, selector):
    """Press Tab until what the selector names has the focus."""
    wanted = page.locator(selector).first
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")

"""How a page looks to everybody: what axe finds in light and in dark, and whether it fits."""

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = [1280, 390]
SCRIPT = Axe().axe_script
# The first node of each rule that is broken; axe would tell of everything that is in order, too.
RUN = """options => axe.run({resultTypes: ["violations"], ...options}).then(
  found => found.violations.map(rule => [rule.id, rule.nodes[0].html.slice(0, 160)]))"""
# Two colour schemes differ in colours alone, and these are the rules that look at them.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def faults_of(page: Page, *, both: bool = True, preload: bool = False) -> Iterator[list[Any]]:
    """Of a page in the colours that it has; with `both` of a light page, in dark as well.

    Without `preload`, which copies imported sheets inline: the policy refuses that, as it should.
    """
    yield from faults_here(page, {"preload": preload})
    if both:
        page.emulate_media(color_scheme="dark")
        page.reload()
        yield from faults_here(page, {"preload": preload, **COLOURS})
        page.emulate_media(color_scheme="light")


def faults_here(page: Page, options: dict[str, Any]) -> Iterator[list[Any]]:
    page.evaluate(SCRIPT)
    yield from page.evaluate(RUN, options)
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if wider > 0:
        yield ["wider than the window", wider]

"""What a real browser sees of the pages that `tests.benchmarks.pages` times on the server.

The web process of `make run` and Chromium, one after the other on this machine. `server` is the
time from the request to the first byte, `whole` until the page has loaded, both as the browser
counts them; opening a line counts from the press to the rows that stand there.
"""

from __future__ import annotations

import os
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests import stack
from tests.browser.conftest import FLAGS, cookie_of

ROUNDS = 12
LOADED = """() => {
  const seen = performance.getEntriesByType("navigation")[0];
  return [seen.responseStart - seen.requestStart, seen.loadEventEnd - seen.startTime];
}"""
OPENED = """number => new Promise((done) => {
  const row = document.querySelector(`tr[data-number="${number}"]`);
  const since = performance.now();
  document.body.addEventListener("htmx:afterSettle", () => {
    const seen = performance.getEntriesByType("resource").at(-1);
    done([seen.responseStart - seen.requestStart, performance.now() - since]);
  }, { once: true });
  row.querySelector(".tree-toggle").click();
})"""


def browse(user: Any, pages: dict[str, str], opened: str, number: str) -> dict[str, float]:
    """Print a line a page, as the user sees it; returns the worst first byte of each, in ms.

    `opened`: the page on which the line of the distributor with the number is opened.
    """
    web, address = stack.start_web()
    cookie = cookie_of(user, address)  # before the browser has its event loop
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=FLAGS,
                chromium_sandbox=os.geteuid() != 0,
            )  # fmt: skip
            page = signed_in(browser, cookie, address)
            print(f"\n{'in a browser':28}{'server ms':>10}{'worst':>8}{'whole ms':>10}{'worst':>8}")
            worst = {
                name: shown(name, [loaded(page, url) for _ in range(ROUNDS)])
                for name, url in pages.items()
            }
            shown("a line opened", [line_opened(page, opened, number) for _ in range(ROUNDS)])
            browser.close()
    finally:
        web.stop()
    return worst


def signed_in(browser: Browser, cookie: Any, address: str) -> Page:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.add_cookies([cookie])
    return context.new_page()


def loaded(page: Page, url: str) -> list[float]:
    page.goto(url, wait_until="load")
    page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    return page.evaluate(LOADED)


def line_opened(page: Page, url: str, number: str) -> list[float]:
    page.goto(url, wait_until="load")
    return page.evaluate(OPENED, number)


def shown(name: str, times: list[list[float]]) -> float:
    """The page's line; returns the worst time to the first byte. The first round warms up."""
    server, whole = zip(*times[1:], strict=True)
    figures = (statistics.median(server), max(server), statistics.median(whole), max(whole))
    print(f"{name:28}{figures[0]:10.0f}{figures[1]:8.0f}{figures[2]:10.0f}{figures[3]:8.0f}")
    return figures[1]

"""Real browsers against the real application: web and worker processes over the test database.

    def test_something(live, new_page, ...):
        page = new_page(user)              # signed in; new_page() is a stranger
        page.goto("/payouts/")             # relative to live.url

Each page of `new_page` fails its test on a content security policy violation, a script error or
a console error that the test did not expect (`page.expected_errors.append("part of the text")`).
"""

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import sync_playwright

from tests import stack

FLAGS = [
    "--no-first-run", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@dataclass
class Live:
    url: str
    web: stack.Running
    worker: stack.Running


@pytest.fixture(scope="session")
def live_processes(django_db_setup, django_db_blocker):
    with ExitStack() as both:
        worker = stack.start("worker")
        both.callback(worker.stop)
        web, url = stack.start_web()
        both.callback(web.stop)
        stack.wait_for(stack.worker_answers, worker)
        yield Live(url, web, worker)


@pytest.fixture
def live(transactional_db, live_processes):
    """The running application: `.url`, and the processes `.web` and `.worker`.

    A test ends when the worker has nothing left to do, so that no task meets the next one.
    """
    yield live_processes
    if live_processes.worker.is_running():
        stack.wait_for(stack.is_idle, live_processes.worker)


@pytest.fixture(scope="module")
def chromium():
    """One Chromium a module: its event loop must not outlive it, or asynchronous tests refuse."""
    path = shutil.which("chromium")
    assert path, "The browser tests need Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()


@pytest.fixture
def new_page(live, chromium):
    """A factory: `new_page(user, width=390, dark=True)` opens a page in a context of its own."""
    contexts, faults = [], []

    def open_page(user=None, *, width=1280, height=900, dark=False, **options):
        context = chromium.new_context(
            base_url=live.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="Europe/London",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            sign_in(context, user, live.url)
        page = context.new_page()
        page.expected_errors = []
        watch(page, faults)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def sign_in(context, user, url):
    """Gives the browser a session as the sign-in form would, without filling it in."""
    context.add_cookies([cookie_of(user, url)])


def cookie_of(user, url):
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


def watch(page, faults):
    def note(text):
        if not any(expected in text for expected in page.expected_errors):
            faults.append(f"{page.url}: {text}")

    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", lambda message: note(message.text) if message.type == "error" else None)

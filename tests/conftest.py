"""What every test has: Hypothesis, which on CI draws the same at every run, and a browser."""

import os
from urllib.parse import urlsplit

import pytest
from hypothesis import settings
from pages import serve
from playwright.sync_api import expect, sync_playwright

from scripts.site.chromium import chromium_path

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
expect.set_options(timeout=15_000)  # Python starts within it on a machine that is busy
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def site():
    process, address = serve()
    yield address
    process.terminate()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open pages that fail their test on a console error or a request to another host."""
    contexts, faults = [], []

    def open_(address, quiet=True, **options):
        context = chromium.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        if quiet:
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "console",
                lambda message: (
                    message.type in ("error", "warning") and faults.append(message.text)
                ),
            )
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            host = urlsplit(page.url).netloc
            faults += [url for url in page.requests if urlsplit(url).netloc not in ("", host)]
        context.close()
    assert faults == []

"""A browser, and the site as it is served."""

from urllib.parse import urlsplit

import pytest
from pages import serve
from playwright.sync_api import expect, sync_playwright

from scripts.site.chromium import chromium_path

expect.set_options(timeout=60_000)  # on a machine that is busy, too


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

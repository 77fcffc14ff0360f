"""A headless browser for tests: Debian's chromium, driven by Playwright; what a page did is written down."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
LOAD_MS = 30_000


@dataclass
class Visit:
    """A page that was opened, what it asked for and what went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without one the test is skipped, under CI=true it fails."""
    program = shutil.which("chromium")
    if program is None:
        reason = "chromium is not installed (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, where: Path | str, *, width: int = 1360) -> Iterator[Visit]:
    """Open a file or an address; its script has run and its plots are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(LOAD_MS)
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.goto(where.as_uri() if isinstance(where, Path) else where)
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    try:
        yield seen
    finally:
        page.close()


def pixels(element: Locator) -> np.ndarray:
    """(height, width, 3) of an element, each from 0 to 1."""
    return matplotlib.image.imread(BytesIO(element.screenshot()))[..., :3]

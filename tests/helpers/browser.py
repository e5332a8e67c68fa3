"""A real Chromium for tests, if the machine has one, and what a page did in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

FONTS: Final = Path(__file__).parents[1] / "data" / "fonts.conf"


@dataclass(slots=True)
class Visit:
    """An open page, its requests and its error messages."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def chromium() -> str:
    """The path of Chromium; skips the test if it or its driver isn't installed."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    return program


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser for several tests."""
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        environ: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_FILE": str(FONTS)}
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS), env=environ)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, address: str | Path, **context: Any) -> Iterator[Visit]:
    """``address``, a file or a URL, in its own context."""
    url = address.as_uri() if isinstance(address, Path) else address
    fresh = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **context})
    try:
        visit = Visit(fresh.new_page())
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.goto(url)
        yield visit
    finally:
        fresh.close()

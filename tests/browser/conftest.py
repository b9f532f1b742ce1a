"""A real Chromium, if the machine has one, in front of a real server."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.live_server import LiveServer
from tests.patience import patience

DESKTOP = ViewportSize(width=1440, height=900)
LAPTOP = ViewportSize(width=1280, height=720)
PHONE = ViewportSize(width=390, height=844)
expect.set_options(timeout=patience(10.0) * 1000)
ACTION_MILLISECONDS = patience(20.0) * 1000

# Everything that Chromium would do on the network by itself is off: a request to another host is then the page's.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@dataclass
class Watched:
    """A page, and everything about it that should not happen."""

    page: Page
    problems: list[str] = field(default_factory=list)

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        wider: int = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return wider


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install one, or set CHROMIUM to its path")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture(params=["light"])
async def watched(
    browser: Browser, live_server: LiveServer, clean_database: None, request: pytest.FixtureRequest
) -> AsyncIterator[Watched]:
    """A fresh page; at the test's end nothing may have gone wrong in it, and nothing been asked of another host."""
    marker = request.node.get_closest_marker("viewport")
    context = await browser.new_context(
        viewport=marker.args[0] if marker else DESKTOP, base_url=live_server.url, color_scheme=request.param
    )
    context.set_default_timeout(ACTION_MILLISECONDS)
    watched = Watched(await context.new_page())
    page, problems = watched.page, watched.problems
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda got: problems.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on("request", lambda sent: problems.append(sent.url) if not _own(sent.url, live_server.url) else None)
    yield watched
    await context.close()
    assert problems == []


def _own(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:", "about:"))

"""A tab of a browser on a real Stash, watched: what goes wrong in it fails the test that opened it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request

STUB = Path(__file__).with_name("stub_index.js")
ENTRY = "**/plugin/stash-portability/assets/ui/*/page/index.js*"
EXPORT = "Export…"
LIGHT = """
:root { color-scheme: light; }
body, .main, .card, .grid-card, .modal-header, .modal-body, .modal-footer, .dropdown-menu, .bg-secondary, .table-list {
  background: #f4f5f7 !important; color: #1d2733 !important; }
.top-nav, .top-nav .bg-dark { background: #dfe5ec !important; }
.top-nav .btn, h1, h2, h3, h4, h5, h6, p, label, legend, td, th, tr, a.btn-link, .modal-title, .text-white,
.dropdown-item, .nav-link, .close { color: #1d2733 !important; text-shadow: none; }
.form-control, .text-input, .custom-select, .react-select__control, .table thead, .table tr {
  background: #fff !important; color: #1d2733 !important; }
.btn-secondary { background: #cfd8e3; border-color: #b8c4d3; color: #1d2733; }
"""
"""A light theme as people write them for Stash: custom CSS on top of its dark one."""

NOT_FOUND = "Failed to load resource: the server responded with a status of 404 (Not Found)"
STASH_NOISE = ((NOT_FOUND, r"/scene/\d+/preview"),)
"""What Stash itself writes as errors on a healthy page, word for word, and of which address: a scene that has no
preview yet is asked for it when the pointer comes over it."""


@dataclass
class Tab:
    """A page, what went wrong in it, and the few moves all tests make."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The variables last sent with each GraphQL operation of this name."""
    expected: list[str] = field(default_factory=list)
    """Parts of texts of errors that this test brings about itself."""

    def go(self, path: str) -> None:
        """Open an address of Stash and wait until its page stands."""
        self.page.goto(self.base + path)
        self.page.locator(".top-nav").wait_for()

    def move(self, path: str) -> None:
        """Go to another address of Stash as its own links do, without loading the page anew: that is much faster."""
        self.page.evaluate(
            "(to) => { history.pushState({}, '', to); dispatchEvent(new PopStateEvent('popstate', {state: {}}));"
            " if (window.stub) window.stub.contexts.length = 0; }",
            path,
        )
        self.page.locator("#stub-dialog").wait_for(state="detached")

    def rows(self) -> Locator:
        """The records of the list on the screen, in any of its forms."""
        return self.page.locator(".item-list-container").locator(".grid-card, tbody tr")

    def open_menu(self) -> Locator:
        """Open the list's "…" menu; give its Export… entry."""
        self.page.locator(".item-list-container #more-menu:visible").first.click()
        return self.page.locator(".dropdown-menu.show .dropdown-item", has_text=re.compile(f"^{EXPORT}$"))

    def export(self) -> None:
        """Choose Export… in the list's menu."""
        self.open_menu().click()

    def context(self) -> dict[str, Any]:
        """What the stub of the dialog was given, of which there must be one."""
        self.page.locator("#stub-dialog").wait_for()
        assert self.page.locator("#stub-dialog").count() == 1
        given: list[dict[str, Any]] = self.page.evaluate("window.stub.contexts")
        assert len(given) == 1, given
        return given[0]

    def select(self, *numbers: int) -> None:
        """Tick the records with these places (from 0) of the list on the screen."""
        for number in numbers:
            row = self.rows().nth(number)
            row.hover()
            row.locator("input[type=checkbox]").first.click()

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide

    def shot(self, name: str) -> None:
        """Keep a picture for a person to look at, when SHOTS names a folder."""
        if folder := os.environ.get("SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def watch(tab: Tab) -> None:
    """Note every error of the page and every request that leaves this machine."""
    page = tab.page
    page.on("pageerror", lambda error: _note(tab, f"uncaught: {error}"))
    page.on("console", lambda message: _console(tab, message))
    page.on("request", lambda request: _request(tab, request))
    page.on("websocket", lambda socket: _address(tab, socket.url))


def _note(tab: Tab, text: str) -> None:
    if not any(part in text for part in tab.expected):
        tab.problems.append(text)


def _console(tab: Tab, message: ConsoleMessage) -> None:
    url = message.location.get("url", "")
    ours = message.type == "warning" and "Stash Portability" in message.text
    noise = any(message.text == text and re.fullmatch(path, urlsplit(url).path) for text, path in STASH_NOISE)
    if (message.type == "error" and not noise) or ours:
        _note(tab, f"console: {message.text} ({url})")


def _request(tab: Tab, request: Request) -> None:
    tab.requests.append(request.url)
    _address(tab, request.url)
    if request.url.endswith("/graphql") and request.method == "POST":
        body = json.loads(request.post_data or "{}")
        tab.asked[body.get("operationName") or ""] = body.get("variables") or {}


def _address(tab: Tab, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
        _note(tab, f"a request to {parts.scheme}://{parts.hostname}")


def serve_stub(context: BrowserContext) -> None:
    """Give the browser a stub of ui/page/index.js, which shows and keeps what it is given."""
    context.route(ENTRY, lambda route: route.fulfill(body=STUB.read_text("utf-8"), content_type="text/javascript"))


def serve_light(context: BrowserContext) -> None:
    """Give the browser a light theme as Stash's custom CSS."""
    context.route(re.compile(r"/css$"), lambda route: route.fulfill(body=LIGHT, content_type="text/css"))


OpenTab = Callable[..., Tab]

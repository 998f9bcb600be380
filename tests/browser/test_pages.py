"""main.js on Stash's pages: what it adds, what it weighs, and that Stash's page is whole when ours is not."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

from .conftest import PHONE
from .harness import serve_stub

ROOT = Path(__file__).parents[2]
NAV = ".portability-nav:visible"
PAGES = "scenes images groups scenes/markers galleries performers studios tags stats settings".split()
MISSING = "Failed to load resource: the server responded with a status of 404 (Not Found)"


def stands(tab) -> None:
    """Stash's own page is there, whole."""
    tab.page.locator(".top-nav").wait_for()
    tab.page.locator(".main").wait_for()
    assert tab.page.locator(".ErrorBoundary").count() == 0
    assert tab.page.get_by_text("Something went wrong").count() == 0


def test_other_pages_load_main_js_and_nothing_else_of_ours(tab):
    tab.go("/")
    for path in PAGES:
        tab.page.locator(f".top-nav a[href='/{path}']:visible").first.click()
        tab.page.wait_for_url(f"**/{path}*")
        tab.page.locator(".LoadingIndicator").wait_for(state="detached")
        stands(tab)
    ours = {url.split("/plugin/")[1] for url in tab.requests if "/plugin/" in url}
    assert ours == {"stash-portability/javascript"}
    assert not any("RunPluginOperation" in name for name in tab.asked)


def test_main_js_weighs_little(site):
    with urllib.request.urlopen(f"{site.url}/plugin/stash-portability/javascript", timeout=10) as answer:
        assert len(answer.read()) <= 15 * 1024
    assert (ROOT / "ui" / "main.js").stat().st_size <= 15 * 1024


@pytest.mark.parametrize("size", [None, PHONE], ids=["wide", "phone"])
def test_the_bar_leads_to_the_page(open_tab, site, size):
    tab = open_tab(site, stub=True, **({"size": size} if size else {}))
    tab.go("/tags")
    if size:
        assert tab.page.locator(NAV).count() == 0
        tab.page.locator(".nav-menu-toggle").click()
    tab.page.locator(NAV).wait_for()
    assert tab.page.locator(NAV).count() == 1
    tab.shot(f"entry-bar-{'phone' if size else 'wide'}")
    tab.page.locator(NAV).click()
    tab.page.locator("#stub-page").wait_for()
    assert tab.page.url == f"{tab.base}/plugins/portability"
    if size:
        tab.page.locator(NAV).wait_for(state="hidden")
    tab.page.reload()
    tab.page.locator("#stub-page").wait_for()
    assert tab.overflow() <= 0


def test_the_tools_lead_to_the_page(tab):
    tab.go("/settings?tab=tools")
    link = tab.page.locator(".setting a[href$='/plugins/portability']")
    link.wait_for()
    assert link.count() == 1
    tab.shot("entry-tools")
    link.click()
    tab.page.locator("#stub-page").wait_for()


def test_everything_works_below_a_prefix(open_tab, site):
    tab = open_tab(site, stub=False)
    tab.expected += ["WebSocket connection to", "websocket connection"]  # the prefix is made here, for requests only

    def forward(route):
        url = route.request.url.replace("/lib/stash/", "/")
        headers = {**route.request.headers, "x-forwarded-prefix": "/lib/stash"}
        route.fulfill(response=route.fetch(url=url, headers=headers))

    tab.page.context.route(re.compile(r"/lib/stash/"), forward)
    serve_stub(tab.page.context)
    tab.base += "/lib/stash"
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    tab.context()
    assert tab.page.evaluate("window.stub.started") == [{"pluginId": "stash-portability", "base": f"{tab.base}/"}]
    assert any("/lib/stash/plugin/stash-portability/assets/ui/" in url for url in tab.requests)
    tab.page.keyboard.press("Escape")
    tab.page.locator(NAV).click()
    tab.page.locator("#stub-page").wait_for()
    assert tab.page.url == f"{tab.base}/plugins/portability"


BREAK_LIBRARIES = """
let api;
Object.defineProperty(window, "PluginApi", {
  get: () => api,
  set: (value) => {
    api = value;
    for (const name of ["Bootstrap", "ReactRouterDOM", "FontAwesomeSolid"])
      Object.defineProperty(value.libraries, name, { get() { throw new Error("broken on purpose"); } });
  },
});
"""


def test_stashs_page_stays_whole_when_ours_breaks_while_it_is_drawn(open_tab, site):
    tab = open_tab(site, stub=True)
    tab.expected += ["broken on purpose", "Stash Portability"]
    tab.page.add_init_script(BREAK_LIBRARIES)
    tab.go("/settings?tab=tools")
    tab.page.get_by_text("Scene Duplicate Checker").wait_for()
    stands(tab)
    tab.go("/scenes")
    tab.rows().first.wait_for()
    stands(tab)
    assert tab.page.locator(".portability-nav, .portability-export").count() == 0
    tab.page.locator("#more-menu").click()
    tab.page.locator(".dropdown-menu.show .dropdown-item", has_text="Export all…").wait_for()


def test_a_patch_that_throws_gives_back_what_it_was_given_and_warns_once(open_tab, site):
    tab = open_tab(site, stub=True)
    warnings: list[str] = []
    tab.page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    tab.expected.append("Stash Portability")
    # what a patch reads of its arguments fails, as when a new Stash gives others
    tab.page.add_init_script("""
        let api;
        Object.defineProperty(window, "PluginApi", { get: () => api, set: (value) => {
            api = value;
            const before = value.patch.before;
            value.patch.before = (name, patch) => before(name, (...args) => {
                const kept = args[0];
                const trap = new Proxy(kept, { ownKeys() { throw new Error("broken on purpose"); } });
                return patch(trap, ...args.slice(1)).map((one) => (one === trap ? kept : one));
            });
        } });
    """)
    tab.go("/performers")
    tab.rows().first.wait_for()
    tab.page.locator(".top-nav a[href='/scenes']:visible").first.click()
    tab.page.locator(".scene-card").first.wait_for()
    stands(tab)
    ours = [text.split(" does not")[0].split(": ")[1] for text in warnings if text.startswith("Stash Portability")]
    assert {"SceneListOperations", "PerformerList", "App"} <= set(ours)
    assert len(ours) == len(set(ours))  # once each
    tab.page.locator("#more-menu").click()
    menu = tab.page.locator(".dropdown-menu.show .dropdown-item")
    menu.filter(has_text="Export all…").wait_for()
    assert menu.filter(has_text=re.compile("^Export…$")).count() == 0


def test_parts_that_are_gone_after_an_update_are_told_and_tried_again(open_tab, site):
    tab = open_tab(site)
    tab.expected.append(MISSING)
    gone = re.compile(r"/page/index\.js")
    tab.page.context.route(gone, lambda route: route.fulfill(status=404))
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    notice = tab.page.locator(".modal .alert")
    notice.wait_for()
    assert "reload this page" in notice.inner_text()
    tab.shot("entry-gone-dialog")
    notice.get_by_role("button", name="Close").click()
    notice.wait_for(state="detached")
    stands(tab)
    tab.page.locator(NAV).click()
    page_notice = tab.page.locator(".main .alert")
    page_notice.wait_for()
    tab.shot("entry-gone-page")
    tab.page.context.unroute(gone)
    serve_stub(tab.page.context)
    page_notice.get_by_role("button", name="Try again").click()
    tab.page.locator("#stub-page").wait_for()


def test_parts_that_throw_leave_a_notice(open_tab, site):
    tab = open_tab(site)
    tab.expected += ["broken on purpose", "Stash Portability"]
    body = "export function PortabilityPage() { throw new Error('broken on purpose'); }"
    body += "export const ExportDialog = PortabilityPage; export const start = () => {};"
    route = re.compile(r"/page/index\.js")
    tab.page.context.route(route, lambda route: route.fulfill(body=body, content_type="text/javascript"))
    tab.go("/plugins/portability")
    tab.page.locator(".main .alert").wait_for()
    stands(tab)
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    tab.page.locator(".modal .alert").get_by_role("button", name="Close").click()
    tab.page.locator(".modal").wait_for(state="detached")
    stands(tab)


def test_on_a_phone_the_menu_has_the_entry(open_tab, site):
    tab = open_tab(site, stub=True, size=PHONE)
    tab.go("/scenes")
    tab.rows().first.wait_for()
    before = tab.overflow()
    tab.export()
    tab.context()
    assert before <= 0
    tab.shot("entry-phone")

"""Journey 11, "it went wrong": one sentence with what to do, and a way on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ..live import stash_server
from ..live.stash_server import Options, StashServer
from ..live.test_plugin import install
from .conftest import tidy
from .moves import SET_PYTHON, dialog, download, press_export, preview_again, python_of, sheet, slow_python


@pytest.fixture(scope="module")
def shaky(with_page, request, tmp_path_factory) -> Any:
    """A populated Stash with the plugin that these tests may break."""
    folder = tmp_path_factory.mktemp("stash-shaky")
    with StashServer.copy_of(request.getfixturevalue("seed_030"), folder, with_page, Options()) as server:
        install(server)
        tidy(server)
        yield server


def begin_an_export(tab: Any) -> None:
    """Export all scenes from their list, and wait until it goes on."""
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    dialog(tab)
    press_export(tab)
    tab.page.get_by_text("Exporting…").wait_for()


def test_a_python_that_does_not_work_is_told_and_can_be_mended(open_tab, shaky):
    tab = open_tab(shaky)
    python = python_of(shaky)
    shaky.graphql(SET_PYTHON, {"path": "/bin/false"})
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    notice = tab.page.locator(".portability-dialog [role=alert]")
    notice.wait_for()
    assert "Python executable path" in notice.inner_text()
    tab.shot("journey11-python")
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notice.get_by_role("button", name="Copy details").click()
    notice.get_by_text("Copied.").wait_for()
    assert "exit status 1" in tab.page.evaluate("navigator.clipboard.readText()")
    shaky.graphql(SET_PYTHON, {"path": python})
    notice.get_by_role("button", name="Try again").click()
    dialog(tab)


def test_a_run_is_cancelled_and_run_again(open_tab, shaky):
    python = slow_python(shaky, 20)
    tab = open_tab(shaky)
    begin_an_export(tab)
    tab.shot("journey11-running")
    tab.page.get_by_role("button", name="Cancel").click()
    tab.page.get_by_text("Cancelled. Nothing was left").wait_for()
    tab.shot("journey11-cancelled")
    shaky.graphql(SET_PYTHON, {"path": python})
    tab.page.get_by_role("button", name="Run again").click()
    assert len(sheet(download(tab)[1])) == 4
    assert not list((shaky.folder / "portability" / "exports").glob(".*partial"))


def test_a_stash_that_restarts_in_the_middle(open_tab, shaky, monkeypatch):
    python = slow_python(shaky, 20)
    tab = open_tab(shaky)
    tab.expected += ["net::ERR_", "Failed to fetch", "WebSocket", "websocket connection", "Socket closed"]
    begin_an_export(tab)
    port = shaky.port
    monkeypatch.setattr(stash_server, "free_port", lambda: port)
    shaky.stop()
    tab.page.get_by_text("Stash does not answer at the moment").wait_for(timeout=15_000)
    tab.shot("journey11-away")
    shaky.start()
    shaky.graphql(SET_PYTHON, {"path": python})
    again = tab.page.get_by_role("button", name="Run again")
    again.wait_for(timeout=20_000)
    told = tab.page.locator(".portability-dialog [role=alert] span").first.locator("xpath=..").inner_text()
    assert "broken off" in told
    assert told.lower().count("run it again") == 1
    tab.shot("journey11-broken-off")
    again.click()
    assert len(sheet(download(tab)[1])) == 4


def test_closing_the_dialog_does_not_stop_the_run(open_tab, shaky):
    python = slow_python(shaky, 4)
    tab = open_tab(shaky)
    begin_an_export(tab)
    shaky.graphql(SET_PYTHON, {"path": python})
    tab.page.locator(".portability-dialog .close").click()
    tab.page.locator(".portability-dialog").wait_for(state="detached")
    tab.page.locator(".portability-nav:visible").click()
    tab.page.locator(".portability-card", has_text="Exporting…").wait_for()  # found again on the page
    tab.page.get_by_role("tab", name="Export").click()
    assert len(sheet(download(tab)[1])) == 4


def test_a_run_that_goes_on_elsewhere_keeps_nobody_from_an_export(open_tab, shaky):
    python = slow_python(shaky, 20)
    first, second = open_tab(shaky), open_tab(shaky)
    first.go("/scenes")
    first.page.locator(".portability-export").click()
    dialog(first)
    first.page.get_by_role("button", name="Export", exact=True).dblclick()
    first.page.get_by_text("Exporting…").wait_for()
    shaky.graphql(SET_PYTHON, {"path": python})
    second.go("/tags")
    second.rows().first.wait_for()
    second.export()
    second.page.get_by_role("heading", name="Begun before: Export scenes").wait_for()
    second.page.get_by_role("button", name="Set up another export").click()
    dialog(second)
    second.page.keyboard.press("Escape")
    second.page.locator(".portability-nav:visible").click()
    second.page.get_by_role("tab", name="Runs").click()
    run = second.page.locator(".portability-run").first
    run.locator(".badge", has_text="going on").wait_for()
    run.locator(".badge", has_text="done").wait_for(timeout=60_000)  # the row follows, not only its bar
    assert "4 scenes" in run.locator("summary").first.inner_text()
    assert run.locator("time").get_attribute("title").endswith(" UTC")
    going = second.page.locator(".portability-run .badge").get_by_text(re.compile("^(waiting|going on)$"))
    assert going.count() == 0  # the double click began one


def test_what_is_refused_cannot_be_started(open_tab, shaky):
    profiles = shaky.folder / "portability" / "profiles"
    profiles.mkdir(parents=True, exist_ok=True)
    (profiles / "torn.yaml").write_text("name: [torn\n", "utf-8")
    tab = open_tab(shaky)
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    box = dialog(tab)
    button = tab.page.get_by_role("button", name="Export", exact=True)
    box.get_by_label("Profile", exact=True).select_option("torn")
    preview_again(tab)
    assert "torn.yaml" in box.locator("[role=alert]").inner_text()
    assert button.is_disabled()
    box.get_by_label("Profile", exact=True).select_option("")
    preview_again(tab)
    assert button.is_enabled()

"""The preview of a restore with everything in it: side by side, with filters, behind its brakes."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest

from .canned import ARCHIVE, MORE, PLAN, Canned, run_of
from .conftest import PHONE
from .harness import Tab


def opened(open_tab: Any, site: Any, **more: Any) -> tuple[Tab, Canned]:
    """The preview, opened from the decisions that wait."""
    tab = open_tab(site, **more)
    canned = Canned().serve(tab)
    tab.go("/plugins/portability")
    tab.page.get_by_role("button", name="Look at it").click()
    tab.page.locator(".portability-change").first.wait_for()
    return tab, canned


def rows(tab: Tab) -> list[str]:
    return [text.split("\n")[0] for text in tab.page.locator(".portability-change").all_inner_texts()]


@pytest.mark.parametrize("look", ["dark", "light", "phone"])
def test_every_change_is_shown_side_by_side(open_tab, site, look):
    size = {"size": PHONE, "has_touch": True} if look == "phone" else {}
    tab, _ = opened(open_tab, site, light=look == "light", **size)
    assert tab.page.locator(".portability-counts tbody tr").count() == 3
    first, second, third = tab.page.locator(".portability-change").all()
    assert "+ Fen" in first.inner_text()
    tags = [cell.inner_text() for cell in second.get_by_role("row", name="Tags").get_by_role("cell").all()]
    assert tags == ["− Season 0", "+ Wetland"]
    assert third.get_by_role("cell").all_inner_texts() == ["Heron", "empty"]
    assert tab.overflow() <= 0
    tab.shot(f"restore-preview-{look}")
    tab.page.locator(".portability-brake").scroll_into_view_if_needed()
    tab.shot(f"restore-brakes-{look}")


def test_filters_and_pages_are_asked_of_the_backend(open_tab, site):
    tab, canned = opened(open_tab, site)
    tab.page.get_by_role("button", name="Show more").click()
    tab.page.locator(".portability-change").nth(5).wait_for()
    assert canned.asked[-1]["cursor"] == MORE
    assert tab.page.evaluate("document.activeElement.classList.contains('portability-change')")
    tab.page.get_by_label("Kind", exact=True).select_option("scene")
    tab.page.locator(".portability-change", has_text="Wetland").nth(1).wait_for(state="detached")
    tab.page.get_by_label("Field", exact=True).select_option("tags")
    tab.page.wait_for_timeout(300)
    assert {"kind": "scene", "field": "tags"}.items() <= canned.asked[-1].items()
    assert tab.page.get_by_label("What is done", exact=True).locator("option").all_inner_texts() == ["all", "changed"]
    for what, text in [("conflicts", "Otter at play"), ("ambiguities", "Heron (14)"), ("waiting", "Only a scan")]:
        tab.page.get_by_label("Show", exact=True).select_option(what)
        tab.page.get_by_text(text).first.wait_for()
    tab.page.locator("summary", has_text="1 field cannot be restored").click()
    tab.page.get_by_text("scene.created_at, 31 times: Stash sets it itself").wait_for()


def test_nothing_is_applied_before_all_is_accepted(open_tab, site):
    tab, canned = opened(open_tab, site)
    apply = tab.page.get_by_role("button", name="Apply 913 changes")
    assert apply.is_disabled()
    tab.page.get_by_label("It would delete 12 of 40 performer").check()
    assert apply.is_disabled()
    word = tab.page.get_by_label("Type “delete”")
    word.fill("deleted")
    assert apply.is_disabled()
    word.fill("delete")
    assert "btn-primary" not in (apply.get_attribute("class") or "")  # what destroys is not what invites
    apply.click()
    tab.page.get_by_text("The restore is done").wait_for()
    assert canned.started == [("apply", {"plan": PLAN, "accept": ["many-deletes"]})]
    assert "1 record was changed meanwhile, and left alone" in tab.page.locator(".portability-page").inner_text()
    tab.page.get_by_role("button", name="Undo…").click()
    told = tab.page.get_by_role("group", name="Take back what this run wrote?")
    assert "1 tag was made: it is deleted again" in told.inner_text()
    assert "12 performers were deleted: they are made again" in told.inner_text()
    assert tab.page.evaluate("document.activeElement.textContent") == "Keep it"
    tab.shot("restore-undo")
    told.get_by_role("button", name="Keep it").click()
    assert len(canned.started) == 1
    tab.page.get_by_role("button", name="Undo…").click()
    tab.page.get_by_role("button", name="Undo", exact=True).click()
    tab.page.get_by_text("It was taken back").wait_for()
    assert canned.started[1:] == [("undo", {"run": run_of("apply", 1)})]


def accepted(tab: Tab) -> None:
    """Accept everything, and apply."""
    tab.page.get_by_label("It would delete 12 of 40 performer").check()
    tab.page.get_by_label("Type “delete”").fill("delete")
    tab.page.get_by_role("button", name="Apply 913 changes").click()


def test_a_brake_that_is_met_late_can_be_accepted_too(open_tab, site):
    tab, canned = opened(open_tab, site)
    message = "no-restore-point: Stash could not make a copy of its database first: no room"
    canned.outcome = {"state": "failed", "exit_code": 7, "error": {"code": "Braked", "message": message}}
    accepted(tab)
    again = tab.page.get_by_role("button", name="Do it all the same")
    again.wait_for()
    assert again.is_disabled()
    tab.page.get_by_label("Stash could not make a copy of its database first: no room.").check()
    canned.outcome = {}
    again.click()
    tab.page.get_by_text("The restore is done").wait_for()
    assert canned.started[-1] == ("apply", {"plan": PLAN, "accept": ["many-deletes", "no-restore-point"]})


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"state": "failed", "error": {"code": "NoSpace", "message": "the disk is full: make room"}}, "make room"),
        ({"state": "failed", "error": {"code": "Refused", "message": "Stash refused the API key"}}, "the API key"),
        ({"state": "stopped", "error": {"code": "Stopped", "message": "it was ended before"}}, "broken off"),
        ({"state": "cancelled", "error": {"code": "Cancelled", "message": "it was cancelled"}}, "Cancelled."),
    ],
    ids=["no room", "wrong key", "broken off", "cancelled"],
)
def test_what_ended_early_goes_on_with_a_new_preview(open_tab, site, outcome, words):
    """Journey 11."""
    tab, canned = opened(open_tab, site)
    canned.outcome = {"report": None, "exit_code": 1, **outcome}
    accepted(tab)
    notice = tab.page.locator(".portability-page [role=alert]")
    notice.wait_for()
    assert words in notice.inner_text()
    tab.shot(f"journey11-{outcome['state']}")
    tab.page.get_by_role("button", name="Run again").click()
    tab.page.get_by_text("Step 3 of 5").wait_for()
    tab.page.locator(".portability-change").first.wait_for()
    assert canned.started[-1] == ("restore", {"archive": ARCHIVE, "kinds": ["tag"], "links": True, "mode": "replace"})


def test_a_run_is_asked_after_every_two_seconds_and_not_while_nobody_looks(open_tab, site):
    tab, canned = opened(open_tab, site)
    times: list[float] = []
    tab.page.on("request", lambda request: times.append(time.monotonic()) if asks(request) else None)
    canned.outcome = {"state": "running"}
    accepted(tab)
    tab.page.get_by_text("Writing the changes…").wait_for()
    tab.page.wait_for_timeout(5000)
    assert len(times) >= 2
    assert all(later - sooner > 1.9 for sooner, later in pairwise(times))
    tab.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    tab.page.wait_for_timeout(500)
    before = len(times)
    tab.page.wait_for_timeout(4500)
    assert len(times) == before


def asks(request: Any) -> bool:
    """Whether a request asks what became of a run."""
    told = json.loads(request.post_data or "{}") if request.url.endswith("/graphql") else {}
    return ((told.get("variables") or {}).get("args") or {}).get("mode") == "run"

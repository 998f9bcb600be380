"""The journeys of a restore on a real Stash: 6 (a tag is lost), 10 (what happened?), 11 (it went wrong), 12 (by
keyboard alone, and on a phone)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..live import stash_server
from ..live.stash_server import Options, StashServer
from ..live.test_plugin import install
from .conftest import PHONE, ZONE, add_scenes, tidy
from .harness import Tab
from .moves import SET_PYTHON, slow_python

BACKUPS = "/plugins/portability?tab=backups"
TAG = "Season 0"
FIND_TAG = """query($name: String!) {
    findTags(tag_filter: {name: {value: $name, modifier: EQUALS}}) { tags { id scene_count } } }"""
DESTROY_TAG = "mutation($id: ID!) { tagDestroy(input: {id: $id}) }"
CREATE_TAG = "mutation($name: String!) { tagCreate(input: {name: $name}) { id } }"
TAGGED = """query($id: [ID!]) { findScenes(filter: {per_page: -1}, scene_filter: {tags: {value: $id,
    modifier: INCLUDES}}) { scenes { id title tags { name } } } }"""


@pytest.fixture
def shore(with_page, request, tmp_path_factory) -> Iterator[StashServer]:
    """A populated Stash with the plugin, which a test may change as it likes."""
    folder = tmp_path_factory.mktemp("stash-shore")
    with StashServer.copy_of(request.getfixturevalue("seed_030"), folder, with_page, Options(timezone=ZONE)) as server:
        install(server)
        tidy(server)
        add_scenes(server)
        yield server


def tagged(server: StashServer) -> list[Any]:
    """The scenes that have the tag, with all their tags; none when there is no such tag."""
    found = server.graphql(FIND_TAG, {"name": TAG})["findTags"]["tags"]
    if not found:
        return []
    scenes = server.graphql(TAGGED, {"id": [found[0]["id"]]})["findScenes"]["scenes"]
    return sorted((scene["id"], scene["title"], sorted(tag["name"] for tag in scene["tags"])) for scene in scenes)


def back_up(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Back up now").click()
    tab.page.get_by_text("The backup is made").wait_for(timeout=60_000)
    tab.page.locator(".portability-archives tbody tr").first.wait_for()


def lose_the_tag(server: StashServer) -> None:
    (tag,) = server.graphql(FIND_TAG, {"name": TAG})["findTags"]["tags"]
    server.graphql(DESTROY_TAG, {"id": tag["id"]})


def to_the_preview(tab: Tab, *, mode: str = "Bring back", kind: str = "Tags") -> None:
    """From the list of backups to the preview of restoring one kind."""
    tab.page.get_by_role("button", name=re.compile("^Restore…")).first.click()
    tab.page.get_by_text("Step 1 of 5").wait_for()
    tab.page.get_by_role("button", name="None", exact=True).click()
    tab.page.get_by_label(re.compile(f"^{kind} ")).check()
    tab.page.get_by_role("button", name="Next").click()
    tab.page.get_by_label(mode).check()
    tab.page.get_by_role("button", name="Make the preview").click()
    tab.page.locator(".portability-counts, .portability-page .alert").first.wait_for(timeout=60_000)


def apply(tab: Tab) -> None:
    tab.page.get_by_role("button", name=re.compile(r"^Apply \d")).click()
    tab.page.get_by_text("The restore is done").wait_for(timeout=60_000)


def take_back(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Undo…").click()
    tab.page.get_by_role("button", name="Undo", exact=True).click()
    tab.page.get_by_text("It was taken back").wait_for(timeout=60_000)


def test_a_deleted_tag_comes_back_with_its_scenes_and_goes_again(open_tab, shore):
    """Journeys 6 and 10."""
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    before = tagged(shore)
    assert len(before) == 31
    lose_the_tag(shore)
    assert tagged(shore) == []
    to_the_preview(tab)
    assert tab.page.get_by_text(re.compile("^Step ")).count() == 1
    counts = [row.split("\t") for row in tab.page.locator(".portability-counts tr").all_inner_texts()]
    assert counts == [["Kind", "new", "changed"], ["Scenes", "", "31"], ["Groups", "", "1"], ["Tags", "1", ""]]
    change = tab.page.locator(".portability-change", has_text="Reed survey 07")
    change.get_by_text(f"+ {TAG}").wait_for()
    tab.shot("journey6-preview")
    assert tagged(shore) == []  # a preview changes nothing
    apply(tab)
    tab.shot("journey6-done")
    assert tagged(shore) == before
    take_back(tab)
    tab.shot("journey6-undone")
    assert tagged(shore) == []
    tab.page.get_by_role("tab", name="Runs").click()
    run = tab.page.locator(".portability-run", has_text="Restore 2").filter(has_text="taken back")
    run.wait_for()
    assert run.get_by_role("button", name="Undo…").count() == 0
    run.locator("summary").first.click()
    assert "31 scenes changed" in run.inner_text()
    assert "Read from the plan" in run.inner_text()
    tab.shot("journey10-runs")
    with tab.page.expect_download() as waiting:
        run.get_by_role("button", name="Download the report").click()
    report = json.loads(Path(waiting.value.path()).read_text("utf-8"))
    assert report["report"]["changes"] == {"group update": 1, "scene update": 31, "tag create": 1}
    assert waiting.value.suggested_filename == f"{report['run']}.json"


def test_an_edited_list_and_ids_choose_single_records(open_tab, shore):
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    (tag,) = shore.graphql(FIND_TAG, {"name": TAG})["findTags"]["tags"]
    before = tagged(shore)
    lose_the_tag(shore)
    tab.page.get_by_role("button", name=re.compile("^Restore…")).first.click()
    tab.page.get_by_label("An edited list").check()
    tab.page.get_by_text("Choose the list.").wait_for()
    text = f"# What it holds\ntag {tag['id']}  # {TAG}\n#tag 1  # Rivers\n"
    file = {"name": "chosen.txt", "mimeType": "text/plain", "buffer": text.encode()}
    tab.page.get_by_label("List", exact=True).set_input_files(file)
    tab.page.get_by_text("chosen.txt: 1 record").wait_for()
    for way in ("list", "ids"):
        tab.page.get_by_role("button", name="Next").click()
        tab.page.get_by_role("button", name="Make the preview").click()
        tab.page.locator(".portability-counts").wait_for(timeout=60_000)
        told = tab.page.locator(".portability-counts tr").all_inner_texts()
        assert "Tags\t1\t" in told
        assert tab.page.locator(".portability-change", has_text=TAG).first.inner_text().startswith("new")
        if way == "list":
            tab.page.get_by_role("button", name="Back", exact=True).click()
            tab.page.get_by_role("button", name="Back", exact=True).click()
            tab.page.get_by_label("Some records, by their ids").check()
            tab.page.get_by_label("Tags", exact=True).fill(tag["id"])
            tab.shot("restore-ids")
    apply(tab)
    assert tagged(shore) == before
    assert shore.graphql("{ findTags { count } }")["findTags"]["count"] == 9  # and nothing else was made


def test_when_nothing_differs_there_is_nothing_to_apply(open_tab, shore):
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    to_the_preview(tab)
    tab.page.get_by_text("There is nothing to do.").wait_for()
    assert tab.page.get_by_role("button", name=re.compile("^Apply")).count() == 0


def test_a_brake_is_accepted_and_what_is_too_much_is_deleted(open_tab, shore):
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    for number in range(12):
        shore.graphql(CREATE_TAG, {"name": f"Driftwood {number:02}"})
    to_the_preview(tab, mode="Make it as it was")
    button = tab.page.get_by_role("button", name=re.compile(r"^Apply \d"))
    assert button.is_disabled()
    for brake in tab.page.locator(".portability-brake input").all():
        assert button.is_disabled()
        brake.check()
    assert "12 of 21 tag" in tab.page.locator(".portability-brake").all_inner_texts()[-1]
    tab.page.get_by_label("Type “delete” to let 12 records be deleted").fill("delete")
    tab.shot("brake-accepted")
    apply(tab)
    assert shore.graphql("{ findTags { count } }")["findTags"]["count"] == 9
    assert "Restore point:" in tab.page.locator(".portability-page").inner_text()
    take_back(tab)
    assert shore.graphql("{ findTags { count } }")["findTags"]["count"] == 21


def test_a_stash_that_restarts_while_it_is_applied(open_tab, shore, monkeypatch):
    """Journey 11: one sentence with what to do, and Run again goes on."""
    tab = open_tab(shore)
    tab.expected += ["net::ERR_", "Failed to fetch", "WebSocket", "websocket connection", "Socket closed"]
    tab.go(BACKUPS)
    back_up(tab)
    before = tagged(shore)
    lose_the_tag(shore)
    to_the_preview(tab)
    python = slow_python(shore, 20, "apply")
    tab.page.get_by_role("button", name=re.compile(r"^Apply \d")).click()
    tab.page.get_by_text("Writing the changes…").wait_for()
    port = shore.port
    monkeypatch.setattr(stash_server, "free_port", lambda: port)
    shore.stop()
    tab.page.get_by_text("Stash does not answer at the moment").wait_for(timeout=15_000)
    shore.start()
    shore.graphql(SET_PYTHON, {"path": python})
    again = tab.page.get_by_role("button", name="Run again")
    again.wait_for(timeout=30_000)
    assert "broken off" in tab.page.locator(".portability-page [role=alert]").inner_text()
    tab.shot("journey11-restore")
    again.click()
    tab.page.locator(".portability-counts").wait_for(timeout=60_000)
    apply(tab)
    assert tagged(shore) == before


def test_a_preview_is_cancelled_and_nothing_is_left(open_tab, shore):
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    lose_the_tag(shore)
    python = slow_python(shore, 20, "restore")
    tab.page.get_by_role("button", name=re.compile("^Restore…")).first.click()
    tab.page.get_by_role("button", name="Next").click()
    tab.page.get_by_role("button", name="Make the preview").click()
    tab.page.get_by_role("button", name="Cancel").click()
    tab.page.get_by_text("Cancelled. Nothing was changed.").wait_for()
    shore.graphql(SET_PYTHON, {"path": python})
    tab.page.get_by_role("button", name="Run again").click()
    tab.page.locator(".portability-counts").wait_for(timeout=60_000)


def test_a_preview_that_was_cancelled_is_ordered_again_from_any_browser(open_tab, shore):
    tab = open_tab(shore)
    tab.go(BACKUPS)
    back_up(tab)
    lose_the_tag(shore)
    python = slow_python(shore, 20, "restore")
    tab.page.get_by_role("button", name=re.compile("^Restore…")).first.click()
    tab.page.get_by_role("button", name="Next").click()
    tab.page.get_by_role("button", name="Make the preview").click()
    tab.page.get_by_role("button", name="Cancel").click()
    tab.page.get_by_text("Cancelled. Nothing was changed.").wait_for()
    shore.graphql(SET_PYTHON, {"path": python})
    tab.page.evaluate("localStorage.clear()")
    tab.page.reload()
    tab.page.get_by_role("tab", name="Runs").click()
    run = tab.page.locator(".portability-run", has_text="Preview a restore from")
    run.get_by_role("button", name="Run again").click()
    tab.page.locator(".portability-counts").wait_for(timeout=60_000)


def test_on_a_phone_everything_fits(open_tab, shore):
    """Journey 12 at 360 px."""
    tab = open_tab(shore, size=PHONE, has_touch=True)
    tab.go("/plugins/portability")
    tab.page.locator(".portability-card").first.wait_for()
    tab.shot("phone-overview")
    assert tab.overflow() <= 0
    tab.page.get_by_role("tab", name="Backups").click()
    back_up(tab)
    assert tab.overflow() <= 0
    tab.shot("phone-backups")
    lose_the_tag(shore)
    tab.page.get_by_role("button", name=re.compile("^Restore…")).first.click()
    tab.page.get_by_text("Step 1 of 5").wait_for()
    tab.page.locator("summary", has_text="Settings of Stash").click()
    assert tab.overflow() <= 0
    tab.shot("phone-what")
    tab.page.get_by_role("button", name="Next").click()
    tab.page.locator("summary", has_text="Kind by kind").click()
    assert tab.overflow() <= 0
    tab.shot("phone-how")
    tab.page.get_by_role("button", name="Make the preview").click()
    tab.page.locator(".portability-change").first.wait_for(timeout=60_000)
    assert tab.overflow() <= 0
    tab.shot("phone-review")
    apply(tab)
    assert tab.overflow() <= 0
    tab.shot("phone-report")
    tab.page.get_by_role("tab", name="Runs").click()
    tab.page.locator(".portability-run").first.wait_for()
    assert tab.overflow() <= 0
    tab.shot("phone-runs")


FOCUS = """() => {
    const one = document.activeElement, look = getComputedStyle(one);
    return { name: (one.getAttribute("aria-label") || one.labels?.[0]?.innerText || one.innerText || "").trim(),
        seen: one.matches(".portability-focus") || look.outlineStyle !== "none" && look.outlineWidth !== "0px"
            || look.boxShadow !== "none" };
}"""


class Keys:
    """A person with a keyboard and nothing else."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    def to(self, name: str, key: str = "Tab", limit: int = 80) -> None:
        """Press ``key`` until what has the focus begins with ``name``; what has it on the way must be seen to."""
        for _ in range(limit):
            self.tab.page.keyboard.press(key)
            at = self.tab.page.evaluate(FOCUS)
            assert at["seen"], at
            if at["name"].startswith(name):
                return
        raise AssertionError(f"{name} is not reached with {key}: {at}")

    def press(self, name: str, key: str = "Enter") -> None:
        self.to(name)
        self.tab.page.keyboard.press(key)


def test_by_keyboard_alone_from_the_backup_to_the_undo(open_tab, shore):
    """Journey 12: the focus is always in sight, and goes on from where it was."""
    tab = open_tab(shore)
    tab.go(BACKUPS)
    tab.page.get_by_role("button", name="Back up now").wait_for()
    tab.page.get_by_role("tab", name="Backups").focus()
    keys = Keys(tab)
    keys.press("Back up now")
    tab.page.locator(".portability-archives tbody tr").first.wait_for(timeout=60_000)
    lose_the_tag(shore)
    keys.press("Restore…")
    tab.page.get_by_text("Step 1 of 5").wait_for()
    keys.press("None")
    keys.press("Tags", "Space")
    keys.press("Next")
    tab.page.get_by_text("Step 2 of 5").wait_for()
    keys.press("Make the preview")
    tab.page.locator(".portability-change").first.wait_for(timeout=60_000)
    keys.press("Apply 33 changes")
    tab.page.get_by_text("The restore is done").wait_for(timeout=60_000)
    assert len(tagged(shore)) == 31
    keys.press("Undo…")
    assert tab.page.evaluate(FOCUS)["name"] == "Keep it"
    keys.press("Undo")
    tab.page.get_by_text("It was taken back").wait_for(timeout=60_000)
    assert tagged(shore) == []

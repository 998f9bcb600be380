"""The journeys that end in an export, as a person goes them: with the page's real parts and a real backend."""

from __future__ import annotations

import json
import re

import pytest

from .conftest import PHONE
from .moves import (
    SCENES,
    choose,
    compare,
    dialog,
    download,
    press_export,
    preview_again,
    sheet,
)
from .test_entry import tagged


def test_a_spreadsheet_of_what_the_filtered_list_shows(open_tab, site):
    """Journey 1, in four clicks after the filter: the menu, Export…, Export, Download."""
    tab = open_tab(site)
    tab.go(f"/scenes?disp=1&c={tagged(site.ids['tag:0'], 'Season 0')}")
    tab.rows().first.wait_for()
    tab.export()
    box = dialog(tab)
    chosen = box.locator("input[type=radio]:checked + label").first
    assert chosen.inner_text().startswith("What the list shows now")
    assert chosen.locator(".portability-count").inner_text() == "31"
    assert box.get_by_label("What the list shows now 31", exact=True).count() == 1  # as a screen reader says it
    assert "Spreadsheet (CSV)" in box.locator("select").first.evaluate("one => one.selectedOptions[0].text")
    tab.shot("journey1-dialog")
    press_export(tab)
    name, content = download(tab)
    tab.shot("journey1-done")
    assert name.endswith("-scenes.csv")
    criteria = tab.asked["FindScenes"]["scene_filter"]
    scenes = site.graphql(SCENES, {"f": criteria})["findScenes"]["scenes"]
    assert len(scenes) == 31
    compare(sheet(content), scenes)


def test_a_selection_is_exported_as_it_is(open_tab, site):
    tab = open_tab(site, light=True)
    tab.go("/scenes?disp=1&perPage=20&sortby=title&sortdir=asc&q=survey")
    tab.rows().nth(19).wait_for()
    tab.select(0, 4)
    tab.page.locator(".portability-export").click()
    box = dialog(tab)
    chosen = box.locator("input[type=radio]:checked + label").first
    assert (chosen.inner_text()[:8], chosen.locator(".portability-count").inner_text()) == ("Selected", "2")
    tab.shot("journey1-light")
    press_export(tab)
    rows = sheet(download(tab)[1])
    tab.shot("journey1-light-done")
    assert sorted(row["title"] for row in rows) == ["Reed survey 01", "Reed survey 05"]
    compare(rows, site.graphql(SCENES, {"ids": [row["id"] for row in rows]})["findScenes"]["scenes"])


def test_a_studios_list_is_shared_without_what_is_private(open_tab, site):
    """Journey 2: what is left out is told, gone from the preview, and gone from the file."""
    tab = open_tab(site)
    tab.go(f"/studios/{site.ids['studio:full']}/scenes")
    tab.rows().first.wait_for()
    tab.export()
    box = dialog(tab)
    heads = box.locator(".portability-table th")
    assert {"path", "rating100"} <= set(heads.all_inner_texts())
    choose(tab, "Share")
    preview_again(tab)
    told = box.locator(".portability-left-out").inner_text()
    assert re.search(r"\brating100\b", told)
    assert re.search(r"\bfiles", told) or re.search(r"\bpath", told)
    assert not {"path", "rating100", "play_count", "o_count"} & set(heads.all_inner_texts())
    tab.shot("journey2-share")
    press_export(tab)
    content = download(tab)[1]
    rows = sheet(content)
    assert len(rows) == 1
    assert rows[0]["title"] == 'Otters, "playing"'
    assert not {"path", "rating100", "play_count", "o_count"} & set(rows[0])
    assert b"otter.mp4" not in content
    assert str(site.folder.parent).encode() not in content


def test_our_own_filters_narrow_the_list(open_tab, site):
    tab = open_tab(site)
    tab.go("/scenes")
    tab.rows().first.wait_for()
    tab.export()
    box = dialog(tab)
    box.locator("summary", has_text="Only some of these").click()
    box.get_by_label("Tags: with", exact=True).fill("e")
    tab.page.locator("[id*=-option-]").first.wait_for()
    tab.page.keyboard.press("Escape")  # closes the list, not the dialog
    tab.page.locator("[id*=-option-]").first.wait_for(state="detached")
    box.get_by_label("Studios: with", exact=True).fill("Heron")
    tab.page.locator(".react-select__option, [id*=-option-]", has_text="Heron House").first.click()
    choose(tab, "with sub-studios")
    preview_again(tab)
    counts = box.locator(".portability-count").first
    tab.page.wait_for_function("one => one.textContent === '17'", arg=counts.element_handle())
    tab.shot("journey1-narrow")
    box.get_by_label("Rating from (0 to 100)").fill("50")
    preview_again(tab)
    press_export(tab)
    rows = sheet(download(tab)[1])
    assert rows
    assert {row["studio"] for row in rows} == {"Pond Minor"}
    assert all(int(row["rating100"]) >= 50 for row in rows)


def test_choices_are_remembered(open_tab, site):
    tab = open_tab(site)
    for remembered in (False, True):
        tab.go("/performers")
        tab.rows().first.wait_for()
        tab.export()
        box = dialog(tab)
        form = box.get_by_label("Format")
        assert (form.input_value() == "json") == remembered
        assert box.locator("label", has_text="Share").locator("xpath=../input").is_checked() == remembered
        if not remembered:
            form.select_option("json")
            choose(tab, "Share")
            preview_again(tab)
            press_export(tab)
            name, content = download(tab)
    assert name.endswith("-performers.json")
    found = json.loads(content)["performers"]
    assert len(found) == 4
    assert all("rating100" not in one for one in found)


def test_the_page_exports_the_whole_library_and_lists_its_runs(open_tab, site):
    tab = open_tab(site)
    tab.go("/plugins/portability?tab=export")
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for()
    tab.shot("page-export")
    press_export(tab)
    name, content = download(tab)
    assert name.endswith("-library.json")
    assert len(json.loads(content)["scenes"]) == site.graphql("{ findScenes { count } }")["findScenes"]["count"]
    tab.page.get_by_role("tab", name="Runs").click()
    tab.page.locator(".portability-run").first.wait_for()
    assert tab.page.locator(".portability-run .badge", has_text="done").count() >= 1
    tab.shot("page-runs")


@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
def test_on_a_phone_nothing_is_cut_off(open_tab, site, light):
    """Journey 12 at 360 px: nothing scrolls sideways but what has a frame of its own."""
    tab = open_tab(site, size=PHONE, light=light, has_touch=True)
    look = "light" if light else "dark"
    tab.go("/plugins/portability?tab=export")
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for()
    assert tab.overflow() <= 0
    tab.shot(f"phone-page-{look}")
    tab.go("/scenes")
    tab.rows().first.wait_for()
    tab.export()
    box = dialog(tab)
    for section in box.locator("summary").all():
        section.click()
    tab.page.wait_for_timeout(300)
    assert tab.overflow() <= 0
    sideways = "one => one.scrollWidth - one.clientWidth"
    assert tab.page.locator(".modal").evaluate(sideways) <= 0
    assert box.locator(".modal-body").evaluate(sideways) <= 0
    tab.shot(f"phone-dialog-{look}")
    if light:
        return
    press_export(tab)
    assert len(sheet(download(tab)[1])) == 34
    assert box.locator(".modal-body").evaluate(sideways) <= 0
    tab.shot(f"phone-done-{look}")


FOCUS = """async () => {
    await new Promise((done) => setTimeout(done, 30));  // whoever strays out of a dialog is called back a moment later
    const one = document.activeElement, look = getComputedStyle(one);
    const ring = (it) => { const s = getComputedStyle(it);
        return s.outlineStyle !== "none" && s.outlineWidth !== "0px" || s.boxShadow !== "none"; };
    return { name: `${one.tagName} ${one.id} ${one.className} ${(one.textContent || "").slice(0, 30)}`,
        inside: Boolean(one.closest(".modal")),
        button: one.classList.contains("portability-export"), submit: one.type === "submit",
        download: one.classList.contains("portability-download"),
        seen: ring(one) || ring(one.parentElement) || one.classList.contains("modal") };
}"""


def test_by_keyboard_alone_with_the_focus_in_sight(open_tab, site):
    """Journey 12: to the button, into the dialog, once round it, out with a file, and back at the button."""
    tab = open_tab(site)
    keys, at = tab.page.keyboard, lambda: tab.page.evaluate(FOCUS)

    def press_until(key: str, what: str, limit: int = 60) -> None:
        for _ in range(limit):
            if at()[what]:
                return
            keys.press(key)
        raise AssertionError(f"{what} is not reached with {key}: {at()}")

    tab.go(f"/scenes?c={tagged(site.ids['tag:0'], 'Season 0')}")
    tab.rows().first.wait_for()
    press_until("Tab", "button")  # no key gets into the "…" menu of Stash's scenes list
    keys.press("Enter")
    dialog(tab)
    met = []
    for _ in range(25):
        keys.press("Tab")
        met.append(at())
    outside = [one["name"] for one in met if not one["inside"]]
    assert all(name.startswith("BODY ") for name in outside), outside  # once round is by way of the browser's own bar
    assert len(outside) <= 2, outside
    assert all(one["seen"] for one in met if one["inside"]), [one["name"] for one in met if not one["seen"]]
    tab.shot("journey12-focus")
    press_until("Tab", "submit")
    keys.press("Enter")
    tab.page.locator(".portability-download").wait_for(timeout=30_000)
    press_until("Tab", "download")
    with tab.page.expect_download() as waiting:
        keys.press("Enter")
    assert waiting.value.suggested_filename.endswith("-scenes.csv")
    assert at()["inside"]
    keys.press("Escape")
    tab.page.locator(".portability-dialog").wait_for(state="detached")
    tab.page.wait_for_function("document.activeElement.classList.contains('portability-export')")

"""Journey 3, "my players should see it": NFO files beside the media, and into a folder."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from ..live import media
from ..live.stash_server import Options, StashServer
from ..live.test_plugin import install
from .cinema import FILMS, FOREIGN, contents, fill
from .conftest import PHONE, tidy
from .moves import SET_PYTHON, dialog, download, press_export, preview_again, slow_python

KEPT = "Season 1/Reed bed 03"


@pytest.fixture(scope="module")
def cinema(with_page, tmp_path_factory) -> Iterator[StashServer]:
    """A Stash with films that NFO files may be written beside."""
    if not media.available():
        pytest.skip("no ffmpeg here, which makes the films")
    with StashServer(with_page, tmp_path_factory.mktemp("stash-cinema"), Options()) as server:
        fill(server)
        install(server)
        tidy(server)
        yield server


def choose_nfo(tab: Any, *, phone: bool = False) -> Any:
    """Open the dialog from the list of scenes, and choose the format for media servers."""
    tab.go("/scenes")
    tab.rows().first.wait_for()
    if phone:
        tab.export()
    else:
        tab.page.locator(".portability-export").click()
    box = dialog(tab)
    assert box.get_by_label("Format", exact=True).input_value() == "csv"  # journey 1 keeps its four clicks
    box.get_by_label("Format", exact=True).select_option(label="Media server (NFO)")
    preview_again(tab)
    return box


def tally(tab: Any) -> dict[str, str]:
    """What became of the files, in the words of the summary."""
    tab.page.locator(".portability-tally").wait_for()
    pairs = tab.page.locator(".portability-tally > div").all()
    return {one.locator("dt").inner_text(): one.locator("dd").inner_text() for one in pairs}


def test_beside_the_media_with_artwork_and_a_path_rule(open_tab, cinema):
    """Files appear beside the films, the one of somebody else stays, and a second run changes nothing."""
    (cinema.media / f"{KEPT}.nfo").write_bytes(FOREIGN)
    tab = open_tab(cinema)
    box = choose_nfo(tab)
    box.get_by_label("Media server", exact=True).select_option("jellyfin")
    box.get_by_label("Beside the media").check()
    assert box.get_by_label("Artwork").is_checked()
    assert box.get_by_label("Keep").is_checked()
    box.get_by_role("button", name="Add a rule").click()
    tab.page.keyboard.type(str(cinema.media))  # the new row has the focus
    assert "Give both paths" in tab.page.locator(".portability-summary").inner_text()
    offered = box.locator("datalist option").evaluate_all("all => all.map((one) => one.value)")
    assert str(cinema.media) in offered
    box.get_by_label("The media server’s path, rule 1").fill("/media/films")
    preview_again(tab)
    shown = box.locator(".portability-box").inner_text()
    assert "<title>Reed bed 01" in shown
    tab.shot("journey3-dialog")
    python = slow_python(cinema, 3)
    press_export(tab)
    tab.page.get_by_text("Exporting…").wait_for()
    tab.page.locator(".portability-bar .progress").wait_for()
    tab.shot("journey3-bar")
    told = tally(tab)
    cinema.graphql(SET_PYTHON, {"path": python})
    assert (told["written"], told["unchanged"], told["skipped"]) == (str(FILMS - 1), "0", "1")
    assert int(told["pictures written"]) >= FILMS - 1
    tab.page.get_by_text("The files lie beside the media").wait_for()
    assert tab.page.locator(".portability-download").count() == 0
    reasons = tab.page.locator(".portability-reason")
    reasons.first.locator("summary").click()
    assert f"{KEPT}.nfo" in reasons.first.inner_text()
    tab.shot("journey3-done")
    before = contents(cinema.media)
    assert before[f"{KEPT}.nfo"][0] == FOREIGN
    assert {f"Season {(n - 1) // 10 + 1}/Reed bed {n:02}.nfo" for n in range(1, FILMS + 1)} <= set(before)
    assert b"/media/films/Season 1/.actors/Heron" in before["Season 1/Reed bed 01.nfo"][0]

    tab.page.get_by_role("button", name="Export again").click()
    tab.page.locator(".portability-tally").wait_for(state="detached")
    again = tally(tab)
    assert (again["written"], again["unchanged"], again["skipped"]) == ("0", str(FILMS - 1), "1")
    assert contents(cinema.media) == before
    tab.shot("journey3-again")


def test_files_of_others_are_merged_into_when_that_is_chosen(open_tab, cinema):
    (cinema.media / f"{KEPT}.nfo").write_bytes(FOREIGN)
    tab = open_tab(cinema)
    box = choose_nfo(tab)
    box.get_by_label("Beside the media").check()
    box.get_by_label("Merge").check()
    preview_again(tab)
    press_export(tab)
    assert tally(tab)["replaced, the old one kept"] == "1"
    merged = (cinema.media / f"{KEPT}.nfo").read_bytes()
    assert b"Not ours." in merged
    assert b"Wetland" in merged
    assert (cinema.media / f"{KEPT}.nfo.1").read_bytes() == FOREIGN


def test_into_a_folder_that_can_be_downloaded(open_tab, cinema):
    tab = open_tab(cinema, light=True)
    box = choose_nfo(tab)
    folder = box.get_by_label("Folder", exact=True)
    assert folder.input_value().endswith("media-server")
    tab.shot("journey3-light")
    press_export(tab)
    name, content = download(tab)
    assert name == "media-server.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert len([one for one in packed.namelist() if one.endswith(".nfo")]) == FILMS
    assert tally(tab)["written"] == str(FILMS)
    tab.shot("journey3-light-done")


def test_a_folder_outside_is_refused_before_anything_starts(open_tab, cinema):
    tab = open_tab(cinema)
    box = choose_nfo(tab)
    box.get_by_label("Folder", exact=True).fill("/etc/films")
    preview_again(tab)
    assert "/etc/films" in box.locator("[role=alert]").inner_text()
    assert tab.page.get_by_role("button", name="Export", exact=True).is_disabled()
    box.get_by_label("Folder", exact=True).fill("")  # the usual one
    preview_again(tab)
    assert tab.page.get_by_role("button", name="Export", exact=True).is_enabled()


def test_rules_by_keyboard(open_tab, cinema):
    """Enter begins the next rule and starts nothing; what is removed leaves the focus in sight."""
    tab = open_tab(cinema)
    box = choose_nfo(tab)
    keys = tab.page.keyboard
    named = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    box.get_by_role("button", name="Add a rule").focus()
    keys.press("Enter")
    for text in ("/one", "/two"):
        keys.type(text)
        keys.press("Tab")
        keys.type(f"/media{text}")
        keys.press("Enter")
    assert tab.page.evaluate(named) == "Stash’s path, rule 3"
    assert box.locator(".portability-rule").count() == 3
    for _ in range(2):
        keys.press("Tab")
    keys.press("Enter")  # removes the third
    assert tab.page.evaluate(named) == "Stash’s path, rule 2"
    box.get_by_role("button", name="Remove rule 2").click()
    box.get_by_role("button", name="Remove rule 1").click()
    assert tab.page.evaluate(named) == "Add a rule"
    assert box.is_visible()


def test_from_the_page_media_servers_lead_to_scenes_and_the_run_is_listed(open_tab, cinema):
    tab = open_tab(cinema)
    tab.go("/plugins/portability?tab=export")
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for()
    tab.page.get_by_label("Format", exact=True).select_option("nfo")
    assert tab.page.get_by_label("What", exact=True).input_value() == "scene"
    tab.page.get_by_label("Beside the media").check()
    preview_again(tab)
    press_export(tab)
    tally(tab)
    tab.page.get_by_role("tab", name="Runs").click()
    run = tab.page.locator(".portability-run").first
    assert "unchanged" in run.locator("summary").first.inner_text()
    assert run.get_by_role("button", name="Download").count() == 0
    run.locator("summary").first.click()
    tab.shot("journey3-runs")


def test_on_a_phone_the_choices_fit(open_tab, cinema):
    tab = open_tab(cinema, size=PHONE, has_touch=True)
    box = choose_nfo(tab, phone=True)
    box.get_by_role("button", name="Add a rule").click()
    tab.page.keyboard.type("/a/folder/with/a/name/that/is/longer/than/any/phone/is/wide")
    for section in box.locator("details").all():
        section.evaluate("one => (one.open = true)")
    sideways = "one => one.scrollWidth - one.clientWidth"
    assert tab.overflow() <= 0
    assert box.locator(".modal-body").evaluate(sideways) <= 0
    box.get_by_label("The media server’s path, rule 1").scroll_into_view_if_needed()
    tab.shot("journey3-phone")

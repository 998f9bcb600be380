"""Exports by a template: choosing one, writing in it with the preview following, mistakes, saving, and the file."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest

from .conftest import PHONE
from .moves import dialog, download, press_export, preview_again

GALLERY = "gallery-html"


def choose_template(tab: Any, name: str, *, phone: bool = False) -> Any:
    """Open the dialog from the list of scenes, and choose a template."""
    tab.go("/scenes")
    tab.rows().first.wait_for()
    if phone:
        tab.export()
    else:
        tab.page.locator(".portability-export").click()
    box = dialog(tab)
    box.get_by_label("Format", exact=True).select_option(label="Template")
    box.get_by_label("Template", exact=True).select_option(name)
    return box


def edit(box: Any) -> None:
    """Open the editor, if it is not."""
    if not box.get_by_label(re.compile("^Record")).is_visible():
        box.locator("summary", has_text="Edit the template").click()


def part(box: Any, name: str) -> Any:
    """The text of a part of the template."""
    return box.locator(f"[data-part={name}]")


def packed(content: bytes, ending: str) -> str:
    """The one text of this ending in a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(ending)]
        return archive.read(name).decode()


def test_the_gallery_is_changed_saved_and_exported(open_tab, site):
    """The whole way: a shipped template, a change the preview follows, a mistake shown, an own template, a file."""
    tab = open_tab(site)
    box = choose_template(tab, GALLERY)
    preview_again(tab)
    shown = box.locator(".portability-box")
    assert "<!doctype html>" in shown.inner_text().lower()
    edit(box)
    header = part(box, "header")
    header.fill(header.input_value().replace("<title>", "<title>Otters of "))
    preview_again(tab)
    assert "more lines of the header" in shown.inner_text()
    record = part(box, "record")
    record.fill(record.input_value().replace("<article>", "<article><b>Otters</b>"))
    preview_again(tab)
    assert "<article><b>Otters</b>" in shown.inner_text()
    record.focus()
    assert shown.is_visible()
    tab.shot("templates-gallery")

    right = record.input_value()
    record.fill("<i>one</i>\n<i>two</i>\n{{ performer }}\n" + right)
    preview_again(tab)
    assert record.get_attribute("aria-invalid") == "true"
    told = box.locator(".portability-fault").inner_text()
    assert "Line 3" in told
    assert "what is wrong" in box.locator(".portability-summary").inner_text()
    assert "performers" in told
    assert box.locator(".portability-numbers .portability-wrong").inner_text() == "3"
    assert tab.page.get_by_role("button", name="Export", exact=True).is_disabled()
    box.get_by_role("button", name="Show Record, line 3").click()
    chosen = "(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))"
    assert tab.page.evaluate(f"{chosen}(document.activeElement)") == "{{ performer }}"
    tab.shot("templates-mistake")
    tab.page.keyboard.type("{{ title }}")
    preview_again(tab)
    assert box.locator(".portability-fault").count() == 0

    box.get_by_label("Name", exact=True).fill("Otters & reeds")
    box.get_by_role("button", name="Save as own template").click()
    box.get_by_text("Saved as “Otters & reeds”.").wait_for()
    tab.page.wait_for_function("() => document.querySelector('.portability select option:checked')")
    which = box.get_by_label("Template", exact=True)
    tab.page.wait_for_function(
        "one => one.selectedOptions[0].text === 'Otters & reeds (own)'", arg=which.element_handle()
    )
    (kept,) = (site.folder / "portability" / "templates").iterdir()
    assert json.loads(kept.read_text("utf-8"))["record"].startswith("<i>one</i>")
    tab.shot("templates-saved")
    preview_again(tab)
    press_export(tab)
    name, content = download(tab)
    assert name.endswith(".zip")
    page = packed(content, ".html")
    assert page.count("<i>one</i>") == 34
    assert "<title>Otters of " in page
    assert "Reed survey 07" in page
    tab.shot("templates-done")


def test_a_new_template_from_fields_by_keyboard(open_tab, site):
    tab = open_tab(site, light=True)
    box = choose_template(tab, "")
    assert "Write what stands for each record" in tab.page.locator(".portability-summary").inner_text()
    keys = tab.page.keyboard
    part(box, "record").focus()
    keys.type("* ")
    box.get_by_label("Find a field").focus()
    keys.type("rating")
    keys.press("Enter")  # starts nothing
    keys.press("Tab")
    keys.press("Home")
    assert tab.page.evaluate("document.activeElement.querySelector('code').textContent") == "rating100"
    keys.press("Enter")
    assert tab.page.evaluate("document.activeElement.dataset.part") == "record"
    keys.type(" {{ title }}")
    keys.press("Enter")
    assert part(box, "record").input_value() == "* {{ rating100 }} {{ title }}\n"
    keys.press("Control+Z")  # the browser undoes what was typed as everywhere
    assert part(box, "record").input_value() != "* {{ rating100 }} {{ title }}\n"
    part(box, "record").fill("* {{ rating100 }} {{ title }}\n")
    preview_again(tab)
    tab.page.wait_for_function("() => document.querySelector('.portability-box')?.textContent.includes('* ')")
    tab.shot("templates-new-light")
    press_export(tab)
    text = packed(download(tab)[1], ".txt")
    assert "* 21 Reed survey 07\n" in text


def test_what_is_being_written_is_found_again(open_tab, site):
    """Closing the dialog loses nothing that was typed, nor does looking at another template; discarding is asked."""
    tab = open_tab(site)
    box = choose_template(tab, "playlist-m3u")
    edit(box)
    part(box, "footer").fill("# half a thou")
    box.get_by_label("Template", exact=True).select_option("catalogue-markdown")
    tab.page.keyboard.press("Escape")
    tab.page.locator(".portability-dialog").wait_for(state="detached")
    box = choose_template(tab, "playlist-m3u")
    assert part(box, "footer").input_value() == "# half a thou"
    assert "changed" in box.locator("summary", has_text="Edit the template").inner_text()
    box.get_by_role("button", name="Discard the changes").click()
    assert part(box, "footer").input_value() == "# half a thou"
    box.get_by_role("button", name="Discard them, really?").click()
    assert part(box, "footer").input_value() != "# half a thou"


def test_a_list_of_tags_has_the_fields_of_tags(open_tab, site):
    tab = open_tab(site)
    tab.go("/tags")
    tab.rows().first.wait_for()
    tab.export()
    box = dialog(tab)
    forms = box.get_by_label("Format", exact=True).locator("option").all_inner_texts()
    assert "Media server (NFO)" not in forms
    box.get_by_label("Format", exact=True).select_option("template")
    box.get_by_label("Template", exact=True).select_option("")
    paths = box.locator(".portability-insert code").all_inner_texts()
    assert "parents" in paths
    assert "rating100" not in paths


@pytest.mark.parametrize("light", [False, True], ids=["dark", "light"])
def test_on_a_phone_the_editor_fits(open_tab, site, light):
    tab = open_tab(site, size=PHONE, light=light, has_touch=True)
    box = choose_template(tab, GALLERY, phone=True)
    edit(box)
    preview_again(tab)
    for section in box.locator("details").all():
        section.evaluate("one => (one.open = true)")
    tab.page.wait_for_timeout(300)
    sideways = "one => one.scrollWidth - one.clientWidth"
    assert tab.overflow() <= 0
    assert box.locator(".modal-body").evaluate(sideways) <= 0
    part(box, "record").scroll_into_view_if_needed()
    tab.shot(f"templates-phone-{'light' if light else 'dark'}")


def test_mistakes_in_a_file_name_and_in_what_is_saved(open_tab, site):
    tab = open_tab(site)
    box = choose_template(tab, "")
    part(box, "record").fill("{{ title }}\n")
    box.get_by_label("Files", exact=True).select_option("record")
    name = box.get_by_label("File name", exact=True)
    name.fill("{{ titel }}")
    preview_again(tab)
    assert name.get_attribute("aria-invalid") == "true"
    assert "title" in box.locator(f"#{name.get_attribute('aria-describedby')}").inner_text()
    box.get_by_role("button", name="Show File name, line 1").click()
    assert tab.page.evaluate("document.activeElement.dataset.part") == "file_name"
    name.fill("{{ title or id }}")
    box.get_by_label("Ending of the file", exact=True).fill("no ending")
    box.get_by_label("Name", exact=True).fill("One by one")
    box.get_by_role("button", name="Save as own template").click()
    box.get_by_text("'no ending' is not").first.wait_for()
    box.get_by_label("Ending of the file", exact=True).fill("txt")
    preview_again(tab)
    press_export(tab)
    with zipfile.ZipFile(io.BytesIO(download(tab)[1])) as archive:
        names = archive.namelist()
    assert any(one.endswith("Reed survey 07.txt") for one in names)
    assert len([one for one in names if one.endswith(".txt")]) == 34


def test_on_the_page_a_template_brings_its_kind(open_tab, site):
    tab = open_tab(site)
    tab.go("/plugins/portability?tab=export")
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for()
    tab.page.get_by_label("Format", exact=True).select_option("template")
    tab.page.get_by_label("Template", exact=True).select_option("playlist-m3u")
    assert tab.page.get_by_label("What", exact=True).input_value() == "scene"
    preview_again(tab)
    tab.page.wait_for_function("() => document.querySelector('.portability-box')?.textContent.includes('#EXTM3U')")
    tab.page.locator("summary", has_text="Path rules").click()
    tab.page.get_by_role("button", name="Add a rule").click()
    tab.page.keyboard.type(tab.page.locator("datalist option").first.get_attribute("value"))
    tab.page.get_by_label("The path there, rule 1").fill("/elsewhere")
    preview_again(tab)
    assert "/elsewhere/" in tab.page.locator(".portability-box").inner_text()
    tab.shot("templates-page")


def test_without_the_library_for_templates_everything_else_still_works(open_tab, site):
    tab = open_tab(site)
    error = {"code": "LibrariesMissing", "message": "templates need Jinja", "exit_code": 2}

    def answer(route: Any) -> None:
        asked = json.loads(route.request.post_data or "{}")
        arguments = (asked.get("variables") or {}).get("args") or {}
        if arguments.get("mode") == "preview" and arguments["order"]["format"] == "template":
            route.fulfill(json={"data": {"runPluginOperation": {"ok": False, "error": error}}})
        else:
            route.fallback()

    tab.page.context.route("**/graphql", answer)
    tab.go("/scenes")
    tab.page.locator(".portability-export").click()
    dialog(tab).get_by_label("Format", exact=True).select_option("template")
    tab.page.get_by_text("Python libraries are needed first").wait_for()
    assert "templates need Jinja" in tab.page.locator(".portability-dialog").inner_text()
    tab.shot("templates-no-jinja")
    tab.page.get_by_role("button", name="Back to the export").click()
    assert dialog(tab).get_by_label("Format", exact=True).input_value() == "csv"
    assert tab.page.get_by_role("button", name="Export", exact=True).is_enabled()

"""What a person does in the dialog, and what they have then."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..live.stash_server import StashServer
from .harness import Tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SET_PYTHON = "mutation($path: String) { configureGeneral(input: {pythonPath: $path}) { pythonPath } }"
SCENES = """query($ids: [ID!], $q: String, $f: SceneFilterType) {
    findScenes(ids: $ids, filter: {per_page: -1, q: $q}, scene_filter: $f) {
      scenes { id title code rating100 organized studio { name } tags { name } details urls files { path } } } }"""
SLOW = """#!/bin/sh
given=$(cat)
case "$given" in *'"mode":"{mode}"'*) sleep {seconds} ;; esac
printf %s "$given" | exec "{python}" "$@"
"""
"""Stands before Python and makes tasks of one mode, and nothing else, begin late."""


def dialog(tab: Tab) -> Locator:
    """The dialog, with all it asked the backend for: counts and preview."""
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for()
    return tab.page.locator(".portability-dialog")


def preview_again(tab: Tab) -> None:
    """Wait until the preview follows what was changed last (it waits a moment before it asks)."""
    tab.page.wait_for_timeout(700)
    tab.page.locator(".portability-preview[aria-busy=false]").wait_for()


def choose(tab: Tab, label: str) -> None:
    """Choose the option with this label."""
    tab.page.locator(".portability label", has_text=label).first.click()


def press_export(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Export", exact=True).click()


def download(tab: Tab) -> tuple[str, bytes]:
    """Press Download; give the name and the content of the file that the browser has then."""
    link = tab.page.locator(".portability-download").last
    link.wait_for(timeout=30_000)
    with tab.page.expect_download() as waiting:
        link.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def sheet(content: bytes) -> list[dict[str, str]]:
    """The rows of a sheet, without the apostrophe that keeps a spreadsheet from running a text as a formula."""
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [{name: cell.removeprefix("'") for name, cell in row.items()} for row in rows]


def as_cells(scene: dict[str, Any]) -> dict[str, str]:
    """What the sheet has to say of a scene, from what the server says of it."""

    def joined(texts: list[str]) -> str:
        return "; ".join(text.replace("\\", "\\\\").replace(";", "\\;") for text in texts)

    return {
        "id": scene["id"],
        "title": scene["title"] or "",
        "code": scene["code"] or "",
        "rating100": "" if scene["rating100"] is None else str(scene["rating100"]),
        "organized": str(scene["organized"]).lower(),
        "studio": (scene["studio"] or {"name": ""})["name"],
        "tags": joined([tag["name"] for tag in scene["tags"]]),
        "details": scene["details"] or "",
        "urls": joined(scene["urls"]),
        "path": joined([file["path"] for file in scene["files"]]),
    }


def compare(rows: list[dict[str, str]], scenes: list[dict[str, Any]]) -> None:
    """The sheet and the server say the same of every scene, and neither has one more."""
    told = {row["id"]: row for row in rows}
    assert sorted(told) == sorted(scene["id"] for scene in scenes)
    for scene in scenes:
        wanted = as_cells(scene)
        row = {name: told[scene["id"]][name] for name in wanted}
        row["tags"], wanted["tags"] = [sorted(cells["tags"].split("; ")) for cells in (row, wanted)]
        assert row == wanted


def python_of(server: StashServer) -> str:
    """The Python that Stash runs the plugin with."""
    path: str = server.graphql("{ configuration { general { pythonPath } } }")["configuration"]["general"]["pythonPath"]
    return path


def slow_python(server: StashServer, seconds: int, mode: str = "export") -> str:
    """Make tasks of ``mode`` begin late; give the Python that was there."""
    python = python_of(server)
    wrapper = server.folder / "slow-python"
    text = SLOW.replace("{seconds}", str(seconds)).replace("{mode}", mode).replace("{python}", python)
    wrapper.write_text(text, "utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    server.graphql(SET_PYTHON, {"path": str(wrapper)})
    return python

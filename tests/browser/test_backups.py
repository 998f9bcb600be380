"""Backups on the page: none yet, made, verified, fetched; and on a phone and by keyboard."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from ..live.stash_server import Options, StashServer
from ..live.test_plugin import install
from .conftest import PHONE, tidy
from .harness import Tab
from .moves import download

BACKUPS = "/plugins/portability?tab=backups"


@pytest.fixture
def bare(with_page, tmp_path_factory) -> Iterator[StashServer]:
    """A Stash with the plugin and nothing else in it."""
    with StashServer(with_page, tmp_path_factory.mktemp("stash-empty"), Options()) as server:
        install(server)
        tidy(server)
        yield server


@pytest.fixture(scope="module")
def kept(with_page, request, tmp_path_factory) -> Iterator[StashServer]:
    """A populated Stash with the plugin, of which backups are made."""
    folder = tmp_path_factory.mktemp("stash-kept")
    with StashServer.copy_of(request.getfixturevalue("seed_030"), folder, with_page, Options()) as server:
        install(server)
        tidy(server)
        yield server


def back_up(tab: Tab) -> None:
    """Make a backup, and wait until it is in the list."""
    before = tab.page.locator(".portability-archives tbody tr").count()
    tab.page.get_by_role("button", name="Back up now").click()
    tab.page.get_by_text("The backup is made, and was read back in full.").wait_for(timeout=60_000)
    tab.page.locator(".portability-archives tbody tr").nth(before).wait_for()


def test_an_empty_library_is_told_what_to_do_next_and_can_be_backed_up(open_tab, bare):
    tab = open_tab(bare)
    tab.go("/plugins/portability")
    card = tab.page.locator(".portability-card", has_text="Last backup")
    card.get_by_text("There is no backup yet").wait_for()
    tab.shot("overview-empty")
    tab.page.get_by_role("tab", name="Backups").click()
    tab.page.get_by_text("“Back up now” makes the first").wait_for()
    tab.shot("backups-empty")
    back_up(tab)
    tab.page.get_by_role("button", name="Restore…").click()
    tab.page.get_by_text("Step 1 of 5").wait_for()
    assert tab.page.get_by_role("button", name="Next").is_disabled()
    tab.page.get_by_text("Choose at least one kind").wait_for()
    tab.page.get_by_role("tab", name="Runs").click()
    tab.page.locator(".portability-run", has_text="Back up now").wait_for()


def test_a_backup_is_made_verified_and_fetched(open_tab, kept):
    tab = open_tab(kept)
    tab.go(BACKUPS)
    tab.page.get_by_text("“Back up now” makes the first").wait_for()
    back_up(tab)
    row = tab.page.locator(".portability-archives tbody tr").first
    assert row.locator("time").first.get_attribute("title").endswith(" UTC")
    assert row.locator(".badge").all_inner_texts() == ["L1", "L2"]
    assert re.search(r"\d+ records of \d+ kinds", row.inner_text())
    tab.shot("backups-made")
    row.get_by_role("button", name=re.compile("^Verify: the backup of ")).click()
    tab.page.get_by_text("Verified: everything in it is whole.").wait_for(timeout=30_000)
    tab.page.get_by_role("button", name="Close").click()
    row.get_by_role("button", name=re.compile("^Download")).click()
    name, content = download(tab)
    (made,) = (kept.folder / "portability" / "backups").glob("*.zip")
    assert (name, content) == (made.name, made.read_bytes())
    assert "manifest.json" in zipfile.ZipFile(made).namelist()
    tab.page.get_by_role("tab", name="Overview").click()
    card = tab.page.locator(".portability-card", has_text="Last backup")
    card.get_by_text("All backups").wait_for()
    assert card.locator(".badge").all_inner_texts() == ["L1", "L2"]
    tab.shot("overview")


def test_the_small_choice_is_what_is_ordered(open_tab, kept):
    tab = open_tab(kept)
    tab.go(BACKUPS)
    tab.page.locator("summary", has_text="How").click()
    tab.page.get_by_label("Only what has changed since the last one").check()
    tab.page.get_by_label("With Stash’s database file").check()
    tab.page.get_by_label("Kind of file").select_option("zstd")
    orders: list[Any] = []
    tab.page.context.route("**/graphql", lambda route: keep_order(route, orders))
    tab.page.get_by_role("button", name="Back up now").click()
    tab.page.locator(".portability-page [role=alert]").wait_for()
    assert orders == [{"container": "zip", "zstd": True, "incremental": True, "include_database": True}]


def keep_order(route: Any, orders: list[Any]) -> None:
    """Refuse what is started, and keep its order."""
    told = (json.loads(route.request.post_data or "{}").get("variables") or {}).get("args") or {}
    if told.get("mode") != "start":
        return route.fallback()
    orders.append(told["order"])
    error = {"code": "Locked", "message": "not now", "exit_code": 11}
    return route.fulfill(json={"data": {"runPluginOperation": {"ok": False, "error": error}}})


def listed(**more: Any) -> dict[str, Any]:
    """A backup as the list is told it."""
    told = {"name": "20260501T200000Z-stash.zip", "bytes": 1_500_000_000, "created": "2026-05-01T20:00:00Z"}
    told |= {"counts": {"scene": 8000, "tag": 900, "image": 3}, "images": 40, "verified": {"L1": told["created"]}}
    return {**told, "container": "zip", "parent": None, "database": False, "whole": True, "damaged": False, **more}


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_what_is_odd_is_marked_and_long_lists_fit(open_tab, site, phone):
    odd = [
        listed(damaged=True, whole=False, name="a.zip.damaged", counts={}, verified={}),
        listed(parent="20260430T200000Z-stash.zip", name="b.zip", whole=False, problem="it builds on x, not here"),
        listed(database=True, container="folder", name=f"{'reed-' * 40}c.zip"),
        *(listed(name=f"{number:03}.zip") for number in range(120)),
    ]
    tab = open_tab(site, **({"size": PHONE, "has_touch": True} if phone else {}))

    def answer(route: Any) -> None:
        told = (json.loads(route.request.post_data or "{}").get("variables") or {}).get("args") or {}
        if told.get("mode") != "archives":
            return route.fallback()
        found = {"ok": True, "folder": "/data/backups", "archives": odd, "left": 0}
        return route.fulfill(json={"data": {"runPluginOperation": found}})

    tab.page.context.route("**/graphql", answer)
    tab.go(BACKUPS)
    rows = tab.page.locator(".portability-archives tbody tr")
    rows.nth(122).wait_for()
    assert rows.nth(0).locator(".badge", has_text="damaged").count() == 1
    restore = [rows.nth(number).get_by_role("button", name=re.compile("^Restore")) for number in range(3)]
    assert [button.is_enabled() for button in restore] == [False, False, True]
    assert "It builds on x" in rows.nth(1).inner_text()
    assert "with the database" in rows.nth(2).inner_text()
    assert tab.overflow() <= 0
    tab.shot(f"backups-odd-{'phone' if phone else 'wide'}")

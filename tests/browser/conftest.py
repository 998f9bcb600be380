"""One Chromium for the run, a fresh context a test, on a real Stash that has its page and our plugin in it."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..live.conftest import ZONE, binary, seed_030
from ..live.stash_server import NEW, Options, StashServer
from ..live.test_plugin import install
from .harness import OpenTab, Tab, serve_light, serve_stub, watch

__all__ = ["seed_030"]

HERE = Path(__file__).parent
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
MENU = ["scenes", "images", "groups", "markers", "galleries", "performers", "studios", "tags"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: it needs a Stash, and a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("no playwright here, which drives the browser (requirements-browser.lock)")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path or not Path(path).is_file():
        pytest.skip("no chromium here (CHROMIUM=/path/to/it, or chromium on the PATH)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def tidy(server: StashServer) -> None:
    """Give the page the look it comes with, and no release notes in front of it."""
    interface = {"menuItems": MENU, "sfwContentMode": False, "css": "", "handyKey": ""}
    server.graphql("mutation($i: ConfigInterfaceInput!) { configureInterface(input: $i) { css } }", {"i": interface})
    server.graphql("mutation($i: Map!) { configureUI(input: $i) }", {"i": {"lastNoteSeen": 99999999}})


def add_scenes(server: StashServer) -> None:
    """Add scenes that fill more than a page: 30 tagged "Season 0", half of them of a studio below Pond Pictures."""
    ids = server.ids
    make = "mutation($i: SceneCreateInput!) { sceneCreate(input: $i) { id } }"
    child = "mutation($i: StudioCreateInput!) { studioCreate(input: $i) { id } }"
    studio = server.graphql(child, {"i": {"name": "Pond Minor", "parent_id": ids["studio:full"]}})["studioCreate"]["id"]
    for number in range(1, 31):
        values = {"title": f"Reed survey {number:02}", "tag_ids": [ids["tag:0"]], "rating100": number * 3}
        values |= {"studio_id": studio, "performer_ids": [ids["performer:full"]]} if number % 2 else {}
        values |= {"groups": [{"group_id": ids["group:full"]}]} if number % 3 == 0 else {}
        server.graphql(make, {"i": values})


def has_page(server: StashServer) -> bool:
    """Whether this Stash was built with its page: without, its index.html is empty."""
    with urllib.request.urlopen(f"{server.url}/", timeout=30) as answer:
        return b'id="root"' in answer.read()


@pytest.fixture(scope="session")
def with_page(chromium, request, tmp_path_factory) -> str:
    """The path of a Stash that has its page."""
    path = binary(NEW, request.config)
    with StashServer(path, tmp_path_factory.mktemp("stash-bare")) as server:
        if not has_page(server):
            pytest.skip("this Stash was built without its page (STASH_BIN=/path/to/one/with/it)")
    return path


@pytest.fixture(scope="session")
def site(with_page, request, tmp_path_factory) -> Iterator[StashServer]:
    """A populated Stash with the plugin in it. To be read only, but for runs of the plugin."""
    seed = request.getfixturevalue("seed_030")
    folder = tmp_path_factory.mktemp("stash-with-page")
    with StashServer.copy_of(seed, folder, with_page, Options(timezone=ZONE)) as server:
        install(server)
        tidy(server)
        add_scenes(server)
        yield server


@pytest.fixture
def open_tab(chromium, request) -> Iterator[OpenTab]:
    """``open_tab(server, stub=True, size=DESK, light=False, prefix="")``: a watched tab in a context of its own."""
    tabs: list[tuple[Tab, Any]] = []

    def open_one(server: StashServer, *, stub: bool = False, size: Any = DESK, light: bool = False, **more: Any) -> Tab:
        context = chromium.new_context(viewport=size, accept_downloads=True, reduced_motion="reduce", **more)
        context.set_default_timeout(30_000)  # a machine may have much else to do
        if stub:
            serve_stub(context)
        if light:
            serve_light(context)
        tab = Tab(context.new_page(), server.url)
        watch(tab)
        tabs.append((tab, context))
        return tab

    yield open_one
    for _, context in tabs:
        context.close()
    found = [problem for tab, _ in tabs for problem in tab.problems]
    assert not found, found


@pytest.fixture
def tab(open_tab, site) -> Tab:
    """A tab on the populated Stash, with the stub behind main.js."""
    return open_tab(site, stub=True)

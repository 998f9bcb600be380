"""From nothing to the first download: the plugin installed in Stash's own page, by clicking, from a package source."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from ..live.stash_server import Options, StashServer
from ..live.test_package import packager
from .conftest import tidy
from .harness import Tab
from .moves import SCENES, SET_PYTHON, compare, dialog, download, press_export, sheet

__all__ = ["packager"]

SOURCES = "{ configuration { general { pluginPackageSources { name } } } }"


@pytest.fixture
def untouched(with_page, request, tmp_path_factory) -> Any:
    """A populated Stash that has never heard of the plugin."""
    folder = tmp_path_factory.mktemp("stash-untouched")
    with StashServer.copy_of(request.getfixturevalue("seed_030"), folder, with_page, Options()) as server:
        tidy(server)
        yield server


def install_by_clicking(tab: Tab, server: StashServer, url: str) -> None:
    """Settings → Plugins → Available Plugins → Add Source, Install, as the README tells it."""
    page = tab.page
    tab.go("/settings?tab=plugins")
    available = page.locator(".available-packages")
    available.get_by_role("button", name="Add Source").click()
    page.get_by_placeholder("Name").fill("Ours")
    page.get_by_placeholder("Source URL").fill(url)
    page.get_by_placeholder("Local Path").fill("portability")
    page.locator(".modal").get_by_role("button", name="Confirm").click()
    for _ in range(100):  # Stash's page saves what is typed a moment later, and installs from what is saved
        if "Ours" in json.dumps(server.graphql(SOURCES)):
            break
        page.wait_for_timeout(50)
    available.locator(".source-name", has_text="Ours").click()
    available.locator("tr", has_text="Stash Portability").locator("input[type=checkbox]").check()
    available.get_by_role("button", name="Install").click()
    page.get_by_role("heading", name="Stash Portability (").wait_for()
    tab.shot("install-settings")


def export_scenes(tab: Tab, server: StashServer) -> None:
    """Journey 1 once more, and the file is right."""
    tab.go("/scenes?disp=1")
    tab.rows().first.wait_for()
    tab.export()
    dialog(tab)
    press_export(tab)
    compare(sheet(download(tab)[1]), server.graphql(SCENES)["findScenes"]["scenes"])


def test_installed_and_removed_in_stashs_own_page(open_tab, untouched, packager, tmp_path):
    packager.make_zip(tmp_path / "dist" / "stash-portability.zip")
    untouched.graphql(SET_PYTHON, {"path": sys.executable})
    tab = open_tab(untouched)
    install_by_clicking(tab, untouched, (tmp_path / "dist" / "index.yml").as_uri())
    export_scenes(tab, untouched)
    tab.go("/settings?tab=plugins")
    installed = tab.page.locator(".installed-packages")
    installed.locator("tr", has_text="Stash Portability").locator("input[type=checkbox]").check()
    installed.get_by_role("button", name="Uninstall").click()
    tab.page.locator(".modal").get_by_role("button", name="Confirm").click()
    installed.locator(".package-name").wait_for(state="detached")
    tab.go("/scenes?disp=1")
    tab.rows().first.wait_for()
    assert tab.page.locator(".portability-export").count() == 0
    assert list((untouched.folder / "portability" / "exports").glob("*.csv"))


@pytest.mark.deep
def test_the_first_run_installs_what_a_bare_python_lacks(open_tab, untouched, packager, tmp_path):
    """The whole way of a new user, with a Python that has nothing but its standard library."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    packager.make_zip(tmp_path / "dist" / "stash-portability.zip")
    untouched.graphql(SET_PYTHON, {"path": str(tmp_path / "bare" / "bin" / "python")})
    tab = open_tab(untouched)
    install_by_clicking(tab, untouched, (tmp_path / "dist" / "index.yml").as_uri())
    tab.go("/plugins/portability?tab=export")
    setup = tab.page.get_by_role("button", name="Set up dependencies")
    setup.wait_for()
    tab.shot("install-first-run")
    setup.click()
    tab.page.wait_for_timeout(2500)
    tab.shot("install-setting-up")
    tab.page.locator(".portability-preview[aria-busy=false] .portability-box").wait_for(timeout=180_000)
    export_scenes(tab, untouched)

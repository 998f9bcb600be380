"""A real Stash installs the built package from a package source, updates it, and removes it."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .stash_server import NEW, OLD, StashServer
from .test_plugin import PLUGIN, data, operate, run_task

ROOT = Path(__file__).parents[2]
SOURCE = "mutation($input: ConfigGeneralInput!) { configureGeneral(input: $input) { pythonPath } }"
AVAILABLE = """query($url: String!) { availablePackages(type: Plugin, source: $url) {
    package_id name version date metadata requires { package_id } } }"""
INSTALLED = "{ installedPackages(type: Plugin) { package_id version date source_package { version date } } }"
PLUGINS = "{ plugins { id name version enabled tasks { name } } }"
CHANGE = "mutation($packages: [PackageSpecInput!]!) { %s(type: Plugin, packages: $packages) }"
UPDATE_ALL = "mutation { updatePackages(type: Plugin) }"
MARCH = 1_772_323_200


class Source:
    """A package source in a folder, of our plugin as it is built, and a Stash that knows it."""

    def __init__(self, server: StashServer, folder: Path, packager: ModuleType, address: str = "") -> None:
        self.server, self.folder, self.packager = server, folder, packager
        self.url = address or (folder / "index.yml").as_uri()

    def build(self) -> None:
        """Build what ``make package`` builds."""
        self.packager.make_zip(self.folder / "stash-portability.zip")

    def told(self, **changes: str) -> None:
        """Change what the index says of the package."""
        path = self.folder / "index.yml"
        (entry,) = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps([{**entry, **changes}]), "utf-8")

    def known(self, local_path: str = "ours") -> None:
        """Put the source where Settings → Plugins → Available Plugins has it."""
        source = {"name": "Ours", "url": self.url, "local_path": local_path}
        self.server.graphql(SOURCE, {"input": {"pluginPackageSources": [source], "pythonPath": sys.executable}})

    def do(self, what: str) -> None:
        """``install``, ``update`` or ``uninstall`` the package, and wait."""
        packages = [{"id": PLUGIN, "sourceURL": self.url}]
        self.server.wait_for_job(
            self.server.graphql(CHANGE % f"{what}Packages", {"packages": packages})[f"{what}Packages"]
        )

    def update_all(self) -> None:
        """What *Update all* does: only what is newer."""
        self.server.wait_for_job(self.server.graphql(UPDATE_ALL)["updatePackages"])

    @property
    def place(self) -> Path:
        """Where Stash puts the plugin."""
        return self.server.folder / "plugins" / "ours" / PLUGIN

    def plugins(self) -> list[Any]:
        """The plugins Stash has; it says null when there are none."""
        found: list[Any] | None = self.server.graphql(PLUGINS)["plugins"]
        return found or []

    def installed(self) -> Any:
        """What Stash says of the package, or None."""
        found = self.server.graphql(INSTALLED)["installedPackages"]
        return found[0] if found else None


@pytest.fixture
def packager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The packaging tool, for a copy of the plugin that a test may change."""
    spec = importlib.util.spec_from_file_location("package", ROOT / "tools" / "package.py")
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tree = tmp_path / "tree"
    for folder in tool.FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in tool.SINGLE:
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, tree / name)
    monkeypatch.setattr(tool, "ROOT", tree)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(MARCH))
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):  # what Python leaves is to be seen
        monkeypatch.delenv(name, raising=False)
    return tool


@pytest.fixture(params=[NEW, OLD])
def source(request: pytest.FixtureRequest, new_stash: Callable[..., StashServer], packager: ModuleType) -> Source:
    """A source with our package, known to an empty Stash of each version."""
    server = new_stash(request.param)
    folder = server.folder.parent / f"{server.folder.name}-dist"
    made = Source(server, folder, packager)
    made.build()
    made.known()
    return made


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def packed(source: Source) -> set[str]:
    with zipfile.ZipFile(source.folder / "stash-portability.zip") as archive:
        return set(archive.namelist())


def export_works(source: Source) -> None:
    run_task(source.server, "Export library")
    run = operate(source.server, "status")["runs"][0]
    assert run["state"] == "finished", run
    assert Path(run["report"]["outputs"][0]).is_file()


def test_stash_offers_installs_and_runs_the_package(source: Source) -> None:
    (offered,) = source.server.graphql(AVAILABLE, {"url": source.url})["availablePackages"]
    assert (offered["package_id"], offered["name"], offered["requires"]) == (PLUGIN, "Stash Portability", [])
    assert offered["date"] == "2026-03-01T00:00:00Z"
    assert offered["metadata"]["description"].startswith("Take everything")
    source.do("install")
    assert files(source.place) == packed(source) | {"manifest"}
    (plugin,) = source.plugins()
    assert (plugin["id"], plugin["version"], plugin["enabled"]) == (PLUGIN, offered["version"], True)
    assert source.installed()["source_package"]["version"] == offered["version"]
    export_works(source)


def test_stash_updates_by_the_date_alone(source: Source) -> None:
    source.do("install")
    source.told(version="9.9.9")
    source.update_all()
    assert source.installed()["version"] != "9.9.9", "a new version with the same date is no update"
    source.told(date="2026-02-28 23:59:59")
    source.update_all()
    assert source.installed()["date"] == "2026-03-01T00:00:00Z", "nor is an older one"
    source.told(date="2026-03-01 00:00:01")
    source.update_all()
    assert (source.installed()["version"], source.installed()["date"]) == ("9.9.9", "2026-03-01T00:00:01Z")


def test_an_update_removes_what_is_gone_and_spares_what_the_user_made(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = source.packager.ROOT
    (tree / "stash_portability" / "old.py").write_text("")
    source.build()
    source.do("install")
    assert (source.place / "stash_portability" / "old.py").is_file()
    export_works(source)
    made = {"downloads/0a/x.csv": "1", "profiles/mine.yaml": "name: Mine", "notes.txt": "mine"}
    for name, text in made.items():
        (source.place / name).parent.mkdir(parents=True, exist_ok=True)
        (source.place / name).write_text(text)
    (tree / "stash_portability" / "old.py").unlink()
    (tree / "README.md").write_text("the new one")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(MARCH + 60))
    source.build()
    source.update_all()
    left = {name for name in files(source.place) if "__pycache__" not in name}
    assert left == packed(source) | {"manifest"} | set(made)
    assert (source.place / "README.md").read_text("utf-8") == "the new one"
    assert all((source.place / name).read_text() == text for name, text in made.items())
    export_works(source)


def test_an_uninstall_leaves_the_data_folder_and_what_python_and_downloads_have_made(source: Source) -> None:
    """What the README tells people to remove by hand."""
    source.do("install")
    source.server.graphql(
        'mutation($input: Map!) { configurePlugin(plugin_id: "stash-portability", input: $input) }',
        {"input": {"format": "jsonl"}},
    )
    export_works(source)
    (source.place / "downloads").mkdir(exist_ok=True)
    (source.place / "downloads" / "index.html").touch()
    before = files(data(source.server))
    source.do("uninstall")
    assert source.plugins() == []
    assert source.installed() is None
    left = files(source.place)
    assert "downloads/index.html" in left
    compiled = left - {"downloads/index.html"}
    assert compiled
    assert all(name.endswith(".pyc") and "/__pycache__/" in name for name in compiled)
    assert files(data(source.server)) == before
    assert {name.partition("/")[0] for name in before} >= {"exports", "runs"}
    source.do("install")
    assert [plugin["id"] for plugin in source.plugins()] == [PLUGIN]
    export_works(source)
    assert len(list((data(source.server) / "exports").glob("*.jsonl"))) == 2, "the settings were kept too"


def test_a_plugin_that_never_ran_leaves_nothing_but_empty_folders(source: Source) -> None:
    source.do("install")
    source.do("uninstall")
    assert files(source.server.folder / "plugins") == set()
    assert (source.place / "stash_portability").is_dir(), "Stash removes files, and a folder only when it is empty"
    assert not data(source.server).exists()


def test_a_damaged_package_is_refused_and_the_old_one_stays(source: Source) -> None:
    source.do("install")
    source.told(date="2026-04-01 00:00:00", sha256="0" * 64)
    source.update_all()
    assert files(source.place) == packed(source) | {"manifest"}
    assert source.installed()["date"] == "2026-03-01T00:00:00Z"
    logs = source.server.graphql("{ logs { message } }")["logs"]
    assert any("does not match expected SHA256" in entry["message"] for entry in logs)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and its address on a plain web server."""
    folder = tmp_path / "web"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_any_web_server_will_do(
    web: tuple[Path, str], new_stash: Callable[..., StashServer], packager: ModuleType
) -> None:
    folder, address = web
    source = Source(new_stash(), folder, packager, f"{address}/index.yml")
    source.build()
    source.known("")
    source.do("install")
    assert files(source.server.folder / "plugins" / PLUGIN) == packed(source) | {"manifest"}
    assert [plugin["id"] for plugin in source.plugins()] == [PLUGIN]

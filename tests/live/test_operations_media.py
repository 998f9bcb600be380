"""NFO files and templates as the page orders them, on a real Stash: previewed, written, updated, linked, refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from . import media
from .populate import scan
from .stash_server import NEW, OLD, StashServer
from .test_operations import ask, done, get
from .test_plugin import data, install, plugged

__all__ = ["plugged"]

LIST = {
    "name": "Films",
    "ending": "html",
    "kinds": ["scene"],
    "header": "<ul>\n",
    "record": "<li>{{ title or file }}</li>\n",
    "footer": "</ul>\n",
}
SCENES = '{ findScenes(filter: {per_page: -1, sort: "id"}) { scenes { id title files { path } } } }'


def scenes(server: StashServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.graphql(SCENES)["findScenes"]["scenes"]
    return found


def films(server: StashServer) -> list[Path]:
    """The files of all scenes, that have some."""
    return [Path(file["path"]) for scene in scenes(server) for file in scene["files"]]


def nfo_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.nfo"))


@pytest.fixture(params=[NEW, OLD])
def writable(new_stash: Any, request: pytest.FixtureRequest) -> StashServer:
    """A Stash with films of its own, beside which may be written."""
    server: StashServer = new_stash(request.param)
    if not media.available():
        pytest.skip("no ffmpeg here, which makes the films of the live tests")
    (server.media / "deep").mkdir()
    media.film(server.media / "heron 🪶 #1.mp4", "testsrc2")
    media.film(server.media / "deep" / "toad.mp4", "smptebars")
    scan(server)
    install(server)
    return server


def test_fields_tells_the_libraries_of_this_stash(plugged):
    found = ask(plugged, "fields")
    assert found["ok"], found
    libraries = plugged.graphql("{ configuration { general { stashes { path } } } }")["configuration"]["general"]
    assert found["media"]["libraries"] == [one["path"] for one in libraries["stashes"]]
    assert found["media"]["folder"] == str(data(plugged) / "exports" / "media-server")
    shipped = {one["name"]: one for one in found["templates"]}
    assert {"gallery-html", "playlist-m3u", "catalogue-markdown"} <= set(shipped)
    assert all(one["template"]["record"] and not one["own"] for one in shipped.values())
    assert any(one["path"] == "performers.name" for one in found["template_fields"]["scene"])


@pytest.mark.parametrize("profile", ["kodi", "jellyfin", "emby", "plex"])
def test_a_preview_of_nfo_files_is_there_in_time_and_is_what_is_written(plugged, profile):
    order = {"format": "nfo", "nfo_profile": profile, "to": f"preview-{profile}"}
    shown = ask(plugged, "preview", order=order)
    assert shown["ok"], shown
    report = done(plugged, **order)
    assert report["state"] == "finished", report
    for part in shown["text"].split("\n# "):
        place, _, text = part.removeprefix("# ").partition("\n")
        assert Path(place).read_text("utf-8").rstrip("\n") == text.rstrip("\n")


def test_a_folder_is_brought_up_to_date_and_downloaded(plugged):
    report = done(plugged, format="nfo", artwork=True)
    assert report["state"] == "finished", report
    folder = data(plugged) / "exports" / "media-server"
    assert report["report"]["outputs"] == [str(folder)]
    made = nfo_files(folder)
    assert (
        len(made) == report["report"]["files"]["written"] == len({str(path.with_suffix("")) for path in films(plugged)})
    )
    titles = {ElementTree.parse(path).findtext("title") for path in made}
    assert {scene["title"] for scene in scenes(plugged) if scene["title"] and scene["files"]} & titles
    link = ask(plugged, "link", run=report["run"])
    status, body = get(plugged, link["path"])
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert {name for name in archive.namelist() if name.endswith(".nfo")} == {
            f"media-server/{path.relative_to(folder).as_posix()}" for path in made
        }
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = done(plugged, format="nfo", artwork=True)
    assert again["report"]["files"].get("written", 0) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_beside_the_media_is_written_and_not_offered(writable):
    report = done(writable, format="nfo", beside_media=True, nfo_profile="jellyfin", artwork=True)
    assert report["state"] == "finished", report
    assert len(films(writable)) == 2
    for film in films(writable):
        assert film.with_suffix(".nfo").is_file(), film
    link = ask(writable, "link", run=report["run"])
    assert (link["ok"], link["error"]["code"]) == (False, "NoLink")
    assert "it lies beside the media" in link["error"]["message"]
    assert not (data(writable) / "exports" / "media-server").exists()


def test_rules_lead_nowhere_but_under_the_libraries(writable, tmp_path):
    film = films(writable)[0]
    (tmp_path / film.name).write_bytes(film.read_bytes())
    rules = [f"{film}={tmp_path / film.name}"]
    report = done(writable, format="nfo", beside_media=True, path=rules)
    assert report["state"] == "finished", report
    assert nfo_files(tmp_path) == []
    (data(writable) / "roots.json").write_text(json.dumps({"version": 1, "roots": [str(tmp_path)]}), "utf-8")
    report = done(writable, format="nfo", beside_media=True, path=rules)
    assert nfo_files(tmp_path) == [(tmp_path / film.name).with_suffix(".nfo")]


def test_only_what_a_task_may_name_is_written(plugged, tmp_path):
    for order in (
        {"format": "nfo", "to": str(tmp_path / "x")},
        {"format": "nfo", "to": str(data(plugged) / "templates" / "x")},
        {"template": LIST, "to": str(plugged.media / "x.html")},
        {"template": LIST, "to": "../templates/x.html"},
    ):
        answer = ask(plugged, "start", order=order)
        assert (answer["ok"], answer["error"]["code"]) == (False, "OutsideRoots"), order


def test_an_export_into_a_library_is_not_offered_for_download(writable):
    report = done(writable, format="nfo", to=str(writable.media / "nfo"))
    assert report["report"]["files"]["written"] > 0, report
    assert ask(writable, "link", run=report["run"])["error"]["code"] == "NoLink"


def test_a_template_is_saved_previewed_and_downloaded(plugged):
    assert ask(plugged, "save_template", name="My films", template=LIST) == {"ok": True, "name": "My films"}
    assert "My films" in {one["name"] for one in ask(plugged, "fields")["templates"]}
    shown = ask(plugged, "preview", order={"template": "My films"})
    assert shown["text"].startswith("<ul>\n<li>"), shown
    report = done(plugged, template="My films")
    assert report["state"] == "finished", report
    link = ask(plugged, "link", run=report["run"])
    status, body = get(plugged, link["path"])
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    assert text.startswith(shown["text"])
    assert text.count("<li>") == len(scenes(plugged))


@pytest.mark.parametrize("name", ["gallery-html", "playlist-m3u", "catalogue-markdown"])
def test_what_is_shipped_can_be_used(plugged, name):
    assert ask(plugged, "preview", order={"template": name})["text"]
    report = done(plugged, template=name)
    assert report["state"] == "finished", report
    assert get(plugged, ask(plugged, "link", run=report["run"])["path"])[1].startswith(b"PK")


def test_mistakes_in_a_template_are_told_in_time(plugged):
    wrong = ask(plugged, "preview", order={"template": {**LIST, "record": "a\n{{ titel }}"}})
    assert wrong["error"]["code"] == "BadTemplate"
    assert "record, line 2" in wrong["error"]["message"]
    loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    slow = ask(plugged, "preview", order={"template": {**LIST, "record": loops}})
    assert slow["error"]["code"] == "BadTemplate"
    bad = ask(plugged, "save_template", name="bad", template={**LIST, "record": "{% if %}"})
    assert bad["error"]["code"] == "BadTemplate"
    assert ask(plugged, "start", order={"template": "bad"})["error"]["code"] == "UnknownName"


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json"])
def test_a_page_is_never_served_under_the_address_of_stash(plugged, ending):
    page = {"record": "<script>alert(1)</script>", "escape": "none", "ending": ending}
    report = done(plugged, template=page, to=f"page.{ending}")
    assert report["state"] == "finished", report
    assert get(plugged, ask(plugged, "link", run=report["run"])["path"])[1].startswith(b"PK")

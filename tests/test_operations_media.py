"""What the page asks about media servers: what is offered, a preview, and NFO files in a folder or beside the media."""

import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .test_operations import ask, call, do, error_of, exports, folder_of, stash

__all__ = ["ask", "call", "do", "stash"]


@pytest.fixture
def films(stash):
    """The media of the demo library, where this machine has them."""
    folder = stash.folder / "films"
    folder.mkdir()
    for name in ("moon.mp4", "cliffs.mkv", "Tidal Flats at Dawn.mkv"):
        (folder / name).write_bytes(b"a film")
    return folder


def rule(films):
    return f"/media/films={films}"


def done(ask, do, **order):
    started = ask("start", order=order)
    assert started["ok"], started
    do(started["job"])
    return ask("run", run=started["run"])["run"]


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# what is offered


def test_fields_tells_what_there_is_for_media_servers(ask, stash, films):
    stash.libraries = [films]
    (stash.folder / "portability").mkdir()
    (stash.folder / "portability" / "roots.json").write_text(json.dumps({"version": 1, "roots": [str(stash.folder)]}))
    found = ask("fields")
    media = found["media"]
    assert media["profiles"] == {"kodi": "Kodi", "jellyfin": "Jellyfin", "emby": "Emby", "plex": "Plex"}
    assert media["libraries"] == [str(films)]
    assert media["roots"] == [str(stash.folder)]
    assert media["folder"] == str(stash.folder / "portability" / "exports" / "media-server")
    assert set(media["foreign"]) == {"keep", "merge"}
    assert {"nfo", "template"} <= set(found["formats"])


def test_fields_answers_whatever_stash_and_the_roots_say(ask, stash, monkeypatch):
    (stash.folder / "portability").mkdir()
    (stash.folder / "portability" / "roots.json").write_text("[]")
    stash.libraries = None
    media = ask("fields")["media"]
    assert (media["libraries"], media["roots"]) == ([], [])


# preview


def test_a_preview_shows_the_nfo_files_of_five_scenes_with_their_places(ask, stash):
    found = ask("preview", order={"format": "nfo"})
    assert (found["kind"], found["form"], found["records"], found["count"]) == ("scene", "nfo", 5, 11)
    places = [line for line in found["text"].splitlines() if line.startswith("# ")]
    usual = stash.folder / "portability" / "exports" / "media-server"
    assert places[0] == f"# {usual / 'media' / 'films' / 'Tidal Flats at Dawn.nfo'}"
    assert len(places) == 6, "one of the five scenes has two files"
    documents = found["text"].split("\n\n# ") if "\n\n# " in found["text"] else found["text"].split("\n# ")
    for document in documents:
        root = ElementTree.fromstring(document.partition("\n")[2].encode())
        assert root.tag == "movie"
        assert root.find("title").text
    assert found["guess"]["bytes"] > 0 and found["guess"]["seconds"] > 0
    assert not usual.exists()


def test_a_preview_beside_the_media_shows_where_they_would_lie(ask, stash, films):
    stash.libraries = [films]
    order = {"format": "nfo", "beside_media": True, "path": [rule(films)], "nfo_profile": "jellyfin"}
    text = ask("preview", order=order)["text"]
    assert f"# {films / 'moon.nfo'}\n" in text
    assert names(films) == ["Tidal Flats at Dawn.mkv", "cliffs.mkv", "moon.mp4"]


def test_a_preview_is_what_is_written(ask, do, stash):
    found = ask("preview", order={"format": "nfo", "ids": ["3"]})
    done(ask, do, format="nfo", ids=["3"])
    place, _, text = found["text"].partition("\n")
    assert Path(place.removeprefix("# ")).read_text("utf-8") == text


def test_a_preview_tells_no_more_than_its_level(ask):
    found = ask("preview", order={"format": "nfo", "privacy": "share"})
    assert found["ok"], found
    assert "<userrating>" not in found["text"]
    assert "<lastplayed>" not in found["text"]


def test_mistakes_are_told_as_they_are_of_a_start(ask, stash):
    for order in ({"format": "nfo", "to": "/etc/x"}, {"format": "nfo", "nfo_profile": "kody"}, {"beside_media": True}):
        first, second = (error_of(ask(mode, order=order)) for mode in ("preview", "start"))
        assert first == second
    assert stash.jobs == {}


# into a folder


def test_nfo_files_are_written_brought_up_to_date_and_linked(ask, do, stash):
    report = done(ask, do, format="nfo", artwork=True)
    assert report["state"] == "finished", report
    assert report["title"] == "Export scenes for Kodi"
    assert report["nfo"] == "folder"
    usual = stash.folder / "portability" / "exports" / "media-server"
    assert report["report"]["outputs"] == [str(usual)]
    files = report["report"]["files"]
    assert files["written"] == len([name for name in names(usual) if name.endswith(".nfo")]) > 10
    link = ask("link", run=report["run"])
    assert link["name"] == "media-server.zip"
    with zipfile.ZipFile(stash.plugin / link["path"]) as archive:
        inside = {name.removeprefix("media-server/") for name in archive.namelist()}
    assert inside == set(names(usual))
    again = done(ask, do, format="nfo", artwork=True)["report"]["files"]
    assert again.get("written", 0) == 0
    assert again["unchanged"] == files["written"]
    assert exports(stash) == ["media-server"]


def test_reasons_reach_the_report(ask, do, stash, films):
    stash.libraries = [films]
    report = done(ask, do, format="nfo", beside_media=True)
    reasons = report["report"]["reasons"]
    assert reasons
    assert set(reasons[0]) == {"text", "count", "examples"}
    assert report["exit_code"] == 1


@pytest.mark.parametrize("to", ["mine", "../backups/mine"])
def test_nfo_files_go_where_they_are_told(ask, do, stash, to):
    report = done(ask, do, format="nfo", to=to)
    assert report["report"]["files"]["written"] > 10
    if to == "mine":
        assert ask("link", run=report["run"])["name"] == "mine.zip"
    else:
        assert error_of(ask("link", run=report["run"]))["code"] == "NoLink"


def test_a_folder_that_others_use_is_not_offered_for_download(ask, do, stash, films):
    """Whoever can start a task could have any file beside NFO files zipped."""
    stash.libraries = [films]
    report = done(ask, do, format="nfo", to=str(films / "nfo"))
    assert report["state"] == "finished", report
    error = error_of(ask("link", run=report["run"]))
    assert error["code"] == "NoLink"
    assert "more than what was exported" in error["message"]
    assert not (stash.plugin / "downloads").exists()


def test_a_place_that_is_no_folder_is_told_before_anything_is_queued(ask, stash):
    (stash.folder / "portability" / "exports").mkdir(parents=True)
    (stash.folder / "portability" / "exports" / "taken").touch()
    for to in ("taken", "taken/deeper"):
        error = error_of(ask("start", order={"format": "nfo", "to": to}))
        assert error["code"] == "OutputNotUsable"
        assert "not a folder" in error["message"]
    assert stash.jobs == {}


# beside the media


def test_beside_the_media_only_media_that_are_there_and_allowed_get_files(ask, do, stash, films, tmp_path):
    stash.libraries = [films]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "night.mp4").write_bytes(b"a film")
    rules = [rule(films), f"/media/films/night.mp4={outside / 'night.mp4'}"]
    report = done(ask, do, format="nfo", beside_media=True, path=rules)
    assert report["state"] == "finished", report
    assert [name for name in names(films) if name.endswith(".nfo")] == [
        "Tidal Flats at Dawn.nfo",
        "cliffs.nfo",
        "moon.nfo",
    ]
    assert names(outside) == ["night.mp4"]
    assert exports(stash) == []
    assert any("outside the folders" in reason["text"] for reason in report["report"]["reasons"])


def test_what_lies_beside_the_media_has_no_link(ask, do, stash, films):
    stash.libraries = [films]
    report = done(ask, do, format="nfo", beside_media=True, path=[rule(films)])
    assert (report["nfo"], report["report"]["outputs"]) == ("beside", [])
    error = error_of(ask("link", run=report["run"]))
    assert error["code"] == "NoLink"
    assert "it lies beside the media" in error["message"]


def test_an_order_beside_the_media_is_checked_again_when_it_is_done(ask, do, stash, films):
    stash.libraries = [films]
    started = ask("start", order={"format": "nfo", "beside_media": True, "path": [rule(films)]})
    stash.libraries = []
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["error"]["code"]) == ("failed", "UsageError")
    order = folder_of(stash) / started["run"] / "order.json"
    assert "allowed" not in order.read_text("utf-8")
    assert not list(films.glob("*.nfo"))


def test_what_is_not_ours_is_kept(ask, do, stash, films):
    stash.libraries = [films]
    (films / "moon.nfo").write_text("<movie><title>Theirs</title></movie>")
    done(ask, do, format="nfo", beside_media=True, path=[rule(films)], remove_deleted=True)
    assert (films / "moon.nfo").read_text() == "<movie><title>Theirs</title></movie>"


def test_a_media_server_profile_does_as_it_says(ask, do, stash, films):
    stash.libraries = [films]
    profile = {"format": "nfo", "nfo_profile": "jellyfin", "beside_media": True, "path": [rule(films)]}
    report = done(ask, do, profile=profile)
    assert report["state"] == "finished", report
    assert report["title"] == "Export scenes for Jellyfin"
    assert (films / "moon.nfo").is_file()

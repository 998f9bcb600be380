"""Exports of NFO files as a whole, from a library in memory: every choice through the one door commands.export."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from stash_portability import commands
from stash_portability.commands import export
from stash_portability.config import export_options
from stash_portability.errors import RecordError, UsageError
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.nfo.orphans import NOT_ALL_KNOWN
from stash_portability.means import Means
from stash_portability.media import NOT_FROM_PARTS
from stash_portability.model import EVERYTHING, Blob, Record
from stash_portability.progress import Quiet
from stash_portability.report import as_text, exit_code

JPEG = b"\xff\xd8\xff" + b"cliff" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"wren" * 20


def scene(uid, path, **more):
    data = {
        "title": f"Film {uid}",
        "rating100": 75,
        "play_history": ["2024-05-01T20:00:00Z"],
        "updated_at": f"2024-0{uid}-01T00:00:00Z",
        "studio": "1",
        "performers": ["1", "2"],
        "tags": ["1"],
        "files": [{"id": uid, "path": path, "zip_file": None, "duration": 61.5, "width": 1920, "height": 1080}],
        "cover": Blob("scene", uid, "cover", "cover"),
    }
    return Record("scene", uid, {**data, **more})


def library(*scenes):
    others = [
        Record("performer", "1", {"name": "Ada Wren", "disambiguation": None, "aliases": [], "image": None}),
        Record("performer", "2", {"name": "Ole Heron", "disambiguation": None, "aliases": [],
                                  "image": Blob("performer", "2", "image", "wren")}),
        Record("studio", "1", {"name": "North Shore"}),
        Record("tag", "1", {"name": "Birds", "parents": []}),
    ]  # fmt: skip
    return MemoryLibrary([*scenes, *others], {"cover": JPEG, "wren": PNG})


def write(source, to=None, **more):
    place = {"to": str(to)} if to else {"beside_media": True}
    options = export_options({"from": "memory", "format": "nfo", **place, **more}, {})
    return export(options, Quiet(), Means(), source)


def read(path):
    return ET.fromstring(Path(path).read_bytes())


def state(folder):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def films(tmp_path):
    """Two films in one folder, one in another, on this machine."""
    paths = [tmp_path / "films" / name for name in ("cliffs.mp4", "tides.mp4", "north/wrens.mkv")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_a_folder_that_mirrors_theirs(tmp_path):
    report = write(library(scene("1", "/data/films/cliffs.mp4"), scene("2", "/data/films/a/tides.mp4")), tmp_path / "n")
    assert report.files == {"written": 2}
    assert report.outputs == [str(tmp_path / "n")]
    assert exit_code(report) == 0
    made = read(tmp_path / "n/data/films/a/tides.nfo")
    assert made.findtext("title") == "Film 2"
    assert made.findtext("studio") == "North Shore"
    assert [actor.findtext("name") for actor in made.iter("actor")] == ["Ada Wren", "Ole Heron"]
    assert made.findtext("userrating") == "8"
    assert made.findtext("ratings/rating/value") == "7.5"


def test_path_rules_shape_the_mirror(tmp_path):
    write(library(scene("1", "/data/films/cliffs.mp4")), tmp_path / "n", path=["/data/films=Films"])
    assert (tmp_path / "n/Films/cliffs.nfo").is_file()


def test_beside_the_media_where_this_machine_has_it(tmp_path, films):
    stash = [scene(str(n), f"/data/{path.relative_to(tmp_path)}") for n, path in enumerate(films, 1)]
    report = write(library(*stash), path=[f"/data={tmp_path}"])
    assert report.files == {"written": 3}
    assert report.outputs == []
    assert all(path.with_suffix(".nfo").is_file() for path in films)


def test_without_a_rule_a_film_that_is_not_here_is_told(films):
    report = write(library(scene("1", str(films[0])), scene("2", "/elsewhere/tides.mp4")))
    assert report.files == {"written": 1, "skipped": 1}
    assert [(reason.count, reason.examples) for reason in report.reasons] == [(1, ["/elsewhere/tides.mp4"])]
    assert exit_code(report) == 1
    assert "/elsewhere/tides.mp4" in as_text(report)


def test_run_again_writes_nothing(tmp_path, films):
    source = library(*(scene(str(n), str(path)) for n, path in enumerate(films, 1)))
    first = write(source, artwork=True)
    before = state(tmp_path)
    again = write(source, artwork=True)
    assert state(tmp_path) == before
    assert first.files["written"] == again.files["unchanged"] == 3
    assert "written" not in again.files
    assert "pictures written" not in again.files


def test_pictures_lie_beside_as_files(films):
    write(library(scene("1", str(films[0]))), artwork=True, nfo_profile="jellyfin")
    folder = films[0].parent
    assert (folder / "cliffs-poster.jpg").read_bytes() == JPEG
    assert (folder / "cliffs-fanart.jpg").read_bytes() == JPEG
    assert (folder / ".actors/Ole_Heron.png").read_bytes() == PNG
    thumbs = [actor.findtext("thumb") for actor in read(folder / "cliffs.nfo").iter("actor")]
    assert thumbs == [None, str(folder / ".actors/Ole_Heron.png")]
    assert b"http" not in (folder / "cliffs.nfo").read_bytes()


def test_privacy_holds_within_the_files(films):
    stash = library(scene("1", str(films[0])))
    write(stash, privacy="share", artwork=True, nfo_profile="jellyfin")
    text = films[0].with_suffix(".nfo").read_text("utf-8")
    assert "userrating" not in text
    assert "playcount" not in text
    assert "uniqueid" not in text
    assert str(films[0].parent) not in text
    assert "Ada Wren" in text
    assert write(stash, privacy="share", artwork=True, nfo_profile="jellyfin").files["unchanged"] == 1


def test_public_is_refused(tmp_path):
    with pytest.raises(UsageError, match="take share"):
        write(library(scene("1", "/d/cliffs.mp4")), tmp_path, privacy="public")


def test_only_some_scenes_and_their_neighbours_stay(tmp_path):
    source = library(scene("1", "/d/cliffs.mp4"), scene("2", "/d/tides.mp4"), scene("3", "/d/wrens.mp4"))
    write(source, tmp_path)
    source.update("scene", "2", {"title": "Spring tides"})
    source.update("scene", "3", {"title": "Wrens in winter"})
    report = write(source, tmp_path, ids=["2"])
    assert report.files == {"written": 1}
    assert read(tmp_path / "d/tides.nfo").findtext("title") == "Spring tides"
    assert read(tmp_path / "d/wrens.nfo").findtext("title") == "Film 3"


def test_since(tmp_path):
    source = library(scene("1", "/d/cliffs.mp4"), scene("2", "/d/tides.mp4"))
    report = write(source, tmp_path, since="2024-02-01")
    assert report.files == {"written": 1}
    assert (tmp_path / "d/tides.nfo").is_file()
    assert not report.reasons


def test_a_scene_that_is_gone_is_listed_and_removed_on_request(tmp_path, films):
    scenes = [scene(str(n), str(path)) for n, path in enumerate(films, 1)]
    write(library(*scenes), artwork=True)
    foreign = films[0].with_name("foreign.nfo")
    foreign.write_text("<movie><title>Somebody else's</title></movie>")
    report = write(library(scenes[0], scenes[2]), artwork=True)
    assert [reason.examples for reason in report.reasons] == [[str(films[1].with_suffix(".nfo"))]]
    assert films[1].with_suffix(".nfo").is_file()
    report = write(library(scenes[0], scenes[2]), artwork=True, remove_deleted=True)
    assert report.files["removed"] == 1
    assert not films[1].with_suffix(".nfo").exists()
    assert not films[1].with_name("tides-poster.jpg").exists()
    assert films[1].exists()
    assert foreign.is_file()


def test_a_library_without_scenes_is_told_and_removes_nothing(tmp_path):
    write(library(scene("1", "/d/cliffs.mp4")), tmp_path)
    with pytest.raises(UsageError, match="nothing to export"):
        write(library(), tmp_path, remove_deleted=True)
    assert (tmp_path / "d/cliffs.nfo").is_file()


def test_fields_that_were_chosen(tmp_path):
    write(library(scene("1", "/d/cliffs.mp4")), tmp_path, fields=["scene:title,tags"])
    made = read(tmp_path / "d/cliffs.nfo")
    assert made.findtext("tag") == "Birds"
    assert made.find("studio") is None
    assert made.find("userrating") is None


def test_two_genres_of_a_parent_tag(tmp_path):
    source = library(scene("1", "/d/cliffs.mp4", tags=["1", "3"]))
    source.create("tag", {"name": "Genre", "parents": []})
    source.create("tag", {"name": "Documentary", "parents": ["2"]})
    write(source, tmp_path, nfo_genres="Genre")
    made = read(tmp_path / "d/cliffs.nfo")
    assert [one.text for one in made.iter("genre")] == ["Documentary"]
    assert {one.text for one in made.iter("tag")} == {"Birds", "Documentary"}


def test_movie_nfo_is_refused_where_a_folder_holds_several(films):
    report = write(library(*(scene(str(n), str(path)) for n, path in enumerate(films, 1))), movie_nfo=True)
    assert report.files == {"skipped": 2, "written": 1}
    assert (films[2].parent / "movie.nfo").is_file()
    assert not (films[0].parent / "movie.nfo").exists()


def test_our_own_files_are_a_library(tmp_path):
    write(library(scene("1", "/d/cliffs.mp4")), tmp_path / "n")
    options = export_options({"from": f"nfo:{tmp_path / 'n'}", "to": str(tmp_path / "back.jsonl")}, {})
    report = export(options, Quiet(), Means())
    assert report.counts["scene"] == 1
    assert report.counts["performer"] == 2
    assert '"title":"Film 1"' in (tmp_path / "back.jsonl").read_text("utf-8")


class Damaged(MemoryLibrary):
    """Passes over one scene, as a database does with a record it cannot read."""

    def read(self, kind, want=EVERYTHING):
        return (record for record in super().read(kind, want) if (kind, record.uid) != ("scene", "2"))


@pytest.fixture
def two(tmp_path):
    """Two scenes, and the folder with their NFO files."""
    scenes = scene("1", "/d/cliffs.mp4"), scene("2", "/d/tides.mp4")
    write(library(*scenes), tmp_path / "n")
    return scenes, tmp_path / "n"


def test_a_scene_that_could_not_be_read_keeps_its_nfo(two):
    scenes, folder = two
    report = write(Damaged(scenes), folder, remove_deleted=True)
    assert report.notes == [NOT_ALL_KNOWN]
    assert "removed" not in report.files
    assert (folder / "d/tides.nfo").is_file()


@pytest.mark.parametrize("files", [None, [{"id": "1", "duration": 61.5}]])
def test_where_the_source_does_not_say_where_files_lie_nothing_is_removed(two, files):
    scenes, folder = two
    data = {key: value for key, value in scenes[0].data.items() if key != "files"}
    without = scenes[0]._replace(data={**data, "files": files} if files else data)
    report = write(library(without), folder, remove_deleted=True)
    assert NOT_ALL_KNOWN in report.notes
    assert report.files == {"skipped": 1}
    assert (folder / "d/cliffs.nfo").is_file()


def test_a_scene_that_came_to_its_place_during_the_run_keeps_its_nfo(two):
    scenes, folder = two

    class Growing(MemoryLibrary):
        def read(self, kind, want=EVERYTHING):
            found = list(super().read(kind, want))
            if kind == "scene" and want.fields != {"files"}:
                found.append(scene("3", "/d/wrens.mp4"))
            return iter(found)

    report = write(Growing(scenes), folder, remove_deleted=True)
    assert "removed" not in report.files
    assert (folder / "d/wrens.nfo").is_file()


def test_a_folder_of_nfo_files_within_the_media_and_those_beside_do_not_remove_each_other(films):
    stash, mirror = library(scene("1", str(films[0]))), films[0].parent / "for the server"
    rules = [f"{films[0].parent}=Films"]
    write(stash, mirror, path=rules)
    assert write(stash, remove_deleted=True).files == {"written": 1}
    assert (mirror / "Films/cliffs.nfo").is_file()
    assert "removed" not in write(stash, films[0].parent, path=rules, ids=["1"]).files
    assert films[0].with_suffix(".nfo").is_file()


def test_leftovers_lie_also_where_a_part_of_the_library_is_elsewhere(tmp_path, films):
    moved = tmp_path / "disk two/rivers.mp4"
    moved.parent.mkdir()
    moved.touch()
    stash = library(scene("1", str(films[0])), scene("2", str(films[0].parent / "late/rivers.mp4")))
    rules = [f"{films[0].parent / 'late'}={moved.parent}"]
    write(stash, path=rules)
    rest = library(scene("1", str(films[0])))
    rest.folders = lambda: [str(films[0].parent)]
    report = write(rest, path=rules, remove_deleted=True)
    assert report.files == {"unchanged": 1, "removed": 1}
    assert not moved.with_suffix(".nfo").exists()


def test_ids_that_do_not_exist_are_told(two):
    scenes, folder = two
    report = write(library(*scenes), folder, ids=["1", "99"])
    assert report.remarks == ["1 of the scenes asked for or referred to do not exist"]
    assert exit_code(report) == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"fields": ["scene:title,rating100"], "privacy": "share"}, "kept back by privacy share: rating100"),
        ({"fields": ["scene:title,o_history"]}, "not in NFO files: o_history"),
        ({"fields": ["tag:name"]}, "NFO files are made of scenes: the columns of tags were passed over"),
        ({"nfo_genres": "Sujet"}, "there is no tag 'Sujet', so no tag was written as a genre"),
    ],
)
def test_what_was_asked_for_and_has_no_effect_is_told(two, said, told):
    scenes, folder = two
    assert write(library(*scenes), folder, **said).remarks == [told]


def test_a_tag_of_genres_is_found_in_any_case(two):
    scenes, folder = two
    assert write(library(*scenes), folder, nfo_genres="birds").remarks == []


def test_an_export_of_some_scenes_as_the_source_removes_nothing(two, tmp_path):
    scenes, folder = two
    part = tmp_path / "part.jsonl"
    options = {"from": "memory", "to": str(part), "ids": ["1"], "closure": "none", "kinds": "scene"}
    export(export_options(options, {}), Quiet(), Means(), library(*scenes))
    again = {"from": str(part), "to": str(folder), "format": "nfo", "remove_deleted": True}
    report = export(export_options(again, {}), Quiet(), Means())
    assert NOT_FROM_PARTS in report.remarks
    assert "removed" not in report.files
    assert (folder / "d/tides.nfo").is_file()


def test_a_scene_that_cannot_be_read_is_told_once_though_it_is_looked_at_twice(two, monkeypatch):
    scenes, folder = two

    class Telling(Damaged):
        def read(self, kind, want=EVERYTHING):
            if kind == "scene":
                self.skip(RecordError(kind="scene", uid="2", reason="it is damaged"))
            return super().read(kind, want)

    def opened(_, opening):
        source = Telling(scenes)
        source.skip = opening.skip
        return source

    monkeypatch.setattr(commands, "open_library", opened)
    options = export_options({"from": "memory", "format": "nfo", "to": str(folder)}, {})
    assert len(export(options, Quiet(), Means()).skipped) == 1

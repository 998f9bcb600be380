"""Where an NFO goes, and which scene may have it; nothing is asked of the disk but what the test says."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import pytest

from stash_portability.errors import OutputNotUsable
from stash_portability.libraries.nfo import places as module
from stash_portability.libraries.nfo.choices import NfoChoices
from stash_portability.libraries.nfo.places import Claims, Disk, Places, fits
from stash_portability.model import Record
from stash_portability.transform.rewrite import parse_rules


def make_places(rules=None, here=(), real=lambda folder: folder, **choices):
    to = "" if choices.get("beside") else "/out"
    return Places(NfoChoices(**choices), parse_rules(rules), to, Disk(set(here).__contains__, real))


def scene(uid, *paths):
    return Record("scene", uid, {"files": [{"path": path} for path in paths]})


def why(places, path, **more):
    with pytest.raises(OutputNotUsable) as told:
        places.find({"path": path, **more} if path is not None else None)
    return told.value.words["reason"]


def refusal(claims, places, uid, path):
    try:
        claims.check(uid, places.find({"path": path}))
    except OutputNotUsable as problem:
        return problem.words["reason"]
    return None


@pytest.mark.parametrize(
    ("path", "rules", "nfo", "seen"),
    [
        ("/data/otters/otter.mkv", None, "/out/data/otters/otter.nfo", "/data/otters"),
        ("/data/otters/otter.mkv", "/data=/films", "/out/films/otters/otter.nfo", "/films/otters"),
        ("/data/otters/otter.mkv", "/data=films", "/out/films/otters/otter.nfo", "/out/films/otters"),
        ("/data/otters/otter.mkv", "/data=", "/out/otters/otter.nfo", "/out/otters"),
        (r"c:\films\otter.mkv", None, "/out/C/films/otter.nfo", r"c:\films"),
        (r"\\nas\films\otter.mkv", None, "/out/nas/films/otter.nfo", r"\\nas\films"),
        ("/data/otter.mkv", r"/data=Z:\films", "/out/Z/films/otter.nfo", r"Z:\films"),
        ("/otter.part1.mkv", None, "/out/otter.part1.nfo", "/"),
        ("/data/otter", None, "/out/data/otter.nfo", "/data"),
        ("/data/.mkv", None, "/out/data/.mkv.nfo", "/data"),
        ("/data/100%\n🦦.mkv", None, "/out/data/100%\n🦦.nfo", "/data"),
        (r"/data/a\b.mkv", None, r"/out/data/a\b.nfo", "/data"),
    ],
)
def test_the_folder_mirrors_the_paths_the_media_server_sees(path, rules, nfo, seen):
    place = make_places(rules).find({"path": path})
    assert (place.nfo, place.seen) == (nfo, seen)


def test_beside_the_media_the_path_of_the_rules_comes_first_where_the_film_is_there():
    both = make_places("/data=/mnt", here={"/mnt/a.mkv", "/data/a.mkv"}, beside=True)
    own = make_places("/data=/mnt", here={"/data/a.mkv"}, beside=True)
    assert both.find({"path": "/data/a.mkv"}).nfo == "/mnt/a.nfo"
    place = own.find({"path": "/data/a.mkv"})
    assert (place.nfo, place.seen) == ("/data/a.nfo", "/mnt")


def test_a_film_that_is_not_on_this_machine_is_told_with_the_places_looked_at():
    places = make_places("/data=/mnt", beside=True)
    with pytest.raises(OutputNotUsable) as told:
        places.find({"path": "/data/a.mkv"})
    assert told.value.words == {"path": "/mnt/a.mkv and /data/a.mkv", "reason": module.NOT_HERE}


def test_a_path_of_another_system_is_never_looked_for_in_the_working_folder():
    def exists(path):
        raise AssertionError(path)

    places = Places(NfoChoices(beside=True), parse_rules(None), "", Disk(exists))
    assert why(places, r"C:\films\a.mkv") == module.NOT_HERE
    assert why(places, "films/a.mkv") == module.NOT_HERE


@pytest.mark.parametrize("beside", [True, False])
def test_what_cannot_have_an_nfo_is_refused_with_a_reason(beside):
    places = make_places(here={"/data/a.mkv", "/data/../a.mkv", "/lib/a.nfo"}, beside=beside)
    assert why(places, None) == module.NO_FILE
    assert why(places, "") == module.NO_FILE
    assert why(places, "/data/a.zip/a.mkv", zip_file="/data/a.zip") == module.IN_ZIP
    assert why(places, "/data/../a.mkv") == module.UPWARDS
    assert why(places, "/lib/a.nfo") == module.IS_NFO
    assert why(places, "/lib/A.NFO") == module.IS_NFO
    assert why(places, "/data/" + "n" * 255) == module.TOO_LONG
    assert why(places, "/") in (module.NO_NAME, module.NOT_HERE)


def test_a_name_that_no_folder_of_ours_can_have_is_refused():
    assert why(make_places(), "/data/a\0b/a.mkv") == module.NO_NAME
    assert why(make_places(), "/data/./a.mkv") == module.NO_NAME


def test_the_longest_name_is_counted_in_bytes():
    assert fits("ä" * 127)
    assert not fits("ä" * 128)
    assert make_places().find({"path": "/" + "n" * 251 + ".mkv"}).name == "n" * 251 + ".nfo"


def test_a_task_writes_only_under_the_folders_allowed():
    films = {"/lib/a.mkv", "/library/a.mkv", "/etc/a.mkv", "/lib/../etc/a.mkv"}
    places = make_places("/lib2=/etc", here=films, beside=True, allowed=(Path("/lib"),))
    assert places.find({"path": "/lib/a.mkv"}).nfo == "/lib/a.nfo"
    assert why(places, "/library/a.mkv") == module.OUTSIDE
    assert why(places, "/etc/a.mkv") == module.OUTSIDE
    assert why(places, "/lib2/a.mkv") == module.OUTSIDE
    assert why(places, "/lib/../etc/a.mkv") == module.UPWARDS
    everywhere = make_places(here=films, beside=True, allowed=(Path("/"),))
    assert everywhere.find({"path": "/etc/a.mkv"}).nfo == "/etc/a.nfo"


def test_nothing_is_looked_at_outside_the_folders_allowed():
    looked = []
    disk = Disk(lambda path: bool(looked.append(path)))
    places = Places(NfoChoices(beside=True, allowed=(Path("/lib"),)), parse_rules("/x=/etc"), "", disk)
    why(places, "/x/a.mkv")
    assert looked == []


def test_the_first_scene_has_a_place_two_want():
    places = make_places()
    claims = Claims(places)
    for one in (scene("1", "/data/otter.mkv"), scene("2", "/data/otter.mp4"), scene("3", "/data/Otter.avi")):
        claims.add(one)
    claims.add(scene("4", "/data/heron.mkv", "/data/heron.mp4"))
    assert refusal(claims, places, "1", "/data/otter.mkv") is None
    assert refusal(claims, places, "2", "/data/otter.mp4") == module.TAKEN
    assert refusal(claims, places, "3", "/data/Otter.avi") == module.TAKEN
    assert refusal(claims, places, "4", "/data/heron.mp4") is None


@pytest.mark.parametrize(("one", "other"), [("Straße", "STRASSE"), ("caf\u00e9", "cafe\u0301"), ("É", "e\u0301")])
def test_names_that_some_disks_take_for_one_are_one(one, other):
    places = make_places()
    claims = Claims(places)
    claims.add(scene("1", f"/data/{one}.mkv"))
    claims.add(scene("2", f"/data/{other}.mkv"))
    assert refusal(claims, places, "2", f"/data/{other}.mkv") == module.TAKEN


def test_a_film_reached_through_a_link_is_the_same_film():
    places = make_places(
        here={"/lib/a.mkv", "/link/a.mkv"}, real=lambda folder: folder.replace("link", "lib"), beside=True
    )
    claims = Claims(places)
    claims.add(scene("1", "/lib/a.mkv"))
    claims.add(scene("2", "/link/a.mkv"))
    assert refusal(claims, places, "2", "/link/a.mkv") == module.TAKEN
    assert claims.holds("/link", "a.nfo")


def test_movie_nfo_is_refused_where_a_folder_holds_several_scenes():
    places = make_places(movie_nfo=True)
    claims = Claims(places)
    for one in (scene("1", "/data/a/a.mkv", "/data/a/b.mkv"), scene("2", "/data/b/a.mkv"), scene("3", "/data/b/b.mkv")):
        claims.add(one)
    place = places.find({"path": "/data/a/a.mkv"})
    assert (place.name, place.base, place.stem) == ("movie.nfo", "", "a")
    assert refusal(claims, places, "1", "/data/a/a.mkv") is None
    assert refusal(claims, places, "2", "/data/b/a.mkv") == module.SEVERAL
    assert refusal(claims, places, "3", "/data/b/b.mkv") == module.SEVERAL
    assert claims.holds("/out/data/a", "movie.nfo")
    assert not claims.holds("/out/data/b", "movie.nfo")


def test_a_place_that_both_a_rule_and_stash_lead_to_is_claimed_by_one():
    places = make_places("/data=/mnt", here={"/mnt/a.mkv"}, beside=True)
    claims = Claims(places)
    claims.add(scene("1", "/data/a.mkv"))
    claims.add(scene("2", "/mnt/a.mkv"))
    assert refusal(claims, places, "1", "/data/a.mkv") is None
    assert refusal(claims, places, "2", "/mnt/a.mkv") == module.TAKEN


def test_scenes_without_a_place_claim_none():
    claims = Claims(make_places())
    claims.add(scene("1"))
    claims.add(Record("scene", "2", {}))
    claims.add(Record("scene", "3", {"files": [{"path": "/a.zip/a.mkv", "zip_file": "/a.zip"}, {"path": None}]}))
    assert claims.scenes == 3
    assert not claims.holds("/out/a.zip", "a.nfo")


def test_claims_cost_some_tens_of_bytes_a_scene():
    claims, count = Claims(make_places()), 40_000
    tracemalloc.start()
    for number in range(count):
        claims.add(scene(str(number), f"/data/{number % 400}/film {number}.mkv"))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / count < 110


@pytest.mark.skipif(sys.platform == "win32", reason="what Windows refuses is asked on others here")
def test_names_that_windows_would_change_are_refused_there(monkeypatch):
    monkeypatch.setattr(module.os, "name", "nt")
    for name in ("a:b.mkv", "con.mkv", "folder./a.mkv", "a?.mkv"):
        assert why(make_places(), f"/data/{name}") == module.NO_NAME


def test_names_that_lead_upwards_on_windows_are_not_followed(monkeypatch):
    beside = make_places(beside=True, here=["/data/a\\..\\..\\otter.mkv"])
    assert why(beside, "/data/a\\..\\..\\otter.mkv") == module.UPWARDS
    monkeypatch.setattr(module.os, "name", "nt")
    refused = why(make_places(), "/data/a\\..\\..\\..\\otter.mkv")
    monkeypatch.undo()
    assert refused == module.NO_NAME


def test_claims_know_how_many_scenes_have_no_known_place():
    claims = Claims(make_places())
    for record in (scene("1", "/data/otter.mkv"), scene("2"), scene("3", None), Record("scene", "4", {})):
        claims.add(record)
    assert claims.unknown == 2

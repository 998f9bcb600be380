"""NFO files of a real Stash, through the real command line, read by a real Kodi."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from benchmarks.library import big_stash

from . import media
from .conftest import ZONE, binary
from .films import expected, make_films, mirrored, put_videos, scenes, shown
from .stash_server import NEW, OLD, Options, StashServer

WREN, DIVER = 'Wren O\'Hara, "the quiet" (narrator)', "Robin Marsh (the diver; deep)"
ROOT = Path(__file__).resolve().parents[2]
FOREIGN = """<?xml version="1.0"?>
<movie><title>Somebody's dams</title><trailer>somewhere</trailer><mpaa>G</mpaa><sorttitle>dams</sorttitle>
<customthing level="3">kept &amp; well</customthing></movie>
https://films.example/dams
"""


@pytest.fixture(scope="module", params=[NEW, OLD])
def films(request, tmp_path_factory):
    """A Stash with media of its own, to be read only."""
    path = binary(request.param, request.config)
    if not media.available():
        pytest.skip("no ffmpeg here, which makes the films of the live tests")
    with StashServer(path, tmp_path_factory.mktemp("films"), Options(timezone=ZONE)) as server:
        make_films(server)
        yield server


@pytest.fixture
def films_to_change(films, tmp_path):
    """A copy of it, for a test that writes into Stash."""
    films.stop()
    (tmp_path / "copy").mkdir()
    copy = StashServer.copy_of(films.folder, tmp_path / "copy", films.binary, Options(timezone=ZONE))
    films.start()
    with copy:
        yield copy


def command(server, *arguments):
    source = [] if "--from" in arguments else ["--from", server.url]
    return [sys.executable, "-m", "stash_portability", "--json", "export", *source, *map(str, arguments)]


def export(server, *arguments):
    """Run the command line; give its report."""
    done = subprocess.run(
        command(server, *arguments), capture_output=True, check=False, text=True, cwd=ROOT, timeout=300
    )
    assert done.returncode in (0, 1), done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def nfo(server, to, *arguments):
    return export(server, "--format", "nfo", "--to", to, *arguments)


def state(folder):
    """Every file below ``folder``: its time and its bytes."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def with_files(server):
    return [(scene, file) for scene in scenes(server) for file in scene["files"]]


def place(server, to, name):
    """The NFO of the file called ``name``."""
    (found,) = (mirrored(to, file) for _, file in with_files(server) if file["basename"] == name)
    return found


def root_of(path):
    return ElementTree.fromstring(path.read_bytes())


def reasons(report):
    return "\n".join(f"{one['text']}: {one['examples']}" for one in report["reasons"])


def examples(report, words):
    """Where the reasons with ``words`` in them hold."""
    return [path for one in report["reasons"] if words in one["text"] for path in one["examples"]]


def check_all(server, movies):
    """Compare every film Kodi shows with what Stash says."""
    by_path = {movie["file"]: movie for movie in movies}
    checked = 0
    for scene, file in with_files(server):
        (movie,) = (
            movie for path, movie in by_path.items() if path.endswith(file["path"].removeprefix(str(server.media)))
        )
        assert shown(movie) == expected(scene, file), file["basename"]
        checked += 1
    assert checked == len(movies) > 3


def test_kodi_shows_what_stash_says(films, real_kodi, tmp_path):
    to = tmp_path / "nfo"
    report = nfo(films, to)
    assert report["files"]["written"] == len(with_files(films))
    assert {path for path in to.rglob("*") if path.is_file()} == {mirrored(to, file) for _, file in with_files(films)}
    put_videos(to, films)
    check_all(films, real_kodi.scan(to))


def test_kodi_shows_the_genres_that_were_asked_for(films, real_kodi, tmp_path):
    for which, wanted in (("none", set()), ("Water", {"Rivers"})):
        nfo(films, tmp_path / which, "--nfo-genres", which)
        put_videos(tmp_path / which, films)
        movies = {Path(movie["file"]).name: movie for movie in real_kodi.scan(tmp_path / which)}
        assert set(movies["beaver dam.mkv"]["genre"]) == wanted
    nfo(films, tmp_path / "all", "--nfo-genres", "all")
    put_videos(tmp_path / "all", films)
    movies = {Path(movie["file"]).name: movie for movie in real_kodi.scan(tmp_path / "all")}
    assert {"Rivers", "Otters 🦦", "ציפורים"} <= set(movies["beaver dam.mkv"]["genre"])


def test_kodi_finds_the_pictures(films, real_kodi, tmp_path):
    to = tmp_path / "nfo"
    nfo(films, to, "--artwork")
    put_videos(to, films)
    movies = {Path(movie["file"]).name: movie for movie in real_kodi.scan(to)}
    movie, stem = movies["beaver dam.mkv"], place(films, to, "beaver dam.mkv").with_suffix("")
    poster, fanart = (stem.with_name(f"{stem.name}-{kind}.png") for kind in ("poster", "fanart"))
    assert poster.read_bytes() == media.png(6)  # the front of its group
    assert fanart.read_bytes() == media.png(8)  # its own cover
    assert in_kodi(movie["art"]["poster"]) == str(poster)
    assert in_kodi(movie["art"]["fanart"]) == str(fanart)
    portraits = portraits_of(movie)
    assert set(portraits) == {WREN, DIVER}, "the others have no picture of their own"
    assert portraits[DIVER].read_bytes() == media.png(9)
    # No disk of every system can have her name, so that it is named where the media server has the film.
    assert (to / str(portraits[WREN]).lstrip("/")).read_bytes() == media.png(3)


def portraits_of(movie):
    """The picture of each of a film's people who has one."""
    return {one["name"]: Path(in_kodi(one["thumbnail"])) for one in movie["cast"] if one.get("thumbnail")}


def in_kodi(url):
    """The path in one of Kodi's names for a picture."""
    return unquote(url.removeprefix("image://")).rstrip("/")


def test_a_second_run_writes_nothing(films, tmp_path):
    to = tmp_path / "nfo"
    first = nfo(films, to, "--artwork")
    before = state(to)
    second = nfo(films, to, "--artwork")
    assert state(to) == before
    assert second["files"]["unchanged"] == first["files"]["written"]
    assert not second["files"].get("written")
    assert not second["files"].get("pictures written")


def test_the_database_file_gives_the_same_files_as_the_server(films, tmp_path):
    nfo(films, tmp_path / "server", "--artwork")
    nfo(films, tmp_path / "file", "--artwork", "--from", films.database)
    by_server = {
        path.relative_to(tmp_path / "server"): known for path, (_, known) in state(tmp_path / "server").items()
    }
    by_file = {path.relative_to(tmp_path / "file"): known for path, (_, known) in state(tmp_path / "file").items()}
    assert by_file == by_server


def test_beside_the_media_where_another_computer_has_them(films, real_kodi, tmp_path):
    there = tmp_path / "films elsewhere"
    shutil.copytree(films.media, there)
    before = state(films.media)
    export(films, "--format", "nfo", "--beside-media", "--artwork", "--path", f"{films.media}={there}")
    assert state(films.media) == before, "beside Stash's own files nothing is written when the others are there"
    assert all(
        (there / Path(file["path"]).relative_to(films.media)).with_suffix(".nfo").exists()
        for _, file in with_files(films)
    )
    movies = real_kodi.scan(there)
    check_all(films, movies)
    portraits = {name: path.read_bytes() for movie in movies for name, path in portraits_of(movie).items()}
    assert portraits == {WREN: media.png(3), DIVER: media.png(9)}


def test_beside_the_media_themselves(films):
    before = set(films.media.rglob("*"))
    try:
        report = export(films, "--beside-media", "--path", "/nowhere=/elsewhere")
        made = set(films.media.rglob("*")) - before
        assert made == {Path(file["path"]).with_suffix(".nfo") for _, file in with_files(films)}
        assert report["files"]["written"] == len(made)
    finally:
        for path in set(films.media.rglob("*")) - before:
            path.unlink()


def test_a_path_rule_moves_the_mirror(films, tmp_path):
    nfo(films, tmp_path / "nfo", "--path", f"{films.media}=films/all")
    assert (tmp_path / "nfo" / "films" / "all" / "deep" / "pool" / "toad.nfo").exists()
    nfo(films, tmp_path / "other", "--path", rf"{films.media}=W:\films")
    assert (tmp_path / "other" / "W" / "films" / "beaver dam.nfo").exists()


def test_every_file_of_a_scene_has_its_own(films, tmp_path):
    nfo(films, tmp_path / "nfo")
    both = [root_of(place(films, tmp_path / "nfo", name)) for name in ("otter.mp4", "kingfisher.mp4")]
    ids = {one.findtext("uniqueid[@type='stash']") for one in both}
    assert ids == {films.ids["scene:full"]}


def test_ids_choose_and_leave_the_rest_alone(films, tmp_path):
    to = tmp_path / "nfo"
    nfo(films, to)
    before = state(to)
    some = place(films, to, "toad.mp4")
    for path in to.rglob("*.nfo"):
        if path in (some, place(films, to, "otter.mp4")):
            path.unlink()
    wanted = (
        films.ids["scene:beaver dam.mkv"],
        next(one["id"] for one, file in with_files(films) if file["basename"] == "toad.mp4"),
    )
    report = nfo(films, to, "--ids", ",".join(wanted), "--remove-deleted")
    assert report["files"]["written"] == 1
    assert report["files"]["unchanged"] == 1
    assert not report["files"].get("removed")
    after = state(to)
    assert set(before) - set(after) == {place(films, to, "otter.mp4")}


@pytest.mark.parametrize("profile", ["kodi", "jellyfin"])
def test_share_leaves_out_what_is_personal(films, tmp_path, profile):
    to = tmp_path / "nfo"
    nfo(films, to, "--privacy", "share", "--artwork", "--nfo-profile", profile)
    found = sorted(to.rglob("*.nfo"))
    assert len(found) == len(with_files(films))
    for path in found:
        left = {one.tag for one in root_of(path)}
        assert not left & {"userrating", "ratings", "rating", "playcount", "lastplayed", "watched", "resume"}
        text = path.read_text(encoding="utf-8")
        assert str(films.media) not in text
        assert str(tmp_path) not in text
    before = state(to)
    nfo(films, to, "--privacy", "share", "--artwork", "--nfo-profile", profile)
    assert state(to) == before


def test_what_was_written_reads_back(films, tmp_path):
    nfo(films, tmp_path / "nfo")
    back = tmp_path / "back.jsonl"
    export(films, "--from", f"nfo:{tmp_path / 'nfo'}", "--to", back)
    records = [json.loads(line) for line in back.read_text(encoding="utf-8").splitlines()]
    by_kind = {
        kind: {one["id"]: one for one in records if one["kind"] == kind}
        for kind in ("scene", "tag", "performer", "studio", "group")
    }
    for scene in scenes(films):
        if not scene["files"]:
            continue
        record, date = by_kind["scene"][scene["id"]], scene["date"] or ""
        assert (record.get("title") or "") == (scene["title"] or "")
        assert (record.get("details") or "") == (scene["details"] or "").strip()
        assert (record.get("date") or "") == (date if len(date) == len("2021-05-01") else date[:4])
        assert record.get("rating100") == scene["rating100"]
        assert record.get("resume_time") == (scene["resume_time"] or None)
        assert {by_kind["tag"][uid]["name"] for uid in record.get("tags", ())} == {
            tag["name"].replace(" / ", " & ") for tag in scene["tags"]
        }
        assert len(record.get("performers", ())) == len(scene["performers"])
        if scene["studio"]:
            assert by_kind["studio"][record["studio"]]["name"] == scene["studio"]["name"]


@pytest.mark.parametrize("profile", ["jellyfin", "emby", "plex"])
def test_the_other_servers_get_well_formed_files_too(films, tmp_path, profile):
    nfo(films, tmp_path / "nfo", "--nfo-profile", profile, "--artwork")
    for scene, file in with_files(films):
        root = root_of(mirrored(tmp_path / "nfo", file))
        assert root.findtext("title") == expected(scene, file)["title"]
        assert root.findtext("uniqueid[@type='stash']") == scene["id"]


def test_somebody_elses_file_is_kept(films, tmp_path):
    to = tmp_path / "nfo"
    theirs = place(films, to, "beaver dam.mkv")
    theirs.parent.mkdir(parents=True)
    theirs.write_text(FOREIGN, encoding="utf-8")
    report = nfo(films, to)
    assert theirs.read_text(encoding="utf-8") == FOREIGN
    assert [path for path in examples(report, "it was kept") if path != str(theirs)] == []
    assert examples(report, "it was kept")


def test_somebody_elses_file_is_merged_when_asked(films, real_kodi, tmp_path):
    to = tmp_path / "nfo"
    theirs = place(films, to, "beaver dam.mkv")
    theirs.parent.mkdir(parents=True)
    theirs.write_text(FOREIGN, encoding="utf-8")
    nfo(films, to, "--foreign-nfo", "merge")
    text = theirs.read_text(encoding="utf-8")
    assert "kept &amp; well" in text
    assert "<trailer>somewhere</trailer>" in text
    assert "https://films.example/dams" in text
    assert "Somebody" not in text
    assert theirs.with_name("beaver dam.nfo.1").read_text(encoding="utf-8") == FOREIGN
    before = state(to)
    nfo(films, to, "--foreign-nfo", "merge")
    assert state(to) == before, "merging again changes nothing"
    put_videos(to, films)
    movies = {Path(movie["file"]).name: movie for movie in real_kodi.scan(to)}
    assert movies["beaver dam.mkv"]["title"] == 'Beavers & "dams" 🦫'
    assert movies["beaver dam.mkv"]["mpaa"] == "G"
    assert movies["beaver dam.mkv"]["sorttitle"] == "dams"


def test_our_file_that_somebody_edited_is_kept(films, tmp_path):
    to = tmp_path / "nfo"
    nfo(films, to)
    ours = place(films, to, "beaver dam.mkv")
    edited = ours.read_text(encoding="utf-8").replace("Beavers", "My beavers")
    ours.write_text(edited, encoding="utf-8")
    report = nfo(films, to)
    assert ours.read_text(encoding="utf-8") == edited
    assert "beaver dam.nfo" in reasons(report)


def test_since_writes_what_changed(films_to_change, tmp_path):
    to = tmp_path / "nfo"
    nfo(films_to_change, to)
    before = state(to)
    time.sleep(1.1)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    change = 'mutation($id: ID!) { sceneUpdate(input: {id: $id, title: "Dams anew"}) { id } }'
    films_to_change.graphql(change, {"id": films_to_change.ids["scene:beaver dam.mkv"]})
    report = nfo(films_to_change, to, "--since", now, "--remove-deleted")
    assert report["files"]["written"] == 1
    after = state(to)
    changed = place(films_to_change, to, "beaver dam.mkv")
    assert {path for path in after if after[path] != before.get(path)} == {changed}
    assert set(after) == set(before)
    assert root_of(changed).findtext("title") == "Dams anew"


def test_a_deleted_scene_is_told_and_its_file_removed_when_asked(films_to_change, tmp_path):
    server, to = films_to_change, tmp_path / "nfo"
    nfo(server, to, "--artwork")
    before = set(state(to))
    gone = place(server, to, "beaver dam.mkv")
    edited = place(server, to, "toad.mp4")
    edited.write_text(edited.read_text(encoding="utf-8").replace("Toad", "My toad"), encoding="utf-8")
    (toad,) = (one["id"] for one, file in with_files(server) if file["basename"] == "toad.mp4")
    destroy = "mutation($id: ID!) { sceneDestroy(input: {id: $id, delete_file: false, delete_generated: false}) }"
    for uid in (server.ids["scene:beaver dam.mkv"], toad):
        server.graphql(destroy, {"id": uid})
    report = nfo(server, to, "--artwork")
    assert "beaver dam.nfo" in reasons(report)
    assert set(state(to)) == before
    report = nfo(server, to, "--artwork", "--remove-deleted")
    assert report["files"]["removed"] >= 1
    assert not gone.exists()
    assert not list(gone.parent.glob("beaver dam-*"))
    assert edited.exists(), "somebody edited it"
    assert "toad.nfo" in reasons(report)


def test_the_kodi_of_the_tests_is_reachable_from_here_only(real_kodi):
    if shutil.which("ss") is None:
        pytest.skip("no ss here, which tells who listens")
    found = real_kodi.listening()
    assert found
    assert all(address.startswith("127.0.0.1:") for address in found), found


@pytest.fixture(scope="module")
def many(tmp_path_factory, request):
    """A Stash with some thousands of scenes, none of which has a real file."""
    binary(NEW, request.config)
    with big_stash(tmp_path_factory.mktemp("many"), 3000) as server:
        yield server


def test_killing_an_export_leaves_no_half_file(many, tmp_path):
    to = tmp_path / "nfo"
    arguments = command(many, "--format", "nfo", "--to", to)
    seen = set()
    for many_enough in (1, 10, 100, 300, 700, 1200):
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        while child.poll() is None and sum(1 for _ in to.rglob("*.nfo")) < many_enough:
            time.sleep(0.001)
        child.kill()
        child.wait()
        found = list(to.rglob("*.nfo"))
        seen.add(len(found))
        for path in found:
            assert root_of(path).findtext("title").startswith("Film ")
        shutil.rmtree(to)
    assert any(0 < count < 3000 for count in seen), f"no kill came in the middle: {seen}"


def test_what_a_killed_run_left_is_taken_away_by_a_later_one(many, tmp_path):
    to = tmp_path / "nfo"
    arguments = command(many, "--format", "nfo", "--to", to)
    left = []
    for attempt in range(40):
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        while child.poll() is None and not left:
            left = list(to.rglob(".stash-portability-*.partial"))
            if not left and attempt % 2:
                time.sleep(0.001)
        child.kill()
        child.wait()
        left = list(to.rglob(".stash-portability-*.partial"))
        if left:
            break
        shutil.rmtree(to, ignore_errors=True)
    if not left:
        pytest.skip("no kill came while a file was being written")
    for path in left:
        os.utime(path, (time.time() - 7200,) * 2)
    report = nfo(many, to)
    assert report["files"]["written"] + report["files"].get("unchanged", 0) == 3000
    assert not list(to.rglob(".stash-portability-*"))

"""A run over a shelf of films: what is ours is kept up to date, what is not stays, and a second run writes nothing."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stash_portability.errors import NoSpace
from stash_portability.libraries.nfo import keeper as keeper_module
from stash_portability.libraries.nfo import places, writer
from stash_portability.libraries.nfo.choices import NfoChoices
from stash_portability.libraries.nfo.keeper import LINK, TOO_LARGE, Keeper, is_partial
from stash_portability.libraries.nfo.places import Claims, Places
from stash_portability.libraries.nfo.text import read_mark, untouched
from stash_portability.libraries.nfo.writer import NfoWriter, Reading
from stash_portability.model import Blob, Record, Report

from .shelf import FOREIGN, JPEG, PNG, Shelf, blob, listing, reasons

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, rights and signals of POSIX")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """To force a busy disk takes seconds each time."""
    monkeypatch.setattr(keeper_module.os, "sync", lambda: None, raising=False)


def full_shelf(folder, count=4, **choices):
    """A shelf with a bit of everything."""
    shelf = Shelf(folder, artwork=True, profile="jellyfin", **choices)
    shelf.images["other"] = PNG + b"other"
    shelf.add("performer", "4", name="Anna Bell", image=Blob("performer", "4", "image", "anna"))
    shelf.add("performer", "5", name="Ben / Crane", image=Blob("performer", "5", "image", "other"))
    shelf.add("group", "7", name="Rivers", front_image=Blob("group", "7", "front_image", "front"))
    shelf.add("tag", "9", name="water / ice", parents=[])
    for number in range(count):
        more = {"groups": [{"group": "7", "scene_index": 1}]} if number % 2 else {}
        names = (f"{number % 3}/otter {number}.mkv", f"{number % 3}/otter {number} – cut.mkv")
        shelf.film(number, *names, cover=blob("cover"), performers=["4", "5"], tags=["9"], **more)
    return shelf


@pytest.mark.parametrize("choices", [{}, {"beside": False}, {"movie_nfo": True}, {"foreign": "merge"}])
def test_a_second_run_writes_nothing_at_all(tmp_path, choices):
    shelf = full_shelf(tmp_path, **choices)
    (shelf.media / "0").mkdir(exist_ok=True)
    (shelf.media / "0/otter 0.nfo").write_bytes(FOREIGN)
    first = shelf.run()
    before = shelf.state()
    second = shelf.run()
    assert first.files["written"] > 0
    assert "written" not in second.files
    assert "pictures written" not in second.files
    assert shelf.state() == before
    assert not any(is_partial(path.name) for path in before)


def test_an_nfo_for_each_file_of_a_scene(shelf):
    shelf.film(1, "a.mkv", "b/a.mkv", "a.mp4")
    assert shelf.run().files == {"written": 2}
    assert (shelf.media / "a.nfo").is_file()
    assert (shelf.media / "b/a.nfo").is_file()


def test_a_folder_mirrors_the_media(tmp_path):
    shelf = Shelf(tmp_path, beside=False)
    shelf.film(1, "lake/a.mkv", here=False)
    shelf.rules = [f"{shelf.media}=films"]
    report = shelf.run()
    assert report.files == {"written": 1}
    assert [path.relative_to(shelf.out).as_posix() for path in shelf.files()] == ["films/lake/a.nfo"]


def test_a_change_in_stash_is_written_without_a_version(shelf):
    scene = shelf.film(1, "a.mkv")
    shelf.run()
    scene.data["title"] = "Otters at night"
    assert shelf.run().files == {"written": 1}
    assert listing(shelf.media) == ["a.mkv", "a.nfo"]
    assert "Otters at night" in (shelf.media / "a.nfo").read_text()


def foreign_kinds(shelf):
    """NFO files that are not ours any more, or never were."""
    shelf.run()
    ours = (shelf.media / "a.nfo").read_bytes()
    without_mark = ours.split(b"\n")
    return {
        "of somebody else": FOREIGN,
        "edited": ours.replace(b"Film 1", b"Film One"),
        "edited in the mark": ours.replace(b"scene 1;", b"scene 2;"),
        "rewritten by a server": b"\xef\xbb\xbf" + b"\n".join([without_mark[0], *without_mark[2:]]),
        "with a line more": ours + b"\n",
    }


@pytest.mark.parametrize(
    "which", ["of somebody else", "edited", "edited in the mark", "rewritten by a server", "with a line more"]
)
def test_a_foreign_nfo_is_kept(tmp_path, which):
    shelf = Shelf(tmp_path, artwork=True)
    scene = shelf.film(1, "a.mkv", cover=blob("cover"))
    (shelf.media / "a.nfo").write_bytes(foreign_kinds(shelf)[which])
    scene.data["title"] = "Otters at night"
    shelf.images["cover"] = JPEG + b"new"
    before = shelf.state()
    report = shelf.run()
    assert report.files == {"skipped": 1}
    assert reasons(report) == {writer.FOREIGN: 1}
    assert report.reasons[0].examples == [str(shelf.media / "a.nfo")]
    assert shelf.state() == before


@pytest.mark.parametrize(
    "which", ["of somebody else", "edited", "edited in the mark", "rewritten by a server", "with a line more"]
)
def test_a_foreign_nfo_is_merged_and_its_bytes_are_kept(tmp_path, which):
    shelf = Shelf(tmp_path, foreign="merge")
    shelf.film(1, "a.mkv")
    theirs = foreign_kinds(shelf)[which]
    (shelf.media / "a.nfo").write_bytes(theirs)
    (shelf.media / "a.nfo.1").write_bytes(b"from long ago")
    report = shelf.run()
    assert report.files == {"written": 1, "kept versions": 1}
    assert (shelf.media / "a.nfo.1").read_bytes() == b"from long ago"
    assert (shelf.media / "a.nfo.2").read_bytes() == theirs
    merged = (shelf.media / "a.nfo").read_bytes()
    assert b"Film 1" in merged
    assert (b"otter.mp4" in merged) == (which == "of somebody else")
    assert untouched(merged, read_mark(merged))
    before = shelf.state()
    assert shelf.run().files == {"unchanged": 1}
    assert shelf.run(foreign="keep").files == {"unchanged": 1}
    assert shelf.state() == before


def test_what_was_taken_over_stays_when_stash_changes(tmp_path):
    shelf = Shelf(tmp_path, foreign="merge")
    scene = shelf.film(1, "a.mkv")
    (shelf.media / "a.nfo").write_bytes(FOREIGN)
    shelf.run()
    scene.data["title"] = "Otters at night"
    assert shelf.run(foreign="keep").files == {"written": 1}
    text = (shelf.media / "a.nfo").read_text()
    assert "otter.mp4" in text
    assert "Otters at night" in text


def test_a_foreign_nfo_that_is_no_xml_is_kept(tmp_path):
    shelf = Shelf(tmp_path, foreign="merge", artwork=True)
    shelf.film(1, "a.mkv", cover=blob("cover"))
    (shelf.media / "a.nfo").write_bytes(b"-=[ a release by nobody ]=-")
    before = shelf.state()
    assert reasons(shelf.run()) == {writer.NOT_MERGED: 1}
    assert shelf.state() == before


def test_a_huge_nfo_is_not_even_read(tmp_path):
    shelf = Shelf(tmp_path, foreign="merge")
    shelf.film(1, "a.mkv")
    with (shelf.media / "a.nfo").open("wb") as file:
        file.truncate(6 << 20)
        file.seek(0)
        file.write(b"<movie>")
    assert reasons(shelf.run()) == {TOO_LARGE: 1}
    assert (shelf.media / "a.nfo").stat().st_size == 6 << 20


def test_an_nfo_that_a_power_cut_left_empty_is_written_again(shelf):
    shelf.film(1, "a.mkv")
    (shelf.media / "a.nfo").write_bytes(bytes(300))
    assert shelf.run().files == {"written": 1}
    assert listing(shelf.media) == ["a.mkv", "a.nfo"]


def test_scenes_that_cannot_be_written_are_skipped_with_a_reason(tmp_path):
    shelf = Shelf(tmp_path, allowed=(tmp_path / "media",))
    shelf.film(1)
    shelf.film(2, "gone.mkv", here=False)
    shelf.film(3, "a.mkv")
    shelf.film(4, "a.mp4")
    shelf.film(5, "../outside.mkv")
    scene = shelf.film(6, "b.mkv")
    scene.data["files"][0]["zip_file"] = str(shelf.media / "b.zip")
    elsewhere = shelf.film(7, "x.mkv")
    elsewhere.data["files"][0]["path"] = str(tmp_path / "elsewhere.mkv")
    shelf.film(8, "n" * 252 + ".x", here=False)
    report = shelf.run()
    assert report.files == {"written": 1, "skipped": 7}
    assert reasons(report) == dict.fromkeys(
        [places.NO_FILE, places.NOT_HERE, places.TAKEN, places.UPWARDS, places.IN_ZIP, places.OUTSIDE, places.TOO_LONG],
        1,
    )
    examples = {reason.text: reason.examples[0] for reason in report.reasons}
    assert examples[places.NO_FILE] == "scene 1"
    assert examples[places.NOT_HERE] == str(shelf.media / "gone.mkv")


def test_no_folder_is_made_beside_the_media(shelf):
    shelf.film(1, "gone/a.mkv", here=False)
    shelf.run()
    assert listing(shelf.media) == []


@POSIX
@pytest.mark.parametrize("name", ["new\nline", "100% 🦦 {x}", "-rf", "'\"$(x)", "a\\b", "e\u0301", " lead", "trail "])
def test_odd_names_are_names(shelf, name):
    shelf.film(1, f"{name}/{name}.mkv")
    assert shelf.run().files == {"written": 1}
    assert (shelf.media / name / f"{name}.nfo").is_file()
    before = shelf.state()
    assert shelf.run().files == {"unchanged": 1}
    assert shelf.state() == before


def test_examples_are_one_line(shelf):
    shelf.film(1, "gone\nfilm.mkv", here=False)
    (reason,) = shelf.run().reasons
    assert "\n" not in reason.examples[0]


@POSIX
def test_symbolic_links_are_not_written_through_but_linked_folders_are_fine(tmp_path):
    shelf = Shelf(tmp_path, allowed=(tmp_path / "media",))
    (tmp_path / "disk").mkdir()
    (shelf.media / "linked").symlink_to(tmp_path / "disk")
    shelf.film(1, "linked/a.mkv")
    shelf.film(2, "b.mkv")
    (tmp_path / "victim").write_bytes(b"precious")
    (shelf.media / "b.nfo").symlink_to(tmp_path / "victim")
    (shelf.media / "b.nfo.1").symlink_to(tmp_path / "victim")
    report = shelf.run(foreign="merge")
    assert report.files == {"written": 1, "skipped": 1}
    assert reasons(report) == {LINK: 1}
    assert (tmp_path / "disk/a.nfo").is_file()
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_a_folder_that_cannot_be_written_in_costs_only_its_scenes(tmp_path, monkeypatch):
    shelf = full_shelf(tmp_path)
    real = os.open

    def opened(path, flags, *more):
        if flags & os.O_CREAT and f"{os.sep}1{os.sep}" in path:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *more)

    monkeypatch.setattr(keeper_module.os, "open", opened)
    report = shelf.run()
    assert report.files["skipped"] == 2
    assert report.files["written"] == 6
    assert reasons(report)["it cannot be read or written there: Read-only file system"] == 2
    assert {path.suffix for path in (shelf.media / "1").rglob("*") if path.is_file()} == {".mkv"}


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_of_a_real_disk(tmp_path):
    shelf = full_shelf(tmp_path)
    (shelf.media / "1").chmod(0o500)
    try:
        report = shelf.run()
    finally:
        (shelf.media / "1").chmod(0o700)
    assert report.files["skipped"] == 2
    assert report.files["written"] == 6


CALLS = ("open", "fdopen", "replace", "rename", "unlink", "mkdir", "utime", "fsync", "lstat", "fstat", "scandir")


def disturbed_shelf(folder):
    """A shelf at a moment when everything there is to do will be done by the next run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shelf = full_shelf(folder, foreign="merge", remove_deleted=True)
    shelf.film(50, "0/heron.mkv", cover=blob("cover"))
    shelf.film(51, "2/gone.mkv", cover=blob("cover"))
    shelf.run(now=lambda: 5.0)
    del shelf.records["scene", "51"]
    shelf.images["cover"] = PNG + b"new cover"
    shelf.images["anna"] = PNG + b"older"
    shelf.records["scene", "2"]["title"] = "Otters at night"
    (shelf.media / "0/otter 0.nfo").write_bytes(FOREIGN)
    (shelf.media / "0/heron.nfo").write_bytes(FOREIGN + b"http://example.com/heron\n")
    shelf.film(60, "3/new.mkv", cover=blob("cover"), performers=["4"])
    return shelf


class Killed(BaseException):
    """From the n-th call on, nothing reaches the disk any more: that is what being killed looks like."""


def kill_at(monkeypatch, number, failing):
    """Let the first ``number`` calls through; ``failing`` makes what is raised then. Gives the number of calls."""
    made = [0]

    def counted(real):
        def call(*given, **more):
            made[0] += 1
            if made[0] > number:
                raise failing()
            return real(*given, **more)

        return call

    for name in CALLS:
        monkeypatch.setattr(keeper_module.os, name, counted(getattr(os, name)))
    return made


def whole(shelf):
    return {path: content for path, content in shelf.contents().items() if not is_partial(path.name)}


@POSIX
def test_killed_at_every_step_nothing_is_half_or_lost_and_the_next_run_ends_the_same(tmp_path):
    folder = tmp_path / "kill"
    shelf = disturbed_shelf(folder)
    before = shelf.contents()
    with pytest.MonkeyPatch.context() as patch:
        steps = kill_at(patch, 10**9, Killed)
        shelf.run()
    after = shelf.contents()
    assert before != after
    for number in range(0, steps[0], 3 if steps[0] > 400 else 1):
        shelf = disturbed_shelf(folder)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            kill_at(patch, number, Killed)
            shelf.run()
        left = whole(shelf)
        for path, content in left.items():
            assert content in (before.get(path), after.get(path)) or path.name == ".stash-portability.json", path
        for path in before:
            assert path in left or path not in after, path
        for theirs in (FOREIGN, FOREIGN + b"http://example.com/heron\n"):
            assert theirs in left.values()
        shelf.run(now=lambda: time.time() + 7200)
        assert shelf.contents() == after, number


@POSIX
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_at_any_step_stops_the_run_and_loses_nothing(tmp_path, error):
    folder = tmp_path / "full"
    shelf = disturbed_shelf(folder)
    before = shelf.contents()
    with pytest.MonkeyPatch.context() as patch:
        steps = kill_at(patch, 10**9, Killed)
        shelf.run()
    after = shelf.contents()
    for number in range(0, steps[0], 7):
        shelf = disturbed_shelf(folder)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, number, lambda: OSError(error, "No space left on device"))
            try:
                report = shelf.run()
            except NoSpace as told:
                assert "No space left" in str(told)
            else:
                assert reasons(report)
        for path, content in whole(shelf).items():
            assert content in (before.get(path), after.get(path)) or path.name == ".stash-portability.json", path
        shelf.run(now=lambda: time.time() + 7200)
        assert shelf.contents() == after, number


KILL_ME = """
import sys, pathlib
from tests.libraries.nfo.test_writer import full_shelf
print("ready", flush=True)
full_shelf(pathlib.Path(sys.argv[1]), 100).run()
"""


@POSIX
def test_a_killed_process_leaves_nothing_half(tmp_path):
    shelf = full_shelf(tmp_path, 100)
    shelf.run()
    after = shelf.contents()
    rng = random.Random(5)
    for _ in range(5):
        for path in [*shelf.media.rglob("*.nfo"), *shelf.media.rglob("*.jpg"), *shelf.media.rglob("*.json")]:
            if rng.random() < 0.8:
                path.unlink()
        child = subprocess.Popen(
            [sys.executable, "-c", KILL_ME, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        child.stdout.readline()
        time.sleep(rng.random() * 0.1)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for path, content in whole(shelf).items():
            assert content == after.get(path) or path.name == ".stash-portability.json", path
        shelf.run(now=lambda: time.time() + 7200)
        assert shelf.contents() == after


def test_a_preview_touches_nothing(tmp_path):
    shelf = full_shelf(tmp_path, beside=False)
    where = Places(NfoChoices(profile="kodi"), (), str(shelf.out))
    reading, report = Reading(shelf.names, shelf.open_blob), Report("export")
    drafts = NfoWriter(where, Claims(where), reading, Keeper(time.time, str), report).drafts
    scene = shelf.scenes()[0]
    made = list(drafts(scene, scene))
    assert [draft.place for draft in made] == [
        str(shelf.out) + path["path"].replace(".mkv", ".nfo") for path in scene.data["files"]
    ]
    assert "<title>Film 0</title>" in made[0].text
    assert list(drafts(Record("scene", "9", {}), scene)) == []
    assert reasons(report) == {places.NO_FILE: 1}
    assert not shelf.out.exists()


def test_what_privacy_keeps_back_is_not_written(shelf):
    raw = shelf.film(1, "a.mkv")
    shown = Record("scene", "f00d", {"title": "A film", "files": [{"duration": 60.0}]})
    where = Places(NfoChoices(beside=True))
    claims, keeper, reading = Claims(where), Keeper(time.time, lambda: "1"), Reading(shelf.names, shelf.open_blob)
    claims.add(raw)
    with NfoWriter(where, claims, reading, keeper, Report("export")) as run:
        run.put(raw, shown)
    text = (shelf.media / "a.nfo").read_text()
    assert "f00d" in text
    assert str(shelf.media) not in text

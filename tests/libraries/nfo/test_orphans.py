"""NFO files whose scene is gone: listed; removed only when asked, only ours, only as we left them."""

from __future__ import annotations

import os
import sys

import pytest

from stash_portability.libraries.nfo import orphans
from stash_portability.libraries.nfo.artwork import FOREIGN as FOREIGN_PICTURE
from stash_portability.libraries.nfo.orphans import outermost

from .shelf import FOREIGN, JPEG, Shelf, blob, listing, reasons

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path, artwork=True)
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.film(2, "b.mkv", cover=blob("cover"))
    shelf.run()
    return shelf


def forget(shelf, uid="2"):
    del shelf.records["scene", uid]


def test_what_is_left_over_is_listed_and_stays(shelf):
    forget(shelf)
    before = shelf.state()
    report = shelf.run()
    assert reasons(report) == {orphans.LEFT_OVER: 1}
    assert report.reasons[0].examples == [str(shelf.media / "b.nfo")]
    assert shelf.state() == before


def test_what_is_left_over_is_removed_on_request_with_its_pictures(shelf):
    forget(shelf)
    report = shelf.run(remove_deleted=True)
    assert reasons(report) == {}
    assert report.files["removed"] == 1
    assert report.files["pictures removed"] == 2
    assert listing(shelf.media) == ["a-fanart.jpg", "a-poster.jpg", "a.mkv", "a.nfo", "b.mkv"]


def test_an_edited_one_stays_with_its_pictures(shelf):
    forget(shelf)
    path = shelf.media / "b.nfo"
    path.write_bytes(path.read_bytes().replace(b"Film 2", b"Film Two"))
    before = shelf.state()
    assert reasons(shelf.run(remove_deleted=True)) == {orphans.EDITED: 1}
    assert shelf.state() == before


def test_an_edited_picture_stays(shelf):
    forget(shelf)
    (shelf.media / "b-poster.jpg").write_bytes(JPEG + b"mine")
    report = shelf.run(remove_deleted=True)
    assert reasons(report) == {FOREIGN_PICTURE: 1}
    assert [name for name in listing(shelf.media) if name.startswith("b")] == ["b-poster.jpg", "b.mkv"]


def test_foreign_nfo_files_are_nobodys_business(shelf):
    for name in ("c.nfo", "tvshow.nfo", "movie.nfo"):
        (shelf.media / name).write_bytes(FOREIGN)
    (shelf.media / "empty.nfo").touch()
    (shelf.media / "folder.nfo").mkdir()
    before = shelf.state()
    assert reasons(shelf.run(remove_deleted=True)) == {}
    assert shelf.state() == before


def test_a_forged_mark_removes_nothing_outside(shelf):
    forget(shelf)
    victim = shelf.media / "precious.jpg"
    victim.write_bytes(JPEG)
    from xml.etree.ElementTree import Element

    from stash_portability.libraries.nfo.artwork import digest_of
    from stash_portability.libraries.nfo.text import Mark, read_mark, serialise

    art = {"/../precious.jpg": digest_of(JPEG), "../precious.jpg": digest_of(JPEG)}
    (shelf.media / "b.nfo").write_bytes(serialise(Element("movie"), Mark("2", art=art)))
    assert read_mark((shelf.media / "b.nfo").read_bytes()).art == art
    shelf.run(remove_deleted=True)
    assert victim.exists()
    assert not (shelf.media / "b.nfo").exists()


def test_a_scene_that_moved_leaves_its_nfo_behind(shelf):
    scene = shelf.film(2, "lake/b.mkv", cover=blob("cover"))
    assert scene
    report = shelf.run(remove_deleted=True)
    assert report.files["removed"] == 1
    assert (shelf.media / "lake/b.nfo").is_file()


def test_scenes_that_are_not_part_of_this_run_keep_theirs(shelf):
    before = shelf.state()
    assert reasons(shelf.run(scenes=shelf.scenes()[:1], remove_deleted=True)) == {}
    assert shelf.state() == before


def test_a_folder_that_came_to_hold_two_films_has_no_movie_nfo(tmp_path):
    shelf = Shelf(tmp_path, movie_nfo=True, artwork=True)
    shelf.film(1, "lake/a.mkv", cover=blob("cover"))
    shelf.run()
    shelf.film(2, "lake/b.mkv")
    shelf.run(remove_deleted=True)
    assert listing(shelf.media / "lake") == ["a.mkv", "b.mkv"]


def test_the_other_way_of_naming_is_cleared_away(tmp_path):
    shelf = Shelf(tmp_path, artwork=True)
    shelf.film(1, "lake/movie.mkv", cover=blob("cover"))
    shelf.film(2, "river/b.mkv", cover=blob("cover"))
    shelf.run()
    shelf.run(movie_nfo=True, remove_deleted=True)
    assert listing(shelf.media / "river") == ["b.mkv", "fanart.jpg", "movie.nfo", "poster.jpg"]


def test_a_stash_without_any_scene_removes_nothing(shelf):
    shelf.records.clear()
    before = shelf.state()
    report = shelf.run(remove_deleted=True)
    assert report.notes == [orphans.NO_SCENES]
    assert shelf.state() == before


@POSIX
def test_a_film_known_by_a_link_is_not_left_over(tmp_path):
    shelf = Shelf(tmp_path)
    (shelf.media / "real").mkdir()
    (shelf.media / "link").symlink_to(shelf.media / "real")
    shelf.film(1, "link/a.mkv")
    shelf.run()
    assert shelf.run(remove_deleted=True).files == {"unchanged": 1}
    assert (shelf.media / "real/a.nfo").is_file()


@POSIX
def test_links_are_neither_followed_nor_removed(shelf, tmp_path):
    forget(shelf)
    (tmp_path / "elsewhere").mkdir()
    (shelf.media / "b.nfo").rename(tmp_path / "elsewhere/b.nfo")
    (shelf.media / "b.nfo").symlink_to(tmp_path / "elsewhere/b.nfo")
    (shelf.media / "loop").symlink_to(shelf.media)
    (shelf.media / "out").symlink_to(tmp_path / "elsewhere")
    shelf.run(remove_deleted=True)
    assert listing(tmp_path / "elsewhere") == ["b.nfo"]


def test_what_dead_runs_left_is_cleared_away_after_an_hour(shelf):
    old, new = (shelf.media / f".stash-portability-{name}.partial" for name in ("old", "new"))
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (5, 5))
    shelf.run()
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_is_not_there_is_passed_over(shelf):
    shelf.media.rename(shelf.media.with_name("moved"))
    assert orphans.NOT_LOOKED_IN not in reasons(shelf.run())


def test_one_folder_is_looked_through_once():
    assert outermost(["/a/b", "/a", "/ab", "/a/b/c", "/a"]) == ["/a", "/ab"]
    assert outermost(["/a", "/"]) == ["/"]

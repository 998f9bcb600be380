"""Pictures beside the NFO, and portraits in .actors: ours are kept up to date, those of others stay."""

from __future__ import annotations

import errno
import json
import os
import sys

import pytest

from stash_portability.libraries.nfo import artwork, keeper, portraits
from stash_portability.libraries.nfo.keeper import LINK
from stash_portability.libraries.nfo.portraits import file_stem
from stash_portability.libraries.nfo.text import read_mark
from stash_portability.libraries.pictures import ending_of

from .shelf import GIF, JPEG, PNG, WEBP, Shelf, blob, listing, reasons

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and long names of POSIX")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, artwork=True, profile="jellyfin")


def names(shelf, folder="."):
    return sorted(path.name for path in (shelf.media / folder).iterdir() if path.suffix != ".mkv")


def mark(shelf, name="a.nfo"):
    return read_mark((shelf.media / name).read_bytes())


def performer(shelf, uid, name, image="anna", **more):
    portrait = blob(image, "performer", "image")._replace(uid=uid) if image else None
    shelf.add("performer", uid, name=name, image=portrait, **more)


@pytest.mark.parametrize(
    ("content", "ending"),
    [(JPEG, "jpg"), (PNG, "png"), (WEBP, "webp"), (GIF, "gif"), (b"GIF87a", "gif"), (b"<svg/>", ""), (b"", ""),
     (b"RIFF\0\0\0\0WAVE", ""), (b"\xff\xd8", ""), (b"<html>not found", "")],
)  # fmt: skip
def test_a_picture_is_known_by_how_it_begins(content, ending):
    assert ending_of(content) == ending


def test_the_cover_is_poster_and_fanart_and_read_once(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    report = shelf.run()
    assert names(shelf) == ["a-fanart.jpg", "a-poster.jpg", "a.nfo"]
    assert (shelf.media / "a-poster.jpg").read_bytes() == shelf.images["cover"]
    assert report.files == {"pictures written": 2, "written": 1}
    assert shelf.opened == ["cover"]
    digest = artwork.digest_of(shelf.images["cover"])
    assert mark(shelf).art == {"-poster.jpg": digest, "-fanart.jpg": digest}


def test_the_front_of_the_group_is_the_poster(shelf):
    shelf.add("group", "7", name="Rivers", front_image=None)
    shelf.add("group", "8", name="Lakes", front_image=blob("front", "group", "front_image"))
    groups = [{"group": "6", "scene_index": 1}, {"group": "7", "scene_index": 1}, {"group": "8", "scene_index": None}]
    shelf.film(1, "a.mkv", cover=blob("cover"), groups=groups)
    shelf.run()
    assert names(shelf) == ["a-fanart.jpg", "a-poster.png", "a.nfo"]


def test_beside_movie_nfo_the_names_have_no_stem(tmp_path):
    shelf = Shelf(tmp_path, artwork=True, movie_nfo=True)
    shelf.film(1, "a/a.mkv", cover=blob("cover"))
    shelf.run()
    assert names(shelf, "a") == ["fanart.jpg", "movie.nfo", "poster.jpg"]
    assert shelf.run().files == {"pictures unchanged": 2, "unchanged": 1}


def test_a_new_cover_replaces_ours(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    shelf.images["cover"] = JPEG + b"new"
    assert shelf.run().files == {"pictures written": 2, "written": 1}
    assert (shelf.media / "a-poster.jpg").read_bytes() == JPEG + b"new"


def test_a_cover_of_another_type_replaces_ours(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    shelf.images["cover"] = PNG + b"new"
    assert shelf.run().files == {"pictures written": 2, "pictures removed": 2, "written": 1}
    assert names(shelf) == ["a-fanart.png", "a-poster.png", "a.nfo"]
    assert set(mark(shelf).art) == {"-poster.png", "-fanart.png"}


def test_a_cover_that_is_gone_is_removed_but_not_one_that_is_not_known(shelf):
    scene = shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    del scene.data["cover"]
    assert shelf.run().files == {"unchanged": 1}
    scene.data["cover"] = None
    assert shelf.run().files == {"pictures removed": 2, "written": 1}
    assert names(shelf) == ["a.nfo"]


def test_without_artwork_what_is_ours_stays_known(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    before = shelf.state()
    assert shelf.run(artwork=False).files == {"unchanged": 1}
    assert shelf.state() == before


def test_a_picture_of_somebody_else_is_kept(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    (shelf.media / "a-poster.jpg").write_bytes(JPEG + b"mine")
    (shelf.media / "a-fanart.webp").write_bytes(WEBP + b"mine")
    report = shelf.run()
    assert reasons(report) == {artwork.FOREIGN: 2}
    assert names(shelf) == ["a-fanart.webp", "a-poster.jpg", "a.nfo"]
    assert (shelf.media / "a-poster.jpg").read_bytes() == JPEG + b"mine"
    before = shelf.state()
    assert reasons(shelf.run()) == {artwork.FOREIGN: 2}
    assert shelf.state() == before


def test_a_picture_of_ours_that_was_edited_is_kept(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    (shelf.media / "a-poster.jpg").write_bytes(JPEG + b"dited")
    shelf.images["cover"] = PNG + b"new"
    report = shelf.run()
    assert reasons(report) == {artwork.FOREIGN: 1}
    assert names(shelf) == ["a-fanart.png", "a-poster.jpg", "a.nfo"]
    assert (shelf.media / "a-poster.jpg").read_bytes() == JPEG + b"dited"


def test_a_picture_that_lies_there_already_is_taken_for_ours(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    (shelf.media / "a-poster.jpg").write_bytes(shelf.images["cover"])
    shelf.run()
    assert set(mark(shelf).art) == {"-poster.jpg", "-fanart.jpg"}


def test_an_empty_picture_of_a_power_cut_is_written_again(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    (shelf.media / "a-poster.jpg").write_bytes(b"")
    assert shelf.run().files == {"pictures written": 1, "pictures unchanged": 1, "unchanged": 1}


def test_what_is_no_picture_is_left_out(shelf):
    shelf.images["cover"] = b"<html>"
    shelf.film(1, "a.mkv", cover=blob("cover"))
    report = shelf.run()
    assert report.files == {"written": 1}
    assert list(reasons(report)) == [artwork.NO_PICTURE]


def test_a_picture_that_cannot_be_read_is_told_and_ours_stays(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    shelf.run()
    before = shelf.state()
    shelf.images["cover"] = b""
    assert list(reasons(shelf.run())) == [artwork.UNREADABLE]
    del shelf.images["cover"]
    assert list(reasons(shelf.run())) == [artwork.UNREADABLE]
    assert shelf.state() == before


@POSIX
def test_a_name_too_long_for_a_picture_costs_only_the_picture(shelf):
    shelf.film(1, "n" * 245 + ".mkv", "ä" * 120 + ".mkv", cover=blob("cover"))
    report = shelf.run()
    assert report.files == {"written": 2, "pictures written": 2}
    assert list(reasons(report).values()) == [2]


@POSIX
def test_no_picture_is_written_through_a_link(shelf):
    shelf.film(1, "a.mkv", cover=blob("cover"))
    victim = shelf.media / "victim"
    victim.write_bytes(b"precious")
    (shelf.media / "a-poster.jpg").symlink_to(victim)
    report = shelf.run()
    assert reasons(report) == {LINK: 1}
    assert victim.read_bytes() == b"precious"


def test_a_portrait_lies_in_actors_and_is_named_in_full(shelf):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "lake/a.mkv", performers=["4"])
    shelf.run()
    assert names(shelf, "lake/.actors") == [".stash-portability.json", "Anna_Bell.jpg"]
    listed = json.loads((shelf.media / "lake/.actors/.stash-portability.json").read_text())
    assert listed == {"Anna_Bell.jpg": artwork.digest_of(shelf.images["anna"])}
    assert f"<thumb>{shelf.media}/lake/.actors/Anna_Bell.jpg</thumb>" in (shelf.media / "lake/a.nfo").read_text()


def test_a_portrait_is_named_as_the_media_server_sees_it(shelf):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    shelf.rules = {str(shelf.media): r"Z:\films"}
    shelf.run()
    assert r"<thumb>Z:\films\.actors\Anna_Bell.jpg</thumb>" in (shelf.media / "a.nfo").read_text()


def test_one_performer_has_a_portrait_in_each_folder_read_once(shelf):
    performer(shelf, "4", "Anna Bell")
    for number, name in enumerate(("lake/a.mkv", "lake/b.mkv", "river/a.mkv", "lake/c.mkv")):
        shelf.film(number, name, performers=["4"])
    assert shelf.run().files == {"written": 4, "pictures written": 2}
    assert shelf.opened == ["anna"]
    assert shelf.run().files == {"unchanged": 4, "pictures unchanged": 2}


def test_two_performers_of_one_name_have_two_portraits(shelf):
    shelf.images["other"] = JPEG + b"other"
    performer(shelf, "4", "Anna Bell")
    performer(shelf, "5", "Anna Bell", "other", disambiguation="diver")
    shelf.film(1, "a.mkv", performers=["4", "5"])
    shelf.run()
    assert names(shelf, ".actors") == [".stash-portability.json", "Anna_Bell.jpg", "Anna_Bell_(diver).jpg"]


def test_two_performers_whose_names_are_one_to_a_disk_share_no_portrait(shelf):
    shelf.images["other"] = JPEG + b"other"
    performer(shelf, "4", "Anna Bell")
    performer(shelf, "5", "anna bell", "other")
    shelf.film(1, "a.mkv", performers=["4", "5"])
    report = shelf.run()
    assert reasons(report) == {portraits.SAME_NAME: 1}
    assert (shelf.media / ".actors/Anna_Bell.jpg").read_bytes() == shelf.images["anna"]
    before = shelf.state()
    shelf.run()
    assert shelf.state() == before


def test_a_new_portrait_is_taken_over_and_one_of_another_type(shelf):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    shelf.run()
    shelf.images["anna"] = JPEG + b"older"
    assert shelf.run().files == {"unchanged": 1, "pictures written": 1}
    shelf.images["anna"] = PNG + b"even older"
    assert shelf.run().files == {"written": 1, "pictures written": 1, "pictures removed": 1}
    assert names(shelf, ".actors") == [".stash-portability.json", "Anna_Bell.png"]
    shelf.records["performer", "4"]["image"] = None
    assert shelf.run().files == {"written": 1, "pictures removed": 1}
    assert names(shelf, ".actors") == [".stash-portability.json"]


def test_a_portrait_of_somebody_else_is_kept_and_shown(shelf):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    (shelf.media / ".actors").mkdir()
    (shelf.media / ".actors/Anna_Bell.jpg").write_bytes(JPEG + b"mine")
    assert reasons(shelf.run()) == {artwork.FOREIGN: 1}
    assert (shelf.media / ".actors/Anna_Bell.jpg").read_bytes() == JPEG + b"mine"
    assert names(shelf, ".actors") == ["Anna_Bell.jpg"]
    assert "Anna_Bell.jpg</thumb>" in (shelf.media / "a.nfo").read_text()


def test_without_portraits_no_folder_is_made(shelf):
    performer(shelf, "4", "Anna Bell", None)
    shelf.film(1, "a.mkv", performers=["4", "99"])
    shelf.run()
    assert names(shelf) == ["a.nfo"]


@POSIX
def test_a_link_in_the_place_of_actors_is_not_followed(shelf, tmp_path):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    shelf.film(2, "b.mkv", performers=["4"])
    (tmp_path / "elsewhere").mkdir()
    (shelf.media / ".actors").symlink_to(tmp_path / "elsewhere")
    report = shelf.run()
    assert reasons(report) == {LINK: 1}
    assert report.files == {"written": 2}
    assert listing(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"[" * 100_000, b'{"Anna_Bell.jpg": 7}', b"\xff"])
def test_a_damaged_list_is_written_anew(shelf, damage):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    shelf.run()
    listed = shelf.media / ".actors/.stash-portability.json"
    good = listed.read_bytes()
    listed.write_bytes(damage)
    shelf.run()
    assert listed.read_bytes() == good


def test_more_folders_than_are_kept_in_mind(shelf, monkeypatch):
    monkeypatch.setattr(portraits, "_MOST_FOLDERS", 2)
    performer(shelf, "4", "Anna Bell")
    for number in range(10):
        shelf.film(number, f"{number % 5}/{number}.mkv", performers=["4"])
    shelf.run()
    assert len(list(shelf.media.glob("*/.actors/.stash-portability.json"))) == 5
    before = shelf.state()
    shelf.run()
    assert shelf.state() == before


@pytest.mark.parametrize(
    ("label", "stem"),
    [("Anna Bell", "Anna_Bell"), ("Émile (diver)", "Émile_(diver)"), ("日本 🐦", "日本_🐦"), ("100%", "100%")],
)
def test_a_portrait_is_named_as_kodi_looks_for_it(label, stem):
    assert file_stem(label) == stem


def test_names_no_file_can_have_are_told_apart():
    odd = [
        "A/B",
        "A\\B",
        "A:B",
        "../../etc/passwd",
        "CON",
        ".hidden",
        "a\nb",
        "n" * 400,
        "n" * 401,
        "a.",
        "/",
        "\ud800",
    ]
    stems = [file_stem(label) for label in odd]
    assert len(set(stems)) == len(odd)
    for stem in stems:
        assert "/" not in stem
        assert "\\" not in stem
        assert not stem.startswith(".")
        assert len(f"{stem}.webp".encode()) <= 255


def test_a_portrait_on_a_disk_that_takes_no_such_name_is_told(shelf, monkeypatch):
    performer(shelf, "4", "Anna Bell")
    shelf.film(1, "a.mkv", performers=["4"])
    real = os.replace

    def replace(source, target):
        if target.endswith(".jpg"):
            raise OSError(errno.EINVAL, "no such name here")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    report = shelf.run()
    assert report.files == {"written": 1}
    assert reasons(report) == {"no such name here": 1}
    assert names(shelf, ".actors") == []


def refuse(monkeypatch, flag, part):
    """Make the disk refuse to open files with ``flag`` whose path holds ``part``."""
    real = os.open

    def opened(path, flags, *more):
        if bool(flags & os.O_CREAT) is (flag == os.O_CREAT) and part in str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *more)

    monkeypatch.setattr(keeper.os, "open", opened)


def test_a_picture_that_may_not_be_read_costs_no_nfo(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path, artwork=True)
    shelf.film(1, "otter.mkv", cover=blob("cover"))
    (shelf.media / "otter-poster.jpg").write_bytes(b"theirs")
    (shelf.media / "otter-fanart.jpg").write_bytes(b"theirs, too")
    refuse(monkeypatch, os.O_RDONLY, "-poster.jpg")
    report = shelf.run()
    assert report.files == {"written": 1}
    assert (shelf.media / "otter-poster.jpg").read_bytes() == b"theirs"


def test_a_folder_of_portraits_that_may_not_be_written_costs_no_nfo(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path, artwork=True)
    shelf.film(1, "otter.mkv", cover=blob("cover"), performers=["1"])
    shelf.film(2, "heron.mkv", cover=blob("cover"), performers=["1"])
    shelf.add("performer", "1", name="Anna", image=blob("anna", "performer", "image"))
    refuse(monkeypatch, os.O_CREAT, ".actors")
    report = shelf.run()
    assert report.files == {"written": 2, "pictures written": 4}
    assert [(reason.count, reason.examples) for reason in report.reasons] == [(1, [str(shelf.media / ".actors")])]

"""Links of finished exports in the plugin's folder, and what is swept there."""

import errno
import os
import sys
import zipfile
from datetime import datetime, timedelta, timezone

import pytest

from stash_portability import downloads
from stash_portability.errors import NoLink

TOKEN = bytes(range(16))
NOW = datetime.now(timezone.utc)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "plugin"
    folder.mkdir()
    return folder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "scenes.csv"
    path.write_text("id,title\r\n1,Heron\r\n")
    return path


def made(plugin):
    """What lies in downloads/ but the indexes."""
    return sorted(p.name for p in (plugin / "downloads").rglob("*") if p.is_file() and p.name != "index.html")


def test_a_table_is_linked_as_it_is(plugin, table):
    link = downloads.link(plugin, table, TOKEN, NOW)
    assert link.path == f"downloads/{TOKEN.hex()}/scenes.csv"
    assert (link.name, link.bytes, link.until) == ("scenes.csv", table.stat().st_size, NOW + timedelta(hours=1))
    assert (plugin / link.path).samefile(table)
    assert downloads.still_there(plugin, link.path)


def test_no_folder_can_be_listed(plugin, table):
    link = downloads.link(plugin, table, TOKEN, NOW)
    for folder in (plugin / "downloads", (plugin / link.path).parent):
        assert (folder / "index.html").read_bytes() == b""
        if sys.platform != "win32":
            assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.json", "x.jsonl", "x.zip"])
def test_what_a_browser_saves_is_linked_as_it_is(plugin, tmp_path, name):
    (tmp_path / name).write_bytes(b"content")
    assert downloads.link(plugin, tmp_path / name, TOKEN, NOW).name == name


@pytest.mark.parametrize("name", ["x.xml", "x.yaml", "x.html", "x.svg", "x.txt", "x", "x.json.html", "index.html"])
def test_every_other_file_is_zipped(plugin, tmp_path, name):
    (tmp_path / name).write_bytes(b"<script>alert(1)</script>")
    link = downloads.link(plugin, tmp_path / name, TOKEN, NOW)
    assert link.name == f"{name}.zip"
    with zipfile.ZipFile(plugin / link.path) as archive:
        assert archive.namelist() == [name]
        assert archive.read(name) == b"<script>alert(1)</script>"
    assert link.bytes == (plugin / link.path).stat().st_size
    assert made(plugin) == [link.path.split("/")[-1]]


def test_a_folder_is_zipped(plugin, tmp_path):
    (tmp_path / "out" / "blobs").mkdir(parents=True)
    (tmp_path / "out" / "tags.csv").write_text("id\r\n" * 1000)
    (tmp_path / "out" / "blobs" / "abc").write_bytes(os.urandom(1000))
    link = downloads.link(plugin, tmp_path / "out", TOKEN, NOW)
    assert link.path.endswith("/out.zip")
    with zipfile.ZipFile(plugin / link.path) as archive:
        assert {info.filename: info.compress_type for info in archive.infolist()} == {
            "out/tags.csv": zipfile.ZIP_DEFLATED,
            "out/blobs/abc": zipfile.ZIP_STORED,
        }
        assert archive.testzip() is None


@pytest.mark.parametrize("name", ["my scenes.csv", "Фильмы & #1?.csv", "a%2fb.csv", "...csv", "ä.tsv", "x\ny.json"])
def test_an_odd_name_needs_no_quoting_and_is_kept_for_saving(plugin, tmp_path, name):
    try:
        (tmp_path / name).write_text("x")
    except OSError:
        pytest.skip("this disk has no such names")
    link = downloads.link(plugin, tmp_path / name, TOKEN, NOW)
    assert link.name == name
    last = link.path.split("/")[-1]
    assert last.isascii()
    assert all(char.isalnum() or char in "._-" for char in last)
    assert last.endswith(name[-4:])
    assert not last.startswith(".")
    assert (plugin / link.path).read_text() == "x"


@pytest.mark.parametrize("ending", ["json", "zip"])
def test_a_disk_without_hard_links_has_a_symbolic_one(plugin, table, monkeypatch, ending):
    monkeypatch.setattr(os, "link", failing(errno.EXDEV))
    target = table.rename(table.with_suffix(f".{ending}"))
    link = downloads.link(plugin, target, TOKEN, NOW)
    assert (plugin / link.path).is_symlink()
    assert (plugin / link.path).read_bytes() == target.read_bytes()


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_a_link_never_serves_what_comes_into_the_place_of_the_file_later(plugin, table, monkeypatch, ending):
    """Where Stash's machine knows no type for an ending, a page could come to be served under it."""
    monkeypatch.setattr(os, "link", failing(errno.EXDEV))
    target = table.rename(table.with_suffix(f".{ending}"))
    before = target.read_bytes()
    link = downloads.link(plugin, target, TOKEN, NOW)
    target.write_bytes(b"<script>alert(1)</script>")
    assert (plugin / link.path).read_bytes() == before


PAGES = (
    b"<html>",
    b"<!DOCTYPE html>",
    b" \r\n\t\x0c<script>alert(1)</script>",
    b"<?xml version='1.0'?>",
    b"<title>,x\r\n",
)


@pytest.mark.parametrize("content", PAGES)
@pytest.mark.parametrize("ending", downloads.AS_THEY_ARE)
def test_what_begins_like_a_page_is_zipped_whatever_its_ending(plugin, tmp_path, content, ending):
    (tmp_path / f"x{ending}").write_bytes(content)
    link = downloads.link(plugin, tmp_path / f"x{ending}", TOKEN, NOW)
    assert link.name == f"x{ending}.zip"
    with zipfile.ZipFile(plugin / link.path) as archive:
        assert archive.read(f"x{ending}") == content


def test_what_becomes_a_page_while_it_is_linked_is_not(plugin, table, monkeypatch):
    real = os.link

    def exchanged(target, final, **more):
        table.write_bytes(b"<script>alert(1)</script>")
        real(target, final, **more)

    monkeypatch.setattr(os, "link", exchanged)
    monkeypatch.setattr(os, "supports_follow_symlinks", {exchanged})
    with pytest.raises(NoLink):
        downloads.link(plugin, table, TOKEN, NOW)
    assert made(plugin) == []


def test_a_folder_of_nfo_files_is_zipped_without_what_is_half_written(plugin, tmp_path):
    folder = tmp_path / "media-server" / "data" / "films"
    (folder / ".actors").mkdir(parents=True)
    for name in ("heron.nfo", "heron-poster.jpg", ".actors/Ana_Reed.PNG", ".stash-portability-0a1b.partial"):
        (folder / name).write_bytes(b"x" * 100)
    link = downloads.link(plugin, tmp_path / "media-server", TOKEN, NOW)
    with zipfile.ZipFile(plugin / link.path) as archive:
        assert {info.filename: info.compress_type for info in archive.infolist()} == {
            "media-server/data/films/heron.nfo": zipfile.ZIP_DEFLATED,
            "media-server/data/films/heron-poster.jpg": zipfile.ZIP_STORED,
            "media-server/data/films/.actors/Ana_Reed.PNG": zipfile.ZIP_STORED,
        }


def test_a_disk_without_any_links_has_a_copy(plugin, table, monkeypatch):
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    monkeypatch.setattr("pathlib.Path.symlink_to", failing(errno.EPERM))
    link = downloads.link(plugin, table, TOKEN, NOW)
    assert (plugin / link.path).read_bytes() == table.read_bytes()
    assert not (plugin / link.path).samefile(table)
    assert made(plugin) == ["scenes.csv"]


def failing(number):
    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return fail


def test_links_are_not_followed_to_what_is_no_export(plugin, tmp_path, table):
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    with pytest.raises(NoLink, match="no ordinary file"):
        downloads.link(plugin, link, TOKEN, NOW)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "tags.csv").symlink_to(table)
    with pytest.raises(NoLink, match="no ordinary file"):
        downloads.link(plugin, folder, TOKEN, NOW)
    (folder / "tags.csv").unlink()
    (folder / "deep").symlink_to(tmp_path)
    with pytest.raises(NoLink, match="no ordinary file"):
        downloads.link(plugin, folder, TOKEN, NOW)
    assert not (plugin / "downloads").exists()


def test_two_first_links_at_once_are_both_made(plugin, table, monkeypatch):
    real, begun, others = os.open, [], []

    def slow(path, *more):
        if os.fspath(path).endswith("index.html") and not begun:
            begun.append(path)
            others.append(downloads.link(plugin, table, TOKEN[::-1], NOW))  # just before ours
        return real(path, *more)

    monkeypatch.setattr(os, "open", slow)
    link = downloads.link(plugin, table, TOKEN, NOW)
    assert others
    assert downloads.still_there(plugin, link.path)
    assert downloads.still_there(plugin, others[0].path)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EINVAL])
def test_a_disk_without_hard_links_gives_a_download_all_the_same(plugin, table, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(type(table), "symlink_to", refuse)  # Windows, without the right to
    link = downloads.link(plugin, table, TOKEN, NOW)
    assert (plugin / link.path).read_bytes() == table.read_bytes()
    assert made(plugin) == ["scenes.csv"]


def test_what_is_exchanged_meanwhile_is_not_offered(plugin, table, tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    real = os.link

    def exchange(source, target, **more):
        table.unlink()
        table.symlink_to(secret)
        real(source, target, **more)

    monkeypatch.setattr(os, "link", exchange)
    monkeypatch.setattr(os, "supports_follow_symlinks", {exchange})
    with pytest.raises(NoLink, match="exchanged"):
        downloads.link(plugin, table, TOKEN, NOW)
    assert made(plugin) == []


def test_what_is_too_large_says_where_it_lies(plugin, tmp_path, monkeypatch):
    path = tmp_path / "x.xml"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(downloads, "MOST_ZIPPED", 99)
    with pytest.raises(NoLink, match="export it as") as problem:
        downloads.link(plugin, path, TOKEN, NOW)
    assert str(path) in str(problem.value)


def test_what_takes_too_long_leaves_nothing(plugin, tmp_path):
    path = tmp_path / "x.xml"
    path.write_bytes(b"x" * 100)
    times = iter([0.0, 100.0])
    with pytest.raises(NoLink, match="export it as"):
        downloads.link(plugin, path, TOKEN, NOW, lambda: next(times))
    assert made(plugin) == []
    assert [entry.name for entry in (plugin / "downloads").iterdir()] == ["index.html"]


def test_a_plugin_folder_that_is_not_there_or_not_ours_is_told(plugin, table, tmp_path, monkeypatch):
    with pytest.raises(NoLink, match="is not there") as problem:
        downloads.link(tmp_path / "nowhere", table, TOKEN, NOW)
    assert str(table) in str(problem.value)
    with pytest.raises(NoLink, match="not there any more"):
        downloads.link(plugin, tmp_path / "gone.csv", TOKEN, NOW)
    with pytest.raises(NoLink, match="not there any more"):
        downloads.link(plugin, tmp_path / "gone.xml", TOKEN, NOW)
    for number in (errno.EACCES, errno.EROFS, errno.ENOSPC):
        with monkeypatch.context() as patch:
            patch.setattr("pathlib.Path.mkdir", failing(number))
            with pytest.raises(NoLink, match="downloads cannot be written") as problem:
                downloads.link(plugin, table, TOKEN, NOW)
            assert str(table) in str(problem.value)


def test_a_downloads_folder_that_leads_elsewhere_is_left_alone(plugin, table, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    old = elsewhere / ("ab" * 16)
    old.mkdir(parents=True)
    (old / "index.html").touch()
    os.utime(old, (0, 0))
    (plugin / "downloads").symlink_to(elsewhere)
    with pytest.raises(NoLink, match="symbolic link"):
        downloads.link(plugin, table, TOKEN, NOW)
    downloads.sweep(plugin, LATER)
    assert (old / "index.html").exists()


def test_links_are_swept_after_an_hour(plugin, table):
    link = downloads.link(plugin, table, TOKEN, NOW)
    downloads.sweep(plugin, NOW + timedelta(minutes=50))
    assert (plugin / link.path).is_file()
    downloads.sweep(plugin, LATER)
    assert not (plugin / link.path).parent.exists()
    assert (plugin / "downloads" / "index.html").exists()
    assert table.read_text().startswith("id,title")
    assert not downloads.still_there(plugin, link.path)


def test_a_link_sweeps_those_before(plugin, table):
    first = downloads.link(plugin, table, TOKEN, NOW)
    os.utime((plugin / first.path).parent, (0, 0))
    second = downloads.link(plugin, table, TOKEN[::-1], NOW)
    assert [p.name for p in (plugin / "downloads").iterdir() if p.is_dir()] == [second.path.split("/")[1]]


def test_sweeping_removes_only_what_was_made_here_and_follows_no_link(plugin, tmp_path):
    folder = plugin / "downloads"
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "index.html").touch()
    (treasure / "gold").touch()
    names = {name: folder / name for name in ("a" * 32, "b" * 32, "c" * 32, "d" * 32, "e" * 31, "F" * 32, "notes")}
    for name, place in names.items():
        place.mkdir(parents=True)
        if name[0] != "c":
            (place / "index.html").touch()
    (names["a" * 32] / "gold").symlink_to(treasure / "gold")
    (names["a" * 32] / "gold-folder").symlink_to(treasure)
    (names["b" * 32] / "deep").mkdir()
    (names["c" * 32] / "not-ours.csv").touch()
    (folder / ("9" * 32)).symlink_to(treasure)
    (folder / ("8" * 32)).touch()
    (folder / ("7" * 32)).mkdir()
    for place in folder.iterdir():
        os.utime(place, (0, 0), follow_symlinks=False)
    downloads.sweep(plugin, LATER)
    left = {entry.name[0] for entry in folder.iterdir()}
    assert left == {"b", "c", "e", "F", "n", "9", "8"}
    assert sorted(entry.name for entry in treasure.iterdir()) == ["gold", "index.html"]


def test_what_a_killed_link_left_is_swept(plugin):
    place = plugin / "downloads" / TOKEN.hex()
    place.mkdir(parents=True)
    (place / "index.html").touch()
    (place / downloads.ASIDE).write_bytes(b"half")
    os.utime(place, (0, 0))
    downloads.sweep(plugin, NOW)
    assert not place.exists()


def test_what_cannot_be_swept_stops_nothing(plugin, table, monkeypatch):
    link = downloads.link(plugin, table, TOKEN, NOW)
    monkeypatch.setattr("pathlib.Path.unlink", failing(errno.EACCES))
    downloads.sweep(plugin, LATER)
    assert (plugin / link.path).is_file()
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    downloads.sweep(plugin, LATER)


@pytest.mark.parametrize("path", ["../../x", "downloads/x/y", "downloads", "", f"downloads/{'a' * 32}/../x", "a/b/c"])
def test_only_paths_of_links_are_looked_for(plugin, path):
    assert not downloads.still_there(plugin, path)


def test_a_token_has_sixteen_bytes(plugin, table):
    with pytest.raises(ValueError, match="16"):
        downloads.link(plugin, table, b"short", NOW)

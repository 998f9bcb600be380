"""One file at a time: whole or not there, nothing of others lost, nothing written through a link."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from stash_portability.errors import NoSpace, OutputNotUsable
from stash_portability.libraries.nfo import keeper as module
from stash_portability.libraries.nfo.keeper import Keeper, is_partial, is_shut

from .shelf import listing

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="rights and links of POSIX")


@pytest.fixture
def keeper():
    return Keeper(lambda: 1e9, iter(map(str, range(1000))).__next__)


def put(keeper, path, content):
    return keeper.put(str(path), content, keeper.look(str(path)))


def why(act, *given):
    with pytest.raises(OutputNotUsable) as told:
        act(*given)
    return told.value.words["reason"]


def fail(monkeypatch, name, number):
    def failing(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.os, name, failing)


def test_the_same_bytes_are_not_written(keeper, tmp_path):
    path = tmp_path / "a.nfo"
    assert put(keeper, path, b"one") == "written"
    os.utime(path, ns=(5, 5))
    inode = path.stat().st_ino
    assert put(keeper, path, b"one") == "unchanged"
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (5, inode)
    assert put(keeper, path, b"two") == "written"
    assert path.read_bytes() == b"two"
    assert listing(tmp_path) == ["a.nfo"]


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_rights_the_user_gives_new_files(keeper, tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        put(keeper, tmp_path / "a.nfo", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.nfo").stat().st_mode) == mode


@POSIX
def test_a_replaced_file_keeps_its_rights(keeper, tmp_path):
    path = tmp_path / "a.nfo"
    path.write_bytes(b"old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    put(keeper, path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.geteuid() or (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


@POSIX
def test_nothing_is_written_through_a_link_or_over_what_is_no_file(keeper, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "a.nfo").symlink_to(victim)
    (tmp_path / "b.nfo").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.nfo").mkdir()
    os.mkfifo(tmp_path / "d.nfo")
    for name, reason in (("a", module.LINK), ("b", module.LINK), ("c", module.NO_FILE), ("d", module.NO_FILE)):
        assert why(keeper.look, str(tmp_path / f"{name}.nfo")) == reason
        assert why(keeper.put, str(tmp_path / f"{name}.nfo"), b"x", None) == reason
    assert victim.read_bytes() == b"precious"
    assert listing(tmp_path) == ["a.nfo", "b.nfo", "c.nfo", "d.nfo", "victim"]


def test_a_file_that_changed_meanwhile_is_left_alone(keeper, tmp_path):
    path = tmp_path / "a.nfo"
    path.write_bytes(b"old")
    found = keeper.look(str(path))
    path.write_bytes(b"by a media server")
    assert why(keeper.put, str(path), b"new", found) == module.MOVED
    assert why(keeper.put, str(path), b"new", None) == module.MOVED
    assert why(keeper.remove, found) == module.MOVED
    assert path.read_bytes() == b"by a media server"


def test_old_bytes_are_kept_under_the_first_free_number(keeper, tmp_path):
    path = tmp_path / "a.nfo"
    (tmp_path / "a.nfo.1").write_bytes(b"older")
    path.write_bytes(b"old")
    os.utime(path, ns=(7, 7))
    assert keeper.set_aside(keeper.look(str(path))) == f"{path}.2"
    assert (tmp_path / "a.nfo.2").read_bytes() == b"old"
    assert (tmp_path / "a.nfo.2").stat().st_mtime_ns == 7
    assert (tmp_path / "a.nfo.1").read_bytes() == b"older"
    assert path.read_bytes() == b"old"


def test_bytes_that_are_kept_already_are_not_kept_twice(keeper, tmp_path):
    path = tmp_path / "a.nfo"
    path.write_bytes(b"old")
    found = keeper.look(str(path))
    assert keeper.set_aside(found)
    assert keeper.set_aside(found) is None
    assert listing(tmp_path) == ["a.nfo", "a.nfo.1"]


def test_a_version_whose_name_would_be_too_long_keeps_the_file(keeper, tmp_path):
    path = tmp_path / ("n" * 254)
    path.write_bytes(b"old")
    assert why(keeper.set_aside, keeper.look(str(path)))
    assert listing(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["open", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_the_run_and_loses_nothing(keeper, tmp_path, monkeypatch, name, number):
    path = tmp_path / "a.nfo"
    path.write_bytes(b"old")
    found = keeper.look(str(path))
    assert found.content
    with monkeypatch.context() as patch, pytest.raises(NoSpace):
        fail(patch, name, number)
        keeper.put(str(path), b"new", found)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.nfo": b"old"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_half(keeper, tmp_path, monkeypatch):
    real = os.open
    monkeypatch.setattr(module.os, "open", lambda path, *more: (real(path, *more), real("/dev/full", os.O_WRONLY))[1])
    with pytest.raises(NoSpace):
        keeper.put(str(tmp_path / "a.nfo"), b"new", None)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_that_cannot_be_written_in_is_known_as_such(keeper, tmp_path, monkeypatch, number):
    fail(monkeypatch, "open", number)
    with pytest.raises(OutputNotUsable) as told:
        keeper.put(str(tmp_path / "a.nfo"), b"new", None)
    assert is_shut(told.value)


def test_a_name_no_disk_can_have_is_told(keeper, tmp_path):
    for name in ("n" * 300, "a\0b", "\ud83d"):
        with pytest.raises(OutputNotUsable) as told:
            keeper.put(str(tmp_path / name), b"x", None)
        assert not is_shut(told.value)
    assert listing(tmp_path) == []


def test_a_missing_folder_is_not_made(keeper, tmp_path):
    assert why(keeper.put, str(tmp_path / "gone" / "a.nfo"), b"x", None)
    assert listing(tmp_path) == []


def test_folders_are_made_below_the_one_given(keeper, tmp_path):
    keeper.make_folder(str(tmp_path / "a" / "b"), str(tmp_path))
    keeper.make_folder(str(tmp_path), str(tmp_path))
    assert (tmp_path / "a" / "b").is_dir()


@POSIX
def test_no_folder_is_made_through_a_link(keeper, tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out" / "file").touch()
    out = str(tmp_path / "out")
    assert why(keeper.make_folder, f"{out}/link/new", out) == module.LINK
    assert why(keeper.make_folder, f"{out}/link/deep", out) == module.LINK
    assert why(keeper.make_folder, f"{out}/file/new", out) == module.NO_FOLDER
    assert listing(tmp_path / "elsewhere") == ["deep"]


def test_what_a_power_cut_leaves_is_nothing_to_lose(keeper, tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "nul").write_bytes(bytes(500))
    (tmp_path / "text").write_bytes(b"\0text")
    assert [keeper.look(str(tmp_path / name)).blank for name in ("empty", "nul", "text")] == [True, True, False]


@POSIX
def test_only_old_unfinished_files_are_cleared(keeper, tmp_path):
    names = [".stash-portability-old.partial", ".stash-portability-new.partial", ".stash-portability-future.partial"]
    for name, seconds in zip(names, (1e9 - 3601, 1e9 - 3599, 2e9), strict=True):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    (tmp_path / ".stash-portability-folder.partial").mkdir()
    os.utime(tmp_path / ".stash-portability-folder.partial", (5, 5))
    (tmp_path / ".stash-portability-link.partial").symlink_to(tmp_path / names[1])
    for name in listing(tmp_path):
        assert is_partial(name)
        keeper.clear(str(tmp_path / name))
    assert names[0] not in listing(tmp_path)
    assert len(listing(tmp_path)) == 4
    keeper.clear(str(tmp_path / "gone"))


def test_a_disk_that_cannot_force_to_the_disk_goes_on_without(keeper, tmp_path, monkeypatch):
    path = tmp_path / "a.nfo"
    path.write_bytes(b"old")
    fail(monkeypatch, "fsync", errno.EINVAL)
    assert keeper.set_aside(keeper.look(str(path)))


def test_what_was_written_is_forced_to_the_disk_once(keeper, tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(module.os, "sync", lambda: synced.append(1), raising=False)
    keeper.settle()
    put(keeper, tmp_path / "a.nfo", b"x")
    keeper.settle()
    put(keeper, tmp_path / "a.nfo", b"x")
    keeper.settle()
    assert synced == [1]

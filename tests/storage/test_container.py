"""Outputs are whole or not there; what is left over by dead runs goes, and nothing else does."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from stash_portability.errors import NoSpace, OutputExists, OutputNotUsable, PortabilityError
from stash_portability.oslock import is_held
from stash_portability.storage import partial, sevenzip_body, shapes
from stash_portability.storage.blobs import Blobs
from stash_portability.storage.container import Member, check_room, open_output
from stash_portability.storage.partial import PREFIX, SUFFIX, clear_dead, make_partial

SHAPES = ["file", "folder", "zip"]
ALL = [*SHAPES, "7z"]
"""A .7z is never replaced."""
MANIFEST = json.dumps({"format": "stash-portability tables", "members": [{"name": "a.txt"}]}).encode()


def write(path, shape, content=b"new", overwrite=False):
    with open_output(path, shape, overwrite) as output:
        if shape == "file":
            output.write("", content)
        else:
            output.write("a.txt", content)
            output.write("manifest.json", MANIFEST)
    return output


def read(path, shape):
    if shape == "file":
        return path.read_bytes()
    if shape == "folder":
        return (path / "a.txt").read_bytes()
    with zipfile.ZipFile(path) as file:
        return file.read("a.txt")


@pytest.mark.parametrize("shape", ALL)
def test_an_output_appears_whole_and_alone(shape, tmp_path):
    path = tmp_path / "out"
    with open_output(path, shape) as output:
        with output.open("" if shape == "file" else "sub/a.txt") as file:
            file.write(b"x" * 3_000_000)
        assert not path.exists()
        assert output.members == {
            "" if shape == "file" else "sub/a.txt": Member(3_000_000, output.members[next(iter(output.members))].sha256)
        }
    assert [found.name for found in tmp_path.iterdir()] == ["out"]
    assert output.bytes == (3_000_000 if shape in ("file", "folder") else path.stat().st_size)


@pytest.mark.parametrize("shape", ALL)
def test_only_its_owner_may_read_an_output_whatever_the_umask(shape, tmp_path):
    old = os.umask(0)
    try:
        write(tmp_path / "out", shape)
    finally:
        os.umask(old)
    for found in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        assert stat.S_IMODE(found.stat().st_mode) == (0o700 if found.is_dir() else 0o600)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_error_leaves_what_was_there(shape, overwrite, tmp_path):
    path = tmp_path / "out"
    if overwrite:
        write(path, shape, b"old")
    with pytest.raises(ZeroDivisionError), open_output(path, shape, overwrite) as output:
        file = output.open("" if shape == "file" else "a.txt")
        file.write(b"x" * 2_000_000)
        raise ZeroDivisionError
    assert len(list(tmp_path.iterdir())) == (1 if overwrite else 0)
    if overwrite:
        assert read(path, shape) == b"old"


@pytest.mark.parametrize("shape", SHAPES)
def test_an_existing_output_is_replaced_only_on_request(shape, tmp_path):
    path = tmp_path / "out"
    write(path, shape, b"old")
    with pytest.raises(OutputExists):
        open_output(path, shape)
    assert read(path, shape) == b"old"
    write(path, shape, b"new", overwrite=True)
    assert read(path, shape) == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(OutputExists), open_output(tmp_path / "out", "file") as output:
        output.write("", b"new")
        (tmp_path / "out").write_bytes(b"somebody's")
    assert (tmp_path / "out").read_bytes() == b"somebody's"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_folder_may_become_the_output(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "folder")
    assert read(tmp_path / "out", "folder") == b"new"


def test_a_folder_that_holds_anything_not_ours_is_never_replaced(tmp_path):
    path = tmp_path / "out"
    write(path, "folder")
    (path / "holiday.jpg").write_bytes(b"dear")
    with pytest.raises(OutputNotUsable, match=r"holiday\.jpg"):
        open_output(path, "folder", overwrite=True)
    (path / "manifest.json").unlink()
    with pytest.raises(OutputNotUsable, match=r"no manifest\.json of ours"):
        open_output(path, "folder", overwrite=True)
    assert (path / "holiday.jpg").read_bytes() == b"dear"


@pytest.mark.parametrize("overwrite", [False, True])
def test_places_that_cannot_be_used(overwrite, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    cases = [
        ("folder", "file"),
        ("folder", "zip"),
        ("file", "folder"),
        ("link", "file"),
        ("no/such/x", "file"),
        ("file/x", "zip"),
    ]
    for name, shape in cases + ([("pipe", "file")] if overwrite else []):
        with pytest.raises(OutputNotUsable) as caught:
            open_output(tmp_path / name, shape, overwrite)
        assert name in str(caught.value)
    with pytest.raises(OutputNotUsable):
        open_output("/", "folder", overwrite)


@pytest.mark.parametrize("shape", ALL)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a09_a_destination_that_is_a_link_is_refused(shape, overwrite, tmp_path):
    """To a file, to a folder, to nothing: what it leads to stays as it is."""
    (tmp_path / "file").write_bytes(b"somebody's")
    (tmp_path / "folder").mkdir()
    for target in ("file", "folder", "nowhere"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(tmp_path / target)
        with pytest.raises(OutputNotUsable, match="symbolic link"):
            open_output(link, shape, overwrite)
        assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"somebody's"
    assert not list((tmp_path / "folder").iterdir())
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("shape", ALL)
def test_a09_a_destination_that_becomes_a_link_meanwhile_is_refused(shape, tmp_path):
    (tmp_path / "file").write_bytes(b"somebody's")
    with pytest.raises(OutputNotUsable, match="symbolic link"), open_output(tmp_path / "out", shape) as output:
        output.write("" if shape == "file" else "manifest.json", b"new")
        (tmp_path / "out").symlink_to(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"somebody's"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "out"]


def test_a09_a_link_where_a_member_goes_is_not_followed(tmp_path):
    """Within the folder in the making, too, nothing is written through a link."""
    (tmp_path / "file").write_bytes(b"somebody's")
    with pytest.raises(OutputNotUsable), open_output(tmp_path / "out", "folder") as output:
        (making,) = tmp_path.glob(f"{PREFIX}*{SUFFIX}")
        (making / "out" / "a.txt").symlink_to(tmp_path / "file")
        output.write("a.txt", b"new")
    assert (tmp_path / "file").read_bytes() == b"somebody's"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputNotUsable, match="Permission denied"), open_output(tmp_path / "out", "file"):
        pass


@pytest.mark.parametrize("shape", ALL)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EIO])
def test_a_disk_that_fails_while_writing(shape, number, tmp_path, monkeypatch):
    def fail(path, buffering=0):
        class Failing(io.RawIOBase):
            def writable(self):
                return True

            def write(self, chunk):
                raise OSError(number, os.strerror(number))

        return Failing()

    for module in (shapes, sevenzip_body):
        monkeypatch.setattr(module, "create", fail)
    error = NoSpace if number in (errno.ENOSPC, errno.EDQUOT) else OutputNotUsable
    with pytest.raises(error, match="out"):
        write(tmp_path / "out", shape, b"x" * 5_000_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_disk_that_is_really_full(tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "create", lambda path, buffering=0: Path("/dev/full").open("wb", 0))  # noqa: SIM115
    with pytest.raises(NoSpace):
        write(tmp_path / "out", "file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", ALL)
def test_a_failing_sync_fails_the_output(shape, tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputNotUsable):
        write(tmp_path / "out", shape)
    assert not list(tmp_path.iterdir())


def test_a_disk_without_sync_is_fine(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fail)
    write(tmp_path / "out", "folder")


def test_room_is_checked_before(tmp_path):
    check_room(tmp_path / "not" / "yet" / "there", 1000)
    with pytest.raises(NoSpace, match="bytes are needed"):
        check_room(tmp_path, 1 << 60)


def test_a_member_is_begun_once_and_alone(tmp_path):
    with pytest.raises(PortabilityError, match="twice"), open_output(tmp_path / "a", "zip") as output:
        output.write("x", b"")
        output.write("x", b"")
    with pytest.raises(PortabilityError, match="twice"), open_output(tmp_path / "a", "zip") as output, output.open("x"):
        output.open("y")
    assert not list(tmp_path.iterdir())


def test_the_same_members_give_the_same_zip(tmp_path):
    for name in ("a.zip", "b.zip"):
        write(tmp_path / name, "zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_DEFLATED}


@pytest.mark.parametrize("shape", ["folder", "zip"])
def test_images_wait_while_a_member_is_open_and_come_once(shape, tmp_path):
    with open_output(tmp_path / "out", shape) as output:
        blobs = Blobs(output)
        early = blobs.put(io.BytesIO(b"early"))
        with output.open("a.txt") as file:
            file.write(b"one")
            late = blobs.put(io.BytesIO(b"late"))
            assert blobs.put(io.BytesIO(b"early")) == early
            file.write(b"two")
        blobs.flush()
        assert list(output.members) == [f"blobs/{early.sha256}", "a.txt", f"blobs/{late.sha256}"]
    assert read(tmp_path / "out", shape) == b"onetwo"


def test_one_file_has_no_room_for_images(tmp_path):
    with pytest.raises(OutputNotUsable, match=r"a folder or a \.zip"), open_output(tmp_path / "out", "file") as output:
        Blobs(output).put(io.BytesIO(b"x"))


DYING = """
    import os, signal, sys
    from stash_portability.storage.container import open_output
    with open_output(sys.argv[1], sys.argv[2], overwrite=True) as output:
        file = output.open("" if sys.argv[2] == "file" else "a.txt")
        file.write(b"x" * 5_000_000)
        print("written", flush=True)
        if sys.argv[3] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stdin.read()
"""


def run(path, shape, how):
    command = [sys.executable, "-c", textwrap.dedent(DYING), str(path), shape, how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)


@pytest.mark.parametrize("shape", SHAPES)
def test_sigkill_leaves_only_a_partial_and_the_next_run_removes_it(shape, tmp_path):
    path = tmp_path / "out"
    write(path, shape, b"old")
    (tmp_path / f"{PREFIX}mine.txt").write_bytes(b"somebody's")
    with run(path, shape, "kill") as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert read(path, shape) == b"old"
    left = [found for found in tmp_path.iterdir() if found.name.endswith(SUFFIX)]
    assert len(left) == 1
    write(tmp_path / "other", "file")
    assert sorted(found.name for found in tmp_path.iterdir()) == [f"{PREFIX}mine.txt", "other", "out"]


def test_the_partial_of_a_living_run_is_left_alone(tmp_path):
    with run(tmp_path / "out", "file", "wait") as process:
        process.stdout.readline()
        write(tmp_path / "other", "file")
        assert len([found for found in tmp_path.iterdir() if found.name.endswith(SUFFIX)]) == 1
        process.communicate(b"")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["other", "out"]


def leave_old(folder):
    """What a run leaves that died between the two renames."""
    write(folder / "out", "folder", b"old")
    dead = folder / f"{PREFIX}x{SUFFIX}"
    dead.mkdir()
    (dead / "lock").write_bytes(b"out")
    (folder / "out").rename(dead / "old")
    return dead


def test_a_run_that_died_between_two_renames_gives_the_old_output_back(tmp_path):
    dead = leave_old(tmp_path)
    write(tmp_path / "other", "file")
    assert read(tmp_path / "out", "folder") == b"old"
    assert not dead.exists()


def test_a_rename_that_fails_gives_the_old_output_back(tmp_path, monkeypatch):
    write(tmp_path / "out", "folder", b"old")

    def fail(self, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OutputNotUsable):
        write(tmp_path / "out", "folder", overwrite=True)
    assert read(tmp_path / "out", "folder") == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["with\nnewline", "🐦 100%", "x" * 250, "-dash", "quote'\""])
def test_odd_names(name, tmp_path):
    for shape in SHAPES:
        write(tmp_path / (name[:240] + shape), shape)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("what", [KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")])
def test_ctrl_c_between_two_renames_gives_the_old_output_back(what, tmp_path, monkeypatch):
    write(tmp_path / "out", "folder", b"old")

    def stop(self, target):
        raise what

    monkeypatch.setattr("pathlib.Path.replace", stop)
    with pytest.raises((KeyboardInterrupt, OutputNotUsable)):
        write(tmp_path / "out", "folder", overwrite=True)
    assert read(tmp_path / "out", "folder") == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_old_output_that_cannot_be_put_back_is_kept_for_the_next_run(tmp_path, monkeypatch):
    write(tmp_path / "out", "folder", b"old")
    rename, calls = Path.rename, []

    def once(self, target):
        calls.append(target)
        if len(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    def fail(self, target):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.rename", once)
        patched.setattr("pathlib.Path.replace", fail)
        with pytest.raises(OutputNotUsable):
            write(tmp_path / "out", "folder", overwrite=True)
    assert not (tmp_path / "out").exists()
    write(tmp_path / "other", "file")
    assert read(tmp_path / "out", "folder") == b"old"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["other", "out"]


def test_an_old_output_whose_name_was_lost_is_kept(tmp_path):
    dead = leave_old(tmp_path)
    (dead / "lock").write_bytes(b"")
    write(tmp_path / "other", "file")
    assert (dead / "old" / "a.txt").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot remove a file that is open and locked")
def test_a_dead_run_is_held_while_it_is_cleared(tmp_path, monkeypatch):
    dead = leave_old(tmp_path)
    rmtree, seen = partial.shutil.rmtree, []

    def look(folder, **options):
        seen.append(is_held(Path(folder) / "lock"))
        rmtree(folder, **options)

    monkeypatch.setattr(partial.shutil, "rmtree", look)
    clear_dead(tmp_path)
    assert seen == [True]
    assert not dead.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot remove a file that is open")
@pytest.mark.parametrize("again", [False, True])
def test_a_run_whose_folder_is_cleared_while_it_begins_makes_another(again, tmp_path, monkeypatch):
    """Its lock file is gone, or another run's, when it has its lock."""
    seize, lost = partial.seize, []

    def late(handle):
        if not lost:
            (folder,) = tmp_path.glob(f"{PREFIX}*")
            lost.append(folder)
            (folder / "lock").rename(tmp_path / "removed")
            if again:
                (folder / "lock").write_bytes(b"")
        seize(handle)

    monkeypatch.setattr(partial, "seize", late)
    made = make_partial(tmp_path / "out")
    assert made.out.parent != lost[0]
    assert (made.out.parent / "lock").read_bytes() == b"out"
    made.discard()


def test_a_folder_that_can_never_be_locked_is_told(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(partial, "seize", fail)
    with pytest.raises(OutputNotUsable, match="cannot be locked"):
        write(tmp_path / "out", "file")


def test_a_member_that_fails_to_close_leaves_nothing(tmp_path, monkeypatch):
    class Failing(io.RawIOBase):
        def writable(self):
            return True

        def write(self, chunk):
            return len(chunk)

        def close(self):
            if not self.closed:
                super().close()
                raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shapes, "create", lambda path, buffering=0: Failing())
    with pytest.raises(OutputNotUsable), open_output(tmp_path / "out", "file") as output:
        file = output.open()
        file.write(b"x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + "/out", "nul\0"])
def test_names_no_disk_can_hold(name, tmp_path):
    with pytest.raises(OutputNotUsable):
        open_output(tmp_path / name, "file")


@pytest.mark.parametrize("method", ["is_dir", "lstat", "iterdir"])
def test_a_place_that_may_not_be_looked_at(method, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()

    def refuse(self, **_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(OutputNotUsable, match="Permission denied"):
        open_output(tmp_path / "out", "folder")


def test_room_where_nobody_may_look(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(OutputNotUsable, match="Permission denied"):
        check_room(tmp_path / "out", 1)


def make_zip(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)
    return path.read_bytes()


FOREIGN = {
    "a.zip": lambda path: make_zip(path, holiday_jpg="dear"),
    "b.zip": lambda path: make_zip(path, manifest_json="{}", a_txt=""),
    "c.zip": lambda path: make_zip(path, manifest_json=MANIFEST, a_txt="", holiday_jpg="dear"),
    "d.zip": lambda path: path.write_bytes(b"no zip at all"),
    "e.json": lambda path: path.write_bytes(b'{"name": "package"}'),
    "f.json": lambda path: path.write_bytes(b"[]"),
    "g.xml": lambda path: path.write_bytes(b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
    "h.csv": lambda path: path.write_bytes(b"SQLite format 3\0"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_no_export_made_is_never_replaced(name, tmp_path):
    path = tmp_path / name
    FOREIGN[name](path)
    before = path.read_bytes()
    with pytest.raises(OutputNotUsable, match="no export made it, and it is not replaced"):
        open_output(path, "zip" if path.suffix == ".zip" else "file", overwrite=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"format":"stash-portability","version":1,"scenes":[]}\n'),
        ("b.json", b'{\n  "format": "stash-portability"}'),
        ("c.json", b'{"kind":"scene","id":"1"}\n'),
        ("d.xml", b'<?xml version="1.0" encoding="UTF-8"?>\n<library xmlns="urn:stash-portability:1" version="1">'),
        ("e.csv", b"id,title\r\n"),
        ("f.yaml", b"---\nid: 1\n"),
        ("g.json", b""),
    ],
)
def test_a_file_that_may_be_ours_is_replaced(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    write(tmp_path / name, "file", b"new", overwrite=True)
    assert (tmp_path / name).read_bytes() == b"new"

"""Backups: what is written, that it is read back before it gets its name, and what verify finds afterwards."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import backup as backups
from stash_portability.__main__ import main
from stash_portability.backup import backup, verify
from stash_portability.backup_options import BackupOptions, backup_options
from stash_portability.errors import (
    LibrariesMissing,
    NoSpace,
    NotIncluded,
    OutputNotUsable,
    PortabilityError,
    SeveralProblems,
    Unreadable,
    UsageError,
    VerificationFailed,
)
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.means import Means
from stash_portability.model import Blob, Record
from stash_portability.progress import Quiet
from stash_portability.storage import zstd

from .strangers_reader import read

DEMO = Path(__file__).parent.parent / "examples" / "demo"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
FORMS = [{}, {"zstd": True}, {"container": "folder"}, {"container": "folder", "zstd": True}, {"container": "7z"}]
NAMES = ["deflate", "zstd", "folder", "folder-zstd", "7z"]


def make(folder, source=None, now=NOON, **options):
    given = BackupOptions("demo", folder, **options)
    return backup(given, Quiet(), Means(now=lambda: now), source or ArchiveSource(DEMO))


def path_of(report):
    (path,) = report.outputs
    return Path(path)


def check(path):
    return verify(path, Quiet(), Means(now=lambda: NOON))


@pytest.fixture(params=FORMS, ids=NAMES)
def path(request, tmp_path):
    return path_of(make(tmp_path / "b", **request.param))


def test_a_backup_holds_everything_and_verifies(path):
    assert read(path) == read(DEMO)
    report = check(path)
    assert report.counts["scene"] == 11
    assert [note.split(",")[0] for note in report.notes[:2]] == ["L1: held", "L2: held"]


def test_its_name_is_the_time_and_nothing_else_lies_there_but_its_sidecars(path):
    assert path.name in {f"20260501T120000Z-stash{ending}" for ending in (".zip", ".7z", "")}
    names = sorted(entry.name for entry in path.parent.iterdir())
    assert names == [path.name, f"{path.name}.json", f"{path.name}.sha256"]


def test_only_its_owner_may_read_it(path):
    if os.name != "nt":
        for entry in (path.parent, *path.parent.rglob("*")):
            assert entry.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_its_checksum_is_one_for_sha256sum(path):
    subprocess.run(["sha256sum", "--strict", "-c", f"{path.name}.sha256"], cwd=path.parent, check=True)


def test_its_description_tells_what_is_in_it(path):
    told = json.loads((path.parent / f"{path.name}.json").read_text("utf-8"))
    assert told["counts"]["tag"] == 12
    assert told["images"] == 8
    assert told["created"] == "2026-05-01T12:00:00Z"
    assert told["verified"] == {"L1": "2026-05-01T12:00:00Z", "L2": "2026-05-01T12:00:00Z"}


@pytest.mark.parametrize("options", FORMS, ids=NAMES)
def test_the_same_library_gives_the_same_bytes(options, tmp_path):
    one, two = (path_of(make(tmp_path / name, **options)) for name in "ab")
    assert [line.split()[0] for line in Path(f"{one}.sha256").read_text().splitlines()] == [
        line.split()[0] for line in Path(f"{two}.sha256").read_text().splitlines()
    ]


def test_two_backups_of_one_second_get_two_names(tmp_path):
    names = [path_of(make(tmp_path / "b")).name for _ in range(3)]
    assert names == [f"20260501T120000Z-stash{more}.zip" for more in ("", "-2", "-3")]


def test_some_kinds_come_with_what_they_refer_to(tmp_path):
    records, _ = read(path_of(make(tmp_path / "b", kinds=("performer",))))
    assert {kind for kind, _ in records} == {"performer", "tag"}


def test_a_record_that_cannot_be_written_is_told_and_the_rest_is_kept(tmp_path):
    bad, good = Record("tag", "1", {"name": "\ud800"}), Record("tag", "2", {"name": "Coast"})
    report = make(tmp_path / "b", MemoryLibrary([bad, good]))
    assert len(report.skipped) == 1
    assert read(path_of(report))[0] == {("tag", "2"): {"name": "Coast"}}


def test_an_empty_library_is_no_backup(tmp_path):
    with pytest.raises(UsageError, match="nothing to export"):
        make(tmp_path / "b", MemoryLibrary())
    assert list((tmp_path / "b").iterdir()) == []


class Lossy(MemoryLibrary):
    def read(self, kind, *more):
        yield from super().read(kind, *more)
        raise Unreadable(path="memory", reason="it went away")


def test_a_library_that_goes_away_leaves_nothing(tmp_path):
    with pytest.raises(Unreadable, match="went away"):
        make(tmp_path / "b", Lossy([Record("tag", "1", {"name": "Coast"})]))
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize("options", FORMS, ids=NAMES)
def test_what_does_not_read_back_is_kept_under_another_name(options, tmp_path, monkeypatch):
    """A disk that takes the bytes and gives others."""

    def rot(out):
        victim = next(out.rglob("scene/*")) if out.is_dir() else out
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)

    monkeypatch.setattr("stash_portability.storage.container.forget_tree", rot)
    with pytest.raises(VerificationFailed, match=r"does not read back .*stash(\.zip|\.7z)?\.damaged") as caught:
        make(tmp_path / "b", **options)
    assert caught.value.exit_code == 4
    ending = {"folder": "", "7z": ".7z"}.get(options.get("container"), ".zip")
    assert [entry.name for entry in (tmp_path / "b").iterdir()] == [f"20260501T120000Z-stash{ending}.damaged"]


def test_a_backup_that_holds_less_than_was_written_fails(tmp_path, monkeypatch):
    real = backups.check_members

    def less(source, advance):
        found = real(source, advance)
        found.counts["scene"] -= 1
        return found

    monkeypatch.setattr(backups, "check_members", less)
    with pytest.raises(VerificationFailed):
        make(tmp_path / "b")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_run_that_is_killed_while_it_reads_back_leaves_nothing_that_the_next_does_not_sweep(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from stash_portability import backup\n"
        "from stash_portability.__main__ import main\n"
        "backup.check_members = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"main(['backup', '--from', {str(DEMO)!r}, '--to', {str(tmp_path / 'b')!r}])"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=DEMO.parents[1], check=False).returncode == -9
    (left,) = (tmp_path / "b").iterdir()
    assert left.name.endswith(".partial")
    path = path_of(make(tmp_path / "b"))
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        path.name,
        f"{path.name}.json",
        f"{path.name}.sha256",
    ]


def test_no_room_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(NoSpace):
        make(tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize("to", ["missing/b", "file", "file/b"])
def test_a_folder_that_cannot_be(to, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputNotUsable):
        make(tmp_path / to)


def test_without_zstandard_zstd_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(LibrariesMissing, match="zstandard"):
        make(tmp_path / "b", zstd=True)
    assert list((tmp_path / "b").iterdir()) == []
    assert read(path_of(make(tmp_path / "b")))


def test_without_zstandard_an_archive_that_needs_it_says_so(tmp_path, monkeypatch):
    path = path_of(make(tmp_path / "b", zstd=True))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(LibrariesMissing, match="pip install zstandard"):
        check(path)


def said(arguments):
    return backup_options({"from": "x", "to": "y", **arguments}, {})


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"from": None}, UsageError, "--from is missing"),
        ({"to": None}, UsageError, "--to is missing"),
        ({"to": ""}, UsageError, "--to is empty"),
        ({"to": "a\0b"}, UsageError, "NUL"),
        ({"to": 5}, UsageError, "must be text"),
        ({"to": "rclone:x"}, NotIncluded, "rclone"),
        ({"container": "tar"}, PortabilityError, "no container named 'tar'"),
        ({"kinds": "scenery"}, PortabilityError, "scenery"),
        ({"kinds": ""}, UsageError, "--kinds is empty"),
        ({"deflate": True, "zstd": True}, UsageError, "together"),
        ({"container": "7z", "zstd": True}, UsageError, "packs the records itself"),
        ({"api_key_file": "/nowhere/key"}, UsageError, "cannot be read"),
    ],
)
def test_mistakes_are_told(arguments, error, words):
    with pytest.raises(error, match=words):
        said(arguments)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(SeveralProblems, match=r"scenery.*tar"):
        said({"kinds": "scenery", "container": "tar"})


def test_the_command_line(tmp_path, capsys):
    assert main(["backup", "--from", str(DEMO), "--to", str(tmp_path / "b"), "--zstd"]) == 0
    assert "read back in full (L2)" in capsys.readouterr().out
    (path,) = (tmp_path / "b").glob("*.zip")
    assert main(["verify", str(path)]) == 0
    assert "L2: held" in capsys.readouterr().out


# ---- verify


def test_verify_without_sidecars_says_that_l1_was_not_done(path):
    Path(f"{path}.sha256").unlink()
    Path(f"{path}.json").unlink()
    report = check(path)
    assert report.notes[0].startswith("L1: not done")
    assert report.notes[1].startswith("L2: held")
    assert any("could not be noted" in note for note in report.notes)


def test_verify_notes_when(path):
    verify(path, Quiet(), Means(now=lambda: datetime(2027, 1, 1, tzinfo=timezone.utc)))
    told = json.loads(Path(f"{path}.json").read_text("utf-8"))
    assert told["verified"] == {"L1": "2027-01-01T00:00:00Z", "L2": "2027-01-01T00:00:00Z"}


def test_verify_says_which_rung_fails(tmp_path, capsys):
    path = path_of(make(tmp_path / "b"))
    with zipfile.ZipFile(path) as file:
        start = file.getinfo("records/tag/0001.jsonl").header_offset
    content = bytearray(path.read_bytes())
    content[start + 100] ^= 4
    path.write_bytes(content)
    assert main(["verify", str(path)]) == 4
    told = capsys.readouterr().err
    assert "L1 failed" in told
    assert "L2 failed: records/tag/0001.jsonl" in told
    assert len(told.splitlines()) == 1


def test_a_wrong_checksum_beside_a_good_archive_fails_l1_alone(path):
    Path(f"{path}.sha256").write_text(f"{'0' * 64}  {path.name}\n")
    with pytest.raises(VerificationFailed, match=r"L1 failed: .*; L2: held"):
        check(path)


@pytest.mark.parametrize("listed", [b"", b"\xff\xfe", b"nonsense"])
def test_a_checksum_file_that_is_none(listed, path):
    Path(f"{path}.sha256").write_bytes(listed)
    with pytest.raises(VerificationFailed, match="L1 failed"):
        check(path)


@pytest.mark.parametrize("told", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_description_that_is_none_is_left_as_it_is(told, path):
    Path(f"{path}.json").write_bytes(told)
    assert any("could not be noted" in note for note in check(path).notes)
    assert Path(f"{path}.json").read_bytes() == told


def test_what_is_not_there(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "x.zip")]) == 15
    assert main(["list", str(tmp_path / "x.zip")]) == 15


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"<html>"])
def test_what_is_no_archive(content, tmp_path):
    (tmp_path / "a.zip").write_bytes(content)
    assert main(["--quiet", "verify", str(tmp_path / "a.zip")]) == 4


def folder_with(tmp_path, change):
    """The demo as a folder, with a manifest that agrees with what ``change`` makes of its files."""
    folder = shutil.copytree(DEMO, tmp_path / "folder")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(folder, manifest)
    for said in manifest["members"]:
        content = (folder / said["name"]).read_bytes()
        said["bytes"], said["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def edit(name, old, new):
    def change(folder, _):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(old, new, 1))

    return change


def rename_blob(folder, manifest):
    said = next(said for said in manifest["members"] if said["name"].startswith("blobs/"))
    (folder / said["name"]).rename(folder / "blobs" / ("0" * 64))
    said["name"] = f"blobs/{'0' * 64}"


def add_packed(folder, manifest):
    (folder / "db").mkdir()
    (folder / "db" / "stash.sqlite.zst").write_bytes(b"x")
    manifest["members"].append({"name": "db/stash.sqlite.zst"})


TAGS = "records/tag/0001.jsonl"
LAST_TAG = (DEMO / TAGS).read_bytes().splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit(TAGS, b'"id":"2"', b'"id":"1"'), "the tag 1 comes twice"),
        (edit(TAGS, b'"id":"2"', b'"id":"20"'), "the tag 3 comes twice, or after"),
        (edit("records/config/0001.jsonl", b'"id":"ui"', b'"id":"general"'), "the config general comes twice"),
        (edit(TAGS, LAST_TAG, b'{"kind":"saved_filter","id":"12"}'), "it holds a saved_filter"),
        (edit(TAGS, b'"name":"Water"', b'"name":5'), "records/tag/0001.jsonl: line 1: name: text is expected"),
        (edit(TAGS, b"\n", b"\n\n"), "13 records, the manifest says 12"),
        (rename_blob, "not named by its digest"),
        (add_packed, "damaged where it lists db/stash.sqlite.zst"),
        (lambda _, manifest: manifest.update(requires=["zstd", 5]), "what it requires"),
    ],
)
def test_what_digests_cannot_tell_is_found_too(change, words, tmp_path):
    with pytest.raises(VerificationFailed, match=f"L2 failed: .*{words}"):
        check(folder_with(tmp_path, change))


def test_an_image_that_a_record_names_and_nobody_has(tmp_path):
    library = MemoryLibrary([Record("tag", "1", {"name": "Coast", "image": "ab" * 32})], {"ab" * 32: b"x"})
    assert isinstance(next(library.read("tag", backups_want())).data["image"], Blob)
    path = path_of(make(tmp_path / "b", library, container="folder"))
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    manifest["members"] = [said for said in manifest["members"] if not said["name"].startswith("blobs/")]
    (path / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(path / "blobs")
    Path(f"{path}.sha256").unlink()
    with pytest.raises(VerificationFailed, match="the image of tag 1 is not in it"):
        check(path)


def backups_want():
    from stash_portability.model import Want

    return Want(blobs=True)


def test_an_archive_that_needs_what_nobody_knows_is_of_another_version(tmp_path):
    folder = folder_with(tmp_path, lambda _, manifest: manifest.update(requires=["braille"]))
    assert main(["--quiet", "verify", str(folder)]) == 5


def test_zstd_that_unpacks_to_another_size(tmp_path):
    path = path_of(make(tmp_path / "b", zstd=True, container="folder"))
    manifest = (path / "manifest.json").read_text("utf-8")
    Path(f"{path}.sha256").unlink()
    told = json.loads(manifest)
    for more, words in ((-1, "more"), (1, "less")):
        changed = json.loads(manifest)
        for said in changed["members"]:
            said.update({"unpacked": said["unpacked"] + more} if "unpacked" in said else {})
        (path / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(VerificationFailed, match=f"unpacks to {words}"):
            check(path)
    assert told["requires"] == ["zstd"]


def test_a_packed_member_that_is_no_zstd_is_told(tmp_path):
    def change(folder, manifest):
        said = next(said for said in manifest["members"] if said["name"] == TAGS)
        (folder / TAGS).rename(folder / f"{TAGS}.zst")
        said.update(name=f"{TAGS}.zst", unpacked=100)

    with pytest.raises(VerificationFailed, match="it is damaged"):
        check(folder_with(tmp_path, change))


def test_a_packed_member_that_wants_a_huge_window_is_refused(tmp_path):
    import io

    import zstandard

    big = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=big).compress(os.urandom(1 << 10) * (9 << 10))
    with pytest.raises(Unreadable), zstd.unpacking(tmp_path, "x", io.BytesIO(packed), 9 << 20) as stream:
        while stream.read(1 << 20):
            pass

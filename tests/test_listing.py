"""What archives there are, and what is in one."""

import json
import shutil
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.backup import backup
from stash_portability.backup_options import BackupOptions
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.listing import label, listings, selection
from stash_portability.means import Means
from stash_portability.model import Record
from stash_portability.progress import Quiet

DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture
def shelf(tmp_path):
    """A folder with two backups, of two days and two shapes, and things that are none."""
    for day, container in ((1, "zip"), (2, "folder")):
        means = Means(now=lambda day=day: datetime(2026, 5, day, tzinfo=timezone.utc))
        backup(BackupOptions("demo", tmp_path / "b", container=container), Quiet(), means, ArchiveSource(DEMO))
    (tmp_path / "b" / "notes.txt").write_text("mine")
    (tmp_path / "b" / "films").mkdir()
    return tmp_path / "b"


def names(path):
    return [one.path.name for one in listings(path)]


def test_a_folder_lists_its_archives_and_nothing_else(shelf):
    assert names(shelf) == ["20260501T000000Z-stash.zip", "20260502T000000Z-stash"]
    for one in listings(shelf):
        assert (one.counts["scene"], one.images, set(one.verified), one.problem) == (11, 8, {"L1", "L2"}, "")


def test_without_its_description_an_archive_is_opened(shelf):
    with_it = [one.as_data() for one in listings(shelf)]
    for file in shelf.glob("*.json"):
        file.unlink()
    without = [one.as_data() for one in listings(shelf)]
    assert without == [{**one, "verified": {}} for one in with_it]


def test_a_description_of_another_file_is_not_believed(shelf):
    path = shelf / "20260501T000000Z-stash.zip.json"
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**told, "bytes": 1, "counts": {"scene": 99}}))
    assert next(iter(listings(shelf))).counts["scene"] == 11


@pytest.mark.parametrize(
    "told", [{"counts": [1]}, {"counts": {"scenery": 3, "tag": "x"}}, {"source": 5, "verified": 3}]
)
def test_odd_descriptions_do_no_harm(told, shelf):
    path = shelf / "20260501T000000Z-stash.zip.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **told}))
    assert all(one.as_text() for one in listings(shelf))


def test_an_archive_that_cannot_be_read_is_told_and_the_others_are_listed(shelf, capsys):
    (shelf / "20260501T000000Z-stash.zip").write_bytes(b"<html>")
    assert main(["list", str(shelf)]) == 0
    told = capsys.readouterr().out
    assert "cannot be read: it is not a zip; it looks like HTML" in told
    assert "20260502T000000Z-stash" in told


@pytest.mark.parametrize("name", ["20260501T000000Z-stash.zip", "20260502T000000Z-stash"])
def test_what_did_not_read_back_is_told(name, shelf):
    (shelf / name).rename(shelf / f"{name}.damaged1")
    assert {one.path.name: bool(one.problem) for one in listings(shelf)}[f"{name}.damaged1"]
    assert len(names(shelf)) == 2


def test_a_newer_archive_is_told_too(shelf):
    folder = shelf / "20260502T000000Z-stash"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    assert [bool(one.problem) for one in listings(shelf)] == [False, True]


def test_one_archive(shelf, capsys):
    for path in (shelf / "20260501T000000Z-stash.zip", shelf / "20260502T000000Z-stash"):
        assert main(["--json", "list", str(path)]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["type"], told["counts"]["tag"], told["images"]) == ("archive", 12, 8)


def test_an_empty_folder_has_none(tmp_path, capsys):
    assert main(["list", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_selection_names_every_record_once(shelf):
    lines = list(selection(shelf / "20260501T000000Z-stash.zip"))
    records = [line for line in lines if not line.startswith("#")]
    assert len(records) == 57
    assert records[1] == 'scene 2  # Tidal Flats, "the long cut"'
    assert len({line.split("  # ")[0] for line in records}) == 57


def test_a_name_cannot_break_the_list(tmp_path):
    library = MemoryLibrary([Record("tag", "1", {"name": "a\nscene 5\u2028b"}), Record("tag", "2", {"name": "#"})])
    means = Means(now=lambda: datetime(2026, 5, 1, tzinfo=timezone.utc))
    report = backup(BackupOptions("x", tmp_path / "b"), Quiet(), means, library)
    assert list(selection(Path(report.outputs[0])))[-2:] == ["tag 1  # a scene 5 b", "tag 2  # #"]


def test_a_selection_is_of_one_archive(shelf, capsys):
    assert main(["list", str(shelf), "--selection"]) == 2
    assert "name one in it" in capsys.readouterr().err
    shutil.copytree(DEMO, shelf / "demo")
    assert main(["list", str(shelf / "demo"), "--selection"]) == 0
    assert "tag 1  # Water" in capsys.readouterr().out


def test_what_a_record_is_called():
    assert label(Record("scene", "1", {"title": None, "files": [{"path": "/a/b.mp4"}]})) == "/a/b.mp4"
    assert label(Record("scene", "1", {"title": "", "files": []})) == ""
    assert label(Record("scene", "1", {})) == ""

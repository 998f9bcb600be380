"""Taking runs back: what they wrote, and nothing else."""

import itertools
import os

import pytest

from stash_portability.errors import Braked, NoSpace, RecordError, UsageError
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.model import Written
from stash_portability.report import exit_code
from stash_portability.traces import began_to_undo, undone_by
from stash_portability.undoing import undo_preview, written_by

from .restoring import Bench, breaking_off


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def view(bench):
    """What people see: everything by its name instead of its id."""
    now = bench.everything()
    names = {key: data.get("name") or data.get("title") or data.get("group") for key, data in now.items()}
    told = {}
    for (kind, uid), data in now.items():
        told[kind, names[kind, uid], uid if kind != "tag" else ""] = {
            **data,
            "tags": sorted(names["tag", one] for one in data.get("tags") or ()),
            "parents": sorted(names["tag", one] for one in data.get("parents") or ()),
            "primary_tag": names.get(("tag", data.get("primary_tag"))),
        }
    return told


def test_a_run_is_taken_back_and_that_too(bench):
    bench.drop("tag", "3")
    bench.library.update("scene", "2", {"title": None})
    before = view(bench)
    done, _ = bench.restore()
    after = view(bench)
    assert after != before
    undone, report = bench.undo(done)
    assert (view(bench), exit_code(report)) == (before, 0)
    again, _ = bench.undo(undone)
    assert view(bench) == after
    bench.undo(again)
    assert view(bench) == before


def test_what_a_replacing_run_deleted_comes_back(bench):
    uid = bench.library.create("tag", {"name": "Mine", "description": "by hand", "aliases": ["Ours"], "parents": ["1"]})
    bench.library.update("scene", "1", {"tags": ["3", uid], "title": "By hand"})
    before = view(bench)
    done, report = bench.restore(mode="replace")
    assert report.changes["tag delete"] == 1
    bench.undo(done)
    assert view(bench) == before


def test_images_are_put_back(bench):
    was = bench.get("tag", "1")["image"]
    done, _ = bench.restore(kinds=("tag",))
    bench.library.update("tag", "1", {"image": bench.get("studio", "1")["image"].key})
    done, report = bench.restore(kinds=("tag",), mode="replace")
    assert report.changes == {"tag update": 1}
    assert bench.get("tag", "1")["image"].key == was.key
    undone, _ = bench.undo(done)
    assert bench.get("tag", "1")["image"].key == bench.get("studio", "1")["image"].key
    bench.library._blobs.pop(was.key)
    bench.undo(undone)
    assert bench.get("tag", "1")["image"].key == was.key
    assert bench.library.open_blob(bench.get("tag", "1")["image"]).read()


def test_what_was_changed_since_is_left_alone_and_told(bench):
    for uid in ("1", "2"):
        bench.library.update("scene", uid, {"title": None})
    done, _ = bench.restore()
    bench.library.update("scene", "1", {"title": "Since"})
    _, report = bench.undo(done)
    assert (bench.get("scene", "1")["title"], bench.get("scene", "2")["title"]) == ("Since", None)
    assert (report.decisions["moved"], exit_code(report)) == (1, 1)


def test_a_preview_counts_and_changes_nothing(bench):
    bench.drop("tag", "3")
    done, _ = bench.restore(kinds=("tag",))
    before = bench.everything()
    assert undo_preview(done).changes["tag delete"] == 1
    assert bench.everything() == before


def test_a_run_that_wrote_nothing_is_told(bench):
    planned, _ = bench.plan()
    with pytest.raises(UsageError, match="wrote nothing"):
        bench.undo(planned)
    done, _ = bench.restore()
    with pytest.raises(UsageError, match="nothing to take back"):
        bench.undo(done)


class Dying:
    """Dies after its first record was made, before it can tell."""

    def __init__(self, library, open_image):
        self._inner = MemoryWriter(library, open_image)

    def write(self, changes):
        self._inner.write(changes)
        raise SystemExit(9)


def test_of_a_killed_run_what_is_known_is_taken_back(tmp_path):
    bench = Bench(tmp_path)
    bench.drop("tag", "3")
    planned, _ = bench.plan(kinds=("tag",))
    bench.writer = Dying
    with pytest.raises(SystemExit):
        bench.apply(planned)
    bench.writer = MemoryWriter
    [done] = bench.runs.glob("*-apply-*")
    assert written_by(done)["target"] == "memory"
    with pytest.raises(Braked, match="unknown-creates"):
        bench.undo(done)
    bench.undo(done, ("unknown-creates",))
    assert len(bench.named("tag", "Tidal flat")) == 1


class Refusing:
    def __init__(self, library, open_image):
        self._inner = MemoryWriter(library, open_image)

    def write(self, changes):
        if changes[0].op == "delete":
            return [Written(one.uid, RecordError(kind=one.kind, uid=one.uid, reason="it is held")) for one in changes]
        return self._inner.write(changes)


def test_a_run_is_taken_back_once(bench):
    bench.library.create("tag", {"name": "Mine", "aliases": [], "parents": []})
    done, _ = bench.restore(mode="replace")
    undone, _ = bench.undo(done)
    with pytest.raises(UsageError, match=f"was taken back by {undone.name}"):
        bench.undo(done)
    assert len(bench.named("tag", "Mine")) == 1
    bench.undo(undone)
    assert bench.named("tag", "Mine") == {}
    bench.undo(done)
    assert len(bench.named("tag", "Mine")) == 1


def test_an_undo_that_was_killed_is_finished_by_another_one(bench):
    for name in ("Mine", "Ours"):
        bench.library.create("tag", {"name": name, "aliases": [], "parents": []})
    for uid in ("1", "2"):
        bench.library.update("scene", uid, {"title": "By hand"})
    before = view(bench)
    done, _ = bench.restore(mode="replace")
    bench.writer = breaking_off(2, SystemExit)
    with pytest.raises(SystemExit):
        bench.undo(done)
    [killed] = bench.runs.glob("*-undo-*")
    assert undone_by(done) == "" and began_to_undo(done) == [killed]
    bench.writer = MemoryWriter
    undone, _ = bench.undo(done, ("unknown-creates",))
    assert undone_by(done) == undone.name
    names = [one.data["name"] for one in bench.library.read("tag")]
    assert [names.count(name) for name in ("Mine", "Ours")] == [1, 1] and view(bench) == before


def test_a_full_disk_is_told_and_what_was_written_can_be_taken_back(bench, monkeypatch):
    for uid in ("1", "2"):
        bench.library.update("scene", uid, {"title": None})
    before = bench.everything()
    bench.drop("tag", "3")
    planned, _ = bench.plan()
    sync, calls = os.fsync, itertools.count()

    def full(handle):
        if next(calls) == 6:
            raise OSError(28, os.strerror(28))
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        bench.apply(planned)
    monkeypatch.undo()
    [done] = bench.runs.glob("*-apply-*")
    bench.undo(done, ("unknown-creates",))
    assert bench.get("scene", "1")["title"] == before["scene", "1"]["title"]


def test_what_cannot_be_taken_back_is_told(tmp_path):
    bench = Bench(tmp_path, writer=Refusing)
    bench.drop("tag", "3")
    done, _ = bench.restore(kinds=("tag",))
    _, report = bench.undo(done)
    assert (report.decisions["failed"], exit_code(report)) == (1, 3)

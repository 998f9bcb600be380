"""A real Stash as a target: read through GraphQL alone, as one on another machine is; read by its file, as it is now;
and asked for what it must refuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from stash_portability.errors import Unreadable
from stash_portability.libraries import local
from stash_portability.libraries.archive_write import ArchiveSink
from stash_portability.libraries.stash import StashSource
from stash_portability.libraries.stash_write_reader import Newest
from stash_portability.model import Record, Want
from stash_portability.reconcile.undo import undo_plan
from stash_portability.storage.container import open_output

from .conftest import StartStash, binary
from .hand import Hand
from .restoring import MERGE, REPLACE, clean, planned, restore, take_back, target_of
from .stash_server import NEW, StashServer
from .test_restore_engine import back_up, differences, held

SOME_TAGS = ("Marsh", "Fen", "Reed")


@pytest.fixture(scope="module")
def archive(stash_030: StashServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the populated Stash, read by its file."""
    return back_up(stash_030, tmp_path_factory.mktemp("archive") / "b")


@pytest.fixture
def fresh(scanned_030: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StashServer]:
    """A Stash of this test's own that has only scanned the media."""
    with StashServer.copy_of(scanned_030, tmp_path / "stash", binary(NEW, request.config)) as server:
        yield server


@contextmanager
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the Stash were on another machine."""

    def nothing(status: Any) -> Any:
        raise Unreadable("its database file is not on this machine", path=status.database)

    with monkeypatch.context() as patch:
        patch.setattr(local, "_open", nothing)
        yield


def test_through_graphql_alone_all_comes_back_and_can_be_taken_back(stash_030, fresh, archive, tmp_path, monkeypatch):
    before = held(fresh, {"*.updated_at": ""})
    with far_away(monkeypatch):
        assert isinstance(target_of(fresh).reader, StashSource)
        _, applied = restore(archive, fresh, tmp_path / "run")
        clean(applied)
        with planned(archive, target_of(fresh), tmp_path / "run") as again:
            assert (list(again.changes), list(again.ambiguities), list(again.waiting)) == ([], [], [])
    found = differences(held(stash_030), held(fresh))
    assert [line[:32] for line in found] == ["only in the second scene: {'titl"], found
    with planned(archive, target_of(fresh), tmp_path / "run") as again:
        assert list(again.changes) == []
    undo = undo_plan(tmp_path / "run")
    (tmp_path / "undo").mkdir()
    with far_away(monkeypatch):
        clean(take_back(undo, tmp_path / "run", target_of(fresh), tmp_path / "undo"))
    assert differences(before, held(fresh, {"*.updated_at": ""})) == []


def test_what_was_chosen_as_cover_of_a_gallery_comes_back_through_graphql(
    stash_030, new_stash: StartStash, scanned_030, tmp_path, monkeypatch
):
    """In a Stash that has no such gallery yet, and in one that has it with another cover. It is not its first image."""
    like, fresh = new_stash(NEW, populated=True), tmp_path / "fresh"
    hand, gallery, image = Hand(like), like.ids["gallery:own"], like.ids["image:reed bed.png"]
    shown = cover(like, gallery)
    hand.do("setGalleryCover", input={"gallery_id": gallery, "cover_image_id": image})
    archive = back_up(like, tmp_path / "b")
    hand.do("setGalleryCover", input={"gallery_id": gallery, "cover_image_id": shown})
    with StashServer.copy_of(scanned_030, fresh, str(like.binary)) as server, far_away(monkeypatch):
        for target in (like, server):
            _, applied = restore(archive, target, tmp_path / f"run {target.port}")
            clean(applied)
            with planned(archive, target_of(target), tmp_path / f"run {target.port}") as again:
                assert list(again.changes) == []
        monkeypatch.undo()
        for target in (like, server):
            [found] = [one for one in target_of(target).source.read("gallery") if one.data["code"] == "GAL-01"]
            [chosen] = target_of(target).source.read("image", Want(ids=(found.data["cover"],)))
            assert chosen.data["files"][0]["path"].endswith("reed bed.png")


def cover(server: StashServer, gallery: str) -> str | None:
    """The cover that was chosen for a gallery, by the file."""
    [record] = target_of(server).source.read("gallery", Want(ids=(gallery,)))
    found: str | None = record.data["cover"]
    return found


def test_circles_in_an_archive_are_left_out_and_told(fresh, tmp_path):
    names = {"tag": "parents", "studio": "parent", "group": "containing_groups"}
    entries = {"tag": lambda uid: [uid], "studio": lambda uid: uid, "group": lambda uid: [{"group": uid}]}
    path = tmp_path / "circles"
    with ArchiveSink(open_output(path, "folder"), {"tool": "test", "schema": 75}) as sink:
        for kind, field in names.items():
            for number, name in enumerate(SOME_TAGS, 1):
                above = entries[kind](str(number % 3 + 1))
                sink.put(Record(kind, str(number), {"name": name, field: above}))
    for policy in (REPLACE, MERGE):
        run = tmp_path / policy.base
        plan, applied = restore(path, fresh, run, policy, kinds=tuple(names))
        clean(applied)
        with planned(path, target_of(fresh), run, MERGE) as again:
            assert list(again.changes) == []
            assert {(one.kind, one.field, one.chosen) for one in again.conflicts} == {
                (kind, field, "target") for kind, field in names.items()
            }
    del plan
    for kind, field in names.items():
        held_ = [one.data[field] for one in target_of(fresh).source.read(kind) if one.data["name"] in SOME_TAGS]
        assert sum(1 for one in held_ if one) == 2


def newest_of(server: StashServer) -> Newest:
    reader = target_of(server).reader
    assert isinstance(reader, Newest)
    return reader


def tag(reader: Any, uid: str) -> Any:
    return next((one.data for one in reader.read("tag", Want(ids=(uid,)))), None)


def test_what_was_written_by_graphql_or_beside_it_is_seen_at_once(fresh):
    hand, newest = Hand(fresh), newest_of(fresh)
    uid = hand.make("tag", name="Marsh")
    for number in range(20):
        hand.edit("tag", uid, description=f"at {number}")
        assert tag(newest, uid)["description"] == f"at {number}"
    whole = {one.uid: one.data for one in newest.read("tag")}
    assert whole[uid]["description"] == "at 19"
    with closing(sqlite3.connect(newest._path)) as other, other:
        other.execute("UPDATE tags SET description = 'from outside' WHERE id = ?", (uid,))
    assert tag(newest, uid)["description"] == "from outside"
    hand.do("tagDestroy", input={"id": uid})
    assert (tag(newest, uid), newest.stale) == (None, False)


@pytest.mark.parametrize("way", ["changed", "made", "deleted", "no file", "a broken file"])
def test_a_file_that_is_not_that_of_the_server_is_not_believed(fresh, tmp_path, way):
    hand, newest = Hand(fresh), newest_of(fresh)
    uid = hand.make("tag", name="Marsh", description="old")
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(newest._path)) as old, closing(sqlite3.connect(other)) as copy:
        old.backup(copy)
    newest._path = other
    if way == "no file":
        other.unlink()
    elif way == "a broken file":
        other.write_bytes(b"no database" * 1000)
    if way == "made":
        uid = hand.make("tag", name="Fen", description="new")
    elif way == "deleted":
        hand.do("tagDestroy", input={"id": uid})
    else:
        hand.edit("tag", uid, description="new")
    found = tag(newest, uid)
    assert (found and found["description"]) == (None if way == "deleted" else "new")
    assert newest.stale
    assert {one.uid for one in newest.read("tag")} == {one.uid for one in newest._stash.read("tag")}


def test_a_saved_filter_has_no_time_of_change_and_is_read_from_the_server(fresh, tmp_path):
    hand, newest = Hand(fresh), newest_of(fresh)
    newest._path = tmp_path / "none.sqlite"
    hand.do("saveFilter", input={"mode": "TAGS", "name": "Wet"})
    assert [one.data["name"] for one in newest.read("saved_filter")] == ["Wet"]

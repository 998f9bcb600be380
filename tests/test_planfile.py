"""Plans on disk: whole or not there, read back as they were, shown page by page."""

import dataclasses
import gc
import json
import os
import sys
from pathlib import Path

import pytest

from stash_portability.errors import NoSpace, Unreadable, UnsupportedVersion, UsageError
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Ambiguity, Blob, Brake, Change, Conflict, Plan, Waiting
from stash_portability.planfile import Wanted, page, read_header, read_plan, room_for_journal, write_plan
from stash_portability.planrows import change_row, found_row
from stash_portability.reconcile.coding import Digests

from .restoring import Bench, rows

COVER = Blob("scene", "4", "cover", "/scene/4/cover")
PLAN = Plan(
    changes=[
        Change("create", "tag", "new:tag:1", None, {"name": "Fog", "aliases": [], "parents": ["7"], "favorite": False}),
        Change("update", "scene", "4", {"title": None, "tags": ["7", "8"], "cover": COVER},
               {"title": "Fog\non the flats", "tags": ["7", "new:tag:1"], "cover": Blob("scene", "1", "cover", "ab")}),
        Change("update", "scene", "5", {"rating100": 0, "urls": ["a", "b"]}, {"rating100": None, "urls": ["b", "a"]}),
        Change("delete", "tag", "9", {"name": "Mud", "custom_fields": {"a": 1}}, None),
    ],
    conflicts=[
        Conflict("scene", "4", "studio", None, "2", "3", "target"), Conflict("tag", "8", "", None, {}, None, "source"),
    ],
    ambiguities=[Ambiguity("tag", "5", ("7", "8"), "the same name")],
    waiting=[Waiting("scene", "6", "its file is not there")],
    counts={"tag create": 1, "scene update": 2, "tag delete": 1},
    brakes=(Brake("many-deletes", "it would delete 1"),),
    not_restored={"scene.created_at": 2},
)  # fmt: skip
HEADER = {
    "what": "restore replace", "counts": PLAN.counts, "brakes": [one._asdict() for one in PLAN.brakes],
    "not_restored": {"scene.created_at": [2, "Stash sets it itself"]},
}  # fmt: skip

_open = os.open


class Labels:
    def target(self, kind, uid):
        return {"7": "Water", "8": "Waders", "9": "Mud", "new:tag:1": "Fog", "2": "Marram"}.get(uid, "")

    def source(self, kind, uid):
        return f"{kind} of theirs"


@pytest.fixture
def folder(tmp_path):
    write_plan(tmp_path, PLAN, HEADER, (Labels(), Digests(lambda blob: blob.key, lambda blob: "cd")))
    return tmp_path


def test_it_is_read_back_as_it_was(folder):
    plan, known = read_plan(folder)
    for _ in range(2):
        assert list(plan.changes) == list(PLAN.changes)
    assert (list(plan.conflicts), list(plan.ambiguities)) == (PLAN.conflicts, PLAN.ambiguities)
    assert (list(plan.waiting), plan.brakes, plan.counts) == (PLAN.waiting, PLAN.brakes, PLAN.counts)
    assert plan.not_restored == PLAN.not_restored
    assert known(COVER) == "cd"
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("plan.jsonl", "conflicts.jsonl"), 0o600
    )


def test_rows_are_for_people(folder):
    create, scene, order, delete = rows(folder)
    assert create == {
        "op": "create", "kind": "tag", "uid": "new:tag:1", "label": "Fog",
        "fields": [
            {"name": "name", "before": None, "after": "Fog"}, {"name": "parents", "added": ["Water"], "removed": []},
        ],
    }  # fmt: skip
    assert scene["fields"] == [
        {"name": "title", "before": None, "after": "Fog\non the flats"},
        {"name": "tags", "added": ["Fog"], "removed": ["Waders"]},
        {"name": "cover", "image": True, "before": True, "after": True},
    ]
    assert order["fields"] == [
        {"name": "urls", "before": "a; b", "after": "b; a"},
        {"name": "rating100", "before": "0", "after": None},
    ]
    assert (delete["op"], delete["fields"][-1]) == (
        "delete", {"name": "custom_fields", "added": [], "removed": ["a: 1"]}
    )  # fmt: skip


def test_decisions_are_for_people(folder):
    field, record = rows(folder, "conflicts")
    assert (field["field"], field["source"], field["target"], field["chosen"]) == (
        "studio", "Marram", "studio 3", "target"
    )  # fmt: skip
    assert record["field"] == ""
    [one] = rows(folder, "ambiguities")
    assert (one["label"], one["candidates"]) == ("tag of theirs", ["Water (7)", "Waders (8)"])
    [waits] = rows(folder, "waiting")
    assert waits["why"] == "its file is not there"


def test_pages_are_filtered(folder):
    assert [row["uid"] for row in rows(folder, kind="scene")] == ["4", "5"]
    assert [row["uid"] for row in rows(folder, op="delete")] == ["9"]
    assert [row["uid"] for row in rows(folder, field="tags")] == ["4"]
    assert [row["uid"] for row in rows(folder, "conflicts", kind="scene", field="studio")] == ["4"]
    assert rows(folder, "waiting", kind="tag") == []


def test_a_page_ends_where_the_next_begins(folder):
    first, cursor = page(folder, "changes", Wanted(), 0, 1)
    second, _ = page(folder, "changes", Wanted(), cursor, 1)
    assert [row["uid"] for row in (*first, *second)] == ["new:tag:1", "4"]
    _, end = page(folder, "changes", Wanted(), 0, 4)
    assert end is None
    with pytest.raises(UsageError, match="cursor"):
        page(folder, "changes", Wanted(), cursor - 3, 1)
    with pytest.raises(UsageError, match="did you mean 'changes'"):
        page(folder, "change", Wanted(), 0, 1)


def test_a_call_does_not_look_at_all_of_a_big_plan(folder, monkeypatch):
    monkeypatch.setattr("stash_portability.planfile.MOST_READ", 1)
    found, cursor = page(folder, "changes", Wanted(op="delete"), 0, 10)
    assert found == []
    assert cursor is not None
    assert [row["uid"] for row in rows(folder, op="delete")] == ["9"]


def test_there_is_none_when_writing_it_fails(tmp_path):
    def fail():
        yield PLAN.changes[0]
        raise KeyboardInterrupt

    broken = Plan(fail(), (), (), (), {})
    with pytest.raises(KeyboardInterrupt):
        write_plan(tmp_path, broken, HEADER, (Labels(), Digests(str, str)))
    assert [path.name for path in tmp_path.iterdir()] == ["conflicts.jsonl"]
    with pytest.raises(UsageError, match="there is no plan"):
        read_header(tmp_path)


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    from stash_portability.errors import NoSpace

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        write_plan(tmp_path, PLAN, HEADER, (Labels(), Digests(lambda blob: blob.key, lambda blob: blob.key)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff\n", b'{"plan":"1"}\n'])
def test_a_damaged_header_is_told(tmp_path, line):
    (tmp_path / "plan.jsonl").write_bytes(line)
    with pytest.raises(Unreadable):
        read_header(tmp_path)


def test_a_newer_plan_is_refused(tmp_path):
    (tmp_path / "plan.jsonl").write_text(json.dumps({"plan": 2}) + "\n")
    with pytest.raises(UnsupportedVersion):
        read_plan(tmp_path)


def test_a_damaged_line_is_told(folder):
    path = folder / "plan.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    plan, _ = read_plan(folder)
    with pytest.raises(Unreadable, match="damaged"):
        list(plan.changes)


def test_every_row_of_a_full_restore_can_be_shown(tmp_path):
    bench = Bench(tmp_path, MemoryLibrary())
    planned, report = bench.plan()
    shown = rows(planned)
    assert len(shown) >= sum(report.changes.values())
    assert json.loads(json.dumps(shown)) == shown
    assert all(row["fields"] for row in shown)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_once_and_leaves_nothing(tmp_path, monkeypatch):
    unheard = []
    monkeypatch.setattr(sys, "unraisablehook", unheard.append)
    monkeypatch.setattr(os, "open", lambda *_: _open("/dev/full", os.O_WRONLY))
    with pytest.raises(NoSpace):
        write_plan(tmp_path, PLAN, HEADER, (Labels(), Digests(lambda blob: blob.key, lambda blob: "cd")))
    monkeypatch.undo()
    gc.collect()
    assert (unheard, list(tmp_path.iterdir())) == ([], [])


def test_a_big_plan_is_written_in_blocks(tmp_path):
    changes = [Change("delete", "tag", str(uid), {"name": "Mud" * 1000}, None) for uid in range(900)]
    write_plan(tmp_path, dataclasses.replace(PLAN, changes=changes), HEADER,
               (Labels(), Digests(lambda blob: blob.key, lambda blob: "cd")))  # fmt: skip
    assert list(read_plan(tmp_path)[0].changes) == changes


def test_the_room_for_the_journal_counts_what_goes(folder):
    size = (folder / "plan.jsonl").stat().st_size
    assert room_for_journal(folder) == 2 * size + 100_000  # one cover is replaced


def row_of(change):
    said = {"op": "update", "uid": "1", **change}
    return [(one["name"], one["before"], one["after"]) for one in
            change_row({"change": said, "label": "", "names": {}})["fields"]]  # fmt: skip


def test_of_settings_and_filters_only_the_keys_are_shown_that_change():
    one = {"cssEnabled": False, "css": "x" * 900, "menu": {"a": 1, "b": [1]}, "gone": "1"}
    other = {"cssEnabled": True, "css": "x" * 900, "menu": {"a": 1, "b": [2]}, "new": {"deep": None, "er": 2}}
    change = {"kind": "config", "uid": "interface", "before": {"settings": one}, "after": {"settings": other}}
    assert row_of(change) == [
        ("interface.cssEnabled", "no", "yes"), ("interface.menu.b", "[1]", "[2]"), ("interface.gone", "1", None),
        ("interface.new.er", None, "2"),
    ]  # fmt: skip
    filters = {"tags": {"value": ["1"], "depth": 0}}
    made = {"kind": "saved_filter", "op": "create", "before": None, "after": {"object_filter": filters}}
    assert row_of(made) == [("object_filter.tags.value", None, '["1"]'), ("object_filter.tags.depth", None, "0")]
    many = {"kind": "config", "uid": "ui", "before": {"settings": {}},
            "after": {"settings": {f"k{number:02}": number for number in range(60)}}}  # fmt: skip
    assert (len(row_of(many)), row_of(many)[-1]) == (51, ("ui", None, "… and 10 more"))


def test_of_two_settings_in_conflict_the_keys_are_shown_in_which_they_differ():
    values = [None, {"a": 1, "b": {"c": "x"}, "d": 5}, {"a": 1, "b": {"c": "y"}}]
    row = found_row("conflict", {"conflict": ["config", "ui", "settings", *values, "target"], "label": "", "names": {}})
    assert (row["source"], row["target"]) == ("b.c: x; d: 5", "b.c: y; d: (nothing)")

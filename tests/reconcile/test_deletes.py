"""Deletes: what refers to them, what they are when they come, and taking all that back, in parts too."""

from dataclasses import replace

import pytest

from stash_portability.errors import Unreachable
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.model import Record, Want, Written
from stash_portability.reconcile.journal import read_back
from stash_portability.reconcile.plan import Task
from stash_portability.reconcile.undo import undo_plan

from .films import marker, memory, record_all, scene, tag, view
from .running import MERGE, REPLACE, Breaking, BreaksOff, planned, write


def uids(library, kind):
    return [one.uid for one in library.read(kind)]


def data_of(library, kind, uid):
    [record] = library.read(kind, Want(ids=[uid]))
    return record.data


@pytest.fixture
def undo(tmp_path):
    """Takes the run in ``tmp_path`` back into a folder of its own."""
    folder = tmp_path / "undo"
    folder.mkdir()
    return lambda library, writer=None, begun=(): write(undo_plan(tmp_path, begun), library, folder, writer)


def linked():
    film = {"tags": ["5", "6"], "studio": "5", "performers": ["5"], "groups": [{"group": "5", "scene_index": 2}]}
    return memory(
        [
            Record("tag", "5", tag("Reeds")),
            Record("tag", "6", tag("Keep")),
            Record("tag", "7", tag("Below", parents=["5"])),
            Record("studio", "5", {"name": "Pond", "aliases": [], "tags": ["5"], "parent": None}),
            Record("studio", "6", {"name": "Brook", "aliases": [], "tags": [], "parent": "5"}),
            Record("performer", "5", {"name": "Robin", "disambiguation": None, "aliases": [], "tags": ["5"]}),
            Record("group", "5", {"name": "Marsh", "date": None, "tags": ["5"], "containing_groups": []}),
            Record("scene", "5", scene("a1", **film)),
            Record("scene", "6", scene("b2", tags=["6"])),
            Record("marker", "5", marker("5", 1.0, primary_tag="6", tags=["5"])),
        ]
    )


@pytest.mark.parametrize("kinds", [("tag",), ("tag", "studio", "performer", "group")])
def test_links_to_what_is_deleted_are_taken_away_by_the_plan_and_put_back_by_the_undo(tmp_path, undo, kinds):
    target = linked()
    before = view(target)
    source = memory([Record("tag", "1", tag("Keep")), Record("tag", "2", tag("Below"))])
    with planned(source, target, REPLACE, task=Task("restore replace", kinds)) as plan:
        shown = {(one.kind, one.uid): one.after for one in plan.changes if one.op == "update"}
        counts = dict(plan.counts)
        applied = write(plan, target, tmp_path)
    assert (applied.moved, applied.failed, applied.differs) == ([], [], [])
    assert shown["marker", "5"] == {"tags": []} and shown["scene", "5"]["tags"] == ["6"]
    assert counts["scene update"] == counts["marker update"] == 1 and ("scene", "6") not in shown
    if "studio" in kinds:
        assert shown["scene", "5"] == {"studio": None, "performers": [], "tags": ["6"], "groups": []}
    assert "5" not in uids(target, "tag") and uids(target, "scene") == ["5", "6"]
    undone = undo(target)
    assert (undone.moved, undone.failed, undone.differs) == ([], [], [])
    assert view(target) == before


def test_what_something_cannot_be_without_is_not_deleted(tmp_path):
    needing = [Record("marker", "5", marker("5", 1.0, primary_tag="5")), Record("scene", "5", scene("a1"))]
    target = memory([Record("tag", "5", tag("Reeds")), Record("tag", "6", tag("Sedge")), *needing])
    with planned(memory([]), target, REPLACE, task=Task("restore replace", ("tag", "scene"))) as plan:
        assert [(one.kind, one.uid) for one in plan.changes] == [("tag", "6")]
        assert plan.counts["tag delete"] == 1 and "scene delete" not in plan.counts
        assert plan.not_restored == {"scene.delete": 1, "tag.delete": 1}
        write(plan, target, tmp_path)
    assert (uids(target, "tag"), uids(target, "marker")) == (["5"], ["5"])


def test_what_came_to_be_used_since_the_plan_is_not_deleted(tmp_path):
    target = memory([Record("tag", "5", tag("Reeds")), Record("tag", "6", tag("Below", parents=["5"])),
                     Record("tag", "7", tag("Sedge")), Record("scene", "5", {**scene("x"), "files": []})])  # fmt: skip
    with planned(memory([]), target, REPLACE, task=Task("restore replace", ("tag", "scene"))) as plan:
        target.update("scene", "5", {"tags": ["6"]})
        applied = write(plan, target, tmp_path)
    # The scene was edited; the tag it has now stays for that, and what that one lies below stays with it.
    assert applied.moved[0] == "scene 5" and sorted(applied.moved[1:]) == [
        "tag 5 (1 record refers to it now)",
        "tag 6 (1 record refers to it now)",
    ]
    assert uids(target, "tag") == ["5", "6"] and data_of(target, "tag", "6")["parents"] == ["5"]


def test_tags_below_each_other_are_deleted_together_and_come_back_so(tmp_path, undo):
    chain = [tag(f"T{one}", parents=[str(one - 1)] if one > 1 else []) for one in range(1, 250)]
    target = memory(record_all("tag", 1, chain))
    before = view(target)
    with planned(memory([]), target, REPLACE, task=Task("restore replace", ("tag",))) as plan:
        applied = write(plan, target, tmp_path)
    assert (applied.moved, uids(target, "tag")) == ([], [])
    assert undo(target).moved == [] and view(target) == before


def test_what_was_made_and_is_used_by_now_is_not_taken_back(tmp_path, undo):
    target = memory([])
    film = {**scene("x"), "files": []}
    made = [Record("tag", "1", tag("A")), Record("tag", "2", tag("B")), Record("scene", "1", film)]
    with planned(memory(made), target, MERGE) as plan:
        write(plan, target, tmp_path)
    target.create("scene", scene("mine", tags=["1"]))
    target.update("scene", "1", {"tags": ["2"]})
    assert undo(target).moved == ["scene 1", "tag 2 (1 record refers to it now)", "tag 1 (1 record refers to it now)"]
    assert uids(target, "tag") == ["1", "2"] and data_of(target, "scene", "2")["tags"] == ["1"]


def test_a_scene_without_a_file_is_made_again_by_the_undo_of_an_undo(tmp_path, undo):
    film = {**scene("x", title="Owl"), "files": []}
    target = memory([])
    with planned(memory([Record("scene", "1", film)]), target, MERGE) as plan:
        changes = [one._replace(after={key: value for key, value in one.after.items() if key != "files"})
                   for one in plan.changes]  # fmt: skip
        write(replace(plan, changes=changes), target, tmp_path)
    target.update("scene", "1", {"files": []})
    assert undo(target).counts == {"scene delete": 1}
    (tmp_path / "again").mkdir()
    assert write(undo_plan(tmp_path / "undo"), target, tmp_path / "again").counts == {"scene create": 1}
    assert [one.data["title"] for one in target.read("scene")] == ["Owl"]


class LosesDeletes(MemoryWriter):
    """Never hears of its deletes; what is not in ``done`` was not deleted either."""

    done = ()

    def write(self, changes):
        if changes[0].op != "delete":
            return super().write(changes)
        super().write([one for one in changes if one.uid in self.done])
        return [Written(one.uid, Unreachable(address="a", reason="b")) for one in changes]


def test_what_was_not_deleted_after_all_is_not_made_twice(tmp_path, undo):
    target = memory([Record("tag", "5", tag("A")), Record("tag", "6", tag("B"))])
    before, writer = view(target), LosesDeletes(target)
    writer.done = ("5",)
    with planned(memory([]), target, REPLACE) as plan, pytest.raises(Unreachable):
        write(plan, target, tmp_path, writer)
    undone = undo(target)
    assert (undone.already, view(target)) == (1, before)


def replaced(tmp_path):
    target = linked()
    before = view(target)
    source = memory([Record("tag", "1", tag("Keep")), Record("tag", "2", tag("New")), Record("tag", "3", tag("Newer"))])
    with planned(source, target, REPLACE, task=Task("restore replace", ("tag", "studio"))) as plan:
        write(plan, target, tmp_path)
    return target, before


@pytest.mark.parametrize("at", range(1, 13))
def test_an_undo_that_was_killed_is_finished_by_the_next(tmp_path, undo, at):
    target, before = replaced(tmp_path)
    with pytest.raises(BreaksOff):
        undo(target, Breaking(target, at))
    (tmp_path / "next").mkdir()
    plan = undo_plan(tmp_path, [tmp_path / "undo"])
    dark = [one for one in read_back(tmp_path / "undo") if one.dark and one.change.op == "create"]
    assert [one.name for one in plan.brakes] == ["unknown-creates"] * bool(dark)
    if not dark:
        applied = write(plan, target, tmp_path / "next")
        assert (view(target), applied.failed, applied.moved) == (before, [], [])


def test_what_a_killed_undo_made_only_half_is_made_once_more(tmp_path, undo):
    class Halves(MemoryWriter):
        def write(self, changes):
            cut = [one._replace(after={**one.after, "description": None}) for one in changes]
            return [one._replace(error=Unreachable(address="a", reason="b")) for one in super().write(cut)]

    target = memory([Record("tag", "5", tag("A", description="long"))])
    before = view(target)
    with planned(memory([]), target, REPLACE) as plan:
        write(plan, target, tmp_path)
    with pytest.raises(Unreachable):
        undo(target, Halves(target))
    assert view(target) != before and len(uids(target, "tag")) == 1
    (tmp_path / "next").mkdir()
    plan = undo_plan(tmp_path, [tmp_path / "undo"])
    assert plan.brakes == () and write(plan, target, tmp_path / "next").failed == []
    assert view(target) == before


def test_chapters_are_made_again_when_the_images_they_count_are_back(tmp_path):
    files = scene("x")["files"]
    gallery = Record("gallery", "5", {"title": "Reeds", "files": [], "folder": None})
    image = Record("image", "5", {"files": files, "galleries": ["5"]})
    target = memory([gallery, image, Record("chapter", "5", {"gallery": "5", "title": "One", "image_index": 1})])
    with planned(memory([]), target, REPLACE, task=Task("restore replace", ("gallery", "chapter"))) as plan:
        write(plan, target, tmp_path)
    assert (uids(target, "gallery"), uids(target, "chapter")) == ([], [])
    assert [(one.op, one.kind) for one in undo_plan(tmp_path).changes] == [
        ("create", "gallery"), ("update", "image"), ("create", "chapter"),
    ]  # fmt: skip

"""Writing a plan: compare and set, brakes, what fails, the journal, images, and the undo of each."""

import hashlib
import io
import json

import pytest

from stash_portability.errors import (
    Braked,
    NotAllWritten,
    RecordError,
    Stopped,
    Unreachable,
    Unreadable,
    VerificationFailed,
)
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.model import EVERYTHING, BlobRef, Change, Record, Want, Written
from stash_portability.reconcile.apply import Ends, apply, batches
from stash_portability.reconcile.coding import Digests
from stash_portability.reconcile.images import KeptImages, digests
from stash_portability.reconcile.journal import Journal, read_back
from stash_portability.reconcile.plan import Task
from stash_portability.reconcile.undo import undo_plan
from stash_portability.reconcile.verify import expect_nothing

from .films import memory, record_all, scene, tag, view
from .running import FROM_SOURCE, MERGE, REPLACE, now, planned, write

COVER = {"gallery": {"cover.none": "it cannot be told from one that was not chosen"}}


def held(library, kind, uid):
    [record] = library.read(kind, Want(ids=[uid]))
    return record.data


def test_what_moved_since_the_plan_is_left_alone(tmp_path):
    source = memory(
        [Record("tag", "1", tag("A", description="ours")), Record("tag", "2", tag("B", description="ours"))]
    )
    target = memory([Record("tag", "5", tag("A", description="old")), Record("tag", "6", tag("B", description="old"))])
    with planned(source, target, FROM_SOURCE) as plan:
        target.update("tag", "5", {"description": "edited meanwhile"})
        applied = write(plan, target, tmp_path)
    assert applied.moved == ["tag 5"] and applied.counts == {"tag update": 1}
    assert held(target, "tag", "5")["description"] == "edited meanwhile"


def test_what_was_edited_is_not_deleted_and_what_is_gone_is_done(tmp_path):
    target = memory([Record("tag", "5", tag("A")), Record("tag", "6", tag("B"))])
    with planned(memory([]), target, REPLACE) as plan:
        target.update("tag", "5", {"description": "edited meanwhile"})
        target.delete("tag", "6")
        applied = write(plan, target, tmp_path)
    assert (applied.moved, applied.already, dict(applied.counts)) == (["tag 5"], 1, {})


def test_a_plan_with_a_brake_writes_nothing_unless_it_is_accepted(tmp_path):
    target = memory([Record("tag", "5", tag("A"))])
    with planned(memory([]), target, REPLACE) as plan:
        with pytest.raises(Braked, match="source-empty: the source is empty"):
            write(plan, target, tmp_path, accept=())
        assert (tmp_path / "journal.jsonl").read_bytes() == b""
        write(plan, target, tmp_path, accept=("source-empty",))
    assert list(target.read("tag")) == []


class Answers:
    """A writer that gives the same answer to everything."""

    def __init__(self, error):
        self.error, self.asked = error, []

    def write(self, changes):
        self.asked += changes
        return [Written(change.uid, self.error) for change in changes]


def test_a_record_that_fails_does_not_stop_the_others_and_parts_of_it_are_not_tried(tmp_path):
    taken = RecordError(kind="scene", uid="", reason="no")
    film = {**scene("x", title="Owl"), "files": []}
    source = memory([Record("scene", "1", film), Record("marker", "1", {"scene": "1", "seconds": 1.0, "title": None})])
    answers = Answers(taken)
    with planned(source, memory([]), MERGE) as plan:
        applied = write(plan, memory([]), tmp_path, answers)
    assert [one.kind for one in answers.asked] == ["scene"]
    assert [str(one) for one in applied.failed] == [
        "scene new:scene:1 is left out: no",
        "marker new:marker:2 is left out: its scene could not be made",
    ]


def test_a_lost_answer_ends_the_run_and_what_is_known_is_journaled(tmp_path):
    source = memory([Record("tag", "1", tag("A"))])
    with planned(source, memory([]), MERGE) as plan, pytest.raises(Unreachable):
        write(plan, memory([]), tmp_path, Answers(Unreachable(address="a", reason="b")))
    assert [entry.done for entry in read_back(tmp_path)] == [False]
    with planned(source, memory([]), MERGE) as plan, pytest.raises(Stopped):
        write(plan, memory([]), tmp_path, Answers(Stopped("it ended")))


def test_what_is_written_but_for_some_fields_is_told(tmp_path):
    partly = NotAllWritten(kind="tag", uid="5", reason="sort_name")
    target = memory([Record("tag", "5", tag("A"))])
    with planned(memory([Record("tag", "1", tag("A", favorite=True))]), target, MERGE) as plan:
        applied = write(plan, target, tmp_path, Answers(partly))
    assert applied.partly == [partly] and applied.counts == {"tag update": 1} and applied.differs == []


def test_what_does_not_become_what_was_asked_for_is_told(tmp_path):
    target = memory([Record("tag", "5", tag("A"))])
    with planned(memory([Record("tag", "1", tag("A", favorite=True))]), target, MERGE) as plan:
        assert write(plan, target, tmp_path, Answers(None)).differs == ["tag 5: favorite"]
    with planned(memory([Record("tag", "1", tag("A", favorite=True))]), target, MERGE) as plan:
        left = plan
        with pytest.raises(VerificationFailed, match="1 tag update"):
            expect_nothing(left, "memory")


def test_batches_are_of_one_kind_and_op_and_hold_a_record_once():
    def change(op, kind, uid):
        return Change(op, kind, uid, {}, {})

    several = [change("update", "tag", str(number)) for number in range(150)]
    sizes = [
        len(batch)
        for batch in batches([*several, several[149], change("delete", "tag", "1"), change("delete", "scene", "1")])
    ]
    assert sizes == [100, 50, 1, 1, 1]


def test_a_journal_that_is_cut_off_is_read_and_a_damaged_one_is_refused(tmp_path):
    with planned(memory([Record("tag", "1", tag("A"))]), memory([]), MERGE) as plan:
        write(plan, memory([]), tmp_path)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    first, second = whole.splitlines(keepends=True)
    assert json.loads(first)["at"] == now() and path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(first + second[:-5])
    assert [entry.written for entry in read_back(tmp_path)] == [None]
    assert [brake.name for brake in undo_plan(tmp_path).brakes] == ["unknown-creates"]
    path.write_bytes(b"{broken\n" + second)
    with pytest.raises(Unreadable, match="line 1 is damaged"):
        list(read_back(tmp_path))


def test_undo_leaves_alone_what_was_edited_since(tmp_path):
    source = memory([Record("tag", "1", tag("A", description="ours")), Record("tag", "2", tag("B"))])
    target = memory([Record("tag", "5", tag("A", description="old"))])
    (tmp_path / "undo").mkdir()
    with planned(source, target, FROM_SOURCE) as plan:
        write(plan, target, tmp_path)
    target.update("tag", "5", {"description": "edited since"})
    applied = write(undo_plan(tmp_path), target, tmp_path / "undo")
    assert applied.moved == ["tag 5"] and [one.uid for one in target.read("tag")] == ["5"]


def test_undo_makes_deleted_records_anew_with_what_refers_to_them(tmp_path):
    theirs = [
        Record("tag", "5", tag("A")),
        Record("tag", "6", tag("B", parents=["5"])),
        Record("scene", "7", scene("a1", tags=["5", "6"])),
    ]
    target = memory(theirs)
    before = view(target)
    (tmp_path / "undo").mkdir()
    with planned(memory([Record("scene", "1", scene("a1"))]), target, REPLACE) as plan:
        write(plan, target, tmp_path)
    assert list(target.read("tag")) == []
    undo = undo_plan(tmp_path)
    assert undo.counts == {"tag create": 2, "scene update": 1}
    write(undo, target, tmp_path / "undo")
    assert view(target) == before and {one.uid for one in target.read("tag")} == {"7", "8"}


def test_undo_tells_what_only_a_scan_makes(tmp_path):
    target = memory([Record("scene", "7", scene("a1"))])
    (tmp_path / "undo").mkdir()
    with planned(memory([]), target, REPLACE) as plan:
        write(plan, target, tmp_path)
    undo = undo_plan(tmp_path)
    assert list(undo.changes) == [] and [(one.kind, one.uid) for one in undo.waiting] == [("scene", "7")]


def test_images_go_over_are_compared_by_their_bytes_and_come_back_with_the_undo(tmp_path):
    old, new = b"old picture", b"new picture"
    sha = hashlib.sha256(old).hexdigest()
    source = MemoryLibrary([Record("tag", "1", tag("A", image="n"))], {"n": new})
    target = MemoryLibrary([Record("tag", "5", tag("A", image="o"))], {"o": old})
    both = Digests(digests(source.open_blob), digests(target.open_blob))
    (tmp_path / "undo").mkdir()
    with planned(source, target, FROM_SOURCE) as plan, Journal(tmp_path, now, both, target.open_blob) as journal:
        applied = apply(plan, Ends(target, MemoryWriter(target, source.open_blob), both), journal)
    assert applied.differs == [] and held_image(target) == new
    kept = KeptImages(tmp_path)
    with kept.open(BlobRef(sha, len(old))) as stream:
        assert stream.read() == old
    with Journal(tmp_path / "undo", now, both, target.open_blob) as journal:
        undone = apply(undo_plan(tmp_path), Ends(target, MemoryWriter(target, kept.open), both), journal)
    assert undone.differs == [] and undone.moved == [] and held_image(target) == old
    assert kept.keep(io.BytesIO(old)).sha256 == sha


def held_image(library):
    [record] = library.read("tag", Want(blobs=True))
    with library.open_blob(record.data["image"]) as stream:
        return stream.read()


def test_a_record_that_was_made_before_the_answer_was_lost_is_taken_back(tmp_path):
    class Loses:
        def __init__(self, library):
            self.inner = MemoryWriter(library)

        def write(self, changes):
            made = self.inner.write([one._replace(after={**one.after, "play_history": []}) for one in changes])
            return [one._replace(error=Unreachable(address="a", reason="b")) for one in made]

    film = {**scene("x", title="Owl", play_history=["2024-05-01T10:00:00Z"]), "files": []}
    target = memory([])
    with planned(memory([Record("scene", "1", film)]), target, MERGE) as plan, pytest.raises(Unreachable):
        write(plan, target, tmp_path, Loses(target))
    assert len(list(target.read("scene"))) == 1
    undo = undo_plan(tmp_path)
    assert (undo.brakes, undo.counts) == ((), {"scene delete": 1})
    (tmp_path / "undo").mkdir()
    write(undo, target, tmp_path / "undo")
    assert list(target.read("scene")) == []


def test_of_an_update_that_ended_in_the_dark_what_was_written_is_taken_back(tmp_path):
    class Half:
        def __init__(self, library):
            self.inner = MemoryWriter(library)

        def write(self, changes):
            self.inner.write([one._replace(after={"description": one.after["description"]}) for one in changes])
            return [Written(one.uid, Unreachable(address="a", reason="b")) for one in changes]

    ours, theirs = tag("A", description="ours", favorite=True), tag("A", description="old")
    target = memory([Record("tag", "5", theirs)])
    source = memory([Record("tag", "1", ours)])
    with planned(source, target, FROM_SOURCE) as plan, pytest.raises(Unreachable):
        write(plan, target, tmp_path, Half(target))
    (tmp_path / "undo").mkdir()
    undone = write(undo_plan(tmp_path), target, tmp_path / "undo")
    assert held(target, "tag", "5") == theirs
    assert (undone.moved, undone.already) == ([], 1)


class Partly:
    """Writes all but one field, and says so as a Stash's writer does."""

    def __init__(self, library, field):
        self.inner, self.field = MemoryWriter(library), field

    def write(self, changes):
        cut = [
            one._replace(after={key: value for key, value in one.after.items() if key != self.field}) for one in changes
        ]
        return [
            Written(one.uid, NotAllWritten(kind=change.kind, uid=one.uid, reason="no", fields=(self.field,)))
            for change, one in zip(changes, self.inner.write(cut), strict=True)
        ]


def test_what_was_made_but_for_some_fields_is_taken_back_unless_it_was_edited(tmp_path):
    source = memory(
        [Record("tag", "1", tag("A", description="ours")), Record("tag", "2", tag("B", description="ours"))]
    )
    target = memory([])
    (tmp_path / "undo").mkdir()
    with planned(source, target, MERGE) as plan:
        assert len(write(plan, target, tmp_path, Partly(target, "description")).partly) == 2
    target.update("tag", "2", {"favorite": True})
    applied = write(undo_plan(tmp_path), target, tmp_path / "undo")
    assert (applied.moved, [one.uid for one in target.read("tag")]) == (["tag 2"], ["2"])


def test_of_an_update_that_was_written_but_for_some_fields_the_others_are_taken_back(tmp_path):
    source = memory([Record("tag", "1", tag("A", description="ours", favorite=True))])
    theirs = tag("A", description="old")
    target = memory([Record("tag", "5", theirs)])
    (tmp_path / "undo").mkdir()
    with planned(source, target, FROM_SOURCE) as plan:
        write(plan, target, tmp_path, Partly(target, "description"))
    assert held(target, "tag", "5") == {**theirs, "favorite": True}
    undone = write(undo_plan(tmp_path), target, tmp_path / "undo")
    assert (held(target, "tag", "5"), undone.moved) == (theirs, [])


@pytest.mark.parametrize(
    ("kind", "first", "uid", "then"),
    [
        ("tag", {"parents": ["2"]}, "2", {"parents": ["1"]}),
        ("tag", {}, "2", {"parents": ["2"]}),
        ("studio", {"parent": "2"}, "2", {"parent": "1"}),
        ("group", {"containing_groups": [{"group": "2"}]}, "2", {"containing_groups": [{"group": "1"}]}),
        ("group", {"containing_groups": [{"group": "2"}]}, "1", {"sub_groups": [{"group": "2"}]}),
    ],
)
def test_the_library_in_memory_refuses_circles_as_stash_does(kind, first, uid, then):
    library = memory([Record(kind, "1", {"name": "A", "aliases": [], **first}), Record(kind, "2", {"name": "B"})])
    [written] = MemoryWriter(library).write([Change("update", kind, uid, {}, then)])
    assert "a circle: " in str(written.error)


@pytest.mark.parametrize("policy", [MERGE, FROM_SOURCE, REPLACE])
def test_a_library_in_circles_is_written_without_the_links_that_close_them(tmp_path, policy):
    def some(kind, field, entry):
        datas = [{"name": name, "aliases": [], "tags": []} for name in "ABC"]
        for number, data in enumerate(datas):
            data[field] = entry(str((number + 1) % 3 + 1))
        return [Record(kind, str(number), data) for number, data in enumerate(datas, 1)]

    source = memory([*some("tag", "parents", lambda uid: [uid]), *some("studio", "parent", lambda uid: uid),
                     *some("group", "containing_groups", lambda uid: [{"group": uid}])])  # fmt: skip
    target = memory([])
    with planned(source, target, policy) as plan:
        told = [(one.kind, one.field, one.chosen) for one in plan.conflicts]
        applied = write(plan, target, tmp_path)
    assert told == [("tag", "parents", "target"), ("studio", "parent", "target"),
                    ("group", "containing_groups", "target")]  # fmt: skip
    assert (applied.failed, applied.differs) == ([], [])
    with planned(source, target, policy) as plan:
        assert list(plan.changes) == []


def test_a_file_that_two_scenes_claim_is_told_and_neither_is_guessed():
    ours = [Record("scene", "1", scene("a1", title="Owl")), Record("scene", "2", scene("a1", title="Otter"))]
    with planned(memory(ours), memory([Record("scene", "5", scene("a1"))]), MERGE) as plan:
        assert list(plan.changes) == []
        assert [(one.uid, one.candidates) for one in plan.ambiguities] == [("1", ("5",)), ("2", ("5",))]
    with planned(memory(ours), memory([]), MERGE) as plan:
        assert [one.uid for one in plan.waiting] == ["1", "2"]


class Shows(MemoryLibrary):
    """A library that shows the first image of a gallery whose cover was not chosen, as GraphQL does."""

    shown = frozenset((("gallery", "cover"),))

    def read(self, kind, want=EVERYTHING):
        for one in super().read(kind, want):
            if kind != "gallery" or one.data.get("cover", 0) is not None:
                yield one
                continue
            images = [image.uid for image in super().read("image") if one.uid in image.data["galleries"]]
            yield one._replace(data={**one.data, "cover": next(iter(images), None)})


@pytest.mark.parametrize("chosen", ["1", "2"])
def test_a_cover_is_set_though_one_is_shown_already_and_taken_back(tmp_path, chosen):
    files = [scene(name)["files"] for name in "xy"]
    for one, print_ in zip(files, "xy", strict=True):
        one[0]["fingerprints"] = [{"type": "md5", "value": print_}]
    gallery = Record("gallery", "1", {"title": "Reeds", "files": [], "folder": None, "cover": chosen})
    source = memory([gallery, *record_all("image", 1, [{"files": one, "galleries": ["1"]} for one in files])])
    target = Shows(record_all("image", 5, [{"files": one, "galleries": []} for one in files]))
    (tmp_path / "undo").mkdir()
    with planned(source, target, MERGE, task=Task("restore merge", cannot=COVER)) as plan:
        applied = write(plan, target, tmp_path)
    assert (applied.failed, applied.moved, applied.differs) == ([], [], [])
    [made] = MemoryLibrary.read(target, "gallery")
    assert made.data["cover"] == str(int(chosen) + 4)
    with planned(source, target, MERGE, task=Task("restore merge", cannot=COVER)) as plan:
        assert list(plan.changes) == []
    undone = write(undo_plan(tmp_path), target, tmp_path / "undo")
    assert (undone.failed, undone.moved, undone.differs, list(target.read("gallery"))) == ([], [], [], [])

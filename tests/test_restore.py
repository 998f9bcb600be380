"""Restores into a library in memory: what is chosen, what comes along, what is left alone, what holds a plan."""

import json
import os
import shutil
from types import SimpleNamespace

import pytest

from stash_portability.errors import (
    Braked,
    Locked,
    NoSpace,
    RecordError,
    Stopped,
    Unreachable,
    Unreadable,
    UnsupportedVersion,
    UsageError,
)
from stash_portability.kinds import KINDS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.model import Record, Report, Written
from stash_portability.oslock import held
from stash_portability.planfile import read_header
from stash_portability.report import as_data, as_text, exit_code
from stash_portability.restore import plan_restore
from stash_portability.traces import JOURNAL, applied_by
from stash_portability.undoing import undo_preview
from stash_portability.writing import lock_of

from .restoring import DEMO, Bench, breaking_off, rows


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def archive(tmp_path):
    """A copy of the demo archive, to be broken."""
    return shutil.copytree(DEMO, tmp_path / "archive")


def test_into_the_library_it_was_made_of_there_is_nothing_to_do(bench):
    for mode in ("merge", "replace"):
        _, report = bench.plan(mode=mode)
        assert (report.changes, report.brakes, exit_code(report)) == ({}, [], 0)
    before = bench.everything()
    _, report = bench.restore(mode="replace")
    assert (report.changes, report.undoable, bench.everything()) == ({}, False, before)


def test_a_preview_changes_nothing(bench):
    bench.drop("tag", "3")
    before = bench.everything()
    planned, report = bench.plan()
    assert report.changes["tag create"] == 1
    assert bench.everything() == before
    assert not [one for one in planned.iterdir() if one.name not in ("plan.jsonl", "conflicts.jsonl")]


def test_a_deleted_tag_comes_back_with_all_that_had_it(bench):
    had = {key for key, data in bench.everything().items() if "3" in (data.get("tags") or ())}
    children = {key for key, data in bench.everything().items() if "3" in (data.get("parents") or ())}
    assert had
    bench.drop("tag", "3")
    _, report = bench.restore(kinds=("tag",), links=True)
    [(new, data)] = bench.named("tag", "Tidal flat").items()
    assert {key for key, data in bench.everything().items() if new in (data.get("tags") or ())} == had
    assert {key for key, data in bench.everything().items() if new in (data.get("parents") or ())} == children
    assert (data["parents"], exit_code(report)) == (["2", "4"], 0)
    assert "nothing is left to do" in " ".join(report.notes)


def test_without_links_only_the_tag_comes_back(bench):
    bench.drop("tag", "3")
    bench.restore(kinds=("tag",))
    [new] = bench.named("tag", "Tidal flat")
    assert not [key for key, data in bench.everything().items() if new in (data.get("tags") or ())]


def test_what_is_chosen_brings_what_it_refers_to_and_leaves_that_alone(tmp_path):
    bench = Bench(
        tmp_path, MemoryLibrary([Record("tag", "70", {"name": "Time-lapse", "description": "mine", "aliases": []})])
    )
    bench.restore(ids={"saved_filter": ("1",), "studio": ("2",)}, kinds=("studio", "saved_filter"))
    [studio] = bench.named("studio", "Marram Shorts").values()
    assert bench.get("studio", studio["parent"])["name"] == "Marram Pictures"
    assert studio["tags"] == ["70"]
    assert bench.get("tag", "70")["description"] == "mine"
    assert len(list(bench.library.read("scene"))) == 0


def test_chosen_records_are_restored_and_no_others(bench):
    for uid in ("1", "2"):
        bench.library.update("performer", uid, {"details": None, "country": None})
    bench.restore(kinds=("performer",), ids={"performer": ("1",)})
    assert (bench.get("performer", "1")["country"], bench.get("performer", "2")["country"]) == ("IS", None)


def test_links_of_chosen_records_bring_nothing_else_back(bench):
    scene = bench.get("scene", "1")
    assert {"3", "6"} <= set(scene["tags"])
    bench.drop("tag", "3")
    bench.library.update("scene", "1", {"tags": ["12"], "title": "By hand"})
    for mode in ("merge", "replace"):
        bench.restore(kinds=("tag",), ids={"tag": ("3",)}, links=True, mode=mode)
        [new] = bench.named("tag", "Tidal flat")
        assert set(bench.get("scene", "1")["tags"]) == {"12", new}
        assert bench.get("scene", "1")["title"] == "By hand"


def test_markers_get_a_chosen_tag_back_and_keep_their_first(bench):
    assert (bench.get("marker", "2")["tags"], bench.get("marker", "2")["primary_tag"]) == (["5", "12"], "6")
    bench.drop("tag", "5")
    _, report = bench.restore(kinds=("tag",), ids={"tag": ("5",)}, links=True)
    [new] = bench.named("tag", "Birds")
    assert (set(bench.get("marker", "2")["tags"]), bench.get("marker", "2")["primary_tag"]) == ({"12", new}, "6")
    assert report.changes["tag create"] == 1


def test_a_tag_that_only_tells_markers_apart_is_not_made(bench):
    for uid in ("5", "6"):
        bench.drop("tag", uid)
    _, report = bench.restore(kinds=("tag",), ids={"tag": ("5",)}, links=True)
    assert report.changes["tag create"] == 1
    assert bench.named("tag", "Waders") == {}


def test_what_is_brought_along_is_linked_too(bench):
    studio = next(one for one in bench.library.read("studio") if one.data["tags"])
    assert any(one.data["studio"] == studio.uid for one in bench.library.read("scene"))
    bench.drop("tag", studio.data["tags"][0])
    bench.restore(kinds=("scene", "tag"), links=True)
    assert len(bench.get("studio", studio.uid)["tags"]) == len(studio.data["tags"])


def test_a_chosen_scene_brings_its_markers(bench):
    bench.drop("marker", "1")
    bench.drop("marker", "2")
    _, report = bench.restore(kinds=("scene",), ids={"scene": ("1",)})
    assert report.changes == {"marker create": 2}


def test_replacing_chosen_records_deletes_only_their_parts(bench):
    bench.library.create("tag", {"name": "Mine", "aliases": []})
    mine = {"scene": "1", "title": "Mine", "seconds": 3.0, "primary_tag": "7", "tags": []}
    elsewhere = bench.library.create("marker", {**mine, "scene": "2"})
    bench.library.create("marker", mine)
    _, report = bench.restore(kinds=("scene",), ids={"scene": ("1",)}, mode="replace")
    assert report.changes == {"marker delete": 1}
    assert bench.get("marker", elsewhere)["title"] == "Mine"


def test_merging_keeps_what_is_there_and_tells(bench):
    bench.library.update("scene", "1", {"title": "By hand", "director": None, "urls": ["https://mine.example"]})
    planned, report = bench.plan()
    assert (report.decisions["conflicts"], exit_code(report)) == (1, 1)
    [told] = rows(planned, "conflicts")
    assert (told["field"], told["source"], told["target"]) == ("title", "Tidal Flats at Dawn", "By hand")
    bench.apply(planned)
    scene = bench.get("scene", "1")
    assert (scene["title"], scene["director"]) == ("By hand", "Ilse Vang")
    assert set(scene["urls"]) == {"https://mine.example", "https://marram.example/dawn"}


def test_a_strategy_for_a_field_goes_before_one_for_all(bench):
    bench.library.update("scene", "1", {"title": "By hand", "code": "X"})
    bench.restore(prefer={"": "fill", "scene.title": "source"})
    assert (bench.get("scene", "1")["title"], bench.get("scene", "1")["code"]) == ("Tidal Flats at Dawn", "X")


def test_replacing_makes_it_what_the_archive_says(bench):
    before = bench.everything()
    bench.library.update("scene", "1", {"title": "By hand", "tags": [], "rating100": 1})
    extra = bench.library.create("tag", {"name": "Mine", "aliases": []})
    _, report = bench.restore(mode="replace")
    assert report.changes == {"scene update": 1, "tag delete": 1}
    now = bench.everything()
    assert ("tag", extra) not in now
    assert {key: data for key, data in now.items() if key[0] in ("scene", "tag")} == {
        key: data for key, data in before.items() if key[0] in ("scene", "tag")
    }


def test_many_deletes_hold_until_they_are_accepted(bench):
    for number in range(8):
        bench.library.create("tag", {"name": f"Mine {number}", "aliases": []})
    before = bench.everything()
    planned, report = bench.plan(mode="replace")
    assert [one.name for one in report.brakes] == ["many-deletes"]
    assert exit_code(report) == 1
    with pytest.raises(Braked, match=r"many-deletes: it would delete 8 of 20 tag.* --accept many-deletes"):
        bench.apply(planned)
    with pytest.raises(UsageError, match="did you mean 'many-deletes'"):
        bench.apply(planned, ("many-delete",))
    assert bench.everything() == before
    _, report = bench.apply(planned, ("many-deletes",))
    assert report.changes == {"tag delete": 8}


def test_settings_are_only_restored_by_name_and_then_as_they_are(bench):
    bench.library.update("config", "interface", {"settings": {"language": "de-DE", "soundOnPreview": True}})
    for mode in ("merge", "replace"):
        _, report = bench.plan(mode=mode)
        assert report.changes == {}
    _, report = bench.restore(kinds=("config",), config=("interface",))
    assert report.changes == {"config update": 1}
    assert bench.get("config", "interface")["settings"]["language"] == "en-GB"


def test_images_come_back_byte_for_byte(bench):
    [was] = {bench.get("tag", "1")["image"]}
    bench.library.update("tag", "1", {"image": None})
    _, report = bench.restore(kinds=("tag",))
    assert report.changes == {"tag update": 1}
    assert bench.get("tag", "1")["image"].key == was.key


def test_of_an_archive_of_some_kinds_the_others_are_no_reason_to_delete(bench, archive):
    manifest = json.loads((archive / "manifest.json").read_text())
    manifest["scope"] = {"kinds": ["scene"], "blobs": True}
    (archive / "manifest.json").write_text(json.dumps(manifest))
    bench.library.create("tag", {"name": "Mine", "aliases": []})
    _, report = bench.plan(archive, mode="replace")
    assert report.changes == {}
    with pytest.raises(UsageError, match="only some tags"):
        bench.plan(archive, mode="replace", kinds=("tag",))


def test_what_waits_for_a_scan_is_told(tmp_path):
    bench = Bench(tmp_path, MemoryLibrary())
    planned, report = bench.plan()
    assert report.decisions["waiting"] > 0
    assert {row["kind"] for row in rows(planned, "waiting")} >= {"scene", "image"}
    assert all(row["why"] for row in rows(planned, "waiting"))
    bench.apply(planned)
    assert len(bench.named("tag", "Water")) == 1


def test_running_it_again_finds_nothing(tmp_path):
    bench = Bench(tmp_path, MemoryLibrary())
    bench.restore()
    _, report = bench.plan()
    assert report.changes == {}


# What is damaged, changed or not there


def test_a_damaged_member_is_told_and_nothing_is_planned(bench, archive):
    member = archive / "records" / "tag" / "0001.jsonl"
    member.write_bytes(member.read_bytes().replace(b"Water", b"Wader", 1))
    for options in ({}, {"kinds": ("tag",)}):
        with pytest.raises(Unreadable, match=r"tag/0001\.jsonl"):
            bench.plan(archive, **options)


def test_a_damaged_image_that_would_be_written_is_told(bench, archive):
    image = bench.get("tag", "1")["image"]
    bench.library.update("tag", "1", {"image": None})
    blob = archive / "blobs" / image.key
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with pytest.raises(Unreadable):
        bench.plan(archive, kinds=("tag",))


def test_bytes_that_are_not_those_of_the_sidecar_are_told(bench, archive):
    archive.with_name(f"{archive.name}.sha256").write_text(f"{'0' * 64}  {archive.name}/manifest.json\n")
    with pytest.raises(Unreadable, match="is not what"):
        bench.plan(archive, kinds=("tag",))


def test_an_archive_of_a_newer_version_is_refused(bench, archive):
    manifest = json.loads((archive / "manifest.json").read_text())
    (archive / "manifest.json").write_text(json.dumps({**manifest, "version": 2}))
    with pytest.raises(UnsupportedVersion):
        bench.plan(archive)


def test_an_archive_that_changed_since_the_preview_is_refused(bench, archive):
    bench.drop("tag", "3")
    planned, _ = bench.plan(archive)
    manifest = json.loads((archive / "manifest.json").read_text())
    (archive / "manifest.json").write_text(json.dumps({**manifest, "created": "2026-05-02T00:00:00Z"}))
    with pytest.raises(Unreadable, match="changed since the plan was made"):
        bench.apply(planned)
    assert bench.named("tag", "Tidal flat") == {}


def test_a_plan_is_applied_once(bench):
    bench.drop("tag", "3")
    planned, _ = bench.plan()
    bench.apply(planned)
    with pytest.raises(UsageError, match="was applied before"):
        bench.apply(planned)
    assert len(bench.named("tag", "Tidal flat")) == 1


def no_room(*_):
    raise Braked("no-restore-point: there is no room")


def full_disk(*_):
    raise NoSpace(path="runs", reason="it is full")


@pytest.mark.parametrize(
    ("where", "what", "error"),
    [("writing.make_point", no_room, Braked), ("writing.Journal", full_disk, NoSpace)],
)
def test_a_run_that_ended_before_it_wrote_is_no_reason_not_to_apply(bench, monkeypatch, where, what, error):
    bench.drop("tag", "3")
    bench.library.create("tag", {"name": "Mine", "aliases": []})
    planned, _ = bench.plan(mode="replace")
    monkeypatch.setattr(f"stash_portability.{where}", what)
    with pytest.raises(error):
        bench.apply(planned)
    monkeypatch.undo()
    assert applied_by(planned) == ""
    done, report = bench.apply(planned)
    assert (applied_by(planned), report.undoable) == (done.name, True)


def test_what_the_disk_has_no_room_to_journal_was_not_written(bench, monkeypatch):
    bench.drop("tag", "3")
    planned, _ = bench.plan(kinds=("tag",))
    sync = os.fsync

    def full(handle):
        journals = bench.runs.glob(f"*/{JOURNAL}")
        if any(os.path.samestat(os.fstat(handle), path.stat()) for path in journals):
            raise OSError(28, os.strerror(28))
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace):
        bench.apply(planned)
    monkeypatch.undo()
    [failed] = bench.runs.glob("*-apply-*")
    assert (failed / JOURNAL).read_bytes() == b""
    assert bench.apply(planned)[1].changes == {"tag create": 1}


def test_a_run_that_had_nothing_to_write_does_not_count(bench):
    planned, _ = bench.plan()
    bench.apply(planned)
    assert bench.apply(planned)[1].changes == {}


def test_a_plan_whose_run_was_removed_is_not_written_again(bench):
    bench.drop("tag", "3")
    planned, _ = bench.plan()
    done, _ = bench.apply(planned)
    shutil.rmtree(done)
    with pytest.raises(UsageError, match=f"applied before, by {done.name}"):
        bench.apply(planned)


def elsewhere(bench):
    """Another library behind the same address, with the same ids."""
    bench.library = MemoryLibrary(
        Record(one.kind, one.uid, {**one.data, "created_at": "2001-02-03T04:05:06Z"})
        if "created_at" in one.data
        else one
        for kind in KINDS
        for one in bench.library.read(kind)
    )
    return bench.everything()


def test_another_stash_behind_the_address_is_not_written_to(bench):
    bench.drop("tag", "3")
    planned, _ = bench.plan(kinds=("tag",))
    signs = read_header(planned)["instance"]
    assert len(signs["scene"]["oldest"]) == 3
    was, before = bench.library, elsewhere(bench)
    with pytest.raises(Braked, match=r"replaced-instance: memory is another Stash.* --accept replaced-instance"):
        bench.apply(planned)
    assert bench.everything() == before
    other, bench.library = bench.library, was
    done, _ = bench.apply(planned)
    was, bench.library = bench.library, other
    with pytest.raises(Braked, match=f"undo {done.name} --accept replaced-instance"):
        bench.undo(done)
    assert bench.everything() == before
    bench.undo(done, ("replaced-instance",))
    bench.library = was
    assert bench.undo(done)[1].changes == {"tag delete": 1}


def test_what_a_run_deletes_does_not_make_it_another_stash(bench, monkeypatch):
    for kind in KINDS:
        for one in list(bench.library.read(kind)):
            if kind not in ("tag", "config"):
                bench.drop(kind, one.uid)
    old = {"created_at": "2001-02-03T04:05:06Z", "aliases": [], "parents": []}
    oldest = [bench.library.create("tag", {**old, "name": f"Mine {number}"}) for number in range(3)]
    for uid in [one.uid for one in bench.library.read("tag") if one.uid not in oldest]:
        bench.drop("tag", uid)
    done, report = bench.restore(kinds=("tag",), mode="replace")
    assert report.changes["tag delete"] == 3
    bench.undo(done)
    assert sorted(data["name"] for data in view_of_tags(bench)) == ["Mine 0", "Mine 1", "Mine 2"]


def view_of_tags(bench):
    return [one.data for one in bench.library.read("tag")]


def test_only_its_owner_can_read_what_a_run_leaves(bench):
    bench.library.update("tag", "1", {"image": bench.get("studio", "1")["image"].key})
    bench.drop("tag", "3")
    planned, _ = bench.plan(mode="replace")
    done, _ = bench.apply(planned)
    undone, _ = bench.undo(done)
    found = {path for run in (planned, done, undone) for path in run.rglob("*")} | {lock_of(bench.runs)}
    assert {path.name for path in found} >= {"plan.jsonl", "applied.json", JOURNAL, "written.json", "undone.json"}
    assert (done / "blobs").is_dir()
    for path in found:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert {path for path in bench.runs.iterdir()} == {planned, done, undone}


def test_records_are_counted_once_in_preview_report_and_undo(tmp_path):
    bench = Bench(tmp_path, MemoryLibrary())
    planned, preview = bench.plan(kinds=("tag", "studio"))
    assert len(rows(planned)) > sum(preview.changes.values())  # links are written apart
    done, report = bench.apply(planned)
    assert report.changes == preview.changes
    back = {name.replace("create", "delete"): count for name, count in report.changes.items()}
    assert undo_preview(done).changes == back
    undone, report = bench.undo(done)
    assert report.changes == back
    assert bench.undo(undone)[1].changes == preview.changes


def test_what_is_renamed_and_hung_elsewhere_is_counted_once(bench):
    swapped = {"1": bench.get("tag", "2")["name"], "2": bench.get("tag", "1")["name"]}
    bench.library.update("tag", "1", {"name": "Between"})
    for uid in ("2", "1"):
        bench.library.update("tag", uid, {"name": swapped[uid], "aliases": [], "parents": ["12"], "description": uid})
    bench.library.update("scene", "1", {"tags": [], "groups": [], "title": "By hand"})
    planned, preview = bench.plan(mode="replace")
    done, report = bench.apply(planned)
    assert report.changes == preview.changes
    assert undo_preview(done).changes == bench.undo(done)[1].changes == preview.changes


def test_what_somebody_changed_since_the_preview_is_left_alone(bench):
    bench.library.update("scene", "1", {"director": None})
    bench.library.update("scene", "2", {"title": None})
    planned, _ = bench.plan()
    bench.library.update("scene", "1", {"director": "Somebody"})
    _, report = bench.apply(planned)
    assert bench.get("scene", "1")["director"] == "Somebody"
    assert (report.changes, report.decisions["moved"], exit_code(report)) == ({"scene update": 1}, 1, 1)
    assert any("scene 1 was changed by somebody" in line for line in report.skipped)


class Failing:
    """Fails at records of one kind."""

    def __init__(self, library, open_image):
        self._inner = MemoryWriter(library, open_image)

    def write(self, changes):
        if changes[0].kind == "scene":
            return [Written(one.uid, RecordError(kind=one.kind, uid=one.uid, reason="no")) for one in changes]
        return self._inner.write(changes)


def test_what_fails_is_told_and_the_rest_is_done(tmp_path):
    bench = Bench(tmp_path, writer=Failing)
    bench.drop("tag", "3")
    _, report = bench.restore()
    assert report.decisions["failed"] > 0
    assert (exit_code(report), report.undoable) == (3, True)
    assert len(bench.named("tag", "Tidal flat")) == 1


class Lying:
    """Says that it wrote, and did not."""

    def __init__(self, library, open_image):
        pass

    def write(self, changes):
        return [Written(one.uid) for one in changes]


def test_what_was_written_and_is_not_there_is_exit_code_4(tmp_path):
    bench = Bench(tmp_path, writer=Lying)
    bench.library.update("scene", "2", {"title": None})
    _, report = bench.restore()
    assert report.decisions["differ"] > 0
    assert exit_code(report) == 4


@pytest.mark.parametrize("error", [Unreachable(address="memory", reason="gone"), KeyboardInterrupt()])
def test_a_run_that_was_cut_short_can_be_undone_and_another_restores_the_rest(tmp_path, error):
    bench = Bench(tmp_path)
    for uid in ("3", "5"):
        bench.library.update("tag", uid, {"description": "gone"})
    bench.drop("studio", "2")
    before = bench.everything()
    planned, _ = bench.plan(mode="replace")
    bench.writer = breaking_off(3, error)
    with pytest.raises((Unreachable, Stopped)):
        bench.apply(planned)
    bench.writer = MemoryWriter
    done = max(bench.runs.glob("*-apply-*"))
    with pytest.raises(UsageError, match="applied before"):
        bench.apply(planned)
    _, report = bench.undo(done, ("unknown-creates",))
    left = {key: data for key, data in bench.everything().items() if key[0] == "tag"}
    assert left == {key: data for key, data in before.items() if key[0] == "tag"}
    _, report = bench.restore(mode="replace")
    assert "nothing is left to do" in " ".join(report.notes)


def test_only_one_writes_at_a_time(bench):
    bench.drop("tag", "3")
    planned, _ = bench.plan()
    with held(lock_of(bench.runs)), pytest.raises(Locked):
        bench.apply(planned)
    bench.apply(planned)
    assert len(bench.named("tag", "Tidal flat")) == 1


def test_a_plan_holds_no_key_and_remembers_what_was_asked(bench, tmp_path):
    from stash_portability.progress import Quiet
    from stash_portability.restore_options import RestoreOptions

    from .restoring import MEANS

    options = RestoreOptions(DEMO, "memory", kinds=("tag",), links=True, api_key="sesame")
    folder = bench.folder("restore")
    plan_restore(options, folder, Quiet(), MEANS, bench.target)
    assert "sesame" not in "".join(path.read_text() for path in folder.iterdir())
    assert RestoreOptions.from_data(read_header(folder)["options"], "sesame") == options


def test_the_report_reads_well(bench):
    bench.drop("tag", "3")
    bench.library.update("scene", "2", {"title": "By hand"})
    _, report = bench.plan()
    text = as_text(report)
    assert "create 1 tag" in text
    assert "+Tidal flat" in text
    assert "  create tag Tidal flat\n" in text
    assert "new:" not in text
    assert "  1 conflict: both" in text
    data = json.loads(json.dumps(as_data(report)))
    assert (data["exit_code"], data["changes"]["tag create"], data["brakes"]) == (1, 1, [])


def test_what_stays_in_the_archive_is_told_by_its_reason():
    stamps, scan = "Stash sets it itself", "a fact of the scan"
    report = Report("restore merge")
    report.not_restored = {
        **{f"{kind}.{name}": {"count": count, "why": stamps}
           for kind, count in (("scene", 40), ("tag", 1)) for name in ("created_at", "updated_at")},
        "scene.captions": {"count": 1, "why": scan},
        "gallery.delete": {"count": 2, "why": "it is the gallery of a zip"},
    }  # fmt: skip
    assert as_text(report).splitlines()[2:] == [
        "  kept in the archive, not restored: created_at and updated_at of 41 records (Stash sets them itself)",
        "  kept in the archive, not restored: captions of 1 scene (a fact of the scan)",
        "  not deleted: 2 galleries (it is the gallery of a zip)",
    ]
    assert as_data(report)["not_restored"] == report.not_restored


def test_what_failed_is_told_by_its_name(tmp_path):
    class Refusing(MemoryWriter):
        def write(self, changes):
            if changes[0].op == "create":
                return [Written("", RecordError(kind=one.kind, uid="", reason="no")) for one in changes]
            return super().write(changes)

    bench = Bench(tmp_path, writer=Refusing)
    bench.drop("tag", "3")
    _, report = bench.restore(kinds=("tag",), links=True)
    assert "tag Tidal flat is left out: no" in report.skipped
    assert not [line for line in report.skipped if "new:" in line]


def test_an_apply_without_a_plan_is_refused(bench, tmp_path):
    with pytest.raises(UsageError, match="there is no plan"):
        bench.apply(bench.folder("restore"))


def test_what_undo_cannot_make_again_needs_a_restore_point_or_a_word(bench):
    scene = bench.get("scene", "1")
    bench.library.create("scene", {**scene, "title": "Mine", "files": [{**scene["files"][0], "path": "/mine.mp4"}]})
    planned, report = bench.plan(mode="replace")
    [brake] = report.brakes
    assert (brake.name, brake.why.startswith("1 scene would be deleted that undo cannot make")) == (
        "no-restore-point", True,
    )  # fmt: skip
    before = bench.everything()
    with pytest.raises(Braked, match="no-restore-point"):
        bench.apply(planned)
    assert bench.everything() == before
    _, report = bench.apply(planned, accept=("no-restore-point",))
    said = as_text(report)
    assert ("not that it deleted 1 scene" in said, "is the way back" in said) == (True, False)


def test_a_plan_that_was_made_here_is_looked_at_again_before_it_is_written_elsewhere(bench, monkeypatch):
    scene = bench.get("scene", "1")
    bench.library.create("scene", {**scene, "title": "Mine", "files": [{**scene["files"][0], "path": "/mine.mp4"}]})
    with monkeypatch.context() as patch:
        patch.setattr("stash_portability.restore.can_be_made", lambda _: True)
        planned, report = bench.plan(mode="replace")
    assert report.brakes == []
    with pytest.raises(Braked, match="no-restore-point: 1 scene would be deleted"):
        bench.apply(planned)


def test_a_disk_with_no_room_for_the_journal_is_told_before_anything_is_written(bench, monkeypatch):
    bench.drop("tag", "3")
    planned, _ = bench.plan()
    monkeypatch.setattr("stash_portability.storage.room.shutil.disk_usage", lambda _: SimpleNamespace(free=99))
    with pytest.raises(NoSpace, match="99 are free"):
        bench.apply(planned)
    assert bench.named("tag", "Tidal flat") == {}
    assert applied_by(planned) == ""


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_chosen_records_that_are_not_in_the_archive_are_a_mistake_and_no_brake(bench, mode):
    with pytest.raises(UsageError, match="holds none of the records that were chosen: tag 4711, 4712; scene 99"):
        bench.plan(kinds=("tag", "scene"), ids={"tag": ("4711", "4712"), "scene": ("99",)}, mode=mode)
    assert not list(bench.runs.glob("*/plan.jsonl"))
    _, report = bench.plan(kinds=("tag",), ids={"tag": ("4711", "3")})
    assert report.brakes == []

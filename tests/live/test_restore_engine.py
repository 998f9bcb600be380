"""The write engine on real Stashes: an archive brought back into a Stash that only scanned the same media, into one
that holds other things, and into another version; taken back; and broken off at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stash_portability.__main__ import main
from stash_portability.errors import FatalError, Stopped
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.model import Change, Written
from stash_portability.reconcile.apply import Ends, apply
from stash_portability.reconcile.journal import Journal
from stash_portability.reconcile.undo import undo_plan

from .conftest import StartStash, binary
from .hand import Hand
from .populate import scan
from .restoring import (
    MERGE,
    REPLACE,
    clean,
    digests_of,
    planned,
    restore,
    same_media,
    take_back,
    target_of,
    task,
    view,
)
from .stash_server import NEW, OLD, StashServer

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_RESTORED = {
    "*.created_at": "Stash sets it itself",
    "*.updated_at": "Stash sets it itself",
    "*.files.id": "ids are counted anew by each Stash",
    "*.files.created_at": "a fact of the scan",
    "*.files.updated_at": "a fact of the scan",
    "*.files.mod_time": "a fact of the scan",
    "scene.files.1": "files that were put together to one scene stay those of several, which a scan makes of them",
    "scene.captions": "Stash takes captions up when it scans a film a second time",
}
"""What differs after a restore into a Stash that scanned the same files, each with why."""
NOT_ON_OLD = {
    "tag.sort_name": "0.28 has it",
    "tag.stash_ids": "0.30 has them",
    "studio.urls": "0.27 keeps one",
    "performer.custom_fields": "0.28 has them",
    "marker.end_seconds": "0.28 has it",
    "*.stash_ids.updated_at": "0.28 has it",
    "*.files.zip_file": "0.28 tells it",
    "performer.birthdate": "0.27 takes whole dates only",
    "group.date": "0.27 takes whole dates only",
    "gallery.date": "0.27 takes whole dates only",
    "scene.date": "0.27 takes whole dates only",
    "image.date": "0.27 takes whole dates only",
}
"""What besides a Stash 0.27 cannot hold, each with why."""


def back_up(server: StashServer, folder: Path) -> Path:
    assert main(["--quiet", "backup", "--from", server.url, "--to", str(folder)]) == 0
    (path,) = folder.glob("*.zip")
    return path


@pytest.fixture(scope="module")
def archive(stash_030: StashServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the populated Stash."""
    return back_up(stash_030, tmp_path_factory.mktemp("archive") / "b")


@pytest.fixture
def scanned(scanned_030: Path) -> Path:
    """The folder of a stopped Stash that scanned the same media, and nothing else."""
    return scanned_030


@pytest.fixture
def fresh(scanned: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A Stash of this test's own that has only scanned the media."""
    with StashServer.copy_of(scanned, tmp_path / "stash", binary(NEW, request.config)) as server:
        yield server


def held(server: StashServer, left_out: Any = NOT_RESTORED) -> dict[str, Counter[str]]:
    return view(target_of(server).source, frozenset(left_out))


def differences(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> list[str]:
    return [
        f"{side} {kind}: {record[:1500]}"
        for side, first, second in (("only in the first", one, other), ("only in the second", other, one))
        for kind in first
        for record in (first[kind] - second[kind]).elements()
    ]


def expect_archive(server: StashServer, like: StashServer, archive: Path, folder: Path) -> None:
    """It holds what ``like`` does, but for the scene of the second film; and there is nothing left to plan."""
    with planned(archive, target_of(server), folder) as again:
        assert (list(again.changes), list(again.ambiguities), list(again.waiting)) == ([], [], [])
    found = differences(held(like), held(server))
    assert [line[:32] for line in found] == ["only in the second scene: {'titl"], found
    assert "kingfisher.mp4" in found[0]


def test_what_a_scan_does_not_make_comes_back_and_can_be_taken_back(stash_030, fresh, archive, tmp_path):
    before = held(fresh, {"*.updated_at": ""})
    plan, applied = restore(archive, fresh, tmp_path / "run")
    clean(applied)
    expect_archive(fresh, stash_030, archive, tmp_path / "run")
    assert plan.not_restored["tag.created_at"] == 9
    undo = undo_plan(tmp_path / "run")
    assert (list(undo.waiting), undo.brakes) == ([], ())
    (tmp_path / "undo").mkdir()
    clean(take_back(undo, tmp_path / "run", target_of(fresh), tmp_path / "undo"))
    # The first cover of a gallery and of a scene made by the user cannot be taken away; those of the scan come back.
    assert differences(before, held(fresh, {"*.updated_at": ""})) == []


def test_merge_into_a_scan_is_the_same(stash_030, fresh, archive, tmp_path):
    _, applied = restore(archive, fresh, tmp_path / "run", MERGE)
    clean(applied)
    expect_archive(fresh, stash_030, archive, tmp_path / "run")


def disturb(server: StashServer) -> None:
    """What a user may have done since a backup."""
    hand, ids = Hand(server), server.ids
    hand.do("tagDestroy", input={"id": ids["tag:0"]})
    hand.edit("tag", ids["tag:water"], name="Rivers and lakes", aliases=["Water"])
    hand.edit("tag", ids["tag:rivers"], parent_ids=[], name="Brooks2")
    hand.make("tag", name="New tag")
    hand.edit("performer", ids["performer:twin"], disambiguation="the diver; deeper", birthdate=None)
    hand.edit("scene", ids["scene:full"], title="Other", tag_ids=[], groups=[], organized=False)
    hand.do("sceneAddPlay", id=ids["scene:full"], times=["2025-01-01T00:00:00Z"])
    hand.do("galleryDestroy", input={"ids": [ids["gallery:empty"]], "delete_file": False, "delete_generated": False})
    hand.do("sceneMarkerDestroy", id=ids["marker:bare"])
    hand.make("group", name="Extra group")
    hand.make("gallery", title="Extra gallery")
    hand.do("destroySavedFilter", input={"id": ids["saved_filter:bare"]})


def test_replace_makes_a_populated_stash_what_it_was(stash_030, new_stash: StartStash, archive, tmp_path):
    server = new_stash(NEW, populated=True)
    disturb(server)
    before = held(server, {"*.updated_at": "", "*.created_at": ""})
    plan, applied = restore(archive, server, tmp_path / "run")
    clean(applied)
    assert plan.counts["tag delete"] == 1
    assert differences(held(stash_030), held(server)) == []
    with planned(archive, target_of(server), tmp_path / "run") as again:
        assert (list(again.changes), list(again.ambiguities)) == ([], [])
    (tmp_path / "undo").mkdir()
    clean(take_back(undo_plan(tmp_path / "run"), tmp_path / "run", target_of(server), tmp_path / "undo"))
    assert differences(before, held(server, {"*.updated_at": "", "*.created_at": ""})) == []


def test_from_new_to_old_tells_what_the_old_cannot_hold(stash_030, new_stash: StartStash, archive, tmp_path):
    old = new_stash(OLD, same_media(stash_030))
    scan(old)
    plan, applied = restore(archive, old, tmp_path / "run")
    clean(applied)
    with planned(archive, target_of(old), tmp_path / "run") as again:
        assert (list(again.changes), list(again.ambiguities), list(again.waiting)) == ([], [], [])
    told = {"tag.sort_name", "tag.stash_ids", "performer.custom_fields", "marker.end_seconds", "studio.urls.more",
            "performer.birthdate.partial", "scene.stash_ids.updated_at", "gallery.date.partial"}  # fmt: skip
    assert told <= set(plan.not_restored)
    left_out = {**NOT_RESTORED, **NOT_ON_OLD}
    found = differences(held(stash_030, left_out), held(old, left_out))
    assert [line[:32] for line in found] == ["only in the second scene: {'titl"], found


def test_from_old_to_new(stash_027, new_stash: StartStash, tmp_path):
    archive = back_up(stash_027, tmp_path / "b")
    server = new_stash(NEW, same_media(stash_027))
    scan(server)
    _, applied = restore(archive, server, tmp_path / "run")
    clean(applied)
    with planned(archive, target_of(server), tmp_path / "run") as again:
        assert (list(again.changes), list(again.ambiguities), list(again.waiting)) == ([], [], [])
    left_out = {**NOT_RESTORED, **{name: why for name, why in NOT_ON_OLD.items() if not name.endswith("date")}}
    found = differences(held(stash_027, left_out), held(server, left_out))
    assert [line[:32] for line in found] == ["only in the second scene: {'titl"], found


CHILD = """
import sys
from pathlib import Path
from tests.live.restoring import child
child(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
"""


def kill_while_writing(server: StashServer, archive: Path, folder: Path, seconds: float) -> bool:
    """Restore in a process of its own, and kill that so many seconds after its first write; whether it was in time."""
    command = [sys.executable, "-c", CHILD, str(archive), server.url, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(seconds)
        process.kill()
        return process.wait() != 0


def killed(times: int, scanned: Path, path: str, archive: Path, like: StashServer, tmp_path: Path) -> None:
    rng, in_time = random.Random(7), 0
    for number in range(times):
        folder = tmp_path / f"run {number}"
        folder.mkdir()
        with StashServer.copy_of(scanned, tmp_path / f"stash {number}", path) as server:
            in_time += kill_while_writing(server, archive, folder, rng.uniform(0, 0.5))
            _, applied = restore(archive, server, folder)
            assert [str(error) for error in (*applied.failed, *applied.partly)] == []
            expect_archive(server, like, archive, folder)
    assert in_time


def test_killed_at_any_moment_a_second_run_ends_alike(stash_030, scanned, archive, tmp_path, request):
    killed(4, scanned, binary(NEW, request.config), archive, stash_030, tmp_path)


@pytest.mark.deep
def test_killed_many_times(stash_030, scanned, archive, tmp_path, request):
    killed(40, scanned, binary(NEW, request.config), archive, stash_030, tmp_path)


class StopsStash:
    """A writer whose Stash is killed before its n-th batch."""

    def __init__(self, inner: Any, server: StashServer, at: int) -> None:
        self.inner, self.server, self.left = inner, server, at

    def write(self, changes: list[Change]) -> list[Written]:
        self.left -= 1
        if not self.left:
            self.server.stop()
        written: list[Written] = self.inner.write(changes)
        return written


def test_a_stash_that_goes_away_ends_the_run_in_one_error_and_it_goes_on_later(stash_030, fresh, archive, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    target = target_of(fresh)
    told = digests_of(archive, target)
    with planned(archive, target, folder, REPLACE, task(target)) as plan:
        writer = StopsStash(target.writer(ArchiveSource(archive).open_blob), fresh, 6)
        journal = Journal(folder, lambda: "2024-05-01T00:00:00Z", told, target.open_image)
        with journal, pytest.raises(FatalError) as raised:
            apply(plan, Ends(target.reader, writer, told), journal)
    assert not isinstance(raised.value, Stopped)
    fresh.start()
    _, applied = restore(archive, fresh, folder)
    clean(applied)
    expect_archive(fresh, stash_030, archive, folder)

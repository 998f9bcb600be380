"""The tasks that restore, with a library in memory in the place of the Stash that runs us."""

import json
from datetime import datetime, timezone

import pytest

from stash_portability import operations_runs, runs, target
from stash_portability.backup import backup
from stash_portability.backup_options import BackupOptions
from stash_portability.errors import Braked, Stopped
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.memory_write import MemoryWriter
from stash_portability.means import Means
from stash_portability.model import Record
from stash_portability.oslock import held
from stash_portability.places import Places
from stash_portability.progress import Quiet
from stash_portability.writing import lock_of

from .reconcile.targets import memory_target
from .test_operations import ask, call, do, error_of, folder_of, stash

__all__ = ["ask", "call", "do", "stash"]

WAS = {str(uid): {"name": f"Goose {uid}", "description": "on the flats"} for uid in range(1, 13)}


def library(data):
    return MemoryLibrary([Record("tag", uid, dict(fields)) for uid, fields in data.items()])


def now(lake):
    return {record.uid: dict(record.data) for record in lake.read("tag")}


@pytest.fixture
def lake():
    """What the Stash holds by now: one tag is described otherwise, one is gone, one is new."""
    changed = {**WAS, "1": {"name": "Goose 1", "description": "at sea"}, "77": {"name": "Heron", "description": ""}}
    del changed["12"]
    return library(changed)


@pytest.fixture
def name(stash, lake, monkeypatch):
    """A backup of how it was, in backups/."""
    monkeypatch.setattr(target, "own_target", lambda *_: memory_target(lake))
    folder = Places(stash.folder / "portability").make().backups
    means = Means(now=lambda: datetime(2026, 5, 1, tzinfo=timezone.utc))
    backup(BackupOptions("memory", folder, kinds=("tag",)), Quiet(), means, library(WAS))
    return "20260501T000000Z-stash.zip"


@pytest.fixture
def done(ask, do):
    """The report of a task that was started and done."""

    def work(task, **order):
        started = ask("start", task=task, order=order)
        assert started["ok"], started
        do(started["job"])
        return ask("run", run=started["run"])["run"]

    return work


def described(report):
    return report["report"]["changes"]


def test_a_restore_is_previewed_then_applied_then_undone(ask, done, name, lake, stash):
    before = now(lake)
    planned = done("restore", archive=name, mode="replace")
    assert planned["state"] == "finished", planned
    assert (planned["planned"], planned["archive"]) == (True, name)
    assert planned["title"] == f"Preview a restore from {name}"
    assert described(planned) == {"tag create": 1, "tag update": 1, "tag delete": 1}
    assert now(lake) == before
    assert {row["label"] for row in ask("plan", run=planned["run"])["rows"]} >= {"Goose 1", "Heron"}
    applied = done("apply", plan=planned["run"])
    assert applied["state"] == "finished", applied
    assert (applied["title"], applied["plan"]) == (f"Restore {name} (replace)", planned["run"])
    assert sorted(tag["name"] for tag in now(lake).values()) == sorted(tag["name"] for tag in WAS.values())
    assert applied["report"]["undoable"]
    assert ask("run", run=planned["run"])["run"]["applied"] == applied["run"]
    page = (folder_of(stash) / applied["run"] / "report.html").read_text("utf-8")
    assert f"<h1>Restore {name} (replace)</h1>" in page
    undone = done("undo", run=applied["run"])
    assert (undone["state"], undone["undid"], undone["archive"]) == ("finished", applied["run"], name)
    assert undone["title"] == f"Undo: restore of {name} (replace)"
    assert sorted(tag["name"] for tag in now(lake).values()) == sorted(tag["name"] for tag in before.values())
    assert ask("run", run=applied["run"])["run"]["undone"] == undone["run"]
    assert "has done that" in error_of(ask("start", task="undo", order={"run": applied["run"]}))["message"]
    again = done("undo", run=undone["run"])
    assert (again["state"], again["title"]) == ("finished", f"Undo: undo of restore of {name} (replace)")
    assert "undone" not in ask("run", run=applied["run"])["run"]


def test_how_it_is_merged_is_not_mixed_up_with_the_mode_of_the_task(done, name):
    assert "tag delete" not in described(done("restore", archive=name, mode="merge"))
    assert "tag delete" not in described(done("restore", archive=name))
    assert "tag delete" in described(done("restore", archive=name, mode="replace"))
    planned = done("restore", archive=name, prefer={"": "source"}, selection="tag 1")
    assert described(planned) == {"tag update": 1}


def test_a_task_can_be_told_without_a_run(call, name, stash):
    answer = call(mode="restore", archive=name, prefer=["source"])
    assert answer["output"]["state"] == "finished", answer
    report = runs.read(folder_of(stash), answer["output"]["run"])
    assert described(report) == {"tag create": 1, "tag update": 1}
    answer = call(mode="apply", plan=report["run"])
    assert answer["output"]["state"] == "finished", answer


def test_names_of_records_are_not_in_the_log(ask, call, done, name, do):
    started = ask("start", task="restore", order={"archive": name, "selection": "tag 1\ntag 4711"})
    do(started["job"])
    assert "4711" not in call.log
    started = ask("start", task="restore", order={"archive": name, "mode": "replace"})
    do(started["job"])
    assert "Goose" not in call.log
    assert "nothing is written yet" in call.log.splitlines()[-1]


def test_a_brake_holds_until_it_is_accepted(ask, done, name, lake):
    for uid in range(100, 108):
        lake.create("tag", {"name": f"Tern {uid}", "description": ""})
    before = now(lake)
    planned = done("restore", archive=name, mode="replace")
    (brake,) = planned["report"]["brakes"]
    assert (brake["name"], "9 of" in brake["why"]) == ("many-deletes", True)
    assert ask("overview")["decisions"][0]["brakes"] == ["many-deletes"]
    stopped = done("apply", plan=planned["run"])
    assert (stopped["state"], stopped["exit_code"], stopped["error"]["code"]) == ("failed", 7, "Braked")
    assert (stopped["plan"], stopped["undoable"]) == (planned["run"], False)
    assert now(lake) == before
    applied = done("apply", plan=planned["run"], accept=["many-deletes"])
    assert applied["state"] == "finished", applied
    assert len(now(lake)) == len(WAS)
    assert ask("overview")["decisions"] == []


def test_without_a_restore_point_nothing_is_written_and_it_can_be_applied_again(ask, done, name, lake, monkeypatch):
    def no_point(_, accept):
        if not accept:
            raise Braked("no-restore-point: there is no room")
        return ""

    monkeypatch.setattr("stash_portability.writing.make_point", no_point)
    planned, before = done("restore", archive=name, mode="replace"), now(lake)
    stopped = done("apply", plan=planned["run"])
    assert (stopped["state"], stopped["exit_code"], stopped["undoable"]) == ("failed", 7, False)
    assert now(lake) == before
    assert "applied" not in ask("run", run=planned["run"])["run"]
    applied = done("apply", plan=planned["run"], accept=["no-restore-point"])
    assert applied["state"] == "finished", applied
    assert ask("run", run=planned["run"])["run"]["applied"] == applied["run"]


def test_what_a_run_is_about_is_told_before_it_begins(ask, done, name, stash):
    planned = done("restore", archive=name)
    waits = ask("start", task="apply", order={"plan": planned["run"]})["run"]
    told = runs.read(folder_of(stash), waits)
    assert (told["state"], told["plan"], told["archive"]) == ("queued", planned["run"], name)
    runs.change(folder_of(stash), waits, ("queued",), "stopped", exit_code=130)
    told = ask("run", run=waits)["run"]
    assert (told["state"], told["plan"], told["archive"]) == ("stopped", planned["run"], name)
    applied = done("apply", plan=planned["run"])
    waits = ask("start", task="undo", order={"run": applied["run"]})["run"]
    told = runs.read(folder_of(stash), waits)
    assert (told["undid"], told["archive"]) == (applied["run"], name)


def test_a_preview_that_was_killed_tells_its_order(ask, done, name, stash):
    order = {"archive": name, "kinds": ["tag"], "mode": "replace"}
    waits = ask("start", task="restore", order=order)["run"]
    assert "order" not in ask("run", run=waits)["run"]
    runs.change(folder_of(stash), waits, ("queued",), "stopped", exit_code=130)
    told = ask("run", run=waits)["run"]
    assert (told["order"], told["archive"]) == (order, name)
    again = done("restore", **told["order"])
    assert again["state"] == "finished"
    assert "order" not in ask("run", run=again["run"])["run"]


def test_when_there_is_nothing_to_write_that_is_said(ask, call, do, name):
    do(ask("start", task="restore", order={"archive": name, "ids": {"tag": ["3"]}})["job"])
    assert "there is nothing to write" in call.log.splitlines()[-1]


def test_only_one_writes_at_a_time(done, name, stash, lake):
    planned, before = done("restore", archive=name), now(lake)
    with held(lock_of(folder_of(stash))):
        applied = done("apply", plan=planned["run"])
    assert (applied["state"], applied["error"]["code"], applied["exit_code"]) == ("failed", "Locked", 11)
    assert now(lake) == before
    assert done("apply", plan=planned["run"])["state"] == "finished"


def test_what_was_done_with_another_stash_is_left_to_the_command_line(done, name, stash, lake):
    planned, before = done("restore", archive=name), now(lake)
    path = folder_of(stash) / planned["run"] / "plan.jsonl"
    header, *changes = path.read_text("utf-8").splitlines()
    header = json.dumps({**json.loads(header), "target": "http://elsewhere:9999"})
    path.write_text("\n".join([header, *changes]) + "\n", "utf-8")
    applied = done("apply", plan=planned["run"])
    assert (applied["state"], applied["error"]["code"]) == ("failed", "UsageError")
    assert "the command line" in applied["error"]["message"]
    assert now(lake) == before


def test_the_same_stash_at_another_address_is_known_by_its_oldest_records(done, name, stash, lake):
    for uid in ("1", "2"):
        lake.update("tag", uid, {"created_at": f"2020-01-0{uid}T00:00:00Z"})
    planned = done("restore", archive=name)
    path = folder_of(stash) / planned["run"] / "plan.jsonl"
    header, *changes = path.read_text("utf-8").splitlines()
    header = json.dumps({**json.loads(header), "target": "http://elsewhere:9999"})
    path.write_text("\n".join([header, *changes]) + "\n", "utf-8")
    applied = done("apply", plan=planned["run"])
    assert applied["state"] == "finished", applied
    noted = folder_of(stash) / applied["run"] / "written.json"
    assert json.loads(noted.read_text("utf-8"))["target"] == "memory"
    noted.write_text(json.dumps({**json.loads(noted.read_text("utf-8")), "target": "http://elsewhere:9999"}))
    assert done("undo", run=applied["run"])["state"] == "finished"


def test_a_run_that_was_ended_while_it_wrote_can_be_undone(ask, done, name, lake, monkeypatch):
    class Breaks(MemoryWriter):
        """Is ended when it is to change the second batch."""

        def write(self, changes):
            if changes[0].op == "update":
                raise Stopped("ended")
            return super().write(changes)

    planned, before = done("restore", archive=name, prefer={"": "source"}), now(lake)
    monkeypatch.setattr(target, "own_target", lambda *_: memory_target(lake, writer=Breaks))
    applied = done("apply", plan=planned["run"])
    assert (applied["state"], applied["plan"], applied["undoable"]) == ("failed", planned["run"], True)
    assert len(now(lake)) == len(before) + 1
    monkeypatch.setattr(target, "own_target", lambda *_: memory_target(lake))
    again = error_of(ask("start", task="apply", order={"plan": planned["run"]}))
    assert "preview again" in again["message"]
    assert described(done("restore", archive=name, prefer={"": "source"})) == {"tag update": 1}
    assert done("undo", run=applied["run"])["state"] == "finished"
    assert now(lake) == before


def test_an_archive_that_was_changed_since_the_preview_is_not_used(done, name, stash, lake):
    planned, before = done("restore", archive=name), now(lake)
    folder = Places(stash.folder / "portability").backups
    for path in folder.iterdir():
        path.unlink()
    means = Means(now=lambda: datetime(2026, 5, 1, tzinfo=timezone.utc))
    backup(BackupOptions("memory", folder, kinds=("tag",)), Quiet(), means, library({"1": {"name": "Goose 1"}}))
    applied = done("apply", plan=planned["run"])
    assert (applied["state"], applied["exit_code"]) == ("failed", 15)
    assert "changed since" in applied["error"]["message"]
    assert now(lake) == before


def test_an_archive_that_is_damaged_is_not_restored(ask, do, name, stash, lake):
    folder, before = Places(stash.folder / "portability").backups, now(lake)
    started = ask("start", task="restore", order={"archive": name})
    path = folder / name
    path.write_bytes(path.read_bytes()[:-200])
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["exit_code"]) == ("failed", 15)
    assert ("planned" in report, report["archive"]) == (False, name)
    assert now(lake) == before


@pytest.mark.parametrize(
    ("task", "order"),
    [("restore", {"archive": "no.zip"}), ("restore", {}), ("restore", {"archive": "../../config.yml"}),
     ("apply", {"plan": "x"}), ("apply", {}), ("undo", {"run": "../x"}), ("undo", {}), ("undo", "x")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_queued(ask, stash, name, task, order):
    assert error_of(ask("start", task=task, order=order))["code"] in ("UsageError", "UnknownName")
    assert stash.jobs == {}


def test_tasks_that_need_an_order_are_not_in_stashs_list():
    assert set(operations_runs.BY_ORDER) == {"restore", "apply", "undo"}

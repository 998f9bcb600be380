"""One folder a run, and what became of it."""

import errno
import json
import os
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import oslock, runs
from stash_portability.errors import (
    Cancelled,
    Locked,
    NoSpace,
    OutputNotUsable,
    UnknownName,
    Unreadable,
    UsageError,
)
from stash_portability.oslock import held, is_held
from stash_portability.traces import told_further

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
TOKEN = b"\x01\x02\x03\x04"
ROOT = Path(__file__).parent.parent


def test_a_run_is_reported_when_it_begins_and_when_it_ends(tmp_path):
    with runs.begin(tmp_path, "export", NOON, TOKEN) as run:
        assert run.name == "20260501T120000.000Z-export-01020304"
        assert runs.read(tmp_path, run.name)["state"] == "running"
        run.write("finished", exit_code=0, report={"counts": {"scene": 3}})
    report = runs.read(tmp_path, run.name)
    assert report["state"] == "finished"
    assert report["started"] == "2026-05-01T12:00:00Z"
    assert report["report"] == {"counts": {"scene": 3}}
    assert report["version"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_owner_can_read_a_run(tmp_path):
    with runs.begin(tmp_path, "export", NOON, TOKEN) as run:
        assert run.folder.stat().st_mode & 0o777 == 0o700
        assert (run.folder / "report.json").stat().st_mode & 0o777 == 0o600


def test_a_run_that_was_killed_is_told_as_stopped(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from datetime import datetime; from pathlib import Path; from stash_portability import runs\n"
        f"with runs.begin(Path({str(tmp_path)!r}), 'export', datetime(2026, 5, 1), b'abcd'):\n"
        "    print('begun', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    (name,) = runs.names(tmp_path)
    assert runs.read(tmp_path, name)["state"] == "running"
    child.kill()
    child.communicate()
    assert runs.read(tmp_path, name)["state"] == "stopped"


def test_runs_are_listed_newest_first_and_only_runs(tmp_path):
    (tmp_path / "notes").mkdir()
    for day in (1, 3, 2):
        with runs.begin(tmp_path, "export", NOON.replace(day=day), TOKEN) as run:
            run.write("finished")
    assert [report["started"][:10] for report in runs.latest(tmp_path, 2)] == ["2026-05-03", "2026-05-02"]
    assert runs.latest(tmp_path / "nowhere", 2) == []


def test_runs_of_one_second_are_in_order_whatever_their_tokens(tmp_path):
    for milliseconds, token in ((1, b"\xff" * 4), (2, b"\x00" * 4), (30, b"\x80" * 4)):
        with runs.begin(tmp_path, "export", NOON.replace(microsecond=milliseconds * 1000), token) as run:
            run.write("finished")
    assert [name[15:20] for name in runs.names(tmp_path)] == [".030Z", ".002Z", ".001Z"]


def test_a_run_without_a_report_is_told_by_its_name(tmp_path):
    name = "20260501T120000.000Z-export-01020304"
    (tmp_path / name).mkdir()
    assert runs.latest(tmp_path, 5) == [{"run": name, "state": "stopped"}]
    with pytest.raises(Unreadable):
        runs.read(tmp_path, name)


@pytest.mark.parametrize("name", ["../secrets", "20260501T120000.000Z-export-01020304", "", "."])
def test_only_runs_that_are_there_can_be_read(tmp_path, name):
    with pytest.raises(UnknownName):
        runs.read(tmp_path, name)


def test_a_report_is_never_half_written(tmp_path):
    path = tmp_path / "report.json"
    runs.write_whole(path, {"a": 1})
    with pytest.raises(TypeError):
        runs.write_whole(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_lock_is_held_once_and_freed(tmp_path):
    path = tmp_path / "deep" / "lock"
    assert not is_held(path)
    with held(path):
        assert is_held(path)
        with pytest.raises(Locked), held(path):
            pass
    assert not is_held(path)


@pytest.mark.parametrize("number", oslock.WITHOUT_LOCKS)
def test_a_disk_without_locks_goes_on_without(number, tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(oslock, "seize", fail)
    with held(tmp_path / "lock"), held(tmp_path / "lock"):
        pass


def queued(folder):
    run = runs.queue(folder, "export", NOON, TOKEN, {"title": "Export tags", "arguments": {"kinds": "tag"}})
    return run.name


def test_a_run_is_asked_for_taken_over_and_done(tmp_path):
    name = queued(tmp_path)
    report = runs.read(tmp_path, name)
    assert (report["state"], report["kind"], report["title"]) == ("queued", "export", "Export tags")
    assert report["asked"] == report["started"] == "2026-05-01T12:00:00Z"
    assert runs.order(tmp_path, name)["arguments"] == {"kinds": "tag"}
    runs.note(tmp_path, name, job="7")
    with runs.take(tmp_path, name, "export", NOON.replace(hour=13)) as run:
        going = runs.read(tmp_path, name)
        assert (going["state"], going["started"], going["job"]) == ("running", "2026-05-01T13:00:00Z", "7")
        run.write("finished", exit_code=0)
    done = runs.read(tmp_path, name)
    assert (done["state"], done["job"], done["asked"], done["title"]) == (
        "finished", "7", "2026-05-01T12:00:00Z", "Export tags",
    )  # fmt: skip
    with pytest.raises(UsageError, match="finished"), runs.take(tmp_path, name, "export", NOON):
        pass


def test_a_job_that_is_told_late_is_kept(tmp_path):
    """The task may begin, and end, before whoever asked for it has written down its job."""
    name = queued(tmp_path)
    with runs.take(tmp_path, name, "export", NOON) as run:
        run.write("finished", exit_code=0)
    assert runs.note(tmp_path, name, job="7")["state"] == "finished"
    assert runs.read(tmp_path, name)["job"] == "7"


def test_a_cancelled_run_is_not_begun(tmp_path):
    name = queued(tmp_path)
    runs.change(tmp_path, name, ("queued",), **runs.outcome("cancelled", Cancelled()))
    with pytest.raises(Cancelled), runs.take(tmp_path, name, "export", NOON):
        pass
    assert runs.read(tmp_path, name)["state"] == "cancelled"


def test_a_run_is_taken_by_one_only(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "TRIES", 3)
    name = queued(tmp_path)
    with (
        runs.take(tmp_path, name, "export", NOON),
        pytest.raises(Locked),
        runs.take(tmp_path, name, "export", NOON),
    ):
        pass


def test_an_outcome_is_never_lost_to_who_writes_at_the_same_time(tmp_path):
    """The task ends while others look, note and settle as fast as they can."""
    for turn in range(10):
        folder = tmp_path / str(turn)
        name = queued(folder)
        over = threading.Event()

        def disturb(folder=folder, name=name, over=over):
            while not over.is_set():
                runs.note(folder, name, cancelling=True)
                runs.settle(folder, name, NOON)
                assert runs.read(folder, name)["state"] in ("queued", "running", "finished")

        others = [threading.Thread(target=disturb) for _ in range(2)]
        for other in others:
            other.start()
        with runs.take(folder, name, "export", NOON) as run:
            run.write("finished", exit_code=0, report={"counts": {"tag": turn}})
        over.set()
        for other in others:
            other.join()
        report = runs.read(folder, name)
        assert (report["state"], report["report"]) == ("finished", {"counts": {"tag": turn}})


def test_a_run_that_ends_between_two_looks_is_not_told_as_stopped(tmp_path, monkeypatch):
    with runs.begin(tmp_path, "export", NOON, TOKEN) as run:

        def ends(_path):
            run.write("finished")
            return False

        monkeypatch.setattr(runs, "is_held", ends)
        assert runs.read(tmp_path, run.name)["state"] == "finished"


def test_a_killed_run_is_settled_once(tmp_path):
    with runs.begin(tmp_path, "export", NOON, TOKEN) as run:
        assert runs.settle(tmp_path, run.name, NOON)["state"] == "running"
    first = runs.settle(tmp_path, run.name, NOON)
    assert (first["state"], first["error"]["code"], first["ended"]) == ("stopped", "Stopped", "2026-05-01T12:00:00Z")
    assert runs.settle(tmp_path, run.name, NOON.replace(hour=15)) == first
    (tmp_path / run.name / "report.json").write_text("[]")
    with pytest.raises(Unreadable):
        runs.settle(tmp_path, run.name, NOON)


JOURNAL = [
    {"intend": 0, "op": "create", "kind": "tag", "uid": "", "before": None, "after": {}},
    {"intend": 1, "op": "create", "kind": "tag", "uid": "", "before": None, "after": {}},
    {"done": 0, "uid": "7", "error": None}, {"done": 1, "uid": "", "error": "RecordError"},
    {"intend": 2, "op": "update", "kind": "tag", "uid": "7", "before": {}, "after": {}},
    {"intend": 3, "op": "update", "kind": "scene", "uid": "4", "before": {}, "after": {}},
    {"done": 2, "uid": "7", "error": None}, {"done": 3, "uid": "4", "error": "NotAllWritten"},
    {"intend": 4, "op": "delete", "kind": "tag", "uid": "9", "before": {}, "after": None},
]  # fmt: skip


@pytest.mark.parametrize("asked, state", [(True, "cancelled"), (False, "stopped")])
def test_a_run_that_was_killed_while_it_wrote_tells_what_it_wrote(tmp_path, asked, state):
    with runs.begin(tmp_path, "apply", NOON, TOKEN) as run:
        (run.folder / "written.json").write_text('{"what": "restore merge", "point": "a copy"}')
        lines = "".join(json.dumps(line) + "\n" for line in JOURNAL)
        (run.folder / "journal.jsonl").write_text(f'{lines}{{"done": 4, "ui')
        if asked:
            runs.mark_cancelling(tmp_path, run.name)
    told = runs.settle(tmp_path, run.name, NOON)
    assert told["state"] == state
    assert told["error"]["message"].endswith("what was written until then is in its journal, and can be taken back")
    assert told["report"] == {
        "what": "apply restore merge", "changes": {"tag create": 1, "scene update": 1}, "point": "a copy",
        "undoable": True, "remarks": ["of the last changes (1) nobody told whether they were written"],
    }  # fmt: skip
    assert told_further(tmp_path, told)["undoable"] is True


@pytest.mark.parametrize("kind", ["apply", "undo", "restore"])
@pytest.mark.parametrize("journal", [None, ""])
def test_one_that_was_killed_before_it_wrote_says_so(tmp_path, kind, journal):
    with runs.begin(tmp_path, kind, NOON, TOKEN) as run:
        (run.folder / "written.json").write_text('{"what": "restore merge", "point": ""}')
        if journal is not None:
            (run.folder / "journal.jsonl").write_text(journal)
        runs.mark_cancelling(tmp_path, run.name)
    told = told_further(tmp_path, runs.settle(tmp_path, run.name, NOON))
    assert (told["error"]["message"], "report" in told) == ("cancelled; nothing was written", False)
    assert not told.get("undoable")


def failing(number):
    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return fail


FAILURES = [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EACCES, OutputNotUsable)]


@pytest.mark.parametrize(("number", "error"), FAILURES)
@pytest.mark.parametrize("function", ["mkdir", "open", "fsync"])
def test_a_run_that_cannot_begin_is_told(function, number, error, tmp_path, monkeypatch):
    monkeypatch.setattr(os, function, failing(number))
    with pytest.raises(error), runs.begin(tmp_path, "export", NOON, TOKEN):
        pass


@pytest.mark.parametrize(("number", "error"), FAILURES)
def test_a_report_that_cannot_be_written_leaves_the_one_before(number, error, tmp_path, monkeypatch):
    with runs.begin(tmp_path, "export", NOON, TOKEN) as run:
        monkeypatch.setattr(os, "fsync", failing(number))
        with pytest.raises(error):
            run.write("finished")
    assert sorted(path.name for path in run.folder.iterdir()) == ["lock", "report.json", "writing"]
    assert runs.read(tmp_path, run.name)["state"] == "stopped"


def test_what_fails_within_a_run_passes_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), runs.begin(tmp_path, "export", NOON, TOKEN):
        raise FileNotFoundError


def test_a_report_that_lost_its_state_is_told_as_stopped(tmp_path):
    name = queued(tmp_path)
    (tmp_path / name / "report.json").write_text('{"run": "../other"}')
    assert runs.latest(tmp_path, 1) == [{"run": name, "state": "stopped"}]

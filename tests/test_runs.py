"""One folder a run, and what became of it."""

import errno
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import oslock, runs
from stash_portability.errors import Locked, NoSpace, OutputNotUsable, UnknownName, Unreadable
from stash_portability.oslock import held, is_held

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
    assert sorted(path.name for path in run.folder.iterdir()) == ["lock", "report.json"]
    assert runs.read(tmp_path, run.name)["state"] == "stopped"


def test_what_fails_within_a_run_passes_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), runs.begin(tmp_path, "export", NOON, TOKEN):
        raise FileNotFoundError

"""A run is cancelled while its process stands still in the worst place, or Stash is slow: the answer comes in time."""

import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import jobs, operations, runs

from .test_operations import ROOT, ask, call, do, error_of, folder_of, kill, stash

__all__ = ["ask", "call", "do", "stash"]

STANDS_STILL = """
import os, signal, sys
from datetime import datetime, timezone
from pathlib import Path
sys.path.insert(0, {root!r})
from stash_portability import runs
write = runs.write_whole
def stop(path, value, indent=1):
    if {when!r} == "after":
        write(path, value, indent)
    print("here", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
runs.write_whole = stop
with runs.take(Path({runs!r}), {name!r}, "export", datetime.now(timezone.utc)):
    sys.stdin.read()
"""

stops = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")


def standing(stash, name, when):
    """The task of a run that stands still with the lock of its reports, just before or after it says it goes on."""
    code = STANDS_STILL.format(root=str(ROOT), runs=str(folder_of(stash)), name=name, when=when)
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    while "State:\tT" not in Path(f"/proc/{child.pid}/status").read_text("utf-8"):
        time.sleep(0.005)
    return child


@stops
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_stands_still_with_the_lock_is_cancelled_at_once(when, ask, stash):
    started = ask("start", order={"kinds": "tag"})
    child = standing(stash, started["run"], when)
    stash.jobs[started["job"]]["status"] = "RUNNING"
    stash.on_stop = lambda job: kill(child)
    begun = time.monotonic()
    report = ask("cancel", run=started["run"])["run"]
    assert time.monotonic() - begun < 2
    assert (report["state"], report["exit_code"]) == ("cancelled", 130)
    assert ask("run", run=started["run"])["run"] == report


@stops
def test_a_process_that_stands_still_and_cannot_be_ended_goes_on(ask, stash, monkeypatch):
    monkeypatch.setattr(jobs, "ENOUGH", 0.5)
    started = ask("start", order={"kinds": "tag"})
    child = standing(stash, started["run"], "after")
    stash.jobs[started["job"]]["status"] = "RUNNING"
    assert ask("cancel", run=started["run"])["run"]["state"] == "running"
    kill(child)
    assert ask("run", run=started["run"])["run"]["state"] == "cancelled"


def test_a_stash_that_is_slow_is_not_waited_for_too_long(ask, stash):
    """Each of its answers takes longer than there is time: the answer is that Stash does not answer."""
    started = ask("start", order={"kinds": "tag"})
    stash.jobs[started["job"]]["status"] = "RUNNING"
    stash.pause = jobs.ENOUGH
    with runs.take(folder_of(stash), started["run"], "export", datetime.now(timezone.utc)):
        begun = time.monotonic()
        error = error_of(ask("cancel", run=started["run"]))
    assert time.monotonic() - begun < operations.SECONDS
    assert error["code"] == "Unreachable"

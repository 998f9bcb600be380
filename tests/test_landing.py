"""A run is killed at the worst moments around the rename of its output: what is told of it is what is there."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import landing, runs

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
FACTS = {"exit_code": 0, "report": {"counts": {"scene": 3}}}

CHILD = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
sys.path.insert(0, {root!r})
from stash_portability import runs
from stash_portability.storage import partial
from stash_portability.storage.container import open_output

def die():
    os.kill(os.getpid(), signal.SIGKILL)

commit = partial.Partial.commit
def killed(self):
    if {when!r} == "after":
        commit(self)
    die()
partial.Partial.commit = killed
with runs.begin(Path({folder!r}) / "runs", "export", datetime(2026, 5, 1), b"abcd") as run:
    output = open_output(Path({folder!r}) / {name!r}, {shape!r}, overwrite=True)
    output.about_to_commit = lambda at: run.announce(at, output.path, {facts!r})
    with output:
        if {shape!r} == "file":
            output.write("", b'{{"kind":"tag","id":"1"}}')
        else:
            output.write("tags.csv", b"id")
            output.write("manifest.json", b'{{"format":"stash-portability tables","members":[{{"name":"tags.csv"}}]}}')
"""

kills = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes otherwise")


def killed(folder, when, shape, name):
    """Have a run killed before or after its output gets its name; give the run's report as it is told then."""
    code = CHILD.format(root=str(ROOT), folder=str(folder), when=when, shape=shape, name=name, facts=FACTS)
    child = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert child.returncode == -signal.SIGKILL, child.stderr
    (run,) = runs.names(folder / "runs")
    return runs.read(folder / "runs", run)


@kills
@pytest.mark.parametrize("shape", ["file", "folder", "zip"])
def test_a_run_killed_after_the_rename_has_finished(shape, tmp_path):
    name = {"file": "tags.jsonl", "zip": "tags.zip"}.get(shape, "tags")
    report = killed(tmp_path, "after", shape, name)
    assert (tmp_path / name).exists()
    assert {key: report[key] for key in ("state", *FACTS)} == {"state": "finished", **FACTS}
    runs.mark_cancelling(tmp_path / "runs", report["run"])
    settled = runs.settle(tmp_path / "runs", report["run"], NOON)
    assert settled == {**report, "ended": "2026-05-01T12:00:00Z"}
    (tmp_path / name).rename(tmp_path / "elsewhere")
    assert runs.read(tmp_path / "runs", report["run"]) == settled


@kills
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("shape", ["file", "folder", "zip"])
def test_a_run_killed_before_the_rename_was_stopped(shape, before, tmp_path):
    """Also where an older output has the name."""
    name = {"file": "tags.jsonl", "zip": "tags.zip"}.get(shape, "tags")
    if before:
        killed(tmp_path / "", "after", shape, name)
        (tmp_path / "runs").rename(tmp_path / "runs-before")
    report = killed(tmp_path, "before", shape, name)
    assert (report["state"], report["error"]["code"]) == ("stopped", "Stopped")
    assert (tmp_path / name).exists() == before
    runs.mark_cancelling(tmp_path / "runs", report["run"])
    assert runs.settle(tmp_path / "runs", report["run"], NOON)["state"] == "cancelled"


def test_a_damaged_note_tells_nothing(tmp_path):
    final = tmp_path / "tags.json"
    final.touch()
    landing.announce(tmp_path, final, final, FACTS)
    assert landing.landed(tmp_path) == FACTS
    for text in ("", "[]", "{}", '{"final": 5}', '{"final": "tags.json", "is": []}'):
        (tmp_path / landing.NOTE).write_text(text)
        assert landing.landed(tmp_path) == {}


def test_another_output_of_the_same_name_is_not_the_announced_one(tmp_path):
    final = tmp_path / "tags.json"
    final.write_text("[]")
    landing.announce(tmp_path, final, final, FACTS)
    os.utime(final, ns=(1, 1))
    assert landing.landed(tmp_path) == {}


def test_a_note_that_cannot_be_written_is_told_before_the_rename(tmp_path, monkeypatch):
    """Then nothing has its name yet, and the run fails as for any output."""
    with runs.begin(tmp_path, "export", NOON, b"abcd") as run:
        final = tmp_path / "tags.json"
        final.touch()

        def full(_handle):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(runs.NoSpace):
            run.announce(final, final, FACTS)

"""Disk, process and time (catalogue H): whatever they do, what has a name is whole, and what was there before stays."""

import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest

from stash_portability import hook, runs
from stash_portability.__main__ import main
from stash_portability.backup import backup, verify
from stash_portability.backup_options import BackupOptions
from stash_portability.errors import EXIT_LOCKED, Locked
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.means import Means
from stash_portability.oslock import held, is_held
from stash_portability.places import Places
from stash_portability.progress import Quiet
from stash_portability.storage import partial

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "examples" / "demo"
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def content(folder):
    """Every file below a folder, by its path, with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def mounted(folder, *options):
    """A small disk of its own."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    try:
        mount = subprocess.run(command, check=False, capture_output=True)
    except OSError:
        pytest.skip("no mount here")
    if mount.returncode:
        pytest.skip("only root can mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# H01

AT_EVERY_WRITE = """
import resource, sys
sys.path.insert(0, {root!r})
from stash_portability.__main__ import main
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for limit in {limits!r}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    code = main(["--quiet", *{arguments!r}])
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    print(limit, code, flush=True)
"""

WRITES = {
    "zip": ["backup", "--from", str(DEMO), "--to", "{}"],
    "folder": ["backup", "--from", str(DEMO), "--to", "{}", "--container", "folder"],
    "file": ["export", "--from", str(DEMO), "--to", "{}/out.json", "--overwrite"],
    "tables": ["export", "--from", str(DEMO), "--to", "{}/out", "--format", "csv", "--overwrite"],
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of this kind")
@pytest.mark.parametrize("what", WRITES)
def test_h01_no_room_at_any_byte_leaves_what_was_there(what, tmp_path):
    """The kernel refuses every byte of a file beyond a limit, as a full disk does. The limit grows until it is none."""
    place = tmp_path / "place"
    place.mkdir()
    arguments = [argument.format(place) for argument in WRITES[what]]
    assert main(["--quiet", *arguments]) == 0
    before = content(place)
    largest = max(len(bytes_) for bytes_ in before.values())
    limits = sorted({*range(0, min(largest, 300), 37), *range(0, largest, max(largest // 25, 1)), largest - 1})
    code = AT_EVERY_WRITE.format(root=str(ROOT), limits=limits, arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [int(line.split()[1]) for line in done.stdout.splitlines()] == [13] * len(limits), done.stdout + done.stderr
    assert content(place) == before
    assert "Traceback" not in done.stderr
    assert not list(place.glob(f"{partial.PREFIX}*"))


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a disk")
def test_h01_a_disk_that_is_full(tmp_path, monkeypatch, capsys):
    """A real one, of which the estimate before is not asked."""
    monkeypatch.setattr("stash_portability.backup.check_room", lambda *_: None)
    with mounted(tmp_path / "disk", "-o", "size=64k") as disk:
        (disk / "mine.txt").write_bytes(b"x" * 40_000)
        assert main(["--quiet", "backup", "--from", str(DEMO), "--to", str(disk), "--container", "folder"]) == 13
        assert content(disk) == {"mine.txt": b"x" * 40_000}
        assert [path.name for path in disk.iterdir()] == ["mine.txt"]
    assert capsys.readouterr().err.count("\n") == 1


# H02


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a disk")
@pytest.mark.parametrize("what", WRITES)
def test_h02_a_disk_that_is_read_only_is_told_first(what, tmp_path, capsys):
    with mounted(tmp_path / "disk", "-o", "ro") as disk:
        assert main(["--quiet", *[argument.format(disk) for argument in WRITES[what]]]) == 2
    assert "Read-only file system" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["zip", "folder"])
def test_h02_a_file_in_the_place_of_the_folder(what, tmp_path):
    (tmp_path / "place").write_text("mine")
    assert main(["--quiet", *[argument.format(tmp_path / "place") for argument in WRITES[what]]]) == 2
    assert (tmp_path / "place").read_text() == "mine"


# H03


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
@pytest.mark.parametrize("what", ["zip", "folder", "file", "tables"])
def test_h03_a_disk_that_cannot_sync_is_told(number, what, tmp_path, monkeypatch, capsys):
    def refuse(_handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(partial.os, "fsync", refuse)
    assert main(["--json", *[argument.format(tmp_path) for argument in WRITES[what]]]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [note.split(":")[0] for note in report["notes"]].count("durability unknown") == 1


def test_h03_a_disk_that_syncs_is_not_mentioned(tmp_path, capsys):
    assert main(["--json", *[argument.format(tmp_path) for argument in WRITES["zip"]]]) == 0
    assert "durability" not in capsys.readouterr().out


# H04: kills are in test_landing, test_container, test_backup, reconcile/test_laws; H05: two at once


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes otherwise")
def test_h05_a_dead_holder_never_blocks(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from stash_portability.oslock import held\n"
        f"with held(Path({str(tmp_path / 'lock')!r})): print('here', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    with pytest.raises(Locked) as second, held(tmp_path / "lock"):
        pass
    assert second.value.exit_code == EXIT_LOCKED == 11
    child.kill()
    child.communicate()
    assert not is_held(tmp_path / "lock")
    with held(tmp_path / "lock"):
        pass


def test_h05_a_lock_file_with_the_number_of_a_living_process_holds_nobody(tmp_path):
    """The kernel holds locks, no number in a file does: a process that has the number by now is another."""
    (tmp_path / "lock").write_text(str(os.getpid()))
    with held(tmp_path / "lock"):
        pass


# H06


@pytest.mark.parametrize(
    "clock",
    [
        [NOON, NOON - timedelta(days=1)],
        [NOON, NOON + timedelta(days=1)],
        [datetime(1970, 1, 1, tzinfo=timezone.utc)],
        [datetime(2016, 12, 31, 23, 59, 59, tzinfo=timezone.utc), datetime(2017, 1, 1, tzinfo=timezone.utc)],
        [datetime(2026, 10, 25, 0, 59, 59, tzinfo=timezone.utc), datetime(2026, 10, 25, 1, tzinfo=timezone.utc)],
    ],
    ids=["a day back", "a day on", "1970", "leap second", "summer time ends"],
)
def test_h06_a_clock_that_jumps_spoils_no_backup(clock, tmp_path):
    ticks = count()

    def now():
        return clock[min(next(ticks), len(clock) - 1)]

    report = backup(BackupOptions("demo", tmp_path / "b"), Quiet(), Means(now=now), ArchiveSource(DEMO))
    assert Path(report.outputs[0]).name.startswith(clock[0].strftime("%Y%m%dT%H%M%SZ"))
    assert all(seconds >= 0 for seconds in report.seconds.values())
    verified = verify(Path(report.outputs[0]), Quiet(), Means(now=now))
    assert verified.reasons == []
    again = backup(BackupOptions("demo", tmp_path / "b"), Quiet(), Means(now=lambda: clock[0]), ArchiveSource(DEMO))
    assert again.outputs != report.outputs
    assert Path(report.outputs[0]).exists()


def test_h06_runs_of_a_clock_that_goes_back_are_all_kept(tmp_path):
    for moment in (NOON, NOON - timedelta(days=1), NOON):
        with runs.begin(tmp_path, "export", moment, os.urandom(4)) as run:
            run.write("finished", exit_code=0)
    assert len(runs.latest(tmp_path, 9)) == 3


# H07


def test_h07_an_output_within_what_is_read_is_refused(tmp_path, capsys):
    source = tmp_path / "library"
    assert main(["--quiet", "export", "--from", str(DEMO), "--to", str(source), "--format", "csv"]) == 0
    before = content(source)
    for to in (source / "out.json", source / "out", source / "blobs" / "out.zip"):
        to.parent.mkdir(exist_ok=True)
        assert main(["--quiet", "export", "--from", str(source), "--to", str(to)]) == 2
        assert "lies in what the export is read from" in capsys.readouterr().err
    assert content(source) == before


def test_h07_what_is_read_within_the_output_is_refused(tmp_path, capsys):
    around = tmp_path / "around"
    assert main(["--quiet", "export", "--from", str(DEMO), "--to", str(around), "--format", "csv"]) == 0
    inside = around / "a.json"
    assert main(["--quiet", "export", "--from", str(DEMO), "--to", str(inside)]) == 0
    arguments = ["export", "--from", str(inside), "--to", str(around), "--format", "csv", "--overwrite"]
    assert main(["--quiet", *arguments]) == 2
    assert "what the export is read from lies in it" in capsys.readouterr().err
    assert inside.exists()


# H08


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_h08_whatever_the_umask_all_is_its_owners_only(tmp_path):
    before = os.umask(0)
    try:
        places = Places(tmp_path / "data").make()
        for name in ("zip", "folder", "file", "tables"):
            assert main(["--quiet", *[argument.format(places.backups) for argument in WRITES[name]]]) == 0
        with runs.begin(places.runs, "export", NOON, b"abcd") as run:
            run.announce(places.backups / "out.json", places.backups / "out.json", {})
            runs.mark_cancelling(places.runs, run.name)
        server = {"Dir": "", "PluginDir": str(tmp_path)}
        context = {"type": "Tag.Destroy.Post", "id": 1}
        call = {"server_connection": server, "args": {"mode": "hook", "hookContext": context}}
        with (tmp_path / "answer").open("wb") as answer:
            assert hook.main(json.dumps(call).encode(), answer, {hook.VARIABLE: str(places.data)})
        hook.point(tmp_path, str(places.data))
    finally:
        os.umask(before)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
    made = [places.data, *places.data.rglob("*")]
    odd = {str(path): oct(path.stat().st_mode & 0o777) for path in made if path.stat().st_mode & 0o077}
    assert odd == {}
    assert len(made) > 40
    assert (tmp_path / hook.POINTER).stat().st_mode & 0o077 == 0


# H10


@pytest.mark.parametrize("name", ["new\nline", "🐦 otters", "100%s %n", "-dash", "ünï\u0301code", "x" * 200])
def test_h10_odd_names_whatever_the_locale(name, tmp_path):
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for to in (tmp_path / f"{name}.json", tmp_path / name):
        command = [sys.executable, "-m", "stash_portability", "export", "--from", str(DEMO), "--to", str(to)]
        done = subprocess.run(
            command, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert to.exists()


def test_h10_a_name_no_disk_can_hold_is_told(tmp_path, capsys):
    assert main(["--quiet", "export", "--from", str(DEMO), "--to", str(tmp_path / ("x" * 256))]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said

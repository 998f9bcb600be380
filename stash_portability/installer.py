"""Getting dependency sets with pip: pinned, by hash, wheels only, into the data folder; one process at a time.

A set is installed into a folder beside its final one and renamed, so that a set that is there is whole.
pip's own chatter never reaches our stdout, which belongs to Stash.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from stash_portability.dependencies import SETS, Shelf
from stash_portability.errors import LibrariesMissing, PortabilityError
from stash_portability.model import Progress
from stash_portability.oslock import held

DEBIAN_WHEELS = Path("/usr/share/python-wheels")
HALF = ".installing-"
PIP_OPTIONS = (
    "--only-binary=:all: --require-hashes --no-deps --no-user --no-input --disable-pip-version-check"
    " --progress-bar=off --no-warn-script-location --retries=2"
).split()


def provide(needed: Sequence[str], where: Shelf, progress: Progress) -> None:
    """Make the sets ``needed`` importable, installing those that are nowhere; raises LibrariesMissing. Where
    core has to be installed the optional sets are tried along with it."""
    wanted = list(SETS) if where.missing(["core"]) else list(needed)
    for name in where.missing(wanted):
        try:
            install(name, where, progress)
        except PortabilityError as error:
            if name in needed:
                raise
            progress.note(str(error))
    where.use()


def set_up(where: Shelf, progress: Progress) -> list[str]:
    """Install every set that is nowhere or does not load, and remove what older versions have installed for
    this Python; give one line a set, raising LibrariesMissing when core cannot be had."""
    lines = [_set_up_one(name, where, progress) for name in SETS]
    for folder in where.folder.parent.iterdir():
        if folder != where.folder and _python_of(folder) == _python_of(where.folder):
            shutil.rmtree(folder, ignore_errors=True)
    return lines


def _python_of(folder: Path) -> str:
    return folder.name.partition("-")[2]


def _set_up_one(name: str, where: Shelf, progress: Progress) -> str:
    try:
        if where.state(name) == "missing" or not loads(name, where):
            install(name, where, progress, anew=True)
    except PortabilityError as error:
        if name == "core":
            raise
        return str(error)
    return f"{name} ({SETS[name].gives}): ready, from {where.state(name)}"


def loads(name: str, where: Shelf) -> bool:
    """Try in another process whether the modules of a set can be imported."""
    code = f"import sys; sys.path.insert(0, {str(where.place(name))!r}); import {', '.join(SETS[name].modules)}"
    command = [sys.executable, "-c", code]
    return _run(command, lambda _line: None)[0] == 0


def install(name: str, where: Shelf, progress: Progress, *, anew: bool = False) -> None:
    """Put the set ``name`` on the shelf (``anew``: in place of what is there). Raises Locked while another
    process installs, LibrariesMissing when pip cannot."""
    with held(where.folder.parent / "lock"):
        if where.place(name).is_dir() and not anew:
            return
        _sweep(where.folder)
        where.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = where.folder / f"{HALF}{name}"
        try:
            _pip(name, where, half, progress)
            shutil.rmtree(where.place(name), ignore_errors=True)
            half.rename(where.place(name))
        finally:
            _sweep(where.folder)


def _sweep(folder: Path) -> None:
    """Remove half installations; the caller holds the lock, so all of them are dead."""
    for half in folder.glob(f"{HALF}*"):
        if half.is_dir():
            shutil.rmtree(half, ignore_errors=True)
        else:
            half.unlink()


def _pip(name: str, where: Shelf, target: Path, progress: Progress) -> None:
    pins = where.folder / f"{HALF}{name}.txt"
    pins.write_text(where.sections[name], "utf-8")
    progress.phase(f"installing {name}", where.sections[name].count("=="))
    command = [*_pip_itself(where), "install", *PIP_OPTIONS, f"--target={target}", f"--requirement={pins}"]
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        progress.advance(line.startswith("Collecting "))

    code, last = _run(command, hear)
    if code:
        raise missing(name, where, _reason(said, last))


def _reason(said: list[str], last: str) -> str:
    """What pip gives as the error; its last line when it broke with a traceback."""
    errors = [line.removeprefix("ERROR:").strip() for line in said if line.startswith("ERROR:")]
    return errors[-1] if errors and errors[-1] != "Exception:" else last


def missing(name: str, where: Shelf, reason: str) -> LibrariesMissing:
    """Say in one line what cannot be had, why, and what to run."""
    launcher = Path(__file__).with_name("launch.py")
    command = [sys.executable, str(launcher), "--setup", "--data", str(where.folder.parent.parent)]
    return LibrariesMissing(what=SETS[name].gives, reason=reason, command=_quoted(command))


def _quoted(command: Iterable[str]) -> str:
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _pip_itself(where: Shelf) -> list[str]:
    """Say how to run pip: this Python's own, or the one it carries for new virtual environments."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    # Its own before Debian's: an older pip may not run on a newer Python.
    wheels = [wheel for folder in _wheel_folders() for wheel in sorted(folder.glob("pip-*.whl"), reverse=True)]
    if wheels:
        return [sys.executable, f"{wheels[0]}/pip"]
    reason = f"{sys.executable} has no pip: install it (apt-get install python3-pip, or apk add py3-pip)"
    raise missing("core", where, reason)


def _wheel_folders() -> Iterator[Path]:
    """Where a Python keeps the pip it puts into new virtual environments; Debian has it elsewhere."""
    carried = importlib.util.find_spec("ensurepip")
    if carried and carried.origin:
        yield Path(carried.origin).parent / "_bundled"
    yield DEBIAN_WHEELS


def _run(command: list[str], hear: Callable[[str], None]) -> tuple[int, str]:
    """Run ``command`` with nothing of ours as its stdio; give its exit code and its last line."""
    settings = {"PIP_REQUIRE_VIRTUALENV": "0", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    last = ""
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **settings},
        encoding="utf-8",
        errors="replace",
    ) as child:
        for line in child.stdout or ():
            last = line.strip() or last
            hear(last)
    return child.returncode, last

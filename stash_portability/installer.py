"""Getting dependency sets with pip: pinned, by hash, wheels only, into the data folder; one process at a time.

A set is installed into a folder beside its final one, tried, and renamed, so that a set that is there is whole.
pip's own chatter never reaches our stdout, which belongs to Stash; what went wrong is told in words of ours.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from stash_portability.dependencies import SETS, Shelf, lacking, platform_tag
from stash_portability.errors import LibrariesMissing, NoSpace, PortabilityError
from stash_portability.model import Progress
from stash_portability.oslock import held

DEBIAN_WHEELS = Path("/usr/share/python-wheels")
HALF = ".installing-"
NOTHING: Mapping[str, str] = {}
PIP_OPTIONS = (
    "--only-binary=:all: --require-hashes --no-deps --no-user --no-input --disable-pip-version-check"
    " --progress-bar=off --no-warn-script-location --retries=2 --prefix="
).split()
"""A target is not bound by the EXTERNALLY-MANAGED mark of Debian's and Alpine's Pythons (PEP 668): pip's
commands/install.py. The empty prefix undoes one in a pip.conf."""
KEPT_OF_PIP = frozenset(
    "CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL KEYRING_PROVIDER"
    " NO_CACHE_DIR NO_INDEX PROXY RESUME_RETRIES TIMEOUT TRUSTED_HOST USE_DEPRECATED USE_FEATURE".split()
)
"""The PIP_ variables that say how the index is reached. Others say what to install, for which Python and where:
PIP_ROOT or PIP_PYTHON_VERSION would make a set that looks whole and is not."""
FIXED = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_DRY_RUN": "0", "PIP_QUIET": "0", "PIP_VERBOSE": "0"}
NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|not enough space on the disk", re.IGNORECASE)
ROOM = "the libraries need some 20 MB there; free some and press Settings → Tasks → Set up dependencies"
"""Measured on Linux: 9 MB, while they are installed too."""
UNREACHED = re.compile(
    "connection broken|confirming the ssl certificate|Max retries exceeded|Read timed out|IncompleteRead|reset by peer",
    re.IGNORECASE,
)
CAUSE = re.compile(r"\[(?:Errno|WinError) -?\d+\] [^'\")]+|certificate verify failed[^'\"()]*|timed out")


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
    return _import(name, where.place(name))[0] == 0


def _import(name: str, place: Path) -> tuple[int, str]:
    """Import the modules of a set from the folder ``place``, else from this Python; give exit code and last line."""
    code = f"import sys; sys.path.insert(0, {str(place)!r}); import {', '.join(SETS[name].modules)}"
    return _run([sys.executable, "-c", code], lambda _line: None)


def install(name: str, where: Shelf, progress: Progress, *, anew: bool = False) -> None:
    """Put the set ``name`` on the shelf (``anew``: in place of what is there). Raises Locked while another
    process installs, LibrariesMissing when pip cannot, NoSpace when the disk is full."""
    try:
        with held(where.folder.parent / "lock"):
            if not where.place(name).is_dir() or anew:
                _install(name, where, progress)
    except OSError as error:
        reason = f"{error.filename or where.folder}: {error.strerror or error}"
        raise (_no_room(where) if _full(error) else missing(name, where, reason)) from error


def _install(name: str, where: Shelf, progress: Progress) -> None:
    """Install a set; the caller holds the lock."""
    _sweep(where.folder)
    # A name of its own: Stash's cancel kills us, not the pip we started, which may go on in its folder.
    scratch = where.folder / f"{HALF}{os.getpid()}"
    scratch.mkdir(mode=0o700, parents=True)
    try:
        half = _pip(name, where, scratch, progress)
        shutil.rmtree(where.place(name), ignore_errors=True)
        half.rename(where.place(name))
    finally:
        _sweep(where.folder)


def _sweep(folder: Path) -> None:
    """Remove half installations; the caller holds the lock, so all of them are dead."""
    for half in folder.glob(f"{HALF}*"):
        with suppress(OSError):
            half.unlink() if half.is_symlink() or not half.is_dir() else shutil.rmtree(half)


def _pip(name: str, where: Shelf, scratch: Path, progress: Progress) -> Path:
    """Let pip install a set into a folder of ``scratch``, where its temporary files lie too; give that folder."""
    pins, target = scratch / "pins.txt", scratch / name
    pins.write_text(where.sections[name], "utf-8")
    progress.phase(f"installing {name}", where.sections[name].count("=="))
    arguments = ["install", *PIP_OPTIONS, f"--target={target}", f"--requirement={pins}"]
    room = {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        progress.advance(line.startswith("Collecting "))

    for pip in _pips():
        said.clear()
        if _run([*pip, *arguments], hear, room)[0] == 0:
            return _tried(name, where, target)
        if _errors(said):
            break  # it ran; another pip would not do better
    raise _failed(name, where, said)


def _tried(name: str, where: Shelf, target: Path) -> Path:
    """Give ``target`` when what pip put there can be imported: a pip.conf can say for which Python, and where."""
    code, last = _import(name, target)
    if code or not target.is_dir():
        raise missing(name, where, f"what pip installed cannot be used ({last or 'it is not there'})")
    return target


def _errors(said: Iterable[str]) -> list[str]:
    """What pip gives as errors; nothing when it broke with a traceback."""
    errors = (line.removeprefix("ERROR:").strip() for line in said if line.startswith("ERROR:"))
    return [error for error in errors if error != "Exception:"]


def _failed(name: str, where: Shelf, said: list[str]) -> PortabilityError:
    """Tell why pip failed, and what to do. It says "No matching distribution" without a network, too."""
    trouble = [line for line in said if UNREACHED.search(line)]
    errors = _errors(said)
    if any(NO_ROOM.search(line) for line in said):
        return _no_room(where)
    if trouble and not any("HASHES" in error for error in errors):
        return missing(name, where, _unreached(trouble[-1]))
    if not errors:
        return missing(name, where, _no_pip(said))
    absent = re.match(r"No matching distribution found for (\S+)", errors[-1])
    return missing(name, where, _no_wheel(name, where, absent[1]) if absent else errors[-1])


def _no_pip(said: list[str]) -> str:
    trouble = f"no pip that runs ({said[-1].strip()})" if said else "no pip"
    return f"{sys.executable} has {trouble}: install it (apt-get install python3-pip, or apk add py3-pip)"


def _unreached(line: str) -> str:
    cause = CAUSE.search(line)
    detail = f" ({cause[0].strip()})" if cause else ""
    return f"the package index cannot be reached{detail}: see to the network of this server, or set HTTPS_PROXY"


def _no_wheel(name: str, where: Shelf, pin: str) -> str:
    by_hand = ", ".join(lacking(SETS[name].floors, where.path) or SETS[name].floors)
    return (
        f"the package index has no {pin} ready for this Python ({sys.executable}, {platform_tag()}): give Stash"
        f" another Python, or install {by_hand} for this one by other means"
    )


def _no_room(where: Shelf) -> NoSpace:
    return NoSpace(path=where.folder.parent, reason=ROOM)


def _full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def missing(name: str, where: Shelf, reason: str) -> LibrariesMissing:
    """Say in one line what cannot be had, why, and what to run."""
    launcher = Path(__file__).with_name("launch.py")
    command = [sys.executable, str(launcher), "--setup", "--data", str(where.folder.parent.parent)]
    return LibrariesMissing(what=SETS[name].gives, reason=reason, command=_quoted(command))


def _quoted(command: Iterable[str]) -> str:
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _pips() -> Iterator[list[str]]:
    """Say how to run pip: this Python's own, or the one it carries for new virtual environments, or Debian's (which
    may be too old for a Python that is not Debian's)."""
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip"]
    for folder in _wheel_folders():
        for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
            yield [sys.executable, f"{wheel}/pip"]


def _wheel_folders() -> Iterator[Path]:
    """Where a Python keeps the pip it puts into new virtual environments; Debian has it elsewhere."""
    carried = importlib.util.find_spec("ensurepip")
    if carried and carried.origin:
        yield Path(carried.origin).parent / "_bundled"
    yield DEBIAN_WHEELS


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what would turn pip elsewhere; nothing is imported from the folder Stash runs in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIP_") or name.removeprefix("PIP_").upper() in KEPT_OF_PIP
    }
    return {**kept, **FIXED, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1", **more}


def _run(command: list[str], hear: Callable[[str], None], more: Mapping[str, str] = NOTHING) -> tuple[int, str]:
    """Run ``command`` with nothing of ours as its stdio; give its exit code and its last line."""
    last = ""
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(more),
        encoding="utf-8",
        errors="replace",
    ) as child:
        for line in child.stdout or ():
            last = line.strip() or last
            hear(last)
    return child.returncode, last

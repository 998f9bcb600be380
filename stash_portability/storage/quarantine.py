"""A folder of this run's own, in the system's folder for temporary files, for what must be unpacked to be read.

It is its owner's only (0700), holds no name that came with an input, and is removed when it is no longer used, or when
the run ends. A run that was killed leaves it; the next one that needs such a folder removes it, as no run holds its
lock.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO

from .partial import PREFIX, hold, is_at
from .room import translated

SUFFIX = ".reading"
_LOCK = "lock"
_TRIES = 32


class Quarantine:
    """Such a folder, held by this run. Raises NoSpace, OutputNotUsable."""

    def __init__(self) -> None:
        base = Path(tempfile.gettempdir())
        with translated(base):
            clear_dead(base)
            self.folder, lock = _make(base)
        self._end = weakref.finalize(self, _remove, self.folder, lock)


def clear_dead(base: Path) -> None:
    """Remove what dead runs of this user left in ``base``."""
    for found in base.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):
            if _is_ours(found):
                _clear(found)


def _is_ours(folder: Path) -> bool:
    """Whether it is a folder, and this user's: anybody may make names in a folder for temporary files."""
    state = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and (not hasattr(os, "getuid") or state.st_uid == os.getuid())


def _clear(folder: Path) -> None:
    try:
        lock = (folder / _LOCK).open("r+b", buffering=0)
    except FileNotFoundError:
        folder.rmdir()  # its run died, or just begins, and will make another
        return
    if hold(lock):
        _remove(folder, lock)
    else:
        lock.close()


def _make(base: Path) -> tuple[Path, IO[bytes]]:
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=base))
        # Another run may find the folder before it is locked, and remove it; then another is made.
        with suppress(FileNotFoundError):
            lock = (folder / _LOCK).open("xb", buffering=0)
            if hold(lock) and is_at(lock, folder / _LOCK):
                return folder, lock
            lock.close()
    raise OSError(errno.EAGAIN, "no folder there can be locked")


def _remove(folder: Path, lock: IO[bytes]) -> None:
    if os.name == "nt":
        lock.close()  # open files cannot be removed there
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()

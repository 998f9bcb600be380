"""The folder an output is made in, beside its final place: nothing shows under the final name until it is whole.

Its name begins with ``.stash-portability-`` and ends in ``.partial``. The run that made it holds a kernel lock
in it, so the next run in the same folder knows which are left over from dead runs and removes those, and only
those. A run that died between taking an old output away and putting the new one in its place leaves the old
one inside; it is put back.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..oslock import seize

PREFIX, SUFFIX = ".stash-portability-", ".partial"
_LOCK, _OUT, _OLD = "lock", "out", "old"
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)
_MANY = 256


class Partial:
    """One such folder, held by this run. ``out`` is where the output grows."""

    def __init__(self, final: Path, folder: Path, lock: IO[bytes]) -> None:
        self._final, self._folder, self._lock = final, folder, lock
        self._spares = 0
        self.out = folder / _OUT

    def spare(self) -> Path:
        """A fresh path on the same disk, for bytes that have no place yet."""
        self._spares += 1
        return self._folder / f"spare-{self._spares}"

    def commit(self) -> None:
        """Put ``out`` under the final name, in one rename; an old output is taken away just before, and
        removed after. Raises OSError."""
        sync_tree(self.out)
        old = self._folder / _OLD
        if self._final.is_dir():
            self._final.rename(old)
        try:
            self.out.replace(self._final)
        except OSError:
            if old.exists():
                old.rename(self._final)
            raise
        sync_folder(self._final.parent)

    def discard(self) -> None:
        """Remove the folder and all that is in it."""
        self._lock.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def make_partial(final: Path) -> Partial:
    """Make and lock the folder for ``final``, after removing what dead runs left beside it. Raises OSError."""
    for left in left_over(final.parent):
        _clear(left)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=final.parent))
        with suppress(FileNotFoundError):
            lock = (folder / _LOCK).open("xb", buffering=0)
            lock.write(os.fsencode(final.name))
            # Another run may have found the folder before it was locked, and removed it.
            if _hold(lock) and (folder / _LOCK).exists():
                return Partial(final, folder, lock)
            lock.close()


def left_over(folder: Path) -> Iterator[Path]:
    """The folders of runs that are dead, in ``folder``."""
    for found in sorted(folder.glob(f"{PREFIX}*{SUFFIX}")):
        if found.is_dir() and not found.is_symlink() and _is_dead(found):
            yield found


def _is_dead(folder: Path) -> bool:
    """Whether no run holds ``folder``. One without a lock file is empty (a run died, or is just beginning)."""
    try:
        with (folder / _LOCK).open("r+b") as lock:
            return _hold(lock)
    except FileNotFoundError:
        with suppress(OSError):
            folder.rmdir()
    except OSError:
        return False
    return False


def _hold(lock: IO[bytes]) -> bool:
    try:
        seize(lock.fileno())
    except OSError as error:
        # A disk without locks (some network folders): the run that asked for its own lock goes on without.
        return error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS) and lock.mode.startswith("x")
    return True


def _clear(folder: Path) -> None:
    """Remove what a dead run left; put back the old output it had taken away."""
    with suppress(OSError):
        final = folder.parent / os.fsdecode((folder / _LOCK).read_bytes())
        if (folder / _OLD).exists() and not final.exists():
            (folder / _OLD).rename(final)
    shutil.rmtree(folder, ignore_errors=True)


def sync_tree(path: Path) -> None:
    """Force ``path`` and all below it to the disk."""
    if path.is_file():
        return _sync(path)
    files = [Path(base) / name for base, _, names in os.walk(path) for name in names]
    if len(files) > _MANY and hasattr(os, "sync"):
        return os.sync()  # thousands of single syncs take minutes
    for file in files:
        _sync(file)
    for base, _, _ in os.walk(path):
        sync_folder(Path(base))
    return None


def sync_folder(folder: Path) -> None:
    """Force the names in ``folder`` to the disk, where the system can."""
    if os.name != "nt":
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)

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
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..oslock import WITHOUT_LOCKS, seize

PREFIX, SUFFIX = ".stash-portability-", ".partial"
_LOCK, _OUT, _OLD = "lock", "out", "old"
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)
_MANY = 256
_TRIES = 32


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
        """Put ``out``, which is on the disk by now (``sync_tree``), under the final name, in one rename; an old output
        is taken away just before, and removed after. Whatever comes between (Ctrl+C too) puts the old one back. Raises
        OSError."""
        try:
            if self._final.is_dir():
                _sync_open(self._lock.fileno())  # the name the old output is put back under after a power cut
                self._final.rename(self._folder / _OLD)
            self.out.replace(self._final)
        except BaseException:
            _give_back(self._folder, self._final)
            raise
        sync_folder(self._final.parent)

    def discard(self) -> None:
        """Remove the folder and all that is in it, but never an old output that has no successor."""
        if _give_back(self._folder, self._final):
            _remove(self._folder, self._lock)
        self._lock.close()


def make_partial(final: Path) -> Partial:
    """Make and lock the folder for ``final``, after removing what dead runs left beside it. Raises OSError."""
    clear_dead(final.parent)
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=final.parent))
        # Another run may find the folder before it is locked, and remove it; then another is made.
        with suppress(FileNotFoundError):
            lock = (folder / _LOCK).open("xb", buffering=0)
            if hold(lock) and is_at(lock, folder / _LOCK):
                lock.write(os.fsencode(final.name))
                return Partial(final, folder, lock)
            lock.close()
    raise OSError(errno.EAGAIN, "the folder it is made in cannot be locked")


def clear_dead(folder: Path) -> None:
    """Remove what dead runs left in ``folder``, and put back the old outputs they had taken away."""
    for found in sorted(folder.glob(f"{PREFIX}*{SUFFIX}")):
        if found.is_dir() and not found.is_symlink():
            _clear_if_dead(found)


def _clear_if_dead(folder: Path) -> None:
    """Clear ``folder`` when no run holds it. One without a lock file is empty (its run died, or just begins)."""
    try:
        lock = (folder / _LOCK).open("r+b", buffering=0)
    except FileNotFoundError:
        with suppress(OSError):
            folder.rmdir()
    except OSError:
        pass  # another user's
    else:
        with lock:
            if hold(lock):
                _clear(folder, lock)


def hold(lock: IO[bytes]) -> bool:
    """Take the lock on an open file; False when another run has it."""
    try:
        seize(lock.fileno())
    except OSError as error:
        # A disk without locks (some network folders): the run that asked for its own lock goes on without.
        return error.errno in WITHOUT_LOCKS and lock.mode.startswith("x")
    return True


def is_at(lock: IO[bytes], path: Path) -> bool:
    """Whether the open file is the one at ``path``. Raises FileNotFoundError."""
    return os.path.samestat(os.fstat(lock.fileno()), path.stat())


def _clear(folder: Path, lock: IO[bytes]) -> None:
    """Remove what a dead run left, its lock held: a run that is just beginning here sees that, and goes elsewhere."""
    name = os.fsdecode(lock.read())
    final = folder.parent / name if name else None  # a run writes its name first, so without one it made nothing
    if _give_back(folder, final):
        _remove(folder, lock)


def _give_back(folder: Path, final: Path | None) -> bool:
    """Put an old output that has no successor back under its name; False when it is still in ``folder``."""
    old = folder / _OLD
    if not os.path.lexists(old):
        return True
    if final is None:
        return False
    if not os.path.lexists(final):
        try:
            old.rename(final)
        except OSError:
            return False
    return True


def _remove(folder: Path, lock: IO[bytes]) -> None:
    if os.name == "nt":
        # Open files cannot be removed there. One that is opened again by now belongs to a run that begins.
        lock.close()
        try:
            (folder / _LOCK).unlink()
        except OSError:
            return
    shutil.rmtree(folder, ignore_errors=True)


def sync_tree(path: Path) -> bool:
    """Force ``path`` and all below it to the disk; tell whether the disk can do that (some network folders cannot)."""
    if path.is_file():
        return _sync(path)
    files = [Path(base) / name for base, _, names in os.walk(path) for name in names]
    if len(files) > _MANY and hasattr(os, "sync"):
        os.sync()  # thousands of single syncs take minutes
        return True
    durable = all([_sync(file) for file in files])
    for base, _, _ in os.walk(path):
        sync_folder(Path(base))
    return durable


def forget_tree(path: Path) -> None:
    """Ask the system to forget what it holds of ``path`` in memory, so that reading it back reads the disk. Only a
    wish: some systems cannot."""
    if not hasattr(os, "posix_fadvise"):
        return
    files = [path] if path.is_file() else [Path(base) / name for base, _, names in os.walk(path) for name in names]
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        with suppress(OSError):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Force the names in ``folder`` to the disk, where the system can."""
    if os.name != "nt":
        _sync(folder)


def _sync(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        return _sync_open(handle)
    finally:
        os.close(handle)


def _sync_open(handle: int) -> bool:
    """Whether the disk can be asked at all."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
        return False
    return True

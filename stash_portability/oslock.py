"""A lock on a file that the kernel holds for us: it ends when its holder does, even by SIGKILL.

By hand, with the standard library only, because the launcher and the list of runs need one before any library is
there; so nobody needs a second kind of lock from a library.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stash_portability.errors import Locked

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a disk says that has no locks, as some network folders: one goes on without."""

if sys.platform == "win32":
    import msvcrt

    def seize(handle: int) -> None:
        """Take the lock on an open file; raises OSError when another has it."""
        # Windows locks from where the file stands: two that stand elsewhere would both have their lock.
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def seize(handle: int) -> None:
        """Take the lock on an open file; raises OSError when another has it."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock on ``path``, making the file and its folder (0600, 0700); raises Locked when another has it.

    On a disk without locks it goes on without one. Raises OSError when the file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            seize(handle)
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise Locked(path=path) from error
        yield
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock on ``path``; yes when it is not ours to look at."""
    if not path.is_file():
        return False
    try:
        with held(path):
            return False
    except (Locked, OSError):
        return True

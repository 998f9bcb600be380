"""One file at a time among the files of others: seen, put in place whole, or kept aside before it is replaced.

Every file grows under a name of ours in the same folder and comes into its place by one rename, so that a run that is
killed leaves the old file or the new one, never a half. Nothing is written through a symbolic link, and what is no
ordinary file is never replaced. Here, unlike elsewhere, files get the permissions that the user's umask gives:
the media server that reads them runs as somebody else.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from ...errors import NoSpace, OutputNotUsable, PortabilityError, one_line
from ...storage.partial import PREFIX, SUFFIX, sync_folder

Done = Literal["written", "unchanged"]

LINK = "a symbolic link lies there, and nothing is written through one"
NO_FILE = "something that is no file lies there"
NO_FOLDER = "a file lies there where a folder is needed"
TOO_LARGE = "a file too large to be compared lies there; it was kept"
MOVED = "it changed while it was written; it was left as it is"
OLD_PARTIAL = 3600.0
"""Seconds after which what a dead run left may go: no file of ours takes that long."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHUT = (errno.EACCES, errno.EPERM, errno.EROFS)
_LARGEST = 64 << 20
_MOST_VERSIONS = 10_000
_FOLDERS_KEPT = 1024
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Found:
    """An ordinary file that is there already."""

    def __init__(self, path: str, status: os.stat_result) -> None:
        self.path, self.status = path, status
        self._content: bytes | None = None

    @property
    def content(self) -> bytes:
        """All of it, read once. Raises OutputNotUsable."""
        if self._content is None:
            if self.status.st_size > _LARGEST:
                raise OutputNotUsable(path=self.path, reason=TOO_LARGE)
            with told(self.path, only_it=True):
                self._content = _read(self.path)
        return self._content

    @property
    def blank(self) -> bool:
        """Whether nothing but NUL is in it: what a power cut leaves of a file that was just made."""
        return not self.status.st_size or (self.content[:1] == b"\0" and not self.content.strip(b"\0"))

    def holds(self, content: bytes) -> bool:
        """Whether it is just ``content``."""
        return self.status.st_size == len(content) and self.content == content


class Keeper:
    """Writes files. ``now`` gives seconds since 1970, ``token`` fresh text for names that nobody has.

    Its methods raise NoSpace when the disk is full, OutputNotUsable when this file cannot be had; ``is_shut`` tells
    whether its whole folder cannot."""

    def __init__(self, now: Callable[[], float], token: Callable[[], str]) -> None:
        self._now, self._token = now, token
        self._changed = False
        self._folders: set[str] = set()

    def look(self, path: str) -> Found | None:
        """What is at ``path``; None for nothing."""
        status = _status(path)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise OutputNotUsable(path=path, reason=LINK if stat.S_ISLNK(status.st_mode) else NO_FILE)
        return Found(path, status)

    def put(self, path: str, content: bytes, over: Found | None) -> Done:
        """Make ``content`` the file at ``path``, in place of ``over``, which was found there, unless it is the same."""
        if over and over.holds(content):
            return "unchanged"
        with told(path), self._temporary(path) as temporary:
            _write(temporary, content, over)
            self._check_still(path, over)
            os.replace(temporary, path)  # noqa: PTH105
        return "written"

    def set_aside(self, found: Found) -> str | None:
        """Keep the bytes of ``found`` beside it as ``NAME.1``, or the first number that is free; give the new name, or
        None when one of the numbers has them already, as after a run that was killed in between."""
        for number in range(1, _MOST_VERSIONS):
            version = f"{found.path}.{number}"
            there = self.look(version)
            if there is None:
                self._copy(found, version)
                return version
            if there.holds(found.content):
                return None
        raise OutputNotUsable(path=found.path, reason="too many numbered versions lie beside it")

    def _copy(self, found: Found, version: str) -> None:
        """Forced to the disk at once: what it is a copy of is going to be replaced."""
        with told(version), self._temporary(version) as temporary:
            _write(temporary, found.content, found, sync=True)
            os.utime(temporary, ns=(found.status.st_atime_ns, found.status.st_mtime_ns))
            self._check_still(version, None)
            os.rename(temporary, version)  # noqa: PTH104
        with suppress(OSError):  # a disk that cannot: it has done what it can
            sync_folder(Path(version).parent)

    def remove(self, found: Found) -> None:
        """Remove the file ``found``."""
        with told(found.path):
            self._check_still(found.path, found)
            os.unlink(found.path)  # noqa: PTH108
        self._changed = True

    def is_folder(self, folder: str) -> bool:
        """Whether ``folder`` is there; a link to one, or a file, is refused as for ``look``."""
        status = _status(folder)
        if status is None:
            return False
        if not stat.S_ISDIR(status.st_mode):
            raise OutputNotUsable(path=folder, reason=LINK if stat.S_ISLNK(status.st_mode) else NO_FOLDER)
        return True

    def make_folder(self, folder: str, above: str) -> None:
        """Make ``folder`` and what is missing between it and the folder ``above``, through no symbolic link."""
        if len(folder) <= len(above) or folder in self._folders:
            return
        self.make_folder(os.path.dirname(folder), above)  # noqa: PTH120
        if not self.is_folder(folder):
            with told(folder), suppress(FileExistsError):
                os.mkdir(folder)  # noqa: PTH102
        if len(self._folders) >= _FOLDERS_KEPT:
            self._folders.clear()
        self._folders.add(folder)

    def clear(self, path: str) -> bool:
        """Remove what a dead run left at ``path``: a file by its name ours, and older than an hour."""
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or self._now() - status.st_mtime < OLD_PARTIAL:
                return False
            os.unlink(path)  # noqa: PTH108
        except OSError:
            return False
        return True

    def settle(self) -> None:
        """Force what was written to the disk, at the end of a run: one by one, thousands of files take minutes."""
        if self._changed and hasattr(os, "sync"):
            os.sync()
        self._changed = False

    @contextmanager
    def _temporary(self, path: str) -> Iterator[str]:
        """A path in the folder of ``path`` that nobody has, and that is gone in the end unless it was renamed."""
        temporary = os.path.join(os.path.dirname(path), f"{PREFIX}{self._token()}{SUFFIX}")  # noqa: PTH118, PTH120
        self._changed = True
        try:
            yield temporary
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise

    def _check_still(self, path: str, seen: Found | None) -> None:
        """Raise OutputNotUsable unless what is at ``path`` is what was seen there: media servers write here, too."""
        now = self.look(path)
        if (now and _signs(now.status)) != (seen and _signs(seen.status)):
            raise OutputNotUsable(path=path, reason=MOVED)


def _status(path: str) -> os.stat_result | None:
    """What is at ``path``, links not followed; None for nothing. Raises OutputNotUsable."""
    with told(path):
        try:
            return os.lstat(path)
        except FileNotFoundError:
            return None


@contextmanager
def told(path: str, *, only_it: bool = False) -> Iterator[None]:
    """Make our errors of the disk's. ``only_it``: they say nothing of the whole folder."""
    try:
        yield
    except OSError as error:
        raise _said(path, error, only_it=only_it) from error
    except ValueError as error:  # a NUL, or half a surrogate pair
        raise OutputNotUsable(path=one_line(path), reason="this machine cannot have such a name") from error


def _said(path: str, error: OSError, *, only_it: bool) -> PortabilityError:
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return NoSpace(path=path, reason=reason)
    shut = error.errno in _SHUT
    return OutputNotUsable(
        path=path, reason=f"it cannot be read or written there: {reason}" if shut else reason, shut=shut and not only_it
    )


def is_shut(problem: OutputNotUsable) -> bool:
    """Whether nothing can be written in the whole folder (no right to it, or read only)."""
    return bool(problem.words.get("shut"))


def is_partial(name: str) -> bool:
    """Whether ``name`` is one that only our unfinished files have."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX)


def _read(path: str) -> bytes:
    handle = os.open(path, _READ)
    with os.fdopen(handle, "rb") as file:
        return file.read(_LARGEST + 1)


def _write(path: str, content: bytes, like: Found | None, *, sync: bool = False) -> None:
    """Make the file ``path``; with the owner and the permissions of the file it will replace, where that can be."""
    handle = os.open(path, _MAKE, 0o666)
    with os.fdopen(handle, "wb", 0) as file:
        if like:
            _liken(handle, like.status)
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        if sync:
            with suppress(OSError):  # a disk that cannot
                os.fsync(handle)


def _liken(handle: int, status: os.stat_result) -> None:
    if os.name == "nt":
        return
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        with suppress(OSError):
            os.fchown(handle, status.st_uid, status.st_gid)
    if stat.S_IMODE(made.st_mode) != (mode := stat.S_IMODE(status.st_mode) & 0o777):
        with suppress(OSError):
            os.fchmod(handle, mode)


def _signs(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

"""Outputs: one file, a folder or a zip, that are either whole under their final name or not there at all.

``open_output`` checks the place, the container makes its members aside (see ``partial``), and leaving it
cleanly puts all in place in one rename; an error, or a SIGKILL, leaves nothing under the final name. Files are
0600 and folders 0700. The same members give the same bytes: dates in a zip are 1980-01-01.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Protocol

from ..errors import NoSpace, OutputExists, OutputNotUsable, PortabilityError, Unreadable, VerificationFailed
from . import replacing
from .partial import Partial, forget_tree, make_partial, sync_tree

Shape = Literal["file", "folder", "zip"]
MANIFEST = replacing.MANIFEST
_BUFFER = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DATE = (1980, 1, 1, 0, 0, 0)
DAMAGED = ".damaged"
"""How the name of an output goes on that did not read back."""
PACKED = ".zst"
"""How the names of members end that are packed before they come here (see ``zstd``)."""
ZIP_LEVEL = 3
"""Of zlib: 1.8 times as fast as 6 on records, and a tenth larger."""


class Member(NamedTuple):
    """A finished member: its size and its digest ("" in an output of one file, which has no manifest)."""

    bytes: int
    sha256: str


class _Body(Protocol):
    """The three shapes differ in this only."""

    def begin(self, member: str, small: bool) -> IO[bytes]: ...

    def adopt(self, spare: Path, member: str) -> None: ...

    def finish(self) -> None: ...


def open_output(path: Path | str, shape: Shape, overwrite: bool = False) -> Container:
    """Check that ``path`` can become an output of ``shape``, and give its container (a context manager).

    A missing path is fine, and so is an empty folder for a folder. Raises OutputExists, or OutputNotUsable
    when something else is there that must not be replaced, or its folder is missing.
    """
    container = Container(Path(path), shape, overwrite)
    container.check()
    return container


def check_room(path: Path | str, bytes_needed: int) -> None:
    """Raise NoSpace when the disk under ``path`` (which need not exist yet) has fewer free bytes than needed,
    OutputNotUsable when it cannot be looked at."""
    with _translated(Path(path)):
        place = Path(path).absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        free = shutil.disk_usage(place).free
    if free < bytes_needed:
        raise NoSpace(path=path, reason=f"about {bytes_needed:,} bytes are needed, {free:,} are free")


@contextmanager
def closing(container: Container, kind: Any, error: Any, trace: Any) -> Iterator[None]:
    """For a sink that is left: what it still has to write goes inside; then the container commits, or aborts when
    the sink was left with an error or its last writing fails."""
    try:
        yield
    except BaseException as failed:
        container.__exit__(type(failed), failed, failed.__traceback__)
        raise
    container.__exit__(kind, error, trace)


class Container:
    """An output in the making. Members are written one at a time: ``with container.open("scenes.csv") as file``.

    ``members`` are those that are finished; ``bytes`` is the size of the whole output once it is in place. ``proof``,
    if there is one, reads the finished output back before it gets its name, and raises what is wrong with it.
    """

    def __init__(self, path: Path, shape: Shape, overwrite: bool) -> None:
        self.path, self.shape = path, shape
        self.members: dict[str, Member] = {}
        self.bytes = 0
        self.proof: Callable[[Path], None] | None = None
        self._overwrite = overwrite
        self._partial: Partial | None = None
        self._body: _Body | None = None
        self._open: _MemberFile | None = None

    def check(self) -> None:
        """Whether the place can still be used. Raises OutputExists, OutputNotUsable."""
        path = self.path
        with _translated(path):
            mode = _mode(path)
            if not mode:
                return
            if stat.S_ISLNK(mode):
                raise OutputNotUsable(path=path, reason="it is a symbolic link")
            if stat.S_ISDIR(mode) != (self.shape == "folder"):
                folder = "it is a folder" if stat.S_ISDIR(mode) else "it is not a folder"
                raise OutputNotUsable(path=path, reason=folder)
            if stat.S_ISDIR(mode) and not any(path.iterdir()):
                return
            if not self._overwrite:
                raise OutputExists(path=path)
            replacing.check_replaceable(path, self.shape)

    def __enter__(self) -> Container:
        with _translated(self.path):
            self._partial = make_partial(self.path.absolute())
            self._body = _BODIES[self.shape](self._partial.out)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        partial, self._partial = self._partial, None
        assert partial and self._body  # noqa: S101 - entered
        try:
            self._close_member(keep=error is None)
            self._body.finish()
            if error is None:
                self.check()
                self.bytes = _size(partial.out)
                self._prove(partial.out)
                partial.commit()
        except OSError as failed:
            if error is None:
                raise _said(self.path, failed) from failed
        finally:
            partial.discard()

    def _prove(self, out: Path) -> None:
        """Have the output read back from the disk. One that fails is kept aside, under a name that nothing takes for
        the output's. Raises VerificationFailed, OSError."""
        if self.proof is None:
            return
        sync_tree(out)
        forget_tree(out)
        try:
            self.proof(out)
        except Unreadable as bad:
            aside = _unused(self.path)
            out.rename(aside)
            reason = f"what was written does not read back ({bad.words['reason']}); it is kept as {aside.name}"
            raise VerificationFailed(path=self.path, reason=reason) from bad

    def open(self, member: str = "") -> IO[bytes]:
        """Begin ``member`` ("" for an output of one file) and give the file to write; closing it finishes it."""
        return self._begin(member, small=False)

    def write(self, member: str, content: bytes) -> None:
        """Write a whole small member."""
        with self._begin(member, small=True) as file:
            file.write(content)

    def keep(self, stream: IO[bytes]) -> tuple[Path, Member]:
        """Copy ``stream`` to a fresh place on the output's disk, where it waits to be adopted; gone at the end."""
        assert self._partial  # noqa: S101 - entered
        place, digest, size = self._partial.spare(), hashlib.sha256(), 0
        with _translated(self.path), _create(place) as file:
            while chunk := stream.read(_BUFFER):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
        return place, Member(size, digest.hexdigest())

    def adopt(self, spare: Path, member: str, known: Member) -> None:
        """Make the file ``spare`` (whose size and digest are ``known``) a member. None may be open."""
        assert self._body and not self._open  # noqa: S101 - entered
        with _translated(self.path):
            self._body.adopt(spare, member)
        self.members[member] = known

    @property
    def busy(self) -> bool:
        """Whether a member is open, so that no other can be begun."""
        return self._open is not None

    def _begin(self, member: str, *, small: bool) -> IO[bytes]:
        if self._open or member in self.members:
            raise PortabilityError(f"a bug: the member {member!r} of {self.path} is begun twice")
        assert self._body  # noqa: S101 - entered
        with _translated(self.path):
            target = self._body.begin(member, small)
        digest = None if self.shape == "file" else hashlib.sha256()
        self._open = _MemberFile(
            target, digest, lambda done: self._finished(member, done), lambda error: _said(self.path, error)
        )
        return io.BufferedWriter(self._open, _BUFFER)

    def _finished(self, member: str, done: _MemberFile) -> None:
        self._open = None
        self.members[member] = Member(done.size, done.digest.hexdigest() if done.digest else "")

    def _close_member(self, *, keep: bool) -> None:
        """Close a member that was left open; when the output is given up, without what waits in its buffer."""
        if self._open:
            self._open.dead = not keep
            self._open.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _said(path, error) from error


def _said(path: Path, error: OSError) -> PortabilityError:
    if error.errno in _FULL:
        return NoSpace(path=path, reason=error.strerror or "the disk is full")
    return OutputNotUsable(path=path, reason=error.strerror or type(error).__name__)


class _MemberFile(io.RawIOBase):
    """Where the bytes of a member go. Counts and digests them, and makes our errors of the disk's."""

    def __init__(
        self,
        target: IO[bytes],
        digest: Any,
        done: Callable[[_MemberFile], None],
        said: Callable[[OSError], PortabilityError],
    ) -> None:
        self._target, self.digest, self._done, self._said = target, digest, done, said
        self.size = 0
        self.dead = False

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        if self.dead:
            return len(chunk)
        try:
            count = self._target.write(chunk)
        except OSError as error:
            self.dead = True
            raise self._said(error) from error
        if self.digest:
            self.digest.update(chunk[:count])
        self.size += count
        return count

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        try:
            self._target.close()
        except OSError as error:
            if not self.dead:
                raise self._said(error) from error
        finally:
            self._done(self)


class _FileBody:
    """One file; its only member is ""."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def begin(self, member: str, small: bool) -> IO[bytes]:  # noqa: ARG002 - one shape of three
        return _create(self._out)

    def adopt(self, spare: Path, member: str) -> None:  # noqa: ARG002
        raise OutputNotUsable(
            path=member, reason="an output of one file has no room for images; name a folder or a .zip"
        )

    def finish(self) -> None:
        pass


class _FolderBody:
    """A folder of files."""

    def __init__(self, out: Path) -> None:
        out.mkdir(mode=0o700)
        self._out = out

    def begin(self, member: str, small: bool) -> IO[bytes]:  # noqa: ARG002
        return _create(self._place(member))

    def adopt(self, spare: Path, member: str) -> None:
        spare.rename(self._place(member))

    def finish(self) -> None:
        pass

    def _place(self, member: str) -> Path:
        place = self._out / member
        for parent in reversed(place.relative_to(self._out).parents):
            (self._out / parent).mkdir(mode=0o700, exist_ok=True)
        return place


class _ZipBody:
    """A plain zip: zip64 where needed, members deflated, images stored (they are compressed already)."""

    def __init__(self, out: Path) -> None:
        self._file = _create(out, _BUFFER)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=ZIP_LEVEL)

    def begin(self, member: str, small: bool) -> IO[bytes]:
        info = _zip_info(member, _method(member))
        return self._zip.open(info, "w", force_zip64=not small)

    def adopt(self, spare: Path, member: str) -> None:
        info = _zip_info(member, zipfile.ZIP_STORED)
        info.file_size = spare.stat().st_size
        with spare.open("rb") as source, self._zip.open(info, "w") as target:
            shutil.copyfileobj(source, target, _BUFFER)
        spare.unlink()

    def finish(self) -> None:
        try:
            self._zip.close()
        finally:
            self._file.close()


_BODIES: dict[Shape, Callable[[Path], _Body]] = {"file": _FileBody, "folder": _FolderBody, "zip": _ZipBody}


def _method(member: str) -> int:
    """What is packed already is stored."""
    return zipfile.ZIP_STORED if member.endswith(PACKED) else zipfile.ZIP_DEFLATED


def _zip_info(member: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member, _DATE)
    info.compress_type = method
    info._compresslevel = ZIP_LEVEL  # type: ignore[attr-defined] # the only way before 3.13
    info.create_system = 3  # Unix, wherever it is made: the same bytes, and the permissions count
    info.external_attr = 0o100600 << 16
    return info


def _unused(path: Path) -> Path:
    """A name beside ``path`` for what must not be used."""
    names = (path.with_name(f"{path.name}{DAMAGED}{number or ''}") for number in count())
    return next(name for name in names if not os.path.lexists(name))


def _create(path: Path, buffering: int = 0) -> IO[bytes]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(handle, "wb", buffering)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum((Path(base) / name).stat().st_size for base, _, names in os.walk(path) for name in names)


def _mode(path: Path) -> int:
    """What is at ``path``, links not followed; 0 for nothing. Raises OSError, OutputNotUsable."""
    if "\0" in str(path):
        raise OutputNotUsable(path=path, reason="a NUL in its name")
    if not path.name or not path.absolute().parent.is_dir():
        raise OutputNotUsable(path=path, reason="its folder does not exist")
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0

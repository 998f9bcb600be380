"""Outputs: one file, a folder, a zip or a .7z, that are either whole under their final name or not there at all.

``open_output`` checks the place, the container makes its members aside (see ``partial``), and leaving it
cleanly puts all in place in one rename; an error, or a SIGKILL, leaves nothing under the final name. Files are
0600 and folders 0700. The same members give the same bytes: dates in a zip or .7z are 1980-01-01.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

from ..errors import OutputExists, OutputNotUsable, PortabilityError, Unreadable, VerificationFailed
from . import replacing
from .member import Member, MemberFile
from .partial import Partial, forget_tree, make_partial, sync_tree
from .room import check_room, said, translated
from .sevenzip import check_library
from .sevenzip_body import SevenZipBody
from .shapes import BUFFER, PACKED, ZIP_LEVEL, Body, FileBody, FolderBody, ZipBody, create

__all__ = (
    "DAMAGED",
    "MANIFEST",
    "PACKED",
    "ZIP_LEVEL",
    "Container",
    "Member",
    "Shape",
    "check_room",
    "closing",
    "open_output",
)

Shape = Literal["file", "folder", "zip", "7z"]
MANIFEST = replacing.MANIFEST
_BODIES: dict[Shape, Callable[[Path], Body]] = {
    "file": FileBody,
    "folder": FolderBody,
    "zip": ZipBody,
    "7z": SevenZipBody,
}
DAMAGED = ".damaged"
"""How the name of an output goes on that did not read back."""


def open_output(path: Path | str, shape: Shape, overwrite: bool = False) -> Container:
    """Check that ``path`` can become an output of ``shape``, and give its container (a context manager).

    A missing path is fine, and so is an empty folder for a folder. Raises OutputExists, or OutputNotUsable
    when something else is there that must not be replaced, or its folder is missing; LibrariesMissing for a .7z.
    """
    if shape == "7z":
        check_library()
    container = Container(Path(path), shape, overwrite)
    container.check()
    return container


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

    ``members`` are those that are finished; ``bytes`` is the size of the whole output once it is in place, ``durable``
    whether its disk could be asked to keep it through a power cut. ``proof``,
    if there is one, reads the finished output back before it gets its name, and raises what is wrong with it.
    ``about_to_commit``, if there is one, is told where the output lies just before that.
    """

    def __init__(self, path: Path, shape: Shape, overwrite: bool) -> None:
        self.path, self.shape = path, shape
        self.members: dict[str, Member] = {}
        self.bytes = 0
        self.durable = True
        self.proof: Callable[[Path], None] | None = None
        self.about_to_commit: Callable[[Path], None] | None = None
        self._overwrite = overwrite
        self._partial: Partial | None = None
        self._body: Body | None = None
        self._open: MemberFile | None = None

    def check(self) -> None:
        """Whether the place can still be used. Raises OutputExists, OutputNotUsable."""
        path = self.path
        with translated(path):
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
        with translated(self.path):
            self._partial = partial = make_partial(self.path.absolute())
            try:
                self._body = _BODIES[self.shape](partial.out)
            except BaseException:
                partial.discard()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        partial, self._partial = self._partial, None
        assert partial and self._body  # noqa: S101 - entered
        try:
            self._close_member(keep=error is None)
            self._body.finish(keep=error is None)
            if error is None:
                self.check()
                self.bytes = _size(partial.out)
                self.durable = sync_tree(partial.out)
                self._prove(partial.out)
                if self.about_to_commit:
                    self.about_to_commit(partial.out)
                partial.commit()
        except OSError as failed:
            if error is None:
                raise said(self.path, failed) from failed
        finally:
            partial.discard()

    def _prove(self, out: Path) -> None:
        """Have the output read back from the disk. One that fails is kept aside, under a name that nothing takes for
        the output's. Raises VerificationFailed, OSError."""
        if self.proof is None:
            return
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
        with translated(self.path), create(place) as file:
            while chunk := stream.read(BUFFER):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
        return place, Member(size, digest.hexdigest())

    def adopt(self, spare: Path, member: str, known: Member) -> None:
        """Make the file ``spare`` (whose size and digest are ``known``) a member. None may be open."""
        assert self._body and not self._open  # noqa: S101 - entered
        with translated(self.path):
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
        with translated(self.path):
            target = self._body.begin(member, small)
        digest = None if self.shape == "file" else hashlib.sha256()
        self._open = MemberFile(
            target, digest, lambda done: self._finished(member, done), lambda error: said(self.path, error)
        )
        return io.BufferedWriter(self._open, BUFFER)

    def _finished(self, member: str, done: MemberFile) -> None:
        self._open = None
        self.members[member] = Member(done.size, done.digest.hexdigest() if done.digest else "")

    def _close_member(self, *, keep: bool) -> None:
        """Close a member that was left open; when the output is given up, without what waits in its buffer."""
        if self._open:
            self._open.dead = not keep
            self._open.close()


def _unused(path: Path) -> Path:
    """A name beside ``path`` for what must not be used."""
    names = (path.with_name(f"{path.name}{DAMAGED}{number or ''}") for number in count())
    return next(name for name in names if not os.path.lexists(name))


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

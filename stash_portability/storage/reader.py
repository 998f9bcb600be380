"""Inputs: a folder, a plain zip or a .7z whose members are listed, opened and checked against its manifest.

Of a folder or a zip nothing is ever unpacked to the disk; of a .7z, what cannot be read by itself, into a folder of the
run's own (see ``quarantine``). Names that could lead anywhere else, links, twins, encrypted or strangely packed members
make the whole input refused, before anything of it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from ..errors import Unreadable, UnsupportedVersion
from ..json_text import loads_strict
from .container import MANIFEST, Member
from .names import MEMBER_LIMIT, check_names
from .sevenzip_input import ENDING, SevenZipInput, is_sevenzip
from .zip_input import ZipInput

ENDINGS = (".zip", ENDING)
"""How the names of inputs end that are one file."""
_MANIFEST_LIMIT = 256 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_DAMAGE = (OSError, EOFError, OverflowError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)
"""What the libraries say of damaged files (NotImplementedError is a RuntimeError)."""


class Input(Protocol):
    """A folder, a zip or a .7z: its members by name with their sizes, and how to open one."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The size of each member, by its name."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open a member for reading. Raises OSError, BadZipFile and the like."""
        ...


class Listed(NamedTuple):
    """An input whose manifest was read: the members it lists, each with what it says of it."""

    source: Input
    manifest: dict[str, Any]
    members: dict[str, dict[str, Any]]


def open_input(path: Path) -> Input:
    """List a folder, a plain zip or a .7z. Raises Unreadable naming the first member that is refused, LibrariesMissing
    for a .7z."""
    with _refusing(path):
        if path.is_dir():
            return _FolderInput(path)
        return SevenZipInput(path) if is_sevenzip(path) else ZipInput(path)


def read_manifest(path: Path, format_: str, version: int) -> Listed:
    """Open ``path`` and check its manifest: format, version, and that it lists exactly the members there are.

    Raises Unreadable, and UnsupportedVersion when it was made by a newer version.
    """
    source = open_input(path)
    if MANIFEST not in source.sizes:
        raise Unreadable(path=path, reason=f"it has no {MANIFEST}")
    if source.sizes[MANIFEST] > _MANIFEST_LIMIT:
        raise Unreadable(path=path, reason=f"{MANIFEST} is too large")
    with _refusing(path), source.open(MANIFEST) as file:
        manifest = loads_strict(file.read(_MANIFEST_LIMIT))
    _check_version(path, manifest, format_, version)
    members = _members(path, manifest)
    _check_members(path, members, source)
    return Listed(source, manifest, members)


def manifest_format(path: Path) -> str:
    """What the manifest of ``path`` says it is, or "" when there is none. Raises Unreadable."""
    with _refusing(path):
        if path.is_dir() and not (path / MANIFEST).is_file():
            return ""
    source = open_input(path)
    if MANIFEST not in source.sizes:
        return ""
    with _refusing(path), source.open(MANIFEST) as file:
        manifest = json.loads(file.read(_MANIFEST_LIMIT))
    return str(manifest.get("format", "")) if isinstance(manifest, dict) else ""


def open_member(path: Path, listed: Listed, name: str) -> IO[bytes]:
    """Open a listed member; reading it to its end checks its digest. Raises Unreadable, then or now."""
    known = listed.members.get(name)
    if known is None:
        raise Unreadable(path=path, reason=f"it has no {name}")
    expected = Member(known["bytes"], known["sha256"])
    if listed.source.sizes[name] != expected.bytes:
        raise Unreadable(path=path, reason=f"{name} has another size than its manifest says: it is damaged")
    with _refusing(path):
        return io.BufferedReader(_Verified(path, name, listed.source.open(name), expected), 1 << 18)


def _check_version(path: Path, manifest: Any, format_: str, version: int) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != format_:
        raise Unreadable(path=path, reason=f"its {MANIFEST} is not one of {format_}")
    found = manifest.get("version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise Unreadable(path=path, reason=f"its {MANIFEST} gives no version")
    if found > version:
        raise UnsupportedVersion(
            address=path,
            version=f"{format_} version {found}",
            reason=f"this program reads up to {version}; use a newer one",
        )


def _members(path: Path, manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    members: dict[str, dict[str, Any]] = {}
    for member in _list(manifest.get("members")):
        name = member.get("name") if isinstance(member, dict) else None
        if (
            not isinstance(name, str)
            or name in members
            or not isinstance(member.get("bytes"), int)
            or not _SHA256.match(str(member.get("sha256")))
        ):
            raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged")
        members[name] = member
    return members


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _check_members(path: Path, members: Mapping[str, Any], source: Input) -> None:
    missing = next((name for name in members if name not in source.sizes), None)
    if missing is not None:
        raise Unreadable(path=path, reason=f"{missing} is missing, though its {MANIFEST} lists it")
    extra = next((name for name in source.sizes if name not in members and name != MANIFEST), None)
    if extra is not None:
        raise Unreadable(path=path, reason=f"{extra} is not listed in its {MANIFEST}")


@contextmanager
def _refusing(path: Path, name: str = "") -> Iterator[None]:
    """Make our error of whatever a damaged file makes the libraries say."""
    try:
        yield
    except _DAMAGE as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreadable(path=path, reason=f"{name}: {said}" if name else said) from error


class _Verified(io.RawIOBase):
    """A member as it is read: its size and digest are compared when its end is reached."""

    def __init__(self, path: Path, name: str, stream: IO[bytes], expected: Member) -> None:
        self._path, self._name, self._stream, self._expected = path, name, stream, expected
        self._digest, self._size = hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _refusing(self._path, self._name):
            chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._digest.update(chunk)
        self._size += len(chunk)
        if self._size > self._expected.bytes:
            raise Unreadable(path=self._path, reason=f"{self._name} is longer than it says")
        if not chunk and Member(self._size, self._digest.hexdigest()) != self._expected:
            raise Unreadable(path=self._path, reason=f"{self._name} differs from its digest: it is damaged")
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class _FolderInput:
    """A folder of plain files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not (path / MANIFEST).is_file():
            raise ValueError(f"it has no {MANIFEST}")
        self.sizes = dict(islice(_walk_folder(path), MEMBER_LIMIT + 1))
        check_names(self.sizes)

    def open(self, name: str) -> IO[bytes]:
        handle = os.open(self._path / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        return os.fdopen(handle, "rb", 0)


def _walk_folder(path: Path) -> Iterator[tuple[str, int]]:
    for base, folders, names in os.walk(path):
        for name in (*folders, *names):
            place = Path(base) / name
            found, member = place.lstat(), place.relative_to(path).as_posix()
            if stat.S_ISREG(found.st_mode):
                yield member, found.st_size
            elif not stat.S_ISDIR(found.st_mode):
                raise ValueError(f"{member!r} is a link or a device")

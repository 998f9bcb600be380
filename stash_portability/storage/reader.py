"""Inputs: a folder or a plain zip whose members are listed, opened and checked against its manifest.

Nothing is ever unpacked to the disk. Names that could lead anywhere else, links, twins, encrypted or strangely
packed members make the whole input refused, before anything of it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from ..errors import Unreadable, UnsupportedVersion
from .container import MANIFEST, Member

MEMBER_LIMIT = 500_000
"""Members of one input: a library of 100,000 scenes with a cover each has that many blobs, and no more."""
_NAME_LIMIT, _DEPTH_LIMIT = 1024, 16
_MANIFEST_LIMIT = 256 << 20
_RATIO_LIMIT, _RATIO_FROM = 200, 16 << 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?\Z", re.IGNORECASE | re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LOCAL = struct.Struct("<4s5H3L2H")
_SIZE64 = 0xFFFFFFFF
"""Stands where a size of 64 bits follows elsewhere."""
_END_RECORD = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_DAMAGE = (OSError, EOFError, OverflowError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error)
"""What the libraries say of damaged files (NotImplementedError is a RuntimeError)."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Input(Protocol):
    """A folder or a zip: its members by name with their sizes, and how to open one."""

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
    """List a folder or a plain zip. Raises Unreadable naming the first member that is refused."""
    with _refusing(path):
        return _FolderInput(path) if path.is_dir() else _ZipInput(path)


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
        manifest = json.loads(file.read(_MANIFEST_LIMIT))
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
        self.sizes = dict(_walk_folder(path))
        _check_names(self.sizes)

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


class _ZipInput:
    """A plain zip."""

    def __init__(self, path: Path) -> None:
        _check_zip(path)
        self._zip = zipfile.ZipFile(path)
        infos = [info for info in self._zip.infolist() if not _is_folder(info)]
        _check_names(info.orig_filename for info in infos)
        for info in infos:
            _check_info(info)
        _check_apart(infos, self._zip.start_dir)
        self.sizes = {info.filename: info.file_size for info in infos}

    def open(self, name: str) -> IO[bytes]:
        self._check_local(self._zip.getinfo(name))
        return self._zip.open(name)

    def _check_local(self, info: zipfile.ZipInfo) -> None:
        """A member says twice what it is; readers differ in which of the two they go by."""
        file = self._zip.fp
        assert file  # noqa: S101 - never closed
        file.seek(info.header_offset)
        signature, _, flags, method, _, _, crc, packed, size, *_ = _LOCAL.unpack(file.read(_LOCAL.size))
        later = flags & 0x8  # sizes and checksum stand behind the member
        same = later or (crc, min(packed, _SIZE64), min(size, _SIZE64)) in (
            (info.CRC, info.compress_size, info.file_size),
            (info.CRC, _SIZE64, _SIZE64),
        )
        if signature != b"PK\3\4" or (flags, method) != (info.flag_bits, info.compress_type) or not same:
            raise ValueError(f"{info.filename!r} is described in two ways")


def _check_apart(infos: Iterable[zipfile.ZipInfo], end: int) -> None:
    """Refuse members that share bytes: a few of them can unpack to any size. Raises ValueError."""
    for info in sorted(infos, key=lambda one: -one.header_offset):
        if info.header_offset + _LOCAL.size + len(info.orig_filename) + info.compress_size > end:
            raise ValueError(f"{info.orig_filename!r} overlaps another member")
        end = info.header_offset


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/") and not info.file_size and not _name_problem(info.orig_filename.rstrip("/"))


def _check_zip(path: Path) -> None:
    """Check the two ends of a zip before it is taken apart: nothing before, nothing after, not too many members."""
    with path.open("rb") as file:
        begin = file.read(4)
        size = file.seek(0, os.SEEK_END)
        if not size:
            raise ValueError("it is empty")
        if not begin.startswith(b"PK"):
            raise ValueError(f"it is not a zip; it looks like {_looks_like(begin)}")
        if size < _END_RECORD.size:
            raise ValueError("it is truncated")
        file.seek(-_END_RECORD.size, os.SEEK_END)
        end = _END_RECORD.unpack(file.read())
        if end[0] != b"PK\5\6" or end[7] != 0:
            raise ValueError("it does not end as a zip ends: it is truncated, or something was added")
        count = end[4] if end[4] != 0xFFFF else _count64(file)
    if count > MEMBER_LIMIT:
        raise ValueError(f"it has {count:,} members; {MEMBER_LIMIT:,} is the limit")


def _count64(file: IO[bytes]) -> int:
    file.seek(-_END_RECORD.size - _END64_LOCATOR.size, os.SEEK_END)
    signature, _, offset, _ = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
    if signature != b"PK\6\7":
        return 0xFFFF
    file.seek(offset)
    record = file.read(_END64_RECORD.size)
    return int(_END64_RECORD.unpack(record)[7]) if len(record) == _END64_RECORD.size else 0


def _looks_like(begin: bytes) -> str:
    signs = {
        b"\x1f\x8b": "gzip",
        b"SQLi": "an SQLite database",
        b"7z\xbc\xaf": "7z",
        b"<": "HTML or XML",
        b"{": "JSON",
        b"age-": "age",
    }
    return next((what for sign, what in signs.items() if begin.startswith(sign)), "something else")


def _check_info(info: zipfile.ZipInfo) -> None:
    name, mode = info.orig_filename, info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ValueError(f"{name!r} is a link or a device")
    if info.flag_bits & 0x1:
        raise ValueError(f"{name!r} is encrypted")
    if info.compress_type not in _METHODS:
        raise ValueError(f"{name!r} is packed by the unknown method {info.compress_type}")
    if info.file_size > _RATIO_FROM and info.file_size > _RATIO_LIMIT * info.compress_size:
        raise ValueError(f"{name!r} unpacks to more than {_RATIO_LIMIT} times its size")


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that lead elsewhere, that some systems cannot hold, and twins. Raises ValueError."""
    seen: set[str] = set()
    for name in names:
        problem = _name_problem(name)
        alike = unicodedata.normalize("NFC", name).casefold()
        if problem or alike in seen:
            raise ValueError(f"the member {name[:100]!r} is refused: {problem or 'its name is there twice'}")
        seen.add(alike)
    if len(seen) > MEMBER_LIMIT:
        raise ValueError(f"it has more than {MEMBER_LIMIT:,} members")


def _name_problem(name: str) -> str:
    steps = name.split("/")
    if len(name.encode("utf-8", "surrogatepass")) > _NAME_LIMIT or len(steps) > _DEPTH_LIMIT:
        return "its name is too long"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "control characters in its name"
    if "\\" in name or ":" in name:
        return "a backslash or a colon in its name"
    if any(step in ("", ".", "..") for step in steps):
        return "it leads out of its place"
    if any(_RESERVED.match(step) or step[-1] in ". " for step in steps):
        return "a name that Windows cannot hold"
    return ""

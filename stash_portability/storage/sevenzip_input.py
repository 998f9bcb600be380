"""A .7z as an input. It is listed and unpacked by a process of its own, and only block by block: a solid block can be
read from its beginning only, so the first member that is asked for brings all of its block into quarantine. A block
that is not packed at all (as our own writer leaves images and the manifest) is read where it lies.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from .names import RATIO_FROM, RATIO_LIMIT, check_names, looks_like
from .quarantine import Quarantine
from .room import check_room
from .sevenzip import MEMBER_LIMIT, check_library
from .sevenzip_outside import index, unpack

ENDING = ".7z"
_MAGIC = b"7z\xbc\xaf\x27\x1c"
_START = struct.Struct("<6s2BL2QL")
_PLAIN = "00"
_LZMA2, _LZMA, _DEFLATE, _BZIP2, _BCJ = "21", "030101", "040108", "040202", "03030103"
_METHODS = (_PLAIN, _LZMA2, _LZMA, _DEFLATE, _BZIP2, _BCJ)
"""The methods that are read. Others are rare in archives of text and images, and less well proved."""
_OTHERS = {
    "030401": "PPMd",
    "040109": "Deflate64",
    "04f71101": "zstd",
    "04f71102": "Brotli",
    "04f71104": "LZ4",
    "0303011b": "BCJ2",
    "03": "Delta",
    "06f10701": "AES, that is encrypted",
}


class _Block(NamedTuple):
    """A solid block: how it is packed, its packed size, its size, and where it begins in the file."""

    methods: tuple[str, ...]
    packed: int
    size: int
    begin: int


class _Place(NamedTuple):
    """Where a member lies: in which block (-1 for one without content), from which byte of it on, how many."""

    block: int
    offset: int
    size: int


def is_sevenzip(path: Path) -> bool:
    """Whether ``path`` should be a .7z: it is named like one, or begins like one and is not named as a zip is. Raises
    OSError."""
    ending = path.suffix.lower()
    with path.open("rb") as file:
        return ending == ENDING or (ending != ".zip" and file.read(len(_MAGIC)) == _MAGIC)


class SevenZipInput:
    """A .7z. Raises ValueError and OSError for one that is refused or damaged, LibrariesMissing."""

    def __init__(self, path: Path) -> None:
        check_library()
        _check_ends(path)
        self._path = path
        told = index(path)
        self._blocks = [_Block(tuple(methods), *numbers) for methods, *numbers in told["blocks"]]
        members = [member for member in told["members"] if member[2] != "folder"]
        _check_members(told["members"])
        for block in self._blocks:
            _check_block(block)
        self._places = dict(_places(members, self._blocks))
        self._quarantine: Quarantine | None = None
        self.sizes: Mapping[str, int] = {name: place.size for name, place in self._places.items()}

    def open(self, name: str) -> IO[bytes]:
        """See Input. Raises NoSpace when there is no room to unpack its block."""
        place = self._places[name]
        if place.block < 0:
            return io.BytesIO()
        block = self._blocks[place.block]
        if block.methods == (_PLAIN,):
            return io.BufferedReader(_Slice(self._path, block.begin + place.offset, place.size))
        return io.BufferedReader(_Slice(self._unpacked(place.block), place.offset, place.size))

    def _unpacked(self, number: int) -> Path:
        """The block in quarantine, unpacked there now if need be."""
        self._quarantine = self._quarantine or Quarantine()
        folder = self._quarantine.folder
        place = folder / str(number)
        if not place.exists():
            check_room(folder, self._blocks[number].size)
            half = folder / "half"
            half.unlink(missing_ok=True)
            unpack(self._path, number, self._blocks[number].size, half)
            half.rename(place)
        return place


class _Slice(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file, self._left = path.open("rb", buffering=0), size
        self._file.seek(offset)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read(min(len(buffer), self._left))
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_ends(path: Path) -> None:
    """Check the two ends of a .7z before it is taken apart: nothing before, nothing after. Raises ValueError."""
    with path.open("rb") as file:
        begin = file.read(_START.size)
        size = file.seek(0, os.SEEK_END)
    if not size:
        raise ValueError("it is empty")
    if not begin.startswith(_MAGIC):
        raise ValueError(f"it is no .7z; it looks like {looks_like(begin)}")
    if len(begin) < _START.size:
        raise ValueError("it is truncated")
    _, _, _, checksum, offset, length, _ = _START.unpack(begin)
    if zlib.crc32(begin[12:]) != checksum:
        raise ValueError("its first bytes are damaged")
    if _START.size + offset + length != size:
        raise ValueError("it does not end where it says: it is truncated, or something was added")


def _check_members(members: list[Any]) -> None:
    if len(members) > MEMBER_LIMIT:
        raise ValueError(f"it has {len(members):,} members; {MEMBER_LIMIT:,} is the limit of a .7z")
    check_names(name for name, *_ in members)
    for name, size, kind, _ in members:
        if kind == "other":
            raise ValueError(f"{name!r} is a link or a device")
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"{name!r} has no size")


def _check_block(block: _Block) -> None:
    for method in block.methods:
        if method not in _METHODS:
            raise ValueError(
                f"it is packed by {_OTHERS.get(method, f'the unknown method {method}')}, which is not read"
            )
    if block.methods == (_PLAIN,) and block.packed != block.size:
        raise ValueError("a block that is not packed has two sizes")
    if block.size > RATIO_FROM and block.size > RATIO_LIMIT * block.packed:
        raise ValueError(f"a block of it unpacks to more than {RATIO_LIMIT} times its size")


def _places(members: list[Any], blocks: list[_Block]) -> Iterator[tuple[str, _Place]]:
    """Where each member lies. Raises ValueError when a block is not exactly its members."""
    filled = [0] * len(blocks)
    for name, size, _, block in members:
        yield name, _Place(block, filled[block] if block >= 0 else 0, size)
        if block >= 0:
            filled[block] += size
        elif size:
            raise ValueError(f"{name!r} has a size, and no content")
    if filled != [block.size for block in blocks]:
        raise ValueError("a block of it is larger or smaller than its members")

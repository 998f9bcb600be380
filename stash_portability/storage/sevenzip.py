"""The library that knows .7z, and the one place it is named: writing a block, listing an archive, unpacking a block.

Only the writing happens in this process. Archives come from anywhere, and what the library makes of one is limited by
its good will only: they are read in a process of their own (``sevenzip_child``), which has these functions from here.
"""

from __future__ import annotations

import importlib.util
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import LibrariesMissing

COPY, LZMA2 = "COPY", "LZMA2"
MEMBER_LIMIT = 100_000
"""Members of one .7z: what the library knows of each takes it some 2 KB of memory."""
_DATE = 315_532_800
"""1980-01-01, in seconds: the date of every member."""
_PRESET = 1
_UNIX, _WINDOWS_LINK = 0x8000, 0x400


def check_library() -> None:
    """Raise LibrariesMissing when .7z cannot be had. Cheap: nothing is imported."""
    if importlib.util.find_spec("py7zr") is None:
        raise _missing("no py7zr")


def _missing(reason: str) -> LibrariesMissing:
    return LibrariesMissing(what=".7z", reason=reason, command="pip install py7zr")


def _library() -> Any:
    try:
        import py7zr  # noqa: PLC0415 - a set of its own, which need not be there
    except ImportError as error:
        raise _missing(f"no py7zr ({error})") from error
    return py7zr


class Block:
    """A solid block in the making, behind those that are in the archive already, packed by ``method`` (COPY, LZMA2).
    Raises LibrariesMissing, OSError."""

    def __init__(self, out: Path, method: str, *, first: bool) -> None:
        py7zr = _library()
        filters = {COPY: {"id": py7zr.FILTER_COPY}, LZMA2: {"id": py7zr.FILTER_LZMA2, "preset": _PRESET}}
        self._file = out.open("r+b")
        try:
            self._archive = py7zr.SevenZipFile(self._file, "w" if first else "a", filters=[filters[method]])
            _remember_sizes(self._archive)
        except BaseException:
            self._file.close()
            raise

    def add(self, place: Path, member: str) -> None:
        """Pack the file at ``place`` as ``member``, and remove it. Raises OSError."""
        os.utime(place, (_DATE, _DATE))
        self._archive.write(place, member)
        place.unlink()

    def end(self, keep: bool) -> None:
        """Write the archive's directory, if it is to be kept, and close the file. Raises OSError."""
        try:
            if keep:
                self._archive.close()
        finally:
            self._file.close()


def _remember_sizes(archive: Any) -> None:
    """Where every block has one member only, a directory leaves the sizes of members out, and the library that goes on
    from such a one (1.1.4) takes the first size it adds for that of the first member."""
    streams = archive.header.main_streams
    if streams and streams.substreamsinfo.unpacksizes is None:
        streams.substreamsinfo.unpacksizes = [folder.get_unpack_size() for folder in streams.unpackinfo.folders]


def index(file: IO[bytes]) -> dict[str, Any]:
    """What the archive in ``file`` holds: ``members`` as [name, size, "file" | "folder" | "other", number of the block
    or -1], in their order; ``blocks`` as [numbers of the methods in hexadecimal, packed size, size, where it begins].
    Raises whatever the library does."""
    archive = _library().SevenZipFile(file)
    streams = archive.header.main_streams
    folders = streams.unpackinfo.folders if streams else []
    numbers = {id(folder): number for number, folder in enumerate(folders)}
    members = [
        [entry.filename, entry.uncompressed, _kind(entry), numbers.get(id(entry.folder), -1)] for entry in archive.files
    ]
    return {"members": members, "blocks": list(_blocks(archive, folders))}


def _blocks(archive: Any, folders: list[Any]) -> Iterator[list[Any]]:
    if folders:
        packed = archive.header.main_streams.packinfo
        if len(packed.packsizes) != len(folders):
            raise ValueError("a block of it is packed in several streams (BCJ2, for one), which cannot be read")
        for number, folder in enumerate(folders):
            methods = [coder["method"].hex() for coder in folder.coders]
            begin = archive.afterheader + packed.packpos + packed.packpositions[number]
            yield [methods, packed.packsizes[number], folder.get_unpack_size(), begin]


def _kind(entry: Any) -> str:
    """What a member is, by what is noted of it under Unix and under Windows."""
    attributes = entry.file_properties().get("attributes") or 0
    mode = stat.S_IFMT(attributes >> 16) if attributes & _UNIX else 0
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR) or attributes & _WINDOWS_LINK:
        return "other"
    return "folder" if entry.is_directory and entry.emptystream else "file"


def unpack(file: IO[bytes], block: int, size: int, target: IO[bytes]) -> None:
    """Write the members of a block to ``target``, one behind the other; ``size`` is what they unpack to. Raises
    whatever the library does."""
    archive = _library().SevenZipFile(file, max_extract_size=size)
    wanted = archive.header.main_streams.unpackinfo.folders[block]
    names = [entry.filename for entry in archive.files if entry.folder is wanted]
    archive.extract(targets=names, factory=_Through(target))


class _Through:
    """What the library asks for a place for each member; all of them go through one pipe."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target

    def create(self, _name: str) -> _Through:
        return self

    def write(self, chunk: bytes) -> int:
        self._target.write(chunk)
        return len(chunk)

    def seek(self, _offset: int, _whence: int = io.SEEK_SET) -> int:
        return 0

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

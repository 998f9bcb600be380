"""Members packed with zstd: written and read as streams, within limits. The one place zstandard is named."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

from ..errors import LibrariesMissing, Unreadable

LEVEL = 3
_WINDOW = 1 << 23
"""Bytes a packed member may make its reader hold. Level 3 needs 2 MiB."""
_BUFFER = 1 << 18


def packing(target: IO[bytes]) -> IO[bytes]:
    """A file whose bytes go packed into ``target``; closing it closes both. Raises LibrariesMissing."""
    library = _library()
    packer = library.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=False)
    return io.BufferedWriter(_Packing(packer.stream_writer(target, closefd=False), target), _BUFFER)


def unpacking(path: Path, name: str, packed: IO[bytes], size: int) -> IO[bytes]:
    """A file of the ``size`` bytes that the member ``name`` of ``path`` unpacks to. ``packed`` is read to its end, and
    closed with it. Raises LibrariesMissing now; Unreadable as it is read, for another size and for what is damaged."""
    library = _library()
    reader = library.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(packed, read_size=_BUFFER, closefd=False)
    return io.BufferedReader(_Unpacking(path, name, (reader, packed), size, library.ZstdError), _BUFFER)


def check_library() -> None:
    """Raise LibrariesMissing when zstd cannot be had."""
    _library()


def _library() -> Any:
    try:
        import zstandard  # noqa: PLC0415 - a set of its own, which need not be there
    except ImportError as error:
        what, how = "zstd", "pip install zstandard"
        raise LibrariesMissing(what=what, reason=f"no zstandard ({error})", command=how) from error
    return zstandard


class _Packing(io.RawIOBase):
    """Where bytes go in, on their way through the packer."""

    def __init__(self, packer: Any, target: IO[bytes]) -> None:
        self._packer, self._target = packer, target

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        self._packer.write(chunk)
        return len(chunk)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        try:
            self._packer.close()
        finally:
            self._target.close()


class _Unpacking(io.RawIOBase):
    """A member as it is unpacked. Its end is reached when the packed bytes are at theirs, so that whoever checks
    their digest has seen them all."""

    def __init__(self, path: Path, name: str, streams: tuple[Any, IO[bytes]], size: int, error: Any) -> None:
        self._path, self._name, self._left, self._error = path, name, size, error
        self._reader, self._packed = streams

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = int(self._reader.readinto(buffer))
        except self._error as error:
            raise self._said(f"it is damaged: {error}") from error
        self._left -= count
        if self._left < 0:
            raise self._said("it unpacks to more than the manifest says")
        if not count:
            while self._packed.read(_BUFFER):
                pass
            if self._left:
                raise self._said("it unpacks to less than the manifest says")
        return count

    def _said(self, reason: str) -> Unreadable:
        return Unreadable(path=self._path, reason=f"{self._name}: {reason}")

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
            self._packed.close()
        super().close()

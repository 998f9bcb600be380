"""How a file, a folder and a zip come to be from their members. A ``.7z`` has a module of its own."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import IO, Protocol

from ..errors import OutputNotUsable

BUFFER = 1 << 20
PACKED = ".zst"
"""How the names of members end that are packed before they come here (see ``zstd``)."""
ZIP_LEVEL = 3
"""Of zlib: 1.8 times as fast as 6 on records, and a tenth larger."""
_DATE = (1980, 1, 1, 0, 0, 0)


class Body(Protocol):
    """The shapes differ in this only."""

    def begin(self, member: str, small: bool) -> IO[bytes]:
        """Give the file a member is written to; closing it finishes it."""
        ...

    def adopt(self, spare: Path, member: str) -> None:
        """Make a member of a file; it is gone from where it was."""
        ...

    def finish(self, keep: bool) -> None:
        """Write what is still to be written; of what is not kept, only close it."""
        ...


class FileBody:
    """One file; its only member is ""."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def begin(self, member: str, small: bool) -> IO[bytes]:  # noqa: ARG002 - one shape of several
        """See Body."""
        return create(self._out)

    def adopt(self, spare: Path, member: str) -> None:  # noqa: ARG002
        """There is no second member. Raises OutputNotUsable."""
        raise OutputNotUsable(
            path=member, reason="an output of one file has no room for images; name a folder or a .zip"
        )

    def finish(self, keep: bool) -> None:
        """Nothing is left to do."""


class FolderBody:
    """A folder of files."""

    def __init__(self, out: Path) -> None:
        out.mkdir(mode=0o700)
        self._out = out

    def begin(self, member: str, small: bool) -> IO[bytes]:  # noqa: ARG002
        """See Body."""
        return create(self._place(member))

    def adopt(self, spare: Path, member: str) -> None:
        """See Body."""
        spare.rename(self._place(member))

    def finish(self, keep: bool) -> None:
        """Nothing is left to do."""

    def _place(self, member: str) -> Path:
        place = self._out / member
        for parent in reversed(place.relative_to(self._out).parents):
            (self._out / parent).mkdir(mode=0o700, exist_ok=True)
        return place


class ZipBody:
    """A plain zip: zip64 where needed, members deflated, images stored (they are compressed already)."""

    def __init__(self, out: Path) -> None:
        self._file = create(out, BUFFER)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=ZIP_LEVEL)

    def begin(self, member: str, small: bool) -> IO[bytes]:
        """See Body."""
        info = _zip_info(member, _method(member))
        return self._zip.open(info, "w", force_zip64=not small)

    def adopt(self, spare: Path, member: str) -> None:
        """See Body."""
        info = _zip_info(member, zipfile.ZIP_STORED)
        info.file_size = spare.stat().st_size
        with spare.open("rb") as source, self._zip.open(info, "w") as target:
            shutil.copyfileobj(source, target, BUFFER)
        spare.unlink()

    def finish(self, keep: bool) -> None:  # noqa: ARG002
        """See Body."""
        try:
            self._zip.close()
        finally:
            self._file.close()


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


def create(path: Path, buffering: int = 0) -> IO[bytes]:
    """Make the file ``path``, which must not exist, for its owner only. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(handle, "wb", buffering)

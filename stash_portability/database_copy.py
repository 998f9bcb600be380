"""Stash's own database in a backup: copied by Stash itself (a live file is never touched), checked, and with it the
list of where its images belong when they lie in files. It holds no password and no key: those are in config.yml.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from .errors import PortabilityError, UsageError, VerificationFailed
from .libraries.archive_text import DATABASE, DATABASE_IMAGES
from .libraries.archive_write import ArchiveSink
from .libraries.database_shape import read_shape
from .model import BlobRef, Source
from .storage.container import Container
from .storage.room import check_room

if TYPE_CHECKING:
    from .libraries.stash import StashSource

SECONDS = 3600.0
"""Stash answers when the copy is made: a large one takes minutes."""
_SIZE = 'mutation Size{querySQL(sql:"select page_count * page_size from pragma_page_count, pragma_page_size"){rows}}'
_COPY = "mutation Copy{backupDatabase(input:{download:true})}"
_PLACE = "/downloads/"


class DatabaseCopy:
    """The database of the Stash ``source`` reads, on its way into an archive. Raises UsageError when ``source`` is no
    running Stash."""

    def __init__(self, source: Source, address: str) -> None:
        stash: StashSource | None = getattr(source, "server", None)
        if stash is None:
            why = "only a running Stash can copy its database: give --from its address"
            raise UsageError(f"--include-database cannot be used with {address}: {why}")
        self._stash, self._local = stash, stash is not source
        self._status = stash.status()
        self._images: dict[bytes, str] = {}
        self._outside: set[bytes] = set()

    def check_room(self, path: Path, more: int) -> int:
        """Raise NoSpace when there is no room for the copy and what is packed of it, beside ``more`` bytes, at
        ``path``; or, when this machine is Stash's, beside its database, where Stash makes it first. Give its size."""
        rows = self._stash.connection.call_GQL(_SIZE)["querySQL"]["rows"]
        size = int(rows[0][0])
        check_room(path, more + 2 * size)
        if self._local:
            check_room(Path(self._status.database), size)
        return size

    def put(self, sink: ArchiveSink, container: Container) -> dict[str, Any]:
        """Have the copy made, fetch it, check it and put it into the archive; give what the manifest says of it. What
        was fetched lies in the folder that the archive grows in, for its owner only, and is gone in any case. Raises
        VerificationFailed."""
        with self._patience() as connection:
            address = str(connection.call_GQL(_COPY)["backupDatabase"])
            path = _PLACE + address.rpartition(_PLACE)[2]
            place, kept = container.keep(_as_file(connection.download(path)))
        try:
            schema = self._check(place)
            with place.open("rb") as stream:
                sink.put_member(DATABASE, stream)
        finally:
            place.unlink()
        return {"schema": schema, "bytes": kept.bytes, "images": "files" if self._status.blobs else "database"}

    def put_blob(self, stream: IO[bytes], put: Callable[[IO[bytes]], BlobRef]) -> BlobRef:
        """Put an image into the archive, and note what Stash calls its file."""
        if not self._status.blobs:
            return put(stream)
        watched = _Digesting(stream)
        kept = put(cast("IO[bytes]", watched))
        self._images[watched.md5.digest()] = kept.sha256
        return kept

    def finish(self, sink: ArchiveSink) -> str:
        """Put in where the images belong; give what has to be told, or ""."""
        if not self._status.blobs:
            return ""
        names = ((md5.hex(), sha256) for md5, sha256 in sorted(self._images.items()))
        lines = "".join(f"{name[:2]}/{name[2:4]}/{name}\t{sha256}\n" for name, sha256 in names)
        sink.put_plain(DATABASE_IMAGES, lines.encode())
        missing = len(self._outside - self._images.keys())
        return f"images that its database names and no record in this archive has: {missing:,}" if missing else ""

    @contextmanager
    def _patience(self) -> Iterator[Any]:
        connection = self._stash.connection
        before = connection.limits
        connection.limits = replace(before, read=SECONDS)
        try:
            yield connection
        finally:
            connection.limits = before

    def _check(self, place: Path) -> int:
        """Check the copy; give the number of its schema. Raises VerificationFailed."""
        what = f"the copy of the database of {self._stash.address}"
        try:
            with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
                said = [row[0] for row in database.execute("pragma quick_check(1)")]
                schema = read_shape(database, place).schema
                rows = database.execute("select checksum from blobs where blob is null")
                self._outside = {bytes.fromhex(name) for (name,) in rows}
        except (sqlite3.DatabaseError, ValueError, PortabilityError) as error:
            raise VerificationFailed(path=what, reason=getattr(error, "words", {}).get("reason") or error) from error
        if said != ["ok"] or schema != self._status.schema:
            reason = said[0] if said != ["ok"] else f"its schema is {schema}, that of Stash {self._status.schema}"
            raise VerificationFailed(path=what, reason=reason)
        return schema


class _Digesting(io.RawIOBase):
    """An image as it is read, with its MD5, by which Stash names its file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.md5 = hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.md5.update(chunk)
        return len(chunk)


class _Chunks(io.RawIOBase):
    """A file of what comes in pieces."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(filter(None, self._chunks), b"")
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _as_file(chunks: Iterator[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Chunks(chunks))

"""Writes an archive; ``archive`` says what is in one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import RecordError
from ..kinds import KINDS
from ..model import BlobRef, Record
from ..storage.blobs import FOLDER, Blobs
from ..storage.container import MANIFEST, Container, closing
from ..storage.shapes import PACKED
from ..storage.zstd import check_library, packing
from . import archive_lists
from .archive import FORMAT, INCREMENTAL, VERSION, ZSTD
from .archive_lists import ListWriter, digest_of
from .archive_text import README, readme
from .tables.json_form import dumps_pretty, record_line

PART_RECORDS, PART_BYTES = 5_000, 8 << 20
_BUFFER = 1 << 20


class Known(Protocol):
    """What an incremental archive is built on, as its sink asks it."""

    def same(self, kind: str, uid: str, digest: str) -> bool:
        """Whether a record with this digest is there under this id. Ids of a kind are asked for as they ascend."""
        ...

    def has_blob(self, sha256: str) -> bool:
        """Whether an image is there."""
        ...


class ArchiveSink:
    """Writes records as an archive into ``container``, which it enters and leaves itself. ``header`` is what the
    manifest says about itself (tool, versions, scope, privacy, …), JSON values; it is looked at when the archive is
    finished. With ``zstd`` the records are packed by that. With ``known`` only what is not there is written, and what
    there is listed. Raises LibrariesMissing."""

    def __init__(
        self, container: Container, header: Mapping[str, Any], zstd: bool = False, known: Known | None = None
    ) -> None:
        if zstd:
            check_library()
        self._container, self._header, self._zstd, self._known = container, header, zstd, known
        self._blobs = Blobs(container, self._blob_member)
        self._said: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, int] = {}
        self._fields: dict[str, dict[str, None]] = {}
        self._images: set[str] = set()
        self.changed = 0
        """Records that were written, because they were not known."""
        self._list = ListWriter()
        self._kind = self._member = ""
        self._file: IO[bytes] | None = None
        self._count = self._size = 0
        self._encode = record_line("", frozenset())
        self._keys: Any = None

    def __enter__(self) -> ArchiveSink:
        self._container.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        with closing(self._container, kind, error, trace):
            if error is None:
                self._finish()

    def put(self, record: Record) -> None:
        """Write one record. Raises RecordError when its text cannot be written."""
        if record.kind != self._kind:
            self._turn_to(record.kind)
        try:
            line = self._encode(record)
        except (TypeError, ValueError) as error:
            raise RecordError(kind=record.kind, uid=record.uid, reason=f"it cannot be written: {error}") from error
        if record.data.keys() != self._keys:
            self._fields[record.kind].update(dict.fromkeys(record.data))
            self._keys = record.data.keys()
        if self._known is None or self._changed(record.uid, line, self._known):
            self._write(line)

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep an image under ``blobs/``."""
        kept = self._blobs.put(stream)
        if self._known is not None:
            self._images.add(kept.sha256)
        return kept

    def put_member(self, name: str, stream: IO[bytes]) -> None:
        """Write what is no record as a member, packed like the records."""
        self._end()
        member, size = self._packed(name), 0
        with self._begin(member) as file:
            while chunk := stream.read(_BUFFER):
                file.write(chunk)
                size += len(chunk)
        self._said[member] = self._unpacked(size)

    def put_plain(self, name: str, content: bytes) -> None:
        """Write a small member as it is."""
        self._end()
        self._container.write(name, content)

    def _changed(self, uid: str, line: bytes, known: Known) -> bool:
        """List a record; give whether it has to be written."""
        if self._list.full:
            self._end_list()
        digest = digest_of(line)
        self._list.add(uid, digest)
        return not known.same(self._kind, uid, digest)

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self._member = self._next("records/")
            self._file, self._count, self._size = self._begin(self._member), 0, 0
        self._file.write(line)
        self.changed += 1
        self._count += 1
        self._size += len(line)
        if self._count >= PART_RECORDS or self._size >= PART_BYTES:
            self._end()

    def _turn_to(self, kind: str) -> None:
        self._end_list()
        self._kind = kind
        self._encode, self._keys = record_line(kind, frozenset(KINDS[kind].names())), None
        self._fields.setdefault(kind, {})

    def _end(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
            self._said[self._member] = {"kind": self._kind, "records": self._count, **self._unpacked(self._size)}
        self._blobs.flush()

    def _end_list(self) -> None:
        """End the part, and write what is listed."""
        self._end()
        count, content = self._list.take()
        if count:
            member = self._next(archive_lists.FOLDER)
            with self._begin(member) as file:
                file.write(content)
            self._said[member] = {"lists": self._kind, "records": count, **self._unpacked(len(content))}

    def _next(self, folder: str) -> str:
        """The next member of this kind in ``folder``."""
        place = f"{folder}{self._kind}/"
        number = self._numbers[place] = self._numbers.get(place, 0) + 1
        return self._packed(f"{place}{number:04}.jsonl")

    def _packed(self, name: str) -> str:
        return f"{name}{PACKED}" if self._zstd else name

    def _unpacked(self, size: int) -> dict[str, int]:
        return {"unpacked": size} if self._zstd else {}

    def _begin(self, member: str) -> IO[bytes]:
        file = self._container.open(member)
        return packing(file) if self._zstd else file

    def _blob_member(self, _: Path, sha256: str) -> str | None:
        return None if self._known and self._known.has_blob(sha256) else FOLDER + sha256

    def _finish(self) -> None:
        self._end_list()
        self._container.write(README, readme(self._container.members, self._header))
        fields = {
            kind: [field for field in KINDS[kind].names() if field in found] for kind, found in self._fields.items()
        }
        members = [self._listed(name) for name in self._container.members]
        requires = [*([ZSTD] if self._zstd else []), *([INCREMENTAL] if self._known else [])]
        images = {"images": len(self._images)} if self._known else {}
        said = {"requires": requires, **self._header, **images, "fields": fields}
        manifest = {"format": FORMAT, "version": VERSION, **said, "members": members}
        self._container.write(MANIFEST, dumps_pretty(manifest))

    def _listed(self, name: str) -> dict[str, Any]:
        member = self._container.members[name]
        return {"name": name, "bytes": member.bytes, "sha256": member.sha256, **self._said.get(name, {})}

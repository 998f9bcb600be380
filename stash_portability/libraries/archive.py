"""Our archive, as a folder or a plain zip: a manifest, records in numbered JSONL parts, images by their digest.

``README.txt``, ``manifest.json``, ``records/<kind>/<nnnn>.jsonl`` (or ``.jsonl.zst``), ``blobs/<sha256>``. The manifest
lists every member with its size, SHA-256 and number of records, so that what is read is known to be what was written,
and under ``requires`` what a reader must know beyond the first form of the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import RecordError, Unreadable, UnsupportedVersion
from ..kinds import KINDS
from ..model import EVERYTHING, About, Blob, BlobRef, Record, Want
from ..storage.blobs import FOLDER, Blobs
from ..storage.container import MANIFEST, PACKED, Container, closing
from ..storage.reader import Listed, manifest_format, open_member, read_manifest
from ..storage.zstd import check_library, packing, unpacking
from .tables.json_form import dumps_pretty, read_jsonl, record_line
from .wanting import wanted

FORMAT, VERSION = "stash-portability archive", 1
ZSTD = "zstd"
FEATURES = frozenset((ZSTD,))
"""What an archive may require of its reader, of what this one knows."""
PART_RECORDS, PART_BYTES = 5_000, 8 << 20
_README = "README.txt"
_TEXT = b"""This is a copy of a Stash library, made by stash-portability.

manifest.json    what is in it, how it was made, and the SHA-256 of every other file
records/KIND/    the records: one JSON object a line, in UTF-8; references are ids of records in here
                 (files that end in .zst are packed: zstd -d unpacks them)
blobs/           images, each named by its SHA-256

It can be read without the program that made it: every file is plain text or a plain image.
"""


class ArchiveSink:
    """Writes records as an archive into ``container``, which it enters and leaves itself. ``header`` is what the
    manifest says about itself (tool, versions, scope, privacy, …), JSON values. With ``zstd`` the records are packed
    by that. Raises LibrariesMissing."""

    def __init__(self, container: Container, header: Mapping[str, Any], zstd: bool = False) -> None:
        if zstd:
            check_library()
        self._container, self._header, self._zstd = container, header, zstd
        self._blobs = Blobs(container)
        self._parts: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, int] = {}
        self._fields: dict[str, dict[str, None]] = {}
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
        if record.kind != self._kind or self._file is None:
            self._begin(record.kind)
        try:
            line = self._encode(record)
        except (TypeError, ValueError) as error:
            raise RecordError(kind=record.kind, uid=record.uid, reason=f"it cannot be written: {error}") from error
        assert self._file  # noqa: S101 - begun above
        self._file.write(line)
        self._count += 1
        self._size += len(line)
        if record.data.keys() != self._keys:
            self._fields[record.kind].update(dict.fromkeys(record.data))
            self._keys = record.data.keys()
        if self._count >= PART_RECORDS or self._size >= PART_BYTES:
            self._end()

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep an image under ``blobs/``."""
        return self._blobs.put(stream)

    def _begin(self, kind: str) -> None:
        """Begin the next part of ``kind``."""
        self._end()
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        self._kind, self._member = kind, f"records/{kind}/{number:04}.jsonl{PACKED if self._zstd else ''}"
        file, self._count, self._size = self._container.open(self._member), 0, 0
        self._file = packing(file) if self._zstd else file
        self._encode, self._keys = record_line(kind, frozenset(KINDS[kind].names())), None
        self._fields.setdefault(kind, {})

    def _end(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
            unpacked = {"unpacked": self._size} if self._zstd else {}
            self._parts[self._member] = {"kind": self._kind, "records": self._count, **unpacked}
        self._blobs.flush()

    def _finish(self) -> None:
        self._end()
        self._container.write(_README, _TEXT)
        fields = {
            kind: [field for field in KINDS[kind].names() if field in found] for kind, found in self._fields.items()
        }
        members = [self._listed(name) for name in self._container.members]
        said = {"requires": [ZSTD] if self._zstd else [], **self._header, "fields": fields}
        manifest = {"format": FORMAT, "version": VERSION, **said, "members": members}
        self._container.write(MANIFEST, dumps_pretty(manifest))

    def _listed(self, name: str) -> dict[str, Any]:
        member = self._container.members[name]
        return {"name": name, "bytes": member.bytes, "sha256": member.sha256, **self._parts.get(name, {})}


class ArchiveSource:
    """Reads an archive (a folder, or a plain zip). Opening it reads and checks its manifest and the names of its
    members; each member is checked against its digest as it is read. Raises Unreadable, UnsupportedVersion,
    LibrariesMissing."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._listed: Listed = read_manifest(self._path, FORMAT, VERSION)
        _check_required(self._path, self._listed)
        self._parts = _parts(self._path, self._listed)
        self._fields = _fields(self._path, self._listed)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    @property
    def header(self) -> dict[str, Any]:
        """What the archive says about itself."""
        ours = ("format", "version", "requires", "fields", "members")
        return {name: value for name, value in self._listed.manifest.items() if name not in ours}

    @property
    def members(self) -> Mapping[str, Mapping[str, Any]]:
        """What its manifest says of each member: ``bytes``, ``sha256``; of records also ``kind`` and ``records``."""
        return self._listed.members

    def about(self) -> About:
        """What it holds, by its manifest."""
        manifest = self._listed.manifest
        source = manifest.get("source")
        schema = (source if isinstance(source, dict) else manifest).get("schema")
        return About(
            address=str(self._path),
            product="archive",
            version=str(manifest["version"]),
            schema=schema if isinstance(schema, int) else None,
            fields={kind: tuple(self._fields.get(kind, ())) for kind in self._parts},
            counts={kind: sum(records for _, records in self._parts.get(kind, ())) for kind in KINDS},
            how="from the archive's parts, each checked against its digest",
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``. Raises Unreadable naming the member that is damaged."""
        return wanted(kind, self.read_stored(kind), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; its digest is checked when its end is read."""
        return open_member(self._path, self._listed, FOLDER + blob.key)

    def open(self, name: str) -> IO[bytes]:
        """Open a member, unpacked; its digest is checked when its end is read. Raises Unreadable, then or now."""
        stream = open_member(self._path, self._listed, name)
        if not name.endswith(PACKED):
            return stream
        return unpacking(self._path, name, stream, self._listed.members[name]["unpacked"])

    def read_stored(self, kind: str) -> Iterator[Record]:
        """Stream the records of ``kind`` as they are stored: images are digests. Raises as ``read`` does."""
        for name, expected in self._parts.get(kind, ()):
            count, where = 0, f"{self._path}: {name}"
            with self.open(name) as stream:
                for record in read_jsonl(stream, where):
                    if record.kind != kind:
                        raise Unreadable(path=where, reason=f"it holds a {record.kind}")
                    yield record
                    count += 1
            if count != expected:
                raise Unreadable(path=where, reason=f"it has {count} records, its manifest says {expected}")


def _check_required(path: Path, listed: Listed) -> None:
    """Refuse an archive that needs what is not known here; what is not there is told at once, too."""
    required = listed.manifest.get("requires", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it says what it requires")
    strange = sorted(set(required) - FEATURES)
    if strange:
        needs = f"an archive that needs {', '.join(strange)}"
        raise UnsupportedVersion(address=path, version=needs, reason="this program does not know that; use a newer one")
    if ZSTD in required:
        check_library()


def _parts(path: Path, listed: Listed) -> dict[str, list[tuple[str, int]]]:
    """The parts of each kind with their numbers of records, in order."""
    parts: dict[str, list[tuple[str, int]]] = {}
    for name, said in sorted(listed.members.items()):
        if "kind" in said:
            kind, records = said["kind"], said.get("records")
            packed_well = not name.endswith(PACKED) or isinstance(said.get("unpacked"), int)
            if not isinstance(kind, str) or kind not in KINDS or not isinstance(records, int) or not packed_well:
                raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it lists {name}")
            parts.setdefault(kind, []).append((name, records))
    return parts


def _fields(path: Path, listed: Listed) -> dict[str, list[str]]:
    """The fields of each kind, as the manifest says."""
    fields = listed.manifest.get("fields", {})
    lists = list(fields.values()) if isinstance(fields, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it lists the fields")
    return dict(fields)


def is_archive(path: Path) -> bool:
    """Whether ``path`` is a folder or zip whose manifest is one of an archive. Raises Unreadable."""
    return (path.is_dir() or path.suffix.lower() == ".zip") and manifest_format(path) == FORMAT

"""Our archive: a manifest, records in numbered JSONL parts, images by their digest.

``README.txt``, ``manifest.json``, ``records/<kind>/<nnnn>.jsonl`` (or ``.jsonl.zst``), ``blobs/<sha256>``. The manifest
lists every member with its size, SHA-256 and number of records, so that what is read is known to be what was written,
and under ``requires`` what a reader must know beyond the first form of the format. An incremental archive holds what
changed since its ``parent``, and ``ids/<kind>/<nnnn>.jsonl``; ``chain`` reads it together with that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import Unreadable, UnsupportedVersion
from ..kinds import KINDS
from ..model import EVERYTHING, About, Blob, Record, Want
from ..storage.blobs import FOLDER
from ..storage.container import MANIFEST
from ..storage.reader import ENDINGS, Listed, manifest_format, open_member, read_manifest
from ..storage.shapes import PACKED
from ..storage.zstd import check_library, unpacking
from .archive_lists import digest_of, read_list
from .tables.json_form import lines, parse_line, read_jsonl
from .wanting import wanted

FORMAT, VERSION = "stash-portability archive", 1
ZSTD, INCREMENTAL = "zstd", "incremental"
FEATURES = frozenset((ZSTD, INCREMENTAL))
"""What an archive may require of its reader, of what this one knows."""


class Parent(NamedTuple):
    """The archive that another is built on: its name, and the SHA-256 of its manifest."""

    name: str
    manifest: str


class Stored(NamedTuple):
    """A record as it stands in an archive: its line, and where that is."""

    line: bytes
    member: str
    number: int


class ArchiveSource:
    """Reads one archive. Opening it reads and checks its manifest and the names of its members; each member is checked
    against its digest as it is read. ``alone``: refuse one that is built on another, which ``chain`` reads. Raises
    Unreadable, UnsupportedVersion, LibrariesMissing."""

    def __init__(self, path: Path | str, alone: bool = True) -> None:
        self._path = Path(path)
        self._listed: Listed = read_manifest(self._path, FORMAT, VERSION)
        _check_required(self._path, self._listed)
        self._parts = _parts(self._path, self._listed, "kind")
        self._lists = _parts(self._path, self._listed, "lists")
        self._fields = _fields(self._path, self._listed)
        self.parent = _parent(self._path, self._listed)
        if alone and self.parent:
            raise Unreadable(path=path, reason=f"it is built on {self.parent.name}, and has to be read with that")

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

    @property
    def layers(self) -> tuple[ArchiveSource, ...]:
        """The archives it is read from: itself."""
        return (self,)

    @property
    def images(self) -> int:
        """How many images its records have."""
        said = self._listed.manifest.get("images")
        own = sum(name.startswith(FOLDER) for name in self.members)
        return said if self.parent and isinstance(said, int) else own

    @property
    def manifest_digest(self) -> str:
        """The SHA-256 of its manifest, by which an archive that is built on this one knows it."""
        with self._listed.source.open(MANIFEST) as file:
            return hashlib.sha256(file.read()).hexdigest()

    def about(self) -> About:
        """What it holds, by its manifest."""
        manifest = self._listed.manifest
        source = manifest.get("source")
        schema = (source if isinstance(source, dict) else manifest).get("schema")
        held = self._lists if self.parent else self._parts
        return About(
            address=str(self._path),
            product="archive",
            version=str(manifest["version"]),
            schema=schema if isinstance(schema, int) else None,
            fields={kind: tuple(self._fields.get(kind, ())) for kind in held},
            counts={kind: sum(records for _, records in held.get(kind, ())) for kind in KINDS},
            how="from the archive's parts, each checked against its digest",
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``. Raises Unreadable naming the member that is damaged."""
        return wanted(kind, self.read_stored(kind), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; its digest is checked when its end is read."""
        return open_member(self._path, self._listed, FOLDER + blob.key)

    def has_blob(self, sha256: str) -> bool:
        """Whether an image is in it."""
        return FOLDER + sha256 in self._listed.members

    def open(self, name: str) -> IO[bytes]:
        """Open a member, unpacked; its digest is checked when its end is read. Raises Unreadable, then or now."""
        stream = open_member(self._path, self._listed, name)
        if not name.endswith(PACKED):
            return stream
        size = self._listed.members[name].get("unpacked")
        if not isinstance(size, int):
            raise Unreadable(path=self._path, reason=f"its {MANIFEST} is damaged where it lists {name}")
        return unpacking(self._path, name, stream, size)

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
            self._check_count(name, count, expected)

    def lines(self, kind: str) -> Iterator[tuple[str, Stored]]:
        """Stream the ids of the records of ``kind`` that lie in this archive, with their lines. Raises as ``read``
        does."""
        head = f'{{"kind":"{kind}","id":"'.encode()
        for name, expected in self._parts.get(kind, ()):
            number, where = 0, f"{self._path}: {name}"
            with self.open(name) as stream:
                for number, line in lines(stream, where):
                    uid = _uid(line, head) or _parsed_uid(line, kind, (where, number))
                    yield uid, Stored(line, name, number)
            self._check_count(name, number, expected)

    def listed(self, kind: str) -> Iterator[tuple[str, str]]:
        """Stream the ids of ``kind`` that an incremental archive lists, with the digests of their lines."""
        for name, expected in self._lists.get(kind, ()):
            count = 0
            with self.open(name) as stream:
                for found in read_list(stream, f"{self._path}: {name}"):
                    yield found
                    count += 1
            self._check_count(name, count, expected)

    def digests(self, kind: str) -> Iterator[tuple[str, str]]:
        """Stream the ids of all records of ``kind`` with the digests of their lines."""
        if self.parent:
            return self.listed(kind)
        return ((uid, digest_of(stored.line)) for uid, stored in self.lines(kind))

    def _check_count(self, name: str, count: int, expected: int) -> None:
        if count != expected:
            where = f"{self._path}: {name}"
            raise Unreadable(path=where, reason=f"it has {count} records, its manifest says {expected}")


def _uid(line: bytes, head: bytes) -> str:
    """The id in a line that begins as ours do; "" when that has to be parsed."""
    if not line.startswith(head):
        return ""
    uid = line[len(head) : line.find(b'"', len(head))]
    return str(uid, "ascii") if uid.isdigit() else ""


def _parsed_uid(line: bytes, kind: str, place: tuple[str, int]) -> str:
    found = parse_line(line, *place)
    uid = found.get("id")
    if found.get("kind") != kind or not isinstance(uid, str) or not uid:
        raise Unreadable(path=place[0], reason=f"line {place[1]} is no {kind} with an id")
    return uid


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


def _parts(path: Path, listed: Listed, key: str) -> dict[str, list[tuple[str, int]]]:
    """The members that say their kind under ``key``, by kind, with their numbers of records, in order."""
    parts: dict[str, list[tuple[str, int]]] = {}
    for name, said in sorted(listed.members.items()):
        if key in said:
            kind, records = said[key], said.get("records")
            packed_well = not name.endswith(PACKED) or isinstance(said.get("unpacked"), int)
            if not isinstance(kind, str) or kind not in KINDS or not isinstance(records, int) or not packed_well:
                raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it lists {name}")
            parts.setdefault(kind, []).append((name, records))
    return parts


def _parent(path: Path, listed: Listed) -> Parent | None:
    """What an incremental archive is built on; None for one that stands alone."""
    if INCREMENTAL not in listed.manifest.get("requires", []):
        return None
    said = listed.manifest.get("parent")
    name, digest = (said.get("name"), said.get("manifest")) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(digest, str) or Path(name).name != name or name in ("", ".."):
        raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it says what it is built on")
    return Parent(name, digest)


def _fields(path: Path, listed: Listed) -> dict[str, list[str]]:
    """The fields of each kind, as the manifest says."""
    fields = listed.manifest.get("fields", {})
    lists = list(fields.values()) if isinstance(fields, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise Unreadable(path=path, reason=f"its {MANIFEST} is damaged where it lists the fields")
    return dict(fields)


def is_archive(path: Path) -> bool:
    """Whether ``path`` is a folder, zip or .7z whose manifest is one of an archive. Raises Unreadable."""
    return (path.is_dir() or path.suffix.lower() in ENDINGS) and manifest_format(path) == FORMAT

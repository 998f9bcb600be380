"""An archive with those it is built on, read as one: of each record the newest version, as far as it is listed in the
newest archive. All are read side by side in ascending order of id, so that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import PortabilityError, Unreadable
from ..model import EVERYTHING, About, Blob, Record, Want
from .archive import ArchiveSource, Parent, Stored
from .archive_lists import Cursor, digest_of
from .tables.check import Checked
from .tables.json_form import parse_line
from .wanting import wanted

LONGEST = 30
"""Archives in one chain: each makes reading a little slower, and is needed for all that follow it."""


def open_archive(path: Path | str, beside: Path | None = None) -> Archive:
    """Open the archive at ``path``; when it is built on others, with those. They are looked for in its folder, or in
    ``beside``, under their names, then under any other. Raises Unreadable naming the archive that is missing or
    damaged, UnsupportedVersion, LibrariesMissing."""
    first = ArchiveSource(path, alone=False)
    layers, folder = [first], beside or first.path.absolute().parent
    while (parent := layers[-1].parent) is not None:
        if len(layers) >= LONGEST:
            raise Unreadable(path=path, reason=f"it is built on more than {LONGEST - 1} others")
        layers.append(_find(layers[-1].path, parent, folder))
    return ChainSource(layers) if len(layers) > 1 else first


class ChainSource:
    """Reads an archive that is built on others: ``layers``, the newest first. A Source, like ArchiveSource."""

    def __init__(self, layers: Sequence[ArchiveSource]) -> None:
        self.layers = tuple(layers)
        self._first = layers[0]

    @property
    def path(self) -> Path:
        """Where the newest lies."""
        return self._first.path

    @property
    def parent(self) -> Parent | None:
        """What the newest is built on."""
        return self._first.parent

    @property
    def header(self) -> dict[str, Any]:
        """What the newest says about itself."""
        return self._first.header

    @property
    def members(self) -> Mapping[str, Mapping[str, Any]]:
        """What the manifest of the newest says of each of its own members."""
        return self._first.members

    @property
    def images(self) -> int:
        """How many images its records have."""
        return self._first.images

    @property
    def manifest_digest(self) -> str:
        """The SHA-256 of the manifest of the newest."""
        return self._first.manifest_digest

    def about(self) -> About:
        """What all of them hold together, by the manifest of the newest."""
        about = self._first.about()
        return replace(about, how=f"{about.how}, and from the {len(self.layers) - 1} archives it is built on")

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Stream the records of ``kind``. Raises Unreadable naming the archive and the member that is damaged."""
        return wanted(kind, self.read_stored(kind), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """Open an image; its digest is checked when its end is read."""
        holder = next((layer for layer in self.layers if layer.has_blob(blob.key)), self._first)
        return holder.open_blob(blob)

    def has_blob(self, sha256: str) -> bool:
        """Whether an image is in one of them."""
        return any(layer.has_blob(sha256) for layer in self.layers)

    def open(self, name: str) -> IO[bytes]:
        """Open a member of the newest; see ArchiveSource."""
        return self._first.open(name)

    def read_stored(self, kind: str) -> Iterator[Record]:
        """Stream the records of ``kind`` as they are stored: images are digests. Raises as ``read`` does."""
        checks = {layer.path: Checked(str(layer.path)) for layer in self.layers}
        for uid, (path, stored) in self._newest(kind):
            where = f"{stored.member}: line {stored.number}"
            raw = parse_line(stored.line, f"{path}: {stored.member}", stored.number)
            record = checks[path].record(raw, None, where)
            if (record.kind, record.uid) != (kind, uid):
                raise Unreadable(path=path, reason=f"{where} is not the {kind} {uid}")
            yield record

    def digests(self, kind: str) -> Iterator[tuple[str, str]]:
        """Stream the ids of all records of ``kind`` with the digests of their lines."""
        return self._first.listed(kind)

    def check_lines(self, kind: str) -> int:
        """Read the newest line of every record of ``kind``, and all others to their end; give how many records there
        are. Raises Unreadable when one is not there, or not the one that is listed."""
        return sum(1 for _ in self._newest(kind))

    def _newest(self, kind: str) -> Iterator[tuple[str, _Found]]:
        cursors = [(layer.path, Cursor(kind, layer.lines(kind))) for layer in self.layers]
        for uid, digest in self._first.listed(kind):
            found = _first_of(cursors, uid)
            if found is None:
                raise Unreadable(path=self.path, reason=f"the {kind} {uid} is in none of the archives it is built on")
            if digest_of(found.stored.line) != digest:
                raise Unreadable(path=found.path, reason=f"the {kind} {uid} is not the one that {self.path.name} lists")
            yield uid, found
        for _, cursor in cursors:
            cursor.drain()


Archive = ArchiveSource | ChainSource
"""An archive that can be read by itself: one alone, or one with all it is built on."""


class Since:
    """What ``parent`` holds, for the sink of an archive that is built on it."""

    def __init__(self, parent: Archive) -> None:
        self._parent = parent
        self._cursors: dict[str, Cursor[str]] = {}

    def same(self, kind: str, uid: str, digest: str) -> bool:
        """Whether a record with this digest is there under this id. Ids of a kind are asked for as they ascend."""
        cursor = self._cursors.get(kind)
        if cursor is None:
            cursor = self._cursors[kind] = Cursor(kind, self._parent.digests(kind))
        return cursor.take(uid) == digest

    def has_blob(self, sha256: str) -> bool:
        """Whether an image is there."""
        return self._parent.has_blob(sha256)


class _Found(NamedTuple):
    path: Path
    stored: Stored


def _first_of(cursors: Sequence[tuple[Path, Cursor[Stored]]], uid: str) -> _Found | None:
    """The newest of what the archives have under an id. Each cursor is moved on, so that none lags behind."""
    found = None
    for path, cursor in cursors:
        stored = cursor.take(uid)
        if found is None and stored is not None:
            found = _Found(path, stored)
    return found


def _find(child: Path, parent: Parent, folder: Path) -> ArchiveSource:
    """The archive in ``folder`` that ``child`` is built on. Raises Unreadable when it is not there, or is another."""
    place = folder / parent.name
    found = _opened(place, parent)
    if found is None:
        with suppress(OSError):
            others = (_opened(entry, parent) for entry in sorted(folder.iterdir()) if not entry.name.startswith("."))
            found = next(filter(None, others), None)
    if found is not None:
        return found
    if not place.exists():
        raise Unreadable(path=child, reason=f"it is built on {parent.name}, which is not in {folder}")
    ArchiveSource(place, alone=False)  # says what is wrong with it, if that can be said
    raise Unreadable(path=child, reason=f"it is built on another {parent.name} than the one in {folder}")


def _opened(path: Path, parent: Parent) -> ArchiveSource | None:
    """The archive at ``path``, if it is one, and the one that is looked for."""
    try:
        source = ArchiveSource(path, alone=False)
    except PortabilityError:
        return None
    return source if source.manifest_digest == parent.manifest else None

"""A library in memory: for tests, previews, and as the model every other target is compared with."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import IO, Any

from ..errors import Unreadable
from ..kinds import KINDS, Field
from ..model import EVERYTHING, About, Blob, BlobRef, Data, Record, Want
from .wanting import by_id, wanted


class MemoryLibrary:
    """Records and images in mappings. A Target: what it is given it keeps as it is, without copies.

    ``blobs`` are image bytes by the key (digest, or what a Blob's ``key`` says) that records name.
    """

    def __init__(self, records: Iterable[Record] = (), blobs: Mapping[str, bytes] | None = None) -> None:
        self._records: dict[str, dict[str, Record]] = {}
        self._blobs = dict(blobs or {})
        self._highest: dict[str, int] = {}
        for record in records:
            self._records.setdefault(record.kind, {})[record.uid] = record

    def about(self) -> About:
        """What it holds."""
        return About(
            address="memory",
            product="memory",
            version="",
            schema=None,
            fields={kind: self._fields(kind) for kind in self._records},
            counts={kind: len(self._records.get(kind, ())) for kind in KINDS},
            how="from memory",
        )

    def read(self, kind: str, want: Want = EVERYTHING) -> Iterator[Record]:
        """Its records of ``kind``."""
        records = self._records.get(kind, {})
        return wanted(kind, (records[uid] for uid in sorted(records, key=by_id)), want)

    def open_blob(self, blob: Blob) -> IO[bytes]:
        """The bytes of an image. Raises Unreadable when there are none of that key."""
        if blob.key not in self._blobs:
            raise Unreadable(path="memory", reason=f"{blob.kind} {blob.uid} names an image that is not there")
        return io.BytesIO(self._blobs[blob.key])

    def referrers(self, kind: str, uids: Collection[str], besides: Collection[str] = ()) -> dict[str, int]:
        """How many records refer to each of these; those of the same kind in ``besides`` do not count. That something
        is the cover of a gallery is no link of its own."""
        found = dict.fromkeys(uids, 0)
        for other in KINDS.values() if kind != "image" else ():
            fields = [field for field in other.fields if kind in (field.of, *(part.of for part in field.parts))]
            for record in self._records.get(other.name, {}).values() if fields else ():
                if other.name != kind or record.uid not in besides:
                    for uid in {uid for field in fields for uid in _named(field, record.data.get(field.name))}:
                        if uid in found:
                            found[uid] += 1
        return found

    def create(self, kind: str, data: Data) -> str:
        """Make a record with the next id; none is given twice."""
        known = self._records.setdefault(kind, {})
        highest = max((int(uid) for uid in known if uid.isdigit()), default=0)
        self._highest[kind] = max(highest, self._highest.get(kind, 0)) + 1
        uid = str(self._highest[kind])
        known[uid] = Record(kind, uid, dict(data))
        return uid

    def update(self, kind: str, uid: str, data: Data) -> None:
        """Set just the fields in ``data``; they stand in the order of the table."""
        record = self._known(kind, uid)
        merged = {**record.data, **data}
        names = (name for name in KINDS[kind].names() if name in merged)
        self._records[kind][uid] = Record(kind, uid, {name: merged[name] for name in names})

    def delete(self, kind: str, uid: str) -> None:
        """Remove a record."""
        self._known(kind, uid)
        if uid.isdigit():
            self._highest[kind] = max(int(uid), self._highest.get(kind, 0))
        del self._records[kind][uid]

    def put_blob(self, stream: IO[bytes]) -> BlobRef:
        """Keep an image; records name it by its digest."""
        content = stream.read()
        digest = hashlib.sha256(content).hexdigest()
        self._blobs[digest] = content
        return BlobRef(digest, len(content))

    def _known(self, kind: str, uid: str) -> Record:
        record = self._records.get(kind, {}).get(uid)
        if record is None:
            raise Unreadable(path="memory", reason=f"there is no {kind} {uid}")
        return record

    def _fields(self, kind: str) -> tuple[str, ...]:
        found = {name for record in self._records[kind].values() for name in record.data}
        return tuple(name for name in KINDS[kind].names() if name in found)


def _named(field: Field, value: Any) -> Iterator[str]:
    """The ids that a value of ``field`` names."""
    for entry in value if isinstance(value, list) else [value]:
        if entry is not None:
            yield str(entry.get(field.key) if isinstance(entry, dict) else entry)

"""What a ``Want`` asks for, applied to records that are at hand: for sources that read all of a kind anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..kinds import KINDS
from ..model import Blob, BlobRef, Record, Want


def wanted(kind: str, records: Iterable[Record], want: Want) -> Iterator[Record]:
    """Those of ``records`` that are asked for, with the fields that are asked for. An image's digest becomes a
    ``Blob`` when blobs are wanted, and is left out when not."""
    ids = None if want.ids is None else frozenset(want.ids)
    blobs = frozenset(field.name for field in KINDS[kind].fields if field.type == "blob")
    for record in records:
        if ids is None or record.uid in ids:
            yield _cut(record, want, blobs)


def _cut(record: Record, want: Want, blobs: frozenset[str]) -> Record:
    data = record.data
    if want.fields is not None:
        data = {name: value for name, value in data.items() if name in want.fields}
    if not blobs.isdisjoint(data):
        data = {
            name: _blob(record, name, value) if name in blobs else value
            for name, value in data.items()
            if want.blobs or name not in blobs
        }
    return record if data is record.data else Record(record.kind, record.uid, data)


def _blob(record: Record, name: str, value: object) -> object:
    if isinstance(value, BlobRef):
        value = value.sha256
    return Blob(record.kind, record.uid, name, value) if isinstance(value, str) else value


def by_id(uid: str) -> tuple[int, int]:
    """Sort key: ids that are numbers ascending, then the others as they come."""
    return (0, int(uid)) if uid.isascii() and uid.isdigit() else (1, 0)

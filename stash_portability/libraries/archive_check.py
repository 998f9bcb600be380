"""The second rung of verification: everything in an archive, against its manifest. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import Unreadable
from ..kinds import KINDS
from ..model import Record
from ..storage.blobs import FOLDER
from ..transform.scope import by_number
from .archive import ArchiveSource

_CHUNK = 1 << 18
NAMED = frozenset(("config",))
"""Kinds whose ids are names, in no order."""


@dataclass(slots=True)
class Contents:
    """What was read of an archive: records by kind, how many images, bytes of all members."""

    counts: dict[str, int] = field(default_factory=dict)
    images: int = 0
    bytes: int = 0


def check_members(source: ArchiveSource, advance: Callable[[int], None]) -> Contents:
    """Read every member to its end: each has its size, its digest and its number of lines, and each image the name of
    its digest. Raises Unreadable naming the first that has not."""
    found = Contents()
    for name, said in source.members.items():
        lines = _read_through(source, name)
        found.bytes += said["bytes"]
        if "kind" in said:
            _check_count(source, name, lines)
            found.counts[said["kind"]] = found.counts.get(said["kind"], 0) + lines
            advance(lines)
        elif name.startswith(FOLDER):
            _check_name(source, name)
            found.images += 1
    return found


class Ascending:
    """Looks at the ids of a kind as they come. Ids of ``config`` are names, few, and in no order."""

    def __init__(self, kind: str) -> None:
        self._names: set[str] | None = set() if kind in NAMED else None
        self._before = (-1, "")

    def add(self, uid: str) -> bool:
        """Whether ``uid`` may come now."""
        if self._names is not None:
            there = uid in self._names
            self._names.add(uid)
            return not there
        before, self._before = self._before, by_number(uid)
        return self._before > before


def check_records(source: ArchiveSource, advance: Callable[[int], None]) -> None:
    """Read every record: it is one of its kind, its id comes once and in order, and its images are there. Raises
    Unreadable naming the first that is not so."""
    for kind in KINDS:
        blobs = [field.name for field in KINDS[kind].fields if field.type == "blob"]
        seen = Ascending(kind)
        for record in source.read_stored(kind):
            if not seen.add(record.uid):
                raise _wrong(source, f"the {kind} {record.uid} comes twice, or after a later one")
            _check_images(source, record, blobs)
            advance(1)


def _check_images(source: ArchiveSource, record: Record, blobs: list[str]) -> None:
    for name in blobs:
        digest = record.data.get(name)
        if digest is not None and f"{FOLDER}{digest}" not in source.members:
            raise _wrong(source, f"the {name} of {record.kind} {record.uid} is not in it")


def _read_through(source: ArchiveSource, name: str) -> int:
    """Read a member to its end; give its number of lines."""
    count = 0
    with source.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            count += chunk.count(b"\n")
    return count


def _check_count(source: ArchiveSource, name: str, lines: int) -> None:
    expected = source.members[name]["records"]
    if lines != expected:
        raise _wrong(source, f"{name} has {lines} records, the manifest says {expected}")


def _check_name(source: ArchiveSource, name: str) -> None:
    if name != FOLDER + source.members[name]["sha256"]:
        raise _wrong(source, f"{name} is not named by its digest")


def _wrong(source: ArchiveSource, reason: str) -> Unreadable:
    return Unreadable(path=source.path, reason=reason)

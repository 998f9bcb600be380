"""The second rung of verification: everything in an archive, and in those it is built on, against its manifest. Reads,
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import Unreadable
from ..kinds import KINDS
from ..model import Record
from ..storage.blobs import FOLDER
from ..transform.scope import by_number
from .archive import ArchiveSource
from .archive_lists import NAMED
from .archive_values import Relations, Tell, values_of
from .chain import Archive, ChainSource

_CHUNK = 1 << 18


@dataclass(slots=True)
class Contents:
    """What was read of an archive: records by kind, how many images, bytes of all members that were read."""

    counts: dict[str, int] = field(default_factory=dict)
    images: int = 0
    bytes: int = 0


def check_members(source: Archive, advance: Callable[[int], None]) -> Contents:
    """Read every member to its end, also of the archives it is built on: each has its size, its digest and its number
    of lines, and each image the name of its digest. Raises Unreadable naming the first that has not."""
    found = [check_own(layer, advance) for layer in source.layers]
    found[0].bytes = sum(one.bytes for one in found)
    return found[0]


def check_own(layer: ArchiveSource, advance: Callable[[int], None]) -> Contents:
    """Read every member of one archive, and none of another; see ``check_members``."""
    found, told = Contents(images=layer.images), "lists" if layer.parent else "kind"
    for name, said in layer.members.items():
        lines = _read_through(layer, name)
        found.bytes += said["bytes"]
        if "records" in said:
            _check_count(layer, name, lines)
        if told in said:
            found.counts[said[told]] = found.counts.get(said[told], 0) + lines
            advance(lines)
        elif name.startswith(FOLDER):
            _check_name(layer, name)
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


def check_lines(source: Archive, advance: Callable[[int], None]) -> None:
    """Find every record that an archive lists, in it or in those it is built on, by its digest: a quick look, which
    takes no record apart. Raises Unreadable."""
    if isinstance(source, ChainSource):
        for kind in KINDS:
            advance(source.check_lines(kind))


def check_records(source: Archive, advance: Callable[[int], None], tell: Tell = lambda *_: None) -> None:
    """Read every record: it is one of its kind, its id comes once and in order, its images are there, and no records
    lie in a circle. Values that Stash cannot take, and references that lead nowhere, are told. Raises Unreadable
    naming the first that is not so."""
    values, relations = values_of(source), Relations()
    for kind in KINDS:
        blobs = [field.name for field in KINDS[kind].fields if field.type == "blob"]
        seen = Ascending(kind)
        for record in source.read_stored(kind):
            if not seen.add(record.uid):
                raise _wrong(source, f"the {kind} {record.uid} comes twice, or after a later one")
            _check_images(source, record, blobs)
            values.cleaned(record, tell)
            relations.add(record)
            advance(1)
    relations.check_circles(source.path)
    for kind, uid in relations.nowhere():
        tell("others refer to it, and it is not in the archive", f"{kind} {uid}")


def _check_images(source: Archive, record: Record, blobs: list[str]) -> None:
    for name in blobs:
        digest = record.data.get(name)
        if digest is not None and not source.has_blob(digest):
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


def _wrong(source: Archive, reason: str) -> Unreadable:
    return Unreadable(path=source.path, reason=reason)

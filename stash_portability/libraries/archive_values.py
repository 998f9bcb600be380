"""What is wrong with the records of an archive that is whole: values that Stash cannot take, images that are none, and
references that lead nowhere or in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import PortabilityError, Unreadable
from ..kinds import KINDS, references
from ..model import Blob, Record
from ..storage.blobs import FOLDER
from .chain import Archive
from .record_check import Values, circle, image_problem

PARENTS = {"tag": "parents", "studio": "parent", "group": "containing_groups"}
"""The fields by which records of a kind lie above one another; Stash refuses circles of these."""
_BITS = 1 << 26
"""Ids below this take a bit each (8 MB for all of a kind); Stash counts from 1."""

Tell = Callable[[str, str], None]
"""Is told what is wrong, and where."""


def values_of(source: Archive) -> Values:
    """What looks at the values of an archive's records, and at its images, each once."""
    known: dict[str, str] = {}

    def image(digest: str) -> str:
        if digest not in known:
            known[digest] = _image_problem(source, digest)
        return known[digest]

    return Values(image)


def _image_problem(source: Archive, digest: str) -> str:
    holder = next((layer for layer in source.layers if layer.has_blob(digest)), None)
    if holder is None:
        return ""  # whoever reads the archive refuses it for that

    def content(count: int) -> bytes:
        with holder.open_blob(Blob("", "", "", digest)) as stream:
            return stream.read(count)

    try:
        return image_problem(int(holder.members[FOLDER + digest]["bytes"]), content)
    except PortabilityError as error:
        return str(error)


class _Ids:
    """The ids of a kind: a bit for each number."""

    def __init__(self) -> None:
        self._bits = bytearray(1 << 10)
        self._others: set[str] = set()

    def add(self, uid: str) -> None:
        number = int(uid) if uid.isdigit() and uid.isascii() else _BITS
        if number >= _BITS:
            self._others.add(uid)
            return
        place = number >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place))
        self._bits[place] |= 1 << (number & 7)

    def __contains__(self, uid: str) -> bool:
        number = int(uid) if uid.isdigit() and uid.isascii() else _BITS
        if number >= _BITS:
            return uid in self._others
        return number >> 3 < len(self._bits) and bool(self._bits[number >> 3] & 1 << (number & 7))


class Relations:
    """Sees every record of an archive go by; then tells which references lead nowhere, or in a circle."""

    def __init__(self) -> None:
        self._ids = {kind: _Ids() for kind in KINDS}
        self._named: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self._parents: dict[str, dict[str, list[str]]] = {kind: {} for kind in PARENTS}
        self._fields = {
            kind.name: [
                (one.name, part.name if part else "", one.many, self._named[(part or one).of])
                for one, part in references(kind)
            ]
            for kind in KINDS.values()
        }

    def add(self, record: Record) -> None:
        """See one record."""
        kind, uid, data = record
        self._ids[kind].add(uid)
        for name, part, many, named in self._fields[kind]:
            if value := data.get(name):
                if part:
                    named.update([one[part] for one in value])
                elif many:
                    named.update(value)
                else:
                    named.add(value)
        if kind in PARENTS:
            value = data.get(PARENTS[kind]) or []
            above = [value] if isinstance(value, str) else value
            self._parents[kind][uid] = [one["group"] if isinstance(one, dict) else one for one in above]

    def nowhere(self) -> Iterator[tuple[str, str]]:
        """The records that others refer to and that are not there: kind and id."""
        for kind, named in self._named.items():
            yield from ((kind, uid) for uid in sorted(named) if uid not in self._ids[kind])

    def check_circles(self, where: object) -> None:
        """Raise Unreadable for records that are each other's parents."""
        for kind, parents in self._parents.items():
            if found := circle(parents):
                raise Unreadable(path=where, reason=f"the {KINDS[kind].plural} {' → '.join(found)} lie in a circle")

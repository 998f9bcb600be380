"""A library in memory that is written to as a Stash is: names are unique, nothing lies above itself, what is deleted is
no longer referred to and takes its parts along, and each change of a batch fails or succeeds for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import IO, Any

from ..errors import RecordError
from ..kinds import KINDS, Field, Kind
from ..model import Blob, BlobRef, Change, Data, Want, Written
from .archive_values import PARENTS
from .memory import MemoryLibrary
from .record_check import circle

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)

OpenImage = Callable[[Blob | BlobRef], IO[bytes]]

_BELOW = {"group": "sub_groups"}
"""The other end of PARENTS, of kinds that have one."""
_NAMES = {"tag": ("name", "aliases"), "studio": ("name", "aliases"), "performer": ("name", "disambiguation")}


class MemoryWriter:
    """Writes to ``library``. ``open_image`` opens the images that changes name."""

    def __init__(self, library: MemoryLibrary, open_image: OpenImage | None = None) -> None:
        self._library = library
        self._open_image = open_image

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """Make ``changes``; one that cannot be made is told and changes nothing."""
        return [self._write(change) for change in changes]

    def _write(self, change: Change) -> Written:
        kind, uid = change.kind, change.uid
        try:
            self._check_there(change)
            if change.op == "delete":
                self._delete(kind, uid)
                return Written(uid)
            data = self._with_images(change.after or {})
            self._check_name(change)
            self._check_circle(change)
            if change.op == "create":
                return Written(self._library.create(kind, data))
            self._library.update(kind, uid, data)
        except RecordError as error:
            return Written(uid, error)
        return Written(uid)

    def _check_there(self, change: Change) -> None:
        if change.op != "create" and not any(True for _ in self._library.read(change.kind, Want(ids=[change.uid]))):
            raise RecordError(kind=change.kind, uid=change.uid, reason="it is not there")

    def _with_images(self, data: Data) -> dict[str, Any]:
        out = dict(data)
        for name, value in data.items():
            if isinstance(value, (Blob, BlobRef)) and self._open_image is not None:
                with self._open_image(value) as stream:
                    out[name] = self._library.put_blob(stream)
        return out

    def _check_name(self, change: Change) -> None:
        after = change.after or {}
        if after.keys().isdisjoint(_NAMES.get(change.kind, ())):
            return
        held: dict[str, Any] = {}
        others: set[str] = set()
        for record in self._library.read(change.kind):
            if record.uid == change.uid:
                held = record.data
            else:
                others.update(_names(change.kind, record.data))
        if taken := others & _names(change.kind, {**held, **after}):
            raise RecordError(kind=change.kind, uid=change.uid, reason=f"the name {min(taken)!r} is taken")

    def _check_circle(self, change: Change) -> None:
        ends = (PARENTS.get(change.kind, ""), _BELOW.get(change.kind, ""))
        if change.op == "create" or not any((change.after or {}).get(name) for name in ends):
            return  # nothing refers to a new record
        above: dict[str, list[str]] = {}
        for record in self._library.read(change.kind):
            data = {**record.data, **(change.after or {})} if record.uid == change.uid else record.data
            above.setdefault(record.uid, []).extend(_members(data.get(ends[0])))
            for below in _members(data.get(ends[1])):
                above.setdefault(below, []).append(record.uid)
        if found := circle(above):
            raise RecordError(kind=change.kind, uid=change.uid, reason=f"a circle: {' → '.join(found)}")

    def _delete(self, kind: str, uid: str) -> None:
        self._library.delete(kind, uid)
        for other in KINDS.values():
            for field in other.fields:
                if field.of == kind or any(part.of == kind for part in field.parts):
                    self._drop(other, field, uid)

    def _drop(self, kind: Kind, field: Field, uid: str) -> None:
        for record in list(self._library.read(kind.name)):
            value = record.data.get(field.name)
            if field.role == "owner" and value == uid:
                self._delete(kind.name, record.uid)
            elif value == uid:
                self._library.update(kind.name, record.uid, {field.name: None})
            elif isinstance(value, list) and any(_refers(field, entry, uid) for entry in value):
                left = [entry for entry in value if not _refers(field, entry, uid)]
                self._library.update(kind.name, record.uid, {field.name: left})


def _members(value: Any) -> list[str]:
    entries = [value] if isinstance(value, str) else value or []
    return [entry["group"] if isinstance(entry, dict) else entry for entry in entries]


def _refers(field: Field, entry: Any, uid: str) -> bool:
    return bool((entry.get(field.key) if field.parts else entry) == uid)


def _names(kind: str, data: Data) -> set[str]:
    """As Stash compares them: only the letters of ASCII are the same in both cases."""
    name = (data.get("name") or "").translate(_SMALL)
    if kind == "performer":
        return {f"{name} ({(data.get('disambiguation') or '').translate(_SMALL)})"}
    return {name, *(alias.translate(_SMALL) for alias in data.get("aliases") or ())}

"""The ids of records that a run makes, put in the place of the names a plan has for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import PortabilityError, RecordError
from ..kinds import PARTS_OF
from ..model import Change, Data
from .filters import translate_filter
from .rules import reference_fields

NEW = "new:"


class Resolver:
    """Learns the ids of what is made, and puts them into later changes. Names may also be ids of records that are gone
    and made anew (of an undo)."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, str]] = {}

    def learn(self, kind: str, name: str, uid: str) -> None:
        """``name`` of the plan has become ``uid``."""
        self._ids.setdefault(kind, {})[name] = uid

    def made(self) -> dict[str, str]:
        """What the names of the plan have become."""
        return {name: uid for known in self._ids.values() for name, uid in known.items() if name.startswith(NEW)}

    def resolve(self, changes: Iterable[Change], failed: list[PortabilityError]) -> list[tuple[str, Change]]:
        """``changes`` with the target's ids, each with its name in the plan. References to what could not be made are
        left out; a part of what could not be made goes to ``failed``, as does what is to be changed but was not made.
        """
        found = []
        for change in changes:
            if why := self._hopeless(change):
                failed.append(RecordError(kind=change.kind, uid=change.uid, reason=why))
                continue
            uid = "" if change.op == "create" else self._id(change.kind, change.uid) or ""
            before, after = (None if data is None else self._data(change.kind, data) for data in change[3:])
            found.append((change.uid, Change(change.op, change.kind, uid, before, after)))
        return found

    def renamed(self, change: Change) -> Change:
        """``change`` with the ids that are known in place of those it names; a create keeps its name."""
        uid = change.uid if change.op == "create" else self._id(change.kind, change.uid) or change.uid
        before, after = (None if data is None else self._data(change.kind, data) for data in change[3:])
        return Change(change.op, change.kind, uid, before, after)

    def knows(self, kind: str, name: str) -> bool:
        """Whether it was learned what ``name`` has become."""
        return name in self._ids.get(kind, ())

    def _hopeless(self, change: Change) -> str:
        if change.op != "create" and self._id(change.kind, change.uid) is None:
            return "it could not be made"
        if change.kind in PARTS_OF and change.op == "create":
            owner, name = PARTS_OF[change.kind]
            if self._id(owner, str((change.after or {}).get(name))) is None:
                return f"its {owner} could not be made"
        return ""

    def _id(self, kind: str, name: str) -> str | None:
        known = self._ids.get(kind, {}).get(name)
        return known if known is not None or name.startswith(NEW) else name

    def _id_of_any(self, kind: str, name: str) -> str | None:
        """As ``_id``; a name of the plan says its kind itself."""
        return self._id(name.split(":")[1] if name.startswith(NEW) else kind, name)

    def _data(self, kind: str, data: Data) -> dict[str, Any]:
        out = dict(data)
        for field, part in reference_fields(kind):
            value = out.get(field.name)
            if value in (None, []):
                continue
            if part is not None:
                entries = ((self._id(part.of, entry[part.name]), entry) for entry in value)
                out[field.name] = [{**entry, part.name: uid} for uid, entry in entries if uid is not None]
            elif field.many:
                uids = (self._id(field.of, uid) for uid in value)
                out[field.name] = sorted({uid for uid in uids if uid is not None}, key=_number)
            else:
                out[field.name] = self._id(field.of, value)
        if kind == "saved_filter" and "object_filter" in out:
            out["object_filter"] = translate_filter(out.get("mode"), out["object_filter"], self._id_of_any)
        if out != data:
            _sort_entries(kind, out)
        return out


def _sort_entries(kind: str, data: dict[str, Any]) -> None:
    for field, part in reference_fields(kind):
        if part is not None and not field.ordered and data.get(field.name):
            name = part.name
            data[field.name] = sorted(data[field.name], key=lambda entry: _number(entry[name]))


def _number(uid: str) -> int:
    return int(uid) if uid.isdigit() else 0

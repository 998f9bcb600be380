"""What references of the source's records become in the target: looked up in the workset, and remembered a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..model import Data
from .filters import emptied, named_in, translate_filter
from .rules import reference_fields
from .workset import Workset

_REMEMBERED = 50_000


class References:
    """Looks up what the source's ids are in the target, once matching (of the kind asked for) is over."""

    def __init__(self, workset: Workset) -> None:
        self._workset = workset
        self.left_out = 0
        self.look_up: Callable[[str, str], str | None] = lru_cache(_REMEMBERED)(self._look_up)

    def _look_up(self, kind: str, uid: str) -> str | None:
        sql = "SELECT goes FROM record WHERE kind = ? AND side = 'source' AND uid = ?"
        found = self._workset.one(sql, kind, uid)
        return None if found is None else str(found)

    def candidates(self, kind: str, uid: str) -> frozenset[str]:
        """The target's ids of what the source's record could be, when that is not known."""
        sql = (
            "SELECT t.uid FROM record s JOIN maybe m ON m.source = s.id JOIN record t ON t.id = m.target"
            " WHERE s.kind = ? AND s.side = 'source' AND s.uid = ? AND s.goes IS NULL"
        )
        return frozenset(row[0] for row in self._workset.rows(sql, kind, uid))

    def translate(self, kind: str, data: Data, target: Data | None) -> dict[str, Any]:
        """``data`` of the source in the target's ids.

        What cannot be named there is left out and counted. But where it could be one of several that ``target`` (the
        record's other side) refers to, these stay: not to know is no reason to take them away.
        """
        out = dict(data)
        if kind == "saved_filter" and "object_filter" in out:
            out["object_filter"] = translate_filter(out.get("mode"), out["object_filter"], self._counted)
        for field, part in reference_fields(kind):
            value = out.get(field.name)
            if value in (None, []):
                continue
            had = (target or {}).get(field.name)
            if part is not None:
                out[field.name] = self._entries(part.name, part.of, value, had or ())
            elif field.many:
                out[field.name] = self._many(field.of, value, had or ())
            else:
                out[field.name] = self._single(field.of, value, had)
        return out

    def lost(self, data: Data) -> tuple[str, ...]:
        """The kinds of which a saved filter names records that the source has and the target will not have, or names
        nothing any more: without them it would find other things. What its own library has no more it does not miss.
        """
        mode, criteria = data.get("mode"), data.get("object_filter")
        gone = [(kind, uid) for kind, uid in named_in(mode, criteria) if self.look_up(kind, uid) is None]
        found = {kind for kind, uid in gone if self._is_missed(kind, uid)}
        return tuple(sorted(found | emptied(mode, criteria, self.look_up)))

    def _is_missed(self, kind: str, uid: str) -> bool:
        """Whether the source has the record, or nothing is known of its kind."""
        sql = "SELECT EXISTS (SELECT 1 FROM record WHERE kind = ?1 AND side = 'source' AND (uid = ?2 OR ?2 = ''))"
        return bool(self._workset.one(sql, kind, uid) or not self._workset.one(sql, kind, ""))

    def _counted(self, of: str, uid: str) -> str | None:
        goes = self.look_up(of, uid)
        self.left_out += goes is None
        return goes

    def _single(self, of: str, uid: str, had: str | None) -> str | None:
        goes = self.look_up(of, uid)
        if goes is None:
            self.left_out += 1
            return had if had in self.candidates(of, uid) else None
        return goes

    def _many(self, of: str, uids: list[str], had: Any) -> list[str]:
        found: dict[str, None] = {}
        for uid in uids:
            goes = self.look_up(of, uid)
            if goes is not None:
                found[goes] = None
                continue
            self.left_out += 1
            could_be = self.candidates(of, uid)
            found.update(dict.fromkeys(one for one in had if one in could_be))
        return sorted(found, key=_by_id)

    def _entries(self, name: str, of: str, entries: list[Any], had: Any) -> list[Any]:
        found: dict[str, Any] = {}
        for entry in entries:
            goes = self.look_up(of, entry[name])
            if goes is not None:
                found[goes] = {**entry, name: goes}
                continue
            self.left_out += 1
            could_be = self.candidates(of, entry[name])
            found.update({one[name]: one for one in had if one[name] in could_be})
        return list(found.values())


def _by_id(uid: str) -> tuple[int, int, str]:
    """Ids as numbers, then those of records that are yet to be made."""
    return (0, int(uid), "") if uid.isascii() and uid.isdigit() else (1, 0, uid)

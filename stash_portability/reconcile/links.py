"""What refers to records that are brought over and is not brought over itself: of that only these references are
written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..model import Data
from .rules import reference_fields
from .workset import Standing, Workset

_REMEMBERED = 50_000


class Links:
    """``fields``: by kind those that refer to what is brought over. ``kinds``: those that are brought over, of which
    with ``chosen`` only some records are: then references to others say nothing."""

    def __init__(
        self, workset: Workset, fields: Mapping[str, frozenset[str]], kinds: Sequence[str], chosen: bool
    ) -> None:
        self._workset, self._fields, self._kinds, self._chosen = workset, fields, frozenset(kinds), chosen
        self._is_chosen = lru_cache(_REMEMBERED)(self._look_up)

    def is_own(self, kind: str, standing: int) -> bool:
        """Whether a record is brought over for its own sake."""
        return standing == Standing.CHOSEN and kind in self._kinds

    def cut(self, kind: str, data: Data) -> dict[str, Any]:
        """Of ``data``, in the source's ids, the references that are written; those to many may be none."""
        names = self._fields.get(kind, frozenset())
        out = {name: value for name, value in data.items() if name in names}
        if not self._chosen:
            return out
        for field, part in reference_fields(kind):
            value, of = out.get(field.name), (part or field).of
            if field.name not in out:
                continue
            if field.many:
                out[field.name] = [one for one in value or () if self._is_chosen(of, one[part.name] if part else one)]
            elif value is None or not self._is_chosen(of, value):
                del out[field.name]
        return out

    def _look_up(self, kind: str, uid: str) -> bool:
        sql = "SELECT standing FROM record WHERE kind = ? AND side = 'source' AND uid = ?"
        standing = self._workset.one(sql, kind, uid)
        return standing is not None and self.is_own(kind, int(standing))

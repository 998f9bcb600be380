"""What the records of a workset are called."""

from __future__ import annotations

from functools import lru_cache

from .listing import label
from .model import Record
from .reconcile.coding import decode
from .reconcile.resolve import NEW
from .reconcile.workset import Workset

_REMEMBERED = 30_000


class WorksetLabels:
    """Looks names up in a workset; see planfile.Labels."""

    def __init__(self, workset: Workset) -> None:
        self._workset = workset
        self.target = lru_cache(_REMEMBERED)(self._target)

    def source(self, kind: str, uid: str) -> str:
        """What a record of the source is called."""
        return self._of("SELECT data FROM record WHERE kind = ? AND side = 'source' AND uid = ?", kind, uid)

    def _target(self, kind: str, uid: str) -> str:
        """What a record of the target is called, or will be, if it is yet to be made."""
        if uid.startswith(NEW):
            return self._of("SELECT data FROM record WHERE kind = ? AND id = ?", kind, uid.rsplit(":", 1)[1])
        return self._of("SELECT data FROM record WHERE kind = ? AND side = 'target' AND uid = ?", kind, uid)

    def _of(self, sql: str, kind: str, key: str) -> str:
        content = self._workset.one(sql, kind, key)
        return "" if content is None else label(Record(kind, key, decode(content)))

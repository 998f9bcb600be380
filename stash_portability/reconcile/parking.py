"""Names out of the way: a record of the target whose name another one is about to take, while it gives it up itself, is
renamed before anything else is written. Stash refuses a name that is taken, even for a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Change
from .changes import Phase, add_change
from .coding import decode, encode
from .rules import UNIQUE_NAMES, fold, parked
from .taken import note_tokens
from .workset import Workset


def park(workset: Workset) -> None:
    """Add the changes that free names, and let the later changes of those records know."""
    for kind in UNIQUE_NAMES:
        note_tokens(workset, kind)
        for uid, fields in _in_the_way(workset, kind).items():
            _free(workset, kind, uid, fields)


_CLASHES = """
SELECT DISTINCT h.uid, h.field, h.value FROM token h JOIN token w ON w.value = h.value AND w.held = 0 AND w.uid <> h.uid
WHERE h.held = 1 AND NOT EXISTS (SELECT 1 FROM token o WHERE o.held = 0 AND o.uid = h.uid AND o.value = h.value)
  AND (EXISTS (SELECT 1 FROM token o WHERE o.held = 0 AND o.uid = h.uid)
       OR EXISTS (SELECT 1 FROM change c WHERE c.kind = ? AND c.uid = h.uid AND c.op = 'delete'))
"""


def _in_the_way(workset: Workset, kind: str) -> Mapping[str, dict[str, set[str]]]:
    """Records that give up a name another one wants: by field, the names."""
    found: dict[str, dict[str, set[str]]] = {}
    for uid, field, value in workset.rows(_CLASHES, kind):
        found.setdefault(uid, {}).setdefault(field, set()).add(value)
    return found


def _free(workset: Workset, kind: str, uid: str, fields: Mapping[str, set[str]]) -> None:
    sql = "SELECT data FROM record WHERE kind = ? AND side = 'target' AND uid = ?"
    data = decode(workset.one(sql, kind, uid))
    after: dict[str, Any] = {}
    if "name" in fields:
        after["name"] = parked(data["name"], uid)
    if "aliases" in fields:
        after["aliases"] = [alias for alias in data["aliases"] if fold(alias) not in fields["aliases"]]
    before = {name: data[name] for name in after}
    rows = list(workset.rows("SELECT id, before FROM change WHERE kind = ? AND uid = ?", kind, uid))
    for number, content in rows:
        was = decode(content)
        was.update({name: value for name, value in after.items() if name in was})
        workset.run("UPDATE change SET before = ? WHERE id = ?", encode(was), number)
    add_change(workset, Phase.PARK, Change("update", kind, uid, before, after))

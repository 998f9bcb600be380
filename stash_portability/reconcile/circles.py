"""Circles of parents, which Stash refuses: the archive of a broken library may hold one, and two libraries without any
may make one together. The links that close a circle are left out of the plan, and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import Conflict
from .changes import Phase
from .coding import decode, encode
from .rules import HIERARCHY
from .workset import Workset

_Links = dict[str, set[str]]
"""A record's uid → those of its parents."""

_DOWNWARD = "sub_groups"


def break_circles(workset: Workset, tally: dict[str, int]) -> None:
    """Take links that would close a circle out of the changes; what is in the target stays."""
    for kind in HIERARCHY:
        planned = list(_planned(workset, kind))
        if planned:
            known = _kept(workset, kind)
            for number, uid, before, after in planned:
                _break(workset, (kind, number, uid), (before, after), known, tally)


def _planned(workset: Workset, kind: str) -> Iterator[tuple[int, str, Any, Any]]:
    """The changes that set links of ``kind``."""
    sql = "SELECT id, uid, before, after FROM change WHERE kind = ? AND phase = ? ORDER BY id"
    for number, uid, before, after in workset.rows(sql, kind, int(Phase.LINK)):
        yield number, uid, decode(before), decode(after)


def _kept(workset: Workset, kind: str) -> _Links:
    """The links of the target that stay: those that a change takes away are not among them."""
    links: _Links = {}
    field = HIERARCHY[kind]
    sql = (
        "SELECT r.uid, r.data, c.after FROM record r LEFT JOIN change c"
        " ON c.kind = r.kind AND c.uid = r.uid AND c.phase = ? WHERE r.kind = ? AND r.side = 'target'"
    )
    for uid, content, after in workset.rows(sql, int(Phase.UNLINK), kind):
        data = {**decode(content), **(decode(after) if after is not None else {})}
        if members := _members(data.get(field)):
            links[uid] = set(members)
    return links


def _break(
    workset: Workset, which: tuple[str, int, str], sides: tuple[Any, Any], known: _Links, tally: dict[str, int]
) -> None:
    kind, number, uid = which
    before, after = sides
    kept = {name: _allowed(uid, name, value, known) for name, value in after.items()}
    if kept == after:
        return
    for name, value in kept.items():
        if value != after[name]:
            _tell(workset, Conflict(kind, uid, name, None, after[name], before.get(name), "target"))
            tally["conflicts"] = tally.get("conflicts", 0) + 1
    left = {name: value for name, value in kept.items() if value != before.get(name)}
    if left:
        was = encode({name: before.get(name) for name in left})
        workset.run("UPDATE change SET before = ?, after = ? WHERE id = ?", was, encode(left), number)
        return
    workset.run("DELETE FROM change WHERE id = ?", number)
    if not uid.startswith("new:") and not workset.one(
        "SELECT count(*) FROM change WHERE kind = ? AND uid = ?", kind, uid
    ):
        tally[f"{kind} update"] -= 1


def _allowed(uid: str, name: str, value: Any, known: _Links) -> Any:
    """``value`` without the links that close a circle; ``known`` learns the others."""
    found = []
    for member in _members(value):
        child, parent = (member, uid) if name == _DOWNWARD else (uid, member)
        if _reaches(known, parent, child):
            continue
        known.setdefault(child, set()).add(parent)
        found.append(member)
    if not isinstance(value, list):
        return value if found else None
    return [entry for entry in value if _member(entry) in found]


def _reaches(known: _Links, start: str, goal: str) -> bool:
    """Whether ``goal`` is ``start`` or above it."""
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        waiting += [one for one in known.get(here, ()) if one not in seen]
        seen.update(known.get(here, ()))
    return False


def _members(value: Any) -> list[str]:
    if value is None:
        return []
    return [_member(entry) for entry in value] if isinstance(value, list) else [str(value)]


def _member(entry: Any) -> str:
    return str(entry["group"] if isinstance(entry, dict) else entry)


def _tell(workset: Workset, what: Conflict) -> None:
    workset.run("INSERT INTO found (what, kind, data) VALUES ('Conflict', ?, ?)", what.kind, encode(list(what)))
